#include "domain/hold.h"

#include "rt/assert.h"

int64_t hold_remaining_minor(const struct hold *hold)
{
	return hold->state == HOLD_PENDING ? hold->amount_minor - hold->captured_minor : 0;
}

bool hold_is_due(const struct hold *hold, int64_t now_us)
{
	return hold->state == HOLD_PENDING && hold->expires_us != 0 && now_us >= hold->expires_us;
}

bool hold_is_between(const struct hold *hold, const struct rt_uuid *debit_account_id,
		     const struct rt_uuid *credit_account_id)
{
	return rt_uuid_equal(&hold->debit_account_id, debit_account_id) &&
	       rt_uuid_equal(&hold->credit_account_id, credit_account_id);
}

static enum decline_reason why_ended(const struct hold *hold, int64_t now_us)
{
	switch (hold->state) {
	case HOLD_PENDING:
		return hold_is_due(hold, now_us) ? DECLINE_HOLD_EXPIRED : DECLINE_NONE;
	case HOLD_CAPTURED:
		return DECLINE_ALREADY_CAPTURED;
	case HOLD_RELEASED:
		return DECLINE_ALREADY_RELEASED;
	case HOLD_EXPIRED:
		return DECLINE_HOLD_EXPIRED;
	}
	rt_assert_failed("a hold's state", __FILE__, __LINE__);
}

enum decline_reason hold_check(const struct hold *hold, const struct rt_uuid *debit_account_id,
			       const struct rt_uuid *credit_account_id, int64_t amount_minor,
			       int64_t now_us)
{
	if (!hold_is_between(hold, debit_account_id, credit_account_id))
		return DECLINE_HOLD_MISMATCH;
	enum decline_reason ended = why_ended(hold, now_us);
	if (ended != DECLINE_NONE)
		return ended;
	if (amount_minor > hold_remaining_minor(hold))
		return DECLINE_CAPTURE_EXCEEDS_HOLD;
	return DECLINE_NONE;
}

void hold_end(struct hold *hold, enum hold_state state)
{
	RT_ASSERT(hold->state == HOLD_PENDING);
	RT_ASSERT(state != HOLD_PENDING);
	hold->state = state;
	hold->expires_us = 0;
}

void hold_capture(struct hold *hold, int64_t amount_minor, bool keep_open)
{
	RT_ASSERT(amount_minor > 0);
	RT_ASSERT(amount_minor <= hold_remaining_minor(hold));
	hold->captured_minor += amount_minor;
	if (!keep_open || hold->captured_minor == hold->amount_minor)
		hold_end(hold, HOLD_CAPTURED);
}
