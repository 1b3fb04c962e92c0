#include "store/verify_store.h"

#include <string.h>

#include "accounts.sql.h"
#include "domain/uuid_table.h"
#include "store/rows.h"

static const struct rt_pg_statement list_statement = {"verify_list", accounts_verify_list};
static const struct rt_pg_statement accounts_statement = {"verify_accounts",
							  accounts_verify_accounts};
static const struct rt_pg_statement changes_statement = {"verify_changes", accounts_verify_changes};
static const struct rt_pg_statement entries_statement = {"verify_entries", accounts_verify_entries};
static const struct rt_pg_statement one_statement = {"verify_entries_of_one",
						     accounts_verify_entries_of_one};
static const struct rt_pg_statement holds_statement = {"verify_holds", accounts_verify_holds};
static const struct rt_pg_statement origins_statement = {"verify_hold_origins",
							 accounts_verify_hold_origins};
static const struct rt_pg_statement originals_statement = {"verify_reversed_list",
							   accounts_verify_reversed_list};
static const struct rt_pg_statement reversed_statement = {"verify_reversed",
							  accounts_verify_reversed};
static const struct rt_pg_statement groups_statement = {"verify_groups", accounts_verify_groups};
static const struct rt_pg_statement members_statement = {"verify_members", accounts_verify_members};
static const struct rt_pg_statement named_statement = {"verify_named", accounts_verify_named};
static const struct rt_pg_statement declines_statement = {"verify_declines",
							  accounts_verify_declines};
static const struct rt_pg_statement unbalanced_statement = {"verify_trial_balance",
							    accounts_verify_trial_balance};

/* What follows an id, in order. */
static struct rt_status run_after(struct rt_pg *pg, const struct rt_pg_statement *statement,
				  const struct rt_uuid *ledger_id, const struct rt_uuid *after,
				  size_t most, struct rt_arena *arena, int64_t deadline_us,
				  struct rt_pg_rows *rows)
{
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_uuid(&params, after);
	rt_pg_add_int(&params, (int64_t)most);
	return rt_pg_run(pg, statement, &params, deadline_us, rows);
}

struct rt_status verify_store_list(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				   const struct rt_uuid *after, size_t most, struct rt_arena *arena,
				   int64_t deadline_us, struct verify_listed **listed,
				   size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	RT_TRY(run_after(pg, &list_statement, ledger_id, after, most, arena, deadline_us, &rows));
	*count = (size_t)rows.count;
	*listed = rt_arena_array(arena, *count, sizeof(**listed));
	if (*listed == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++)
		(*listed)[row] = (struct verify_listed){.id = rt_pg_uuid(&rows, row, 0),
							.sequence = rt_pg_int(&rows, row, 1)};
	return rt_ok();
}

static struct rt_status run_for(struct rt_pg *pg, const struct rt_pg_statement *statement,
				const struct rt_uuid *ledger_id, const struct rt_uuid *ids,
				size_t count, struct rt_arena *arena, int64_t deadline_us,
				struct rt_pg_rows *rows)
{
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_uuid_array(&params, ids, NULL, count);
	return rt_pg_run(pg, statement, &params, deadline_us, rows);
}

/* Five columns of a change, from status to label, which is lent by the rows. */
#define VALUE_COLUMNS 5
#define OLD_VALUES    3
#define NEW_VALUES    (OLD_VALUES + VALUE_COLUMNS)

static struct rt_status take_values(const struct rt_pg_rows *rows, int row, int column,
				    struct verify_values *values)
{
	*values = (struct verify_values){
		.lower = rows_limit(rows, row, column + 1),
		.upper = rows_limit(rows, row, column + 2),
		.credit_line_minor = rt_pg_int(rows, row, column + 3),
		.label = rt_pg_text(rows, row, column + 4),
	};
	return rows_status(rows, row, column, &values->status);
}

static struct verify_limits limits_of(const struct verify_values *values, int64_t after_sequence)
{
	return (struct verify_limits){
		.after_sequence = after_sequence,
		.lower = values->lower,
		.upper = values->upper,
		.credit_line_minor = values->credit_line_minor,
	};
}

/* How many rows from that one on are the account's. */
static int rows_of(const struct rt_pg_rows *changes, int first, const struct rt_uuid *account_id)
{
	int row = first;
	while (row < changes->count) {
		struct rt_uuid id = rt_pg_uuid(changes, row, 0);
		if (!rt_uuid_equal(&id, account_id))
			break;
		row++;
	}
	return row - first;
}

/* The rows of one account's changes begin at *row, which goes on to the next account's. */
static struct rt_status take_changes(const struct rt_pg_rows *changes, int *row,
				     struct rt_arena *arena, const struct account_record *record,
				     const uint8_t creation_hash[ACCOUNT_HASH_BYTES],
				     struct verify_account *account)
{
	struct verify_history history;
	struct verify_values before, after;
	int first = *row, count = rows_of(changes, first, &record->account.id);
	account->limit_count = (size_t)count + 1;
	account->limits = rt_arena_array(arena, account->limit_count, sizeof(account->limits[0]));
	if (account->limits == NULL)
		return rows_too_large();
	verify_history_begin(&history, record);
	for (int i = 0; i < count; i++) {
		RT_TRY(take_values(changes, first + i, OLD_VALUES, &before));
		RT_TRY(take_values(changes, first + i, NEW_VALUES, &after));
		int64_t sequence = rt_pg_int(changes, first + i, 1);
		verify_history_next(&history, rt_pg_int(changes, first + i, 2), sequence, &before,
				    &after);
		account->limits[i + 1] = limits_of(&after, sequence);
	}
	account->limits[0] = limits_of(&history.first, 0);
	account->broken_version = verify_history_end(&history, record, creation_hash);
	*row = first + count;
	return rt_ok();
}

static struct rt_status take_account(const struct rt_pg_rows *rows, int row,
				     const struct rt_uuid *ledger_id,
				     const struct rt_pg_rows *changes, int *change,
				     struct rt_arena *arena, struct verify_account *account)
{
	struct account_record record = {.ledger_id = *ledger_id};
	uint8_t creation_hash[ACCOUNT_HASH_BYTES];
	RT_TRY(rows_record(rows, row, arena, &record));
	RT_TRY(rows_hash(rows, row, ROWS_RECORD_COLUMNS, creation_hash));
	account->account = record.account;
	return take_changes(changes, change, arena, &record, creation_hash, account);
}

struct rt_status verify_store_accounts(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				       const struct rt_uuid *ids, size_t id_count,
				       struct rt_arena *arena, int64_t deadline_us,
				       struct verify_account **accounts, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows changes = {0};
	RT_TRY(run_for(pg, &accounts_statement, ledger_id, ids, id_count, arena, deadline_us,
		       &rows));
	RT_TRY(run_for(pg, &changes_statement, ledger_id, ids, id_count, arena, deadline_us,
		       &changes));
	*count = (size_t)rows.count;
	*accounts = rt_arena_array(arena, *count, sizeof(**accounts));
	if (*accounts == NULL)
		return rows_too_large();
	int change = 0;
	for (int row = 0; row < rows.count; row++)
		RT_TRY(take_account(&rows, row, ledger_id, &changes, &change, arena,
				    &(*accounts)[row]));
	return rt_ok();
}

struct rt_status verify_store_entries(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				      const struct rt_uuid *ids, size_t id_count,
				      struct rt_arena *arena, int64_t deadline_us,
				      struct rt_pg_rows *rows)
{
	return run_for(pg, &entries_statement, ledger_id, ids, id_count, arena, deadline_us, rows);
}

struct rt_status verify_store_entries_of_one(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					     const struct rt_uuid *account_id,
					     int64_t after_sequence, size_t most,
					     struct rt_arena *arena, int64_t deadline_us,
					     struct rt_pg_rows *rows)
{
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_uuid(&params, account_id);
	rt_pg_add_int(&params, after_sequence);
	rt_pg_add_int(&params, (int64_t)most);
	return rt_pg_run(pg, &one_statement, &params, deadline_us, rows);
}

struct rt_status verify_store_entry(const struct rt_pg_rows *rows, int row,
				    struct rt_uuid *account_id, struct verify_entry *entry)
{
	*account_id = rt_pg_uuid(rows, row, 0);
	*entry = (struct verify_entry){
		.after = rows_state(rows, row, 1),
		.transfer_id = rt_pg_uuid(rows, row, 6),
		.target_id = rows_uuid_or_nil(rows, row, 7),
		.moved_minor = rt_pg_int(rows, row, 9),
		.keep_open = rt_pg_bool(rows, row, 10),
		.is_debit = rt_pg_bool(rows, row, 11),
		.created_us = rt_pg_time_us(rows, row, 13),
	};
	RT_TRY(rows_currency(rows, row, 12, entry->currency));
	return rows_kind(rows, row, 8, &entry->kind);
}

/* After the columns of an entry. */
#define ASKED_COLUMN 14

struct rt_status verify_store_member(const struct rt_pg_rows *rows, int row,
				     struct verify_member *member)
{
	*member = (struct verify_member){
		.transfer = {.id = rt_pg_uuid(rows, row, 6),
			     .debit_account_id = rt_pg_uuid(rows, row, 0),
			     .credit_account_id = rt_pg_uuid(rows, row, ASKED_COLUMN + 1),
			     .target_id = rows_uuid_or_nil(rows, row, 7),
			     .amount_minor = rt_pg_int(rows, row, ASKED_COLUMN + 2),
			     .expires_us = rows_time_or_zero(rows, row, ASKED_COLUMN + 3),
			     .keep_open = rt_pg_bool(rows, row, 10),
			     .reference = rt_pg_text(rows, row, ASKED_COLUMN + 4)},
		.group_id = rt_pg_uuid(rows, row, ASKED_COLUMN),
		.position = rt_pg_int(rows, row, ASKED_COLUMN + 5),
		.group_size = rt_pg_int(rows, row, ASKED_COLUMN + 6),
		.created_us = rt_pg_time_us(rows, row, 13),
	};
	struct rt_uuid hash = rt_pg_uuid(rows, row, ASKED_COLUMN + 7);
	memcpy(member->group_hash, hash.bytes, sizeof(member->group_hash));
	RT_TRY(rows_currency(rows, row, 12, member->transfer.currency));
	return rows_kind(rows, row, 8, &member->transfer.kind);
}

struct rt_status verify_store_groups(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				     const struct rt_uuid *ids, size_t id_count,
				     struct rt_arena *arena, int64_t deadline_us,
				     struct rt_pg_rows *rows)
{
	return run_for(pg, &groups_statement, ledger_id, ids, id_count, arena, deadline_us, rows);
}

struct rt_status verify_store_orphans(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				      const struct rt_uuid *ids, size_t id_count,
				      struct rt_arena *arena, int64_t deadline_us,
				      struct verify_orphan **orphans, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	RT_TRY(run_for(pg, &members_statement, ledger_id, ids, id_count, arena, deadline_us,
		       &rows));
	*count = (size_t)rows.count;
	*orphans = rt_arena_array(arena, *count, sizeof(**orphans));
	if (*orphans == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++)
		(*orphans)[row] = (struct verify_orphan){rt_pg_uuid(&rows, row, 0),
							 rt_pg_uuid(&rows, row, 1)};
	return rt_ok();
}

static struct rt_status match_holds(const struct rt_pg_rows *rows, const struct verify_hold *holds,
				    size_t count, struct rt_arena *arena,
				    struct verify_recorded *recorded)
{
	struct uuid_table by_id;
	if (!uuid_table_init(&by_id, arena, count))
		return rows_too_large();
	for (size_t i = 0; i < count; i++)
		uuid_table_put(&by_id, &holds[i].id, &recorded[i]);
	for (int row = 0; row < rows->count; row++) {
		struct rt_uuid id = rt_pg_uuid(rows, row, 0);
		struct verify_recorded *one = uuid_table_get(&by_id, &id);
		if (one != NULL)
			*one = (struct verify_recorded){.there = true,
							.state = rt_pg_int(rows, row, 1),
							.amount_minor = rt_pg_int(rows, row, 2),
							.captured_minor = rt_pg_int(rows, row, 3)};
	}
	return rt_ok();
}

struct rt_status verify_store_holds(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				    const struct verify_hold *holds, size_t count,
				    struct rt_arena *arena, int64_t deadline_us,
				    struct verify_recorded **recorded)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_uuid *ids = rt_arena_array(arena, count, sizeof(ids[0]));
	*recorded = rt_arena_array(arena, count, sizeof(**recorded));
	if (ids == NULL || *recorded == NULL)
		return rows_too_large();
	for (size_t i = 0; i < count; i++)
		ids[i] = holds[i].id;
	RT_TRY(run_for(pg, &holds_statement, ledger_id, ids, count, arena, deadline_us, &rows));
	return match_holds(&rows, holds, count, arena, *recorded);
}

struct rt_status verify_store_strays(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				     struct rt_uuid *after, size_t most, struct rt_arena *arena,
				     int64_t deadline_us, struct verify_stray **strays,
				     size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	RT_TRY(run_after(pg, &origins_statement, ledger_id, after, most, arena, deadline_us,
			 &rows));
	*count = 0;
	*after = (struct rt_uuid){0};
	*strays = rt_arena_array(arena, (size_t)rows.count, sizeof(**strays));
	if (*strays == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++) {
		*after = rt_pg_uuid(&rows, row, 0);
		if (!rt_pg_bool(&rows, row, 2))
			(*strays)[(*count)++] = (struct verify_stray){
				.hold_id = *after, .account_id = rt_pg_uuid(&rows, row, 1)};
	}
	return rt_ok();
}

struct rt_status verify_store_originals(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					const struct rt_uuid *after, size_t most,
					struct rt_arena *arena, int64_t deadline_us,
					struct verify_ids *originals)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	RT_TRY(run_after(pg, &originals_statement, ledger_id, after, most, arena, deadline_us,
			 &rows));
	originals->count = (size_t)rows.count;
	originals->ids = rt_arena_array(arena, originals->count, sizeof(originals->ids[0]));
	if (originals->ids == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++)
		originals->ids[row] = rt_pg_uuid(&rows, row, 0);
	return rt_ok();
}

struct rt_status verify_store_reversed(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				       const struct rt_uuid *ids, size_t id_count,
				       struct rt_arena *arena, int64_t deadline_us,
				       struct verify_reversed **reversed, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	RT_TRY(run_for(pg, &reversed_statement, ledger_id, ids, id_count, arena, deadline_us,
		       &rows));
	*count = (size_t)rows.count;
	*reversed = rt_arena_array(arena, *count, sizeof(**reversed));
	if (*reversed == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++) {
		struct verify_reversed *one = &(*reversed)[row];
		*one = (struct verify_reversed){
			.original_id = rt_pg_uuid(&rows, row, 0),
			.moved_minor = rt_pg_int(&rows, row, 1),
			.recorded_minor = rt_pg_int(&rows, row, 2),
		};
		RT_TRY(rows_text(&rows, row, 3, arena, &one->by_reversals));
	}
	return rt_ok();
}

struct rt_status verify_store_unknown(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				      struct rt_uuid *after, size_t most, struct rt_arena *arena,
				      int64_t deadline_us, struct verify_ids *unknown)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	RT_TRY(run_after(pg, &named_statement, ledger_id, after, most, arena, deadline_us, &rows));
	*after = (struct rt_uuid){0};
	unknown->count = 0;
	unknown->ids = rt_arena_array(arena, (size_t)rows.count, sizeof(unknown->ids[0]));
	if (unknown->ids == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++) {
		*after = rt_pg_uuid(&rows, row, 0);
		if (!rt_pg_bool(&rows, row, 1))
			unknown->ids[unknown->count++] = *after;
	}
	return rt_ok();
}

struct rt_status verify_store_declines(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				       struct rt_uuid *after, size_t most, struct rt_arena *arena,
				       int64_t deadline_us, struct verify_declined **declines,
				       size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	RT_TRY(run_after(pg, &declines_statement, ledger_id, after, most, arena, deadline_us,
			 &rows));
	*count = 0;
	*after = (struct rt_uuid){0};
	*declines = rt_arena_array(arena, (size_t)rows.count, sizeof(**declines));
	if (*declines == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++) {
		const struct verify_declined declined = {.transfer_id = rt_pg_uuid(&rows, row, 0),
							 .posted = rt_pg_bool(&rows, row, 1),
							 .agrees = rt_pg_bool(&rows, row, 2)};
		*after = declined.transfer_id;
		if (declined.posted || !declined.agrees)
			(*declines)[(*count)++] = declined;
	}
	return rt_ok();
}

struct rt_status verify_store_unbalanced(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					 struct rt_arena *arena, int64_t deadline_us,
					 struct verify_unbalanced **unbalanced, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	RT_TRY(rt_pg_run(pg, &unbalanced_statement, &params, deadline_us, &rows));
	*count = (size_t)rows.count;
	*unbalanced = rt_arena_array(arena, *count, sizeof(**unbalanced));
	if (*unbalanced == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++) {
		RT_TRY(rows_text(&rows, row, 0, arena, &(*unbalanced)[row].currency));
		RT_TRY(rows_text(&rows, row, 1, arena, &(*unbalanced)[row].sums));
	}
	return rt_ok();
}
