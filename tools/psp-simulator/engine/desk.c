#include "engine/desk.h"

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
				   const struct task *task, struct plan *plan)
{
	int64_t try_number = 1;

	if (plan_counts_tries(&task->behaviour))
		RT_TRY(books_count_try(books, task->order.reference, &try_number));
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
				    plan->copies, operation->created_wall_us + planned->after_us));
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
	RT_TRY(plan_order(config, books, task, &plan));
	if (!found)
		return serve_new(config, books, task, &plan);
	task->count = 1; /* done before: as it now is, in the manner of the behaviour */
	if (plan.act == PLAN_FAIL)
		task->status = told_to_fail();
	else
		time_answer(&plan, task);
	return rt_ok();
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
