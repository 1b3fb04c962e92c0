/* What a payment is, as plain data. Pure; any layer of payments may include this. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "domain/states.h"
#include "rt/digest.h"
#include "rt/id.h"

/* The numbers are in the database. */
enum payment_kind {
	PAYMENT_DEPOSIT = 1,
	PAYMENT_WITHDRAWAL = 2,
	PAYMENT_TRANSFER = 3,
	PAYMENT_REMOTE_TRANSFER = 4, /* from one ledger to another */
	PAYMENT_REFUND = 5,          /* of a deposit */
	PAYMENT_WAGER = 6,
	PAYMENT_SETTLE = 7,
	PAYMENT_WAGER_ROLLBACK = 8,
	PAYMENT_SETTLE_ROLLBACK = 9,
};
#define PAYMENT_KIND_MAX        9

#define PAYMENT_REASON_BYTES    65 /* 64 characters of A-Z 0-9 _ */
#define PAYMENT_CALLER_BYTES    65 /* a user's id, or the name of an identity */
#define PAYMENT_CONNECTOR_BYTES 33
#define PAYMENT_ACTION_URL_MAX  2048
#define PAYMENT_ACTION_DATA_MAX 4096
#define PAYMENT_ROUND_BYTES     65

/* What was asked for, validated. Text points to where the request lives. */
struct payment_request {
	enum payment_kind kind;
	struct rt_uuid ledger_id;
	struct rt_uuid account_id; /* the person's: credited by a deposit or a settlement, debited
				      by most */
	struct rt_uuid counter_id; /* the other side of it in this ledger: another account, the
				      game's, the clearing account or the transit account; the last
				      two once they are known */
	struct rt_uuid
		remote_ledger_id; /* of a transfer between ledgers; else nil, like the next two */
	struct rt_uuid remote_account_id; /* credited there */
	struct rt_uuid remote_counter_id; /* the transit account there */
	struct rt_uuid parent_id;         /* the payment that this one gives back; else nil */
	int64_t amount_minor;
	int64_t fee_minor;             /* 0: none */
	struct rt_uuid fee_account_id; /* nil without a fee */
	char currency[4];
	const char *connector;  /* "" where no connector takes part */
	const char *instrument; /* likewise */
	const char *round_id;   /* of gaming; else "" */
	const char *reference;
	const char *idempotency_key;
	const char *original_key;    /* of a rollback: the key of what it undoes; else "" */
	const char *original_caller; /* whose key that is; "": the same caller's */
};

/* Where a payment stands. */
struct payment_standing {
	struct rt_uuid payment_id;
	int64_t version;
	int64_t create_time_us; /* wall clock */
	int64_t update_time_us;
	int64_t refunded_minor;
	enum payment_state state;
	char reason[PAYMENT_REASON_BYTES];
};

/* Copies a reason that came from elsewhere, or `fallback` when it is not 1 to 64 characters of A-Z
 * 0-9 _. */
void payment_reason_copy(char reason[PAYMENT_REASON_BYTES], const char *from, const char *fallback);
