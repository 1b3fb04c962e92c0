/* Group commit: items that arrive while a transaction is committing share the next one. A queue a
 * key (a ledger, a shard of payments), fair between keys, and within one between sources (callers);
 * lanes are threads that each own a connection; one lane at a time works for one key. No timer: an
 * idle lane takes a single item at once. Used by the engines of accounts and payments. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "rt/arena.h"
#include "rt/id.h"
#include "rt/pg.h"
#include "rt/status.h"

/* First member of what a service queues. Owns: the service; the item is lent from _submit until it
 * is answered. */
struct rt_commit_item {
	struct rt_commit_item *next; /* the queue's */
	struct rt_uuid key;
	uint64_t source; /* whose it is: items of one source keep their order; 0: our own */
	size_t weight;   /* what it adds to a batch's size, at least 1 */
	int64_t deadline_mono_us;
};

/* Carries out the items in one transaction on `pg` and, once it has committed, answers each of
 * them. Returns OK when all items were answered, and only then; with an error none was answered.
 * After a transient one (ABORTED, UNAVAILABLE, OUTCOME_UNKNOWN, DEADLINE_EXCEEDED) it is called
 * again with the items whose deadline has not passed: so it begins by looking up what an earlier
 * attempt may have committed. After any other, a batch of several is tried again in halves, in
 * order, so that an item that can't be carried out fails alone. The arena is emptied after each
 * attempt. Thread: a lane's. */
typedef struct rt_status (*rt_commit_batch)(void *context, struct rt_pg *pg,
					    struct rt_commit_item **items, size_t count,
					    struct rt_arena *arena);
/* Optional: waits for what the batch will need, such as a lock that another process holds, knowing
 * the first of its items; what is queued for the same key meanwhile joins them. It may leave a
 * transaction open on `pg`, in which the first attempt then finds itself (rt_pg_is_open). Thread: a
 * lane's. */
typedef void (*rt_commit_prepare)(void *context, struct rt_pg *pg, struct rt_commit_item **items,
				  size_t count);
/* Answers one item with an error: the last one, but OUTCOME_UNKNOWN when any attempt ended so.
 * Thread: a lane's, or the timekeeper's, or _stop's caller's; no lock is held. */
typedef void (*rt_commit_fail)(void *context, struct rt_commit_item *item, struct rt_status status);

struct rt_commit_config {
	const char *name; /* label of its metrics; static storage */
	struct rt_pg_config pg;
	size_t lanes;
	size_t queue_max; /* items that wait, over all keys */
	size_t batch_items_max;
	size_t batch_weight_max; /* an item that alone weighs more still goes, by itself */
	size_t arena_bytes;
	rt_commit_prepare prepare; /* NULL: none */
	rt_commit_batch batch;
	rt_commit_fail fail;
	void *context;
};

struct rt_commit;

struct rt_commit *rt_commit_new(const struct rt_commit_config *config);
/* Queues an item. Thread: any; never blocks. Errors: RESOURCE_EXHAUSTED QUEUE_FULL with
 * retry_after_ms, UNAVAILABLE SHUTTING_DOWN: the item stays the caller's. A source may have no more
 * waiting for a key than eight times what is left for others, and for all keys together than 64
 * times, so that something always is; our own items may take all. An item whose deadline passes
 * while it waits fails with DEADLINE_EXCEEDED. */
struct rt_status rt_commit_submit(struct rt_commit *commit, struct rt_commit_item *item);
size_t rt_commit_waiting(struct rt_commit *commit);
/* How long lanes have been at work so far, all of them added up. */
int64_t rt_commit_busy_us(struct rt_commit *commit);
/* Takes no more, carries out what waits until the deadline, fails the rest, ends the lanes. */
void rt_commit_stop(struct rt_commit *commit, int64_t deadline_mono_us);
/* After _stop. */
void rt_commit_destroy(struct rt_commit *commit);
