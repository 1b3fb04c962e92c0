/* The machine; see saga.h. One function a state, so that a state's whole behaviour can be read in
 * one place. */
#include "domain/saga.h"

#include "rt/assert.h"

#define NO_REASON ""

static const struct saga_plan *const plans[PAYMENT_KIND_MAX + 1] = {
	[PAYMENT_DEPOSIT] = &payment_deposit_plan,
	[PAYMENT_WITHDRAWAL] = &payment_withdrawal_plan,
	[PAYMENT_TRANSFER] = &payment_transfer_plan,
};

const struct saga_plan *saga_plan_of(enum payment_kind kind)
{
	RT_ASSERT(kind >= PAYMENT_DEPOSIT && kind <= PAYMENT_KIND_MAX);
	return plans[kind];
}

static struct saga_decision illegal(void)
{
	return (struct saga_decision){.legal = false};
}

/* Nothing to write; act. */
static struct saga_decision act(enum saga_action action, bool pause)
{
	return (struct saga_decision){.legal = true, .action = action, .pause = pause};
}

static struct saga_decision post(const struct ledger_step *step, bool pause)
{
	return (struct saga_decision){
		.legal = true, .action = SAGA_POST, .step = step, .pause = pause};
}

/* Enters one state, then acts. */
static struct saga_decision enter(enum payment_state state, const char *reason,
				  enum saga_action action)
{
	return (struct saga_decision){
		.legal = true, .change_count = 1, .changes = {{state, reason}}, .action = action};
}

static struct saga_decision enter_and_post(enum payment_state state, const char *reason,
					   const struct ledger_step *step)
{
	struct saga_decision decision = enter(state, reason, SAGA_POST);

	decision.step = step;
	return decision;
}

/* The connector said no: undo what was prepared, or be done. */
static struct saga_decision declined(const struct saga_plan *plan, const char *reason)
{
	if (plan->release != NULL)
		return enter_and_post(PAYMENT_RELEASING, reason, plan->release);
	return enter(PAYMENT_DECLINED, reason, SAGA_REST);
}

static struct saga_decision in_created(const struct saga_plan *plan, struct saga_event event)
{
	if (event.kind == SAGA_REFUSED_AT_ONCE)
		return enter(PAYMENT_DECLINED, event.reason, SAGA_REST);
	if (event.kind == SAGA_BEGIN && plan->prepare == NULL)
		return enter(PAYMENT_SUBMITTED, NO_REASON, SAGA_SUBMIT);
	if (plan->prepare == NULL)
		return illegal();
	if (event.kind == SAGA_BEGIN || event.kind == SAGA_LEDGER_SILENT)
		return post(plan->prepare, event.kind == SAGA_LEDGER_SILENT);
	if (event.kind == SAGA_LEDGER_DECLINED)
		return enter(PAYMENT_DECLINED, event.reason, SAGA_REST);
	if (event.kind == SAGA_LEDGER_CONFLICT)
		return enter(PAYMENT_MANUAL_REVIEW, event.reason, SAGA_REST);
	if (event.kind != SAGA_LEDGER_POSTED)
		return illegal();
	if (plan->operation == PROVIDER_NONE)
		return enter(PAYMENT_SUCCEEDED, NO_REASON, SAGA_REST);
	struct saga_decision decision = enter(PAYMENT_HELD, NO_REASON, SAGA_SUBMIT);

	decision.changes[decision.change_count++] =
		(struct saga_change){PAYMENT_SUBMITTED, NO_REASON};
	return decision;
}

static struct saga_decision in_held(struct saga_event event)
{
	if (event.kind == SAGA_BEGIN)
		return enter(PAYMENT_SUBMITTED, NO_REASON, SAGA_SUBMIT);
	return illegal();
}

/* What the connector says for good means the same whether we waited for it or had to ask. */
static struct saga_decision provider_final(const struct saga_plan *plan, struct saga_event event)
{
	if (event.kind == SAGA_PROVIDER_SUCCEEDED)
		return enter_and_post(PAYMENT_SETTLING, NO_REASON, plan->settle);
	if (event.kind == SAGA_PROVIDER_DECLINED)
		return declined(plan, event.reason);
	if (event.kind == SAGA_PROVIDER_CONFLICT)
		return enter(PAYMENT_MANUAL_REVIEW, event.reason, SAGA_REST);
	return illegal();
}

static struct saga_decision in_submitted(const struct saga_plan *plan, struct saga_event event)
{
	/* Taken over: whoever had it may have submitted it, so ask first. */
	if (event.kind == SAGA_BEGIN)
		return act(SAGA_ASK, false);
	if (event.kind == SAGA_PROVIDER_PENDING)
		return act(SAGA_ASK, true);
	if (event.kind == SAGA_PROVIDER_ABSENT)
		return act(SAGA_SUBMIT, true);
	if (event.kind == SAGA_PROVIDER_SILENT)
		return enter(PAYMENT_UNKNOWN, event.reason, SAGA_ASK);
	return provider_final(plan, event);
}

static struct saga_decision in_unknown(const struct saga_plan *plan, struct saga_event event)
{
	if (event.kind == SAGA_BEGIN)
		return act(SAGA_ASK, false);
	if (event.kind == SAGA_PROVIDER_PENDING || event.kind == SAGA_PROVIDER_SILENT)
		return act(SAGA_ASK, true);
	if (event.kind == SAGA_PROVIDER_ABSENT) {
		struct saga_decision decision = enter(PAYMENT_SUBMITTED, NO_REASON, SAGA_SUBMIT);

		decision.pause = true;
		return decision;
	}
	return provider_final(plan, event);
}

/* The ledger follows what the connector said: `done` when it has. */
static struct saga_decision following(const struct ledger_step *step, struct saga_change done,
				      struct saga_event event)
{
	if (event.kind == SAGA_BEGIN || event.kind == SAGA_LEDGER_SILENT)
		return post(step, event.kind == SAGA_LEDGER_SILENT);
	if (event.kind == SAGA_LEDGER_POSTED)
		return enter(done.state, done.reason, SAGA_REST);
	if (event.kind == SAGA_LEDGER_DECLINED || event.kind == SAGA_LEDGER_CONFLICT)
		return enter(PAYMENT_MANUAL_REVIEW, event.reason, SAGA_REST);
	return illegal();
}

static struct saga_decision decide(const struct saga_plan *plan, enum payment_state state,
				   struct saga_event event)
{
	switch (state) {
	case PAYMENT_CREATED:
		return in_created(plan, event);
	case PAYMENT_HELD:
		return plan->prepare != NULL && plan->operation != PROVIDER_NONE ? in_held(event)
										 : illegal();
	case PAYMENT_SUBMITTED:
		return plan->operation != PROVIDER_NONE ? in_submitted(plan, event) : illegal();
	case PAYMENT_UNKNOWN:
		return plan->operation != PROVIDER_NONE ? in_unknown(plan, event) : illegal();
	case PAYMENT_SETTLING:
		if (plan->settle == NULL)
			return illegal();
		return following(plan->settle, (struct saga_change){PAYMENT_SUCCEEDED, NO_REASON},
				 event);
	case PAYMENT_RELEASING:
		if (plan->release == NULL)
			return illegal();
		/* The decline keeps the connector's reason. */
		return following(plan->release, (struct saga_change){PAYMENT_DECLINED, NULL},
				 event);
	case PAYMENT_NONE:
	case PAYMENT_SUCCEEDED:
	case PAYMENT_DECLINED:
	case PAYMENT_MANUAL_REVIEW:
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
