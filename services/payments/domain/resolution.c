#include "domain/resolution.h"

#include "rt/assert.h"

static struct saga_decision illegal(void)
{
	return (struct saga_decision){.legal = false};
}

static struct saga_decision enter(enum payment_state state, const char *reason,
				  enum saga_action action, const struct saga_step *step)
{
	RT_ASSERT(payment_edge_allowed(PAYMENT_MANUAL_REVIEW, state));
	return (struct saga_decision){.legal = true,
				      .change_count = 1,
				      .changes = {{state, reason}},
				      .action = action,
				      .step = step};
}

/* Whether the payment came to review after the other side was, or may have been, asked. */
static bool was_submitted(enum payment_state from)
{
	return from == PAYMENT_SUBMITTED || from == PAYMENT_REQUIRES_ACTION ||
	       from == PAYMENT_UNKNOWN || from == PAYMENT_SETTLING || from == PAYMENT_COMPENSATING;
}

/* Both sides are ledgers of ours: what the other one did is on record. */
static bool among_ledgers(const struct saga_plan *plan)
{
	return plan->submit != NULL && plan->submit->party == PARTY_REMOTE_LEDGER;
}

bool resolution_contradicts(const struct saga_plan *plan, enum payment_state from,
			    enum resolution_outcome outcome)
{
	return among_ledgers(plan) &&
	       from == (outcome == RESOLUTION_DONE ? PAYMENT_COMPENSATING : PAYMENT_SETTLING);
}

static struct saga_decision review_done(const struct saga_plan *plan, enum payment_state from)
{
	if (plan->settle == NULL || !was_submitted(from))
		return illegal();
	return enter(PAYMENT_SETTLING, RESOLUTION_REASON, SAGA_POST, plan->settle);
}

/* What was done is undone; nothing is skipped. What the connector took it gives back; where it
 * would not, the operator says that it was given back otherwise. */
static struct saga_decision review_not_done(const struct saga_plan *plan, enum payment_state from)
{
	if (from == PAYMENT_SETTLING && plan->undoes == UNDOES_SUBMIT)
		return enter(PAYMENT_COMPENSATING, GIVE_BACK_REASON, SAGA_ASK, plan->undo);
	if (from == PAYMENT_COMPENSATING && plan->undoes == UNDOES_SUBMIT)
		return enter(PAYMENT_COMPENSATED, RESOLUTION_REASON, SAGA_REST, NULL);
	if (was_submitted(from) && plan->undoes == UNDOES_PREPARE)
		return enter(PAYMENT_COMPENSATING, RESOLUTION_REASON, SAGA_POST, plan->undo);
	return enter(PAYMENT_DECLINED, RESOLUTION_REASON, SAGA_REST, NULL);
}

struct saga_decision resolution_decide(const struct saga_plan *plan, enum payment_state state,
				       enum payment_state from, enum resolution_outcome outcome)
{
	const enum saga_event_kind word =
		outcome == RESOLUTION_DONE ? SAGA_PROVIDER_SUCCEEDED : SAGA_PROVIDER_DECLINED;

	if (state == PAYMENT_UNKNOWN)
		return saga_decide(plan, state,
				   (struct saga_event){.kind = word, .reason = RESOLUTION_REASON});
	if (state != PAYMENT_MANUAL_REVIEW || resolution_contradicts(plan, from, outcome))
		return illegal();
	return outcome == RESOLUTION_DONE ? review_done(plan, from) : review_not_done(plan, from);
}

struct saga_decision resolution_ask_again(const struct saga_plan *plan, enum payment_state state,
					  enum payment_state from)
{
	if (state != PAYMENT_MANUAL_REVIEW || plan->submit == NULL ||
	    plan->submit->party != PARTY_PROVIDER ||
	    (from != PAYMENT_SUBMITTED && from != PAYMENT_UNKNOWN &&
	     from != PAYMENT_REQUIRES_ACTION))
		return illegal();
	return enter(PAYMENT_UNKNOWN, REASKED_REASON, SAGA_ASK, plan->submit);
}
