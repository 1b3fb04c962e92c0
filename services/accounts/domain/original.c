#include "domain/original.h"

#include "rt/assert.h"

enum decline_reason original_check(const struct original *original,
				   const struct rt_uuid *debit_account_id,
				   const struct rt_uuid *credit_account_id, int64_t amount_minor)
{
	if (!transfer_is_reversible(original->kind))
		return DECLINE_NOT_REVERSIBLE;
	if (!rt_uuid_equal(&original->credit_account_id, debit_account_id) ||
	    !rt_uuid_equal(&original->debit_account_id, credit_account_id))
		return DECLINE_REVERSAL_MISMATCH;
	if (amount_minor > original->moved_minor - original->reversed_minor)
		return DECLINE_REVERSAL_EXCEEDS_ORIGINAL;
	return DECLINE_NONE;
}

void original_reverse(struct original *original, int64_t amount_minor)
{
	RT_ASSERT(amount_minor > 0);
	RT_ASSERT(amount_minor <= original->moved_minor - original->reversed_minor);
	original->reversed_minor += amount_minor;
}
