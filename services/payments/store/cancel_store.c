/* See cancel_store.h. */
#include "store/cancel_store.h"

#include "payments.sql.h"

static const struct rt_pg_statement want_cancel = {"payments_want_cancel", payments_want_cancel};
static const struct rt_pg_statement read_cancel = {"payments_read_cancel", payments_read_cancel};

static void place_params(struct rt_pg_params *params, struct rt_arena *arena,
			 const struct payment_place *place)
{
	rt_pg_params_init(params, arena);
	rt_pg_add_uuid(params, &place->payment_id);
	rt_pg_add_uuid(params, &place->ledger_id);
}

struct rt_status cancel_store_want(struct rt_pg *pg, const struct payment_place *place,
				   const char *caller, struct rt_arena *arena,
				   int64_t deadline_mono_us, bool *wanted)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	place_params(&params, arena, place);
	rt_pg_add_text(&params, caller);
	RT_TRY(rt_pg_run(pg, &want_cancel, &params, deadline_mono_us, &rows));
	*wanted = rows.count > 0;
	return rt_ok();
}

struct rt_status cancel_store_read(struct rt_pg *pg, const struct payment_place *place,
				   struct rt_arena *arena, int64_t deadline_mono_us,
				   struct payment_cancel *cancel)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	*cancel = (struct payment_cancel){0};
	place_params(&params, arena, place);
	RT_TRY(rt_pg_run(pg, &read_cancel, &params, deadline_mono_us, &rows));
	if (rows.count == 0)
		return rt_ok();
	*cancel = (struct payment_cancel){rt_arena_strdup(arena, rt_pg_text(&rows, 0, 0)),
					  rt_pg_time_us(&rows, 0, 1)};
	return cancel->caller == NULL
		       ? RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the result is too large")
		       : rt_ok();
}
