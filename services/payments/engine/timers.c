/* The executor's timer thread: takes what is due, with the lock; runs it, without. */
#include <stddef.h>

#include "engine/capabilities.h"
#include "engine/executor_internal.h"
#include "rt/clock.h"

/* How many are taken at a time, so that the lock is not held for long. */
#define DUE_MAX 256

/* What was taken. */
struct due {
	struct saga *act;
	struct saga *write;
	struct payment_creation *answer;
	struct payment_creation *poll;
	struct connector *ask;
};

#define OWNER(timer, type) ((type *)(void *)((char *)(timer)-offsetof(type, timer)))

static void take(struct executor *executor, struct timer *timer, struct due *due)
{
	struct payment_creation *creation = NULL;
	struct connector *connector = NULL;
	struct saga *saga = NULL;

	timer_heap_disarm(&executor->timers, timer);
	switch ((enum timer_kind)timer->kind) {
	case TIMER_SAGA_ACT:
		saga = OWNER(timer, struct saga);
		saga->queue_next = due->act;
		due->act = saga;
		return;
	case TIMER_SAGA_WRITE:
		saga = OWNER(timer, struct saga);
		saga->queue_next = due->write;
		due->write = saga;
		return;
	case TIMER_WAITER:
		creation = OWNER(timer, struct payment_creation);
		creation_leave_saga(creation);
		creation->next = due->answer;
		due->answer = creation;
		return;
	case TIMER_BUDGET: /* the pump does the rest */
		return;
	case TIMER_CONNECTOR:
		connector = OWNER(timer, struct connector);
		connector->ask_next = due->ask;
		due->ask = connector;
		return;
	case TIMER_POLL:
		creation = OWNER(timer, struct payment_creation);
		creation->next = due->poll;
		due->poll = creation;
		return;
	}
}

/* Waits until something is due or the executor stops. False: it stops. */
static bool wait_and_take(struct executor *executor, struct due *due)
{
	RT_LOCKED(&executor->lock);
	for (;;) {
		struct timer *first = timer_heap_first(&executor->timers);
		int64_t now_us = rt_clock_mono_us();

		if (executor->timer_stop)
			return false;
		if (first != NULL && first->due_us <= now_us) {
			for (int i = 0; i < DUE_MAX && first != NULL && first->due_us <= now_us;
			     i++) {
				take(executor, first, due);
				first = timer_heap_first(&executor->timers);
			}
			return true;
		}
		rt_lock_wait(&executor->lock, &executor->timer_changed,
			     first == NULL ? RT_NO_DEADLINE : first->due_us);
	}
}

static void run(struct executor *executor, struct due *due)
{
	for (struct saga *saga = due->act, *next; saga != NULL; saga = next) {
		next = saga->queue_next;
		saga_perform(executor, saga);
	}
	for (struct saga *saga = due->write, *next; saga != NULL; saga = next) {
		next = saga->queue_next;
		saga_write(executor, saga);
	}
	for (struct payment_creation *creation = due->poll, *next; creation != NULL;
	     creation = next) {
		next = creation->next;
		creation_poll(creation);
	}
	creations_answer(due->answer);
	for (struct connector *connector = due->ask, *next; connector != NULL; connector = next) {
		next = connector->ask_next;
		capabilities_ask(connector);
	}
	executor_pump(executor);
}

void *timers_run(void *context)
{
	struct executor *executor = context;
	struct due due = {0};

	while (wait_and_take(executor, &due)) {
		run(executor, &due);
		due = (struct due){0};
	}
	return NULL;
}

void saga_hasten(struct executor *executor, struct saga *saga)
{
	if (saga->timer.place != 0 && saga->timer.kind == TIMER_SAGA_ACT) {
		saga->unheard = false; /* there is a reason to ask now */
		saga->attempts = 0;
		executor_arm(executor, &saga->timer, TIMER_SAGA_ACT, rt_clock_mono_us());
	} else {
		atomic_store(&saga->nudged, true);
	}
}

bool executor_wake(struct executor *executor, const struct rt_uuid *payment_id)
{
	RT_LOCKED(&executor->lock);
	struct saga *saga = registry_find(executor, payment_id);

	if (saga != NULL)
		saga_hasten(executor, saga);
	return saga != NULL;
}

bool executor_call_off(struct executor *executor, const struct rt_uuid *payment_id)
{
	RT_LOCKED(&executor->lock);
	struct saga *saga = registry_find(executor, payment_id);

	if (saga == NULL)
		return false;
	atomic_store(&saga->cancel_wanted, true);
	saga_hasten(executor, saga);
	return true;
}

/* Whoever runs it next finds that it is lost. */
void executor_displace(struct executor *executor, const struct rt_uuid *payment_id)
{
	RT_LOCKED(&executor->lock);
	struct saga *saga = registry_find(executor, payment_id);

	if (saga == NULL)
		return;
	registry_remove(executor, saga);
	apart_add(executor, saga);
	atomic_store(&saga->displaced, true);
	if (saga->timer.place != 0 && saga->timer.kind == TIMER_SAGA_ACT)
		executor_arm(executor, &saga->timer, TIMER_SAGA_ACT, rt_clock_mono_us());
}
