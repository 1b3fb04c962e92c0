/* Limits in the shared transaction; see limit_batch.h. */
#include "store/limit_batch.h"

#include <stdlib.h>
#include <string.h>

#include "payments.sql.h"
#include "rt/assert.h"
#include "store/limit_purses.h"
#include "store/payment_columns.h"

static const struct rt_pg_statement lock_persons = {"payments_lock_limit_persons",
						    payments_lock_limit_persons};
static const struct rt_pg_statement read_purses = {"payments_read_limit_purses",
						   payments_read_limit_purses};
static const struct rt_pg_statement give_back = {"payments_give_limits_back",
						 payments_give_limits_back};
static const struct rt_pg_statement correct = {"payments_correct_limits", payments_correct_limits};
static const struct rt_pg_statement read_refusals = {"payments_read_limit_refusals",
						     payments_read_limit_refusals};

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the batch is too large");
}

/* Ledgers and payments, for what names payments. */
struct keys {
	struct rt_uuid *ledgers;
	struct rt_uuid *payments;
	size_t count;
};

static bool keys_init(struct keys *keys, size_t count, struct rt_arena *arena)
{
	*keys = (struct keys){.ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, count),
			      .payments = PAYMENT_COLUMN(arena, struct rt_uuid, count)};
	return !arena->overflowed;
}

static void keys_add(struct keys *keys, const struct rt_uuid *ledger_id,
		     const struct rt_uuid *payment_id)
{
	keys->ledgers[keys->count] = *ledger_id;
	keys->payments[keys->count++] = *payment_id;
}

static void keys_params(const struct keys *keys, struct rt_pg_params *params,
			struct rt_arena *arena)
{
	rt_pg_params_init(params, arena);
	rt_pg_add_uuid_array(params, keys->ledgers, NULL, keys->count);
	rt_pg_add_uuid_array(params, keys->payments, NULL, keys->count);
}

/* ---- whom it concerns ---- */

static enum limit_end end_of(const struct payment_advance *advance)
{
	return limit_end_of(advance->kind, advance->changes[advance->change_count - 1].state);
}

/* Whether an entry is one that limits may refuse, or that claims something. */
static bool concerns(const struct payment_entry *entry)
{
	return entry->insert && entry->person != NULL && entry->person[0] != '\0' &&
	       limit_rule_of(entry->request->kind).effect != LIMIT_NO_EFFECT &&
	       payment_state_open(entry->standing->state);
}

bool limit_batch_wanted(const struct payment_batch *batch)
{
	for (size_t i = 0; i < batch->entry_count; i++) {
		if (concerns(batch->entries[i]))
			return true;
	}
	for (size_t i = 0; i < batch->advance_count; i++) {
		if (end_of(batch->advances[i]) != LIMIT_STAYS)
			return true;
	}
	return false;
}

struct rt_status limit_batch_send_lock(struct rt_pg *pg, const struct payment_batch *batch,
				       struct rt_arena *arena)
{
	struct rt_uuid *ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, batch->entry_count);
	const char **persons = PAYMENT_COLUMN(arena, const char *, batch->entry_count);
	struct rt_pg_params params;
	struct keys ended;
	size_t count = 0;

	if (!keys_init(&ended, batch->advance_count, arena) || persons == NULL)
		return out_of_arena();
	for (size_t i = 0; i < batch->entry_count; i++) {
		const struct payment_entry *entry = batch->entries[i];

		if (!concerns(entry))
			continue;
		ledgers[count] = entry->request->ledger_id;
		persons[count++] = entry->person;
	}
	for (size_t i = 0; i < batch->advance_count; i++) {
		const struct payment_advance *advance = batch->advances[i];

		if (end_of(advance) != LIMIT_STAYS)
			keys_add(&ended, &advance->ledger_id, &advance->payment_id);
	}
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ledgers, NULL, count);
	rt_pg_add_text_array(&params, persons, count);
	rt_pg_add_uuid_array(&params, ended.ledgers, NULL, ended.count);
	rt_pg_add_uuid_array(&params, ended.payments, NULL, ended.count);
	return rt_pg_send(pg, &lock_persons, &params);
}

/* ---- payments that were refused before ---- */

struct rt_status limit_batch_find_refusals(struct rt_pg *pg, const struct payment_batch *batch,
					   struct rt_arena *arena)
{
	size_t *numbers = PAYMENT_COLUMN(arena, size_t, batch->entry_count);
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	struct keys keys;

	if (!keys_init(&keys, batch->entry_count, arena) || numbers == NULL)
		return out_of_arena();
	for (size_t i = 0; i < batch->entry_count; i++) {
		const struct payment_entry *entry = batch->entries[i];
		const struct payment_standing *standing = entry->standing;

		if (!(entry->found || entry->recorded) || entry->refusal == NULL ||
		    !limit_reason(standing->reason))
			continue;
		numbers[keys.count] = i;
		keys_add(&keys, &entry->request->ledger_id, &standing->payment_id);
	}
	if (keys.count == 0)
		return rt_ok();
	keys_params(&keys, &params, arena);
	RT_TRY(rt_pg_send(pg, &read_refusals, &params));
	RT_TRY(rt_pg_receive(pg, &rows, 1));
	for (int row = 0; row < rows.count; row++) {
		size_t n = (size_t)rt_pg_int(&rows, row, 0) - 1;

		RT_ASSERT(n < keys.count);
		*batch->entries[numbers[n]]->refusal = limit_refusal_read(&rows, row);
	}
	return rt_ok();
}

struct limit_refusal limit_refusal_read(const struct rt_pg_rows *rows, int row)
{
	return (struct limit_refusal){
		.measure = (int)rt_pg_int(rows, row, 1),
		.period = (int)rt_pg_int(rows, row, 2),
		.limit_minor = rt_pg_int(rows, row, 3),
		.left_minor = rt_pg_int(rows, row, 4),
		.until_us = rt_pg_time_us(rows, row, 5),
	};
}

/* ---- who was locked, and what they have ---- */

static struct rt_status take_persons(const struct rt_pg_rows *rows, struct rt_arena *arena,
				     struct limit_purses *purses)
{
	purses->count = (size_t)rows->count;
	purses->persons = rt_arena_array(arena, purses->count, sizeof(struct limit_batch_person));
	if (purses->persons == NULL)
		return out_of_arena();
	for (int row = 0; row < rows->count; row++) {
		struct limit_batch_person *person = &purses->persons[row];

		*person = (struct limit_batch_person){
			.ledger_id = rt_pg_uuid(rows, row, 0),
			.person_id = rt_arena_strdup(arena, rt_pg_text(rows, row, 1)),
			.restrictions = {rt_pg_time_us(rows, row, 2), rt_pg_time_us(rows, row, 3)},
			.now_us = rt_pg_time_us(rows, row, 4),
		};
		for (int period = LIMIT_DAY; period <= LIMIT_PERIOD_MAX; period++) {
			person->starts[period] = rt_pg_int(rows, row, 4 + period);
			person->ends_us[period] =
				rt_pg_time_us(rows, row, 4 + LIMIT_PERIOD_MAX + period);
		}
	}
	return arena->overflowed ? out_of_arena() : rt_ok();
}

static int compare_persons(const void *key, const void *element)
{
	const struct limit_batch_person *a = key;
	const struct limit_batch_person *b = element;
	int order = rt_uuid_compare(&a->ledger_id, &b->ledger_id);

	return order != 0 ? order : strcmp(a->person_id, b->person_id);
}

static struct limit_batch_person *find_person(const struct limit_purses *purses,
					      const struct payment_entry *entry)
{
	struct limit_batch_person key = {.ledger_id = entry->request->ledger_id,
					 .person_id = entry->person};

	return bsearch(&key, purses->persons, purses->count, sizeof(key), compare_persons);
}

/* A purse; made, without limits, when there is none. NULL: the arena is full. */
static struct limit_batch_purse *purse_of(struct limit_batch_person *person, const char *currency,
					  enum limit_measure measure, struct rt_arena *arena)
{
	struct limit_batch_purse *purse = person->purses;

	while (purse != NULL &&
	       !(purse->measure == measure && strcmp(purse->currency, currency) == 0))
		purse = purse->next;
	if (purse != NULL)
		return purse;
	purse = rt_arena_alloc(arena, sizeof(*purse));
	if (purse == NULL)
		return NULL;
	*purse = (struct limit_batch_purse){.next = person->purses, .measure = measure};
	memcpy(purse->currency, currency, strnlen(currency, sizeof(purse->currency) - 1));
	for (int period = LIMIT_DAY; period <= LIMIT_PERIOD_MAX; period++)
		purse->purse.periods[period].limit_minor = LIMIT_NONE;
	person->purses = purse;
	return purse;
}

/* Columns of read_limit_purses.sql. */
static struct rt_status take_purses(const struct rt_pg_rows *rows, struct limit_purses *purses,
				    struct rt_arena *arena)
{
	for (int row = 0; row < rows->count; row++) {
		struct limit_batch_person *person = &purses->persons[rt_pg_int(rows, row, 0) - 1];
		struct limit_batch_purse *purse =
			purse_of(person, rt_pg_text(rows, row, 1),
				 (enum limit_measure)rt_pg_int(rows, row, 2), arena);
		struct person_limit limit = {rt_pg_int(rows, row, 5), rt_pg_int(rows, row, 6),
					     rt_pg_time_us(rows, row, 7)};

		if (purse == NULL)
			return out_of_arena();
		struct limit_counter *counter = &purse->purse.periods[rt_pg_int(rows, row, 3)];

		if (rt_pg_bool(rows, row, 4))
			counter->limit_minor = limit_effective(&limit, person->now_us);
		else
			counter->used_minor = limit.limit_minor;
	}
	return rt_ok();
}

static struct rt_status send_read_purses(struct rt_pg *pg, const struct limit_purses *purses,
					 struct rt_arena *arena)
{
	struct rt_uuid *ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, purses->count);
	const char **persons = PAYMENT_COLUMN(arena, const char *, purses->count);
	int64_t *starts[LIMIT_PERIOD_MAX + 1] = {NULL};
	struct rt_pg_params params;

	for (int period = LIMIT_DAY; period <= LIMIT_PERIOD_MAX; period++)
		starts[period] = PAYMENT_COLUMN(arena, int64_t, purses->count);
	if (arena->overflowed)
		return out_of_arena();
	for (size_t i = 0; i < purses->count; i++) {
		ledgers[i] = purses->persons[i].ledger_id;
		persons[i] = purses->persons[i].person_id;
		for (int period = LIMIT_DAY; period <= LIMIT_PERIOD_MAX; period++)
			starts[period][i] = purses->persons[i].starts[period];
	}
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ledgers, NULL, purses->count);
	rt_pg_add_text_array(&params, persons, purses->count);
	for (int period = LIMIT_DAY; period <= LIMIT_PERIOD_MAX; period++)
		rt_pg_add_int_array(&params, starts[period], NULL, purses->count);
	return rt_pg_send(pg, &read_purses, &params);
}

/* The payments that this attempt has ended in one way. */
static struct rt_status send_ended(struct rt_pg *pg, const struct payment_batch *batch,
				   const bool *written, enum limit_end end, struct rt_arena *arena,
				   size_t *sent)
{
	struct rt_pg_params params;
	struct keys keys;

	if (!keys_init(&keys, batch->advance_count, arena))
		return out_of_arena();
	for (size_t i = 0; i < batch->advance_count; i++) {
		const struct payment_advance *advance = batch->advances[i];

		if (written[i] && end_of(advance) == end)
			keys_add(&keys, &advance->ledger_id, &advance->payment_id);
	}
	if (keys.count == 0)
		return rt_ok();
	keys_params(&keys, &params, arena);
	(*sent)++;
	return rt_pg_send(pg, end == LIMIT_CORRECTED ? &correct : &give_back, &params);
}

/* ---- deciding ---- */

/* Declines an entry before anything was done. */
static void refuse(struct payment_entry *entry, const char *reason,
		   const struct limit_refusal *refusal)
{
	struct saga_decision decision =
		saga_decide(saga_plan_of(entry->request->kind), PAYMENT_CREATED,
			    (struct saga_event){.kind = SAGA_REFUSED_AT_ONCE, .reason = reason});

	RT_ASSERT(decision.legal);
	payment_entry_decide(entry, &decision);
	*entry->refusal = *refusal;
}

/* Refuses the entry, or lets it take. */
static struct rt_status decide(struct payment_entry *entry, struct limit_batch_person *person,
			       struct rt_arena *arena)
{
	struct limit_rule rule = limit_rule_of(entry->request->kind);
	struct limit_refusal refusal = {.measure = 0};

	if (rule.effect != LIMIT_TAKES)
		return rt_ok();
	const char *restricted =
		limit_restricted(&person->restrictions, person->now_us, &refusal.until_us);

	if (restricted != NULL) {
		refuse(entry, restricted, &refusal);
		return rt_ok();
	}
	struct limit_batch_purse *purse =
		purse_of(person, entry->request->currency, rule.measure, arena);

	if (purse == NULL)
		return out_of_arena();
	if (limit_take(&purse->purse, entry->request->amount_minor, &refusal)) {
		purse->taken = true;
		return rt_ok();
	}
	refusal.measure = (int)rule.measure;
	refusal.until_us = person->ends_us[refusal.period];
	refuse(entry, LIMIT_EXCEEDED_REASON, &refusal);
	return rt_ok();
}

static struct rt_status decide_all(const struct payment_batch *batch, struct limit_purses *purses,
				   struct rt_arena *arena)
{
	purses->of_entries = PAYMENT_COLUMN(arena, struct limit_batch_person *, batch->entry_count);
	if (purses->of_entries == NULL)
		return out_of_arena();
	for (size_t i = 0; i < batch->entry_count; i++) {
		struct payment_entry *entry = batch->entries[i];

		purses->of_entries[i] = NULL;
		if (!payment_entry_missing(entry) || !concerns(entry))
			continue;
		purses->of_entries[i] = find_person(purses, entry);
		if (purses->of_entries[i] != NULL)
			RT_TRY(decide(entry, purses->of_entries[i], arena));
	}
	return rt_ok();
}

struct rt_status limit_batch_decide(struct rt_pg *pg, const struct payment_batch *batch,
				    const bool *written, const struct rt_pg_rows *locked,
				    struct rt_arena *arena, struct limit_purses **purses)
{
	struct rt_pg_rows rows[3] = {0};
	size_t sent = 0;

	*purses = NULL;
	if (locked->count == 0)
		return rt_ok();
	*purses = rt_arena_alloc(arena, sizeof(**purses));
	if (*purses == NULL)
		return out_of_arena();
	RT_TRY(take_persons(locked, arena, *purses));
	RT_TRY(send_ended(pg, batch, written, LIMIT_GIVEN_BACK, arena, &sent));
	RT_TRY(send_ended(pg, batch, written, LIMIT_CORRECTED, arena, &sent));
	RT_TRY(send_read_purses(pg, *purses, arena));
	RT_TRY(rt_pg_receive(pg, rows, sent + 1));
	struct rt_status status = take_purses(&rows[sent], *purses, arena);

	for (size_t i = 0; i <= sent; i++)
		rt_pg_rows_deinit(&rows[i]);
	RT_TRY(status);
	return decide_all(batch, *purses, arena);
}
