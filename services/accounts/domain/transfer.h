/* One movement between two accounts: what is asked for, what it does, and its record. Pure; any
 * layer may include this. */
#pragma once

#include <stdint.h>

#include "domain/account.h"
#include "domain/decline.h"
#include "domain/hold.h"
#include "rt/id.h"
#include "rt/status.h"

/* The numbers are stored. */
enum transfer_kind {
	TRANSFER_DIRECT = 1,
	TRANSFER_HOLD = 2,
	TRANSFER_CAPTURE = 3,
	TRANSFER_RELEASE = 4,
};

#define TRANSFER_REFERENCE_CHARACTERS_MAX 128

/* What a caller asks for. */
struct transfer {
	struct rt_uuid id;
	struct rt_uuid debit_account_id;
	struct rt_uuid credit_account_id;
	struct rt_uuid hold_id; /* of a capture or a release; nil otherwise */
	int64_t amount_minor;
	char currency[4];
	enum transfer_kind kind;
	const char *reference;
};

/* One side of a transfer that was carried out: the account right after it. */
struct transfer_side {
	enum account_side normal;
	struct account_state after;
};

/* A transfer that was carried out. */
struct posted_transfer {
	struct transfer transfer;
	struct rt_uuid group_id;
	int64_t position; /* in its group, from 0 */
	int64_t created_us;
	struct transfer_side debit;
	struct transfer_side credit;
};

/* Whether the kind ends a hold, and so names one. */
static inline bool transfer_ends_hold(enum transfer_kind kind)
{
	return kind == TRANSFER_CAPTURE || kind == TRANSFER_RELEASE;
}

/* Checks what can be checked without knowing the accounts. Errors: INVALID_ARGUMENT naming the
 * field, with reason INVALID_UUID, INVALID_FIELD, SAME_ACCOUNT, INVALID_AMOUNT, INVALID_CURRENCY,
 * INVALID_TEXT, INVALID_LENGTH. */
struct rt_status transfer_check(const struct transfer *transfer);

/* The accounts and the hold that a transfer works on; NULL for what does not exist. */
struct transfer_parties {
	struct account *debit;
	struct account *credit;
	struct hold *hold; /* the one that a capture or a release names */
};

/* Carries the transfer out on its parties: both accounts get their new state, a hold that it ends
 * is ended. Returns DECLINE_NONE; or why not, and then nothing has changed. */
enum decline_reason transfer_apply(const struct transfer *transfer,
				   const struct transfer_parties *parties);
