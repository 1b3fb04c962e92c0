/* GetPayment: on a worker's connection. */
#include <string.h>

#include "rpc/map.h"
#include "rpc/posts.h"
#include "rpc/refusals.h"
#include "rpc/service.h"
#include "store/call_store.h"
#include "store/cancel_store.h"

/* The latest changes, and calls to a connector, that are shown: one that is told forever that the
 * connector never had it, and then hears nothing, changes without end. */
#define EVENTS_MAX 1000
#define CALLS_MAX  1000

void *payments_worker_new(void *context)
{
	struct payments_service *service = context;

	return rt_pg_new(&service->pg);
}

void payments_worker_destroy(void *worker)
{
	rt_pg_destroy(worker);
}

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the reply is too large");
}

/* A player's own are those they asked for; what is not theirs does not exist for them. */
bool payments_may_read(const struct rt_caller *caller, const struct payment_record *record)
{
	char own[PAYMENT_CALLER_BYTES];

	if (caller->role != RT_ROLE_PLAYER)
		return true;
	map_caller(caller, own);
	return strcmp(own, record->caller) == 0;
}

static struct rt_status get_calls(struct rt_call *call, const struct payment_record *record,
				  Daler__Payments__V1__GetPaymentResponse *reply)
{
	struct rt_arena *arena = rt_call_arena(call);
	struct payment_call *calls = NULL;

	RT_TRY(call_store_read(rt_call_worker(call), &record->request.ledger_id,
			       &record->standing.payment_id, CALLS_MAX, arena,
			       rt_call_deadline_us(call), &calls, &reply->n_calls));
	reply->calls = rt_arena_array(arena, reply->n_calls,
				      sizeof(struct Daler__Payments__V1__ProviderCall *));
	for (size_t i = 0; reply->calls != NULL && i < reply->n_calls; i++)
		reply->calls[i] = map_call(&calls[i], arena);
	return arena->overflowed ? out_of_arena() : rt_ok();
}

static struct rt_status get_cancel(struct rt_call *call, const struct payment_record *record,
				   Daler__Payments__V1__GetPaymentResponse *reply)
{
	const struct payment_place place = {record->request.ledger_id, record->standing.payment_id};
	struct rt_arena *arena = rt_call_arena(call);
	struct payment_cancel cancel;

	RT_TRY(cancel_store_read(rt_call_worker(call), &place, arena, rt_call_deadline_us(call),
				 &cancel));
	if (cancel.caller == NULL)
		return rt_ok();
	reply->cancel_request = rt_arena_alloc(arena, sizeof(*reply->cancel_request));
	if (reply->cancel_request == NULL)
		return out_of_arena();
	daler__payments__v1__cancel_request__init(reply->cancel_request);
	reply->cancel_request->caller = map_lent(cancel.caller);
	reply->cancel_request->create_time = map_time(cancel.create_us, arena);
	return rt_ok();
}

/* How we deal with connectors and ledgers, and who did what, is for our own people. */
static struct rt_status get_inside(struct rt_call *call, const struct payment_record *record,
				   const struct payment_event *events, size_t count,
				   Daler__Payments__V1__GetPaymentResponse *reply)
{
	if (rt_call_caller(call)->role == RT_ROLE_PLAYER)
		return rt_ok();
	RT_TRY(get_calls(call, record, reply));
	RT_TRY(get_cancel(call, record, reply));
	return posts_add(record, events, count, rt_call_arena(call), reply);
}

static struct rt_status get(struct rt_call *call, Daler__Payments__V1__GetPaymentResponse *reply)
{
	const Daler__Payments__V1__GetPaymentRequest *request = (const void *)rt_call_request(call);
	struct rt_arena *arena = rt_call_arena(call);
	struct rt_pg *pg = rt_call_worker(call);
	struct payment_record *record = rt_arena_alloc(arena, sizeof(*record));
	struct payment_event *events = NULL;
	struct rt_uuid payment_id;

	if (record == NULL)
		return out_of_arena();
	RT_TRY(rt_uuid_field("payment_id", request->payment_id, &payment_id));
	RT_TRY(payment_store_get(pg, &payment_id, arena, rt_call_deadline_us(call), record));
	if (!payments_may_read(rt_call_caller(call), record))
		return RT_FAIL(NOT_FOUND, "PAYMENT_NOT_FOUND", "there is no such payment");
	RT_TRY(payment_store_events(pg, record, EVENTS_MAX, arena, rt_call_deadline_us(call),
				    &events, &reply->n_events));
	RT_TRY(get_inside(call, record, events, reply->n_events, reply));
	reply->payment = map_record(record, arena);
	reply->events = rt_arena_array(arena, reply->n_events,
				       sizeof(struct Daler__Payments__V1__PaymentEvent *));
	if (reply->payment == NULL || reply->events == NULL)
		return out_of_arena();
	for (size_t i = 0; i < reply->n_events; i++) {
		reply->events[i] = map_event(&events[i], arena);
		if (reply->events[i] != NULL && rt_call_caller(call)->role != RT_ROLE_PLAYER)
			map_event_maker(&events[i], reply->events[i], arena);
		/* The payment was read before its events: it is as new as they are. */
		reply->payment->version = events[i].version;
		reply->payment->state = (Daler__Payments__V1__PaymentState)events[i].state;
		reply->payment->reason = reply->events[i] == NULL ? reply->payment->reason
								  : reply->events[i]->reason;
		if (reply->events[i] != NULL)
			reply->payment->update_time = reply->events[i]->create_time;
	}
	RT_TRY(refusals_add(call, record, &reply->payment, 1));
	return arena->overflowed ? out_of_arena() : rt_ok();
}

void payments_get_payment(struct rt_call *call)
{
	Daler__Payments__V1__GetPaymentResponse reply;
	daler__payments__v1__get_payment_response__init(&reply);
	struct rt_status status = get(call, &reply);

	rt_call_end(call, status, &reply.base);
}
