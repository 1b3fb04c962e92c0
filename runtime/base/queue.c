#include "rt/queue.h"

#include <stdlib.h>

#include "rt/assert.h"
#include "rt/lock.h"

struct rt_queue {
	struct rt_lock lock;
	pthread_cond_t filled;
	size_t waiters; /* so that a push that nobody waits for makes no system call */
	size_t capacity;
	size_t head; /* the next to be taken */
	size_t length;
	bool closed;
	void *items[];
};

struct rt_queue *rt_queue_new(size_t capacity)
{
	RT_ASSERT(capacity > 0);
	RT_ASSERT(capacity < SIZE_MAX / sizeof(void *) / 2);
	struct rt_queue *queue = calloc(1, sizeof(*queue) + capacity * sizeof(void *));
	RT_ASSERT(queue != NULL);
	queue->capacity = capacity;
	rt_lock_init(&queue->lock, RT_RANK_QUEUE);
	rt_condition_init(&queue->filled);
	return queue;
}

void rt_queue_destroy(struct rt_queue *queue)
{
	if (queue == NULL)
		return;
	RT_ASSERT(queue->length == 0);
	pthread_cond_destroy(&queue->filled);
	rt_lock_deinit(&queue->lock);
	free(queue);
}

bool rt_queue_push(struct rt_queue *queue, void *item)
{
	RT_ASSERT(item != NULL);
	RT_LOCKED(&queue->lock);
	if (queue->closed || queue->length == queue->capacity)
		return false;
	queue->items[(queue->head + queue->length) % queue->capacity] = item;
	queue->length++;
	if (queue->waiters > 0)
		pthread_cond_signal(&queue->filled);
	return true;
}

size_t rt_queue_pop_many(struct rt_queue *queue, void **items, size_t count,
			 int64_t deadline_mono_us)
{
	RT_LOCKED(&queue->lock);
	queue->waiters++;
	bool in_time = true;
	while (queue->length == 0 && !queue->closed && in_time)
		in_time = rt_lock_wait(&queue->lock, &queue->filled, deadline_mono_us);
	queue->waiters--;
	size_t taken = 0;
	while (taken < count && queue->length > 0) {
		items[taken++] = queue->items[queue->head];
		queue->head = (queue->head + 1) % queue->capacity;
		queue->length--;
	}
	/* A wake-up that was meant for an item that is still here must not end with this thread. */
	if (queue->length > 0 && queue->waiters > 0)
		pthread_cond_signal(&queue->filled);
	return taken;
}

void *rt_queue_pop(struct rt_queue *queue, int64_t deadline_mono_us)
{
	void *item = NULL;
	size_t taken = rt_queue_pop_many(queue, &item, 1, deadline_mono_us);
	return taken == 1 ? item : NULL;
}

size_t rt_queue_length(struct rt_queue *queue)
{
	RT_LOCKED(&queue->lock);
	return queue->length;
}

void rt_queue_close(struct rt_queue *queue)
{
	RT_LOCKED(&queue->lock);
	queue->closed = true;
	pthread_cond_broadcast(&queue->filled);
}
