/* CancelPayment: looks on a worker's connection whose payment it is, then waits with its saga; no
 * thread waits. */
#include "rpc/map.h"
#include "rpc/service.h"

/* A call that calls off, with the payment as it was. */
struct canceling {
	struct payment_creation creation;
	struct payment_record record;
	bool replayed;
};

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the reply is too large");
}

static struct rt_status no(const struct payment_standing *standing)
{
	if (payment_state_open(standing->state))
		return RT_FAIL(ABORTED, "IN_FLIGHT", "it is being decided; try again");
	return RT_FAIL(FAILED_PRECONDITION, "PAYMENT_NOT_CANCELABLE",
		       "it was carried out, or has ended otherwise");
}

static void on_canceled(struct payment_creation *creation, struct rt_status status)
{
	Daler__Payments__V1__CancelPaymentResponse reply;
	daler__payments__v1__cancel_payment_response__init(&reply);
	struct rt_call *call = creation->context;
	const struct canceling *canceling = (const struct canceling *)creation;

	if (rt_is_ok(&status) && creation->standing.state != PAYMENT_CANCELED)
		status = no(&creation->standing);
	if (rt_is_ok(&status)) {
		reply.payment = map_payment(&canceling->record.request, &creation->standing,
					    rt_call_arena(call));
		reply.replayed = canceling->replayed;
		if (reply.payment == NULL)
			status = out_of_arena();
	}
	rt_call_end(call, status, rt_is_ok(&status) ? &reply.base : NULL);
}

static struct rt_status look_up(struct rt_call *call, struct canceling *canceling)
{
	const Daler__Payments__V1__CancelPaymentRequest *request =
		(const void *)rt_call_request(call);
	struct rt_uuid payment_id;

	RT_TRY(rt_uuid_field("payment_id", request->payment_id, &payment_id));
	RT_TRY(payment_store_get(rt_call_worker(call), &payment_id, rt_call_arena(call),
				 rt_call_deadline_us(call), &canceling->record));
	if (!payments_may_read(rt_call_caller(call), &canceling->record))
		return RT_FAIL(NOT_FOUND, "PAYMENT_NOT_FOUND", "there is no such payment");
	return rt_ok();
}

void payments_cancel_payment(struct rt_call *call)
{
	struct payments_service *service = rt_call_service(call);
	struct canceling *canceling = rt_arena_alloc(rt_call_arena(call), sizeof(*canceling));
	struct rt_status status = canceling == NULL ? out_of_arena() : look_up(call, canceling);

	if (!rt_is_ok(&status)) {
		rt_call_end(call, status, NULL);
		return;
	}
	canceling->creation.standing = canceling->record.standing;
	canceling->creation.deadline_mono_us = rt_call_deadline_us(call);
	canceling->creation.done = on_canceled;
	canceling->creation.context = call;
	if (payment_state_open(canceling->record.standing.state)) {
		executor_cancel(service->executor, &canceling->creation);
		return;
	}
	canceling->replayed = canceling->record.standing.state == PAYMENT_CANCELED;
	on_canceled(&canceling->creation, rt_ok());
}
