/* ListPayments: filters and pages, on a worker's connection. */
#include <string.h>

#include "domain/page.h"
#include "domain/request.h"
#include "rpc/map.h"
#include "rpc/refusals.h"
#include "rpc/service.h"
#include "rt/clock.h"
#include "rt/text.h"

/* How far the time in an id may be from the payment's: an id borrows from the time to come when a
 * clock was set back. */
#define ID_SLACK_US (3600 * RT_US_PER_S)

typedef Daler__Payments__V1__ListPaymentsRequest list_request;

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the reply is too large");
}

/* NULL for an empty text. */
static const char *given(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

/* The lowest id of a time. */
static struct rt_uuid id_at(int64_t wall_us)
{
	uint64_t ms = wall_us < 0 ? 0 : (uint64_t)(wall_us / RT_US_PER_MS);
	struct rt_uuid id = {0};

	for (size_t i = 0; i < 6; i++)
		id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
	return id;
}

static struct rt_status read_times(const list_request *request, struct payment_filter *filter)
{
	RT_TRY(map_moment_or("start_time", request->start_time, 0, &filter->start_us));
	RT_TRY(map_moment_or("end_time", request->end_time, INT64_MAX, &filter->end_us));
	if (filter->end_us <= filter->start_us)
		return RT_BAD_FIELD("INVALID_FIELD", "end_time", "must be after start_time");
	memset(filter->before.bytes, 0xff, sizeof(filter->before.bytes));
	if (request->start_time != NULL)
		filter->above = id_at(filter->start_us - ID_SLACK_US);
	if (request->end_time != NULL)
		filter->before = id_at(filter->end_us + ID_SLACK_US);
	return rt_ok();
}

static struct rt_status read_amounts(const list_request *request, struct payment_filter *filter)
{
	filter->amount_min = request->amount_minor_min;
	filter->amount_max = request->amount_minor_max == 0 ? INT64_MAX : request->amount_minor_max;
	filter->currency = given(request->currency);
	if (filter->amount_min < 0)
		return RT_BAD_FIELD("INVALID_AMOUNT", "amount_minor_min", "must not be negative");
	if (filter->amount_max < filter->amount_min)
		return RT_BAD_FIELD("INVALID_AMOUNT", "amount_minor_max",
				    "must not be below amount_minor_min");
	if (filter->currency == NULL && (filter->amount_min > 0 || filter->amount_max < INT64_MAX))
		return RT_BAD_FIELD("INVALID_CURRENCY", "currency", "is needed with an amount");
	return filter->currency == NULL ? rt_ok()
					: rt_ascii_field("currency", request->currency, 3, 3,
							 "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static struct rt_status read_texts(const list_request *request, struct payment_filter *filter)
{
	filter->caller = given(request->caller);
	filter->connector = given(request->connector);
	filter->reference = given(request->reference);
	RT_TRY(rt_text_field("caller", request->caller, 0, PAYMENT_CALLER_BYTES - 1));
	RT_TRY(payment_name_check("caller", request->caller));
	RT_TRY(rt_text_field("reference", request->reference, 0, 128));
	if (filter->connector != NULL)
		RT_TRY(payment_connector_check("connector", filter->connector));
	if (request->account_id[0] == '\0')
		return rt_ok();
	return rt_uuid_field("account_id", request->account_id, &filter->account_id);
}

/* A player's are always their own. */
static struct rt_status read_caller(struct rt_call *call, struct payment_filter *filter)
{
	const struct rt_caller *caller = rt_call_caller(call);
	char *own = NULL;

	if (caller->role != RT_ROLE_PLAYER)
		return rt_ok();
	own = rt_arena_alloc(rt_call_arena(call), PAYMENT_CALLER_BYTES);
	if (own == NULL)
		return out_of_arena();
	map_caller(caller, own);
	filter->caller = own;
	return rt_ok();
}

static void seal_text(struct rt_digest *digest, const char *text)
{
	rt_digest_text(digest, text == NULL ? "" : text);
}

static struct rt_page_seal seal_of(const struct payment_filter *filter)
{
	struct rt_digest digest = page_seal_begin("ListPayments");

	rt_digest_bytes(&digest, filter->ledger_id.bytes, sizeof(filter->ledger_id.bytes));
	rt_digest_bytes(&digest, filter->account_id.bytes, sizeof(filter->account_id.bytes));
	rt_digest_int(&digest, filter->state);
	rt_digest_int(&digest, filter->kind);
	rt_digest_int(&digest, filter->start_us);
	rt_digest_int(&digest, filter->end_us);
	rt_digest_int(&digest, filter->amount_min);
	rt_digest_int(&digest, filter->amount_max);
	seal_text(&digest, filter->caller);
	seal_text(&digest, filter->connector);
	seal_text(&digest, filter->reference);
	seal_text(&digest, filter->currency);
	return rt_page_seal_end(&digest);
}

static struct rt_status read_filter(struct rt_call *call, const list_request *request,
				    struct payment_filter *filter)
{
	size_t size = 0;

	RT_TRY(rt_uuid_field("ledger_id", request->ledger_id, &filter->ledger_id));
	if (request->state != 0 && !payment_state_valid((int)request->state))
		return RT_BAD_FIELD("INVALID_FIELD", "state", "is not a state of payments");
	if ((int)request->kind < 0 || (int)request->kind > PAYMENT_KIND_MAX)
		return RT_BAD_FIELD("INVALID_FIELD", "kind", "is not a kind of payment");
	RT_TRY(rt_page_size_check(request->page_size, &size));
	filter->state = (int)request->state;
	filter->kind = (int)request->kind;
	filter->limit = size;
	RT_TRY(read_times(request, filter));
	RT_TRY(read_amounts(request, filter));
	RT_TRY(read_texts(request, filter));
	return read_caller(call, filter);
}

static struct rt_status list(struct rt_call *call, Daler__Payments__V1__ListPaymentsResponse *reply)
{
	const list_request *request = (const void *)rt_call_request(call);
	struct rt_arena *arena = rt_call_arena(call);
	struct payment_filter filter = {0};
	struct page_place place = {0};
	struct payment_page found;

	RT_TRY(read_filter(call, request, &filter));
	struct rt_page_seal seal = seal_of(&filter);
	size_t page = filter.limit++; /* one more: is there a next page? */

	if (request->page_token[0] != '\0') {
		RT_TRY(page_token_read(&seal, "page_token", request->page_token, &place));
		filter.before = place.id;
	}
	RT_TRY(payment_store_list(rt_call_worker(call), &filter, arena, rt_call_deadline_us(call),
				  &found));
	reply->n_payments = found.count > page ? page : found.count;
	reply->payments = rt_arena_array(arena, reply->n_payments,
					 sizeof(struct Daler__Payments__V1__Payment *));
	for (size_t i = 0; reply->payments != NULL && i < reply->n_payments; i++)
		reply->payments[i] = map_record(&found.records[i], arena);
	if (arena->overflowed)
		return out_of_arena();
	RT_TRY(refusals_add(call, found.records, reply->payments, reply->n_payments));
	if (found.count > page || !found.whole) {
		place.id = found.count > page ? found.records[page - 1].standing.payment_id
					      : found.looked_to;
		reply->next_page_token = rt_arena_alloc(arena, PAGE_TOKEN_BYTES);
		if (reply->next_page_token != NULL)
			page_token_make(&seal, &place, reply->next_page_token);
	}
	return arena->overflowed ? out_of_arena() : rt_ok();
}

void payments_list_payments(struct rt_call *call)
{
	Daler__Payments__V1__ListPaymentsResponse reply;
	daler__payments__v1__list_payments_response__init(&reply);
	struct rt_status status = list(call, &reply);

	rt_call_end(call, status, &reply.base);
}
