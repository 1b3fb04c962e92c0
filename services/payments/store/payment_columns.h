/* The statements of the shared transaction: each is sent with its parameters as arrays of one
 * length, gathered from the batch. For payment_batch.c. Errors: rt_pg_send's; RESOURCE_EXHAUSTED
 * OUT_OF_MEMORY when the arena is full. */
#pragma once

#include "store/payment_batch.h"

/* An array in the arena, never of no elements; NULL when it is full. */
#define PAYMENT_COLUMN(arena, type, count)                                                         \
	((type *)rt_arena_array((arena), (count) == 0 ? 1 : (count), sizeof(type)))

/* Whether the entry's payment is to be written now: its key is free, and no earlier attempt has
 * written it. */
bool payment_entry_missing(const struct payment_entry *entry);

struct rt_status payment_send_find_keys(struct rt_pg *pg, const struct payment_batch *batch,
					struct rt_arena *arena);
struct rt_status payment_send_find_clearing(struct rt_pg *pg, const struct payment_batch *batch,
					    struct rt_arena *arena);
/* Of look-ups of transfers between ledgers. */
struct rt_status payment_send_find_transit(struct rt_pg *pg, const struct payment_batch *batch,
					   struct rt_arena *arena);
struct rt_status payment_send_advance(struct rt_pg *pg, const struct payment_batch *batch,
				      struct rt_arena *arena);
struct rt_status payment_send_probes(struct rt_pg *pg, const struct payment_batch *batch,
				     struct rt_arena *arena);
struct rt_status payment_send_notices(struct rt_pg *pg, const struct payment_batch *batch,
				      struct rt_arena *arena);
/* read_fences.sql for any payments. */
struct rt_status payment_send_fences(struct rt_pg *pg, const struct rt_uuid *ledgers,
				     const struct rt_uuid *payments, size_t count,
				     struct rt_arena *arena);
/* The missing payments, if there are any; then *sent grows by one. */
struct rt_status payment_send_payments(struct rt_pg *pg, const struct payment_batch *batch,
				       struct rt_arena *arena, size_t *sent);
/* What persons must do, for the advances that were written, likewise. */
struct rt_status payment_send_actions(struct rt_pg *pg, const struct payment_batch *batch,
				      const bool *written, struct rt_arena *arena, size_t *sent);
struct payment_originals;
/* The events of the missing payments, of the advances that were written and of the originals,
 * likewise. */
struct rt_status payment_send_events(struct rt_pg *pg, const struct payment_batch *batch,
				     const bool *written, const struct payment_originals *originals,
				     struct rt_arena *arena, size_t *sent);
