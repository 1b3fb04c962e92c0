/* The inside of group commit, for runtime/data alone. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "rt/group_commit.h"
#include "rt/lock.h"
#include "rt/metrics.h"

#define COMMIT_BUCKETS        1024
#define COMMIT_SOURCE_BUCKETS 256

/* How much of a source's waits, over all keys. It exists while something does. */
struct commit_source {
	struct commit_source *bucket_next;
	uint64_t number;
	size_t waiting;
};

/* The items of one source that wait for one key, in order. It exists while it has some. */
struct commit_flow {
	struct commit_flow *next;
	struct commit_source *source;
	struct rt_commit_item *first;
	struct rt_commit_item *last;
	size_t count;
};

/* What waits for one key, by source. It exists while something does, or a lane works for it. */
struct commit_queue {
	struct commit_queue *bucket_next;
	struct commit_queue *ready_next;
	struct rt_uuid key;
	struct commit_flow *first; /* whose turn it is next */
	struct commit_flow *last;
	int64_t earliest_mono_us; /* no deadline in it is before this */
	bool busy;                /* a lane works for it */
};

/* All queues; protected by the lock of rt_commit. */
struct commit_queues {
	struct commit_queue *buckets[COMMIT_BUCKETS];
	struct commit_queue *free;
	struct commit_flow *free_flows;
	struct commit_source *sources[COMMIT_SOURCE_BUCKETS];
	struct commit_source *free_sources;
	/* Those with items and without a lane, in the order in which they get one. */
	struct commit_queue *ready_first;
	struct commit_queue *ready_last;
	size_t waiting;
};

struct commit_lane {
	struct rt_commit *commit;
	pthread_t thread;
	struct rt_pg *pg;
	struct rt_arena arena;
	struct rt_commit_item **items;
	pthread_cond_t work; /* it rests no more */
	struct commit_lane *resting_next;
	bool rests;
};

struct rt_commit {
	struct rt_commit_config config;
	struct rt_lock lock;
	pthread_cond_t expiry; /* something waits that may expire, or the end */
	pthread_cond_t pause;  /* the end; lanes sleep on it between attempts */
	pthread_cond_t idle;   /* at the end: less waits, or a lane is done */
	struct commit_queues queues;
	/* Lanes without work, the last that had some first: its connection's server has plans and
	 * caches that are warm. */
	struct commit_lane *resting;
	size_t lanes_busy;
	int64_t busy_us; /* that lanes were at work, until the next */
	int64_t busy_at_us;
	bool timekeeper_idle;
	bool stopping;    /* nothing is taken in any more */
	bool stopped;     /* no more attempts, and the timekeeper ends */
	int64_t batch_us; /* what a batch took lately, on average */
	pthread_t timekeeper;
	struct rt_series *series_batch;
	struct rt_series *series_seconds;
	struct rt_series *series_queue;
	size_t lane_count;
	struct commit_lane lanes[];
};

/* commit_queues.c; the lock is held. */

/* How many items of its source wait for its key; for any key. */
size_t commit_queues_count(struct commit_queues *queues, const struct rt_commit_item *item);
size_t commit_queues_count_all(struct commit_queues *queues, const struct rt_commit_item *item);
/* Adds an item; true when its queue became ready for a lane. */
bool commit_queues_add(struct commit_queues *queues, struct rt_commit_item *item);
/* Takes the first ready queue for a lane; NULL when there is none. */
struct commit_queue *commit_queues_take(struct commit_queues *queues);
/* Adds to a batch that has some items from a queue: at least one item when it has none, as many as
 * the bounds allow. Sources take turns of an eighth of a batch; one whose next item is too heavy
 * for what is left of this batch is the first of the next one. Returns how many it has then. */
size_t commit_queue_batch(struct commit_queues *queues, struct commit_queue *queue,
			  struct rt_commit_item **items, size_t has, size_t items_max,
			  size_t weight_max);
/* A lane is done with a queue: it goes to the end of the line, or away. */
void commit_queues_give(struct commit_queues *queues, struct commit_queue *queue);
/* Takes what has expired out of all queues, as a list by `next`. */
struct rt_commit_item *commit_queues_expired(struct commit_queues *queues, int64_t now_mono_us);
/* Takes everything out, as a list by `next`. */
struct rt_commit_item *commit_queues_drain(struct commit_queues *queues);
void commit_queues_deinit(struct commit_queues *queues);

/* commit_lane.c */

void *commit_lane_run(void *lane);
/* Wakes the lane that rested last, if one rests; all of them. The lock is held. */
void commit_wake_lane(struct rt_commit *commit);
void commit_wake_lanes(struct rt_commit *commit);
/* So many lanes more are at work, or, when negative, less. The lock is held. */
void commit_count_busy(struct rt_commit *commit, int change);
/* Shows how many wait. */
void commit_show_waiting(struct rt_commit *commit);
