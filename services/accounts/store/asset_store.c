#include "store/asset_store.h"

#include "accounts.sql.h"
#include "store/ledger_store.h"
#include "store/rows.h"

static const struct rt_pg_statement lock_statement = {"post_lock_ledger",
						      accounts_post_lock_ledger};
static const struct rt_pg_statement insert_statement = {"asset_insert", accounts_asset_insert};
static const struct rt_pg_statement find_statement = {"asset_get_many", accounts_asset_get_many};
static const struct rt_pg_statement list_statement = {"asset_list", accounts_asset_list};

static struct rt_status lock_ledger(struct rt_pg_tx *tx, const struct rt_uuid *ledger_id,
				    struct rt_arena *arena)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	RT_TRY(rt_pg_run(tx->pg, &lock_statement, &params, tx->deadline_mono_us, &rows));
	if (rows.count == 0)
		return ledger_store_not_found();
	return rt_ok();
}

struct rt_status asset_store_insert(struct rt_pg_tx *tx, const struct rt_uuid *ledger_id,
				    const struct asset *asset, size_t most, struct rt_arena *arena,
				    bool *inserted)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	RT_TRY(lock_ledger(tx, ledger_id, arena));
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_text(&params, asset->code);
	rt_pg_add_int(&params, asset->exponent);
	rt_pg_add_time(&params, asset->created_us);
	rt_pg_add_int(&params, (int64_t)most);
	RT_TRY(rt_pg_run(tx->pg, &insert_statement, &params, tx->deadline_mono_us, &rows));
	*inserted = rt_pg_affected(&rows) == 1;
	return rt_ok();
}

static struct rt_status read_assets(const struct rt_pg_rows *rows, struct rt_arena *arena,
				    struct asset **assets, size_t *count)
{
	*count = (size_t)rows->count;
	*assets = rt_arena_array(arena, *count, sizeof(**assets));
	if (*assets == NULL)
		return rows_too_large();
	for (int row = 0; row < rows->count; row++) {
		struct asset *asset = &(*assets)[row];
		RT_TRY(rows_currency(rows, row, 0, asset->code));
		asset->exponent = rt_pg_int(rows, row, 1);
		asset->created_us = rt_pg_time_us(rows, row, 2);
	}
	return rt_ok();
}

struct rt_status asset_store_find(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				  const char *const *codes, size_t code_count,
				  struct rt_arena *arena, int64_t deadline_us,
				  struct asset **assets, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_text_array(&params, codes, code_count);
	RT_TRY(rt_pg_run(pg, &find_statement, &params, deadline_us, &rows));
	return read_assets(&rows, arena, assets, count);
}

struct rt_status asset_store_list(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				  struct rt_arena *arena, int64_t deadline_us,
				  struct asset **assets, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	RT_TRY(rt_pg_run(pg, &list_statement, &params, deadline_us, &rows));
	return read_assets(&rows, arena, assets, count);
}
