/* From a behaviour and the number of a try to what is done, answered and notified, and when. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/behaviour.h"
#include "domain/operation.h"

#define PLAN_NOTIFICATIONS_MAX 3

enum plan_act {
	PLAN_DO,   /* the work is done, unless it was done before */
	PLAN_FAIL, /* UNAVAILABLE, and nothing is done */
	PLAN_LOSE, /* nothing is done or answered */
};

enum plan_answer { PLAN_ANSWER, PLAN_ANSWER_LATE, PLAN_ANSWER_NEVER };

struct planned_notification {
	enum operation_status shows;
	int64_t after_us; /* of the work */
};

struct plan {
	enum plan_act act;
	enum plan_answer answer;
	int64_t answer_after_us;
	enum operation_status status;       /* once the work is done */
	enum operation_status final_status; /* and in the end */
	int64_t final_after_us;
	int64_t copies; /* of each notification */
	size_t notification_count;
	struct planned_notification notifications[PLAN_NOTIFICATIONS_MAX];
};

/* Whether tries have to be counted for it. */
bool plan_counts_tries(const struct behaviour *behaviour);
/* `try_number` is 1 for the first one; any when tries are not counted. */
struct plan plan_make(const struct behaviour *behaviour, int64_t try_number);
