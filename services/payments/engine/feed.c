/* See feed.h. Those who stand at the same place of the same ledger share what is read; whoever has
 * seen everything below the horizon stands at it, and so with all others who have. One who takes
 * nothing stays behind, and is served from the database when there is room again. */
#include "engine/feed.h"

#include <stdlib.h>
#include <string.h>

#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/lock.h"
#include "rt/log.h"

#define PAGE_CHANGES     200
#define PAGE_BYTES       ((size_t)8 << 20)
#define STATEMENT_US_MAX (5 * RT_US_PER_S)
/* Whoever has at most so many payments comes from behind by those alone, and not through all that
 * everybody else did meanwhile. */
#define FEW_PAYMENTS     1000
/* Without news a watcher is told at least this often how far it has come. */
#define TELL_US          (5 * RT_US_PER_S)

struct feed {
	struct feed_config config;
	struct rt_pg *pg;
	pthread_t thread;
	struct feed_watcher **watchers; /* the thread's alone */
	size_t count;
	int64_t pause_us;
	bool failing;

	struct rt_lock lock; /* RT_RANK_SERVICE; guards what follows */
	pthread_cond_t changed;
	struct feed_watcher *arriving;
	size_t taken; /* watchers there are, arriving ones too */
	bool woken;
	bool stop;
};

static void end(struct feed *feed, struct feed_watcher *watcher, struct rt_status status)
{
	rt_lock_take(&feed->lock);
	feed->taken--;
	rt_lock_give(&feed->lock);
	watcher->ended(watcher->context, status);
}

/* Waits until somebody watches and it is time to look, or the feed stops: false. */
static bool wait(struct feed *feed, int64_t due_us)
{
	RT_LOCKED(&feed->lock);
	while (!feed->stop && !feed->woken && feed->arriving == NULL &&
	       (feed->count == 0 || rt_clock_mono_us() < due_us))
		rt_lock_wait(&feed->lock, &feed->changed,
			     feed->count == 0 ? RT_NO_DEADLINE : due_us);
	feed->woken = false;
	while (feed->arriving != NULL) {
		struct feed_watcher *watcher = feed->arriving;

		feed->arriving = watcher->next;
		feed->watchers[feed->count++] = watcher;
	}
	return !feed->stop;
}

static void drop_left(struct feed *feed)
{
	for (size_t i = 0; i < feed->count;) {
		struct feed_watcher *watcher = feed->watchers[i];

		if (!atomic_load(&watcher->left)) {
			i++;
			continue;
		}
		feed->watchers[i] = feed->watchers[--feed->count];
		end(feed, watcher, RT_FAIL(CANCELLED, "CANCELLED", "the caller has gone"));
	}
}

static void tell(struct feed_watcher *watcher, const struct feed_change *change)
{
	watcher->told_us = rt_clock_mono_us();
	if (!watcher->deliver(watcher->context, change, &watcher->at))
		atomic_store(&watcher->left, true);
}

static void report(struct feed *feed, const struct rt_status *status)
{
	bool failing = !rt_is_ok(status);

	if (failing && !feed->failing)
		RT_LOG(WARN, "feed_failed", RT_STATUS(status));
	feed->failing = failing;
}

/* Where a new watcher stands. When it can't be asked for, it reads with the others. */
static void place(struct feed *feed, struct feed_watcher *watcher, int64_t horizon)
{
	if (watcher->from_now) {
		watcher->at = (struct page_place){.number = horizon};
		tell(watcher, NULL);
	} else if (watcher->caller[0] != '\0' && watcher->at.number < horizon) {
		struct rt_status status =
			feed_store_few(feed->pg, &watcher->ledger_id, watcher->caller, FEW_PAYMENTS,
				       rt_clock_mono_us() + STATEMENT_US_MAX, &watcher->apart);

		report(feed, &status);
	}
	watcher->started = true;
}

/* A place beyond the horizon was given out by another database than this. */
static void start_all(struct feed *feed, int64_t horizon)
{
	for (size_t i = 0; i < feed->count;) {
		struct feed_watcher *watcher = feed->watchers[i];

		if (!watcher->started && !watcher->from_now && watcher->at.number > horizon) {
			feed->watchers[i] = feed->watchers[--feed->count];
			end(feed, watcher,
			    RT_FAIL(FAILED_PRECONDITION, "POSITION_AHEAD",
				    "the position is beyond what there is; begin anew"));
			continue;
		}
		if (!watcher->started)
			place(feed, watcher, horizon);
		watcher->stalled = watcher->room(watcher->context) == 0;
		i++;
	}
}

static int by_place(const void *left, const void *right)
{
	const struct feed_watcher *one = *(struct feed_watcher *const *)left;
	const struct feed_watcher *other = *(struct feed_watcher *const *)right;

	if (one->stalled != other->stalled)
		return one->stalled ? 1 : -1;
	if (one->apart != other->apart)
		return one->apart ? 1 : -1;
	int by_caller = one->apart ? strcmp(one->caller, other->caller) : 0;
	int by_ledger = rt_uuid_compare(&one->ledger_id, &other->ledger_id);

	if (by_caller != 0)
		return by_caller;
	return by_ledger != 0 ? by_ledger : feed_place_compare(&one->at, &other->at);
}

static bool wants(const struct feed_watcher *watcher, const struct feed_change *change)
{
	return watcher->caller[0] == '\0' || strcmp(watcher->caller, change->record.caller) == 0;
}

/* One page to one watcher; it stands at the last change that it took or did not want. */
static void give(struct feed_watcher *watcher, const struct feed_change *changes, size_t count)
{
	for (size_t i = 0; i < count && !watcher->stalled; i++) {
		if (!wants(watcher, &changes[i])) {
			watcher->at = changes[i].place;
			continue;
		}
		if (atomic_load(&watcher->left) || watcher->room(watcher->context) == 0) {
			watcher->stalled = true;
			break;
		}
		watcher->at = changes[i].place;
		tell(watcher, &changes[i]);
	}
}

/* A group that stands at one place. *more: there may be another page for it. */
static struct rt_status serve(struct feed *feed, struct feed_watcher **group, size_t size,
			      int64_t horizon, bool *more, bool *news)
{
	const char *caller = group[0]->apart ? group[0]->caller : NULL;
	struct feed_change *changes = NULL;
	struct page_place from = group[0]->at;
	size_t count = 0;
	CLEANUP(rt_arena_deinit) struct rt_arena arena;

	rt_arena_init(&arena, PAGE_BYTES);
	RT_TRY(feed_store_read(feed->pg, &group[0]->ledger_id, caller, &from, horizon, PAGE_CHANGES,
			       &arena, rt_clock_mono_us() + STATEMENT_US_MAX, &changes, &count));
	for (size_t i = 0; i < size; i++) {
		give(group[i], changes, count);
		if (group[i]->stalled || count == PAGE_CHANGES)
			continue;
		group[i]->at = feed_place_at_horizon(&group[i]->at, horizon);
		group[i]->apart = false;
	}
	*more = *more || count == PAGE_CHANGES;
	*news = *news || count > 0;
	return rt_ok();
}

static struct rt_status serve_all(struct feed *feed, int64_t horizon, bool *more, bool *news)
{
	qsort(feed->watchers, feed->count, sizeof(feed->watchers[0]), by_place);
	for (size_t from = 0; from < feed->count && !feed->watchers[from]->stalled;) {
		size_t size = 1;

		/* The first of a group is not moved before the group has been found. */
		while (from + size < feed->count &&
		       by_place(&feed->watchers[from], &feed->watchers[from + size]) == 0)
			size++;
		if (feed->watchers[from]->at.number < horizon)
			RT_TRY(serve(feed, feed->watchers + from, size, horizon, more, news));
		from += size;
	}
	return rt_ok();
}

static void tell_quiet(const struct feed *feed)
{
	int64_t now_us = rt_clock_mono_us();

	for (size_t i = 0; i < feed->count; i++) {
		struct feed_watcher *watcher = feed->watchers[i];

		if (now_us - watcher->told_us >= TELL_US && watcher->room(watcher->context) > 0)
			tell(watcher, NULL);
	}
}

/* One look. *more: it is worth looking again at once. */
static struct rt_status look(struct feed *feed, bool *more, bool *news)
{
	int64_t horizon = 0;

	drop_left(feed);
	if (feed->count == 0)
		return rt_ok();
	RT_TRY(feed_store_horizon(feed->pg, rt_clock_mono_us() + STATEMENT_US_MAX, &horizon));
	start_all(feed, horizon);
	RT_TRY(serve_all(feed, horizon, more, news));
	tell_quiet(feed);
	return rt_ok();
}

static void end_all(struct feed *feed)
{
	for (size_t i = 0; i < feed->count; i++)
		end(feed, feed->watchers[i],
		    RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "the server is shutting down"));
	feed->count = 0;
}

static void *run(void *context)
{
	struct feed *feed = context;
	int64_t due_us = 0;

	while (wait(feed, due_us)) {
		bool more = false, news = false;
		struct rt_status status = look(feed, &more, &news);

		report(feed, &status);
		feed->pause_us =
			news ? feed->config.poll_ms_min * RT_US_PER_MS : feed->pause_us * 2;
		if (feed->pause_us > feed->config.poll_ms_max * RT_US_PER_MS)
			feed->pause_us = feed->config.poll_ms_max * RT_US_PER_MS;
		due_us = rt_clock_mono_us() + (more && rt_is_ok(&status) ? 0 : feed->pause_us);
	}
	end_all(feed);
	return NULL;
}

struct feed *feed_new(const struct feed_config *config)
{
	struct feed *feed = calloc(1, sizeof(*feed));

	RT_ASSERT(feed != NULL);
	feed->config = *config;
	feed->pause_us = config->poll_ms_min * RT_US_PER_MS;
	feed->pg = rt_pg_new(&config->pg);
	feed->watchers = calloc(config->watchers_max, sizeof(feed->watchers[0]));
	RT_ASSERT(feed->watchers != NULL);
	rt_lock_init(&feed->lock, RT_RANK_SERVICE);
	rt_condition_init(&feed->changed);
	int failed = pthread_create(&feed->thread, NULL, run, feed);

	RT_ASSERT(failed == 0);
	return feed;
}

void feed_stop(struct feed *feed)
{
	rt_lock_take(&feed->lock);
	feed->stop = true;
	pthread_cond_signal(&feed->changed);
	rt_lock_give(&feed->lock);
	pthread_join(feed->thread, NULL);
}

void feed_destroy(struct feed *feed)
{
	rt_pg_destroy(feed->pg);
	pthread_cond_destroy(&feed->changed);
	rt_lock_deinit(&feed->lock);
	free(feed->watchers);
	free(feed);
}

struct rt_status feed_watch(struct feed *feed, struct feed_watcher *watcher)
{
	RT_LOCKED(&feed->lock);
	if (feed->stop)
		return RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "the server is shutting down");
	if (feed->taken == feed->config.watchers_max)
		return RT_FAIL(RESOURCE_EXHAUSTED, "TOO_MANY_WATCHERS",
			       "as many watch as this process allows");
	feed->taken++;
	watcher->next = feed->arriving;
	feed->arriving = watcher;
	pthread_cond_signal(&feed->changed);
	return rt_ok();
}

void feed_wake(struct feed *feed)
{
	RT_LOCKED(&feed->lock);
	feed->woken = true;
	pthread_cond_signal(&feed->changed);
}
