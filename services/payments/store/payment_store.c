/* Reads and single writes; see payment_store.h. */
#include "store/payment_store.h"

#include <string.h>

#include "payments.sql.h"
#include "store/payment_record.h"

#define LOOKS_GROW_BY 8

static const struct rt_pg_statement get_payment = {"payments_get", payments_read_payment};
static const struct rt_pg_statement get_events = {"payments_get_events", payments_read_events};
static const struct rt_pg_statement plan_by_index = {"payments_plan_by_index",
						     payments_plan_by_index};
static const struct rt_pg_statement list_payments = {"payments_list", payments_read_payments};
static const struct rt_pg_statement insert_clearing = {"payments_insert_clearing",
						       payments_insert_clearing};
static const struct rt_pg_statement insert_transit = {"payments_insert_transit",
						      payments_insert_transit};
static const struct rt_pg_statement get_transit = {"payments_get_transit", payments_get_transit};
static const struct rt_pg_statement get_clearing = {"payments_get_clearing", payments_get_clearing};

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the result is too large");
}

static void copy_currency(char currency[4], const char *text)
{
	memcpy(currency, text, strnlen(text, 3));
}

struct rt_uuid payment_uuid_or_nil(const struct rt_pg_rows *rows, int row, int column)
{
	return rt_pg_is_null(rows, row, column) ? (struct rt_uuid){0}
						: rt_pg_uuid(rows, row, column);
}

void payment_record_read(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
			 struct payment_record *record)
{
	struct payment_request *request = &record->request;
	struct payment_standing *standing = &record->standing;

	standing->payment_id = rt_pg_uuid(rows, row, 0);
	request->ledger_id = rt_pg_uuid(rows, row, 1);
	request->idempotency_key = rt_arena_strdup(arena, rt_pg_text(rows, row, 2));
	record->caller = rt_arena_strdup(arena, rt_pg_text(rows, row, 3));
	request->kind = (enum payment_kind)rt_pg_int(rows, row, 4);
	request->account_id = rt_pg_uuid(rows, row, 5);
	request->counter_id = rt_pg_uuid(rows, row, 6);
	request->amount_minor = rt_pg_int(rows, row, 7);
	copy_currency(request->currency, rt_pg_text(rows, row, 8));
	request->connector = rt_arena_strdup(arena, rt_pg_text(rows, row, 9));
	request->instrument = rt_arena_strdup(arena, rt_pg_text(rows, row, 10));
	request->reference = rt_arena_strdup(arena, rt_pg_text(rows, row, 11));
	standing->state = (enum payment_state)rt_pg_int(rows, row, 12);
	payment_reason_copy(standing->reason, rt_pg_text(rows, row, 13), "");
	standing->version = rt_pg_int(rows, row, 14);
	standing->create_time_us = rt_pg_time_us(rows, row, 15);
	standing->update_time_us = rt_pg_time_us(rows, row, 16);
	request->remote_ledger_id = payment_uuid_or_nil(rows, row, 17);
	request->remote_account_id = payment_uuid_or_nil(rows, row, 18);
	request->remote_counter_id = payment_uuid_or_nil(rows, row, 19);
	request->parent_id = payment_uuid_or_nil(rows, row, 20);
	request->round_id = rt_arena_strdup(arena, rt_pg_text(rows, row, 21));
	request->fee_minor = rt_pg_int(rows, row, 22);
	request->fee_account_id = payment_uuid_or_nil(rows, row, 23);
	standing->refunded_minor = rt_pg_int(rows, row, 24);
	record->review_since_us = rt_pg_is_null(rows, row, 25) ? 0 : rt_pg_time_us(rows, row, 25);
	record->action_url = rt_arena_strdup(arena, rt_pg_text(rows, row, 26));
	record->action_data = rt_arena_strdup(arena, rt_pg_text(rows, row, 27));
}

struct rt_status payment_store_get(struct rt_pg *pg, const struct rt_uuid *payment_id,
				   struct rt_arena *arena, int64_t deadline_mono_us,
				   struct payment_record *record)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, payment_id);
	RT_TRY(rt_pg_run(pg, &get_payment, &params, deadline_mono_us, &rows));
	if (rows.count == 0)
		return RT_FAIL(NOT_FOUND, "PAYMENT_NOT_FOUND", "there is no such payment");
	payment_record_read(&rows, 0, arena, record);
	return arena->overflowed ? out_of_arena() : rt_ok();
}

struct rt_status payment_store_events(struct rt_pg *pg, const struct payment_record *record,
				      int64_t limit, struct rt_arena *arena,
				      int64_t deadline_mono_us, struct payment_event **events,
				      size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &record->standing.payment_id);
	rt_pg_add_uuid(&params, &record->request.ledger_id);
	rt_pg_add_int(&params, limit);
	RT_TRY(rt_pg_run(pg, &get_events, &params, deadline_mono_us, &rows));
	*events = rt_arena_array(arena, (size_t)rows.count, sizeof(**events));
	if (*events == NULL)
		return out_of_arena();
	for (int row = 0; row < rows.count; row++) {
		(*events)[row] = (struct payment_event){
			.version = rt_pg_int(&rows, row, 0),
			.state = (enum payment_state)rt_pg_int(&rows, row, 1),
			.reason = rt_arena_strdup(arena, rt_pg_text(&rows, row, 2)),
			.create_time_us = rt_pg_time_us(&rows, row, 3),
			.worker_id = payment_uuid_or_nil(&rows, row, 4),
			.actor = rt_arena_strdup(arena, rt_pg_text(&rows, row, 5)),
			.evidence = rt_arena_strdup(arena, rt_pg_text(&rows, row, 6)),
			.position = rt_pg_int(&rows, row, 7),
		};
	}
	*count = (size_t)rows.count;
	return arena->overflowed ? out_of_arena() : rt_ok();
}

/* Null: not asked for. */
static void add_number(struct rt_pg_params *params, int number)
{
	if (number == 0)
		rt_pg_add_null(params, RT_PG_BIGINT);
	else
		rt_pg_add_int(params, number);
}

/* One round trip. Which index serves depends on what is asked for. */
static struct rt_status list_planned(struct rt_pg *pg, const struct rt_pg_params *params,
				     int64_t deadline_mono_us, struct rt_pg_rows rows[2])
{
	RT_TRY(rt_pg_send_begin(pg, deadline_mono_us));
	RT_TRY(rt_pg_send(pg, &plan_by_index, NULL));
	RT_TRY(rt_pg_send(pg, &list_payments, params));
	RT_TRY(rt_pg_send_commit(pg));
	return rt_pg_receive(pg, rows, 2);
}

static void two_rows_deinit(struct rt_pg_rows (*rows)[2])
{
	rt_pg_rows_deinit(&(*rows)[0]);
	rt_pg_rows_deinit(&(*rows)[1]);
}

/* The way that leads past the fewest payments; the numbers are in read_payments.sql. */
enum list_way { WAY_LEDGER = 1, WAY_ACCOUNT = 2, WAY_CALLER = 3, WAY_REFERENCE = 4 };

static enum list_way way_of(const struct payment_filter *filter)
{
	if (filter->reference != NULL)
		return WAY_REFERENCE;
	if (!rt_uuid_is_nil(&filter->account_id))
		return WAY_ACCOUNT;
	return filter->caller != NULL ? WAY_CALLER : WAY_LEDGER;
}

/* Parameters of read_payments.sql: the next `looks` payments below `before`. */
static void list_params(struct rt_pg_params *params, struct rt_arena *arena,
			const struct payment_filter *filter, const struct rt_uuid *before,
			size_t room, size_t looks)
{
	rt_pg_params_init(params, arena);
	rt_pg_add_uuid(params, &filter->ledger_id);
	rt_pg_add_uuid(params, before);
	rt_pg_add_uuid(params, &filter->above);
	add_number(params, filter->state);
	add_number(params, filter->kind);
	rt_pg_add_uuid(params, rt_uuid_is_nil(&filter->account_id) ? NULL : &filter->account_id);
	rt_pg_add_text(params, filter->caller);
	rt_pg_add_text(params, filter->connector);
	rt_pg_add_text(params, filter->reference);
	rt_pg_add_time(params, filter->start_us);
	rt_pg_add_time(params, filter->end_us);
	rt_pg_add_int(params, filter->amount_min);
	rt_pg_add_int(params, filter->amount_max);
	rt_pg_add_text(params, filter->currency);
	rt_pg_add_int(params, (int64_t)room);
	rt_pg_add_int(params, way_of(filter));
	rt_pg_add_int(params, (int64_t)looks);
}

/* Adds what was found, and says how many were looked at. */
static struct rt_status take_found(const struct rt_pg_rows *rows, struct rt_arena *arena,
				   struct payment_page *page, size_t *looked)
{
	const int at = PAYMENT_RECORD_COLUMNS;

	for (int row = 0; row < rows->count && !rt_pg_is_null(rows, row, 0); row++)
		payment_record_read(rows, row, arena, &page->records[page->count++]);
	*looked = (size_t)rt_pg_int(rows, 0, at);
	if (*looked > 0)
		page->looked_to = rt_pg_uuid(rows, 0, at + 1);
	return arena->overflowed ? out_of_arena() : rt_ok();
}

static struct rt_status look_through(struct rt_pg *pg, const struct payment_filter *filter,
				     size_t looks, struct rt_arena *arena, int64_t deadline_mono_us,
				     struct payment_page *page)
{
	CLEANUP(two_rows_deinit) struct rt_pg_rows answers[2] = {0};
	struct rt_uuid before = page->looked_to;
	struct rt_pg_params params;
	size_t looked = 0;

	list_params(&params, arena, filter, &before, filter->limit - page->count, looks);
	struct rt_status status = list_planned(pg, &params, deadline_mono_us, answers);

	if (!rt_is_ok(&status)) {
		rt_pg_abandon(pg);
		return status;
	}
	RT_TRY(take_found(&answers[1], arena, page, &looked));
	page->whole = looked < looks;
	return rt_ok();
}

/* What fits at once is found by the first look; what is rare, by looks that grow. */
struct rt_status payment_store_list(struct rt_pg *pg, const struct payment_filter *filter,
				    struct rt_arena *arena, int64_t deadline_mono_us,
				    struct payment_page *page)
{
	size_t left = PAYMENT_LOOKS_MAX;
	size_t looks = filter->limit;

	*page = (struct payment_page){
		.records = rt_arena_array(arena, filter->limit, sizeof(*page->records)),
		.looked_to = filter->before};
	if (page->records == NULL)
		return out_of_arena();
	while (left > 0 && page->count < filter->limit && !page->whole) {
		looks = looks < left ? looks : left;
		RT_TRY(look_through(pg, filter, looks, arena, deadline_mono_us, page));
		left -= looks;
		looks *= LOOKS_GROW_BY;
	}
	return rt_ok();
}

static void add_named_key(struct rt_pg_params *params, const struct clearing_key *key)
{
	rt_pg_add_uuid(params, &key->ledger_id);
	if (key->connector != NULL)
		rt_pg_add_text(params, key->connector);
	rt_pg_add_text(params, key->currency);
}

struct rt_status payment_store_register(struct rt_pg *pg, const struct clearing_key *key,
					int64_t now_wall_us, int64_t deadline_mono_us,
					struct rt_uuid *account_id)
{
	bool transit = key->connector == NULL;
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	struct rt_pg_params params;

	rt_arena_init(&arena, 16384);
	rt_pg_params_init(&params, &arena);
	add_named_key(&params, key);
	rt_pg_add_uuid(&params, account_id);
	rt_pg_add_time(&params, now_wall_us);
	RT_TRY(rt_pg_run(pg, transit ? &insert_transit : &insert_clearing, &params,
			 deadline_mono_us, NULL));
	rt_pg_params_init(&params, &arena);
	add_named_key(&params, key);
	RT_TRY(rt_pg_run(pg, transit ? &get_transit : &get_clearing, &params, deadline_mono_us,
			 &rows));
	if (rows.count == 1)
		*account_id = rt_pg_uuid(&rows, 0, 0);
	return rt_ok();
}
