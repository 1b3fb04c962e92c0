#include "engine/teller.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "engine/held.h"
#include "engine/notifier.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/log.h"
#include "rt/metrics.h"
#include "rt/queue.h"

#define BATCH_MAX 256
/* How soon work is looked for again when as many notifications as allowed are on their way, or the
 * books failed. */
#define SOON_US   (20 * RT_US_PER_MS)
#define LATER_US  (1000 * RT_US_PER_MS)

struct teller {
	struct teller_config config;
	struct rt_queue *queue;
	struct held held;
	struct notifier notifier;
	struct task wake;
	atomic_bool releasing;
	atomic_bool stopping;
	atomic_bool works;
	pthread_t thread;
};

static struct rt_status serve_all(struct teller *teller, struct task **tasks, size_t count)
{
	struct books *books = teller->config.books;

	RT_TRY(books_begin(books));
	for (size_t i = 0; i < count; i++) {
		struct rt_status status = desk_serve(&teller->config.desk, books, tasks[i]);
		if (status.code == RT_RESOURCE_EXHAUSTED)
			tasks[i]->status =
				status; /* its own memory is full: nobody else's matter */
		else
			RT_TRY(status);
	}
	return books_commit(books);
}

static void note_health(struct teller *teller, const struct rt_status *status)
{
	if (atomic_exchange(&teller->works, rt_is_ok(status)) && !rt_is_ok(status))
		RT_LOG(ERROR, "books_failed", RT_STATUS(status));
}

static void count_order(const struct task *task)
{
	const struct operation *operation = &task->operations[0];

	if (task->kind != TASK_ORDER || task->count == 0)
		return;
	rt_series_add(RT_SERIES(SIMULATOR_OPERATIONS, operation_kind_name(operation->order.kind),
				operation_status_name(operation->status)),
		      1);
}

static void answer(struct task *task, bool shutting_down)
{
	if (task->unanswered && shutting_down)
		task->status = RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "the simulator stops");
	else if (task->unanswered)
		task->status = RT_FAIL(DEADLINE_EXCEEDED, "NO_ANSWER", "told not to answer");
	task->answer(task);
}

static void answer_or_hold(struct teller *teller, struct task *task)
{
	bool releasing = atomic_load(&teller->releasing);

	if (rt_is_ok(&task->status) && task->answer_mono_us > rt_clock_mono_us() && !releasing &&
	    held_add(&teller->held, task))
		return;
	answer(task, releasing);
}

static void serve(struct teller *teller, struct task **tasks, size_t count)
{
	struct rt_status status = serve_all(teller, tasks, count);

	note_health(teller, &status);
	if (!rt_is_ok(&status))
		books_rollback(teller->config.books);
	for (size_t i = 0; i < count; i++) {
		if (tasks[i]->kind == TASK_WAKE)
			continue;
		if (!rt_is_ok(&status))
			tasks[i]->status = status;
		else
			count_order(tasks[i]);
		answer_or_hold(teller, tasks[i]);
	}
}

static void answer_due(struct teller *teller)
{
	bool releasing = atomic_load(&teller->releasing);
	int64_t until_us = releasing ? INT64_MAX : rt_clock_mono_us();
	struct task *task;

	while ((task = held_take(&teller->held, until_us)) != NULL)
		answer(task, releasing);
}

/* Makes final and notifies what is due by the clock on the wall. */
static struct rt_status do_due(struct teller *teller)
{
	struct books *books = teller->config.books;
	int64_t now_us = rt_clock_wall_us();
	int64_t settled = 0;

	RT_TRY(books_settle(books, now_us, &settled));
	return notifier_sweep(&teller->notifier, books, now_us);
}

/* When the teller has to look around again, whatever arrives. */
static int64_t next_us(struct teller *teller, int64_t books_due_wall_us)
{
	int64_t now_us = rt_clock_mono_us();
	int64_t next = held_next_us(&teller->held);

	if (!atomic_load(&teller->works))
		return now_us + LATER_US < next ? now_us + LATER_US : next;
	if (books_due_wall_us != INT64_MAX) {
		int64_t wait_us = books_due_wall_us - rt_clock_wall_us();
		if (wait_us < SOON_US && notifier_is_full(&teller->notifier))
			wait_us = SOON_US;
		if (now_us + wait_us < next)
			next = now_us + wait_us;
	}
	return next;
}

/* Does what is due in the books; returns when there is something to do again. */
static int64_t look_around(struct teller *teller)
{
	int64_t due_wall_us = INT64_MAX;
	bool notifies = teller->config.payments.channel != NULL;
	struct rt_status status = books_next_due(teller->config.books, notifies, &due_wall_us);

	if (rt_is_ok(&status) && due_wall_us <= rt_clock_wall_us() &&
	    !notifier_is_full(&teller->notifier)) {
		status = do_due(teller);
		if (rt_is_ok(&status))
			status = books_next_due(teller->config.books, notifies, &due_wall_us);
	}
	note_health(teller, &status);
	return next_us(teller, due_wall_us);
}

static void *work(void *argument)
{
	struct teller *teller = argument;
	struct task *tasks[BATCH_MAX];

	while (!atomic_load(&teller->stopping) || rt_queue_length(teller->queue) > 0) {
		int64_t wake_us = look_around(teller);
		size_t count = rt_queue_pop_many(teller->queue, (void **)tasks, BATCH_MAX, wake_us);
		if (count > 0)
			serve(teller, tasks, count);
		answer_due(teller);
	}
	answer_due(teller);
	return NULL;
}

struct rt_status teller_new(const struct teller_config *config, struct teller **result)
{
	struct teller *teller = calloc(1, sizeof(*teller));

	RT_ASSERT(teller != NULL);
	teller->config = *config;
	teller->queue = rt_queue_new(config->queue_max);
	teller->wake.kind = TASK_WAKE;
	teller->notifier = (struct notifier){
		.payments = config->payments,
		.tasks = teller->queue,
		.attempts_max = config->notify_attempts_max,
	};
	held_init(&teller->held, config->queue_max);
	atomic_store(&teller->works, true);
	if (pthread_create(&teller->thread, NULL, work, teller) != 0) {
		teller_destroy(teller);
		return RT_FAIL(RESOURCE_EXHAUSTED, "NO_THREAD", "a thread could not be started");
	}
	*result = teller;
	return rt_ok();
}

struct rt_status teller_submit(struct teller *teller, struct task *task)
{
	if (rt_queue_push(teller->queue, task))
		return rt_ok();
	struct rt_status status =
		RT_FAIL(RESOURCE_EXHAUSTED, "OVERLOADED", "too many requests wait");
	status.retry_after_ms = 100;
	return status;
}

bool teller_works(const struct teller *teller)
{
	return atomic_load(&teller->works);
}

void teller_release(struct teller *teller)
{
	atomic_store(&teller->releasing, true);
	(void)rt_queue_push(teller->queue, &teller->wake); /* full: the teller is awake */
}

void teller_stop(struct teller *teller)
{
	atomic_store(&teller->releasing, true);
	atomic_store(&teller->stopping, true);
	rt_queue_close(teller->queue);
	pthread_join(teller->thread, NULL);
}

void teller_destroy(struct teller *teller)
{
	held_deinit(&teller->held);
	rt_queue_destroy(teller->queue);
	free(teller);
}
