/* A binary heap; see timer_heap.h. */
#include "engine/timer_heap.h"

#include <stdlib.h>

#include "rt/assert.h"

#define FIRST_CAPACITY 1024

void timer_heap_deinit(struct timer_heap *heap)
{
	free(heap->slots);
	*heap = (struct timer_heap){0};
}

static void put(struct timer_heap *heap, size_t place, struct timer *timer)
{
	heap->slots[place] = timer;
	timer->place = (uint32_t)place;
}

static void sift_up(struct timer_heap *heap, size_t place)
{
	struct timer *timer = heap->slots[place];

	while (place > 1 && heap->slots[place / 2]->due_us > timer->due_us) {
		put(heap, place, heap->slots[place / 2]);
		place /= 2;
	}
	put(heap, place, timer);
}

static void sift_down(struct timer_heap *heap, size_t place)
{
	struct timer *timer = heap->slots[place];

	for (size_t child = place * 2; child <= heap->count; child = place * 2) {
		if (child < heap->count &&
		    heap->slots[child + 1]->due_us < heap->slots[child]->due_us)
			child++;
		if (heap->slots[child]->due_us >= timer->due_us)
			break;
		put(heap, place, heap->slots[child]);
		place = child;
	}
	put(heap, place, timer);
}

static void grow(struct timer_heap *heap)
{
	size_t capacity = heap->capacity == 0 ? FIRST_CAPACITY : heap->capacity * 2;
	struct timer **slots = realloc(heap->slots, (capacity + 1) * sizeof(struct timer *));

	RT_ASSERT(slots != NULL);
	heap->slots = slots;
	heap->capacity = capacity;
}

bool timer_heap_arm(struct timer_heap *heap, struct timer *timer, int64_t due_us)
{
	timer_heap_disarm(heap, timer);
	if (heap->count == heap->capacity)
		grow(heap);
	timer->due_us = due_us;
	put(heap, ++heap->count, timer);
	sift_up(heap, heap->count);
	return timer->place == 1;
}

void timer_heap_disarm(struct timer_heap *heap, struct timer *timer)
{
	size_t place = timer->place;

	if (place == 0)
		return;
	RT_ASSERT(place <= heap->count && heap->slots[place] == timer);
	struct timer *last = heap->slots[heap->count--];

	timer->place = 0;
	if (last == timer)
		return;
	put(heap, place, last);
	sift_up(heap, place);
	sift_down(heap, last->place);
}

void timer_heap_revise(struct timer_heap *heap,
		       int64_t (*due_us)(struct timer *timer, void *context), void *context)
{
	for (size_t place = 1; place <= heap->count; place++)
		heap->slots[place]->due_us = due_us(heap->slots[place], context);
	for (size_t place = heap->count / 2; place > 0; place--)
		sift_down(heap, place);
}

struct hurry {
	uint32_t kind;
	int64_t by_us;
};

static int64_t hurried(struct timer *timer, void *context)
{
	const struct hurry *hurry = context;
	bool moves = timer->kind == hurry->kind && timer->due_us > hurry->by_us;

	return moves ? hurry->by_us : timer->due_us;
}

void timer_heap_hurry(struct timer_heap *heap, uint32_t kind, int64_t by_us)
{
	struct hurry hurry = {kind, by_us};

	timer_heap_revise(heap, hurried, &hurry);
}

struct timer *timer_heap_first(const struct timer_heap *heap)
{
	return heap->count == 0 ? NULL : heap->slots[1];
}
