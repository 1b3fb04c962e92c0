/* When something is due: a binary heap of timers that live in what they belong to. The executor's;
 * its lock guards it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialised is not armed. */
struct timer {
	int64_t due_us; /* monotonic */
	uint32_t place; /* in the heap, from 1; 0: not armed */
	uint32_t kind;  /* the owner's */
};

struct timer_heap {
	struct timer **slots; /* from 1 */
	size_t count;
	size_t capacity;
};

void timer_heap_deinit(struct timer_heap *heap);
/* Arms a timer, or moves one that is armed. Returns whether it is now the first to be due. */
bool timer_heap_arm(struct timer_heap *heap, struct timer *timer, int64_t due_us);
/* Disarms; nothing when it was not armed. */
void timer_heap_disarm(struct timer_heap *heap, struct timer *timer);
/* Gives every timer the time that `due_us` says. */
void timer_heap_revise(struct timer_heap *heap,
		       int64_t (*due_us)(struct timer *timer, void *context), void *context);
/* Makes every timer of a kind due by then at the latest. */
void timer_heap_hurry(struct timer_heap *heap, uint32_t kind, int64_t by_us);
/* The first to be due, still armed; NULL when there is none. */
struct timer *timer_heap_first(const struct timer_heap *heap);
