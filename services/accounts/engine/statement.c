#include "engine/statement.h"

#include <string.h>

#include "store/account_store.h"
#include "store/ledger_store.h"

/* The range in sequence numbers: after `before`, up to `last`; empty when it ends where it begins.
 */
struct range {
	int64_t before, last;
};

static struct rt_status count_before(struct rt_pg *pg, const struct statement_query *query,
				     int64_t sequence, int64_t wall_us, struct rt_arena *arena,
				     int64_t deadline_us, int64_t *count)
{
	return statement_store_count_before(pg, &query->ledger_id, &query->account_id, sequence,
					    wall_us, arena, deadline_us, count);
}

static struct rt_status find_range(struct rt_pg *pg, const struct statement_query *query,
				   int64_t sequence, struct rt_arena *arena, int64_t deadline_us,
				   struct range *range)
{
	int64_t count;
	*range = (struct range){.last = sequence};
	if (query->last_sequence != 0 && query->last_sequence < range->last)
		range->last = query->last_sequence;
	if (query->to_sequence != 0 && query->to_sequence < range->last)
		range->last = query->to_sequence;
	if (query->to_us != INT64_MAX && range->last > 0) {
		RT_TRY(count_before(pg, query, range->last, query->to_us, arena, deadline_us,
				    &count));
		range->last = count;
	}
	if (query->from_sequence > 0)
		range->before = query->from_sequence - 1;
	if (query->from_us != INT64_MIN && range->last > 0) {
		RT_TRY(count_before(pg, query, range->last, query->from_us, arena, deadline_us,
				    &count));
		range->before = count > range->before ? count : range->before;
	}
	if (range->before > range->last)
		range->before = range->last;
	return rt_ok();
}

static struct rt_status read_page(struct rt_pg *pg, const struct statement_query *query,
				  const struct range *range, struct rt_arena *arena,
				  int64_t deadline_us, struct statement *statement)
{
	struct statement_slice slice = {
		.ledger_id = query->ledger_id,
		.account_id = query->account_id,
		.after_sequence = range->before,
		.last_sequence = range->last,
		.descending = query->descending,
		.most = query->most,
	};
	if (query->place != 0 && query->descending && query->place <= slice.last_sequence)
		slice.last_sequence = query->place - 1;
	if (query->place != 0 && !query->descending && query->place > slice.after_sequence)
		slice.after_sequence = query->place;
	return statement_store_page(pg, &slice, arena, deadline_us, &statement->entries,
				    &statement->count);
}

/* What is before or after a bound in time stays so. Later pages have the range that the first one
 * found. */
static struct rt_status settle_bounds(struct rt_pg *pg, const struct statement_query *query,
				      struct rt_arena *arena, int64_t deadline_us)
{
	int64_t now_us;
	if (query->last_sequence != 0)
		return rt_ok();
	if (query->to_us != INT64_MAX)
		RT_TRY(ledger_store_settle(pg, &query->ledger_id, query->to_us, arena, deadline_us,
					   &now_us));
	if (query->from_us != INT64_MIN)
		RT_TRY(ledger_store_settle(pg, &query->ledger_id, query->from_us, arena,
					   deadline_us, &now_us));
	return rt_ok();
}

struct rt_status statement_read(struct rt_pg *pg, const struct statement_query *query,
				struct rt_arena *arena, int64_t deadline_us,
				struct statement *statement)
{
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	const struct rt_uuid *ledger_id = &query->ledger_id, *account_id = &query->account_id;
	struct range range;
	RT_TRY(settle_bounds(pg, query, arena, deadline_us));
	RT_TRY(rt_pg_begin_snapshot(pg, deadline_us, &tx));
	RT_TRY(account_store_get(pg, ledger_id, account_id, arena, deadline_us,
				 &statement->account));
	int64_t sequence = statement->account.account.state.sequence;
	RT_TRY(find_range(pg, query, sequence, arena, deadline_us, &range));
	RT_TRY(statement_store_state(pg, ledger_id, account_id, range.before, arena, deadline_us,
				     &statement->opening));
	statement->closing = statement->account.account.state;
	if (range.last != sequence)
		RT_TRY(statement_store_state(pg, ledger_id, account_id, range.last, arena,
					     deadline_us, &statement->closing));
	statement->last_sequence = range.last;
	return read_page(pg, query, &range, arena, deadline_us, statement);
}

struct rt_status statement_state_at(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				    const struct rt_uuid *account_id, int64_t wall_us,
				    struct rt_arena *arena, int64_t deadline_us,
				    struct account_record *account, struct account_state *state)
{
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	int64_t count = 0, now_us;
	RT_TRY(ledger_store_settle(pg, ledger_id, wall_us, arena, deadline_us, &now_us));
	if (wall_us >= now_us)
		return RT_BAD_FIELD("INVALID_FIELD", "time", "must not be in the future");
	RT_TRY(rt_pg_begin_snapshot(pg, deadline_us, &tx));
	RT_TRY(account_store_get(pg, ledger_id, account_id, arena, deadline_us, account));
	if (account->account.state.sequence > 0)
		RT_TRY(statement_store_count_before(pg, ledger_id, account_id,
						    account->account.state.sequence, wall_us + 1,
						    arena, deadline_us, &count));
	return statement_store_state(pg, ledger_id, account_id, count, arena, deadline_us, state);
}

static bool is_balanced(const struct trial_balance_line *line)
{
	const struct exact_totals *exact = &line->exact;
	return strcmp(exact->debits_posted_minor, exact->credits_posted_minor) == 0 &&
	       strcmp(exact->debits_pending_minor, exact->credits_pending_minor) == 0;
}

struct rt_status statement_trial_balance(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					 struct rt_arena *arena, int64_t deadline_us,
					 struct trial_balance *balance)
{
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	struct ledger ledger;
	RT_TRY(rt_pg_begin_snapshot(pg, deadline_us, &tx));
	RT_TRY(ledger_store_get(pg, ledger_id, arena, deadline_us, &ledger));
	RT_TRY(statement_store_trial_balance(pg, ledger_id, arena, deadline_us, &balance->lines,
					     &balance->count));
	balance->balanced = true;
	for (size_t i = 0; i < balance->count; i++)
		balance->balanced = balance->balanced && is_balanced(&balance->lines[i]);
	return rt_ok();
}
