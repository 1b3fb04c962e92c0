/* The two round trips of a batch of postings. For the service's engine/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/book.h"
#include "rt/id.h"
#include "rt/pg.h"
#include "rt/status.h"

/* What a batch asks about, each id once. */
struct posting_wanted {
	struct rt_uuid ledger_id;
	struct rt_uuid *accounts;
	size_t account_count;
	struct rt_uuid *transfers;
	size_t transfer_count;
	struct rt_uuid *holds;
	size_t hold_count;
	struct rt_uuid *originals;
	size_t original_count;
};

/* Opens a transaction and locks the ledger, which no other batch and no change of an account passes
 * until it ends. *locked_us is when it had the lock, by PostgreSQL's clock, which is one for all
 * replicas. The transaction stays open until posting_store_write, or rt_pg_abandon. Errors:
 * NOT_FOUND LEDGER_NOT_FOUND; those of rt_pg_receive. */
struct rt_status posting_store_lock(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				    int64_t deadline_us, struct rt_arena *arena,
				    int64_t *locked_us);
/* Does the same, unless it was done: then *locked_us stays. Puts what is known into the book. The
 * transaction stays open until posting_store_write, or rt_pg_abandon. Errors: NOT_FOUND
 * LEDGER_NOT_FOUND; those of rt_pg_receive. */
struct rt_status posting_store_read(struct rt_pg *pg, const struct posting_wanted *wanted,
				    int64_t deadline_us, struct book *book, int64_t *locked_us);
/* Writes what the book's decisions changed, and commits. Errors: those of rt_pg_receive; INTERNAL
 * INVARIANT_BROKEN when a constraint refused what was decided. */
struct rt_status posting_store_write(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				     const struct book *book);
