/* A queue a key, and the line in which they wait for a lane; in a queue a list a source, which take
 * turns. */
#include <stdlib.h>
#include <string.h>

#include "commit_internal.h"
#include "rt/assert.h"

/* Turns that make up a batch. */
#define TURNS 8

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

/* Where the source is, or is to be. */
static struct commit_source **place_of(struct commit_queues *queues, uint64_t number)
{
	uint64_t bits = (number ^ number >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	struct commit_source **at = &queues->sources[(bits >> 32) % COMMIT_SOURCE_BUCKETS];
	while (*at != NULL && (*at)->number != number)
		at = &(*at)->bucket_next;
	return at;
}

static struct commit_source *find_source(struct commit_queues *queues, uint64_t number)
{
	struct commit_source **at = place_of(queues, number);
	if (*at != NULL)
		return *at;
	struct commit_source *source = queues->free_sources;
	if (source != NULL)
		queues->free_sources = source->bucket_next;
	else
		source = malloc(sizeof(*source));
	RT_ASSERT(source != NULL);
	*source = (struct commit_source){.number = number};
	*at = source;
	return source;
}

/* So many items wait no more. */
static void leave(struct commit_queues *queues, struct commit_source *source, size_t count)
{
	queues->waiting -= count;
	source->waiting -= count;
	if (source->waiting > 0)
		return;
	*place_of(queues, source->number) = source->bucket_next;
	source->bucket_next = queues->free_sources;
	queues->free_sources = source;
}

static struct commit_flow *flow_of(const struct commit_queue *queue, uint64_t source)
{
	struct commit_flow *flow = queue->first;
	while (flow != NULL && flow->source->number != source)
		flow = flow->next;
	return flow;
}

static void append_flow(struct commit_queue *queue, struct commit_flow *flow)
{
	flow->next = NULL;
	if (queue->first == NULL)
		queue->first = flow;
	else
		queue->last->next = flow;
	queue->last = flow;
}

static struct commit_flow *new_flow(struct commit_queues *queues, struct commit_queue *queue,
				    uint64_t source)
{
	struct commit_flow *flow = queues->free_flows;
	if (flow != NULL)
		queues->free_flows = flow->next;
	else
		flow = malloc(sizeof(*flow));
	RT_ASSERT(flow != NULL);
	*flow = (struct commit_flow){.source = find_source(queues, source)};
	append_flow(queue, flow);
	return flow;
}

static void free_flow(struct commit_queues *queues, struct commit_flow *flow)
{
	flow->next = queues->free_flows;
	queues->free_flows = flow;
}

size_t commit_queues_count(struct commit_queues *queues, const struct rt_commit_item *item)
{
	for (struct commit_queue *at = *bucket_of(queues, &item->key); at != NULL;
	     at = at->bucket_next) {
		if (!rt_uuid_equal(&at->key, &item->key))
			continue;
		const struct commit_flow *flow = flow_of(at, item->source);
		return flow == NULL ? 0 : flow->count;
	}
	return 0;
}

size_t commit_queues_count_all(struct commit_queues *queues, const struct rt_commit_item *item)
{
	const struct commit_source *source = *place_of(queues, item->source);
	return source == NULL ? 0 : source->waiting;
}

static void append_item(struct commit_flow *flow, struct rt_commit_item *item)
{
	item->next = NULL;
	if (flow->first == NULL)
		flow->first = item;
	else
		flow->last->next = item;
	flow->last = item;
	flow->count++;
}

bool commit_queues_add(struct commit_queues *queues, struct rt_commit_item *item)
{
	struct commit_queue *queue = find(queues, &item->key);
	bool becomes_ready = queue->first == NULL && !queue->busy;
	struct commit_flow *flow = flow_of(queue, item->source);
	if (flow == NULL)
		flow = new_flow(queues, queue, item->source);
	append_item(flow, item);
	flow->source->waiting++;
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

/* A batch that is being composed. */
struct batch {
	struct rt_commit_item **items;
	size_t count;
	size_t items_max;
	size_t weight;
	size_t weight_max;
};

static bool has_room(const struct batch *batch, const struct rt_commit_item *item)
{
	size_t weight;
	if (batch->count == 0)
		return true;
	return batch->count < batch->items_max &&
	       !__builtin_add_overflow(batch->weight, item->weight, &weight) &&
	       weight <= batch->weight_max;
}

/* Takes of one source what its turn and the batch have room for. False: nothing. */
static bool take_turn(struct commit_flow *flow, struct batch *batch)
{
	const size_t turn_weight = batch->weight_max / TURNS;
	size_t taken_weight = 0;
	size_t before = batch->count;
	while (flow->first != NULL && has_room(batch, flow->first) &&
	       (batch->count == before || taken_weight < turn_weight)) {
		struct rt_commit_item *item = flow->first;
		flow->first = item->next;
		item->next = NULL;
		flow->count--;
		batch->items[batch->count++] = item;
		/* The first item of a batch weighs what it likes. */
		if (__builtin_add_overflow(batch->weight, item->weight, &batch->weight))
			batch->weight = SIZE_MAX;
		taken_weight += item->weight;
	}
	return batch->count > before;
}

/* The flow after `before`, the first one when that is NULL, goes to the end of the line, or away.
 */
static void end_turn(struct commit_queues *queues, struct commit_queue *queue,
		     struct commit_flow *before, struct commit_flow *flow)
{
	if (before == NULL)
		queue->first = flow->next;
	else
		before->next = flow->next;
	if (queue->last == flow)
		queue->last = before;
	if (flow->first != NULL)
		append_flow(queue, flow);
	else
		free_flow(queues, flow);
}

size_t commit_queue_batch(struct commit_queues *queues, struct commit_queue *queue,
			  struct rt_commit_item **items, size_t has, size_t items_max,
			  size_t weight_max)
{
	struct batch batch = {
		.items = items, .count = has, .items_max = items_max, .weight_max = weight_max};
	for (size_t i = 0; i < has; i++)
		batch.weight += items[i]->weight;
	struct commit_flow *skipped = NULL; /* the last of those that keep their place */
	struct commit_flow *flow = queue->first;
	while (flow != NULL && batch.count < items_max) {
		size_t before = batch.count;
		if (take_turn(flow, &batch)) {
			leave(queues, flow->source, batch.count - before);
			end_turn(queues, queue, skipped, flow);
		} else {
			skipped = flow;
		}
		flow = skipped == NULL ? queue->first : skipped->next;
	}
	if (queue->first == NULL)
		queue->earliest_mono_us = INT64_MAX;
	return batch.count;
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

/* Moves what has expired of one source to the list that ends at *end. */
static struct rt_commit_item **expire_flow(struct commit_queue *queue, struct commit_flow *flow,
					   int64_t now_mono_us, struct rt_commit_item **end)
{
	struct rt_commit_item *item = flow->first;
	flow->first = NULL;
	flow->count = 0;
	while (item != NULL) {
		struct rt_commit_item *next = item->next;
		if (item->deadline_mono_us <= now_mono_us) {
			item->next = NULL;
			*end = item;
			end = &item->next;
		} else {
			append_item(flow, item);
			if (item->deadline_mono_us < queue->earliest_mono_us)
				queue->earliest_mono_us = item->deadline_mono_us;
		}
		item = next;
	}
	return end;
}

/* Moves what has expired from the queue to the list that ends at *end; sources keep their places.
 */
static struct rt_commit_item **expire(struct commit_queues *queues, struct commit_queue *queue,
				      int64_t now_mono_us, struct rt_commit_item **end)
{
	struct commit_flow *flow = queue->first;
	queue->first = NULL;
	queue->earliest_mono_us = INT64_MAX;
	while (flow != NULL) {
		struct commit_flow *next = flow->next;
		size_t before = flow->count;
		end = expire_flow(queue, flow, now_mono_us, end);
		leave(queues, flow->source, before - flow->count);
		if (flow->first != NULL)
			append_flow(queue, flow);
		else
			free_flow(queues, flow);
		flow = next;
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

static struct rt_commit_item **drain_queue(struct commit_queues *queues, struct commit_queue *queue,
					   struct rt_commit_item **end)
{
	while (queue->first != NULL) {
		struct commit_flow *flow = queue->first;
		queue->first = flow->next;
		*end = flow->first;
		end = &flow->last->next;
		leave(queues, flow->source, flow->count);
		free_flow(queues, flow);
	}
	return end;
}

struct rt_commit_item *commit_queues_drain(struct commit_queues *queues)
{
	struct rt_commit_item *all = NULL;
	struct rt_commit_item **end = &all;
	for (size_t i = 0; i < COMMIT_BUCKETS; i++) {
		for (struct commit_queue *at = queues->buckets[i]; at != NULL;
		     at = at->bucket_next) {
			end = drain_queue(queues, at, end);
		}
	}
	/* Queues without items and lane go with them. */
	while (queues->ready_first != NULL) {
		struct commit_queue *queue = commit_queues_take(queues);
		forget(queues, queue);
	}
	RT_ASSERT(queues->waiting == 0);
	return all;
}

void commit_queues_deinit(struct commit_queues *queues)
{
	for (size_t i = 0; i < COMMIT_BUCKETS; i++)
		RT_ASSERT(queues->buckets[i] == NULL);
	for (size_t i = 0; i < COMMIT_SOURCE_BUCKETS; i++)
		RT_ASSERT(queues->sources[i] == NULL);
	while (queues->free != NULL) {
		struct commit_queue *next = queues->free->bucket_next;
		free(queues->free);
		queues->free = next;
	}
	while (queues->free_flows != NULL) {
		struct commit_flow *next = queues->free_flows->next;
		free(queues->free_flows);
		queues->free_flows = next;
	}
	while (queues->free_sources != NULL) {
		struct commit_source *next = queues->free_sources->bucket_next;
		free(queues->free_sources);
		queues->free_sources = next;
	}
}
