/* GetPayment and ListPayments: reads, on a worker's connection. */
#include <string.h>

#include "rpc/map.h"
#include "rpc/service.h"
#include "store/limit_store.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000

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
static bool may_read(const struct rt_caller *caller, const struct payment_record *record)
{
	char own[PAYMENT_CALLER_BYTES];

	if (caller->role != RT_ROLE_PLAYER)
		return true;
	map_caller(caller, own);
	return strcmp(own, record->caller) == 0;
}

/* Says of payments that limits have declined why. */
static struct rt_status add_refusals(struct rt_call *call, const struct payment_record *records,
				     Daler__Payments__V1__Payment **payments, size_t count)
{
	struct rt_arena *arena = rt_call_arena(call);
	struct limit_refusal *refusals = rt_arena_array(arena, count, sizeof(*refusals));
	struct limit_refusal_of *wanted = rt_arena_array(arena, count, sizeof(*wanted));
	size_t found = 0;

	if (refusals == NULL || wanted == NULL)
		return out_of_arena();
	for (size_t i = 0; i < count; i++) {
		if (limit_reason(records[i].standing.reason))
			wanted[found++] = (struct limit_refusal_of){records[i].request.ledger_id,
								    records[i].standing.payment_id,
								    &refusals[i]};
	}
	if (found == 0)
		return rt_ok();
	RT_TRY(limit_store_refusals(rt_call_worker(call), wanted, found, arena,
				    rt_call_deadline_us(call)));
	for (size_t i = 0; i < count; i++) {
		if (!map_refusal(payments[i], &records[i].standing, &refusals[i], arena))
			return out_of_arena();
	}
	return rt_ok();
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
	if (!may_read(rt_call_caller(call), record))
		return RT_FAIL(NOT_FOUND, "PAYMENT_NOT_FOUND", "there is no such payment");
	RT_TRY(payment_store_events(pg, record, arena, rt_call_deadline_us(call), &events,
				    &reply->n_events));
	reply->payment = map_payment(&record->request, &record->standing, arena);
	reply->events = rt_arena_array(arena, reply->n_events,
				       sizeof(struct Daler__Payments__V1__PaymentEvent *));
	if (reply->payment == NULL || reply->events == NULL)
		return out_of_arena();
	for (size_t i = 0; i < reply->n_events; i++) {
		reply->events[i] = map_event(&events[i], arena);
		/* The payment was read before its events: it is as new as they are. */
		reply->payment->version = events[i].version;
		reply->payment->state = (Daler__Payments__V1__PaymentState)events[i].state;
		reply->payment->reason = reply->events[i] == NULL ? reply->payment->reason
								  : reply->events[i]->reason;
		if (reply->events[i] != NULL)
			reply->payment->update_time = reply->events[i]->create_time;
	}
	RT_TRY(add_refusals(call, record, &reply->payment, 1));
	return arena->overflowed ? out_of_arena() : rt_ok();
}

void payments_get_payment(struct rt_call *call)
{
	Daler__Payments__V1__GetPaymentResponse reply;
	daler__payments__v1__get_payment_response__init(&reply);
	struct rt_status status = get(call, &reply);

	rt_call_end(call, status, &reply.base);
}

static struct rt_status read_filter(struct rt_call *call,
				    const Daler__Payments__V1__ListPaymentsRequest *request,
				    struct payment_filter *filter)
{
	static const uint8_t highest = 0xff;
	const struct rt_caller *caller = rt_call_caller(call);

	RT_TRY(rt_uuid_field("ledger_id", request->ledger_id, &filter->ledger_id));
	if (request->state != 0 && !payment_state_valid((int)request->state))
		return RT_BAD_FIELD("INVALID_FIELD", "state", "is not a state of payments");
	if (request->page_size < 0 || request->page_size > PAGE_MAX)
		return RT_BAD_FIELD("INVALID_FIELD", "page_size", "must be 0 to %d", PAGE_MAX);
	filter->state = (int)request->state;
	filter->limit = request->page_size == 0 ? PAGE_DEFAULT : request->page_size;
	if (caller->role == RT_ROLE_PLAYER) {
		char *own = rt_arena_alloc(rt_call_arena(call), PAYMENT_CALLER_BYTES);

		if (own == NULL)
			return out_of_arena();
		map_caller(caller, own);
		filter->caller = own;
	}
	memset(filter->before.bytes, highest, sizeof(filter->before.bytes));
	if (request->page_token[0] != '\0')
		return map_page_token_read(filter, request->page_token, &filter->before);
	return rt_ok();
}

static struct rt_status list(struct rt_call *call, Daler__Payments__V1__ListPaymentsResponse *reply)
{
	const Daler__Payments__V1__ListPaymentsRequest *request =
		(const void *)rt_call_request(call);
	struct rt_arena *arena = rt_call_arena(call);
	struct payment_filter filter = {0};
	struct payment_record *records = NULL;
	size_t count = 0;

	RT_TRY(read_filter(call, request, &filter));
	int64_t page = filter.limit++; /* one more, to know whether there is a next page */

	RT_TRY(payment_store_list(rt_call_worker(call), &filter, arena, rt_call_deadline_us(call),
				  &records, &count));
	reply->n_payments = count > (size_t)page ? (size_t)page : count;
	reply->payments = rt_arena_array(arena, reply->n_payments,
					 sizeof(struct Daler__Payments__V1__Payment *));
	if (reply->payments == NULL)
		return out_of_arena();
	for (size_t i = 0; i < reply->n_payments; i++) {
		reply->payments[i] = map_payment(&records[i].request, &records[i].standing, arena);
		if (reply->payments[i] == NULL)
			return out_of_arena();
	}
	RT_TRY(add_refusals(call, records, reply->payments, reply->n_payments));
	if (count > (size_t)page) {
		reply->next_page_token = rt_arena_alloc(arena, MAP_PAGE_TOKEN_BYTES);
		if (reply->next_page_token == NULL)
			return out_of_arena();
		map_page_token(&filter, &records[page - 1].standing.payment_id,
			       reply->next_page_token);
	}
	return rt_ok();
}

void payments_list_payments(struct rt_call *call)
{
	Daler__Payments__V1__ListPaymentsResponse reply;
	daler__payments__v1__list_payments_response__init(&reply);
	struct rt_status status = list(call, &reply);

	rt_call_end(call, status, &reply.base);
}
