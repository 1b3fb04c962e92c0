/* A kind of payment as data: its steps, what undoes them, and the point of no return. See deposit.c
 * and its neighbours, and docs/adding-a-payment-kind.md. Pure; any layer of payments may include
 * this. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "domain/payment.h"

/* What a transfer of a step does in the ledger. */
enum ledger_move { LEDGER_DIRECT, LEDGER_HOLD, LEDGER_CAPTURE, LEDGER_RELEASE };

/* Whose account a side of a transfer is: fields of struct payment_request. */
enum ledger_side {
	SIDE_ACCOUNT,
	SIDE_COUNTER,
	SIDE_FEE,
	SIDE_REMOTE_ACCOUNT,
	SIDE_REMOTE_COUNTER,
};
#define LEDGER_SIDES 5

/* How much: the payment's amount or its fee. A transfer of a fee of 0 is left out of its group. */
enum ledger_amount { AMOUNT_WHOLE, AMOUNT_FEE };

/* One transfer of a group. Its id is derived from the payment's id and `name`, so that repeating it
 * is harmless: a name is for ever. See ledger_transfer_id. */
struct ledger_transfer {
	const char *name; /* NULL: no transfer */
	enum ledger_move move;
	enum ledger_side debit;
	enum ledger_side credit;
	enum ledger_amount amount;
	const char *hold; /* name of the transfer whose hold is captured or released */
};

/* The first is of the payment's amount; it names the group. */
#define SAGA_TRANSFERS_MAX 2

enum provider_operation { PROVIDER_NONE, PROVIDER_AUTHORIZE, PROVIDER_PAYOUT, PROVIDER_REFUND };

/* Who is asked to do a step. */
enum saga_party {
	PARTY_LEDGER,        /* accounts: one atomic group in the payment's ledger */
	PARTY_REMOTE_LEDGER, /* accounts: one atomic group in the other ledger */
	PARTY_PROVIDER,      /* the connector: one operation */
};

/* Which operation of the connector a refund gives back. */
enum provider_original { ORIGINAL_NONE, ORIGINAL_PARENT, ORIGINAL_SELF };

struct saga_step {
	const char *name;
	enum saga_party party;
	struct ledger_transfer transfers[SAGA_TRANSFERS_MAX]; /* of a ledger's step */
	enum provider_operation operation;                    /* of the provider's */
	enum provider_original original;
	const char *reference; /* the operation's reference is derived with it; NULL: it is the
				  payment's id */
};

/* When the compensation is due: the point of no return is the submission. Before it, and when the
 * other side says no, what was prepared is undone; after the other side's yes only a refusal of our
 * own ledger leads back, and then the other side's doing must be undone. */
enum saga_undoes { UNDOES_NOTHING, UNDOES_PREPARE, UNDOES_SUBMIT };

/* The steps of a kind, in the order in which they are taken; NULL: none. A plan without `submit`
 * ends with `prepare`. */
struct saga_plan {
	enum payment_kind kind;
	const char *name;                /* "deposit"; label of metrics */
	const struct saga_step *prepare; /* in CREATED: our ledger */
	const struct saga_step *submit;  /* in SUBMITTED: the other side */
	const struct saga_step *settle;  /* in SETTLING, after its yes: our ledger */
	const struct saga_step *undo;    /* in COMPENSATING */
	enum saga_undoes undoes;         /* what `undo` undoes */
};

extern const struct saga_plan payment_deposit_plan;
extern const struct saga_plan payment_withdrawal_plan;
extern const struct saga_plan payment_transfer_plan;
extern const struct saga_plan payment_remote_transfer_plan;
extern const struct saga_plan payment_refund_plan;
extern const struct saga_plan payment_wager_plan;
extern const struct saga_plan payment_settle_plan;
extern const struct saga_plan payment_wager_rollback_plan;
extern const struct saga_plan payment_settle_rollback_plan;

const struct saga_plan *saga_plan_of(enum payment_kind kind);

/* The id of a step's transfer by its name. `take`: how many tries of the step come before this one,
 * each on record in the ledger as declined. Source:
 * docs/decisions/0041-posted-anew.md. */
struct rt_uuid ledger_transfer_id(const struct rt_uuid *payment_id, const char *name,
				  uint32_t take);
