#include "engine/held.h"

#include <stdlib.h>

#include "rt/assert.h"

void held_init(struct held *held, size_t capacity)
{
	*held = (struct held){.tasks = calloc(capacity, sizeof(void *)), .capacity = capacity};
	RT_ASSERT(held->tasks != NULL);
}

void held_deinit(struct held *held)
{
	RT_ASSERT(held->count == 0);
	free(held->tasks);
}

static bool sooner(const struct held *held, size_t a, size_t b)
{
	return held->tasks[a]->answer_mono_us < held->tasks[b]->answer_mono_us;
}

static void swap(struct held *held, size_t a, size_t b)
{
	struct task *task = held->tasks[a];

	held->tasks[a] = held->tasks[b];
	held->tasks[b] = task;
}

bool held_add(struct held *held, struct task *task)
{
	size_t at = held->count;

	if (held->count == held->capacity)
		return false;
	held->tasks[held->count++] = task;
	while (at > 0 && sooner(held, at, (at - 1) / 2)) {
		swap(held, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
	return true;
}

int64_t held_next_us(const struct held *held)
{
	return held->count == 0 ? INT64_MAX : held->tasks[0]->answer_mono_us;
}

static void sink(struct held *held)
{
	size_t at = 0;

	for (;;) {
		size_t first = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < held->count;
		     child++) {
			if (sooner(held, child, first))
				first = child;
		}
		if (first == at)
			return;
		swap(held, at, first);
		at = first;
	}
}

struct task *held_take(struct held *held, int64_t now_mono_us)
{
	struct task *task;

	if (held_next_us(held) > now_mono_us || held->count == 0)
		return NULL;
	task = held->tasks[0];
	held->tasks[0] = held->tasks[--held->count];
	sink(held);
	return task;
}
