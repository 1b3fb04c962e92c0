/* NotificationService.Notify: signed, kept once, and a reason to ask the connector; never believed
 * by itself. */
#include "daler/connector/v1/connector.pb-c.h"
#include "rpc/service.h"
#include "rt/clock.h"
#include "rt/text.h"

#define ID_BYTES_MAX 64

typedef Daler__Connector__V1__Notification notification_message;

static void on_kept(struct payment_notification *notification, struct rt_status status)
{
	Daler__Connector__V1__NotifyResponse reply;
	daler__connector__v1__notify_response__init(&reply);

	rt_call_end(notification->context, status, &reply.base);
}

static struct rt_status check(const notification_message *message)
{
	RT_TRY(rt_ascii_field("notification_id", message->notification_id, 1, ID_BYTES_MAX, NULL));
	if (message->operation == NULL)
		return RT_BAD_FIELD("INVALID_FIELD", "operation", "is required");
	return rt_ascii_field("operation.reference", message->operation->reference, 1, ID_BYTES_MAX,
			      NULL);
}

/* The signature is looked at before what is signed is unpacked. */
static struct rt_status open_notification(struct rt_call *call,
					  const notification_message **message)
{
	const Daler__Connector__V1__NotifyRequest *request = (const void *)rt_call_request(call);
	const struct payments_service *service = rt_call_service(call);
	const struct rt_signed given = {.time_s = request->signed_time_s,
					.bytes = request->notification.data,
					.length = request->notification.len,
					.signature = request->signature.data,
					.signature_length = request->signature.len};
	const ProtobufCMessage *unpacked = NULL;

	if (request->notification.len == 0)
		return RT_BAD_FIELD("INVALID_FIELD", "notification", "is required");
	RT_TRY(rt_signature_check(&service->notification_keys, &given,
				  rt_clock_wall_us() / RT_US_PER_S));
	RT_TRY(rt_call_unpack(call, &daler__connector__v1__notification__descriptor,
			      &request->notification, &unpacked));
	*message = (const void *)unpacked;
	return check(*message);
}

static void hash_body(struct rt_call *call, uint8_t hash[RT_DIGEST_BYTES])
{
	const Daler__Connector__V1__NotifyRequest *request = (const void *)rt_call_request(call);
	struct rt_digest digest;

	rt_digest_init(&digest);
	rt_digest_bytes(&digest, request->notification.data, request->notification.len);
	rt_digest_finish(&digest, hash);
}

static struct rt_status start(struct rt_call *call)
{
	struct payments_service *service = rt_call_service(call);
	struct payment_notification *notification =
		rt_arena_alloc(rt_call_arena(call), sizeof(*notification));
	const notification_message *message = NULL;

	RT_TRY(open_notification(call, &message));
	if (notification == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the request is too large");
	*notification = (struct payment_notification){
		.notice = {.notification_id = message->notification_id,
			   .reference = message->operation->reference,
			   .status = (int)message->operation->status,
			   .time_us = rt_clock_wall_us()},
		.deadline_mono_us = rt_call_deadline_us(call),
		.done = on_kept,
		.context = call,
	};
	hash_body(call, notification->notice.body_hash);
	executor_notify(service->executor, notification);
	return rt_ok();
}

void payments_notify(struct rt_call *call)
{
	struct rt_status status = start(call);

	if (!rt_is_ok(&status))
		rt_call_end(call, status, NULL);
}
