/* A hold: an amount set aside until it is captured or released. Pure; any layer of the service may
 * include this. */
#pragma once

#include <stdint.h>

#include "domain/decline.h"
#include "rt/id.h"

/* The numbers are stored. */
enum hold_state {
	HOLD_PENDING = 1,
	HOLD_CAPTURED = 2,
	HOLD_RELEASED = 3,
};

struct hold {
	struct rt_uuid id; /* of the transfer that made it */
	struct rt_uuid debit_account_id;
	struct rt_uuid credit_account_id;
	int64_t amount_minor;
	int64_t captured_minor;
	enum hold_state state;
};

/* What is still set aside. Units: minor. */
int64_t hold_remaining_minor(const struct hold *hold);
/* Whether the hold can be ended by a capture of that amount (0: a release) between these accounts.
 * Returns DECLINE_NONE, HOLD_MISMATCH, ALREADY_CAPTURED, ALREADY_RELEASED or CAPTURE_EXCEEDS_HOLD.
 */
enum decline_reason hold_check_end(const struct hold *hold, const struct rt_uuid *debit_account_id,
				   const struct rt_uuid *credit_account_id, int64_t amount_minor);
/* Ends it: captured, or with 0 released. After hold_check_end alone. */
void hold_end(struct hold *hold, int64_t amount_minor);
