#include "engine/statement.h"

#include "store/account_store.h"
#include "store/ledger_store.h"

struct rt_status statement_read(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				const struct rt_uuid *account_id, int64_t after_sequence,
				size_t most, struct rt_arena *arena, int64_t deadline_us,
				struct statement *statement)
{
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	RT_TRY(rt_pg_begin_snapshot(pg, deadline_us, &tx));
	RT_TRY(account_store_get(pg, ledger_id, account_id, arena, deadline_us,
				 &statement->account));
	return statement_store_page(pg, ledger_id, account_id, after_sequence, most, arena,
				    deadline_us, &statement->entries, &statement->count);
}

static bool is_balanced(const struct trial_balance_line *line)
{
	return line->totals.debits_posted_minor == line->totals.credits_posted_minor &&
	       line->totals.debits_pending_minor == line->totals.credits_pending_minor;
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
