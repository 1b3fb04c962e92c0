/* How many repeats a target is sent: a bucket of tokens. Each first attempt puts a part of a token
 * in, time puts some in, each repeat takes one out. Who is turned away waits, and loses nothing.
 * Pure: time is given.
 *
 * A repeat that was answered, or was not sent after all, gives its token back: what the budget
 * limits is repeats that do not help. Source: docs/decisions/0028-retry-budget.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rt_retry_budget {
	int64_t micros;       /* millionths of a token in the bucket */
	int64_t most_micros;  /* and in a full one */
	int64_t first_micros; /* put in by a first attempt */
	int64_t per_s;        /* tokens that time puts in */
	int64_t as_of_us;
};

/* Full at first, of what time puts in within ten seconds. `percent` of the first attempts may be
 * repeated, and `per_s`, at least 1, a second besides. */
void rt_retry_budget_init(struct rt_retry_budget *budget, int64_t percent, int64_t per_s,
			  int64_t now_us);
void rt_retry_first(struct rt_retry_budget *budget);
/* False: there is no token; there will be one after *wait_us at the latest. */
bool rt_retry_take(struct rt_retry_budget *budget, int64_t now_us, int64_t *wait_us);
void rt_retry_give_back(struct rt_retry_budget *budget);
