/* The saga of a payment as a pure machine: from the state and what happened, the changes to write
 * and what to do next. No clock, no I/O, no memory. What a kind of payment does is its plan. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/payment.h"
#include "domain/plan.h"

/* What can happen to a saga. */
#define SAGA_EVENTS(ROW)                                                                           \
	ROW(BEGIN)           /* new, or taken over: go on from the state */                        \
	ROW(REFUSED_AT_ONCE) /* before anything was done: a rule says no */                        \
	ROW(NOTHING_TO_DO)   /* before anything was done: it is done already */                    \
	ROW(CANCEL_ASKED)    /* somebody wants what waits for the person called off */             \
	ROW(LEDGER_POSTED)                                                                         \
	ROW(LEDGER_DECLINED) /* recorded or deterministic: the step did not and will not happen */ \
	ROW(LEDGER_CONFLICT) /* the ledger has our id with another content */                      \
	ROW(LEDGER_SILENT)   /* unavailable or unclear */                                          \
	ROW(PROVIDER_SUCCEEDED)                                                                    \
	ROW(PROVIDER_DECLINED) /* the operation's final word, or a submission refused for good */  \
	ROW(PROVIDER_CANCELED) /* final: it was called off */                                      \
	ROW(PROVIDER_AUTHORIZED) /* set aside there, and to be captured */                         \
	ROW(PROVIDER_ACTION)     /* it waits for the person who pays */                            \
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
	bool canceled; /* somebody wants the payment called off, or that is why it is compensating
			*/
	const char *action_url; /* of SAGA_PROVIDER_ACTION; lent, NULL: none */
	const char *action_data;
	bool unreached; /* of a silence: its target may be gone */
	bool on_record; /* of a ledger's decline: it will say it to these ids for ever */
	bool again;     /* of such a decline: a person wants the step posted under the next ids */
	bool anew;      /* of a ledger's answer: it is not to the step's first ids */
	const char *provider_reference; /* for the record; NULL: none */
};

enum saga_action {
	SAGA_REST,    /* nothing more to do: it rests, or a person's turn */
	SAGA_POST,    /* `step` to its ledger */
	SAGA_SUBMIT,  /* `step` to the connector */
	SAGA_CAPTURE, /* what the connector has authorized */
	SAGA_CANCEL,  /* what the connector has authorized, or begun and not done */
	SAGA_ASK,     /* the connector, with the reference of `step` */
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
	uint8_t change_count;
	enum saga_action action;
	const struct saga_step *step;                 /* of every action but SAGA_REST */
	struct saga_change changes[SAGA_CHANGES_MAX]; /* written in one commit, before the action */
};

/* Why a payment that was called off compensates; such a one ends CANCELED. */
#define SAGA_REASON_CANCELED "CANCELED"

/* Why a payment succeeded whose last step was posted anew. */
#define SAGA_REASON_ANEW     "POSTED_ANEW"

/* Whether it may be called off in this state: the other side has not been asked to act. */
bool saga_cancelable(const struct saga_plan *plan, enum payment_state state);
/* Whether a wish to call it off is not decided yet. */
bool saga_canceling(const struct saga_plan *plan, const struct payment_standing *standing);

/* How many attempts in a row have not helped, after this event: by them the pauses grow. */
uint32_t saga_attempts_after(uint32_t attempts, enum saga_event_kind kind);

/* Decides. Every change it orders is an edge of states.def (asserted). Pure. */
struct saga_decision saga_decide(const struct saga_plan *plan, enum payment_state state,
				 struct saga_event event);
