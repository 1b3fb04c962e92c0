/* Changes of payments in the order in which they are watched. For the engine; SQL only. Errors are
 * rt_pg's. */
#pragma once

#include "domain/limits.h"
#include "domain/page.h"
#include "store/payment_store.h"

/* A payment as it was after a change. */
struct feed_change {
	struct payment_record record;
	struct page_place place;
	struct limit_refusal refusal; /* of a decline by a limit, where it is known */
};

/* Below it no change is added any more. Pages must be read after it, not with it. */
struct rt_status feed_store_horizon(struct rt_pg *pg, int64_t deadline_mono_us, int64_t *horizon);
/* Whether the caller has at most `most` payments in the ledger. */
struct rt_status feed_store_few(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				const char *caller, int64_t most, int64_t deadline_mono_us,
				bool *few);
/* Up to `limit` changes of a ledger after a place and below the horizon; of a caller's payments
 * alone, which costs what they are and not what lies between, or with NULL of all. */
struct rt_status feed_store_read(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				 const char *caller, const struct page_place *after,
				 int64_t horizon, int64_t limit, struct rt_arena *arena,
				 int64_t deadline_mono_us, struct feed_change **changes,
				 size_t *count);
