/* Notifications to the payments service. For the engine. */
#pragma once

#include "rt/rpc_client.h"
#include "store/books.h"

/* Called once, on the client's thread, which it must not block. */
typedef void (*payments_notified)(void *context, struct rt_status status);

/* Sends one; returns at once. */
void payments_notify(struct rt_channel *channel, const struct notification *notification,
		     int64_t deadline_mono_us, payments_notified done, void *context);
