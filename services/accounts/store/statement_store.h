/* Reading what was posted: a transfer, an account's statement, a ledger's sums. For the service's
 * engine/ and rpc/. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "domain/account.h"
#include "domain/book.h"
#include "domain/hold.h"
#include "domain/transfer.h"
#include "rt/arena.h"
#include "rt/id.h"
#include "rt/pg.h"
#include "rt/status.h"

struct stored_transfer {
	struct posted_transfer posted;
	bool is_hold;
	enum hold_state hold_state; /* when it is one */
	int64_t captured_minor;
	int64_t reversed_minor;
};

/* Owns: texts are in the arena, as for all of these. Errors: NOT_FOUND TRANSFER_NOT_FOUND. */
struct rt_status statement_store_transfer(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					  const struct rt_uuid *transfer_id, struct rt_arena *arena,
					  int64_t deadline_us, struct stored_transfer *stored);

/* One line of an account's statement. */
struct statement_entry {
	struct transfer transfer;
	int64_t created_us;
	int64_t moved_minor;
	struct account_state after;
};

/* Which entries of an account: those after one sequence number, up to another, and of these the
 * first or the last ones. */
struct statement_slice {
	struct rt_uuid ledger_id;
	struct rt_uuid account_id;
	int64_t after_sequence;
	int64_t last_sequence;
	bool descending; /* from the last one on */
	size_t most;
};
struct rt_status statement_store_page(struct rt_pg *pg, const struct statement_slice *slice,
				      struct rt_arena *arena, int64_t deadline_us,
				      struct statement_entry **entries, size_t *count);
/* How many of an account's first `sequence` entries were made before a moment. */
struct rt_status statement_store_count_before(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					      const struct rt_uuid *account_id, int64_t sequence,
					      int64_t wall_us, struct rt_arena *arena,
					      int64_t deadline_us, int64_t *count);
/* An account right after that entry; empty for 0. */
struct rt_status statement_store_state(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				       const struct rt_uuid *account_id, int64_t sequence,
				       struct rt_arena *arena, int64_t deadline_us,
				       struct account_state *state);

/* The group that a transfer belongs to: posted, or declined. Errors: NOT_FOUND TRANSFER_NOT_FOUND.
 */
struct rt_status statement_store_group(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				       const struct rt_uuid *transfer_id, struct rt_arena *arena,
				       int64_t deadline_us, struct group_record *record);

/* Minor units as decimal digits: a sum over accounts has no bound. */
struct exact_totals {
	const char *debits_posted_minor, *credits_posted_minor;
	const char *debits_pending_minor, *credits_pending_minor;
};

struct trial_balance_line {
	char currency[CURRENCY_CODE_BYTES];
	int64_t account_count;
	struct account_totals totals; /* INT64_MAX for what does not fit */
	struct exact_totals exact;
};

/* Owns: all in the arena. */
struct rt_status statement_store_trial_balance(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					       struct rt_arena *arena, int64_t deadline_us,
					       struct trial_balance_line **lines, size_t *count);
