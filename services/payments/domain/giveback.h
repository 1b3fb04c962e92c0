/* What gives back what another payment did: refunds and rollbacks. Decided inside the transaction
 * that records them, with the original's row locked. Pure. */
#pragma once

#include "domain/payment.h"
#include "domain/saga.h"

/* The original, as its row says. */
struct payment_original {
	struct rt_uuid payment_id;
	struct rt_uuid ledger_id;
	enum payment_kind kind;
	enum payment_state state;
	int64_t version;
	struct rt_uuid account_id;
	struct rt_uuid counter_id;
	struct rt_uuid fee_account_id; /* nil: no fee */
	int64_t fee_minor;
	int64_t amount_minor;
	int64_t claimed_minor;  /* by refunds and rollbacks that are recorded and not declined */
	int64_t refunded_minor; /* by those that succeeded */
	char currency[4];
	char connector[PAYMENT_CONNECTOR_BYTES];
	char round_id[PAYMENT_ROUND_BYTES];
	bool round_settled; /* a settlement of its round to its account stands */
};

enum giveback_answer {
	GIVEBACK_CLAIM,   /* recorded, and the amount claimed: nobody else may give it back */
	GIVEBACK_DECIDED, /* recorded with a decision that moves nothing */
	GIVEBACK_WAIT, /* not recorded: the original is being carried out, or given back by another
			  one */
};

struct giveback {
	enum giveback_answer answer;
	struct saga_decision decision; /* of GIVEBACK_DECIDED */
};

/* Errors: none; a no is a decision. `original` has been looked at in the same transaction, locked
 * unless it is open. */
struct giveback giveback_decide(const struct payment_request *request,
				const struct payment_original *original);

/* What the end of one that was claimed means for its original: its new totals and state. True: the
 * state changes, which is an event of the original. */
bool giveback_ended(struct payment_original *original, enum payment_state end,
		    int64_t amount_minor);
