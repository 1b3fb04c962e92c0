/* Reads that need one consistent moment. For the service's rpc/. */
#pragma once

#include <stddef.h>

#include "domain/account.h"
#include "rt/arena.h"
#include "rt/pg.h"
#include "rt/status.h"
#include "store/statement_store.h"

struct statement {
	struct account_record account;
	struct statement_entry *entries;
	size_t count;
};

/* An account, and up to `most` of its entries after a sequence number. Owns: all in the arena.
 * Errors: NOT_FOUND ACCOUNT_NOT_FOUND. */
struct rt_status statement_read(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				const struct rt_uuid *account_id, int64_t after_sequence,
				size_t most, struct rt_arena *arena, int64_t deadline_us,
				struct statement *statement);

struct trial_balance {
	struct trial_balance_line *lines;
	size_t count;
	bool balanced;
};

/* Sums over all accounts of a ledger. Errors: NOT_FOUND LEDGER_NOT_FOUND; FAILED_PRECONDITION
 * BALANCE_OVERFLOW. */
struct rt_status statement_trial_balance(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					 struct rt_arena *arena, int64_t deadline_us,
					 struct trial_balance *balance);
