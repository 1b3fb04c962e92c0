#include "domain/reconcile.h"

#include <string.h>

#include "domain/resolution.h"
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

/* Whether their operation is another one than ours; else what the words about it come to. */
static enum reconcile_difference compare_content(const struct reconcile_ours *ours,
						 enum provider_operation operation,
						 enum reconcile_status word,
						 const struct reconcile_theirs *theirs)
{
	if (theirs->operation != operation)
		return RECONCILE_OPERATION;
	if (strcmp(ours->currency, theirs->currency) != 0)
		return RECONCILE_CURRENCY;
	if (ours->amount_minor != theirs->amount_minor)
		return RECONCILE_AMOUNT;
	return compare_status(word, theirs->status);
}

/* What a payment in this state says of its being given back. */
static enum reconcile_status word_of_undo(enum payment_state state)
{
	if (state == PAYMENT_COMPENSATED)
		return RECONCILE_DONE;
	return state == PAYMENT_COMPENSATING || state == PAYMENT_MANUAL_REVIEW ? RECONCILE_UNCLEAR
									       : RECONCILE_NOT_DONE;
}

enum reconcile_difference reconcile_compare_undo(const struct reconcile_ours *ours,
						 const struct reconcile_theirs *theirs)
{
	const struct saga_step *undo = saga_plan_of(ours->kind)->undo;
	enum reconcile_status word = word_of_undo(ours->state);

	RT_ASSERT(undo != NULL && undo->party == PARTY_PROVIDER);
	if (theirs == NULL)
		return word == RECONCILE_DONE && strcmp(ours->reason, RESOLUTION_REASON) != 0
			       ? RECONCILE_MISSING_THERE
			       : RECONCILE_SAME;
	return compare_content(ours, undo->operation, word, theirs);
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
	if (plan->submit == NULL)
		return RECONCILE_OPERATION;
	return compare_content(ours, plan->submit->operation, word, theirs);
}
