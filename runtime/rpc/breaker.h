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
	uint32_t probe;  /* the number of the one that is under way; 0: none */
	uint32_t probes; /* numbers given */
	int64_t open_until_us;
	int64_t open_for_us;
	int64_t probe_since_us;
};

/* Whether a call may be made now. Each admitted call is followed by one of the three below, with
 * the number that it was given: 0 unless it is the probe. */
bool rt_breaker_admit(struct rt_breaker *breaker, int64_t now_us, uint32_t *probe);
/* The target answered, whatever it said. */
void rt_breaker_reached(struct rt_breaker *breaker);
/* The target was not reached. While it is open only the probe's word counts: calls that were begun
 * before prolong nothing. */
void rt_breaker_missed(struct rt_breaker *breaker, int64_t now_us, uint32_t probe);
/* Nothing was learnt about the target. */
void rt_breaker_unknown(struct rt_breaker *breaker, uint32_t probe);

/* How long to wait before the repeat with this number (0: the first), between half and all of 50
 * ms, 100 ms, ... 1 s; at least what the target asked for. `random` is any number. */
int64_t rt_backoff_us(unsigned repeat, int64_t asked_ms, uint64_t random);
