/* What a connector can do (GetCapabilities). For the engine. */
#pragma once

#include "client/connector.h"
#include "domain/capabilities.h"
#include "rt/status.h"

/* Lent; `capabilities` only when the status is OK. Thread: the client's. */
typedef void (*connector_told)(void *context, struct rt_status status,
			       const struct connector_capabilities *capabilities);

/* One call, not waited for; `done` is called once, perhaps before this returns. What makes no sense
 * (no operation at all, too much of something) is answered as not known. */
void connector_tell(const struct connector_client *client, connector_told done, void *context);
