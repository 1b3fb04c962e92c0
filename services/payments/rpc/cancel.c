/* CancelPayment: notes the wish with the payment, on a worker's connection, whichever replica has
 * it; then waits for what becomes of it; no thread waits. */
#include <string.h>

#include "domain/plan.h"
#include "domain/saga.h"
#include "rpc/map.h"
#include "rpc/service.h"
#include "store/cancel_store.h"

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

static struct rt_status no(const struct payment_creation *creation)
{
	const struct payment_standing *standing = &creation->standing;

	if (saga_canceling(saga_plan_of(creation->request.kind), standing))
		return RT_FAIL(ABORTED, "IN_FLIGHT",
			       "it is to be called off, and not decided yet; ask again");
	return RT_FAIL(FAILED_PRECONDITION, "PAYMENT_NOT_CANCELABLE",
		       payment_state_open(standing->state)
			       ? "the other side has been asked already"
			       : "it was carried out, or has ended otherwise");
}

static void on_canceled(struct payment_creation *creation, struct rt_status status)
{
	Daler__Payments__V1__CancelPaymentResponse reply;
	daler__payments__v1__cancel_payment_response__init(&reply);
	struct rt_call *call = creation->context;
	const struct canceling *canceling = (const struct canceling *)creation;

	if (rt_is_ok(&status) && creation->standing.state != PAYMENT_CANCELED)
		status = no(creation);
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

/* Notes the wish where it is not too late; what has happened meanwhile is then in the record. */
static struct rt_status want(struct rt_call *call, struct payment_record *record)
{
	const struct payment_place place = {record->request.ledger_id, record->standing.payment_id};
	char caller[PAYMENT_CALLER_BYTES];
	bool wanted = false;

	if (!saga_cancelable(saga_plan_of(record->request.kind), record->standing.state))
		return rt_ok();
	map_caller(rt_call_caller(call), caller);
	RT_TRY(cancel_store_want(rt_call_worker(call), &place, caller, rt_call_arena(call),
				 rt_call_deadline_us(call), &wanted));
	return wanted ? rt_ok()
		      : payment_store_get(rt_call_worker(call), &place.payment_id,
					  rt_call_arena(call), rt_call_deadline_us(call), record);
}

/* What the executor must know to wait for it. */
static void creation_of(struct rt_call *call, const struct payment_record *record,
			struct payment_creation *creation)
{
	creation->request = record->request;
	creation->request.original_key = "";
	creation->request.original_caller = "";
	memcpy(creation->caller, record->caller, strlen(record->caller) + 1);
	creation->standing = record->standing;
	creation->deadline_mono_us = rt_call_deadline_us(call);
	creation->done = on_canceled;
	creation->context = call;
}

void payments_cancel_payment(struct rt_call *call)
{
	struct payments_service *service = rt_call_service(call);
	struct canceling *canceling = rt_arena_alloc(rt_call_arena(call), sizeof(*canceling));
	struct rt_status status = canceling == NULL ? out_of_arena() : look_up(call, canceling);

	if (rt_is_ok(&status)) {
		canceling->replayed = canceling->record.standing.state == PAYMENT_CANCELED;
		status = want(call, &canceling->record);
	}
	if (!rt_is_ok(&status)) {
		rt_call_end(call, status, NULL);
		return;
	}
	creation_of(call, &canceling->record, &canceling->creation);
	if (saga_canceling(saga_plan_of(canceling->record.request.kind),
			   &canceling->record.standing))
		executor_cancel(service->executor, &canceling->creation);
	else
		on_canceled(&canceling->creation, rt_ok());
}
