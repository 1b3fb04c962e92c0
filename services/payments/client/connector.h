/* A connector (daler.connector.v1), as payments needs it: submit an operation, ask for it, and what
 * either answer means for the saga. For the engine. */
#pragma once

#include <stdint.h>

#include "domain/saga.h"
#include "rt/rpc_client.h"

struct connector_client {
	const char *name; /* as payments name it */
	struct rt_channel *channel;
	int64_t timeout_ms; /* of one call */
};

struct connector_operation {
	struct rt_uuid reference; /* ours */
	struct rt_uuid original;  /* of a refund: the reference of what it gives back */
	enum provider_operation kind;
	int64_t amount_minor;
	char currency[4];
	bool repeat; /* of a call that was not answered: has a token of rt_channel_may_repeat */
};

/* SAGA_PROVIDER_*; its texts are lent. Thread: the client's. */
typedef void (*connector_answered)(void *context, struct saga_event event);

/* Authorize, Payout or Refund. A refusal for good (FAILED_PRECONDITION, INVALID_ARGUMENT) is a
 * decline; whatever leaves open whether it was done is silence. `done` is called once, perhaps
 * before this returns. */
void connector_submit(const struct connector_client *client,
		      const struct connector_operation *operation, const char *instrument,
		      const struct rt_trace *trace, connector_answered done, void *context);
/* Captures or cancels what was authorized. What answers that nothing has changed is pending or
 * silent, so that it is not repeated without a pause. */
void connector_capture(const struct connector_client *client,
		       const struct connector_operation *operation, const struct rt_trace *trace,
		       connector_answered done, void *context);
void connector_cancel(const struct connector_client *client,
		      const struct connector_operation *operation, const struct rt_trace *trace,
		      connector_answered done, void *context);
/* GetOperation. Absent only when the connector says so with its own reason. */
void connector_ask(const struct connector_client *client,
		   const struct connector_operation *operation, const struct rt_trace *trace,
		   connector_answered done, void *context);
