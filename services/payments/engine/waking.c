/* See waking.h. */
#include "engine/waking.h"

#include <stdlib.h>

#include "engine/executor.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/lock.h"
#include "rt/log.h"
#include "store/cancel_store.h"
#include "store/wake_store.h"

#define STATEMENT_US_MAX (5 * RT_US_PER_S)
#define ARENA_BYTES      ((size_t)1 << 20)
/* Looks between two sweeps of what was left for processes that are gone. */
#define SWEEP_EVERY      600

struct waking {
	struct waking_config config;
	struct rt_uuid worker_id;
	struct rt_pg *pg;
	pthread_t thread;
	struct rt_lock lock;
	pthread_cond_t changed;
	bool stop;
};

/* A wish for a payment that is not in memory yet: it was recorded a moment ago, or is being taken
 * over. It is put back, unless it is too late. */
static struct rt_status put_back(struct waking *waking, const struct wake *wake,
				 struct rt_arena *arena)
{
	bool wanted = false;

	return cancel_store_want(waking->pg, &wake->place, "", arena,
				 rt_clock_mono_us() + STATEMENT_US_MAX, &wanted);
}

/* One that was handed over since takes no more steps here; a wish went to who has it with it. */
static struct rt_status wake_one(struct waking *waking, const struct wake *wake,
				 struct rt_arena *arena)
{
	struct executor *executor = waking->config.executor;
	const struct rt_uuid *payment_id = &wake->place.payment_id;

	if (!rt_uuid_equal(&wake->owner, &waking->worker_id)) {
		executor_displace(executor, payment_id);
		return rt_ok();
	}
	if (!wake->cancel) {
		executor_wake(executor, payment_id);
		return rt_ok();
	}
	return executor_call_off(executor, payment_id) ? rt_ok() : put_back(waking, wake, arena);
}

static struct rt_status look(struct waking *waking, struct rt_arena *arena)
{
	struct wake *wakes = NULL;
	size_t count = 0;

	RT_TRY(wake_store_take(waking->pg, &waking->worker_id, arena,
			       rt_clock_mono_us() + STATEMENT_US_MAX, &wakes, &count));
	struct rt_status status = rt_ok();

	for (size_t i = 0; i < count; i++) {
		struct rt_status one = wake_one(waking, &wakes[i], arena);

		if (!rt_is_ok(&one))
			status = one;
	}
	return status;
}

/* False when told to stop. */
static bool rest(struct waking *waking)
{
	int64_t due_us = rt_clock_mono_us() + waking->config.interval_ms * RT_US_PER_MS;

	RT_LOCKED(&waking->lock);
	while (!waking->stop && rt_clock_mono_us() < due_us)
		rt_lock_wait(&waking->lock, &waking->changed, due_us);
	return !waking->stop;
}

static void *run(void *context)
{
	struct waking *waking = context;
	struct rt_arena arena;
	bool failing = false;
	unsigned looks = 0;

	rt_arena_init(&arena, ARENA_BYTES);
	while (rest(waking)) {
		struct rt_status status = look(waking, &arena);

		if (rt_is_ok(&status) && ++looks % SWEEP_EVERY == 0)
			status =
				wake_store_sweep(waking->pg, rt_clock_mono_us() + STATEMENT_US_MAX);
		if (!rt_is_ok(&status) && !failing)
			RT_LOG(WARN, "waking_failed", RT_STATUS(&status));
		failing = !rt_is_ok(&status);
		rt_arena_deinit(&arena);
	}
	return NULL;
}

struct waking *waking_start(const struct waking_config *config)
{
	struct waking *waking = calloc(1, sizeof(*waking));

	RT_ASSERT(waking != NULL);
	waking->config = *config;
	waking->worker_id = executor_worker_id(config->executor);
	waking->pg = rt_pg_new(&config->pg);
	rt_lock_init(&waking->lock, RT_RANK_SERVICE);
	rt_condition_init(&waking->changed);
	int failed = pthread_create(&waking->thread, NULL, run, waking);

	RT_ASSERT(failed == 0);
	return waking;
}

void waking_stop(struct waking *waking)
{
	rt_lock_take(&waking->lock);
	waking->stop = true;
	pthread_cond_signal(&waking->changed);
	rt_lock_give(&waking->lock);
	pthread_join(waking->thread, NULL);
	rt_pg_destroy(waking->pg);
	pthread_cond_destroy(&waking->changed);
	rt_lock_deinit(&waking->lock);
	free(waking);
}
