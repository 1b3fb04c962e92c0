/* Refunds and rollbacks; see giveback.h. */
#include "domain/giveback.h"

#include <string.h>

#include "rt/assert.h"

static struct giveback decided(enum payment_kind kind, enum saga_event_kind event,
			       const char *reason)
{
	return (struct giveback){
		.answer = GIVEBACK_DECIDED,
		.decision = saga_decide(saga_plan_of(kind), PAYMENT_CREATED,
					(struct saga_event){.kind = event, .reason = reason}),
	};
}

static struct giveback no(enum payment_kind kind, const char *reason)
{
	return decided(kind, SAGA_REFUSED_AT_ONCE, reason);
}

static struct giveback nothing(enum payment_kind kind)
{
	return decided(kind, SAGA_NOTHING_TO_DO, "NOTHING_TO_ROLL_BACK");
}

static bool carried_out(enum payment_state state)
{
	return payment_state_class(state) == PAYMENT_CLASS_DONE;
}

static struct giveback decide_refund(const struct payment_request *request,
				     const struct payment_original *original)
{
	if (strcmp(request->currency, original->currency) != 0)
		return no(request->kind, "CURRENCY_MISMATCH");
	if (original->state != PAYMENT_REFUNDED && !carried_out(original->state))
		return no(request->kind, "PAYMENT_NOT_SUCCEEDED");
	if (request->amount_minor > original->amount_minor - original->claimed_minor)
		return no(request->kind, "REFUND_EXCEEDS_PAYMENT");
	return (struct giveback){.answer = GIVEBACK_CLAIM};
}

/* Nothing else is rolled back: least of all a rollback, which would pay its original's amount
 * again.
 */
static enum payment_kind rolled_back_by(enum payment_kind rollback)
{
	return rollback == PAYMENT_SETTLE_ROLLBACK ? PAYMENT_SETTLE : PAYMENT_WAGER;
}

static bool same_content(const struct payment_request *request,
			 const struct payment_original *original)
{
	return original->kind == rolled_back_by(request->kind) &&
	       request->amount_minor == original->amount_minor &&
	       strcmp(request->currency, original->currency) == 0 &&
	       strcmp(request->round_id, original->round_id) == 0 &&
	       rt_uuid_equal(&request->account_id, &original->account_id) &&
	       rt_uuid_equal(&request->counter_id, &original->counter_id);
}

static struct giveback decide_rollback(const struct payment_request *request,
				       const struct payment_original *original)
{
	if (!same_content(request, original))
		return no(request->kind, "ROLLBACK_MISMATCH");
	if (payment_state_open(original->state))
		return (struct giveback){.answer = GIVEBACK_WAIT};
	if (!carried_out(original->state))
		return original->state == PAYMENT_MANUAL_REVIEW
			       ? (struct giveback){.answer = GIVEBACK_WAIT}
			       : nothing(request->kind);
	/* Another one is under way: how it ends is how this one ends. */
	if (original->claimed_minor > original->refunded_minor)
		return (struct giveback){.answer = GIVEBACK_WAIT};
	if (original->kind == PAYMENT_WAGER && original->round_settled)
		return no(request->kind, "ROUND_SETTLED");
	return (struct giveback){.answer = GIVEBACK_CLAIM};
}

struct giveback giveback_decide(const struct payment_request *request,
				const struct payment_original *original)
{
	return request->kind == PAYMENT_REFUND ? decide_refund(request, original)
					       : decide_rollback(request, original);
}

bool giveback_ended(struct payment_original *original, enum payment_state end, int64_t amount_minor)
{
	RT_ASSERT(!payment_state_open(end));
	if (end == PAYMENT_MANUAL_REVIEW)
		return false; /* its claim stands until a person has decided */
	if (!carried_out(end)) {
		original->claimed_minor -= amount_minor;
		return false;
	}
	original->refunded_minor += amount_minor;
	original->state = original->refunded_minor == original->amount_minor
				  ? PAYMENT_REFUNDED
				  : PAYMENT_PARTLY_REFUNDED;
	original->version++;
	return true;
}
