/* What the limits of a batch have decided, as arrays of one length; see limit_batch.h. */
#include <string.h>

#include "payments.sql.h"
#include "store/limit_purses.h"
#include "store/payment_columns.h"

static const struct rt_pg_statement write_usage = {"payments_write_limit_usage",
						   payments_write_limit_usage};
static const struct rt_pg_statement insert_claims = {"payments_insert_limit_claims",
						     payments_insert_limit_claims};
static const struct rt_pg_statement insert_refusals = {"payments_insert_limit_refusals",
						       payments_insert_limit_refusals};

/* The most arrays that one of the statements has, of each type. */
struct columns {
	struct rt_uuid *ids[2];
	const char **texts[2];
	int64_t *numbers[6];
	size_t count;
};

static struct rt_status columns_init(struct columns *columns, size_t count, struct rt_arena *arena)
{
	*columns = (struct columns){0};
	for (size_t i = 0; i < 2; i++) {
		columns->ids[i] = PAYMENT_COLUMN(arena, struct rt_uuid, count);
		columns->texts[i] = PAYMENT_COLUMN(arena, const char *, count);
	}
	for (size_t i = 0; i < 6; i++)
		columns->numbers[i] = PAYMENT_COLUMN(arena, int64_t, count);
	return arena->overflowed
		       ? RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the batch is too large")
		       : rt_ok();
}

static void add_usage(struct columns *columns, const struct limit_batch_person *person,
		      const struct limit_batch_purse *purse)
{
	for (int period = LIMIT_DAY; period <= LIMIT_PERIOD_MAX; period++) {
		const struct limit_counter *counter = &purse->purse.periods[period];
		size_t i = columns->count++;

		columns->ids[0][i] = person->ledger_id;
		columns->texts[0][i] = person->person_id;
		columns->texts[1][i] = purse->currency;
		columns->numbers[0][i] = purse->measure;
		columns->numbers[1][i] = period;
		columns->numbers[2][i] = person->starts[period];
		columns->numbers[3][i] = counter->used_minor;
		columns->numbers[4][i] = counter->limit_minor;
	}
}

static struct rt_status send_usage(struct rt_pg *pg, const struct payment_batch *batch,
				   const struct limit_purses *purses, struct rt_arena *arena,
				   size_t *sent)
{
	struct columns columns;
	struct rt_pg_params params;

	/* No more purses are touched than there are entries. */
	RT_TRY(columns_init(&columns, batch->entry_count * LIMIT_PERIOD_MAX, arena));
	for (size_t i = 0; i < purses->count; i++) {
		for (const struct limit_batch_purse *purse = purses->persons[i].purses;
		     purse != NULL; purse = purse->next) {
			if (purse->taken)
				add_usage(&columns, &purses->persons[i], purse);
		}
	}
	if (columns.count == 0)
		return rt_ok();
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, columns.ids[0], NULL, columns.count);
	rt_pg_add_text_array(&params, columns.texts[0], columns.count);
	rt_pg_add_text_array(&params, columns.texts[1], columns.count);
	rt_pg_add_smallint_array(&params, columns.numbers[0], NULL, columns.count);
	rt_pg_add_smallint_array(&params, columns.numbers[1], NULL, columns.count);
	for (size_t i = 2; i < 5; i++)
		rt_pg_add_int_array(&params, columns.numbers[i], NULL, columns.count);
	(*sent)++;
	return rt_pg_send(pg, &write_usage, &params);
}

static void add_claim(struct columns *columns, const struct payment_entry *entry,
		      const struct limit_batch_person *person)
{
	struct limit_rule rule = limit_rule_of(entry->request->kind);
	size_t i = columns->count++;

	columns->ids[0][i] = entry->request->ledger_id;
	columns->ids[1][i] = entry->standing->payment_id;
	columns->texts[0][i] = person->person_id;
	columns->texts[1][i] = entry->request->currency;
	columns->numbers[0][i] = rule.measure;
	for (int period = LIMIT_DAY; period <= LIMIT_PERIOD_MAX; period++)
		columns->numbers[period][i] = person->starts[period];
	columns->numbers[4][i] =
		rule.less ? -entry->request->amount_minor : entry->request->amount_minor;
	columns->numbers[5][i] = rule.effect;
}

static struct rt_status send_claims(struct rt_pg *pg, const struct payment_batch *batch,
				    const struct limit_purses *purses, struct rt_arena *arena,
				    size_t *sent)
{
	struct columns columns;
	struct rt_pg_params params;

	RT_TRY(columns_init(&columns, batch->entry_count, arena));
	for (size_t i = 0; i < batch->entry_count; i++) {
		const struct payment_entry *entry = batch->entries[i];

		if (purses->of_entries[i] != NULL && !entry->decided)
			add_claim(&columns, entry, purses->of_entries[i]);
	}
	if (columns.count == 0)
		return rt_ok();
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, columns.ids[0], NULL, columns.count);
	rt_pg_add_uuid_array(&params, columns.ids[1], NULL, columns.count);
	rt_pg_add_text_array(&params, columns.texts[0], columns.count);
	rt_pg_add_text_array(&params, columns.texts[1], columns.count);
	rt_pg_add_smallint_array(&params, columns.numbers[0], NULL, columns.count);
	for (size_t i = 1; i < 5; i++)
		rt_pg_add_int_array(&params, columns.numbers[i], NULL, columns.count);
	rt_pg_add_smallint_array(&params, columns.numbers[5], NULL, columns.count);
	(*sent)++;
	return rt_pg_send(pg, &insert_claims, &params);
}

static void add_refusal(struct columns *columns, const struct payment_entry *entry)
{
	const struct limit_refusal *refusal = entry->refusal;
	size_t i = columns->count++;

	columns->ids[0][i] = entry->request->ledger_id;
	columns->ids[1][i] = entry->standing->payment_id;
	columns->numbers[0][i] = refusal->measure;
	columns->numbers[1][i] = refusal->period;
	columns->numbers[2][i] = refusal->limit_minor;
	columns->numbers[3][i] = refusal->left_minor;
	columns->numbers[4][i] = refusal->until_us;
}

static struct rt_status send_refusals(struct rt_pg *pg, const struct payment_batch *batch,
				      const struct limit_purses *purses, struct rt_arena *arena,
				      size_t *sent)
{
	struct columns columns;
	struct rt_pg_params params;

	RT_TRY(columns_init(&columns, batch->entry_count, arena));
	for (size_t i = 0; i < batch->entry_count; i++) {
		if (purses->of_entries[i] != NULL && batch->entries[i]->decided)
			add_refusal(&columns, batch->entries[i]);
	}
	if (columns.count == 0)
		return rt_ok();
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, columns.ids[0], NULL, columns.count);
	rt_pg_add_uuid_array(&params, columns.ids[1], NULL, columns.count);
	rt_pg_add_smallint_array(&params, columns.numbers[0], NULL, columns.count);
	rt_pg_add_smallint_array(&params, columns.numbers[1], NULL, columns.count);
	rt_pg_add_int_array(&params, columns.numbers[2], NULL, columns.count);
	rt_pg_add_int_array(&params, columns.numbers[3], NULL, columns.count);
	rt_pg_add_time_array(&params, columns.numbers[4], columns.count);
	(*sent)++;
	return rt_pg_send(pg, &insert_refusals, &params);
}

struct rt_status limit_batch_send_writes(struct rt_pg *pg, const struct payment_batch *batch,
					 const struct limit_purses *purses, struct rt_arena *arena,
					 size_t *sent)
{
	if (purses == NULL)
		return rt_ok();
	RT_TRY(send_usage(pg, batch, purses, arena, sent));
	RT_TRY(send_claims(pg, batch, purses, arena, sent));
	return send_refusals(pg, batch, purses, arena, sent);
}
