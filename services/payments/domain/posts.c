/* See posts.h. */
#include "domain/posts.h"

#include <stddef.h>

static const struct saga_step *step_in(const struct saga_plan *plan, enum payment_state state)
{
	switch ((int)state) {
	case PAYMENT_CREATED:
		return plan->prepare;
	case PAYMENT_SUBMITTED:
		return plan->submit;
	case PAYMENT_SETTLING:
		return plan->settle;
	case PAYMENT_COMPENSATING:
		return plan->undo;
	default:
		return NULL;
	}
}

bool payment_post_awaited(const struct saga_plan *plan, enum payment_state state,
			  struct payment_post *post)
{
	*post = (struct payment_post){.step = step_in(plan, state), .outcome = POST_WAITS};
	return post->step != NULL && post->step->party != PARTY_PROVIDER;
}

/* Whether the ledger said no: the payment needs a person, or goes back, or ends where it began. */
static bool declined(enum payment_state from, enum payment_state to)
{
	if (from == PAYMENT_COMPENSATING)
		return to == PAYMENT_MANUAL_REVIEW;
	return to == PAYMENT_DECLINED || to == PAYMENT_COMPENSATING || to == PAYMENT_MANUAL_REVIEW;
}

bool payment_post_of(const struct saga_plan *plan, enum payment_state from, enum payment_state to,
		     bool with_first, struct payment_post *post)
{
	if (with_first || !payment_post_awaited(plan, from, post))
		return false;
	post->outcome = declined(from, to) ? POST_DECLINED : POST_POSTED;
	return true;
}

void payment_sides(const struct payment_request *request, struct rt_uuid sides[LEDGER_SIDES])
{
	sides[SIDE_ACCOUNT] = request->account_id;
	sides[SIDE_COUNTER] = request->counter_id;
	sides[SIDE_FEE] = request->fee_account_id;
	sides[SIDE_REMOTE_ACCOUNT] = request->remote_account_id;
	sides[SIDE_REMOTE_COUNTER] = request->remote_counter_id;
}
