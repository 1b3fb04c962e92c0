/* What payments give back of others; see payment_originals.h. */
#include "store/payment_originals.h"

#include <stdlib.h>
#include <string.h>

#include "payments.sql.h"
#include "rt/assert.h"
#include "store/payment_columns.h"
#include "store/payment_store.h"

static const struct rt_pg_statement find_originals = {"payments_find_originals",
						      payments_find_originals};
static const struct rt_pg_statement lock_originals = {"payments_lock_originals",
						      payments_lock_originals};
static const struct rt_pg_statement find_settled = {"payments_find_settled", payments_find_settled};
static const struct rt_pg_statement update_originals = {"payments_update_originals",
							payments_update_originals};

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the batch is too large");
}

bool payment_entry_claims(const struct payment_entry *entry)
{
	return entry->insert && entry->pair == NULL && !rt_uuid_is_nil(&entry->request->parent_id);
}

static bool advance_ends(const struct payment_advance *advance)
{
	return !rt_uuid_is_nil(&advance->parent_id) &&
	       !payment_state_open(advance->changes[advance->change_count - 1].state);
}

bool payment_originals_wanted(const struct payment_batch *batch)
{
	for (size_t i = 0; i < batch->entry_count; i++) {
		if (payment_entry_claims(batch->entries[i]))
			return true;
	}
	for (size_t i = 0; i < batch->advance_count; i++) {
		if (advance_ends(batch->advances[i]))
			return true;
	}
	return false;
}

/* A look-up of something that gives back, which names its original by id or by key. */
static bool searches(const struct payment_entry *entry)
{
	return !entry->insert && (!rt_uuid_is_nil(&entry->request->parent_id) ||
				  entry->request->original_key[0] != '\0');
}

bool payment_originals_searched(const struct payment_batch *batch)
{
	for (size_t i = 0; i < batch->entry_count; i++) {
		if (searches(batch->entries[i]))
			return true;
	}
	return false;
}

struct rt_status payment_send_find_originals(struct rt_pg *pg, const struct payment_batch *batch,
					     struct rt_arena *arena)
{
	size_t count = batch->entry_count;
	struct rt_uuid *ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, count);
	struct rt_uuid *payments = PAYMENT_COLUMN(arena, struct rt_uuid, count);
	const char **callers = PAYMENT_COLUMN(arena, const char *, count);
	const char **keys = PAYMENT_COLUMN(arena, const char *, count);
	struct rt_pg_params params;

	if (ledgers == NULL || payments == NULL || callers == NULL || keys == NULL)
		return out_of_arena();
	for (size_t i = 0; i < count; i++) {
		const struct payment_entry *entry = batch->entries[i];
		const struct payment_request *request = entry->request;
		bool by_key = searches(entry) && request->original_key[0] != '\0';

		ledgers[i] = request->ledger_id;
		if (searches(entry) && !by_key)
			payments[i] = request->parent_id;
		callers[i] = request->original_caller[0] != '\0' ? request->original_caller
								 : entry->caller;
		keys[i] = by_key ? request->original_key : "";
	}
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ledgers, NULL, count);
	rt_pg_add_uuid_array(&params, payments, NULL, count);
	rt_pg_add_text_array(&params, callers, count);
	rt_pg_add_text_array(&params, keys, count);
	return rt_pg_send(pg, &find_originals, &params);
}

/* Kept longer than the rows; the database bounds it. */
static void copy_text(char *copy, size_t bytes, const char *text)
{
	memcpy(copy, text, strnlen(text, bytes - 1));
}

/* Columns of find_originals.sql and lock_originals.sql. */
static void read_original(const struct rt_pg_rows *rows, int row, struct payment_original *original)
{
	*original = (struct payment_original){
		.payment_id = rt_pg_uuid(rows, row, 1),
		.ledger_id = rt_pg_uuid(rows, row, 2),
		.kind = (enum payment_kind)rt_pg_int(rows, row, 3),
		.state = (enum payment_state)rt_pg_int(rows, row, 4),
		.version = rt_pg_int(rows, row, 5),
		.account_id = rt_pg_uuid(rows, row, 6),
		.counter_id = rt_pg_uuid(rows, row, 7),
		.fee_account_id = payment_uuid_or_nil(rows, row, 8),
		.fee_minor = rt_pg_int(rows, row, 9),
		.amount_minor = rt_pg_int(rows, row, 10),
		.claimed_minor = rt_pg_int(rows, row, 11),
		.refunded_minor = rt_pg_int(rows, row, 12),
	};
	copy_text(original->currency, sizeof(original->currency), rt_pg_text(rows, row, 13));
	copy_text(original->connector, sizeof(original->connector), rt_pg_text(rows, row, 14));
	copy_text(original->round_id, sizeof(original->round_id), rt_pg_text(rows, row, 15));
}

void payment_take_originals(const struct payment_batch *batch, const struct rt_pg_rows *rows)
{
	for (int row = 0; row < rows->count; row++) {
		int64_t n = rt_pg_int(rows, row, 0);

		RT_ASSERT(n >= 1 && (size_t)n <= batch->entry_count);
		read_original(rows, row, &batch->entries[n - 1]->original);
		batch->entries[n - 1]->original_found = true;
	}
}

struct rt_status payment_send_lock_originals(struct rt_pg *pg, const struct payment_batch *batch,
					     struct rt_arena *arena)
{
	size_t most = batch->entry_count + batch->advance_count;
	struct rt_uuid *ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, most);
	struct rt_uuid *payments = PAYMENT_COLUMN(arena, struct rt_uuid, most);
	struct rt_pg_params params;
	size_t count = 0;

	if (ledgers == NULL || payments == NULL)
		return out_of_arena();
	for (size_t i = 0; i < batch->entry_count; i++) {
		if (!payment_entry_claims(batch->entries[i]))
			continue;
		ledgers[count] = batch->entries[i]->request->ledger_id;
		payments[count++] = batch->entries[i]->request->parent_id;
	}
	for (size_t i = 0; i < batch->advance_count; i++) {
		if (!advance_ends(batch->advances[i]))
			continue;
		ledgers[count] = batch->advances[i]->ledger_id;
		payments[count++] = batch->advances[i]->parent_id;
	}
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ledgers, NULL, count);
	rt_pg_add_uuid_array(&params, payments, NULL, count);
	return rt_pg_send(pg, &lock_originals, &params);
}

struct rt_status payment_send_find_settled(struct rt_pg *pg, const struct payment_batch *batch,
					   struct rt_arena *arena)
{
	size_t count = batch->entry_count;
	struct rt_uuid *ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, count);
	struct rt_uuid *accounts = PAYMENT_COLUMN(arena, struct rt_uuid, count);
	const char **rounds = PAYMENT_COLUMN(arena, const char *, count);
	struct rt_pg_params params;

	if (ledgers == NULL || accounts == NULL || rounds == NULL)
		return out_of_arena();
	for (size_t i = 0; i < count; i++) {
		const struct payment_request *request = batch->entries[i]->request;

		ledgers[i] = request->ledger_id;
		accounts[i] = request->account_id;
		rounds[i] = payment_entry_claims(batch->entries[i]) &&
					    request->kind == PAYMENT_WAGER_ROLLBACK
				    ? request->round_id
				    : "";
	}
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ledgers, NULL, count);
	rt_pg_add_text_array(&params, rounds, count);
	rt_pg_add_uuid_array(&params, accounts, NULL, count);
	return rt_pg_send(pg, &find_settled, &params);
}

static int compare_ids(const void *id, const void *original)
{
	return memcmp(id, ((const struct payment_original *)original)->payment_id.bytes,
		      sizeof(struct rt_uuid));
}

static struct payment_original *find(const struct payment_originals *originals,
				     const struct rt_uuid *payment_id)
{
	return bsearch(payment_id->bytes, originals->list, originals->count,
		       sizeof(originals->list[0]), compare_ids);
}

/* The rows come by id; several who give back the same one have several rows of it. */
static void take_locked(const struct rt_pg_rows *rows, struct payment_originals *originals)
{
	for (int row = 0; row < rows->count; row++) {
		struct payment_original *next = &originals->list[originals->count];

		read_original(rows, row, next);
		if (originals->count == 0 ||
		    !rt_uuid_equal(&next->payment_id, &next[-1].payment_id))
			originals->count++;
	}
}

static void touch(struct payment_originals *originals, const struct payment_original *original,
		  int64_t time_us)
{
	originals->times[original - originals->list] = time_us;
}

static void decide_entry(struct payment_entry *entry, bool settled,
			 struct payment_originals *originals)
{
	struct payment_original *locked = find(originals, &entry->request->parent_id);
	struct payment_original original = locked != NULL ? *locked : entry->original;

	if (locked == NULL) /* open: its saga is at work */
		original.state = PAYMENT_CREATED;
	original.round_settled = settled;
	struct giveback giveback = giveback_decide(entry->request, &original);

	switch (giveback.answer) {
	case GIVEBACK_CLAIM:
		locked->claimed_minor += entry->request->amount_minor;
		touch(originals, locked, entry->standing->create_time_us);
		return;
	case GIVEBACK_DECIDED:
		payment_entry_decide(entry, &giveback.decision);
		return;
	case GIVEBACK_WAIT:
		entry->waits = true;
		return;
	}
}

static void end_advance(const struct payment_advance *advance, struct payment_originals *originals)
{
	enum payment_state end = advance->changes[advance->change_count - 1].state;
	struct payment_original *original = find(originals, &advance->parent_id);

	RT_ASSERT(original != NULL); /* what was claimed is not open */
	enum payment_state from = original->state;
	bool changed = giveback_ended(original, end, advance->amount_minor);

	touch(originals, original, advance->time_us);
	if (!changed)
		return;
	RT_ASSERT(payment_edge_allowed(from, original->state));
	originals->events[originals->event_count++] = (struct original_event){
		.ledger_id = original->ledger_id,
		.payment_id = original->payment_id,
		.version = original->version,
		.from = from,
		.to = original->state,
		.time_us = advance->time_us,
	};
}

struct rt_status payment_originals_decide(const struct payment_batch *batch, const bool *written,
					  const struct rt_pg_rows *locked,
					  const struct rt_pg_rows *settled, struct rt_arena *arena,
					  struct payment_originals *originals)
{
	size_t most = batch->entry_count + batch->advance_count;
	bool *rounds = PAYMENT_COLUMN(arena, bool, batch->entry_count);

	*originals = (struct payment_originals){
		.list = PAYMENT_COLUMN(arena, struct payment_original, most + 1),
		.times = PAYMENT_COLUMN(arena, int64_t, most),
		.events = PAYMENT_COLUMN(arena, struct original_event, batch->advance_count),
	};
	if (arena->overflowed || rounds == NULL)
		return out_of_arena();
	take_locked(locked, originals);
	for (int row = 0; row < settled->count; row++)
		rounds[rt_pg_int(settled, row, 0) - 1] = true;
	/* What has ended first: it may leave room for what begins. */
	for (size_t i = 0; i < batch->advance_count; i++) {
		if (written[i] && advance_ends(batch->advances[i]))
			end_advance(batch->advances[i], originals);
	}
	for (size_t i = 0; i < batch->entry_count; i++) {
		struct payment_entry *entry = batch->entries[i];

		if (payment_entry_claims(entry) && payment_entry_missing(entry))
			decide_entry(entry, rounds[i], originals);
	}
	return rt_ok();
}

struct rt_status payment_send_originals(struct rt_pg *pg, const struct payment_originals *originals,
					struct rt_arena *arena, size_t *sent)
{
	struct rt_uuid *ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, originals->count);
	struct rt_uuid *payments = PAYMENT_COLUMN(arena, struct rt_uuid, originals->count);
	int64_t *numbers[4]; /* claimed, refunded, state, version */
	int64_t *times = PAYMENT_COLUMN(arena, int64_t, originals->count);
	struct rt_pg_params params;
	size_t count = 0;

	for (size_t i = 0; i < 4; i++)
		numbers[i] = PAYMENT_COLUMN(arena, int64_t, originals->count);
	if (arena->overflowed)
		return out_of_arena();
	for (size_t i = 0; i < originals->count; i++) {
		const struct payment_original *original = &originals->list[i];

		if (originals->times[i] == 0)
			continue;
		ledgers[count] = original->ledger_id;
		payments[count] = original->payment_id;
		numbers[0][count] = original->claimed_minor;
		numbers[1][count] = original->refunded_minor;
		numbers[2][count] = original->state;
		numbers[3][count] = original->version;
		times[count++] = originals->times[i];
	}
	if (count == 0)
		return rt_ok();
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ledgers, NULL, count);
	rt_pg_add_uuid_array(&params, payments, NULL, count);
	rt_pg_add_int_array(&params, numbers[0], NULL, count);
	rt_pg_add_int_array(&params, numbers[1], NULL, count);
	rt_pg_add_smallint_array(&params, numbers[2], NULL, count);
	rt_pg_add_int_array(&params, numbers[3], NULL, count);
	rt_pg_add_time_array(&params, times, count);
	(*sent)++;
	return rt_pg_send(pg, &update_originals, &params);
}
