/* See reconcile_store.h. */
#include "store/reconcile_store.h"

#include <stdio.h>

#include "payments.sql.h"

static const struct rt_pg_statement range_statement = {"payments_reconcile_range",
						       payments_reconcile_range};
static const struct rt_pg_statement find_statement = {"payments_reconcile_find",
						      payments_reconcile_find};

static struct rt_status run(struct rt_pg *pg, const struct rt_pg_statement *statement,
			    const struct rt_pg_params *params, struct rt_arena *arena,
			    int64_t deadline_mono_us, struct reconcile_row **rows, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows found = {0};

	RT_TRY(rt_pg_run(pg, statement, params, deadline_mono_us, &found));
	*rows = rt_arena_array(arena, (size_t)found.count, sizeof(**rows));
	if (*rows == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the result is too large");
	*count = (size_t)found.count;
	for (int row = 0; row < found.count; row++) {
		struct reconcile_row *made = &(*rows)[row];

		*made = (struct reconcile_row){
			.payment_id = rt_pg_uuid(&found, row, 0),
			.kind = (enum payment_kind)rt_pg_int(&found, row, 1),
			.state = (enum payment_state)rt_pg_int(&found, row, 2),
			.amount_minor = rt_pg_int(&found, row, 3),
			.create_us = rt_pg_time_us(&found, row, 5),
		};
		snprintf(made->currency, sizeof(made->currency), "%s", rt_pg_text(&found, row, 4));
		snprintf(made->connector, sizeof(made->connector), "%s",
			 rt_pg_text(&found, row, 6));
		payment_reason_copy(made->reason, rt_pg_text(&found, row, 7), "");
	}
	return rt_ok();
}

struct rt_status reconcile_store_range(struct rt_pg *pg, const struct reconcile_range *range,
				       struct rt_arena *arena, int64_t deadline_mono_us,
				       struct reconcile_row **rows, size_t *count)
{
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &range->from);
	rt_pg_add_uuid(&params, &range->to);
	rt_pg_add_text(&params, range->connector);
	rt_pg_add_time(&params, range->start_us);
	rt_pg_add_time(&params, range->end_us);
	rt_pg_add_int(&params, range->limit);
	return run(pg, &range_statement, &params, arena, deadline_mono_us, rows, count);
}

struct rt_status reconcile_store_find(struct rt_pg *pg, const struct rt_uuid *ids, size_t id_count,
				      struct rt_arena *arena, int64_t deadline_mono_us,
				      struct reconcile_row **rows, size_t *count)
{
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ids, NULL, id_count);
	return run(pg, &find_statement, &params, arena, deadline_mono_us, rows, count);
}
