/* SetMarket, GetMarket, SetLimit, ListLimits and ListLimitChanges, on a worker's connection. */
#include <string.h>

#include "engine/limiting.h"
#include "rpc/map.h"
#include "rpc/map_limits.h"
#include "rpc/service.h"
#include "rt/money.h"
#include "rt/text.h"

#define COOLING_OFF_S_MAX    31536000
#define TIME_ZONE_BYTES_MAX  64
#define TIME_ZONE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-_/"
#define PAGE_DEFAULT         100
#define PAGE_MAX             1000

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the reply is too large");
}

static struct limit_author author_of(struct rt_call *call, const char *reason)
{
	const struct rt_caller *caller = rt_call_caller(call);

	return (struct limit_author){.identity = rt_identity_name(caller->identity),
				     .user_id = caller->user_id,
				     .reason = reason};
}

/* ---- the market ---- */

/* Names that depend on where the database runs are no zones of a market. */
static bool zone_is_local(const char *name)
{
	return strcmp(name, "localtime") == 0 || strncmp(name, "posix", 5) == 0;
}

static struct rt_status take_market(const Daler__Payments__V1__Market *asked,
				    struct limit_market *market)
{
	if (asked == NULL)
		return RT_BAD_FIELD("INVALID_FIELD", "market", "is required");
	RT_TRY(rt_uuid_field("market.ledger_id", asked->ledger_id, &market->ledger_id));
	RT_TRY(rt_ascii_field("market.time_zone", asked->time_zone, 1, TIME_ZONE_BYTES_MAX,
			      TIME_ZONE_CHARACTERS));
	if (zone_is_local(asked->time_zone))
		return RT_BAD_FIELD("INVALID_TIME_ZONE", "market.time_zone",
				    "is not a name of the IANA database");
	if (asked->week_start < 1 || asked->week_start > 7)
		return RT_BAD_FIELD("INVALID_FIELD", "market.week_start",
				    "must be 1 (Monday) to 7 (Sunday)");
	if (asked->cooling_off_s < 0 || asked->cooling_off_s > COOLING_OFF_S_MAX)
		return RT_BAD_FIELD("INVALID_FIELD", "market.cooling_off_s", "must be 0 to %d",
				    COOLING_OFF_S_MAX);
	market->time_zone = asked->time_zone;
	market->week_start = asked->week_start;
	market->cooling_off_s = asked->cooling_off_s;
	return rt_ok();
}

static struct rt_status set_market(struct rt_call *call,
				   Daler__Payments__V1__SetMarketResponse *reply)
{
	const Daler__Payments__V1__SetMarketRequest *request = (const void *)rt_call_request(call);
	struct limit_market market;

	RT_TRY(take_market(request->market, &market));
	RT_TRY(map_limit_reason(call, request->reason));
	const struct limit_author author = author_of(call, request->reason);

	RT_TRY(limiting_set_market(rt_call_worker(call), &market, &author, rt_call_arena(call),
				   rt_call_deadline_us(call)));
	reply->market = map_market(&market, rt_call_arena(call));
	return reply->market == NULL ? out_of_arena() : rt_ok();
}

void payments_set_market(struct rt_call *call)
{
	Daler__Payments__V1__SetMarketResponse reply;
	daler__payments__v1__set_market_response__init(&reply);
	struct rt_status status = set_market(call, &reply);

	rt_call_end(call, status, &reply.base);
}

static struct rt_status get_market(struct rt_call *call,
				   Daler__Payments__V1__GetMarketResponse *reply)
{
	const Daler__Payments__V1__GetMarketRequest *request = (const void *)rt_call_request(call);
	struct limit_market market;
	struct rt_uuid ledger_id;

	RT_TRY(rt_uuid_field("ledger_id", request->ledger_id, &ledger_id));
	RT_TRY(limit_store_market(rt_call_worker(call), &ledger_id, rt_call_arena(call),
				  rt_call_deadline_us(call), &market));
	reply->market = map_market(&market, rt_call_arena(call));
	return reply->market == NULL ? out_of_arena() : rt_ok();
}

void payments_get_market(struct rt_call *call)
{
	Daler__Payments__V1__GetMarketResponse reply;
	daler__payments__v1__get_market_response__init(&reply);
	struct rt_status status = get_market(call, &reply);

	rt_call_end(call, status, &reply.base);
}

/* ---- limits ---- */

static struct rt_status take_limit(const Daler__Payments__V1__SetLimitRequest *request,
				   struct limit_key *which, int64_t *wanted_minor)
{
	const struct rt_currency *currency = NULL;

	RT_TRY(rt_currency_field("currency", request->currency, &currency));
	memcpy(which->currency, currency->code, sizeof(which->currency));
	which->measure = (int)request->measure;
	which->period = (int)request->period;
	if (which->measure < 1 || which->measure > LIMIT_MEASURE_MAX)
		return RT_BAD_FIELD("INVALID_FIELD", "measure", "is not a measure of limits");
	if (which->period < 1 || which->period > LIMIT_PERIOD_MAX)
		return RT_BAD_FIELD("INVALID_FIELD", "period", "is not a period of limits");
	*wanted_minor = request->limit == NULL ? LIMIT_NONE : request->limit->amount_minor;
	if (request->limit != NULL && (*wanted_minor < 0 || *wanted_minor == LIMIT_NONE))
		return RT_BAD_FIELD("INVALID_AMOUNT", "limit.amount_minor",
				    "must be 0 or more, and less than 2^63 - 1");
	return rt_ok();
}

static struct rt_status set_limit(struct rt_call *call,
				  Daler__Payments__V1__SetLimitResponse *reply)
{
	const Daler__Payments__V1__SetLimitRequest *request = (const void *)rt_call_request(call);
	struct limit_person_key key;
	struct limit_key which = {.measure = 0};
	struct limit_view view;
	int64_t wanted_minor = 0;

	RT_TRY(map_person(call, request->ledger_id, request->person_id, &key));
	RT_TRY(take_limit(request, &which, &wanted_minor));
	RT_TRY(map_limit_reason(call, request->reason));
	const struct limit_author author = author_of(call, request->reason);

	RT_TRY(limiting_set(rt_call_worker(call), &key, &which, wanted_minor, &author,
			    rt_call_arena(call), rt_call_deadline_us(call), &view));
	reply->limit = map_limit(&key, &view, rt_call_arena(call));
	return reply->limit == NULL ? out_of_arena() : rt_ok();
}

void payments_set_limit(struct rt_call *call)
{
	Daler__Payments__V1__SetLimitResponse reply;
	daler__payments__v1__set_limit_response__init(&reply);
	struct rt_status status = set_limit(call, &reply);

	rt_call_end(call, status, &reply.base);
}

static struct rt_status list_limits(struct rt_call *call,
				    Daler__Payments__V1__ListLimitsResponse *reply)
{
	static const struct limit_key all = {.currency = ""};
	const Daler__Payments__V1__ListLimitsRequest *request = (const void *)rt_call_request(call);
	struct rt_arena *arena = rt_call_arena(call);
	struct limit_person_key key;
	struct limit_view *views = NULL;

	RT_TRY(map_person(call, request->ledger_id, request->person_id, &key));
	RT_TRY(limit_store_limits(rt_call_worker(call), &key, &all, arena,
				  rt_call_deadline_us(call), &views, &reply->n_limits));
	reply->limits = rt_arena_array(arena, reply->n_limits,
				       sizeof(struct Daler__Payments__V1__PersonLimit *));
	if (reply->limits == NULL)
		return out_of_arena();
	for (size_t i = 0; i < reply->n_limits; i++) {
		reply->limits[i] = map_limit(&key, &views[i], arena);
		if (reply->limits[i] == NULL)
			return out_of_arena();
	}
	return rt_ok();
}

void payments_list_limits(struct rt_call *call)
{
	Daler__Payments__V1__ListLimitsResponse reply;
	daler__payments__v1__list_limits_response__init(&reply);
	struct rt_status status = list_limits(call, &reply);

	rt_call_end(call, status, &reply.base);
}

/* ---- who changed what ---- */

static struct rt_status take_page(const Daler__Payments__V1__ListLimitChangesRequest *request,
				  struct rt_uuid *before, int64_t *page)
{
	memset(before->bytes, 0xff, sizeof(before->bytes));
	if (request->page_token[0] != '\0' && !rt_uuid_parse(request->page_token, before))
		return RT_BAD_FIELD("PAGE_TOKEN_INVALID", "page_token",
				    "is not one that this list gave");
	if (request->page_size < 0 || request->page_size > PAGE_MAX)
		return RT_BAD_FIELD("INVALID_FIELD", "page_size", "must be 0 to %d", PAGE_MAX);
	*page = request->page_size == 0 ? PAGE_DEFAULT : request->page_size;
	return rt_ok();
}

static struct rt_status take_subject(struct rt_call *call,
				     const Daler__Payments__V1__ListLimitChangesRequest *request,
				     struct limit_person_key *key)
{
	/* Without a person it is the market itself, which is not for players. */
	if (request->person_id[0] != '\0' || rt_call_caller(call)->role == RT_ROLE_PLAYER)
		return map_person(call, request->ledger_id, request->person_id, key);
	key->person_id = "";
	return rt_uuid_field("ledger_id", request->ledger_id, &key->ledger_id);
}

static struct rt_status list_changes(struct rt_call *call,
				     Daler__Payments__V1__ListLimitChangesResponse *reply)
{
	const Daler__Payments__V1__ListLimitChangesRequest *request =
		(const void *)rt_call_request(call);
	struct rt_arena *arena = rt_call_arena(call);
	struct limit_person_key key;
	struct limit_change *changes = NULL;
	struct rt_uuid before;
	size_t count = 0;
	int64_t page = 0;

	RT_TRY(take_subject(call, request, &key));
	RT_TRY(take_page(request, &before, &page));
	/* One more, to know whether there is a next page. */
	RT_TRY(limit_store_changes(rt_call_worker(call), &key, &before, page + 1, arena,
				   rt_call_deadline_us(call), &changes, &count));
	reply->n_changes = count > (size_t)page ? (size_t)page : count;
	reply->changes = rt_arena_array(arena, reply->n_changes,
					sizeof(struct Daler__Payments__V1__LimitChange *));
	if (reply->changes == NULL)
		return out_of_arena();
	for (size_t i = 0; i < reply->n_changes; i++) {
		reply->changes[i] = map_limit_change(&changes[i], arena);
		if (reply->changes[i] == NULL)
			return out_of_arena();
	}
	if (count > (size_t)page)
		reply->next_page_token = map_uuid(&changes[page - 1].change_id, arena);
	return arena->overflowed ? out_of_arena() : rt_ok();
}

void payments_list_limit_changes(struct rt_call *call)
{
	Daler__Payments__V1__ListLimitChangesResponse reply;
	daler__payments__v1__list_limit_changes_response__init(&reply);
	struct rt_status status = list_changes(call, &reply);

	rt_call_end(call, status, &reply.base);
}
