/* The saga of a payment as a pure machine: from the state and what happened, the changes to write
 * and what to do next. No clock, no I/O, no memory. A kind of payment is a plan, which is data: see
 * deposit.c, withdrawal.c, transfer.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "domain/payment.h"

enum ledger_move { LEDGER_DIRECT, LEDGER_HOLD, LEDGER_CAPTURE, LEDGER_RELEASE };

/* One transfer in the ledger. Its id is derived from the payment's and `name`, so that repeating it
 * is harmless. */
struct ledger_step {
	const char *name;
	enum ledger_move move;
	bool from_counter; /* debits the counter account and credits the payment's; else the other
			      way round */
	const char *hold;  /* name of the step whose hold is captured or released */
};

enum provider_operation { PROVIDER_NONE, PROVIDER_CHARGE, PROVIDER_PAYOUT };

/* The steps of a kind. The point of no return is the submission to the connector: before it
 * `release` undoes everything, after it only the connector's word decides. */
struct saga_plan {
	enum payment_kind kind;
	const char *name;                  /* "deposit"; label of metrics */
	const struct ledger_step *prepare; /* before the connector; NULL: nothing */
	enum provider_operation operation;
	const struct ledger_step *settle;  /* after the connector's yes; NULL: nothing */
	const struct ledger_step *release; /* compensation after its no; NULL: nothing to undo */
};

extern const struct saga_plan payment_deposit_plan;
extern const struct saga_plan payment_withdrawal_plan;
extern const struct saga_plan payment_transfer_plan;

const struct saga_plan *saga_plan_of(enum payment_kind kind);

/* What can happen to a saga. */
#define SAGA_EVENTS(ROW)                                                                           \
	ROW(BEGIN)           /* new, or taken over: go on from the state */                        \
	ROW(REFUSED_AT_ONCE) /* before anything was done: a rule says no */                        \
	ROW(LEDGER_POSTED)                                                                         \
	ROW(LEDGER_DECLINED) /* recorded or deterministic: the step did not and will not happen */ \
	ROW(LEDGER_CONFLICT) /* the ledger has our id with another content */                      \
	ROW(LEDGER_SILENT)   /* unavailable or unclear */                                          \
	ROW(PROVIDER_SUCCEEDED)                                                                    \
	ROW(PROVIDER_DECLINED) /* the operation's final word, or a submission refused for good */  \
	ROW(PROVIDER_PENDING)                                                                      \
	ROW(PROVIDER_ABSENT)   /* asked: it never arrived */                                       \
	ROW(PROVIDER_CONFLICT) /* it has our reference with another content */                     \
	ROW(PROVIDER_SILENT)   /* no answer, or an unclear one */

enum saga_event_kind {
#define SAGA_EVENT_ENUM(name) SAGA_##name,
	SAGA_EVENTS(SAGA_EVENT_ENUM)
#undef SAGA_EVENT_ENUM
		SAGA_EVENT_COUNT
};

struct saga_event {
	enum saga_event_kind kind;
	const char *reason; /* of a decline, a conflict, a silence; NULL: none */
};

enum saga_action {
	SAGA_REST,   /* nothing more to do: final, or a person's turn */
	SAGA_POST,   /* `step` to the ledger */
	SAGA_SUBMIT, /* `plan->operation` to the connector */
	SAGA_ASK,    /* the connector, with our reference */
};

/* A state to enter. */
struct saga_change {
	enum payment_state state;
	const char *reason; /* NULL: keep the payment's */
};

#define SAGA_CHANGES_MAX 2

struct saga_decision {
	bool legal; /* false: this event cannot happen in this state; nothing else is set */
	bool pause; /* wait before the action: it repeats something that did not help */
	size_t change_count;
	struct saga_change changes[SAGA_CHANGES_MAX]; /* written in one commit, before the action */
	enum saga_action action;
	const struct ledger_step *step; /* of SAGA_POST */
};

/* Decides. Every change it orders is an edge of states.def (asserted). Pure. */
struct saga_decision saga_decide(const struct saga_plan *plan, enum payment_state state,
				 struct saga_event event);
