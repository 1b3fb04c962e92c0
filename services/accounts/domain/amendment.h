/* A change of an account's metadata: what is asked for, whether the account lets it happen, and
 * what it becomes. Pure; any layer of the service may include this. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "domain/account.h"
#include "rt/id.h"
#include "rt/status.h"

/* What can be changed; a set of bits. */
enum amendment_field {
	AMEND_LABEL = 1 << 0,
	AMEND_STATUS = 1 << 1,
	AMEND_LOWER_LIMIT = 1 << 2,
	AMEND_UPPER_LIMIT = 1 << 3,
	AMEND_CREDIT_LINE = 1 << 4,
};

struct amendment {
	struct rt_uuid ledger_id;
	struct rt_uuid account_id;
	int64_t expected_version;
	unsigned fields; /* of the following, those that are to be set */
	const char *label;
	enum account_status status;
	struct account_limit lower, upper; /* one that is not set is removed */
	int64_t credit_line_minor;
};

#define AMENDMENT_HASH_BYTES 16

/* The bit of a field's name in an update mask; 0 when there is none of that name. */
unsigned amendment_field_of(const char *path);
/* Checks what can be checked without knowing the account. Errors: INVALID_ARGUMENT naming the
 * field. */
struct rt_status amendment_check(const struct amendment *amendment);
/* A digest of all that is asked for, the expected version included. */
void amendment_hash(const struct amendment *amendment, uint8_t hash[AMENDMENT_HASH_BYTES]);
/* Works out what the account becomes; the texts of both are lent. Errors: ABORTED VERSION_CONFLICT;
 * FAILED_PRECONDITION ACCOUNT_CLOSED (for ever), LIMITS_CONTRADICT (the lower one above the upper
 * one, or the credit line beyond what a number holds), BALANCE_BELOW_LIMIT, BALANCE_ABOVE_LIMIT (as
 * it is now, holds counted), ACCOUNT_NOT_EMPTY, ACCOUNT_HAS_HOLDS. */
struct rt_status amendment_apply(const struct amendment *amendment,
				 const struct account_record *before, struct account_record *after);
