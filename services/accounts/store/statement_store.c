#include "store/statement_store.h"

#include "accounts.sql.h"
#include "store/rows.h"

static const struct rt_pg_statement transfer_statement = {"transfer_get", accounts_transfer_get};
static const struct rt_pg_statement page_statement = {"statement_page", accounts_statement_page};
static const struct rt_pg_statement page_back_statement = {"statement_page_back",
							   accounts_statement_page_back};
static const struct rt_pg_statement count_statement = {"statement_count_before",
						       accounts_statement_count_before};
static const struct rt_pg_statement state_statement = {"statement_state", accounts_statement_state};
static const struct rt_pg_statement group_statement = {"group_get", accounts_group_get};
static const struct rt_pg_statement declines_statement = {"post_read_declines",
							  accounts_post_read_declines};
static const struct rt_pg_statement trial_balance_statement = {"trial_balance",
							       accounts_trial_balance};

static void begin_params(struct rt_pg_params *params, struct rt_arena *arena,
			 const struct rt_uuid *ledger_id, const struct rt_uuid *account_id)
{
	rt_pg_params_init(params, arena);
	rt_pg_add_uuid(params, ledger_id);
	rt_pg_add_uuid(params, account_id);
}

static struct rt_status read_hold(const struct rt_pg_rows *rows, int row, int column,
				  struct stored_transfer *stored)
{
	if (rt_pg_is_null(rows, row, column))
		return rt_ok();
	int64_t number = rt_pg_int(rows, row, column);
	if (number < HOLD_PENDING || number > HOLD_EXPIRED)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "a hold's state is wrong");
	stored->is_hold = true;
	stored->hold_state = (enum hold_state)number;
	stored->captured_minor = rt_pg_int(rows, row, column + 1);
	return rt_ok();
}

static struct rt_status not_found(const char *why)
{
	return rt_status_about(RT_FAIL(NOT_FOUND, "TRANSFER_NOT_FOUND", "%s", why), "transfer_id");
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
		return not_found("no such transfer was posted in this ledger");
	*stored = (struct stored_transfer){0};
	RT_TRY(rows_posted(&rows, 0, arena, &stored->posted));
	RT_TRY(rows_side(&rows, 0, ROWS_POSTED_COLUMNS, &stored->posted.debit.normal));
	RT_TRY(rows_side(&rows, 0, ROWS_POSTED_COLUMNS + 1, &stored->posted.credit.normal));
	if (!rt_pg_is_null(&rows, 0, ROWS_POSTED_COLUMNS + 4))
		stored->reversed_minor = rt_pg_int(&rows, 0, ROWS_POSTED_COLUMNS + 4);
	return read_hold(&rows, 0, ROWS_POSTED_COLUMNS + 2, stored);
}

static struct rt_status read_declined(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				      const struct rt_uuid *transfer_id, struct rt_arena *arena,
				      int64_t deadline_us, struct group_record *record)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_uuid_array(&params, transfer_id, NULL, 1);
	RT_TRY(rt_pg_run(pg, &declines_statement, &params, deadline_us, &rows));
	if (rows.count == 0)
		return not_found("no such transfer was posted or declined in this ledger");
	*record = (struct group_record){
		.id = rt_pg_uuid(&rows, 0, 1),
		.cause_id = rt_pg_uuid(&rows, 0, 2),
		.created_us = rt_pg_time_us(&rows, 0, 3),
	};
	if (!decline_parse(rt_pg_text(&rows, 0, 4), &record->decline))
		return RT_FAIL(INTERNAL, "BAD_RECORD", "a decline's reason is wrong");
	return rt_ok();
}

static struct rt_status read_members(const struct rt_pg_rows *rows, struct rt_arena *arena,
				     struct group_record *record)
{
	*record = (struct group_record){.count = (size_t)rows->count};
	record->transfers = rt_arena_array(arena, record->count, sizeof(record->transfers[0]));
	if (record->transfers == NULL)
		return rows_too_large();
	for (int row = 0; row < rows->count; row++) {
		struct posted_transfer *posted = &record->transfers[row];
		RT_TRY(rows_posted(rows, row, arena, posted));
		RT_TRY(rows_side(rows, row, ROWS_POSTED_COLUMNS, &posted->debit.normal));
		RT_TRY(rows_side(rows, row, ROWS_POSTED_COLUMNS + 1, &posted->credit.normal));
	}
	record->id = record->transfers[0].group_id;
	record->created_us = record->transfers[0].created_us;
	return rt_ok();
}

struct rt_status statement_store_group(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				       const struct rt_uuid *transfer_id, struct rt_arena *arena,
				       int64_t deadline_us, struct group_record *record)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_uuid(&params, transfer_id);
	RT_TRY(rt_pg_run(pg, &group_statement, &params, deadline_us, &rows));
	if (rows.count > 0)
		return read_members(&rows, arena, record);
	return read_declined(pg, ledger_id, transfer_id, arena, deadline_us, record);
}

static struct rt_status read_entry(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
				   struct statement_entry *entry)
{
	*entry = (struct statement_entry){
		.transfer = {.id = rt_pg_uuid(rows, row, 0),
			     .debit_account_id = rt_pg_uuid(rows, row, 1),
			     .credit_account_id = rt_pg_uuid(rows, row, 2),
			     .amount_minor = rt_pg_int(rows, row, 3),
			     .target_id = rows_uuid_or_nil(rows, row, 5),
			     .expires_us = rows_time_or_zero(rows, row, 9),
			     .keep_open = rt_pg_bool(rows, row, 10)},
		.created_us = rt_pg_time_us(rows, row, 4),
		.moved_minor = rt_pg_int(rows, row, 11),
		.after = rows_state(rows, row, 12),
	};
	RT_TRY(rows_kind(rows, row, 6, &entry->transfer.kind));
	RT_TRY(rows_currency(rows, row, 7, entry->transfer.currency));
	return rows_text(rows, row, 8, arena, &entry->transfer.reference);
}

struct rt_status statement_store_page(struct rt_pg *pg, const struct statement_slice *slice,
				      struct rt_arena *arena, int64_t deadline_us,
				      struct statement_entry **entries, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	begin_params(&params, arena, &slice->ledger_id, &slice->account_id);
	rt_pg_add_int(&params, slice->after_sequence);
	rt_pg_add_int(&params, slice->last_sequence);
	rt_pg_add_int(&params, (int64_t)slice->most);
	RT_TRY(rt_pg_run(pg, slice->descending ? &page_back_statement : &page_statement, &params,
			 deadline_us, &rows));
	*count = (size_t)rows.count;
	*entries = rt_arena_array(arena, *count, sizeof(**entries));
	if (*entries == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++)
		RT_TRY(read_entry(&rows, row, arena, &(*entries)[row]));
	return rt_ok();
}

struct rt_status statement_store_count_before(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					      const struct rt_uuid *account_id, int64_t sequence,
					      int64_t wall_us, struct rt_arena *arena,
					      int64_t deadline_us, int64_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	begin_params(&params, arena, ledger_id, account_id);
	rt_pg_add_int(&params, sequence);
	rt_pg_add_time(&params, wall_us);
	RT_TRY(rt_pg_run(pg, &count_statement, &params, deadline_us, &rows));
	if (rows.count != 1)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "an account's entries have a gap");
	*count = rt_pg_int(&rows, 0, 0);
	return rt_ok();
}

struct rt_status statement_store_state(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				       const struct rt_uuid *account_id, int64_t sequence,
				       struct rt_arena *arena, int64_t deadline_us,
				       struct account_state *state)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	*state = (struct account_state){0};
	if (sequence == 0)
		return rt_ok();
	begin_params(&params, arena, ledger_id, account_id);
	rt_pg_add_int(&params, sequence);
	RT_TRY(rt_pg_run(pg, &state_statement, &params, deadline_us, &rows));
	if (rows.count != 1)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "an account's entries have a gap");
	*state = rows_state(&rows, 0, 0);
	return rt_ok();
}

static struct rt_status read_line(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
				  struct trial_balance_line *line)
{
	*line = (struct trial_balance_line){
		.account_count = rt_pg_int(rows, row, 1),
		.totals = {.debits_posted_minor = rt_pg_int(rows, row, 2),
			   .credits_posted_minor = rt_pg_int(rows, row, 3),
			   .debits_pending_minor = rt_pg_int(rows, row, 4),
			   .credits_pending_minor = rt_pg_int(rows, row, 5)},
	};
	RT_TRY(rows_text(rows, row, 6, arena, &line->exact.debits_posted_minor));
	RT_TRY(rows_text(rows, row, 7, arena, &line->exact.credits_posted_minor));
	RT_TRY(rows_text(rows, row, 8, arena, &line->exact.debits_pending_minor));
	RT_TRY(rows_text(rows, row, 9, arena, &line->exact.credits_pending_minor));
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
		RT_TRY(read_line(&rows, row, arena, &(*lines)[row]));
	return rt_ok();
}
