#include "client/payments.h"

#include <stdlib.h>

#include "client/message.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/signature.h"

/* An operation is a few short texts and numbers. */
#define NOTIFICATION_BYTES_MAX 16384

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

void payments_notify(const struct payments_client *client, const struct notification *notification,
		     int64_t deadline_mono_us, payments_notified done, void *context)
{
	const struct rt_call_options options = {.deadline_mono_us = deadline_mono_us};
	struct sent *sent = malloc(sizeof(*sent));
	Daler__Connector__V1__Notification message;
	Daler__Connector__V1__NotifyRequest request;
	struct message_operation operation;
	uint8_t bytes[NOTIFICATION_BYTES_MAX];
	uint8_t signature[RT_SIGNATURE_BYTES];

	RT_ASSERT(sent != NULL);
	*sent = (struct sent){.done = done, .context = context};
	daler__connector__v1__notification__init(&message);
	message_operation_fill(&operation, &notification->operation);
	message.operation = &operation.message;
	message.notification_id = message_text(notification->id);
	RT_ASSERT(protobuf_c_message_get_packed_size(&message.base) <= sizeof(bytes));
	daler__connector__v1__notify_request__init(&request);
	request.notification.data = bytes;
	request.notification.len = protobuf_c_message_pack(&message.base, bytes);
	request.signed_time_s = rt_clock_wall_us() / RT_US_PER_S;
	rt_signature_make(client->key, request.signed_time_s, bytes, request.notification.len,
			  signature);
	request.signature.data = signature;
	request.signature.len = sizeof(signature);
	rt_channel_start(client->channel, &notify, &request.base, &options, ended, sent);
}
