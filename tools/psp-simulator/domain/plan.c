#include "domain/plan.h"

#include "rt/assert.h"

#define US_PER_MS INT64_C(1000)
/* How much sooner an early notification goes than the answer. */
#define EARLY_US  (200 * US_PER_MS)
/* How much later an ordinary one goes than the answer, and one out of order than the one before it.
 */
#define AFTER_US  (20 * US_PER_MS)

bool plan_counts_tries(const struct behaviour *behaviour)
{
	const int64_t *values = behaviour->values;

	return values[BEHAVIOUR_FAIL_BEFORE] != 0 || values[BEHAVIOUR_LOST] != 0 ||
	       values[BEHAVIOUR_LATE] != 0 || values[BEHAVIOUR_NO_ANSWER] != 0;
}

static void plan_notification(struct plan *plan, enum operation_status shows, int64_t after_us)
{
	RT_ASSERT(plan->notification_count < PLAN_NOTIFICATIONS_MAX);
	plan->notifications[plan->notification_count++] =
		(struct planned_notification){.shows = shows, .after_us = after_us};
}

static void plan_notifications(const int64_t *values, struct plan *plan)
{
	bool early = values[BEHAVIOUR_NOTIFY_EARLY] != 0;
	bool pending = plan->final_after_us > 0;
	int64_t final_us = pending ? plan->final_after_us : plan->answer_after_us + AFTER_US;

	if (values[BEHAVIOUR_NOTIFY_NONE] != 0)
		return;
	plan->copies = values[BEHAVIOUR_NOTIFY_TWICE] != 0 ? 2 : 1;
	if (early) {
		plan_notification(plan, plan->status, 0);
		if (plan->answer_after_us < EARLY_US)
			plan->answer_after_us = EARLY_US;
	}
	if (pending || !early)
		plan_notification(plan, plan->final_status, final_us);
	if (values[BEHAVIOUR_NOTIFY_OUT_OF_ORDER] != 0)
		plan_notification(plan, OPERATION_PENDING, final_us + AFTER_US);
}

struct plan plan_make(const struct behaviour *behaviour, int64_t try_number)
{
	const int64_t *values = behaviour->values;
	int64_t fails = values[BEHAVIOUR_FAIL_BEFORE];
	int64_t losses = fails + values[BEHAVIOUR_LOST];
	int64_t done = try_number - losses; /* the how manieth that does the work */
	struct plan plan = {.act = PLAN_DO, .answer = PLAN_ANSWER};

	if (try_number <= losses) {
		plan.act = try_number <= fails ? PLAN_FAIL : PLAN_LOSE;
		return plan;
	}
	if (done <= values[BEHAVIOUR_NO_ANSWER])
		plan.answer = PLAN_ANSWER_NEVER;
	else if (done <= values[BEHAVIOUR_LATE])
		plan.answer = PLAN_ANSWER_LATE;
	plan.answer_after_us = values[BEHAVIOUR_DELAY] * US_PER_MS;
	plan.final_status = OPERATION_SUCCEEDED;
	if (values[BEHAVIOUR_AUTHORIZE_ONLY] != 0)
		plan.final_status = OPERATION_AUTHORIZED;
	if (values[BEHAVIOUR_DECLINE] != 0)
		plan.final_status = OPERATION_DECLINED;
	plan.final_after_us = (values[BEHAVIOUR_PENDING] + values[BEHAVIOUR_ACTION]) * US_PER_MS;
	plan.status = plan.final_status;
	if (plan.final_after_us > 0)
		plan.status = values[BEHAVIOUR_ACTION] != 0 ? OPERATION_REQUIRES_ACTION
							    : OPERATION_PENDING;
	plan_notifications(values, &plan);
	return plan;
}
