#include "client/payments.h"

#include <stdlib.h>

#include "client/message.h"
#include "rt/assert.h"

/* What the channel gives back at the end. */
struct sent {
	payments_notified done;
	void *context;
};

static const struct rt_remote notify = {
	.service = "daler.connector.v1.NotificationService",
	.name = "Notify",
	.reply = &daler__connector__v1__notify_response__descriptor,
	.repeatable = true,
};

static void ended(void *context, struct rt_status status, const ProtobufCMessage *reply)
{
	struct sent *sent = context;

	(void)reply;
	sent->done(sent->context, status);
	free(sent);
}

void payments_notify(struct rt_channel *channel, const struct notification *notification,
		     int64_t deadline_mono_us, payments_notified done, void *context)
{
	const struct rt_call_options options = {.deadline_mono_us = deadline_mono_us};
	struct sent *sent = malloc(sizeof(*sent));
	Daler__Connector__V1__NotifyRequest request;
	struct message_operation operation;
	RT_ASSERT(sent != NULL);
	*sent = (struct sent){.done = done, .context = context};
	daler__connector__v1__notify_request__init(&request);
	message_operation_fill(&operation, &notification->operation);
	request.operation = &operation.message;
	request.notification_id = message_text(notification->id);
	rt_channel_start(channel, &notify, &request.base, &options, ended, sent);
}
