#include "engine/invalidator.h"

#include <pthread.h>
#include <stdlib.h>

#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/lock.h"

/* Each may be a caller who waits: the server's own bound on calls comes first. */
#define WAITING_MAX 4096
#define TICK_US     (100 * RT_US_PER_MS)

struct waiting {
	struct waiting *next;
	struct invalidation
		invalidation; /* context NULL: nobody waits, but who repeats the change will */
	int64_t due_mono_us;
};

struct invalidator {
	struct cache *cache; /* the thread's own */
	int64_t stale_us;
	pthread_t thread;
	struct rt_lock lock; /* guards what follows */
	pthread_cond_t changed;
	struct waiting *first;
	size_t count;
	bool stopping;
};

static bool is_same(const struct invalidation *a, const struct invalidation *b)
{
	return a->version == b->version && rt_uuid_equal(&a->account_id, &b->account_id) &&
	       rt_uuid_equal(&a->ledger_id, &b->ledger_id);
}

static int64_t due_us(const struct invalidator *invalidator,
		      const struct invalidation *invalidation)
{
	int64_t due = rt_clock_mono_us() + invalidator->stale_us;
	for (const struct waiting *known = invalidator->first; known != NULL; known = known->next)
		if (is_same(&known->invalidation, invalidation) && known->due_mono_us < due)
			due = known->due_mono_us;
	return due;
}

struct rt_status invalidator_take(struct invalidator *invalidator,
				  const struct invalidation *invalidation)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));
	RT_ASSERT(waiting != NULL);
	waiting->invalidation = *invalidation;
	RT_LOCKED(&invalidator->lock);
	if (invalidator->stopping || invalidator->count == WAITING_MAX) {
		free(waiting);
		if (invalidator->stopping)
			return RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "the server is shutting down");
		return RT_FAIL(UNAVAILABLE, "CACHE_UNREACHABLE",
			       "changed, but too many changes wait for the cache; repeat the call");
	}
	waiting->due_mono_us = due_us(invalidator, invalidation);
	waiting->next = invalidator->first;
	invalidator->first = waiting;
	invalidator->count++;
	pthread_cond_broadcast(&invalidator->changed);
	return rt_ok();
}

static struct waiting *take_all(struct invalidator *invalidator)
{
	struct waiting *all = invalidator->first;
	invalidator->first = NULL;
	invalidator->count = 0;
	return all;
}

static void put_back(struct invalidator *invalidator, struct waiting *waiting)
{
	RT_LOCKED(&invalidator->lock);
	waiting->next = invalidator->first;
	invalidator->first = waiting;
	invalidator->count++;
}

static void answer(struct waiting *waiting, struct rt_status status)
{
	struct invalidation *invalidation = &waiting->invalidation;
	if (invalidation->context != NULL)
		invalidation->done(invalidation->context, status);
	invalidation->context = NULL;
}

/* Returns whether it is settled. */
static bool settle(struct invalidator *invalidator, struct waiting *waiting, bool *reachable)
{
	const struct invalidation *invalidation = &waiting->invalidation;
	if (*reachable) {
		struct rt_status status = cache_drop(invalidator->cache, &invalidation->ledger_id,
						     &invalidation->account_id);
		*reachable = rt_is_ok(&status);
		if (*reachable)
			return true;
	}
	if (rt_clock_mono_us() >= waiting->due_mono_us)
		return true;
	if (invalidation->context != NULL && invalidation->gone(invalidation->context))
		answer(waiting, RT_FAIL(CANCELLED, "CANCELLED", "the caller has gone"));
	return false;
}

static void try_all(struct invalidator *invalidator, struct waiting *all)
{
	bool reachable = true;
	while (all != NULL) {
		struct waiting *waiting = all;
		all = waiting->next;
		if (!settle(invalidator, waiting, &reachable)) {
			put_back(invalidator, waiting);
			continue;
		}
		answer(waiting, rt_ok());
		free(waiting);
	}
}

/* Between two tries there is a pause, during which nothing is waited for but the end. */
static bool pause_or_stop(struct invalidator *invalidator, int64_t until_us)
{
	while (!invalidator->stopping &&
	       rt_lock_wait(&invalidator->lock, &invalidator->changed, until_us))
		;
	return invalidator->stopping;
}

static void *run(void *argument)
{
	struct invalidator *invalidator = argument;
	rt_lock_take(&invalidator->lock);
	while (!invalidator->stopping) {
		if (invalidator->first == NULL) {
			rt_lock_wait(&invalidator->lock, &invalidator->changed, RT_NO_DEADLINE);
			continue;
		}
		struct waiting *all = take_all(invalidator);
		rt_lock_give(&invalidator->lock);
		try_all(invalidator, all);
		rt_lock_take(&invalidator->lock);
		if (invalidator->first != NULL &&
		    pause_or_stop(invalidator, rt_clock_mono_us() + TICK_US))
			break;
	}
	rt_lock_give(&invalidator->lock);
	return NULL;
}

struct invalidator *invalidator_new(const struct cache_config *config)
{
	struct invalidator *invalidator = calloc(1, sizeof(*invalidator));
	RT_ASSERT(invalidator != NULL);
	invalidator->cache = cache_new(config);
	invalidator->stale_us = cache_stale_us(config);
	rt_lock_init(&invalidator->lock, RT_RANK_SERVICE);
	rt_condition_init(&invalidator->changed);
	int failed = pthread_create(&invalidator->thread, NULL, run, invalidator);
	RT_ASSERT(failed == 0);
	pthread_setname_np(invalidator->thread, "invalidator");
	return invalidator;
}

void invalidator_stop(struct invalidator *invalidator)
{
	if (invalidator == NULL)
		return;
	rt_lock_take(&invalidator->lock);
	invalidator->stopping = true;
	pthread_cond_broadcast(&invalidator->changed);
	rt_lock_give(&invalidator->lock);
	pthread_join(invalidator->thread, NULL);
	struct waiting *all = take_all(invalidator);
	while (all != NULL) {
		struct waiting *waiting = all;
		all = waiting->next;
		answer(waiting, RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN",
					"changed, but the cache could not be told; "
					"repeat the call"));
		free(waiting);
	}
}

void invalidator_destroy(struct invalidator *invalidator)
{
	if (invalidator == NULL)
		return;
	cache_destroy(invalidator->cache);
	pthread_cond_destroy(&invalidator->changed);
	rt_lock_deinit(&invalidator->lock);
	free(invalidator);
}
