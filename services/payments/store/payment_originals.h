/* What payments give back of others, inside the shared transaction: the originals are locked first,
 * what is recorded and what has ended is decided against them, then they are written. For
 * payment_batch.c. Errors: rt_pg_send's; RESOURCE_EXHAUSTED OUT_OF_MEMORY when the arena is full.
 */
#pragma once

#include "store/payment_batch.h"

/* A change of an original's state. */
struct original_event {
	struct rt_uuid ledger_id;
	struct rt_uuid payment_id;
	int64_t version;
	enum payment_state from;
	enum payment_state to;
	int64_t time_us;
};

/* The originals of one batch. */
struct payment_originals {
	struct payment_original *list; /* by id */
	int64_t *times;                /* when it was last touched; 0: not */
	size_t count;
	struct original_event *events;
	size_t event_count;
};

/* Whether the entry gives back what is on record. */
bool payment_entry_claims(const struct payment_entry *entry);
bool payment_originals_wanted(const struct payment_batch *batch);
bool payment_originals_searched(const struct payment_batch *batch);

/* Of look-ups. */
struct rt_status payment_send_find_originals(struct rt_pg *pg, const struct payment_batch *batch,
					     struct rt_arena *arena);
void payment_take_originals(const struct payment_batch *batch, const struct rt_pg_rows *rows);

struct rt_status payment_send_lock_originals(struct rt_pg *pg, const struct payment_batch *batch,
					     struct rt_arena *arena);
struct rt_status payment_send_find_settled(struct rt_pg *pg, const struct payment_batch *batch,
					   struct rt_arena *arena);
/* Decides with what was locked. `written`: the advances that are. */
struct rt_status payment_originals_decide(const struct payment_batch *batch, const bool *written,
					  const struct rt_pg_rows *locked,
					  const struct rt_pg_rows *settled, struct rt_arena *arena,
					  struct payment_originals *originals);
/* Those that were touched, if there are any; then *sent grows by one. */
struct rt_status payment_send_originals(struct rt_pg *pg, const struct payment_originals *originals,
					struct rt_arena *arena, size_t *sent);
