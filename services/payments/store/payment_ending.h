/* The end of one payment that is written by itself and not in a shared transaction: what it has
 * claimed, of the payment that it was to give back and of its person's limits, is settled in the
 * same transaction. For operations_store.c; SQL only. Errors are rt_pg's; RESOURCE_EXHAUSTED
 * OUT_OF_MEMORY when the arena is full.
 *
 * In the order in which shared transactions lock: _lock, then the payment's row is written, then
 * _settle. */
#pragma once

#include "store/payment_batch.h"

struct payment_ending {
	struct payment_advance advance; /* by the caller */
	/* Its own. */
	struct payment_advance *advances[1];
	struct payment_batch batch;
	struct rt_pg_rows originals;
};

/* Locks the original, if there is one. Nothing is to be done for a change that ends nothing. */
struct rt_status payment_ending_lock(struct rt_pg *pg, struct payment_ending *ending,
				     struct rt_arena *arena);
/* The payment has ended as `advance` says. */
struct rt_status payment_ending_settle(struct rt_pg *pg, struct payment_ending *ending,
				       struct rt_arena *arena);
void payment_ending_deinit(struct payment_ending *ending);
