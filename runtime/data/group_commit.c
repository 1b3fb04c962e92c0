/* Group commit: taking items in, keeping their time, and the end. */
#include "rt/group_commit.h"

#include <stdlib.h>

#include "commit_internal.h"
#include "rt/assert.h"
#include "rt/clock.h"

/* How often what waits is looked through for what has expired. */
#define EXPIRY_US          (20 * RT_US_PER_MS)
#define RETRY_AFTER_MS_MAX 2000
#define RETRY_AFTER_MS_MIN 10
/* How many times what is left for others a source may have waiting: for a key, and over all. */
#define SHARE              ((size_t)8)
#define SHARE_OF_ALL       (SHARE * SHARE)

static void fail_list(struct rt_commit *commit, struct rt_commit_item *item,
		      struct rt_status status)
{
	while (item != NULL) {
		/* Once answered it is not ours any more. */
		struct rt_commit_item *next = item->next;
		item->next = NULL;
		commit->config.fail(commit->config.context, item, status);
		item = next;
	}
}

/* Waits until something may have expired; false at the end. */
static bool take_expired(struct rt_commit *commit, struct rt_commit_item **expired)
{
	RT_LOCKED(&commit->lock);
	commit->timekeeper_idle = true;
	while (!commit->stopped && commit->queues.waiting == 0)
		rt_lock_wait(&commit->lock, &commit->expiry, RT_NO_DEADLINE);
	commit->timekeeper_idle = false;
	int64_t look_us = rt_clock_mono_us() + EXPIRY_US;
	while (!commit->stopped && rt_clock_mono_us() < look_us)
		rt_lock_wait(&commit->lock, &commit->expiry, look_us);
	*expired = commit_queues_expired(&commit->queues, rt_clock_mono_us());
	if (*expired != NULL)
		commit_show_waiting(commit);
	return !commit->stopped;
}

/* A lane, or the end, may wait for the last that expired. */
static void tell_idle(struct rt_commit *commit)
{
	RT_LOCKED(&commit->lock);
	if (commit->stopping) {
		commit_wake_lanes(commit);
		pthread_cond_signal(&commit->idle);
	}
}

/* Fails what expires while it waits, also when all lanes are stuck. */
static void *keep_time(void *argument)
{
	struct rt_commit *commit = argument;
	bool goes_on = true;
	while (goes_on) {
		struct rt_commit_item *expired = NULL;
		goes_on = take_expired(commit, &expired);
		if (expired == NULL)
			continue;
		fail_list(commit, expired,
			  RT_FAIL(DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
				  "it waited too long for its transaction"));
		tell_idle(commit);
	}
	return NULL;
}

static void start_lane(struct rt_commit *commit, struct commit_lane *lane)
{
	lane->commit = commit;
	lane->pg = rt_pg_new(&commit->config.pg);
	lane->items = calloc(commit->config.batch_items_max, sizeof(struct rt_commit_item *));
	RT_ASSERT(lane->items != NULL);
	rt_arena_init(&lane->arena, commit->config.arena_bytes);
	rt_condition_init(&lane->work);
	int failed = pthread_create(&lane->thread, NULL, commit_lane_run, lane);
	RT_ASSERT(failed == 0);
}

struct rt_commit *rt_commit_new(const struct rt_commit_config *config)
{
	RT_ASSERT(config->lanes > 0);
	RT_ASSERT(config->batch_items_max > 0);
	RT_ASSERT(config->queue_max > 0);
	struct rt_commit *commit =
		calloc(1, sizeof(*commit) + config->lanes * sizeof(commit->lanes[0]));
	RT_ASSERT(commit != NULL);
	commit->config = *config;
	commit->series_batch = RT_SERIES(COMMIT_BATCH, config->name);
	commit->series_seconds = RT_SERIES(COMMIT_SECONDS, config->name);
	commit->series_queue = RT_SERIES(COMMIT_QUEUE, config->name);
	rt_lock_init(&commit->lock, RT_RANK_COMMIT);
	rt_condition_init(&commit->expiry);
	rt_condition_init(&commit->pause);
	rt_condition_init(&commit->idle);
	for (; commit->lane_count < config->lanes; commit->lane_count++)
		start_lane(commit, &commit->lanes[commit->lane_count]);
	int failed = pthread_create(&commit->timekeeper, NULL, keep_time, commit);
	RT_ASSERT(failed == 0);
	return commit;
}

/* About how long what waits will take. */
static int64_t retry_after_ms(const struct rt_commit *commit)
{
	int64_t batches = (int64_t)(commit->queues.waiting / commit->config.batch_items_max) + 1;
	int64_t wait_ms = batches * commit->batch_us / (int64_t)commit->config.lanes / RT_US_PER_MS;
	if (wait_ms < RETRY_AFTER_MS_MIN)
		return RETRY_AFTER_MS_MIN;
	return wait_ms < RETRY_AFTER_MS_MAX ? wait_ms : RETRY_AFTER_MS_MAX;
}

static struct rt_status queue_full(const struct rt_commit *commit)
{
	struct rt_status status =
		RT_FAIL(RESOURCE_EXHAUSTED, "QUEUE_FULL", "too much waits for the database");
	status.retry_after_ms = retry_after_ms(commit);
	return status;
}

/* Whether so many waiting and one more are within so many times the room that is left then. Who has
 * none waiting needs none left. */
static bool within(size_t waiting, size_t share, size_t room)
{
	return waiting / share + (waiting % share != 0) < room;
}

/* One source, however much it brings, leaves room for the others; and at one key, for what it
 * brings itself for others. */
static bool has_room(struct rt_commit *commit, const struct rt_commit_item *item)
{
	struct commit_queues *queues = &commit->queues;
	if (queues->waiting >= commit->config.queue_max)
		return false;
	size_t room = commit->config.queue_max - queues->waiting;
	return item->source == 0 ||
	       (within(commit_queues_count(queues, item), SHARE, room) &&
		within(commit_queues_count_all(queues, item), SHARE_OF_ALL, room));
}

struct rt_status rt_commit_submit(struct rt_commit *commit, struct rt_commit_item *item)
{
	RT_ASSERT(item->weight > 0);
	RT_LOCKED(&commit->lock);
	if (commit->stopping)
		return RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "the service is shutting down");
	if (!has_room(commit, item))
		return queue_full(commit);
	if (commit->timekeeper_idle)
		pthread_cond_signal(&commit->expiry);
	if (commit_queues_add(&commit->queues, item))
		commit_wake_lane(commit);
	commit_show_waiting(commit);
	return rt_ok();
}

size_t rt_commit_waiting(struct rt_commit *commit)
{
	RT_LOCKED(&commit->lock);
	return commit->queues.waiting;
}

int64_t rt_commit_busy_us(struct rt_commit *commit)
{
	RT_LOCKED(&commit->lock);
	commit_count_busy(commit, 0);
	return commit->busy_us;
}

/* Refuses what comes, waits until all is done or the deadline, and takes out what is left. */
static struct rt_commit_item *wind_down(struct rt_commit *commit, int64_t deadline_mono_us)
{
	RT_LOCKED(&commit->lock);
	commit->stopping = true;
	commit_wake_lanes(commit);
	while ((commit->queues.waiting > 0 || commit->lanes_busy > 0) &&
	       rt_clock_mono_us() < deadline_mono_us)
		rt_lock_wait(&commit->lock, &commit->idle, deadline_mono_us);
	struct rt_commit_item *rest = commit_queues_drain(&commit->queues);
	commit_show_waiting(commit);
	commit->stopped = true;
	commit_wake_lanes(commit);
	pthread_cond_broadcast(&commit->pause);
	pthread_cond_broadcast(&commit->expiry);
	return rest;
}

void rt_commit_stop(struct rt_commit *commit, int64_t deadline_mono_us)
{
	struct rt_commit_item *rest = wind_down(commit, deadline_mono_us);
	fail_list(commit, rest,
		  RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "the service is shutting down"));
	for (size_t i = 0; i < commit->lane_count; i++)
		pthread_join(commit->lanes[i].thread, NULL);
	pthread_join(commit->timekeeper, NULL);
}

void rt_commit_destroy(struct rt_commit *commit)
{
	RT_ASSERT(commit->stopped);
	for (size_t i = 0; i < commit->lane_count; i++) {
		rt_pg_destroy(commit->lanes[i].pg);
		rt_arena_deinit(&commit->lanes[i].arena);
		pthread_cond_destroy(&commit->lanes[i].work);
		free(commit->lanes[i].items);
	}
	commit_queues_deinit(&commit->queues);
	pthread_cond_destroy(&commit->expiry);
	pthread_cond_destroy(&commit->pause);
	pthread_cond_destroy(&commit->idle);
	rt_lock_deinit(&commit->lock);
	free(commit);
}
