/* The plans by kind; see plan.h. */
#include "domain/plan.h"

#include <stdio.h>

#include "rt/assert.h"

/* A step's name and a number. */
#define TAKE_NAME_BYTES 64

static const struct saga_plan *const plans[PAYMENT_KIND_MAX + 1] = {
	[PAYMENT_DEPOSIT] = &payment_deposit_plan,
	[PAYMENT_WITHDRAWAL] = &payment_withdrawal_plan,
	[PAYMENT_TRANSFER] = &payment_transfer_plan,
	[PAYMENT_REMOTE_TRANSFER] = &payment_remote_transfer_plan,
	[PAYMENT_REFUND] = &payment_refund_plan,
	[PAYMENT_WAGER] = &payment_wager_plan,
	[PAYMENT_SETTLE] = &payment_settle_plan,
	[PAYMENT_WAGER_ROLLBACK] = &payment_wager_rollback_plan,
	[PAYMENT_SETTLE_ROLLBACK] = &payment_settle_rollback_plan,
};

const struct saga_plan *saga_plan_of(enum payment_kind kind)
{
	RT_ASSERT(kind >= PAYMENT_DEPOSIT && kind <= PAYMENT_KIND_MAX);
	return plans[kind];
}

struct rt_uuid ledger_transfer_id(const struct rt_uuid *payment_id, const char *name, uint32_t take)
{
	char taken_again[TAKE_NAME_BYTES];

	if (take == 0)
		return rt_uuid_derive(payment_id, name);
	int length = snprintf(taken_again, sizeof(taken_again), "%s again %u", name, take);

	RT_ASSERT(length > 0 && (size_t)length < sizeof(taken_again));
	return rt_uuid_derive(payment_id, taken_again);
}
