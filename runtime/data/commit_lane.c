/* A lane: takes a batch, and brings it to an end. */
#include "commit_internal.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/log.h"

#define BACKOFF_US_LEAST (2 * RT_US_PER_MS)
#define BACKOFF_US_MOST  (500 * RT_US_PER_MS)

/* How the attempts at a batch stand. */
struct attempt {
	struct rt_status last;
	struct rt_status unknown; /* the first OUTCOME_UNKNOWN; it stays one whatever comes after */
	int64_t backoff_us;
};

void commit_show_waiting(struct rt_commit *commit)
{
	rt_series_set(commit->series_queue, (int64_t)commit->queues.waiting);
}

static void fail_item(struct rt_commit *commit, struct rt_commit_item *item,
		      const struct attempt *attempt)
{
	bool unknown = attempt->unknown.code == RT_OUTCOME_UNKNOWN;
	commit->config.fail(commit->config.context, item,
			    unknown ? attempt->unknown : attempt->last);
}

static bool is_transient(enum rt_code code)
{
	return code == RT_ABORTED || code == RT_UNAVAILABLE || code == RT_OUTCOME_UNKNOWN ||
	       code == RT_DEADLINE_EXCEEDED;
}

static void learn_duration(struct rt_commit *commit, int64_t duration_us)
{
	RT_LOCKED(&commit->lock);
	commit->batch_us += (duration_us - commit->batch_us) / 8;
}

static struct rt_status try_once(struct commit_lane *lane, struct rt_commit_item **items,
				 size_t count)
{
	struct rt_commit *commit = lane->commit;
	int64_t begun_us = rt_clock_mono_us();
	struct rt_status status =
		commit->config.batch(commit->config.context, lane->pg, items, count, &lane->arena);
	rt_arena_deinit(&lane->arena);
	/* A batch function that leaves early may leave its transaction open. */
	rt_pg_abandon(lane->pg);
	if (!rt_is_ok(&status))
		return status;
	int64_t duration_us = rt_clock_mono_us() - begun_us;
	rt_series_observe_count(commit->series_batch, (int64_t)count);
	rt_series_observe_us(commit->series_seconds, duration_us);
	learn_duration(commit, duration_us);
	return status;
}

/* Fails the items whose time is up, and closes the ranks. */
static size_t fail_expired(struct rt_commit *commit, struct rt_commit_item **items, size_t count,
			   const struct attempt *attempt)
{
	int64_t now_us = rt_clock_mono_us();
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (items[i]->deadline_mono_us <= now_us)
			fail_item(commit, items[i], attempt);
		else
			items[kept++] = items[i];
	}
	return kept;
}

static int64_t earliest_deadline(struct rt_commit_item *const *items, size_t count)
{
	int64_t earliest_us = RT_NO_DEADLINE;
	for (size_t i = 0; i < count; i++)
		if (items[i]->deadline_mono_us < earliest_us)
			earliest_us = items[i]->deadline_mono_us;
	return earliest_us;
}

/* Sleeps before the next attempt, or until there shall be none. */
static void pause_lane(struct rt_commit *commit, struct attempt *attempt, int64_t until_most_us)
{
	int64_t half_us = attempt->backoff_us / 2;
	int64_t until_us =
		rt_clock_mono_us() + half_us + (int64_t)rt_random_below((uint64_t)half_us + 1);
	if (until_us > until_most_us)
		until_us = until_most_us;
	attempt->backoff_us *= 2;
	if (attempt->backoff_us > BACKOFF_US_MOST)
		attempt->backoff_us = BACKOFF_US_MOST;
	RT_LOCKED(&commit->lock);
	while (!commit->stopped && rt_clock_mono_us() < until_us)
		rt_lock_wait(&commit->lock, &commit->pause, until_us);
}

static bool is_stopped(struct rt_commit *commit)
{
	RT_LOCKED(&commit->lock);
	return commit->stopped;
}

static void note(struct attempt *attempt, struct rt_status status)
{
	attempt->last = status;
	if (status.code == RT_OUTCOME_UNKNOWN && attempt->unknown.code == RT_OK)
		attempt->unknown = status;
}

/* Tries until all items are answered, or failed for lateness, or the error is one that lasts: then
 * returns how many are left. */
static size_t try_while_transient(struct commit_lane *lane, struct rt_commit_item **items,
				  size_t count, struct attempt *attempt)
{
	while (!is_stopped(lane->commit)) {
		struct rt_status status = try_once(lane, items, count);
		if (rt_is_ok(&status))
			return 0;
		note(attempt, status);
		if (!is_transient(status.code))
			return count;
		count = fail_expired(lane->commit, items, count, attempt);
		if (count == 0)
			return 0;
		pause_lane(lane->commit, attempt, earliest_deadline(items, count));
	}
	for (size_t i = 0; i < count; i++)
		fail_item(lane->commit, items[i], attempt);
	return 0;
}

/* Halves what fails for good until the item that is to blame is alone. The depth is the logarithm
 * of the batch's size. */
static void carry_out(struct commit_lane *lane, struct rt_commit_item **items, size_t count,
		      const struct rt_status *unknown)
{
	struct attempt attempt = {
		.last = RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "the service is shutting down"),
		.unknown = *unknown,
		.backoff_us = BACKOFF_US_LEAST,
	};
	size_t left = try_while_transient(lane, items, count, &attempt);
	if (left == 0)
		return;
	if (left == 1) {
		fail_item(lane->commit, items[0], &attempt);
		return;
	}
	RT_LOG(DEBUG, "commit_split", RT_TEXT("name", lane->commit->config.name),
	       RT_INT("items", (int64_t)left), RT_STATUS(&attempt.last));
	carry_out(lane, items, left / 2, &attempt.unknown);
	carry_out(lane, items + left / 2, left - left / 2, &attempt.unknown);
}

void commit_count_busy(struct rt_commit *commit, int change)
{
	int64_t now_us = rt_clock_mono_us();
	commit->busy_us += (int64_t)commit->lanes_busy * (now_us - commit->busy_at_us);
	commit->busy_at_us = now_us;
	commit->lanes_busy += (size_t)change;
}

void commit_wake_lane(struct rt_commit *commit)
{
	struct commit_lane *lane = commit->resting;
	if (lane == NULL)
		return;
	commit->resting = lane->resting_next;
	lane->rests = false;
	pthread_cond_signal(&lane->work);
}

void commit_wake_lanes(struct rt_commit *commit)
{
	while (commit->resting != NULL)
		commit_wake_lane(commit);
}

static void rest(struct commit_lane *lane)
{
	struct rt_commit *commit = lane->commit;
	lane->resting_next = commit->resting;
	commit->resting = lane;
	lane->rests = true;
	while (lane->rests)
		rt_lock_wait(&commit->lock, &lane->work, RT_NO_DEADLINE);
}

/* Waits for a queue that is ready, and takes a batch from it; NULL at the end. */
static struct commit_queue *take_batch(struct commit_lane *lane, size_t *count)
{
	struct rt_commit *commit = lane->commit;
	const struct rt_commit_config *config = &commit->config;
	RT_LOCKED(&commit->lock);
	for (;;) {
		struct commit_queue *queue = commit_queues_take(&commit->queues);
		if (queue != NULL) {
			*count = commit_queue_batch(&commit->queues, queue, lane->items, 0,
						    config->batch_items_max,
						    config->batch_weight_max);
			commit_count_busy(commit, 1);
			commit_show_waiting(commit);
			return queue;
		}
		if (commit->stopping && commit->queues.waiting == 0)
			return NULL;
		rest(lane);
	}
}

/* What was queued for the same key meanwhile joins the batch. */
static size_t top_up(struct commit_lane *lane, struct commit_queue *queue, size_t count)
{
	struct rt_commit *commit = lane->commit;
	const struct rt_commit_config *config = &commit->config;
	RT_LOCKED(&commit->lock);
	count = commit_queue_batch(&commit->queues, queue, lane->items, count,
				   config->batch_items_max, config->batch_weight_max);
	commit_show_waiting(commit);
	return count;
}

/* Lets the batch function's other half wait for what it must, and completes the batch then. */
static size_t prepare(struct commit_lane *lane, struct commit_queue *queue, size_t count)
{
	const struct rt_commit_config *config = &lane->commit->config;
	if (config->prepare == NULL || count == 0)
		return count;
	config->prepare(config->context, lane->pg, lane->items, count);
	return top_up(lane, queue, count);
}

static void give_queue(struct rt_commit *commit, struct commit_queue *queue)
{
	RT_LOCKED(&commit->lock);
	/* No signal for a queue that is ready again: this lane looks for the next one itself. */
	commit_queues_give(&commit->queues, queue);
	commit_count_busy(commit, -1);
	if (!commit->stopping)
		return;
	/* At the end, whoever sleeps must see that nothing waits any more. */
	commit_wake_lanes(commit);
	pthread_cond_signal(&commit->idle);
}

void *commit_lane_run(void *argument)
{
	static const struct rt_status nothing_unknown = {.code = RT_OK};
	struct commit_lane *lane = argument;
	struct commit_queue *queue;
	size_t count;
	while ((queue = take_batch(lane, &count)) != NULL) {
		struct attempt late = {
			.last = RT_FAIL(DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
					"it waited too long for its transaction"),
		};
		count = fail_expired(lane->commit, lane->items, count, &late);
		count = prepare(lane, queue, count);
		if (count > 0)
			carry_out(lane, lane->items, count, &nothing_unknown);
		give_queue(lane->commit, queue);
	}
	return NULL;
}
