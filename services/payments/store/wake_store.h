/* Wakes: what another process should look at again at once. For the engine; SQL only. Errors are
 * rt_pg's. */
#pragma once

#include "store/payment_batch.h"
#include "store/payment_store.h"

/* A payment that was to be looked at, and who has it now. */
struct wake {
	struct payment_place place;
	struct rt_uuid owner;
	bool cancel; /* somebody wants it called off */
};

/* Takes out what was put there for the worker. */
struct rt_status wake_store_take(struct rt_pg *pg, const struct rt_uuid *worker_id,
				 struct rt_arena *arena, int64_t deadline_mono_us,
				 struct wake **wakes, size_t *count);
/* Drops what was left for processes that are gone: whoever took over has begun anew. */
struct rt_status wake_store_sweep(struct rt_pg *pg, int64_t deadline_mono_us);
/* For whoever has the payments that the batch's notifications are about, unless it is the batch's
 * worker; *sent grows by the statements that were sent. */
struct rt_status wake_batch_send(struct rt_pg *pg, const struct payment_batch *batch,
				 struct rt_arena *arena, size_t *sent);
/* For whoever has this payment; in the open transaction if there is one. */
struct rt_status wake_store_put(struct rt_pg *pg, const struct rt_uuid *payment_id,
				const struct rt_uuid *worker_id, struct rt_arena *arena,
				int64_t deadline_mono_us);
