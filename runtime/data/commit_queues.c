/* A queue a key, and the line in which they wait for a lane. */
#include <stdlib.h>
#include <string.h>

#include "commit_internal.h"
#include "rt/assert.h"

static struct commit_queue **bucket_of(struct commit_queues *queues, const struct rt_uuid *key)
{
	/* Time-ordered ids differ at their end. */
	uint64_t bits;
	memcpy(&bits, key->bytes + 8, sizeof(bits));
	bits = (bits ^ bits >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	return &queues->buckets[(bits >> 32) % COMMIT_BUCKETS];
}

static struct commit_queue *new_queue(struct commit_queues *queues, const struct rt_uuid *key)
{
	struct commit_queue *queue = queues->free;
	if (queue != NULL)
		queues->free = queue->bucket_next;
	else
		queue = malloc(sizeof(*queue));
	RT_ASSERT(queue != NULL);
	*queue = (struct commit_queue){.key = *key, .earliest_mono_us = INT64_MAX};
	return queue;
}

static struct commit_queue *find(struct commit_queues *queues, const struct rt_uuid *key)
{
	struct commit_queue **bucket = bucket_of(queues, key);
	for (struct commit_queue *at = *bucket; at != NULL; at = at->bucket_next)
		if (rt_uuid_equal(&at->key, key))
			return at;
	struct commit_queue *queue = new_queue(queues, key);
	queue->bucket_next = *bucket;
	*bucket = queue;
	return queue;
}

static void forget(struct commit_queues *queues, struct commit_queue *queue)
{
	struct commit_queue **at = bucket_of(queues, &queue->key);
	while (*at != queue)
		at = &(*at)->bucket_next;
	*at = queue->bucket_next;
	queue->bucket_next = queues->free;
	queues->free = queue;
}

static void line_up(struct commit_queues *queues, struct commit_queue *queue)
{
	queue->ready_next = NULL;
	if (queues->ready_last == NULL)
		queues->ready_first = queue;
	else
		queues->ready_last->ready_next = queue;
	queues->ready_last = queue;
}

/* Rare: a whole queue has expired. */
static void leave_line(struct commit_queues *queues, struct commit_queue *queue)
{
	struct commit_queue *before = NULL;
	struct commit_queue *at = queues->ready_first;
	while (at != queue) {
		before = at;
		at = at->ready_next;
	}
	if (before == NULL)
		queues->ready_first = queue->ready_next;
	else
		before->ready_next = queue->ready_next;
	if (queues->ready_last == queue)
		queues->ready_last = before;
}

bool commit_queues_add(struct commit_queues *queues, struct rt_commit_item *item)
{
	struct commit_queue *queue = find(queues, &item->key);
	bool becomes_ready = queue->first == NULL && !queue->busy;
	item->next = NULL;
	if (queue->first == NULL)
		queue->first = item;
	else
		queue->last->next = item;
	queue->last = item;
	if (item->deadline_mono_us < queue->earliest_mono_us)
		queue->earliest_mono_us = item->deadline_mono_us;
	queues->waiting++;
	if (becomes_ready)
		line_up(queues, queue);
	return becomes_ready;
}

struct commit_queue *commit_queues_take(struct commit_queues *queues)
{
	struct commit_queue *queue = queues->ready_first;
	if (queue == NULL)
		return NULL;
	queues->ready_first = queue->ready_next;
	if (queues->ready_first == NULL)
		queues->ready_last = NULL;
	queue->busy = true;
	return queue;
}

size_t commit_queue_batch(struct commit_queues *queues, struct commit_queue *queue,
			  struct rt_commit_item **items, size_t has, size_t items_max,
			  size_t weight_max)
{
	size_t count = has;
	size_t weight = 0;
	for (size_t i = 0; i < has; i++)
		weight += items[i]->weight;
	while (queue->first != NULL && count < items_max) {
		struct rt_commit_item *item = queue->first;
		bool too_heavy = __builtin_add_overflow(weight, item->weight, &weight) ||
				 weight > weight_max;
		if (count > 0 && too_heavy)
			break;
		items[count++] = item;
		queue->first = item->next;
		item->next = NULL;
	}
	if (queue->first == NULL) {
		queue->last = NULL;
		queue->earliest_mono_us = INT64_MAX;
	}
	queues->waiting -= count - has;
	return count;
}

void commit_queues_give(struct commit_queues *queues, struct commit_queue *queue)
{
	RT_ASSERT(queue->busy);
	queue->busy = false;
	if (queue->first == NULL)
		forget(queues, queue);
	else
		line_up(queues, queue);
}

/* Moves what has expired from the queue to the list that ends at *end. */
static struct rt_commit_item **expire(struct commit_queues *queues, struct commit_queue *queue,
				      int64_t now_mono_us, struct rt_commit_item **end)
{
	struct rt_commit_item **at = &queue->first;
	queue->last = NULL;
	queue->earliest_mono_us = INT64_MAX;
	while (*at != NULL) {
		struct rt_commit_item *item = *at;
		if (item->deadline_mono_us <= now_mono_us) {
			*at = item->next;
			item->next = NULL;
			*end = item;
			end = &item->next;
			queues->waiting--;
			continue;
		}
		if (item->deadline_mono_us < queue->earliest_mono_us)
			queue->earliest_mono_us = item->deadline_mono_us;
		queue->last = item;
		at = &item->next;
	}
	return end;
}

struct rt_commit_item *commit_queues_expired(struct commit_queues *queues, int64_t now_mono_us)
{
	struct rt_commit_item *expired = NULL;
	struct rt_commit_item **end = &expired;
	for (size_t i = 0; i < COMMIT_BUCKETS && queues->waiting > 0; i++) {
		struct commit_queue *next;
		for (struct commit_queue *at = queues->buckets[i]; at != NULL; at = next) {
			next = at->bucket_next;
			if (at->first == NULL || at->earliest_mono_us > now_mono_us)
				continue;
			end = expire(queues, at, now_mono_us, end);
			if (at->first == NULL && !at->busy) {
				leave_line(queues, at);
				forget(queues, at);
			}
		}
	}
	return expired;
}

struct rt_commit_item *commit_queues_drain(struct commit_queues *queues)
{
	struct rt_commit_item *all = NULL;
	struct rt_commit_item **end = &all;
	for (size_t i = 0; i < COMMIT_BUCKETS; i++) {
		for (struct commit_queue *at = queues->buckets[i]; at != NULL;
		     at = at->bucket_next) {
			*end = at->first;
			if (at->first != NULL)
				end = &at->last->next;
			at->first = NULL;
			at->last = NULL;
		}
	}
	/* Queues without items and lane go with them. */
	while (queues->ready_first != NULL) {
		struct commit_queue *queue = commit_queues_take(queues);
		forget(queues, queue);
	}
	queues->waiting = 0;
	return all;
}

void commit_queues_deinit(struct commit_queues *queues)
{
	for (size_t i = 0; i < COMMIT_BUCKETS; i++)
		RT_ASSERT(queues->buckets[i] == NULL);
	while (queues->free != NULL) {
		struct commit_queue *next = queues->free->bucket_next;
		free(queues->free);
		queues->free = next;
	}
}
