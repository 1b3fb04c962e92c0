#include "domain/hold.h"

#include "rt/assert.h"

int64_t hold_remaining_minor(const struct hold *hold)
{
	return hold->state == HOLD_PENDING ? hold->amount_minor - hold->captured_minor : 0;
}

enum decline_reason hold_check_end(const struct hold *hold, const struct rt_uuid *debit_account_id,
				   const struct rt_uuid *credit_account_id, int64_t amount_minor)
{
	if (!rt_uuid_equal(&hold->debit_account_id, debit_account_id) ||
	    !rt_uuid_equal(&hold->credit_account_id, credit_account_id))
		return DECLINE_HOLD_MISMATCH;
	if (hold->state == HOLD_CAPTURED)
		return DECLINE_ALREADY_CAPTURED;
	if (hold->state == HOLD_RELEASED)
		return DECLINE_ALREADY_RELEASED;
	if (amount_minor > hold_remaining_minor(hold))
		return DECLINE_CAPTURE_EXCEEDS_HOLD;
	return DECLINE_NONE;
}

void hold_end(struct hold *hold, int64_t amount_minor)
{
	RT_ASSERT(hold->state == HOLD_PENDING);
	RT_ASSERT(amount_minor >= 0);
	RT_ASSERT(amount_minor <= hold_remaining_minor(hold));
	hold->captured_minor += amount_minor;
	hold->state = amount_minor > 0 ? HOLD_CAPTURED : HOLD_RELEASED;
}
