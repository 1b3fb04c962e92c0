/* NotificationService.Notify: kept, and a reason to ask the connector; never believed by itself. */
#include "daler/connector/v1/connector.pb-c.h"
#include "rpc/service.h"
#include "rt/clock.h"
#include "rt/text.h"

#define ID_BYTES_MAX 64

static void on_kept(struct payment_notification *notification, struct rt_status status)
{
	Daler__Connector__V1__NotifyResponse reply;
	daler__connector__v1__notify_response__init(&reply);

	rt_call_end(notification->context, status, &reply.base);
}

static struct rt_status check(const Daler__Connector__V1__NotifyRequest *request)
{
	RT_TRY(rt_ascii_field("notification_id", request->notification_id, 1, ID_BYTES_MAX, NULL));
	if (request->operation == NULL)
		return RT_BAD_FIELD("INVALID_FIELD", "operation", "is required");
	return rt_ascii_field("operation.reference", request->operation->reference, 1, ID_BYTES_MAX,
			      NULL);
}

void payments_notify(struct rt_call *call)
{
	const Daler__Connector__V1__NotifyRequest *request = (const void *)rt_call_request(call);
	struct payments_service *service = rt_call_service(call);
	struct payment_notification *notification = NULL;
	struct rt_status status = check(request);

	if (rt_is_ok(&status)) {
		notification = rt_arena_alloc(rt_call_arena(call), sizeof(*notification));
		if (notification == NULL)
			status = RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
					 "the request is too large");
	}
	if (!rt_is_ok(&status)) {
		rt_call_end(call, status, NULL);
		return;
	}
	*notification = (struct payment_notification){
		.notice = {.notification_id = request->notification_id,
			   .reference = request->operation->reference,
			   /* Numbers that no smallint holds are nobody's status. */
			   .status = (int16_t)request->operation->status,
			   .time_us = rt_clock_wall_us()},
		.deadline_mono_us = rt_call_deadline_us(call),
		.done = on_kept,
		.context = call,
	};
	executor_notify(service->executor, notification);
}
