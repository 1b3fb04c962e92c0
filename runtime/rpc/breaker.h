/* When not to call a target that is down, and when to try a failed call again. Pure: time and
 * randomness are given. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Opens after several failures in a row to reach the target; then lets one probe through from time
 * to time. */
struct rt_breaker {
	unsigned failures; /* in a row */
	bool open;
	bool probing;
	int64_t open_until_us;
	int64_t open_for_us;
	int64_t probe_since_us;
};

/* Whether a call may be made now. Each admitted call is followed by one of the three below. */
bool rt_breaker_admit(struct rt_breaker *breaker, int64_t now_us);
/* The target answered, whatever it said. */
void rt_breaker_reached(struct rt_breaker *breaker);
/* The target was not reached. */
void rt_breaker_missed(struct rt_breaker *breaker, int64_t now_us);
/* Nothing was learnt about the target. */
void rt_breaker_unknown(struct rt_breaker *breaker);

/* Repeats are worth their load only while most calls succeed. In tenths of a repeat. */
struct rt_retry_budget {
	int64_t spent_tenths;
};

void rt_retry_success(struct rt_retry_budget *budget);
/* Counts a failure; true when the call may be tried again. */
bool rt_retry_failure(struct rt_retry_budget *budget);

/* How long to wait before the repeat with this number (0: the first), between half and all of 50
 * ms, 100 ms, ... 1 s; at least what the target asked for. `random` is any number. */
int64_t rt_backoff_us(unsigned repeat, int64_t asked_ms, uint64_t random);
