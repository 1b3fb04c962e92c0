/* Mutexes with ranks: a thread takes them in rising rank only, which is asserted. Never held across
 * I/O. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "rt/cleanup.h"

/* In the order in which they may be taken. */
enum rt_rank {
	RT_RANK_SERVICE = 1, /* a service's own structures */
	RT_RANK_CALL,
	RT_RANK_CLIENT,
	RT_RANK_COMMIT, /* group commit */
	RT_RANK_QUEUE,
	RT_RANK_REGISTRY, /* health, metrics, keys */
	RT_RANK_LOG,
};

struct rt_lock {
	pthread_mutex_t mutex;
	enum rt_rank rank;
};

void rt_lock_init(struct rt_lock *lock, enum rt_rank rank);
void rt_lock_deinit(struct rt_lock *lock);
void rt_lock_take(struct rt_lock *lock);
void rt_lock_give(struct rt_lock *lock);
/* Waits on the condition, giving the lock meanwhile. Returns false when the monotonic deadline came
 * first. The condition must be made with rt_condition_init. */
bool rt_lock_wait(struct rt_lock *lock, pthread_cond_t *condition, int64_t deadline_mono_us);
void rt_condition_init(pthread_cond_t *condition);

static inline void rt_lock_give_scope(struct rt_lock **lock)
{
	rt_lock_give(*lock);
}

#define RT_LOCK_JOIN_(a, b) a##b
#define RT_LOCK_NAME_(line) RT_LOCK_JOIN_(rt_locked_, line)
/* Takes the lock until the scope is left. */
#define RT_LOCKED(lock)                                                                            \
	CLEANUP(rt_lock_give_scope) struct rt_lock *RT_LOCK_NAME_(__LINE__) = (lock);              \
	rt_lock_take(RT_LOCK_NAME_(__LINE__))
