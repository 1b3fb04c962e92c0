#include "store/expiry_store.h"

#include "accounts.sql.h"
#include "store/rows.h"

static const struct rt_pg_statement ledgers_statement = {"expiry_ledgers", accounts_expiry_ledgers};
static const struct rt_pg_statement due_statement = {"expiry_due", accounts_expiry_due};

static struct rt_status read_ledgers(struct rt_pg *pg, const struct expiry_scope *scope,
				     struct rt_arena *arena, int64_t deadline_mono_us,
				     struct expiry_due **due, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &scope->after);
	rt_pg_add_int(&params, (int64_t)scope->ledgers_max);
	RT_TRY(rt_pg_run(pg, &ledgers_statement, &params, deadline_mono_us, &rows));
	*count = (size_t)rows.count;
	*due = rt_arena_array(arena, *count, sizeof(**due));
	if (*due == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++)
		(*due)[row].ledger_id = rt_pg_uuid(&rows, row, 0);
	return rt_ok();
}

static struct rt_status send_due(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				 const struct expiry_scope *scope, struct rt_arena *arena)
{
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_int(&params, (int64_t)scope->holds_max);
	rt_pg_add_uuid_array(&params, scope->without, NULL, scope->without_count);
	return rt_pg_send(pg, &due_statement, &params);
}

static struct rt_status take_due(const struct rt_pg_rows *rows, struct rt_arena *arena,
				 struct expiry_due *due)
{
	due->count = (size_t)rows->count;
	due->transfers = rt_arena_array(arena, due->count, sizeof(due->transfers[0]));
	if (due->transfers == NULL)
		return rows_too_large();
	for (int row = 0; row < rows->count; row++) {
		due->transfers[row] = (struct transfer){
			.debit_account_id = rt_pg_uuid(rows, row, 1),
			.credit_account_id = rt_pg_uuid(rows, row, 2),
			.target_id = rt_pg_uuid(rows, row, 0),
			.kind = TRANSFER_EXPIRY,
			.reference = "",
		};
		RT_TRY(rows_currency(rows, row, 3, due->transfers[row].currency));
	}
	return rt_ok();
}

/* One statement a ledger, all in one round trip. */
static struct rt_status read_holds(struct rt_pg *pg, const struct expiry_scope *scope,
				   struct expiry_due *due, size_t count, struct rt_pg_rows *rows,
				   struct rt_arena *arena, int64_t deadline_mono_us)
{
	RT_TRY(rt_pg_send_begin(pg, deadline_mono_us));
	for (size_t i = 0; i < count; i++)
		RT_TRY(send_due(pg, &due[i].ledger_id, scope, arena));
	RT_TRY(rt_pg_receive(pg, rows, count));
	for (size_t i = 0; i < count; i++)
		RT_TRY(take_due(&rows[i], arena, &due[i]));
	return rt_ok();
}

struct rt_status expiry_store_due(struct rt_pg *pg, const struct expiry_scope *scope,
				  struct rt_arena *arena, int64_t deadline_mono_us,
				  struct expiry_due **due, size_t *count)
{
	RT_TRY(read_ledgers(pg, scope, arena, deadline_mono_us, due, count));
	if (*count == 0)
		return rt_ok();
	struct rt_pg_rows *rows = rt_arena_array(arena, *count, sizeof(rows[0]));
	if (rows == NULL)
		return rows_too_large();
	struct rt_status status =
		read_holds(pg, scope, *due, *count, rows, arena, deadline_mono_us);
	rt_pg_abandon(pg);
	for (size_t i = 0; i < *count; i++)
		rt_pg_rows_deinit(&rows[i]);
	return status;
}
