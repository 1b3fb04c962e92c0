/* Answers that are held back, by the time when they are due. A heap with a bound. Thread: the
 * teller's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/task.h"

struct held {
	struct task **tasks; /* tasks[0] is due first */
	size_t count;
	size_t capacity;
};

void held_init(struct held *held, size_t capacity);
/* It must be empty. */
void held_deinit(struct held *held);
/* False when it is full. */
bool held_add(struct held *held, struct task *task);
/* When the first is due; INT64_MAX when there is none. */
int64_t held_next_us(const struct held *held);
/* Takes the first out if it is due, else NULL. */
struct task *held_take(struct held *held, int64_t now_mono_us);
