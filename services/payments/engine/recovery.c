/* The lease and the taking over; see recovery.h. A process is alive as long as its row in
 * saga_workers says so; a saga belongs to whoever its row names, and the fence, which each change
 * of hands moves, keeps the one before from writing. */
#include "engine/recovery.h"

#include <stdlib.h>

#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/lock.h"
#include "rt/log.h"

#define TAKE_MAX         500
#define STATEMENT_US_MAX (5 * RT_US_PER_S)
#define ARENA_BYTES      (8U << 20)
/* How often this process looks after its own: what it has lost from memory, what is unknown for
 * long. */
#define SWEEP_US         (5 * RT_US_PER_S)
#define SWEEP_MAX        5000
/* What has changed since is being worked on. */
#define STRAY_AGE_MS     10000

struct recovery {
	struct recovery_config config;
	struct rt_uuid worker_id;
	struct rt_pg *pg;
	pthread_t thread;
	struct rt_lock lock;
	pthread_cond_t changed;
	bool stop;
	struct rt_uuid swept; /* the last payment that was looked at; nil: from the beginning */
};

static int64_t statement_deadline(void)
{
	return rt_clock_mono_us() + STATEMENT_US_MAX;
}

static struct rt_status renew(struct recovery *recovery)
{
	return payment_store_renew_lease(recovery->pg, &recovery->worker_id,
					 recovery->config.lease_ms, statement_deadline());
}

/* Takes sagas of one owner until there are none, or no room. */
static struct rt_status take_from(struct recovery *recovery, const struct rt_uuid *owner,
				  struct rt_arena *arena)
{
	size_t count = TAKE_MAX;
	int64_t total = 0;

	while (count == TAKE_MAX && executor_room(recovery->config.executor) > TAKE_MAX) {
		struct payment_lapsed *lapsed = NULL;
		struct rt_status status = payment_store_take_lapsed(
			recovery->pg, owner, &recovery->worker_id, TAKE_MAX, arena,
			statement_deadline(), &lapsed, &count);

		if (rt_is_ok(&status) || status.code == RT_OUTCOME_UNKNOWN)
			executor_adopt(recovery->config.executor, lapsed, count);
		if (!rt_is_ok(&status))
			return status;
		total += (int64_t)count;
		rt_arena_deinit(arena);
		RT_TRY(renew(recovery));
	}
	if (total > 0)
		RT_LOG(INFO, "sagas_taken_over", RT_UUID("from", owner), RT_INT("count", total));
	return rt_ok();
}

static struct rt_status take_over(struct recovery *recovery, struct rt_arena *arena)
{
	struct rt_uuid *found = NULL;
	size_t count = 0;

	RT_TRY(payment_store_find_lapsed(recovery->pg, &recovery->worker_id, arena,
					 statement_deadline(), &found, &count));
	/* One at a time: the arena is emptied between, and the next look finds the rest. */
	if (count == 0)
		return rt_ok();
	struct rt_uuid owner = found[rt_random_below(count)];

	rt_arena_deinit(arena);
	return take_from(recovery, &owner, arena);
}

/* Payments of this process that are open and not in its memory, after a commit whose answer was
 * lost for good, are let go: they are taken over as if their process were gone. A page of them each
 * time. */
static struct rt_status let_strays_go(struct recovery *recovery, struct rt_arena *arena)
{
	struct payment_place *places = NULL;
	size_t count = 0;

	RT_TRY(payment_store_own_open(recovery->pg, &recovery->worker_id, &recovery->swept,
				      STRAY_AGE_MS, SWEEP_MAX, arena, statement_deadline(), &places,
				      &count));
	recovery->swept = count < SWEEP_MAX ? (struct rt_uuid){0} : places[count - 1].payment_id;
	size_t strays = executor_strays(recovery->config.executor, places, count);

	if (strays == 0)
		return rt_ok();
	RT_LOG(WARN, "sagas_let_go", RT_INT("count", (int64_t)strays));
	return payment_store_let_go(recovery->pg, &recovery->worker_id, places, strays, arena,
				    statement_deadline());
}

static struct rt_status list_for_review(struct recovery *recovery, struct rt_arena *arena)
{
	int64_t marked = 0;

	RT_TRY(payment_store_mark_review(recovery->pg, &recovery->worker_id,
					 recovery->config.review_ms, arena, statement_deadline(),
					 &marked));
	if (marked > 0)
		RT_LOG(ERROR, "payments_need_review", RT_INT("count", marked));
	return rt_ok();
}

/* False when told to stop. */
static bool sleep_until(struct recovery *recovery, int64_t due_us)
{
	RT_LOCKED(&recovery->lock);
	while (!recovery->stop && rt_clock_mono_us() < due_us)
		rt_lock_wait(&recovery->lock, &recovery->changed, due_us);
	return !recovery->stop;
}

static void report(const char *event, struct rt_status status)
{
	if (!rt_is_ok(&status))
		RT_LOG(WARN, event, RT_STATUS(&status));
}

static void *run(void *context)
{
	struct recovery *recovery = context;
	int64_t renew_every_us = recovery->config.lease_ms * RT_US_PER_MS / 3;
	int64_t look_every_us = recovery->config.interval_ms * RT_US_PER_MS;
	int64_t renew_at_us = 0;
	int64_t sweep_at_us = rt_clock_mono_us() + SWEEP_US;
	struct rt_arena arena;

	rt_arena_init(&arena, ARENA_BYTES);
	do {
		int64_t now_us = rt_clock_mono_us();

		if (now_us >= renew_at_us) {
			report("lease_renew_failed", renew(recovery));
			renew_at_us = now_us + renew_every_us;
		}
		report("take_over_failed", take_over(recovery, &arena));
		rt_arena_deinit(&arena);
		if (now_us >= sweep_at_us) {
			report("sweep_failed", let_strays_go(recovery, &arena));
			report("review_failed", list_for_review(recovery, &arena));
			rt_arena_deinit(&arena);
			sweep_at_us = now_us + SWEEP_US;
		}
	} while (sleep_until(recovery, rt_clock_mono_us() + (look_every_us < renew_every_us
								     ? look_every_us
								     : renew_every_us)));
	return NULL;
}

struct rt_status recovery_start(const struct recovery_config *config, struct recovery **made)
{
	struct recovery *recovery = calloc(1, sizeof(*recovery));

	RT_ASSERT(recovery != NULL);
	recovery->config = *config;
	recovery->worker_id = executor_worker_id(config->executor);
	recovery->pg = rt_pg_new(&config->pg);
	rt_lock_init(&recovery->lock, RT_RANK_SERVICE);
	rt_condition_init(&recovery->changed);
	struct rt_status status =
		payment_store_begin_lease(recovery->pg, &recovery->worker_id, config->host,
					  config->lease_ms, statement_deadline());

	if (!rt_is_ok(&status)) {
		rt_pg_destroy(recovery->pg);
		free(recovery);
		return status;
	}
	RT_ASSERT(pthread_create(&recovery->thread, NULL, run, recovery) == 0);
	*made = recovery;
	return rt_ok();
}

void recovery_stop(struct recovery *recovery)
{
	rt_lock_take(&recovery->lock);
	recovery->stop = true;
	pthread_cond_signal(&recovery->changed);
	rt_lock_give(&recovery->lock);
	pthread_join(recovery->thread, NULL);
}

void recovery_release(struct recovery *recovery, int64_t deadline_mono_us)
{
	struct rt_status status =
		payment_store_end_lease(recovery->pg, &recovery->worker_id, deadline_mono_us);

	if (!rt_is_ok(&status))
		RT_LOG(WARN, "lease_release_failed", RT_STATUS(&status));
	rt_pg_destroy(recovery->pg);
	pthread_cond_destroy(&recovery->changed);
	rt_lock_deinit(&recovery->lock);
	free(recovery);
}
