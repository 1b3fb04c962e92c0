/* Reading and setting limits; see limit_store.h. */
#include "store/limit_store.h"

#include <string.h>

#include "payments.sql.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "store/limit_batch.h"

static const struct rt_pg_statement read_market = {"payments_read_limit_market",
						   payments_read_limit_market};
static const struct rt_pg_statement write_market = {"payments_write_limit_market",
						    payments_write_limit_market};
static const struct rt_pg_statement find_time_zone = {"payments_find_time_zone",
						      payments_find_time_zone};
static const struct rt_pg_statement insert_person = {"payments_insert_limit_person",
						     payments_insert_limit_person};
static const struct rt_pg_statement lock_person = {"payments_lock_limit_person",
						   payments_lock_limit_person};
static const struct rt_pg_statement read_restrictions = {"payments_read_restrictions",
							 payments_read_restrictions};
static const struct rt_pg_statement write_restrictions = {"payments_write_restrictions",
							  payments_write_restrictions};
static const struct rt_pg_statement read_limits = {"payments_read_person_limits",
						   payments_read_person_limits};
static const struct rt_pg_statement write_limit = {"payments_write_person_limit",
						   payments_write_person_limit};
static const struct rt_pg_statement insert_change = {"payments_insert_limit_change",
						     payments_insert_limit_change};
static const struct rt_pg_statement read_changes = {"payments_read_limit_changes",
						    payments_read_limit_changes};
static const struct rt_pg_statement read_refusals = {"payments_get_limit_refusals",
						     payments_read_limit_refusals};

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the result is too large");
}

static struct rt_status no_market(void)
{
	return RT_FAIL(NOT_FOUND, "MARKET_NOT_FOUND", "the ledger has no market, and so no limits");
}

static void key_params(struct rt_pg_params *params, const struct limit_person_key *key,
		       struct rt_arena *arena)
{
	rt_pg_params_init(params, arena);
	rt_pg_add_uuid(params, &key->ledger_id);
	rt_pg_add_text(params, key->person_id);
}

struct rt_status limit_store_market(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				    struct rt_arena *arena, int64_t deadline_mono_us,
				    struct limit_market *market)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	RT_TRY(rt_pg_run(pg, &read_market, &params, deadline_mono_us, &rows));
	if (rows.count == 0)
		return no_market();
	*market = (struct limit_market){
		.ledger_id = *ledger_id,
		.time_zone = rt_arena_strdup(arena, rt_pg_text(&rows, 0, 0)),
		.week_start = rt_pg_int(&rows, 0, 1),
		.cooling_off_s = rt_pg_int(&rows, 0, 2),
	};
	return arena->overflowed ? out_of_arena() : rt_ok();
}

struct rt_status limit_store_zone_known(struct rt_pg *pg, const char *time_zone,
					struct rt_arena *arena, int64_t deadline_mono_us,
					bool *known)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_text(&params, time_zone);
	RT_TRY(rt_pg_run(pg, &find_time_zone, &params, deadline_mono_us, &rows));
	*known = rows.count > 0;
	return rt_ok();
}

struct rt_status limit_store_set_market(struct rt_pg *pg, const struct limit_market *market,
					struct rt_arena *arena, int64_t deadline_mono_us,
					bool *changed)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &market->ledger_id);
	rt_pg_add_text(&params, market->time_zone);
	rt_pg_add_int(&params, market->week_start);
	rt_pg_add_int(&params, market->cooling_off_s);
	RT_TRY(rt_pg_run(pg, &write_market, &params, deadline_mono_us, &rows));
	*changed = rows.count > 0;
	return rt_ok();
}

struct rt_status limit_store_lock(struct rt_pg *pg, const struct limit_person_key *key, bool enrol,
				  struct rt_arena *arena, int64_t deadline_mono_us,
				  struct limit_person *person, bool *found)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	if (enrol) {
		key_params(&params, key, arena);
		RT_TRY(rt_pg_run(pg, &insert_person, &params, deadline_mono_us, NULL));
	}
	key_params(&params, key, arena);
	RT_TRY(rt_pg_run(pg, &lock_person, &params, deadline_mono_us, &rows));
	*found = rows.count > 0;
	if (rows.count == 0)
		return enrol ? no_market() : rt_ok();
	*person = (struct limit_person){
		.restrictions = {rt_pg_time_us(&rows, 0, 0), rt_pg_time_us(&rows, 0, 1)},
		.cooling_off_us = rt_pg_int(&rows, 0, 2) * RT_US_PER_S,
		.now_us = rt_pg_time_us(&rows, 0, 3),
	};
	return rt_ok();
}

struct rt_status limit_store_restrict(struct rt_pg *pg, const struct limit_person_key *key,
				      const struct limit_restrictions *restrictions,
				      struct rt_arena *arena, int64_t deadline_mono_us)
{
	struct rt_pg_params params;

	key_params(&params, key, arena);
	rt_pg_add_time(&params, restrictions->excluded_until_us);
	rt_pg_add_time(&params, restrictions->timed_out_until_us);
	return rt_pg_run(pg, &write_restrictions, &params, deadline_mono_us, NULL);
}

struct rt_status limit_store_restrictions(struct rt_pg *pg, const struct limit_person_key *key,
					  struct rt_arena *arena, int64_t deadline_mono_us,
					  struct limit_restrictions *restrictions, int64_t *now_us)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	*restrictions = (struct limit_restrictions){LIMIT_NOT, LIMIT_NOT};
	*now_us = 0;
	key_params(&params, key, arena);
	RT_TRY(rt_pg_run(pg, &read_restrictions, &params, deadline_mono_us, &rows));
	if (rows.count == 0)
		return rt_ok();
	restrictions->excluded_until_us = rt_pg_time_us(&rows, 0, 0);
	restrictions->timed_out_until_us = rt_pg_time_us(&rows, 0, 1);
	*now_us = rt_pg_time_us(&rows, 0, 2);
	return rt_ok();
}

static void add_limit_key(struct rt_pg_params *params, const struct limit_key *which)
{
	rt_pg_add_text(params, which->currency);
	rt_pg_add_int(params, which->measure);
	rt_pg_add_int(params, which->period);
}

static void copy_currency(char currency[4], const char *text)
{
	memcpy(currency, text, strnlen(text, 3));
}

/* Columns of read_person_limits.sql. */
static void read_view(const struct rt_pg_rows *rows, int row, struct limit_view *view)
{
	*view = (struct limit_view){
		.key = {.measure = (int)rt_pg_int(rows, row, 1),
			.period = (int)rt_pg_int(rows, row, 2)},
		.limit = {rt_pg_int(rows, row, 3), rt_pg_int(rows, row, 4),
			  rt_pg_time_us(rows, row, 5)},
		.used_minor = rt_pg_int(rows, row, 6),
		.start_us = rt_pg_time_us(rows, row, 7),
		.end_us = rt_pg_time_us(rows, row, 8),
		.now_us = rt_pg_time_us(rows, row, 9),
	};
	copy_currency(view->key.currency, rt_pg_text(rows, row, 0));
}

struct rt_status limit_store_limits(struct rt_pg *pg, const struct limit_person_key *key,
				    const struct limit_key *which, struct rt_arena *arena,
				    int64_t deadline_mono_us, struct limit_view **views,
				    size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	key_params(&params, key, arena);
	add_limit_key(&params, which);
	RT_TRY(rt_pg_run(pg, &read_limits, &params, deadline_mono_us, &rows));
	*views = rt_arena_array(arena, (size_t)rows.count, sizeof(**views));
	if (*views == NULL)
		return out_of_arena();
	for (int row = 0; row < rows.count; row++)
		read_view(&rows, row, &(*views)[row]);
	*count = (size_t)rows.count;
	return rt_ok();
}

struct rt_status limit_store_set(struct rt_pg *pg, const struct limit_person_key *key,
				 const struct limit_key *which, const struct person_limit *limit,
				 struct rt_arena *arena, int64_t deadline_mono_us)
{
	struct rt_pg_params params;
	bool waits = limit->pending_us != LIMIT_NOT;

	key_params(&params, key, arena);
	add_limit_key(&params, which);
	rt_pg_add_int(&params, limit->limit_minor);
	rt_pg_add_int(&params, waits ? limit->pending_minor : LIMIT_NONE);
	rt_pg_add_time(&params, limit->pending_us);
	return rt_pg_run(pg, &write_limit, &params, deadline_mono_us, NULL);
}

struct rt_status limit_store_record(struct rt_pg *pg, const struct limit_person_key *key,
				    const struct limit_change *change, struct rt_arena *arena,
				    int64_t deadline_mono_us)
{
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &key->ledger_id);
	rt_pg_add_uuid(&params, &change->change_id);
	rt_pg_add_text(&params, key->person_id);
	rt_pg_add_int(&params, change->action);
	add_limit_key(&params, &change->key);
	rt_pg_add_int(&params, change->limit_minor);
	rt_pg_add_time(&params, change->effective_us);
	rt_pg_add_text(&params, change->market);
	rt_pg_add_text(&params, change->identity);
	rt_pg_add_uuid(&params, rt_uuid_is_nil(&change->user_id) ? NULL : &change->user_id);
	rt_pg_add_text(&params, change->reason);
	return rt_pg_run(pg, &insert_change, &params, deadline_mono_us, NULL);
}

/* Columns of read_limit_changes.sql. */
static void read_change(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
			struct limit_change *change)
{
	*change = (struct limit_change){
		.change_id = rt_pg_uuid(rows, row, 0),
		.action = (enum limit_action)rt_pg_int(rows, row, 1),
		.key = {.measure = (int)rt_pg_int(rows, row, 3),
			.period = (int)rt_pg_int(rows, row, 4)},
		.limit_minor = rt_pg_int(rows, row, 5),
		.effective_us = rt_pg_time_us(rows, row, 6),
		.market = rt_arena_strdup(arena, rt_pg_text(rows, row, 7)),
		.identity = rt_arena_strdup(arena, rt_pg_text(rows, row, 8)),
		.user_id = rt_pg_uuid(rows, row, 9),
		.reason = rt_arena_strdup(arena, rt_pg_text(rows, row, 10)),
		.create_time_us = rt_pg_time_us(rows, row, 11),
	};
	copy_currency(change->key.currency, rt_pg_text(rows, row, 2));
}

struct rt_status limit_store_changes(struct rt_pg *pg, const struct limit_person_key *key,
				     const struct rt_uuid *before, int64_t limit,
				     struct rt_arena *arena, int64_t deadline_mono_us,
				     struct limit_change **changes, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	key_params(&params, key, arena);
	rt_pg_add_uuid(&params, before);
	rt_pg_add_int(&params, limit);
	RT_TRY(rt_pg_run(pg, &read_changes, &params, deadline_mono_us, &rows));
	*changes = rt_arena_array(arena, (size_t)rows.count, sizeof(**changes));
	if (*changes == NULL)
		return out_of_arena();
	for (int row = 0; row < rows.count; row++)
		read_change(&rows, row, arena, &(*changes)[row]);
	*count = (size_t)rows.count;
	return arena->overflowed ? out_of_arena() : rt_ok();
}

struct rt_status limit_store_refusals(struct rt_pg *pg, const struct limit_refusal_of *wanted,
				      size_t count, struct rt_arena *arena,
				      int64_t deadline_mono_us)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_uuid *ledgers = rt_arena_array(arena, count, sizeof(*ledgers));
	struct rt_uuid *payments = rt_arena_array(arena, count, sizeof(*payments));
	struct rt_pg_params params;

	if (ledgers == NULL || payments == NULL)
		return out_of_arena();
	for (size_t i = 0; i < count; i++) {
		ledgers[i] = wanted[i].ledger_id;
		payments[i] = wanted[i].payment_id;
	}
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ledgers, NULL, count);
	rt_pg_add_uuid_array(&params, payments, NULL, count);
	RT_TRY(rt_pg_run(pg, &read_refusals, &params, deadline_mono_us, &rows));
	for (int row = 0; row < rows.count; row++) {
		size_t n = (size_t)rt_pg_int(&rows, row, 0) - 1;

		RT_ASSERT(n < count);
		*wanted[n].refusal = limit_refusal_read(&rows, row);
	}
	return rt_ok();
}
