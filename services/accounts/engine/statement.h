/* Reads that need one consistent moment. For the service's rpc/. */
#pragma once

#include <stddef.h>

#include "domain/account.h"
#include "rt/arena.h"
#include "rt/pg.h"
#include "rt/status.h"
#include "store/statement_store.h"

/* A range of an account's entries, by their sequence and by time, and which page of it. */
struct statement_query {
	struct rt_uuid ledger_id;
	struct rt_uuid account_id;
	int64_t from_sequence; /* 0: from the first */
	int64_t to_sequence;   /* 0: to the last */
	int64_t from_us;       /* at or after this; INT64_MIN: no bound */
	int64_t to_us;         /* before this; INT64_MAX: no bound */
	bool descending;
	/* Of a later page: the last entry of the page before, and the last one of the range as it
	 * was then; 0 for the first. */
	int64_t place;
	int64_t last_sequence;
	size_t most;
};

struct statement {
	struct account_record account;
	struct account_state opening; /* before the first entry of the range */
	struct account_state closing; /* after its last */
	int64_t last_sequence;        /* of the range; for the next page */
	struct statement_entry *entries;
	size_t count;
};

/* Reads one page of the range, which stays what it is where it ends in the past. Owns: all in the
 * arena. Errors: NOT_FOUND ACCOUNT_NOT_FOUND. */
struct rt_status statement_read(struct rt_pg *pg, const struct statement_query *query,
				struct rt_arena *arena, int64_t deadline_us,
				struct statement *statement);

/* An account as it was after all its entries up to and including a moment, for good; *account is as
 * it is now. Errors: NOT_FOUND ACCOUNT_NOT_FOUND; INVALID_ARGUMENT INVALID_FIELD of "time", when it
 * is not past by PostgreSQL's clock. */
struct rt_status statement_state_at(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				    const struct rt_uuid *account_id, int64_t wall_us,
				    struct rt_arena *arena, int64_t deadline_us,
				    struct account_record *account, struct account_state *state);

struct trial_balance {
	struct trial_balance_line *lines;
	size_t count;
	bool balanced;
};

/* Sums over all accounts of a ledger. Errors: NOT_FOUND LEDGER_NOT_FOUND. */
struct rt_status statement_trial_balance(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					 struct rt_arena *arena, int64_t deadline_us,
					 struct trial_balance *balance);
