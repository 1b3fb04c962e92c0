/* What a payment's history says of its steps in ledgers: which was taken, and what came of it. It
 * is read from the states that follow each other, so that nothing has to be written for it. Pure.
 */
#pragma once

#include <stdbool.h>

#include "domain/plan.h"

enum post_outcome { POST_WAITS, POST_POSTED, POST_DECLINED };

struct payment_post {
	const struct saga_step *step;
	enum post_outcome outcome;
};

/* The ledger's step that led from a state to the next; false: another's did, or nobody's.
 * `with_first`: the change was recorded together with the payment, before anything was done. */
bool payment_post_of(const struct saga_plan *plan, enum payment_state from, enum payment_state to,
		     bool with_first, struct payment_post *post);
/* The one that a payment in this state waits for. */
bool payment_post_awaited(const struct saga_plan *plan, enum payment_state state,
			  struct payment_post *post);
/* Whose accounts the sides are. */
void payment_sides(const struct payment_request *request, struct rt_uuid sides[LEDGER_SIDES]);
