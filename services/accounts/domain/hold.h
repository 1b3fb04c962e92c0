/* A hold: an amount set aside until it is captured, released, or expires. Pure; any layer of the
 * service may include this. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "domain/decline.h"
#include "rt/id.h"

/* How it stands, or ended; the numbers are stored. */
enum hold_state {
	HOLD_PENDING = 1,
	HOLD_CAPTURED = 2,
	HOLD_RELEASED = 3,
	HOLD_EXPIRED = 4,
};

struct hold {
	struct rt_uuid id; /* of the transfer that made it */
	struct rt_uuid debit_account_id;
	struct rt_uuid credit_account_id;
	int64_t amount_minor;
	int64_t captured_minor; /* so far, by all captures of it */
	int64_t expires_us;     /* 0: never, or it has ended */
	enum hold_state state;
};

/* What is still set aside. Units: minor. */
int64_t hold_remaining_minor(const struct hold *hold);
/* Whether the hold's time has come, though it may not have been ended yet. */
bool hold_is_due(const struct hold *hold, int64_t now_us);
/* Whether it is between these accounts, this way round. */
bool hold_is_between(const struct hold *hold, const struct rt_uuid *debit_account_id,
		     const struct rt_uuid *credit_account_id);
/* Whether that much can be captured (0: it can be released) between these accounts. A hold whose
 * time has come is expired, whether or not that was written down yet. Returns DECLINE_NONE,
 * HOLD_MISMATCH, HOLD_EXPIRED, ALREADY_CAPTURED, ALREADY_RELEASED or CAPTURE_EXCEEDS_HOLD. */
enum decline_reason hold_check(const struct hold *hold, const struct rt_uuid *debit_account_id,
			       const struct rt_uuid *credit_account_id, int64_t amount_minor,
			       int64_t now_us);
/* Captures that much, and ends the hold when nothing is left or it isn't kept open. After
 * hold_check alone. */
void hold_capture(struct hold *hold, int64_t amount_minor, bool keep_open);
/* Ends it, released or expired. */
void hold_end(struct hold *hold, enum hold_state state);
