/* What a shared transaction writes of calls and tries, as arrays; see call_batch.h. */
#include "store/call_batch.h"

#include "payments.sql.h"
#include "store/payment_columns.h"

static const struct rt_pg_statement insert_calls = {"payments_insert_calls", payments_insert_calls};
static const struct rt_pg_statement write_tries = {"payments_write_tries", payments_write_tries};

struct call_columns {
	struct rt_uuid *ids[3]; /* ledger, payment, call */
	int64_t *numbers[4];    /* attempt, action, start, end */
	const char **texts[5];  /* step, reference, result, reason, provider's reference */
};

static bool call_columns_fill(struct call_columns *columns, const struct payment_batch *batch,
			      struct rt_arena *arena)
{
	for (size_t i = 0; i < 3; i++)
		columns->ids[i] = PAYMENT_COLUMN(arena, struct rt_uuid, batch->call_count);
	for (size_t i = 0; i < 4; i++)
		columns->numbers[i] = PAYMENT_COLUMN(arena, int64_t, batch->call_count);
	for (size_t i = 0; i < 5; i++)
		columns->texts[i] = PAYMENT_COLUMN(arena, const char *, batch->call_count);
	if (arena->overflowed)
		return false;
	for (size_t i = 0; i < batch->call_count; i++) {
		const struct payment_call *call = batch->calls[i];

		columns->ids[0][i] = call->ledger_id;
		columns->ids[1][i] = call->payment_id;
		columns->ids[2][i] = call->call_id;
		columns->numbers[0][i] = call->attempt;
		columns->numbers[1][i] = call->action;
		columns->numbers[2][i] = call->start_us;
		columns->numbers[3][i] = call->end_us;
		columns->texts[0][i] = call->step;
		columns->texts[1][i] = call->reference;
		columns->texts[2][i] = call->result;
		columns->texts[3][i] = call->reason;
		columns->texts[4][i] = call->provider_reference;
	}
	return true;
}

static struct rt_status send_calls(struct rt_pg *pg, const struct payment_batch *batch,
				   struct rt_arena *arena)
{
	struct call_columns columns;
	struct rt_pg_params params;
	size_t count = batch->call_count;

	if (!call_columns_fill(&columns, batch, arena))
		return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the batch is too large");
	rt_pg_params_init(&params, arena);
	for (size_t i = 0; i < 3; i++)
		rt_pg_add_uuid_array(&params, columns.ids[i], NULL, count);
	rt_pg_add_int_array(&params, columns.numbers[0], NULL, count);
	rt_pg_add_text_array(&params, columns.texts[0], count);
	rt_pg_add_smallint_array(&params, columns.numbers[1], NULL, count);
	for (size_t i = 1; i < 5; i++)
		rt_pg_add_text_array(&params, columns.texts[i], count);
	rt_pg_add_time_array(&params, columns.numbers[2], count);
	rt_pg_add_time_array(&params, columns.numbers[3], count);
	rt_pg_add_uuid(&params, &batch->worker_id);
	return rt_pg_send(pg, &insert_calls, &params);
}

static struct rt_status send_tries(struct rt_pg *pg, const struct payment_batch *batch,
				   struct rt_arena *arena)
{
	size_t count = batch->try_count;
	struct rt_uuid *ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, count);
	struct rt_uuid *payments = PAYMENT_COLUMN(arena, struct rt_uuid, count);
	int64_t *attempts = PAYMENT_COLUMN(arena, int64_t, count);
	const char **reasons = PAYMENT_COLUMN(arena, const char *, count);
	int64_t *times = PAYMENT_COLUMN(arena, int64_t, count);
	int64_t *next_times = PAYMENT_COLUMN(arena, int64_t, count);
	struct rt_pg_params params;

	if (arena->overflowed)
		return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the batch is too large");
	for (size_t i = 0; i < count; i++) {
		ledgers[i] = batch->tries[i]->ledger_id;
		payments[i] = batch->tries[i]->payment_id;
		attempts[i] = batch->tries[i]->attempts;
		reasons[i] = batch->tries[i]->reason;
		times[i] = batch->tries[i]->time_us;
		next_times[i] = batch->tries[i]->next_us;
	}
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ledgers, NULL, count);
	rt_pg_add_uuid_array(&params, payments, NULL, count);
	rt_pg_add_int_array(&params, attempts, NULL, count);
	rt_pg_add_text_array(&params, reasons, count);
	rt_pg_add_time_array(&params, times, count);
	rt_pg_add_time_array(&params, next_times, count);
	rt_pg_add_uuid(&params, &batch->worker_id);
	return rt_pg_send(pg, &write_tries, &params);
}

struct rt_status call_batch_send(struct rt_pg *pg, const struct payment_batch *batch,
				 struct rt_arena *arena, size_t *sent)
{
	if (batch->call_count > 0) {
		RT_TRY(send_calls(pg, batch, arena));
		(*sent)++;
	}
	if (batch->try_count > 0) {
		RT_TRY(send_tries(pg, batch, arena));
		(*sent)++;
	}
	return rt_ok();
}
