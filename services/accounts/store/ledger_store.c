#include "store/ledger_store.h"

#include "accounts.sql.h"
#include "rt/clock.h"
#include "store/rows.h"

static const struct rt_pg_statement insert_statement = {"ledger_insert", accounts_ledger_insert};
static const struct rt_pg_statement get_statement = {"ledger_get", accounts_ledger_get};
static const struct rt_pg_statement list_statement = {"ledger_list", accounts_ledger_list};
static const struct rt_pg_statement now_statement = {"ledger_now", accounts_ledger_now};
static const struct rt_pg_statement lock_statement = {"post_lock_ledger",
						      accounts_post_lock_ledger};

/* No batch lasts longer: a session that does nothing in a transaction is ended long before. */
#define SETTLED_US (INT64_C(15) * 60 * RT_US_PER_S)

struct rt_status ledger_store_insert(struct rt_pg *pg, const struct ledger *ledger,
				     struct rt_arena *arena, int64_t deadline_us, bool *inserted)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &ledger->id);
	rt_pg_add_text(&params, ledger->name);
	rt_pg_add_time(&params, ledger->created_us);
	RT_TRY(rt_pg_run(pg, &insert_statement, &params, deadline_us, &rows));
	*inserted = rt_pg_affected(&rows) == 1;
	return rt_ok();
}

static struct rt_status read_ledger(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
				    struct ledger *ledger)
{
	*ledger = (struct ledger){.id = rt_pg_uuid(rows, row, 0),
				  .created_us = rt_pg_time_us(rows, row, 2)};
	return rows_text(rows, row, 1, arena, &ledger->name);
}

struct rt_status ledger_store_not_found(void)
{
	return rt_status_about(RT_FAIL(NOT_FOUND, "LEDGER_NOT_FOUND", "there is no such ledger"),
			       "ledger_id");
}

struct rt_status ledger_store_get(struct rt_pg *pg, const struct rt_uuid *id,
				  struct rt_arena *arena, int64_t deadline_us,
				  struct ledger *ledger)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, id);
	RT_TRY(rt_pg_run(pg, &get_statement, &params, deadline_us, &rows));
	if (rows.count == 0)
		return ledger_store_not_found();
	return read_ledger(&rows, 0, arena, ledger);
}

struct rt_status ledger_store_list(struct rt_pg *pg, const struct rt_uuid *after, size_t most,
				   struct rt_arena *arena, int64_t deadline_us,
				   struct ledger **ledgers, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, after);
	rt_pg_add_int(&params, (int64_t)most);
	RT_TRY(rt_pg_run(pg, &list_statement, &params, deadline_us, &rows));
	*count = (size_t)rows.count;
	*ledgers = rt_arena_array(arena, *count, sizeof(**ledgers));
	if (*ledgers == NULL)
		return rows_too_large();
	for (int row = 0; row < rows.count; row++)
		RT_TRY(read_ledger(&rows, row, arena, &(*ledgers)[row]));
	return rt_ok();
}

static struct rt_status read_now(struct rt_pg *pg, struct rt_arena *arena, int64_t deadline_us,
				 int64_t *now_us)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	RT_TRY(rt_pg_run(pg, &now_statement, &params, deadline_us, &rows));
	*now_us = rt_pg_time_us(&rows, 0, 0);
	return rt_ok();
}

/* Whoever has the lock comes after all batches with earlier times, and those that come after it
 * have later ones. */
struct rt_status ledger_store_settle(struct rt_pg *pg, const struct rt_uuid *id, int64_t moment_us,
				     struct rt_arena *arena, int64_t deadline_us, int64_t *now_us)
{
	struct rt_pg_params params;
	RT_TRY(read_now(pg, arena, deadline_us, now_us));
	if (moment_us >= *now_us || moment_us < *now_us - SETTLED_US)
		return rt_ok();
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, id);
	return rt_pg_run(pg, &lock_statement, &params, deadline_us, NULL);
}
