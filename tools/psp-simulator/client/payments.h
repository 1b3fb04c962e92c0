/* Notifications to the payments service. For the engine. */
#pragma once

#include "rt/rpc_client.h"
#include "rt/secret.h"
#include "store/books.h"

/* Called once, on the client's thread, which it must not block. */
typedef void (*payments_notified)(void *context, struct rt_status status);

/* Where notifications go, and what signs them; NULL channel: nowhere. */
struct payments_client {
	struct rt_channel *channel;
	const struct rt_secret *key;
};

/* Sends one, signed now; returns at once. */
void payments_notify(const struct payments_client *client, const struct notification *notification,
		     int64_t deadline_mono_us, payments_notified done, void *context);
