/* See wake_store.h. */
#include "store/wake_store.h"

#include "payments.sql.h"
#include "store/payment_columns.h"

static const struct rt_pg_statement take_wakes = {"payments_take_wakes", payments_take_wakes};
static const struct rt_pg_statement sweep_wakes = {"payments_sweep_wakes", payments_sweep_wakes};
static const struct rt_pg_statement put_wakes = {"payments_put_wakes", payments_put_wakes};

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the batch is too large");
}

struct rt_status wake_store_take(struct rt_pg *pg, const struct rt_uuid *worker_id,
				 struct rt_arena *arena, int64_t deadline_mono_us,
				 struct wake **wakes, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, worker_id);
	RT_TRY(rt_pg_run(pg, &take_wakes, &params, deadline_mono_us, &rows));
	*wakes = rt_arena_array(arena, (size_t)rows.count, sizeof(**wakes));
	if (*wakes == NULL)
		return out_of_arena();
	*count = (size_t)rows.count;
	for (int row = 0; row < rows.count; row++)
		(*wakes)[row] = (struct wake){
			.place = {.payment_id = rt_pg_uuid(&rows, row, 0),
				  .ledger_id = rt_pg_uuid(&rows, row, 1)},
			.owner = rt_pg_uuid(&rows, row, 2),
			.cancel = rt_pg_bool(&rows, row, 3),
		};
	return rt_ok();
}

struct rt_status wake_store_sweep(struct rt_pg *pg, int64_t deadline_mono_us)
{
	return rt_pg_run(pg, &sweep_wakes, NULL, deadline_mono_us, NULL);
}

static void put_params(struct rt_pg_params *params, struct rt_arena *arena,
		       const struct rt_uuid *payments, size_t count,
		       const struct rt_uuid *worker_id)
{
	rt_pg_params_init(params, arena);
	rt_pg_add_uuid_array(params, payments, NULL, count);
	rt_pg_add_uuid(params, worker_id);
}

struct rt_status wake_batch_send(struct rt_pg *pg, const struct payment_batch *batch,
				 struct rt_arena *arena, size_t *sent)
{
	struct rt_uuid *payments = PAYMENT_COLUMN(arena, struct rt_uuid, batch->notice_count);
	struct rt_pg_params params;
	size_t count = 0;

	if (payments == NULL)
		return out_of_arena();
	for (size_t i = 0; i < batch->notice_count; i++) {
		if (rt_uuid_parse(batch->notices[i]->reference, &payments[count]))
			count++;
	}
	if (count == 0)
		return rt_ok();
	put_params(&params, arena, payments, count, &batch->worker_id);
	(*sent)++;
	return rt_pg_send(pg, &put_wakes, &params);
}

struct rt_status wake_store_put(struct rt_pg *pg, const struct rt_uuid *payment_id,
				const struct rt_uuid *worker_id, struct rt_arena *arena,
				int64_t deadline_mono_us)
{
	struct rt_pg_params params;

	put_params(&params, arena, payment_id, 1, worker_id);
	return rt_pg_run(pg, &put_wakes, &params, deadline_mono_us, NULL);
}
