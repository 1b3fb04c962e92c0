/* An account's money: totals, limits, and what a transfer may do to them. Pure; any layer of the
 * service may include this. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "domain/currency.h"
#include "domain/decline.h"
#include "rt/id.h"
#include "rt/status.h"

/* The side on which an account grows; the numbers are stored. */
enum account_side {
	ACCOUNT_DEBIT_NORMAL = 1, /* assets, expenses: balance = debits - credits */
	ACCOUNT_CREDIT_NORMAL =
		2, /* liabilities (a wallet), equity, income: balance = credits - debits */
};

/* What may happen to an account; the numbers are stored. */
enum account_status {
	ACCOUNT_ACTIVE = 1,
	ACCOUNT_FROZEN = 2,  /* nothing may be taken from it, but by holds that stand */
	ACCOUNT_BLOCKED = 3, /* nothing may be taken or given; holds may be released */
	ACCOUNT_CLOSED = 4,  /* nothing, for ever */
};

struct account_limit {
	bool set;
	int64_t amount_minor;
};

/* Four running totals, each at least 0; posted and pending of one side together fit an int64_t. */
struct account_totals {
	int64_t debits_posted_minor;
	int64_t credits_posted_minor;
	int64_t debits_pending_minor;
	int64_t credits_pending_minor;
};

/* An account at one point of its history. */
struct account_state {
	struct account_totals totals;
	int64_t sequence; /* number of its last entry; 0 before the first */
};

/* What is needed to decide about an account. */
struct account {
	struct rt_uuid id;
	char currency[CURRENCY_CODE_BYTES];
	enum account_side side;
	enum account_status status;
	struct account_limit lower; /* of what is available */
	struct account_limit upper;
	int64_t credit_line_minor; /* how far below the lower limit it may go */
	int64_t last_entry_us;     /* 0 before the first */
	struct account_state state;
	uint64_t place; /* where it was read; means something to the store alone */
};

/* An account with everything that is said about it. */
struct account_record {
	struct account account;
	struct rt_uuid ledger_id;
	const char *owner;
	const char *label;
	int64_t version;
	int64_t created_us;
};

#define ACCOUNT_HASH_BYTES          16
#define ACCOUNT_TEXT_CHARACTERS_MAX 128

/* On the account's normal side: what is posted on it less what is posted on the other. Units:
 * minor. */
int64_t account_posted_minor(enum account_side side, const struct account_totals *totals);
/* What can be spent: posted less what holds would take away. Units: minor. */
int64_t account_available_minor(enum account_side side, const struct account_totals *totals);
/* The most that could be available if holds that take away were released, and those that add were
 * captured. Units: minor. */
int64_t account_ceiling_minor(enum account_side side, const struct account_totals *totals);

/* As much as can be debited until nothing is there any more: on an account that grows with credits,
 * what is available above its lower limit and above 0; on one that grows with debits, what it is
 * below 0 and below its upper limit. Units: minor. */
int64_t account_debitable_minor(const struct account *account);

/* What a transfer does with an account. */
enum account_use {
	ACCOUNT_GIVEN,         /* it grows, or is to */
	ACCOUNT_TAKEN,         /* it shrinks, or is to */
	ACCOUNT_TAKEN_AS_HELD, /* what a hold set aside is taken */
	ACCOUNT_LET_GO,        /* what a hold set aside is let go */
};
/* Whether its status allows that. Returns DECLINE_NONE, ACCOUNT_FROZEN, ACCOUNT_BLOCKED or
 * ACCOUNT_CLOSED. */
enum decline_reason account_allows(const struct account *account, enum account_use use);

/* Changes of the four totals by one transfer; those of pending totals may be negative. */
struct account_change {
	int64_t debits_posted_minor;
	int64_t credits_posted_minor;
	int64_t debits_pending_minor;
	int64_t credits_pending_minor;
};

/* Works out the account's state after one more entry, without touching the account. Returns
 * DECLINE_NONE, or why not: BALANCE_OVERFLOW (a total would leave its range), INSUFFICIENT_FUNDS,
 * LIMIT_EXCEEDED. A limit is asked only when the change comes nearer to it. Source:
 * docs/decisions/0011-limits-hold-through-holds.md. */
enum decline_reason account_try(const struct account *account, const struct account_change *change,
				struct account_state *after);

/* Checks the credit line, also against the lower limit. Errors: INVALID_ARGUMENT INVALID_AMOUNT for
 * credit_line_minor. */
struct rt_status account_check_credit_line(const struct account *account);
/* Checks the content of a new account. Errors: INVALID_ARGUMENT naming the field. */
struct rt_status account_check_new(const struct account_record *record);
/* A digest of what an account is created with, to tell a repeated creation from another one with
 * the same id. */
void account_hash(const struct account_record *record, uint8_t hash[ACCOUNT_HASH_BYTES]);
