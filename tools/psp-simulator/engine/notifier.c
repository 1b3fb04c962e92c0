#include "engine/notifier.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/payments.h"
#include "engine/task.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/id.h"
#include "rt/log.h"
#include "rt/metrics.h"

#define ON_THE_WAY_MAX    64
#define CALL_US_MAX       (2 * RT_US_PER_S)
#define RETRY_US_MIN      (250 * RT_US_PER_MS)
#define RETRY_US_MAX      (30 * RT_US_PER_S)
#define SWEEP_ARENA_BYTES ((size_t)512 << 10)

/* One that is on its way; becomes the task that tells of its delivery. */
struct delivery {
	struct task task; /* first */
	struct notifier *notifier;
	char id[RT_UUID_TEXT_BYTES];
};

static void forget(struct task *task)
{
	free(task);
}

/* What is not taken, or whose end does not fit the queue, stays in the books and is sent again. */
static void notified(void *context, struct rt_status status)
{
	struct delivery *delivery = context;
	struct notifier *notifier = delivery->notifier;

	rt_series_add(RT_SERIES(SIMULATOR_NOTIFICATIONS, rt_is_ok(&status) ? "taken" : "failed"),
		      1);
	if (!rt_is_ok(&status) || !rt_queue_push(notifier->tasks, &delivery->task))
		free(delivery);
	atomic_fetch_sub(&notifier->on_the_way, 1);
}

static void send(struct notifier *notifier, const struct notification *notification)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));

	RT_ASSERT(delivery != NULL);
	delivery->notifier = notifier;
	snprintf(delivery->id, sizeof(delivery->id), "%s", notification->id);
	delivery->task =
		(struct task){.kind = TASK_DELIVERED, .answer = forget, .reference = delivery->id};
	atomic_fetch_add(&notifier->on_the_way, 1);
	payments_notify(&notifier->payments, notification, rt_clock_mono_us() + CALL_US_MAX,
			notified, delivery);
}

static int64_t retry_us(int64_t attempts)
{
	int64_t wait_us = attempts < 8 ? RETRY_US_MIN << attempts : RETRY_US_MAX;
	return wait_us < RETRY_US_MAX ? wait_us : RETRY_US_MAX;
}

/* Before it is sent, so that a crash at any point sends it again rather than never. */
static struct rt_status prepare(struct notifier *notifier, struct books *books,
				const struct notification *notification)
{
	int64_t again_us = rt_clock_wall_us() + CALL_US_MAX + retry_us(notification->attempts);

	if (notification->attempts < notifier->attempts_max)
		return books_notification_postpone(books, notification->id, again_us);
	RT_LOG(WARN, "notification_given_up", RT_TEXT("notification_id", notification->id),
	       RT_INT("attempts", notification->attempts));
	return books_notification_give_up(books, notification->id);
}

static struct rt_status prepare_all(struct notifier *notifier, struct books *books,
				    int64_t settled_wall_us, struct rt_arena *arena,
				    struct notification *notifications, size_t *count)
{
	size_t room = (size_t)(ON_THE_WAY_MAX - atomic_load(&notifier->on_the_way));

	RT_TRY(books_begin(books));
	RT_TRY(books_notifications_due(books, settled_wall_us, room, arena, notifications, count));
	for (size_t i = 0; i < *count; i++)
		RT_TRY(prepare(notifier, books, &notifications[i]));
	return books_commit(books);
}

bool notifier_is_full(const struct notifier *notifier)
{
	return atomic_load(&notifier->on_the_way) >= ON_THE_WAY_MAX;
}

struct rt_status notifier_sweep(struct notifier *notifier, struct books *books,
				int64_t settled_wall_us)
{
	struct notification notifications[ON_THE_WAY_MAX];
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	size_t count = 0;
	struct rt_status status;

	rt_arena_init(&arena, SWEEP_ARENA_BYTES);
	if (notifier->payments.channel == NULL || notifier_is_full(notifier))
		return rt_ok();
	status = prepare_all(notifier, books, settled_wall_us, &arena, notifications, &count);
	if (!rt_is_ok(&status)) {
		books_rollback(books);
		return status;
	}
	for (size_t i = 0; i < count; i++) {
		if (notifications[i].attempts < notifier->attempts_max)
			send(notifier, &notifications[i]);
	}
	return rt_ok();
}
