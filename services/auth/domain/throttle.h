/* How often passwords may be tried with one name: a bucket of attempts that time refills. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct throttle_rule {
	int64_t burst;     /* attempts in a full bucket */
	int64_t refill_us; /* one attempt comes back in this time */
};

/* `full_us` is when the bucket will be full again, all that is to be known of it; it is put on
 * record when it is not what it was. */
struct throttle_verdict {
	bool admitted;
	int64_t full_us;
	int64_t wait_us; /* until an attempt will be admitted, when this one is not; at most
			    refill_us */
};

/* Takes an attempt out of the bucket, if there is one. A refused one costs nothing, so that nobody
 * waits longer because somebody else did not wait. A bucket that lacks more than it can hold, as
 * after a clock was put back or the rule was changed, is empty and no worse. */
struct throttle_verdict throttle_take(const struct throttle_rule *rule, int64_t full_us,
				      int64_t now_us);
