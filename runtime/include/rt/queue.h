/* A bounded queue of pointers between threads. Thread: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rt_queue;

struct rt_queue *rt_queue_new(size_t capacity);
/* The queue must be empty. */
void rt_queue_destroy(struct rt_queue *queue);
/* False when full or closed: the caller keeps the item. Never blocks. */
bool rt_queue_push(struct rt_queue *queue, void *item);
/* Waits for an item; NULL when the deadline came first, or the queue is closed and empty. */
void *rt_queue_pop(struct rt_queue *queue, int64_t deadline_mono_us);
/* Takes up to `count` items at once; waits for the first as _pop does. */
size_t rt_queue_pop_many(struct rt_queue *queue, void **items, size_t count,
			 int64_t deadline_mono_us);
size_t rt_queue_length(struct rt_queue *queue);
/* Refuses further items; what is in it can still be taken. */
void rt_queue_close(struct rt_queue *queue);
