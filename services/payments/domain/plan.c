/* The plans by kind; see plan.h. */
#include "domain/plan.h"

#include "rt/assert.h"

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
