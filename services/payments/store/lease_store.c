/* Leases of workers, and taking over the sagas of one that is gone; see payment_store.h. */
#include <string.h>

#include "payments.sql.h"
#include "store/payment_store.h"

static const struct rt_pg_statement begin_lease = {"payments_begin_lease", payments_begin_lease};
static const struct rt_pg_statement renew_lease = {"payments_renew_lease", payments_renew_lease};
static const struct rt_pg_statement end_lease = {"payments_end_lease", payments_end_lease};
static const struct rt_pg_statement find_lapsed = {"payments_find_lapsed", payments_find_lapsed};
static const struct rt_pg_statement lock_lapsed = {"payments_lock_lapsed", payments_lock_lapsed};
static const struct rt_pg_statement take_lapsed = {"payments_take_lapsed", payments_take_lapsed};

static const struct rt_pg_statement read_own_open = {"payments_read_own_open",
						     payments_read_own_open};
static const struct rt_pg_statement let_go = {"payments_let_go", payments_let_go};
static const struct rt_pg_statement mark_review = {"payments_mark_review", payments_mark_review};

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the result is too large");
}

/* What a statement about a worker's lease is given first. Owns: the arena is the caller's to end.
 */
static void lease_params(struct rt_pg_params *params, struct rt_arena *arena,
			 const struct rt_uuid *worker_id)
{
	rt_arena_init(arena, 4096);
	rt_pg_params_init(params, arena);
	rt_pg_add_uuid(params, worker_id);
}

struct rt_status payment_store_begin_lease(struct rt_pg *pg, const struct rt_uuid *worker_id,
					   const char *host, int64_t lease_ms,
					   int64_t deadline_mono_us)
{
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	struct rt_pg_params params;

	lease_params(&params, &arena, worker_id);
	rt_pg_add_int(&params, lease_ms);
	rt_pg_add_text(&params, host);
	return rt_pg_run(pg, &begin_lease, &params, deadline_mono_us, NULL);
}

struct rt_status payment_store_renew_lease(struct rt_pg *pg, const struct rt_uuid *worker_id,
					   int64_t lease_ms, int64_t deadline_mono_us)
{
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	struct rt_pg_params params;

	lease_params(&params, &arena, worker_id);
	rt_pg_add_int(&params, lease_ms);
	return rt_pg_run(pg, &renew_lease, &params, deadline_mono_us, NULL);
}

struct rt_status payment_store_end_lease(struct rt_pg *pg, const struct rt_uuid *worker_id,
					 int64_t deadline_mono_us)
{
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	struct rt_pg_params params;

	lease_params(&params, &arena, worker_id);
	return rt_pg_run(pg, &end_lease, &params, deadline_mono_us, NULL);
}

struct rt_status payment_store_find_lapsed(struct rt_pg *pg, const struct rt_uuid *worker_id,
					   struct rt_arena *arena, int64_t deadline_mono_us,
					   struct rt_uuid **owners, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, worker_id);
	RT_TRY(rt_pg_run(pg, &find_lapsed, &params, deadline_mono_us, &rows));
	*owners = rt_arena_array(arena, (size_t)rows.count, sizeof(**owners));
	if (*owners == NULL)
		return out_of_arena();
	for (int row = 0; row < rows.count; row++)
		(*owners)[row] = rt_pg_uuid(&rows, row, 0);
	*count = (size_t)rows.count;
	return rt_ok();
}

/* Columns of lock_lapsed.sql. */
static void read_lapsed(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
			struct payment_lapsed *lapsed)
{
	struct payment_request *request = &lapsed->request;
	struct payment_standing *standing = &lapsed->standing;
	const char *currency = rt_pg_text(rows, row, 6);

	request->ledger_id = rt_pg_uuid(rows, row, 0);
	standing->payment_id = rt_pg_uuid(rows, row, 1);
	request->kind = (enum payment_kind)rt_pg_int(rows, row, 2);
	request->account_id = rt_pg_uuid(rows, row, 3);
	request->counter_id = rt_pg_uuid(rows, row, 4);
	request->amount_minor = rt_pg_int(rows, row, 5);
	memcpy(request->currency, currency, strnlen(currency, 3));
	request->connector = rt_arena_strdup(arena, rt_pg_text(rows, row, 7));
	request->instrument = rt_arena_strdup(arena, rt_pg_text(rows, row, 8));
	standing->state = (enum payment_state)rt_pg_int(rows, row, 9);
	payment_reason_copy(standing->reason, rt_pg_text(rows, row, 10), "");
	standing->version = rt_pg_int(rows, row, 11);
	lapsed->fence = rt_pg_int(rows, row, 12) + 1;
	standing->create_time_us = rt_pg_time_us(rows, row, 13);
	standing->update_time_us = rt_pg_time_us(rows, row, 14);
	request->remote_ledger_id = payment_uuid_or_nil(rows, row, 15);
	request->remote_account_id = payment_uuid_or_nil(rows, row, 16);
	request->remote_counter_id = payment_uuid_or_nil(rows, row, 17);
	request->parent_id = payment_uuid_or_nil(rows, row, 18);
	request->fee_minor = rt_pg_int(rows, row, 19);
	request->fee_account_id = payment_uuid_or_nil(rows, row, 20);
	lapsed->reviewed = !rt_pg_is_null(rows, row, 21);
	lapsed->cancel_wanted = rt_pg_bool(rows, row, 22);
	lapsed->declines = (uint16_t)rt_pg_int(rows, row, 23);
}

static struct rt_status lock_and_read(struct rt_pg *pg, const struct rt_uuid *owner, int64_t limit,
				      struct rt_arena *arena, int64_t deadline_mono_us,
				      struct payment_lapsed **lapsed, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, owner);
	rt_pg_add_int(&params, limit);
	RT_TRY(rt_pg_run(pg, &lock_lapsed, &params, deadline_mono_us, &rows));
	*lapsed = rt_arena_array(arena, (size_t)rows.count, sizeof(**lapsed));
	if (*lapsed == NULL)
		return out_of_arena();
	for (int row = 0; row < rows.count; row++)
		read_lapsed(&rows, row, arena, &(*lapsed)[row]);
	*count = (size_t)rows.count;
	return arena->overflowed ? out_of_arena() : rt_ok();
}

/* A statement about some payments of a worker's, or to become its. */
static struct rt_status run_on(struct rt_pg *pg, const struct rt_pg_statement *statement,
			       const struct rt_uuid *worker_id, const struct payment_place *places,
			       size_t count, struct rt_arena *arena, int64_t deadline_mono_us)
{
	struct rt_uuid *ledgers = rt_arena_array(arena, count, sizeof(*ledgers));
	struct rt_uuid *payments = rt_arena_array(arena, count, sizeof(*payments));
	struct rt_pg_params params;

	if (ledgers == NULL || payments == NULL)
		return out_of_arena();
	for (size_t i = 0; i < count; i++) {
		ledgers[i] = places[i].ledger_id;
		payments[i] = places[i].payment_id;
	}
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ledgers, NULL, count);
	rt_pg_add_uuid_array(&params, payments, NULL, count);
	rt_pg_add_uuid(&params, worker_id);
	return rt_pg_run(pg, statement, &params, deadline_mono_us, NULL);
}

static struct rt_status take(struct rt_pg *pg, const struct rt_uuid *worker_id,
			     const struct payment_lapsed *lapsed, size_t count,
			     struct rt_arena *arena, int64_t deadline_mono_us)
{
	struct payment_place *places = rt_arena_array(arena, count, sizeof(*places));

	if (places == NULL)
		return out_of_arena();
	for (size_t i = 0; i < count; i++)
		places[i] = (struct payment_place){lapsed[i].request.ledger_id,
						   lapsed[i].standing.payment_id};
	return run_on(pg, &take_lapsed, worker_id, places, count, arena, deadline_mono_us);
}

struct rt_status payment_store_take_lapsed(struct rt_pg *pg, const struct rt_uuid *owner,
					   const struct rt_uuid *worker_id, int64_t limit,
					   struct rt_arena *arena, int64_t deadline_mono_us,
					   struct payment_lapsed **lapsed, size_t *count)
{
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};

	*count = 0;
	RT_TRY(rt_pg_begin(pg, deadline_mono_us, &tx));
	RT_TRY(lock_and_read(pg, owner, limit, arena, deadline_mono_us, lapsed, count));
	if (*count > 0)
		RT_TRY(take(pg, worker_id, *lapsed, *count, arena, deadline_mono_us));
	return rt_pg_commit(&tx);
}

struct rt_status payment_store_own_open(struct rt_pg *pg, const struct rt_uuid *worker_id,
					const struct rt_uuid *after, int64_t age_ms, int64_t limit,
					struct rt_arena *arena, int64_t deadline_mono_us,
					struct payment_place **places, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, worker_id);
	rt_pg_add_uuid(&params, after);
	rt_pg_add_int(&params, age_ms);
	rt_pg_add_int(&params, limit);
	RT_TRY(rt_pg_run(pg, &read_own_open, &params, deadline_mono_us, &rows));
	*places = rt_arena_array(arena, (size_t)rows.count, sizeof(**places));
	if (*places == NULL)
		return out_of_arena();
	for (int row = 0; row < rows.count; row++)
		(*places)[row] = (struct payment_place){rt_pg_uuid(&rows, row, 0),
							rt_pg_uuid(&rows, row, 1)};
	*count = (size_t)rows.count;
	return rt_ok();
}

struct rt_status payment_store_let_go(struct rt_pg *pg, const struct rt_uuid *worker_id,
				      const struct payment_place *places, size_t count,
				      struct rt_arena *arena, int64_t deadline_mono_us)
{
	return run_on(pg, &let_go, worker_id, places, count, arena, deadline_mono_us);
}

struct rt_status payment_store_mark_review(struct rt_pg *pg, const struct rt_uuid *worker_id,
					   int64_t age_ms, struct rt_arena *arena,
					   int64_t deadline_mono_us, int64_t *marked)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, worker_id);
	rt_pg_add_int(&params, age_ms);
	RT_TRY(rt_pg_run(pg, &mark_review, &params, deadline_mono_us, &rows));
	*marked = rt_pg_affected(&rows);
	return rt_ok();
}
