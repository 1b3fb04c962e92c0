#include "domain/reconcile.h"

#include <string.h>

#include "rt/assert.h"

/* What a payment in this state says of the other side. */
static enum reconcile_status word_of(const struct saga_plan *plan, enum payment_state state)
{
	switch (state) {
	case PAYMENT_SETTLING:
	case PAYMENT_SUCCEEDED:
	case PAYMENT_COMPENSATED:
	case PAYMENT_PARTLY_REFUNDED:
	case PAYMENT_REFUNDED:
		return RECONCILE_DONE;
	case PAYMENT_COMPENSATING:
		return plan->undoes == UNDOES_SUBMIT ? RECONCILE_DONE : RECONCILE_NOT_DONE;
	case PAYMENT_CREATED:
	case PAYMENT_HELD:
	case PAYMENT_DECLINED:
	case PAYMENT_CANCELED:
		return RECONCILE_NOT_DONE;
	case PAYMENT_NONE:
	case PAYMENT_SUBMITTED:
	case PAYMENT_REQUIRES_ACTION:
	case PAYMENT_UNKNOWN:
	case PAYMENT_MANUAL_REVIEW:
		return RECONCILE_UNCLEAR;
	}
	return RECONCILE_UNCLEAR;
}

static enum reconcile_difference compare_status(enum reconcile_status ours,
						enum reconcile_status theirs)
{
	if (ours == RECONCILE_UNCLEAR)
		return theirs == RECONCILE_UNCLEAR ? RECONCILE_SAME : RECONCILE_UNSETTLED;
	return ours == theirs ? RECONCILE_SAME : RECONCILE_STATUS;
}

enum reconcile_difference reconcile_compare(const struct reconcile_ours *ours,
					    const struct reconcile_theirs *theirs)
{
	RT_ASSERT(ours != NULL || theirs != NULL);
	if (ours == NULL)
		return RECONCILE_MISSING_HERE;
	const struct saga_plan *plan = saga_plan_of(ours->kind);
	enum reconcile_status word = word_of(plan, ours->state);

	if (theirs == NULL)
		return word == RECONCILE_DONE ? RECONCILE_MISSING_THERE : RECONCILE_SAME;
	if (plan->submit == NULL || theirs->operation != plan->submit->operation)
		return RECONCILE_OPERATION;
	if (strcmp(ours->currency, theirs->currency) != 0)
		return RECONCILE_CURRENCY;
	if (ours->amount_minor != theirs->amount_minor)
		return RECONCILE_AMOUNT;
	return compare_status(word, theirs->status);
}
