/* See call_store.h. */
#include "store/call_store.h"

#include "payments.sql.h"

static const struct rt_pg_statement read_calls = {"payments_read_calls", payments_read_calls};

static void read_call(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
		      struct payment_call *call)
{
	*call = (struct payment_call){
		.call_id = rt_pg_uuid(rows, row, 0),
		.attempt = rt_pg_int(rows, row, 1),
		.step = rt_arena_strdup(arena, rt_pg_text(rows, row, 2)),
		.action = (int)rt_pg_int(rows, row, 3),
		.reference = rt_arena_strdup(arena, rt_pg_text(rows, row, 4)),
		.result = rt_arena_strdup(arena, rt_pg_text(rows, row, 5)),
		.reason = rt_arena_strdup(arena, rt_pg_text(rows, row, 6)),
		.provider_reference = rt_arena_strdup(arena, rt_pg_text(rows, row, 7)),
		.worker_id = rt_pg_uuid(rows, row, 8),
		.start_us = rt_pg_time_us(rows, row, 9),
		.end_us = rt_pg_time_us(rows, row, 10),
	};
}

struct rt_status call_store_read(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				 const struct rt_uuid *payment_id, int64_t limit,
				 struct rt_arena *arena, int64_t deadline_mono_us,
				 struct payment_call **calls, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, payment_id);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_int(&params, limit);
	RT_TRY(rt_pg_run(pg, &read_calls, &params, deadline_mono_us, &rows));
	*calls = rt_arena_array(arena, (size_t)rows.count, sizeof(**calls));
	*count = (size_t)rows.count;
	for (int row = 0; *calls != NULL && row < rows.count; row++)
		read_call(&rows, row, arena, &(*calls)[row]);
	if (arena->overflowed)
		return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the result is too large");
	return rt_ok();
}
