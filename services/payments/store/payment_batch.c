/* The shared transaction; see payment_batch.h. First round trip: look-ups, moves and notifications;
 * second: new payments, events and the commit, all in arrays. */
#include "store/payment_batch.h"

#include <string.h>

#include "domain/request.h"
#include "rt/assert.h"
#include "store/call_batch.h"
#include "store/limit_batch.h"
#include "store/payment_columns.h"
#include "store/payment_originals.h"
#include "store/wake_store.h"

/* Statements of the second round trip. */
#define WRITES_MAX 4

const uint8_t payment_tombstone_hash[RT_DIGEST_BYTES];

/* What the first round trip asks, in order. Originals are locked first, and only those that no saga
 * works on; persons last: whoever waits for one holds only rows that nobody waits for who has
 * locked a person. */
enum ask {
	ASK_LOCK,
	ASK_SETTLED,
	ASK_KEYS,
	ASK_CLEARING,
	ASK_TRANSIT,
	ASK_ORIGINALS,
	ASK_ADVANCE,
	ASK_PROBE,
	ASK_NOTICE,
	ASK_PERSONS,
	ASK_COUNT
};

struct answers {
	struct rt_pg_rows rows[ASK_COUNT];
};

static void answers_cleanup(struct answers *answers)
{
	for (size_t i = 0; i < ASK_COUNT; i++)
		rt_pg_rows_deinit(&answers->rows[i]);
}

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the batch is too large");
}

typedef struct rt_status (*send_function)(struct rt_pg *pg, const struct payment_batch *batch,
					  struct rt_arena *arena);

static bool any_lookup(const struct payment_batch *batch)
{
	for (size_t i = 0; i < batch->entry_count; i++) {
		if (!batch->entries[i]->insert)
			return true;
	}
	return false;
}

static bool any_remote(const struct payment_batch *batch)
{
	for (size_t i = 0; i < batch->entry_count; i++) {
		if (batch->entries[i]->request->kind == PAYMENT_REMOTE_TRANSFER)
			return true;
	}
	return false;
}

/* The first round trip. What is not needed is not sent, and its rows stay empty. */
static struct rt_status ask(struct rt_pg *pg, const struct payment_batch *batch,
			    struct rt_arena *arena, struct answers *answers)
{
	static const send_function senders[ASK_COUNT] = {
		payment_send_lock_originals, payment_send_find_settled, payment_send_find_keys,
		payment_send_find_clearing,  payment_send_find_transit, payment_send_find_originals,
		payment_send_advance,        payment_send_probes,       payment_send_notices,
		limit_batch_send_lock};
	bool originals = payment_originals_wanted(batch);
	bool lookups = any_lookup(batch);
	const bool wanted[ASK_COUNT] = {originals,
					originals,
					batch->entry_count > 0,
					lookups,
					lookups && any_remote(batch),
					lookups && payment_originals_searched(batch),
					batch->advance_count > 0,
					batch->probe_count > 0,
					batch->notice_count > 0,
					limit_batch_wanted(batch)};
	struct rt_pg_rows rows[ASK_COUNT] = {0};
	size_t sent = 0;

	for (size_t i = 0; i < ASK_COUNT; i++) {
		if (!wanted[i])
			continue;
		RT_TRY(senders[i](pg, batch, arena));
		sent++;
	}
	RT_TRY(rt_pg_receive(pg, rows, sent));
	for (size_t i = 0, from = 0; i < ASK_COUNT; i++) {
		if (wanted[i])
			answers->rows[i] = rows[from++];
	}
	return rt_ok();
}

static size_t row_number(const struct rt_pg_rows *rows, int row, size_t count)
{
	int64_t n = rt_pg_int(rows, row, 0);

	RT_ASSERT(n >= 1 && (size_t)n <= count);
	return (size_t)n - 1;
}

static void read_standing(const struct rt_pg_rows *rows, int row, struct payment_standing *standing)
{
	standing->payment_id = rt_pg_uuid(rows, row, 2);
	standing->state = (enum payment_state)rt_pg_int(rows, row, 4);
	payment_reason_copy(standing->reason, rt_pg_text(rows, row, 5), "");
	standing->version = rt_pg_int(rows, row, 6);
	standing->create_time_us = rt_pg_time_us(rows, row, 7);
	standing->update_time_us = rt_pg_time_us(rows, row, 8);
	standing->refunded_minor = rt_pg_int(rows, row, 9);
}

/* Whether what is on record was asked for with this body; it may have been hashed in the first way.
 */
static bool hash_is_of(const struct payment_entry *entry, const uint8_t hash[RT_DIGEST_BYTES])
{
	uint8_t first[RT_DIGEST_BYTES];

	if (memcmp(hash, entry->body_hash, RT_DIGEST_BYTES) == 0)
		return true;
	return payment_request_hash_first(entry->request, first) &&
	       memcmp(hash, first, RT_DIGEST_BYTES) == 0;
}

/* A key is taken by whatever payment has it, in any ledger; that of the same ledger is the one to
 * compare with. */
static void take_key_row(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
			 struct payment_entry *entry)
{
	struct rt_uuid ledger_id = rt_pg_uuid(rows, row, 1);
	struct rt_uuid payment_id = rt_pg_uuid(rows, row, 2);
	bool same_ledger = rt_uuid_equal(&ledger_id, &entry->request->ledger_id);
	size_t length = 0;
	const uint8_t *hash = rt_pg_bytes(rows, row, 3, &length);

	/* Ours, by an attempt whose commit was not confirmed: what was to be done is done. */
	if (entry->insert && rt_uuid_equal(&payment_id, &entry->standing->payment_id)) {
		entry->recorded = true;
		entry->decided = payment_state_open(entry->standing->state) &&
				 !payment_state_open((enum payment_state)rt_pg_int(rows, row, 4));
		if (entry->decided)
			read_standing(rows, row, entry->standing);
		return;
	}
	if (entry->found && !same_ledger)
		return;
	entry->found = true;
	entry->same_body = same_ledger && length == RT_DIGEST_BYTES && hash_is_of(entry, hash);
	entry->rolled_back = same_ledger && length == RT_DIGEST_BYTES &&
			     memcmp(hash, payment_tombstone_hash, length) == 0;
	read_standing(rows, row, entry->standing);
	if (entry->standing->state == PAYMENT_REQUIRES_ACTION) {
		entry->action_url = rt_arena_strdup(arena, rt_pg_text(rows, row, 10));
		entry->action_data = rt_arena_strdup(arena, rt_pg_text(rows, row, 11));
	}
}

/* A key that this very batch takes is taken. */
static void take_batch_keys(const struct payment_batch *batch, struct payment_entry *tombstone)
{
	for (size_t i = 0; i < batch->entry_count; i++) {
		const struct payment_entry *other = batch->entries[i];

		if (other != tombstone && other->insert &&
		    strcmp(other->caller, tombstone->caller) == 0 &&
		    strcmp(other->request->idempotency_key, tombstone->request->idempotency_key) ==
			    0)
			tombstone->found = true;
	}
}

static void take_tombstones(const struct payment_batch *batch)
{
	for (size_t i = 0; i < batch->entry_count; i++) {
		struct payment_entry *entry = batch->entries[i];

		if (entry->insert && entry->body_hash == payment_tombstone_hash)
			take_batch_keys(batch, entry);
	}
	/* What is not recorded with its pair must wait for what is in its way. */
	for (size_t i = 0; i < batch->entry_count; i++) {
		struct payment_entry *entry = batch->entries[i];

		if (entry->insert && !entry->found && entry->pair != NULL && entry->pair->found)
			entry->waits = true;
	}
}

static void take_transits(const struct payment_batch *batch, const struct rt_pg_rows *rows)
{
	for (int row = 0; row < rows->count; row++) {
		struct payment_entry *entry =
			batch->entries[row_number(rows, row, batch->entry_count)];

		entry->transit_found = true;
		entry->transit_id = rt_pg_uuid(rows, row, 1);
		entry->remote_transit_id = rt_pg_uuid(rows, row, 2);
	}
}

static void take_keys(const struct payment_batch *batch, const struct answers *answers,
		      struct rt_arena *arena)
{
	const struct rt_pg_rows *rows = &answers->rows[ASK_KEYS];
	const struct rt_pg_rows *clearing = &answers->rows[ASK_CLEARING];

	for (int row = 0; row < rows->count; row++)
		take_key_row(rows, row, arena,
			     batch->entries[row_number(rows, row, batch->entry_count)]);
	for (int row = 0; row < clearing->count; row++) {
		struct payment_entry *entry =
			batch->entries[row_number(clearing, row, batch->entry_count)];

		entry->clearing_found = true;
		entry->clearing_id = rt_pg_uuid(clearing, row, 1);
	}
	take_transits(batch, &answers->rows[ASK_TRANSIT]);
	take_tombstones(batch);
}

/* Whether a row of read_fences.sql is this worker's. */
static bool owned(const struct rt_pg_rows *rows, int row, const struct rt_uuid *worker_id)
{
	struct rt_uuid owner = rt_pg_uuid(rows, row, 4);

	return rt_uuid_equal(&owner, worker_id);
}

static void take_probes(const struct payment_batch *batch, const struct answers *answers)
{
	const struct rt_pg_rows *rows = &answers->rows[ASK_PROBE];

	for (int row = 0; row < rows->count; row++) {
		struct payment_probe *probe =
			batch->probes[row_number(rows, row, batch->probe_count)];

		probe->found = true;
		probe->mine = owned(rows, row, &batch->worker_id) &&
			      rt_pg_int(rows, row, 1) == (int64_t)probe->state;
	}
}

static void take_notices(const struct payment_batch *batch, const struct answers *answers)
{
	const struct rt_pg_rows *rows = &answers->rows[ASK_NOTICE];

	for (int row = 0; row < rows->count; row++)
		batch->notices[row_number(rows, row, batch->notice_count)]->other = true;
}

/* Which advances were not written now but by an earlier attempt: the row has their fence and their
 * last version. */
static struct rt_status settle_unwritten(struct rt_pg *pg, const struct payment_batch *batch,
					 bool *written, struct rt_arena *arena)
{
	struct rt_uuid *ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, batch->advance_count);
	struct rt_uuid *payments = PAYMENT_COLUMN(arena, struct rt_uuid, batch->advance_count);
	size_t *numbers = PAYMENT_COLUMN(arena, size_t, batch->advance_count);
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	size_t count = 0;

	if (ledgers == NULL || payments == NULL || numbers == NULL)
		return out_of_arena();
	for (size_t i = 0; i < batch->advance_count; i++) {
		if (written[i])
			continue;
		ledgers[count] = batch->advances[i]->ledger_id;
		payments[count] = batch->advances[i]->payment_id;
		numbers[count++] = i;
	}
	if (count == 0)
		return rt_ok();
	RT_TRY(payment_send_fences(pg, ledgers, payments, count, arena));
	RT_TRY(rt_pg_receive(pg, &rows, 1));
	for (int row = 0; row < rows.count; row++) {
		struct payment_advance *advance =
			batch->advances[numbers[row_number(&rows, row, count)]];

		advance->written = owned(&rows, row, &batch->worker_id) &&
				   rt_pg_int(&rows, row, 3) == advance->fence &&
				   rt_pg_int(&rows, row, 2) ==
					   advance->version + (int64_t)advance->change_count;
		/* Callers are told what is on record: the time of the attempt that was committed.
		 */
		if (advance->written)
			advance->time_us = rt_pg_time_us(&rows, row, 5);
	}
	return rt_ok();
}

/* Sets what is recorded after CREATED. */
static void set_changes(struct payment_entry *entry, const struct saga_change *changes,
			size_t count)
{
	struct payment_standing *standing = entry->standing;

	standing->version = 1 + (int64_t)count;
	standing->state = PAYMENT_CREATED;
	standing->reason[0] = '\0';
	entry->change_count = count;
	for (size_t i = 0; i < count; i++) {
		entry->changes[i] = changes[i];
		standing->state = changes[i].state;
		payment_reason_copy(standing->reason, changes[i].reason, "");
	}
	if (count > 0)
		entry->changes[count - 1].reason = standing->reason;
}

void payment_entry_wish(struct payment_entry *entry, const struct saga_decision *decision)
{
	set_changes(entry, decision->changes, decision->change_count);
	entry->wished = *entry->standing;
	entry->wished_count = decision->change_count;
	memcpy(entry->wished_changes, decision->changes, sizeof(entry->wished_changes));
}

void payment_entry_decide(struct payment_entry *entry, const struct saga_decision *decision)
{
	set_changes(entry, decision->changes, decision->change_count);
	entry->decided = true;
}

/* The second round trip. */
static struct rt_status write_and_commit(struct rt_pg *pg, const struct payment_batch *batch,
					 const bool *written,
					 const struct payment_originals *originals,
					 const struct limit_purses *purses, struct rt_arena *arena)
{
	struct rt_pg_rows rows[WRITES_MAX + LIMIT_BATCH_WRITES + CALL_BATCH_WRITES] = {0};
	size_t sent = 0;

	RT_TRY(payment_send_payments(pg, batch, arena, &sent));
	RT_TRY(payment_send_events(pg, batch, written, originals, arena, &sent));
	RT_TRY(payment_send_originals(pg, originals, arena, &sent));
	RT_TRY(payment_send_actions(pg, batch, written, arena, &sent));
	RT_TRY(limit_batch_send_writes(pg, batch, purses, arena, &sent));
	RT_TRY(call_batch_send(pg, batch, arena, &sent));
	RT_TRY(wake_batch_send(pg, batch, arena, &sent));
	RT_TRY(rt_pg_send_commit(pg));
	struct rt_status status = rt_pg_receive(pg, rows, sent);

	for (size_t i = 0; i < sent; i++)
		rt_pg_rows_deinit(&rows[i]);
	return status;
}

static void reset_entry(struct payment_entry *entry)
{
	entry->found = false;
	entry->recorded = false;
	entry->same_body = false;
	entry->rolled_back = false;
	entry->action_url = NULL;
	entry->action_data = NULL;
	entry->waits = false;
	entry->clearing_found = false;
	entry->transit_found = false;
	entry->decided = false;
	if (!entry->insert) {
		entry->original_found = false;
		return;
	}
	*entry->standing = entry->wished;
	set_changes(entry, entry->wished_changes, entry->wished_count);
}

static void reset_results(struct payment_batch *batch)
{
	for (size_t i = 0; i < batch->entry_count; i++)
		reset_entry(batch->entries[i]);
	for (size_t i = 0; i < batch->advance_count; i++)
		batch->advances[i]->written = false;
	for (size_t i = 0; i < batch->notice_count; i++)
		batch->notices[i]->other = false;
	for (size_t i = 0; i < batch->probe_count; i++) {
		batch->probes[i]->found = false;
		batch->probes[i]->mine = false;
	}
}

static struct rt_status run(struct rt_pg *pg, struct payment_batch *batch, struct rt_arena *arena,
			    int64_t deadline_mono_us)
{
	bool *written = PAYMENT_COLUMN(arena, bool, batch->advance_count);
	CLEANUP(answers_cleanup) struct answers answers = {0};
	struct payment_originals originals = {0};
	struct limit_purses *purses = NULL;

	if (written == NULL)
		return out_of_arena();
	RT_TRY(rt_pg_send_begin(pg, deadline_mono_us));
	RT_TRY(ask(pg, batch, arena, &answers));
	take_keys(batch, &answers, arena);
	take_probes(batch, &answers);
	take_notices(batch, &answers);
	payment_take_originals(batch, &answers.rows[ASK_ORIGINALS]);
	for (int row = 0; row < answers.rows[ASK_ADVANCE].count; row++)
		written[row_number(&answers.rows[ASK_ADVANCE], row, batch->advance_count)] = true;
	RT_TRY(settle_unwritten(pg, batch, written, arena));
	/* Rules that are asked inside the transaction come here: between what was read and locked,
	 * and what is written. */
	if (payment_originals_wanted(batch))
		RT_TRY(payment_originals_decide(batch, written, &answers.rows[ASK_LOCK],
						&answers.rows[ASK_SETTLED], arena, &originals));
	RT_TRY(limit_batch_find_refusals(pg, batch, arena));
	RT_TRY(limit_batch_decide(pg, batch, written, &answers.rows[ASK_PERSONS], arena, &purses));
	RT_TRY(write_and_commit(pg, batch, written, &originals, purses, arena));
	for (size_t i = 0; i < batch->advance_count; i++)
		batch->advances[i]->written = batch->advances[i]->written || written[i];
	for (size_t i = 0; i < batch->entry_count; i++)
		batch->entries[i]->recorded =
			batch->entries[i]->recorded || payment_entry_missing(batch->entries[i]);
	return rt_ok();
}

struct rt_status payment_batch_run(struct rt_pg *pg, struct payment_batch *batch,
				   struct rt_arena *arena, int64_t deadline_mono_us)
{
	reset_results(batch);
	struct rt_status status = run(pg, batch, arena, deadline_mono_us);

	if (rt_is_ok(&status))
		return status;
	rt_pg_abandon(pg);
	if (status.code == RT_ALREADY_EXISTS)
		return RT_FAIL(ABORTED, "KEY_RACE", "another replica recorded a key of this batch");
	return status;
}
