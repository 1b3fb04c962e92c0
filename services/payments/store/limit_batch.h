/* Limits in the shared transaction of payments: the rows of the persons concerned are locked in one
 * order, new payments are decided on in the order of arrival, and what is used is written with the
 * payments. For payment_batch.c. Errors: rt_pg's; RESOURCE_EXHAUSTED OUT_OF_MEMORY. */
#pragma once

#include "store/payment_batch.h"

struct limit_purses;

/* Whether the batch has anybody whose limits must be asked for. */
bool limit_batch_wanted(const struct payment_batch *batch);
/* In the first round trip, after all that waits for other rows: locks the persons who have limits,
 * and reads where they stand. */
struct rt_status limit_batch_send_lock(struct rt_pg *pg, const struct payment_batch *batch,
				       struct rt_arena *arena);
/* Why the payments that were found were declined, where it was a limit. */
struct rt_status limit_batch_find_refusals(struct rt_pg *pg, const struct payment_batch *batch,
					   struct rt_arena *arena);
/* With the persons that were locked: payments that ended (`written` says which were moved now) give
 * back, and the missing entries take, or are refused. One more round trip when anybody was locked,
 * else none; *purses is NULL then. */
struct rt_status limit_batch_decide(struct rt_pg *pg, const struct payment_batch *batch,
				    const bool *written, const struct rt_pg_rows *locked,
				    struct rt_arena *arena, struct limit_purses **purses);
/* With the new payments: what was decided. *sent grows by the number of statements, at most
 * LIMIT_BATCH_WRITES. */
#define LIMIT_BATCH_WRITES 3
struct rt_status limit_batch_send_writes(struct rt_pg *pg, const struct payment_batch *batch,
					 const struct limit_purses *purses, struct rt_arena *arena,
					 size_t *sent);
/* Columns of read_limit_refusals.sql. */
struct limit_refusal limit_refusal_read(const struct rt_pg_rows *rows, int row);
