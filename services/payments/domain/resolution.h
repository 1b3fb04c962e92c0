/* What an operator's word about the other side leads to: what the other side's own word would have,
 * by the same machine. Pure. */
#pragma once

#include "domain/saga.h"

/* What the other side did; the numbers are in the database and on the wire. */
enum resolution_outcome { RESOLUTION_DONE = 1, RESOLUTION_NOT_DONE = 2 };

/* The reason of what follows. */
#define RESOLUTION_REASON "RESOLVED_BY_OPERATOR"
#define REASKED_REASON    "ASKED_AGAIN_BY_OPERATOR"
/* Not that of what was given back by hand: this give-back the connector must have. */
#define GIVE_BACK_REASON  "GIVE_BACK_BY_OPERATOR"

/* Decides for a payment in UNKNOWN or MANUAL_REVIEW; `from` is the state before it. One change,
 * which is an edge of states.def. Not legal: nothing may be said about the other side there - it is
 * in another state, or the other side was never asked - or it contradicts what is on record. */
struct saga_decision resolution_decide(const struct saga_plan *plan, enum payment_state state,
				       enum payment_state from, enum resolution_outcome outcome);
/* Whether a word about a payment in MANUAL_REVIEW contradicts what a ledger of ours has on record:
 * that it credited the amount (not done would leave it at both ends), or that it did not (done
 * would leave it at neither). */
bool resolution_contradicts(const struct saga_plan *plan, enum payment_state from,
			    enum resolution_outcome outcome);
/* Has the connector asked again about a payment in MANUAL_REVIEW that it brought there. */
struct saga_decision resolution_ask_again(const struct saga_plan *plan, enum payment_state state,
					  enum payment_state from);
