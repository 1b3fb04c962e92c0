/* A transfer that is to be moved back, and how much of it was. Pure; any layer of the service may
 * include this. */
#pragma once

#include <stdint.h>

#include "domain/decline.h"
#include "domain/transfer_kind.h"
#include "rt/id.h"

struct original {
	struct rt_uuid id;
	struct rt_uuid debit_account_id;
	struct rt_uuid credit_account_id;
	int64_t moved_minor;
	int64_t reversed_minor; /* so far, by all reversals of it */
	enum transfer_kind kind;
};

/* Whether that much of it can be moved back between these accounts, which must be its own, the
 * other way round. Returns DECLINE_NONE, NOT_REVERSIBLE, REVERSAL_MISMATCH or
 * REVERSAL_EXCEEDS_ORIGINAL. */
enum decline_reason original_check(const struct original *original,
				   const struct rt_uuid *debit_account_id,
				   const struct rt_uuid *credit_account_id, int64_t amount_minor);
/* Counts it. After original_check alone. */
void original_reverse(struct original *original, int64_t amount_minor);
