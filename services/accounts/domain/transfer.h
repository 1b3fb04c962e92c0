/* One movement between two accounts: what is asked for, what it does, and its record. Pure; any
 * layer may include this. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "domain/account.h"
#include "domain/currency.h"
#include "domain/decline.h"
#include "domain/hold.h"
#include "domain/original.h"
#include "domain/transfer_kind.h"
#include "rt/id.h"
#include "rt/status.h"

#define TRANSFER_REFERENCE_CHARACTERS_MAX 128

/* What a caller asks for. */
struct transfer {
	struct rt_uuid id;
	struct rt_uuid debit_account_id;
	struct rt_uuid credit_account_id;
	struct rt_uuid target_id; /* of a capture, release or expiry: the hold; of a reversal: the
				     original; nil otherwise */
	int64_t amount_minor;
	int64_t expires_us; /* of a hold; 0: never */
	char currency[CURRENCY_CODE_BYTES];
	enum transfer_kind kind;
	bool keep_open; /* of a capture: what it leaves stays held */
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
	int64_t moved_minor; /* what moved, was set aside or was released */
	struct transfer_side debit;
	struct transfer_side credit;
};

/* Checks what can be checked without knowing the accounts or the time. Errors: INVALID_ARGUMENT
 * naming the field, with reason INVALID_UUID, INVALID_FIELD, SAME_ACCOUNT, INVALID_AMOUNT,
 * INVALID_CURRENCY, INVALID_TEXT, INVALID_LENGTH. */
struct rt_status transfer_check(const struct transfer *transfer);
/* The field that a decline for this transfer is about, such as "amount_minor", "capture.hold_id" or
 * "debit_account_id"; "" when it is about an account and the side is not on record. */
const char *transfer_declined_field(const struct transfer *transfer, enum decline_reason reason,
				    enum decline_side side);

/* Whether a hold made now may expire when this one is to: later than now, and at most ten years
 * from now. */
#define TRANSFER_EXPIRES_US_MAX (INT64_C(3653) * 24 * 3600 * 1000000)
bool transfer_expiry_is_ahead(const struct transfer *transfer, int64_t now_us);

/* The accounts, the hold and the original that a transfer works on; NULL for what does not exist.
 */
struct transfer_parties {
	struct account *debit;
	struct account *credit;
	struct hold *hold;         /* the one that a capture, release or expiry names */
	struct original *original; /* the one that a reversal names */
};

/* Carries the transfer out on its parties: both accounts get their new state, a hold that it ends
 * is ended, what a reversal moves back is counted. Returns DECLINE_NONE and what moved; or why not,
 * and then nothing has changed. */
enum decline_reason transfer_apply(const struct transfer *transfer,
				   const struct transfer_parties *parties, int64_t now_us,
				   int64_t *moved_minor);
/* After it was declined with this reason: for which of its accounts. */
enum decline_side transfer_declined_side(const struct transfer *transfer,
					 const struct transfer_parties *parties,
					 enum decline_reason reason);
