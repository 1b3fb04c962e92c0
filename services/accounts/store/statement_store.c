#include "store/statement_store.h"

#include "accounts.sql.h"
#include "store/rows.h"

static const struct rt_pg_statement transfer_statement = {"transfer_get", accounts_transfer_get};
static const struct rt_pg_statement page_statement = {"statement_page", accounts_statement_page};
static const struct rt_pg_statement trial_balance_statement = {"trial_balance",
							       accounts_trial_balance};

static struct rt_status read_hold(const struct rt_pg_rows *rows, int row, int column,
				  struct stored_transfer *stored)
{
	if (rt_pg_is_null(rows, row, column))
		return rt_ok();
	int64_t number = rt_pg_int(rows, row, column);
	if (number < HOLD_PENDING || number > HOLD_RELEASED)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "a hold's state is wrong");
	stored->is_hold = true;
	stored->hold_state = (enum hold_state)number;
	stored->captured_minor = rt_pg_int(rows, row, column + 1);
	return rt_ok();
}

struct rt_status statement_store_transfer(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					  const struct rt_uuid *transfer_id, struct rt_arena *arena,
					  int64_t deadline_us, struct stored_transfer *stored)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_uuid(&params, transfer_id);
	RT_TRY(rt_pg_run(pg, &transfer_statement, &params, deadline_us, &rows));
	if (rows.count == 0)
		return RT_FAIL(NOT_FOUND, "TRANSFER_NOT_FOUND",
			       "no such transfer was posted in this ledger");
	*stored = (struct stored_transfer){0};
	RT_TRY(rows_posted(&rows, 0, arena, &stored->posted));
	RT_TRY(rows_side(&rows, 0, ROWS_POSTED_COLUMNS, &stored->posted.debit.normal));
	RT_TRY(rows_side(&rows, 0, ROWS_POSTED_COLUMNS + 1, &stored->posted.credit.normal));
	return read_hold(&rows, 0, ROWS_POSTED_COLUMNS + 2, stored);
}

static struct rt_status read_entry(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
				   struct statement_entry *entry)
{
	*entry = (struct statement_entry){
		.transfer = {.id = rt_pg_uuid(rows, row, 0),
			     .debit_account_id = rt_pg_uuid(rows, row, 1),
			     .credit_account_id = rt_pg_uuid(rows, row, 2),
			     .amount_minor = rt_pg_int(rows, row, 3),
			     .hold_id = rows_uuid_or_nil(rows, row, 5)},
		.created_us = rt_pg_time_us(rows, row, 4),
		.after = rows_state(rows, row, 9),
	};
	RT_TRY(rows_kind(rows, row, 6, &entry->transfer.kind));
	RT_TRY(rows_currency(rows, row, 7, entry->transfer.currency));
	return rows_text(rows, row, 8, arena, &entry->transfer.reference);
}

struct rt_status statement_store_page(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				      const struct rt_uuid *account_id, int64_t after_sequence,
				      size_t most, struct rt_arena *arena, int64_t deadline_us,
				      struct statement_entry **entries, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_uuid(&params, account_id);
	rt_pg_add_int(&params, after_sequence);
	rt_pg_add_int(&params, (int64_t)most);
	RT_TRY(rt_pg_run(pg, &page_statement, &params, deadline_us, &rows));
	*count = (size_t)rows.count;
	*entries = rt_arena_array(arena, *count, sizeof(**entries));
	if (*entries == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++)
		RT_TRY(read_entry(&rows, row, arena, &(*entries)[row]));
	return rt_ok();
}

static struct rt_status read_line(const struct rt_pg_rows *rows, int row,
				  struct trial_balance_line *line)
{
	for (int column = 2; column < 6; column++)
		if (rt_pg_is_null(rows, row, column))
			return RT_FAIL(
				FAILED_PRECONDITION, "BALANCE_OVERFLOW",
				"the sum over all accounts of a currency doesn't fit 63 bits");
	*line = (struct trial_balance_line){
		.account_count = rt_pg_int(rows, row, 1),
		.totals = {.debits_posted_minor = rt_pg_int(rows, row, 2),
			   .credits_posted_minor = rt_pg_int(rows, row, 3),
			   .debits_pending_minor = rt_pg_int(rows, row, 4),
			   .credits_pending_minor = rt_pg_int(rows, row, 5)},
	};
	return rows_currency(rows, row, 0, line->currency);
}

struct rt_status statement_store_trial_balance(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					       struct rt_arena *arena, int64_t deadline_us,
					       struct trial_balance_line **lines, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	RT_TRY(rt_pg_run(pg, &trial_balance_statement, &params, deadline_us, &rows));
	*count = (size_t)rows.count;
	*lines = rt_arena_array(arena, *count, sizeof(**lines));
	if (*lines == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++)
		RT_TRY(read_line(&rows, row, &(*lines)[row]));
	return rt_ok();
}
