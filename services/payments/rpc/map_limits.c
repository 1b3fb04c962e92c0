/* Mapping of limits; see map_limits.h. */
#include "rpc/map_limits.h"

#include <string.h>

#include "domain/request.h"
#include "rpc/map.h"
#include "rt/clock.h"
#include "rt/text.h"

#define REASON_CHARACTERS_MAX 256
#define SECONDS_MAX           INT64_C(253402300799) /* the end of the year 9999 */
#define NANOS_MAX             999999999

struct rt_status map_person(struct rt_call *call, const char *ledger_id, const char *person_id,
			    struct limit_person_key *key)
{
	const struct rt_caller *caller = rt_call_caller(call);
	char own[PAYMENT_CALLER_BYTES];

	RT_TRY(rt_uuid_field("ledger_id", ledger_id, &key->ledger_id));
	RT_TRY(rt_ascii_field("person_id", person_id, 1, LIMIT_PERSON_BYTES - 1, NULL));
	RT_TRY(payment_name_check("person_id", person_id));
	key->person_id = person_id;
	map_caller(caller, own);
	if (caller->role == RT_ROLE_PLAYER && strcmp(own, person_id) != 0)
		return RT_FAIL(PERMISSION_DENIED, "PERSON_DENIED",
			       "a player may name only themselves");
	return rt_ok();
}

struct rt_status map_limit_reason(struct rt_call *call, const char *reason)
{
	bool player = rt_call_caller(call)->role == RT_ROLE_PLAYER;

	return rt_text_field("reason", reason, player ? 0 : 1, REASON_CHARACTERS_MAX);
}

struct rt_status map_moment(const char *field, const Google__Protobuf__Timestamp *time,
			    int64_t *wall_us)
{
	if (time == NULL)
		return RT_BAD_FIELD("INVALID_TIME", field, "is required");
	if (time->seconds < 0 || time->seconds > SECONDS_MAX || time->nanos < 0 ||
	    time->nanos > NANOS_MAX)
		return RT_BAD_FIELD("INVALID_TIME", field, "is not a time");
	*wall_us = time->seconds * RT_US_PER_S + time->nanos / 1000;
	return rt_ok();
}

Daler__Payments__V1__LimitAmount *map_limit_amount(int64_t amount_minor, struct rt_arena *arena)
{
	Daler__Payments__V1__LimitAmount *amount = rt_arena_alloc(arena, sizeof(*amount));

	if (amount == NULL)
		return NULL;
	daler__payments__v1__limit_amount__init(amount);
	amount->amount_minor = amount_minor;
	return amount;
}

/* NULL for none. */
static Daler__Payments__V1__LimitAmount *amount_or_none(int64_t amount_minor,
							struct rt_arena *arena)
{
	return amount_minor == LIMIT_NONE ? NULL : map_limit_amount(amount_minor, arena);
}

static Daler__Payments__V1__PendingLimit *pending(const struct person_limit *limit,
						  struct rt_arena *arena)
{
	Daler__Payments__V1__PendingLimit *message = rt_arena_alloc(arena, sizeof(*message));

	if (message == NULL)
		return NULL;
	daler__payments__v1__pending_limit__init(message);
	message->limit = amount_or_none(limit->pending_minor, arena);
	message->effective_time = map_time(limit->pending_us, arena);
	return message;
}

Daler__Payments__V1__PersonLimit *map_limit(const struct limit_person_key *key,
					    const struct limit_view *view, struct rt_arena *arena)
{
	Daler__Payments__V1__PersonLimit *message = rt_arena_alloc(arena, sizeof(*message));
	struct limit_counter counter = {limit_effective(&view->limit, view->now_us),
					view->used_minor};

	if (message == NULL)
		return NULL;
	daler__payments__v1__person_limit__init(message);
	message->ledger_id = map_uuid(&key->ledger_id, arena);
	message->person_id = map_lent(key->person_id);
	message->currency = rt_arena_strdup(arena, view->key.currency);
	message->measure = (Daler__Payments__V1__LimitMeasure)view->key.measure;
	message->period = (Daler__Payments__V1__LimitPeriod)view->key.period;
	message->limit = amount_or_none(counter.limit_minor, arena);
	message->used_minor = view->used_minor;
	message->left_minor = counter.limit_minor == LIMIT_NONE ? 0 : limit_left(&counter);
	message->period_start = map_time(view->start_us, arena);
	message->period_end = map_time(view->end_us, arena);
	if (limit_waits(&view->limit, view->now_us))
		message->pending = pending(&view->limit, arena);
	return arena->overflowed ? NULL : message;
}

Daler__Payments__V1__Market *map_market(const struct limit_market *market, struct rt_arena *arena)
{
	Daler__Payments__V1__Market *message = rt_arena_alloc(arena, sizeof(*message));

	if (message == NULL)
		return NULL;
	daler__payments__v1__market__init(message);
	message->ledger_id = map_uuid(&market->ledger_id, arena);
	message->time_zone = map_lent(market->time_zone);
	message->week_start = (int32_t)market->week_start;
	message->cooling_off_s = market->cooling_off_s;
	return arena->overflowed ? NULL : message;
}

/* NULL for ever. */
static Google__Protobuf__Timestamp *until(int64_t until_us, struct rt_arena *arena)
{
	return until_us == LIMIT_FOR_EVER ? NULL : map_time(until_us, arena);
}

Daler__Payments__V1__Restriction *map_restriction(Daler__Payments__V1__RestrictionKind kind,
						  int64_t until_us, struct rt_arena *arena)
{
	Daler__Payments__V1__Restriction *message = rt_arena_alloc(arena, sizeof(*message));

	if (message == NULL)
		return NULL;
	daler__payments__v1__restriction__init(message);
	message->kind = kind;
	message->until = until(until_us, arena);
	return arena->overflowed ? NULL : message;
}

static const char *const action_names[LIMIT_ACTION_MAX + 1] = {
	[LIMIT_ACTION_SET] = "SET_LIMIT",     [LIMIT_ACTION_EXCLUDE] = "SELF_EXCLUDE",
	[LIMIT_ACTION_TIME_OUT] = "TIME_OUT", [LIMIT_ACTION_LIFT] = "LIFT_SELF_EXCLUSION",
	[LIMIT_ACTION_MARKET] = "SET_MARKET",
};

Daler__Payments__V1__LimitChange *map_limit_change(const struct limit_change *change,
						   struct rt_arena *arena)
{
	Daler__Payments__V1__LimitChange *message = rt_arena_alloc(arena, sizeof(*message));

	if (message == NULL)
		return NULL;
	daler__payments__v1__limit_change__init(message);
	message->change_id = map_uuid(&change->change_id, arena);
	message->create_time = map_time(change->create_time_us, arena);
	message->action = map_lent(action_names[change->action]);
	message->currency = rt_arena_strdup(arena, change->key.currency);
	message->measure = (Daler__Payments__V1__LimitMeasure)change->key.measure;
	message->period = (Daler__Payments__V1__LimitPeriod)change->key.period;
	message->limit = amount_or_none(change->limit_minor, arena);
	message->effective_time = until(change->effective_us, arena);
	message->market = map_lent(change->market);
	message->identity = map_lent(change->identity);
	if (!rt_uuid_is_nil(&change->user_id))
		message->user_id = map_uuid(&change->user_id, arena);
	message->reason = map_lent(change->reason);
	return arena->overflowed ? NULL : message;
}

bool map_refusal(Daler__Payments__V1__Payment *payment, const struct payment_standing *standing,
		 const struct limit_refusal *refusal, struct rt_arena *arena)
{
	/* A ledger's limit has the same reason, and no refusal: every refusal says until when. */
	if (payment == NULL || !limit_reason(standing->reason) || refusal->until_us == 0)
		return payment != NULL;
	Daler__Payments__V1__LimitRefusal *message = rt_arena_alloc(arena, sizeof(*message));

	if (message == NULL)
		return false;
	daler__payments__v1__limit_refusal__init(message);
	message->measure = (Daler__Payments__V1__LimitMeasure)refusal->measure;
	message->period = (Daler__Payments__V1__LimitPeriod)refusal->period;
	message->limit_minor = refusal->limit_minor;
	message->left_minor = refusal->left_minor;
	message->until = until(refusal->until_us, arena);
	payment->limit_refusal = message;
	return !arena->overflowed;
}
