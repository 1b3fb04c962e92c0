/* Reading what was posted: a transfer, an account's statement, a ledger's sums. For the service's
 * engine/ and rpc/. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "domain/account.h"
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
};

/* Owns: texts are in the arena, as for all of these. Errors: NOT_FOUND TRANSFER_NOT_FOUND. */
struct rt_status statement_store_transfer(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					  const struct rt_uuid *transfer_id, struct rt_arena *arena,
					  int64_t deadline_us, struct stored_transfer *stored);

/* One line of an account's statement. */
struct statement_entry {
	struct transfer transfer;
	int64_t created_us;
	struct account_state after;
};

/* Up to `most` entries after a sequence number. */
struct rt_status statement_store_page(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				      const struct rt_uuid *account_id, int64_t after_sequence,
				      size_t most, struct rt_arena *arena, int64_t deadline_us,
				      struct statement_entry **entries, size_t *count);

struct trial_balance_line {
	char currency[4];
	int64_t account_count;
	struct account_totals totals;
};

/* Errors: FAILED_PRECONDITION BALANCE_OVERFLOW when a sum doesn't fit. */
struct rt_status statement_store_trial_balance(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					       struct rt_arena *arena, int64_t deadline_us,
					       struct trial_balance_line **lines, size_t *count);
