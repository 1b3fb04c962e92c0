#include "engine/desk.h"

#include <stdio.h>
#include <string.h>

#include "domain/plan.h"
#include "rt/clock.h"
#include "rt/id.h"

/* How long after the caller's deadline a late answer comes. */
#define LATE_US (50 * RT_US_PER_MS)

static bool chance(int64_t percent)
{
	return percent > 0 && (int64_t)rt_random_below(100) < percent;
}

static struct rt_status plan_order(const struct desk_config *config, struct books *books,
				   const struct task *task, const char *tries, struct plan *plan)
{
	int64_t try_number = 1;

	if (plan_counts_tries(&task->behaviour))
		RT_TRY(books_count_try(books, tries, &try_number));
	*plan = plan_make(&task->behaviour, try_number);
	if (!task->scripted && chance(config->fail_percent))
		plan->act = PLAN_FAIL;
	if (!task->scripted && chance(config->no_answer_percent))
		plan->answer = PLAN_ANSWER_NEVER;
	return rt_ok();
}

static struct rt_status told_to_fail(void)
{
	return RT_FAIL(UNAVAILABLE, "PROVIDER_UNAVAILABLE", "told to fail before doing anything");
}

/* Never answered: the call has to end all the same, once nobody waits for it any more. */
static void leave_unanswered(struct task *task)
{
	task->unanswered = true;
	task->answer_mono_us = task->deadline_mono_us + LATE_US;
}

static void time_answer(const struct plan *plan, struct task *task)
{
	task->answer_mono_us = rt_clock_mono_us() + plan->answer_after_us;
	if (plan->answer == PLAN_ANSWER_LATE)
		task->answer_mono_us = task->deadline_mono_us + LATE_US;
	if (plan->answer == PLAN_ANSWER_NEVER)
		leave_unanswered(task);
}

static struct rt_status notify(struct books *books, const struct operation *operation,
			       const struct plan *plan)
{
	char id[RT_UUID_TEXT_BYTES];

	for (size_t i = 0; i < plan->notification_count; i++) {
		const struct planned_notification *planned = &plan->notifications[i];
		const struct rt_uuid uuid = rt_uuid_v7();
		rt_uuid_format(&uuid, id);
		RT_TRY(books_notify(books, id, operation->order.reference, planned->shows,
				    plan->copies, operation->updated_wall_us + planned->after_us));
	}
	return rt_ok();
}

static struct rt_status carry_out(const struct desk_config *config, struct books *books,
				  struct task *task, const struct plan *plan)
{
	const struct rt_uuid uuid = rt_uuid_v7();
	struct operation *operation = &task->operations[0];
	char id[RT_UUID_TEXT_BYTES];
	int64_t now_wall_us = rt_clock_wall_us();

	rt_uuid_format(&uuid, id);
	*operation = (struct operation){
		.order = task->order,
		.status = plan->status,
		.final_status = plan->final_status,
		.decline_reason = plan->final_status == OPERATION_DECLINED
					  ? task->behaviour.decline_reason
					  : "",
		.provider_reference = rt_arena_printf(task->arena, "sim-%s", id),
		.created_wall_us = now_wall_us,
		.updated_wall_us = now_wall_us,
		.final_due_wall_us = now_wall_us + plan->final_after_us,
	};
	if (operation->provider_reference == NULL) {
		task->status = RT_FAIL(RESOURCE_EXHAUSTED, "OVERLOADED",
				       "the answer does not fit the call's memory");
		return rt_ok();
	}
	RT_TRY(books_insert(books, operation));
	task->count = 1;
	return config->notifies ? notify(books, operation, plan) : rt_ok();
}

static void decline(struct task *task, struct plan *plan, const char *reason)
{
	plan->final_status = OPERATION_DECLINED;
	if (plan->final_after_us == 0)
		plan->status = OPERATION_DECLINED;
	snprintf(task->behaviour.decline_reason, sizeof(task->behaviour.decline_reason), "%s",
		 reason);
}

/* Never more goes back than was captured. */
static struct rt_status check_refund(struct books *books, struct task *task, struct plan *plan)
{
	struct operation original = {0};
	bool found = false;
	int64_t sum_minor = 0;

	RT_TRY(books_find(books, task->order.original, task->arena, &original, &found));
	RT_TRY(books_refunds_sum(books, task->order.original, &sum_minor));
	if (!found || original.order.kind != OPERATION_CHARGE ||
	    original.status != OPERATION_SUCCEEDED ||
	    strcmp(original.order.currency, task->order.currency) != 0)
		decline(task, plan, "ORIGINAL_NOT_CAPTURED");
	else if (task->order.amount_minor > original.order.amount_minor - sum_minor)
		decline(task, plan, "REFUND_EXCEEDS_CAPTURED");
	return rt_ok();
}

static struct rt_status serve_new(const struct desk_config *config, struct books *books,
				  struct task *task, const struct plan *plan)
{
	switch (plan->act) {
	case PLAN_FAIL:
		task->status = told_to_fail();
		return rt_ok();
	case PLAN_LOSE:
		leave_unanswered(task);
		return rt_ok();
	case PLAN_DO:
		break;
	}
	time_answer(plan, task);
	return carry_out(config, books, task, plan);
}

static struct rt_status serve_order(const struct desk_config *config, struct books *books,
				    struct task *task)
{
	struct plan plan;
	bool found = false;

	RT_TRY(books_find(books, task->order.reference, task->arena, &task->operations[0], &found));
	if (found && !order_same(&task->operations[0].order, &task->order)) {
		task->status = RT_FAIL(FAILED_PRECONDITION, "IDEMPOTENCY_PAYLOAD_MISMATCH",
				       "this reference was used with another content");
		return rt_ok();
	}
	RT_TRY(plan_order(config, books, task, task->order.reference, &plan));
	if (!found && task->order.kind == OPERATION_REFUND)
		RT_TRY(check_refund(books, task, &plan));
	if (!found)
		return serve_new(config, books, task, &plan);
	task->count = 1; /* done before: as it now is, in the manner of the behaviour */
	if (plan.act == PLAN_FAIL)
		task->status = told_to_fail();
	else
		time_answer(&plan, task);
	return rt_ok();
}

/* The behaviour that the authorization was told, as far as it is about answering. */
static struct rt_status follow_behaviour(const struct operation *operation, struct task *task)
{
	const char *instrument = operation->order.instrument;

	task->scripted = behaviour_is_scripted(instrument);
	task->behaviour = (struct behaviour){.decline_reason = "CAPTURE_DECLINED"};
	if (task->scripted)
		RT_TRY(behaviour_parse("instrument", instrument + sizeof(BEHAVIOUR_PREFIX) - 1,
				       &task->behaviour));
	task->behaviour.values[BEHAVIOUR_DECLINE] = 0;
	task->behaviour.values[BEHAVIOUR_PENDING] = 0;
	task->behaviour.values[BEHAVIOUR_ACTION] = 0;
	return rt_ok();
}

static bool ends(const struct task *task, struct operation *operation)
{
	bool declines = task->behaviour.values[BEHAVIOUR_CAPTURE_DECLINE] != 0;

	if (task->kind == TASK_CANCEL) {
		if (operation->status != OPERATION_AUTHORIZED &&
		    operation->status != OPERATION_REQUIRES_ACTION)
			return false;
		operation->status = OPERATION_CANCELED;
		operation->decline_reason = "";
		return true;
	}
	if (operation->status != OPERATION_AUTHORIZED)
		return false;
	operation->status = declines ? OPERATION_DECLINED : OPERATION_SUCCEEDED;
	operation->decline_reason = declines ? "CAPTURE_DECLINED" : "";
	return true;
}

/* Captures or cancels; done before, it is answered as it now is, in the manner of the behaviour. */
static struct rt_status serve_follow(const struct desk_config *config, struct books *books,
				     struct task *task)
{
	struct operation *operation = &task->operations[0];
	const char *tries = rt_arena_printf(task->arena, "%s/%s", task->reference,
					    task->kind == TASK_CAPTURE ? "capture" : "cancel");
	struct plan plan;
	bool found = false;

	RT_TRY(books_find(books, task->reference, task->arena, operation, &found));
	if (!found || operation->order.kind != OPERATION_CHARGE) {
		task->status = RT_FAIL(NOT_FOUND, "OPERATION_NOT_FOUND",
				       "there is no authorization of this reference");
		return rt_ok();
	}
	RT_TRY(follow_behaviour(operation, task));
	RT_TRY(plan_order(config, books, task, tries, &plan));
	if (plan.act == PLAN_FAIL) {
		task->status = told_to_fail();
		return rt_ok();
	}
	if (plan.act == PLAN_LOSE) {
		leave_unanswered(task);
		return rt_ok();
	}
	time_answer(&plan, task);
	task->count = 1;
	if (!ends(task, operation))
		return rt_ok();
	operation->updated_wall_us = rt_clock_wall_us();
	operation->final_status = operation->status;
	plan.notifications[0] = (struct planned_notification){.shows = operation->status};
	plan.notification_count = plan.notification_count > 0 ? 1 : 0;
	RT_TRY(books_end(books, operation));
	return config->notifies ? notify(books, operation, &plan) : rt_ok();
}

static struct rt_status serve_find(struct books *books, struct task *task)
{
	bool found = false;

	RT_TRY(books_find(books, task->reference, task->arena, &task->operations[0], &found));
	task->count = found ? 1 : 0;
	if (!found)
		task->status = RT_FAIL(NOT_FOUND, "OPERATION_NOT_FOUND",
				       "there is no operation of this reference");
	return rt_ok();
}

struct rt_status desk_serve(const struct desk_config *config, struct books *books,
			    struct task *task)
{
	task->status = rt_ok();
	switch (task->kind) {
	case TASK_ORDER:
		return serve_order(config, books, task);
	case TASK_CAPTURE:
	case TASK_CANCEL:
		return serve_follow(config, books, task);
	case TASK_FIND:
		return serve_find(books, task);
	case TASK_LIST:
		return books_list(books, task->after, task->limit, task->arena, task->operations,
				  &task->count);
	case TASK_DELIVERED:
		return books_notification_delivered(books, task->reference, rt_clock_wall_us());
	case TASK_WAKE:
		break;
	}
	return rt_ok();
}
