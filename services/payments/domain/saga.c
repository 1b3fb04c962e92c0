/* The machine; see saga.h. One function a state, so that a state's whole behaviour can be read in
 * one place. */
#include "domain/saga.h"

#include <string.h>

#include "rt/assert.h"

#define NO_REASON          ""
/* After what is no progress but no silence either, the pause is as after this many attempts at
 * most.
 */
#define HEARD_ATTEMPTS_MAX 4

static struct saga_decision illegal(void)
{
	return (struct saga_decision){.legal = false};
}

/* Nothing to write; act. */
static struct saga_decision act(enum saga_action action, const struct saga_step *step, bool pause)
{
	return (struct saga_decision){
		.legal = true, .action = action, .step = step, .pause = pause};
}

/* What doing a step means. */
static enum saga_action doing(const struct saga_step *step)
{
	return step->party == PARTY_PROVIDER ? SAGA_SUBMIT : SAGA_POST;
}

/* Enters one state, then acts. */
static struct saga_decision enter(enum payment_state state, const char *reason,
				  enum saga_action action, const struct saga_step *step)
{
	return (struct saga_decision){.legal = true,
				      .change_count = 1,
				      .changes = {{state, reason}},
				      .action = action,
				      .step = step};
}

static struct saga_decision rest(enum payment_state state, const char *reason)
{
	return enter(state, reason, SAGA_REST, NULL);
}

static struct saga_decision enter_and_do(enum payment_state state, const char *reason,
					 const struct saga_step *step)
{
	return enter(state, reason, doing(step), step);
}

static struct saga_decision review(struct saga_event event)
{
	return rest(PAYMENT_MANUAL_REVIEW, event.reason);
}

/* It will not be carried out: undo what was prepared, or be done. */
static struct saga_decision give_up(const struct saga_plan *plan, enum payment_state end,
				    const char *reason)
{
	if (plan->undoes == UNDOES_PREPARE)
		return enter_and_do(PAYMENT_COMPENSATING, reason, plan->undo);
	return rest(end, reason);
}

/* Prepared: on to the other side, or back when it was called off meanwhile. */
static struct saga_decision prepared(const struct saga_plan *plan, struct saga_event event)
{
	if (plan->submit == NULL)
		return rest(PAYMENT_SUCCEEDED, NO_REASON);
	struct saga_decision decision =
		event.canceled ? enter_and_do(PAYMENT_HELD, NO_REASON, plan->undo)
			       : enter_and_do(PAYMENT_HELD, NO_REASON, plan->submit);

	decision.changes[decision.change_count++] =
		event.canceled ? (struct saga_change){PAYMENT_COMPENSATING, SAGA_REASON_CANCELED}
			       : (struct saga_change){PAYMENT_SUBMITTED, NO_REASON};
	return decision;
}

static struct saga_decision in_created(const struct saga_plan *plan, struct saga_event event)
{
	if (event.kind == SAGA_REFUSED_AT_ONCE)
		return rest(PAYMENT_DECLINED, event.reason);
	if (event.kind == SAGA_NOTHING_TO_DO)
		return rest(PAYMENT_SUCCEEDED, event.reason);
	if (event.kind == SAGA_BEGIN && plan->prepare == NULL)
		return enter_and_do(PAYMENT_SUBMITTED, NO_REASON, plan->submit);
	if (plan->prepare == NULL)
		return illegal();
	if (event.kind == SAGA_BEGIN || event.kind == SAGA_LEDGER_SILENT)
		return act(SAGA_POST, plan->prepare, event.kind == SAGA_LEDGER_SILENT);
	if (event.kind == SAGA_LEDGER_DECLINED)
		return rest(PAYMENT_DECLINED, event.reason);
	if (event.kind == SAGA_LEDGER_CONFLICT)
		return review(event);
	return event.kind == SAGA_LEDGER_POSTED ? prepared(plan, event) : illegal();
}

static struct saga_decision in_held(const struct saga_plan *plan, struct saga_event event)
{
	if (event.kind != SAGA_BEGIN)
		return illegal();
	if (event.canceled)
		return enter_and_do(PAYMENT_COMPENSATING, SAGA_REASON_CANCELED, plan->undo);
	return enter_and_do(PAYMENT_SUBMITTED, NO_REASON, plan->submit);
}

static struct saga_decision wait_for_person(const struct saga_plan *plan)
{
	struct saga_decision decision =
		enter(PAYMENT_REQUIRES_ACTION, NO_REASON, SAGA_ASK, plan->submit);

	decision.pause = true;
	return decision;
}

/* The other side is a ledger: what it says is final, and its silence is tried again. */
static struct saga_decision submitted_to_ledger(const struct saga_plan *plan,
						struct saga_event event)
{
	if (event.kind == SAGA_BEGIN || event.kind == SAGA_LEDGER_SILENT)
		return act(SAGA_POST, plan->submit, event.kind == SAGA_LEDGER_SILENT);
	if (event.kind == SAGA_LEDGER_POSTED)
		return enter_and_do(PAYMENT_SETTLING, NO_REASON, plan->settle);
	if (event.kind == SAGA_LEDGER_DECLINED)
		return give_up(plan, PAYMENT_DECLINED, event.reason);
	return event.kind == SAGA_LEDGER_CONFLICT ? review(event) : illegal();
}

/* What the connector says for good means the same whether we waited for it or had to ask. */
static struct saga_decision provider_final(const struct saga_plan *plan, struct saga_event event)
{
	if (event.kind == SAGA_PROVIDER_SUCCEEDED)
		return enter_and_do(PAYMENT_SETTLING, NO_REASON, plan->settle);
	if (event.kind == SAGA_PROVIDER_DECLINED)
		return give_up(plan, PAYMENT_DECLINED, event.reason);
	if (event.kind == SAGA_PROVIDER_CANCELED)
		return give_up(plan, PAYMENT_CANCELED, SAGA_REASON_CANCELED);
	return event.kind == SAGA_PROVIDER_CONFLICT ? review(event) : illegal();
}

static struct saga_decision in_submitted(const struct saga_plan *plan, struct saga_event event)
{
	if (plan->submit->party != PARTY_PROVIDER)
		return submitted_to_ledger(plan, event);
	/* Taken over: whoever had it may have submitted it, so ask first. */
	if (event.kind == SAGA_BEGIN)
		return act(SAGA_ASK, plan->submit, false);
	if (event.kind == SAGA_PROVIDER_PENDING)
		return act(SAGA_ASK, plan->submit, true);
	if (event.kind == SAGA_PROVIDER_AUTHORIZED)
		return act(SAGA_CAPTURE, plan->submit, false);
	if (event.kind == SAGA_PROVIDER_ACTION)
		return wait_for_person(plan);
	if (event.kind == SAGA_PROVIDER_ABSENT)
		return act(SAGA_SUBMIT, plan->submit, true);
	if (event.kind == SAGA_PROVIDER_SILENT)
		return enter(PAYMENT_UNKNOWN, event.reason, SAGA_ASK, plan->submit);
	return provider_final(plan, event);
}

/* It waits for the person; the connector tells, or is asked now and then. */
static struct saga_decision in_requires_action(const struct saga_plan *plan,
					       struct saga_event event)
{
	struct saga_decision decision;

	switch ((int)event.kind) {
	case SAGA_BEGIN:
		return act(SAGA_ASK, plan->submit, false);
	case SAGA_PROVIDER_ACTION:
	case SAGA_PROVIDER_SILENT:
		return act(SAGA_ASK, plan->submit, true);
	case SAGA_CANCEL_ASKED:
		return act(SAGA_CANCEL, plan->submit, false);
	case SAGA_PROVIDER_AUTHORIZED:
		return enter(PAYMENT_SUBMITTED, NO_REASON, SAGA_CAPTURE, plan->submit);
	case SAGA_PROVIDER_PENDING:
	case SAGA_PROVIDER_ABSENT:
		decision = enter(PAYMENT_SUBMITTED, NO_REASON,
				 event.kind == SAGA_PROVIDER_PENDING ? SAGA_ASK : SAGA_SUBMIT,
				 plan->submit);
		decision.pause = true;
		return decision;
	default:
		return provider_final(plan, event);
	}
}

static struct saga_decision in_unknown(const struct saga_plan *plan, struct saga_event event)
{
	if (event.kind == SAGA_BEGIN)
		return act(SAGA_ASK, plan->submit, false);
	if (event.kind == SAGA_PROVIDER_PENDING || event.kind == SAGA_PROVIDER_SILENT)
		return act(SAGA_ASK, plan->submit, true);
	if (event.kind == SAGA_PROVIDER_ACTION)
		return wait_for_person(plan);
	/* It was ordered before, and that did not help: not without a pause, for whoever refuses it
	 * would be ordered and asked in turns as fast as it answers. */
	if (event.kind == SAGA_PROVIDER_ABSENT || event.kind == SAGA_PROVIDER_AUTHORIZED) {
		struct saga_decision decision =
			enter(PAYMENT_SUBMITTED, NO_REASON,
			      event.kind == SAGA_PROVIDER_ABSENT ? SAGA_SUBMIT : SAGA_CAPTURE,
			      plan->submit);

		decision.pause = true;
		return decision;
	}
	return provider_final(plan, event);
}

/* The ledger follows what the other side did. */
static struct saga_decision in_settling(const struct saga_plan *plan, struct saga_event event)
{
	if (event.kind == SAGA_BEGIN || event.kind == SAGA_LEDGER_SILENT)
		return act(SAGA_POST, plan->settle, event.kind == SAGA_LEDGER_SILENT);
	if (event.kind == SAGA_LEDGER_POSTED)
		return rest(PAYMENT_SUCCEEDED, event.anew ? SAGA_REASON_ANEW : NO_REASON);
	if (event.kind == SAGA_LEDGER_DECLINED && event.again)
		return act(SAGA_POST, plan->settle, false);
	if (event.kind == SAGA_LEDGER_DECLINED && plan->undoes == UNDOES_SUBMIT)
		return enter_and_do(PAYMENT_COMPENSATING, event.reason, plan->undo);
	return event.kind == SAGA_LEDGER_DECLINED || event.kind == SAGA_LEDGER_CONFLICT
		       ? review(event)
		       : illegal();
}

/* What was held is let go; the payment keeps the reason for which it is. */
static struct saga_decision undoing_in_ledger(const struct saga_plan *plan, struct saga_event event)
{
	if (event.kind == SAGA_BEGIN || event.kind == SAGA_LEDGER_SILENT)
		return act(SAGA_POST, plan->undo, event.kind == SAGA_LEDGER_SILENT);
	if (event.kind == SAGA_LEDGER_POSTED)
		return rest(event.canceled ? PAYMENT_CANCELED : PAYMENT_DECLINED, NULL);
	if (event.kind == SAGA_LEDGER_DECLINED && event.again)
		return act(SAGA_POST, plan->undo, false);
	return event.kind == SAGA_LEDGER_DECLINED || event.kind == SAGA_LEDGER_CONFLICT
		       ? review(event)
		       : illegal();
}

/* What the connector did is given back, by as many tries as it takes. */
static struct saga_decision undoing_at_provider(const struct saga_plan *plan,
						struct saga_event event)
{
	if (event.kind == SAGA_BEGIN)
		return act(SAGA_ASK, plan->undo, false);
	if (event.kind == SAGA_PROVIDER_PENDING || event.kind == SAGA_PROVIDER_SILENT)
		return act(SAGA_ASK, plan->undo, true);
	if (event.kind == SAGA_PROVIDER_ABSENT)
		return act(SAGA_SUBMIT, plan->undo, true);
	if (event.kind == SAGA_PROVIDER_SUCCEEDED)
		return rest(PAYMENT_COMPENSATED, NULL);
	return event.kind == SAGA_PROVIDER_DECLINED || event.kind == SAGA_PROVIDER_CONFLICT
		       ? review(event)
		       : illegal();
}

static struct saga_decision in_compensating(const struct saga_plan *plan, struct saga_event event)
{
	return plan->undo->party == PARTY_PROVIDER ? undoing_at_provider(plan, event)
						   : undoing_in_ledger(plan, event);
}

static bool asks_provider(const struct saga_plan *plan)
{
	return plan->submit != NULL && plan->submit->party == PARTY_PROVIDER;
}

static struct saga_decision decide(const struct saga_plan *plan, enum payment_state state,
				   struct saga_event event)
{
	switch (state) {
	case PAYMENT_CREATED:
		return in_created(plan, event);
	case PAYMENT_HELD:
		return plan->undoes == UNDOES_PREPARE ? in_held(plan, event) : illegal();
	case PAYMENT_SUBMITTED:
		return plan->submit != NULL ? in_submitted(plan, event) : illegal();
	case PAYMENT_REQUIRES_ACTION:
		return asks_provider(plan) ? in_requires_action(plan, event) : illegal();
	case PAYMENT_UNKNOWN:
		return asks_provider(plan) ? in_unknown(plan, event) : illegal();
	case PAYMENT_SETTLING:
		return plan->settle != NULL ? in_settling(plan, event) : illegal();
	case PAYMENT_COMPENSATING:
		return plan->undo != NULL ? in_compensating(plan, event) : illegal();
	case PAYMENT_NONE:
	case PAYMENT_SUCCEEDED:
	case PAYMENT_DECLINED:
	case PAYMENT_MANUAL_REVIEW:
	case PAYMENT_CANCELED:
	case PAYMENT_COMPENSATED:
	case PAYMENT_PARTLY_REFUNDED:
	case PAYMENT_REFUNDED:
		return illegal();
	}
	return illegal();
}

struct saga_decision saga_decide(const struct saga_plan *plan, enum payment_state state,
				 struct saga_event event)
{
	struct saga_decision decision = decide(plan, state, event);
	enum payment_state at = state;

	for (size_t i = 0; i < decision.change_count; i++) {
		RT_ASSERT(payment_edge_allowed(at, decision.changes[i].state));
		at = decision.changes[i].state;
	}
	RT_ASSERT(!decision.legal || decision.action != SAGA_REST || !payment_state_open(at));
	return decision;
}

/* Who says that it never had the operation is back. What is to be called off, or captured, may be
 * asked about and ordered in turns for long: that is no progress. */
uint32_t saga_attempts_after(uint32_t attempts, enum saga_event_kind kind)
{
	switch ((int)kind) {
	case SAGA_PROVIDER_ABSENT:
	case SAGA_CANCEL_ASKED:
		return attempts < HEARD_ATTEMPTS_MAX ? attempts : HEARD_ATTEMPTS_MAX;
	case SAGA_PROVIDER_AUTHORIZED:
		return attempts;
	case SAGA_LEDGER_SILENT:
	case SAGA_PROVIDER_SILENT:
	case SAGA_PROVIDER_PENDING:
	case SAGA_PROVIDER_ACTION:
		return attempts + 1;
	default:
		return 0;
	}
}

bool saga_cancelable(const struct saga_plan *plan, enum payment_state state)
{
	return state == PAYMENT_REQUIRES_ACTION || state == PAYMENT_HELD ||
	       (state == PAYMENT_CREATED && plan->submit != NULL);
}

bool saga_canceling(const struct saga_plan *plan, const struct payment_standing *standing)
{
	return saga_cancelable(plan, standing->state) ||
	       (standing->state == PAYMENT_COMPENSATING &&
		strcmp(standing->reason, SAGA_REASON_CANCELED) == 0);
}
