/* Decisions about limits; see limits.h. */
#include "domain/limits.h"

#include <string.h>

#include "rt/assert.h"
#include "rt/money.h"

static const struct limit_rule rules[PAYMENT_KIND_MAX + 1] = {
	[PAYMENT_DEPOSIT] = {.effect = LIMIT_TAKES, .measure = LIMIT_DEPOSITS},
	[PAYMENT_WAGER] = {.effect = LIMIT_TAKES, .measure = LIMIT_LOSSES},
	[PAYMENT_SETTLE] = {.effect = LIMIT_CORRECTS, .measure = LIMIT_LOSSES, .less = true},
	[PAYMENT_WAGER_ROLLBACK] = {.effect = LIMIT_CORRECTS,
				    .measure = LIMIT_LOSSES,
				    .less = true},
	[PAYMENT_SETTLE_ROLLBACK] = {.effect = LIMIT_CORRECTS, .measure = LIMIT_LOSSES},
};

struct limit_rule limit_rule_of(enum payment_kind kind)
{
	RT_ASSERT(kind > 0 && kind <= PAYMENT_KIND_MAX);
	return rules[kind];
}

enum limit_end limit_end_of(enum payment_kind kind, enum payment_state state)
{
	enum limit_effect effect = limit_rule_of(kind).effect;

	if (effect == LIMIT_TAKES && (state == PAYMENT_DECLINED || state == PAYMENT_CANCELED ||
				      state == PAYMENT_COMPENSATED))
		return LIMIT_GIVEN_BACK;
	if (effect == LIMIT_CORRECTS && state == PAYMENT_SUCCEEDED)
		return LIMIT_CORRECTED;
	return LIMIT_STAYS;
}

bool limit_reason(const char *reason)
{
	return strcmp(reason, LIMIT_EXCEEDED_REASON) == 0 ||
	       strcmp(reason, SELF_EXCLUDED_REASON) == 0 || strcmp(reason, TIMED_OUT_REASON) == 0;
}

bool limit_waits(const struct person_limit *limit, int64_t now_us)
{
	return limit->pending_us != LIMIT_NOT && now_us < limit->pending_us;
}

int64_t limit_effective(const struct person_limit *limit, int64_t now_us)
{
	bool raised = limit->pending_us != LIMIT_NOT && !limit_waits(limit, now_us);

	return raised ? limit->pending_minor : limit->limit_minor;
}

bool limit_set(struct person_limit *limit, int64_t wanted_minor, int64_t now_us,
	       int64_t cooling_off_us)
{
	struct person_limit before = *limit;
	int64_t current = limit_effective(limit, now_us);

	if (wanted_minor <= current) {
		*limit =
			(struct person_limit){.limit_minor = wanted_minor, .pending_us = LIMIT_NOT};
	} else {
		bool keeps_time =
			limit_waits(limit, now_us) && wanted_minor <= before.pending_minor;

		*limit = (struct person_limit){
			.limit_minor = current,
			.pending_minor = wanted_minor,
			.pending_us = keeps_time ? before.pending_us : now_us + cooling_off_us,
		};
	}
	return limit->limit_minor != before.limit_minor || limit->pending_us != before.pending_us ||
	       (limit->pending_us != LIMIT_NOT && limit->pending_minor != before.pending_minor);
}

int64_t limit_left(const struct limit_counter *counter)
{
	int64_t left = 0;

	if (counter->limit_minor == LIMIT_NONE && counter->used_minor <= 0)
		return LIMIT_NONE;
	if (!rt_money_sub(counter->limit_minor, counter->used_minor, &left))
		return LIMIT_NONE;
	return left < 0 ? 0 : left;
}

bool limit_take(struct limit_purse *purse, int64_t amount_minor, struct limit_refusal *refusal)
{
	bool fits = true;

	for (int period = LIMIT_MONTH; period >= LIMIT_DAY; period--) {
		const struct limit_counter *counter = &purse->periods[period];
		int64_t left = limit_left(counter);

		if (amount_minor <= left || (!fits && left >= refusal->left_minor))
			continue;
		refusal->period = period;
		refusal->limit_minor = counter->limit_minor;
		refusal->left_minor = left;
		fits = false;
	}
	for (int period = LIMIT_DAY; fits && period <= LIMIT_PERIOD_MAX; period++)
		purse->periods[period].used_minor += amount_minor;
	return fits;
}

const char *limit_restricted(const struct limit_restrictions *restrictions, int64_t now_us,
			     int64_t *until_us)
{
	if (restrictions->excluded_until_us != LIMIT_NOT) {
		*until_us = restrictions->excluded_until_us;
		return SELF_EXCLUDED_REASON;
	}
	if (restrictions->timed_out_until_us != LIMIT_NOT &&
	    now_us < restrictions->timed_out_until_us) {
		*until_us = restrictions->timed_out_until_us;
		return TIMED_OUT_REASON;
	}
	return NULL;
}

bool limit_may_lift(const struct limit_restrictions *restrictions, int64_t now_us)
{
	return restrictions->excluded_until_us != LIMIT_NOT &&
	       restrictions->excluded_until_us <= now_us;
}
