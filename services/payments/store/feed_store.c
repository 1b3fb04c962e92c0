/* See feed_store.h. */
#include "store/feed_store.h"

#include <string.h>

#include "payments.sql.h"
#include "store/limit_store.h"
#include "store/payment_record.h"

static const struct rt_pg_statement horizon_statement = {"payments_feed_horizon",
							 payments_feed_horizon};
static const struct rt_pg_statement changes_statement = {"payments_feed_changes",
							 payments_feed_changes};

static const struct rt_pg_statement changes_of_statement = {"payments_feed_changes_of",
							    payments_feed_changes_of};
static const struct rt_pg_statement few_statement = {"payments_feed_few", payments_feed_few};

struct rt_status feed_store_horizon(struct rt_pg *pg, int64_t deadline_mono_us, int64_t *horizon)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};

	RT_TRY(rt_pg_run(pg, &horizon_statement, NULL, deadline_mono_us, &rows));
	*horizon = rt_pg_int(&rows, 0, 0);
	return rt_ok();
}

struct rt_status feed_store_few(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				const char *caller, int64_t most, int64_t deadline_mono_us,
				bool *few)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	struct rt_pg_params params;

	rt_arena_init(&arena, 4096);
	rt_pg_params_init(&params, &arena);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_text(&params, caller);
	rt_pg_add_int(&params, most);
	RT_TRY(rt_pg_run(pg, &few_statement, &params, deadline_mono_us, &rows));
	*few = rt_pg_bool(&rows, 0, 0);
	return rt_ok();
}

/* The payment is read as it is now; state, reason, version and time are those of the change. */
static void read_change(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
			struct feed_change *change)
{
	struct payment_standing *standing = &change->record.standing;
	const int at = PAYMENT_RECORD_COLUMNS;

	payment_record_read(rows, row, arena, &change->record);
	change->place = (struct page_place){.number = rt_pg_int(rows, row, at),
					    .id = standing->payment_id,
					    .version = (int32_t)rt_pg_int(rows, row, at + 1)};
	standing->version = change->place.version;
	standing->state = (enum payment_state)rt_pg_int(rows, row, at + 2);
	payment_reason_copy(standing->reason, rt_pg_text(rows, row, at + 3), "");
	standing->update_time_us = rt_pg_time_us(rows, row, at + 4);
}

/* Which limit declined those that one did. */
static struct rt_status read_refusals(struct rt_pg *pg, struct feed_change *changes, size_t count,
				      struct rt_arena *arena, int64_t deadline_mono_us)
{
	struct limit_refusal_of *wanted = rt_arena_array(arena, count, sizeof(*wanted));
	size_t found = 0;

	for (size_t i = 0; wanted != NULL && i < count; i++) {
		const struct payment_record *record = &changes[i].record;

		if (limit_reason(record->standing.reason))
			wanted[found++] = (struct limit_refusal_of){record->request.ledger_id,
								    record->standing.payment_id,
								    &changes[i].refusal};
	}
	return found == 0 ? rt_ok()
			  : limit_store_refusals(pg, wanted, found, arena, deadline_mono_us);
}

struct rt_status feed_store_read(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				 const char *caller, const struct page_place *after,
				 int64_t horizon, int64_t limit, struct rt_arena *arena,
				 int64_t deadline_mono_us, struct feed_change **changes,
				 size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	rt_pg_add_int(&params, after->number);
	rt_pg_add_uuid(&params, &after->id);
	rt_pg_add_int(&params, after->version);
	rt_pg_add_int(&params, horizon);
	rt_pg_add_int(&params, limit);
	if (caller != NULL)
		rt_pg_add_text(&params, caller);
	RT_TRY(rt_pg_run(pg, caller != NULL ? &changes_of_statement : &changes_statement, &params,
			 deadline_mono_us, &rows));
	*changes = rt_arena_array(arena, (size_t)rows.count, sizeof(**changes));
	*count = (size_t)rows.count;
	for (int row = 0; *changes != NULL && row < rows.count; row++)
		read_change(&rows, row, arena, &(*changes)[row]);
	if (!arena->overflowed)
		RT_TRY(read_refusals(pg, *changes, *count, arena, deadline_mono_us));
	if (arena->overflowed)
		return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the page is too large");
	return rt_ok();
}
