#include "store/account_store.h"

#include <string.h>

#include "accounts.sql.h"
#include "store/ledger_store.h"
#include "store/rows.h"

static const struct rt_pg_statement insert_statement = {"account_insert", accounts_account_insert};
static const struct rt_pg_statement get_many_statement = {"account_get_many",
							  accounts_account_get_many};
static const struct rt_pg_statement get_statement = {"account_get", accounts_account_get};
static const struct rt_pg_statement lock_ledger_statement = {"post_lock_ledger",
							     accounts_post_lock_ledger};
static const struct rt_pg_statement lock_statement = {"account_lock", accounts_account_lock};
static const struct rt_pg_statement list_statement = {"account_list", accounts_account_list};
static const struct rt_pg_statement list_by_label_statement = {"account_list_by_label",
							       accounts_account_list_by_label};
static const struct rt_pg_statement list_by_status_statement = {"account_list_by_status",
								accounts_account_list_by_status};
static const struct rt_pg_statement list_by_currency_statement = {
	"account_list_by_currency", accounts_account_list_by_currency};
static const struct rt_pg_statement list_by_owner_statement = {"account_list_by_owner",
							       accounts_account_list_by_owner};

/* Columns of new accounts, as arrays. */
struct columns {
	struct rt_uuid *ids;
	const char **owners, **currencies, **labels;
	int64_t *sides, *lowers, *uppers, *credit_lines;
	bool *lower_nulls, *upper_nulls;
	uint8_t (*hashes)[ACCOUNT_HASH_BYTES];
};

static struct columns columns_new(struct rt_arena *arena, size_t count)
{
	return (struct columns){
		.ids = rt_arena_array(arena, count, sizeof(struct rt_uuid)),
		.owners = rt_arena_array(arena, count, sizeof(char *)),
		.currencies = rt_arena_array(arena, count, sizeof(char *)),
		.labels = rt_arena_array(arena, count, sizeof(char *)),
		.sides = rt_arena_array(arena, count, sizeof(int64_t)),
		.lowers = rt_arena_array(arena, count, sizeof(int64_t)),
		.uppers = rt_arena_array(arena, count, sizeof(int64_t)),
		.credit_lines = rt_arena_array(arena, count, sizeof(int64_t)),
		.lower_nulls = rt_arena_array(arena, count, sizeof(bool)),
		.upper_nulls = rt_arena_array(arena, count, sizeof(bool)),
		.hashes = rt_arena_array(arena, count, ACCOUNT_HASH_BYTES),
	};
}

static void columns_set(struct columns *columns, size_t index, const struct account_record *record)
{
	const struct account *account = &record->account;
	columns->ids[index] = account->id;
	columns->owners[index] = record->owner;
	columns->currencies[index] = account->currency;
	columns->labels[index] = record->label;
	columns->sides[index] = (int64_t)account->side;
	columns->lowers[index] = account->lower.amount_minor;
	columns->lower_nulls[index] = !account->lower.set;
	columns->uppers[index] = account->upper.amount_minor;
	columns->upper_nulls[index] = !account->upper.set;
	columns->credit_lines[index] = account->credit_line_minor;
	account_hash(record, columns->hashes[index]);
}

static void columns_add(struct rt_pg_params *params, const struct columns *columns, size_t count)
{
	rt_pg_add_uuid_array(params, columns->ids, NULL, count);
	rt_pg_add_text_array(params, columns->owners, count);
	rt_pg_add_text_array(params, columns->currencies, count);
	rt_pg_add_smallint_array(params, columns->sides, NULL, count);
	rt_pg_add_text_array(params, columns->labels, count);
	rt_pg_add_int_array(params, columns->lowers, columns->lower_nulls, count);
	rt_pg_add_int_array(params, columns->uppers, columns->upper_nulls, count);
	rt_pg_add_bytes_array(params, columns->hashes, ACCOUNT_HASH_BYTES, count);
	rt_pg_add_int_array(params, columns->credit_lines, NULL, count);
}

/* The only constraint that a checked account can meet. */
static struct rt_status explain(struct rt_status status)
{
	if (status.code == RT_FAILED_PRECONDITION &&
	    strcmp(status.field, "accounts_ledger_exists") == 0)
		return ledger_store_not_found();
	return status;
}

static struct rt_status insert(struct rt_pg_tx *tx, const struct account_record *records,
			       size_t count, const struct columns *columns, struct rt_arena *arena,
			       size_t *inserted)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &records[0].ledger_id);
	rt_pg_add_time(&params, records[0].created_us);
	columns_add(&params, columns, count);
	RT_TRY(explain(rt_pg_run(tx->pg, &insert_statement, &params, tx->deadline_mono_us, &rows)));
	*inserted = (size_t)rt_pg_affected(&rows);
	return rt_ok();
}

struct rt_status account_store_get_many(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					const struct rt_uuid *ids, size_t id_count,
					struct rt_arena *arena, int64_t deadline_us,
					struct stored_account **stored, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_uuid_array(&params, ids, NULL, id_count);
	RT_TRY(rt_pg_run(pg, &get_many_statement, &params, deadline_us, &rows));
	*count = (size_t)rows.count;
	*stored = rt_arena_array(arena, *count, sizeof(**stored));
	if (*stored == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++) {
		struct stored_account *account = &(*stored)[row];
		account->record.ledger_id = *ledger_id;
		RT_TRY(rows_record(&rows, row, arena, &account->record));
		RT_TRY(rows_hash(&rows, row, ROWS_RECORD_COLUMNS, account->hash));
	}
	return rt_ok();
}

struct rt_status account_store_create(struct rt_pg_tx *tx, const struct account_record *records,
				      size_t count, struct rt_arena *arena, size_t *inserted,
				      struct stored_account **stored)
{
	struct columns columns = columns_new(arena, count);
	if (arena->overflowed)
		return rows_too_large();
	for (size_t i = 0; i < count; i++)
		columns_set(&columns, i, &records[i]);
	RT_TRY(insert(tx, records, count, &columns, arena, inserted));
	size_t found;
	RT_TRY(account_store_get_many(tx->pg, &records[0].ledger_id, columns.ids, count, arena,
				      tx->deadline_mono_us, stored, &found));
	if (found != count)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "accounts that were created are not there");
	return rt_ok();
}

struct rt_status account_store_not_found(void)
{
	return rt_status_about(
		RT_FAIL(NOT_FOUND, "ACCOUNT_NOT_FOUND", "there is no such account in this ledger"),
		"account_id");
}

static struct rt_status get(struct rt_pg *pg, const struct rt_pg_statement *statement,
			    const struct rt_uuid *ledger_id, const struct rt_uuid *account_id,
			    struct rt_arena *arena, int64_t deadline_us,
			    struct account_record *record)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_uuid(&params, account_id);
	RT_TRY(rt_pg_run(pg, statement, &params, deadline_us, &rows));
	if (rows.count == 0)
		return account_store_not_found();
	*record = (struct account_record){.ledger_id = *ledger_id};
	return rows_record(&rows, 0, arena, record);
}

struct rt_status account_store_get(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				   const struct rt_uuid *account_id, struct rt_arena *arena,
				   int64_t deadline_us, struct account_record *record)
{
	return get(pg, &get_statement, ledger_id, account_id, arena, deadline_us, record);
}

struct rt_status account_store_lock(struct rt_pg_tx *tx, const struct rt_uuid *ledger_id,
				    const struct rt_uuid *account_id, struct rt_arena *arena,
				    struct account_record *record)
{
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	RT_TRY(rt_pg_run(tx->pg, &lock_ledger_statement, &params, tx->deadline_mono_us, NULL));
	return get(tx->pg, &lock_statement, ledger_id, account_id, arena, tx->deadline_mono_us,
		   record);
}

/* The list whose index finds the fewest. */
static const struct rt_pg_statement *list_of(const struct account_filter *filter)
{
	if (filter->owner[0] != '\0')
		return &list_by_owner_statement;
	if (filter->status > ACCOUNT_ACTIVE)
		return &list_by_status_statement;
	if (filter->label[0] != '\0')
		return &list_by_label_statement;
	return filter->currency[0] != '\0' ? &list_by_currency_statement : &list_statement;
}

struct rt_status account_store_list(struct rt_pg *pg, const struct account_filter *filter,
				    struct rt_arena *arena, int64_t deadline_us,
				    struct account_record **records, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &filter->ledger_id);
	rt_pg_add_uuid(&params, &filter->after);
	rt_pg_add_text(&params, filter->currency);
	rt_pg_add_int(&params, (int64_t)filter->most);
	rt_pg_add_text(&params, filter->owner);
	rt_pg_add_text(&params, filter->label);
	rt_pg_add_int(&params, filter->status);
	RT_TRY(rt_pg_run(pg, list_of(filter), &params, deadline_us, &rows));
	*count = (size_t)rows.count;
	*records = rt_arena_array(arena, *count, sizeof(**records));
	if (*records == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++) {
		(*records)[row].ledger_id = filter->ledger_id;
		RT_TRY(rows_record(&rows, row, arena, &(*records)[row]));
	}
	return rt_ok();
}
