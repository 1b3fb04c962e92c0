#include "rt/lock.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#include "rt/assert.h"
#include "rt/clock.h"

#define HELD_MAX 8

/* What the thread holds, in the order in which it was taken: rising, because nothing else is let
 * in. */
static _Thread_local const struct rt_lock *held[HELD_MAX];
static _Thread_local size_t held_count;

static void push_held(const struct rt_lock *lock)
{
	RT_ASSERT(held_count < HELD_MAX);
	RT_ASSERT(held_count == 0 || held[held_count - 1]->rank < lock->rank);
	held[held_count++] = lock;
}

/* Locks are given back in any order, but only by who holds them. */
static void remove_held(const struct rt_lock *lock)
{
	size_t place = held_count;
	while (place > 0 && held[place - 1] != lock)
		place--;
	RT_ASSERT(place > 0);
	for (size_t i = place; i < held_count; i++)
		held[i - 1] = held[i];
	held_count--;
}

void rt_lock_init(struct rt_lock *lock, enum rt_rank rank)
{
	lock->rank = rank;
	int failed = pthread_mutex_init(&lock->mutex, NULL);
	RT_ASSERT(failed == 0);
}

void rt_lock_deinit(struct rt_lock *lock)
{
	int failed = pthread_mutex_destroy(&lock->mutex);
	RT_ASSERT(failed == 0);
}

void rt_lock_take(struct rt_lock *lock)
{
	/* Asserted before the mutex is taken: a wrong order fails at once, and not only on the day
	 * that it deadlocks. */
	push_held(lock);
	int failed = pthread_mutex_lock(&lock->mutex);
	RT_ASSERT(failed == 0);
}

void rt_lock_give(struct rt_lock *lock)
{
	remove_held(lock);
	int failed = pthread_mutex_unlock(&lock->mutex);
	RT_ASSERT(failed == 0);
}

bool rt_lock_wait(struct rt_lock *lock, pthread_cond_t *condition, int64_t deadline_mono_us)
{
	/* Who sleeps with a further lock in hand makes others sleep too. */
	RT_ASSERT(held_count == 1);
	RT_ASSERT(held[0] == lock);
	if (deadline_mono_us == RT_NO_DEADLINE) {
		int failed = pthread_cond_wait(condition, &lock->mutex);
		RT_ASSERT(failed == 0);
		return true;
	}
	if (deadline_mono_us < 0)
		deadline_mono_us = 0;
	struct timespec deadline = {
		.tv_sec = deadline_mono_us / RT_US_PER_S,
		.tv_nsec = deadline_mono_us % RT_US_PER_S * 1000,
	};
	int result = pthread_cond_timedwait(condition, &lock->mutex, &deadline);
	RT_ASSERT(result == 0 || result == ETIMEDOUT);
	return result == 0;
}

void rt_condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	int failed = pthread_condattr_init(&attributes);
	RT_ASSERT(failed == 0);
	failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	RT_ASSERT(failed == 0);
	failed = pthread_cond_init(condition, &attributes);
	RT_ASSERT(failed == 0);
	pthread_condattr_destroy(&attributes);
}
