/* A connector's list of its operations, for reconciliation. For rpc/, on a worker: it waits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "client/connector.h"
#include "daler/connector/v1/connector.pb-c.h"

/* Called for each operation; false ends the list. Lent. */
typedef bool (*connector_listed)(void *context, const Daler__Connector__V1__Operation *operation);

/* All operations, in the order of their arrival. Errors: the connector's, and rt_channel_call's. */
struct rt_status connector_list(const struct connector_client *client,
				const struct rt_call_options *options, connector_listed listed,
				void *context);
