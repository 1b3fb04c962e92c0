/* The shared transaction; see payment_batch.h. First round trip: look-ups, moves and notifications; second: new payments,
 * events and the commit, all in arrays. */
#include "store/payment_batch.h"

#include <string.h>

#include "payments.sql.h"
#include "rt/assert.h"

static const struct rt_pg_statement find_keys = {"payments_find_keys", payments_find_keys};
static const struct rt_pg_statement find_clearing = {"payments_find_clearing", payments_find_clearing};
static const struct rt_pg_statement advance_payments = {"payments_advance", payments_advance_payments};
static const struct rt_pg_statement read_fences = {"payments_read_fences", payments_read_fences};
static const struct rt_pg_statement insert_payments = {"payments_insert", payments_insert_payments};
static const struct rt_pg_statement insert_events = {"payments_insert_events", payments_insert_events};
static const struct rt_pg_statement insert_notices = {"payments_insert_notifications", payments_insert_notifications};

/* What the first round trip asks, in order. */
enum ask { ASK_KEYS, ASK_CLEARING, ASK_ADVANCE, ASK_PROBE, ASK_NOTICE, ASK_COUNT };

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

/* The parameters of every statement here are arrays of one length; this gathers the columns. */
#define COLUMN(arena, type, count) ((type *)rt_arena_array((arena), (count) == 0 ? 1 : (count), sizeof(type)))

static struct rt_status send_find_keys(struct rt_pg *pg, const struct payment_batch *batch, struct rt_arena *arena)
{
	size_t count = batch->entry_count;
	const char **callers = COLUMN(arena, const char *, count);
	const char **keys = COLUMN(arena, const char *, count);
	struct rt_pg_params params;

	if (callers == NULL || keys == NULL)
		return out_of_arena();
	for (size_t i = 0; i < count; i++) {
		callers[i] = batch->entries[i]->caller;
		keys[i] = batch->entries[i]->request->idempotency_key;
	}
	rt_pg_params_init(&params, arena);
	rt_pg_add_text_array(&params, callers, count);
	rt_pg_add_text_array(&params, keys, count);
	return rt_pg_send(pg, &find_keys, &params);
}

/* Only entries that are being looked up and go through a connector have a clearing account to find; the rest ask for none. */
static struct rt_status send_find_clearing(struct rt_pg *pg, const struct payment_batch *batch,
					   struct rt_arena *arena)
{
	size_t count = batch->entry_count;
	struct rt_uuid *ledgers = COLUMN(arena, struct rt_uuid, count);
	const char **connectors = COLUMN(arena, const char *, count);
	const char **currencies = COLUMN(arena, const char *, count);
	struct rt_pg_params params;

	if (ledgers == NULL || connectors == NULL || currencies == NULL)
		return out_of_arena();
	for (size_t i = 0; i < count; i++) {
		const struct payment_entry *entry = batch->entries[i];

		ledgers[i] = entry->request->ledger_id;
		connectors[i] = entry->insert ? "" : entry->request->connector;
		currencies[i] = entry->request->currency;
	}
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ledgers, NULL, count);
	rt_pg_add_text_array(&params, connectors, count);
	rt_pg_add_text_array(&params, currencies, count);
	return rt_pg_send(pg, &find_clearing, &params);
}

struct advance_columns {
	struct rt_uuid *ledgers;
	struct rt_uuid *payments;
	int64_t *versions;
	int64_t *versions_new;
	int64_t *fences;
	int64_t *states;
	bool *open;
	const char **reasons;
	int64_t *times;
};

static bool advance_columns_init(struct advance_columns *columns, size_t count, struct rt_arena *arena)
{
	*columns = (struct advance_columns){
		.ledgers = COLUMN(arena, struct rt_uuid, count),
		.payments = COLUMN(arena, struct rt_uuid, count),
		.versions = COLUMN(arena, int64_t, count),
		.versions_new = COLUMN(arena, int64_t, count),
		.fences = COLUMN(arena, int64_t, count),
		.states = COLUMN(arena, int64_t, count),
		.open = COLUMN(arena, bool, count),
		.reasons = COLUMN(arena, const char *, count),
		.times = COLUMN(arena, int64_t, count),
	};
	return !arena->overflowed;
}

static struct rt_status send_advance(struct rt_pg *pg, const struct payment_batch *batch, struct rt_arena *arena)
{
	size_t count = batch->advance_count;
	struct advance_columns columns;
	struct rt_pg_params params;

	if (!advance_columns_init(&columns, count, arena))
		return out_of_arena();
	for (size_t i = 0; i < count; i++) {
		const struct payment_advance *advance = batch->advances[i];
		const struct saga_change *last = &advance->changes[advance->change_count - 1];

		columns.ledgers[i] = advance->ledger_id;
		columns.payments[i] = advance->payment_id;
		columns.versions[i] = advance->version;
		columns.versions_new[i] = advance->version + (int64_t)advance->change_count;
		columns.fences[i] = advance->fence;
		columns.states[i] = last->state;
		columns.open[i] = payment_state_open(last->state);
		columns.reasons[i] = last->reason;
		columns.times[i] = advance->time_us;
	}
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, columns.ledgers, NULL, count);
	rt_pg_add_uuid_array(&params, columns.payments, NULL, count);
	rt_pg_add_int_array(&params, columns.versions, NULL, count);
	rt_pg_add_int_array(&params, columns.versions_new, NULL, count);
	rt_pg_add_int_array(&params, columns.fences, NULL, count);
	rt_pg_add_smallint_array(&params, columns.states, NULL, count);
	rt_pg_add_bool_array(&params, columns.open, count);
	rt_pg_add_text_array(&params, columns.reasons, count);
	rt_pg_add_time_array(&params, columns.times, count);
	rt_pg_add_uuid(&params, &batch->worker_id);
	return rt_pg_send(pg, &advance_payments, &params);
}

static struct rt_status send_fences(struct rt_pg *pg, const struct rt_uuid *ledgers, const struct rt_uuid *payments,
				    size_t count, struct rt_arena *arena)
{
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ledgers, NULL, count);
	rt_pg_add_uuid_array(&params, payments, NULL, count);
	return rt_pg_send(pg, &read_fences, &params);
}

static struct rt_status send_probes(struct rt_pg *pg, const struct payment_batch *batch, struct rt_arena *arena)
{
	struct rt_uuid *ledgers = COLUMN(arena, struct rt_uuid, batch->probe_count);
	struct rt_uuid *payments = COLUMN(arena, struct rt_uuid, batch->probe_count);

	if (ledgers == NULL || payments == NULL)
		return out_of_arena();
	for (size_t i = 0; i < batch->probe_count; i++) {
		ledgers[i] = batch->probes[i]->ledger_id;
		payments[i] = batch->probes[i]->payment_id;
	}
	return send_fences(pg, ledgers, payments, batch->probe_count, arena);
}

static struct rt_status send_notices(struct rt_pg *pg, const struct payment_batch *batch, struct rt_arena *arena)
{
	size_t count = batch->notice_count;
	const char **ids = COLUMN(arena, const char *, count);
	const char **references = COLUMN(arena, const char *, count);
	int64_t *statuses = COLUMN(arena, int64_t, count);
	int64_t *times = COLUMN(arena, int64_t, count);
	struct rt_pg_params params;

	if (ids == NULL || references == NULL || statuses == NULL || times == NULL)
		return out_of_arena();
	for (size_t i = 0; i < count; i++) {
		ids[i] = batch->notices[i]->notification_id;
		references[i] = batch->notices[i]->reference;
		statuses[i] = batch->notices[i]->status;
		times[i] = batch->notices[i]->time_us;
	}
	rt_pg_params_init(&params, arena);
	rt_pg_add_text_array(&params, ids, count);
	rt_pg_add_text_array(&params, references, count);
	rt_pg_add_smallint_array(&params, statuses, NULL, count);
	rt_pg_add_time_array(&params, times, count);
	return rt_pg_send(pg, &insert_notices, &params);
}

typedef struct rt_status (*send_function)(struct rt_pg *pg, const struct payment_batch *batch, struct rt_arena *arena);

static bool any_lookup(const struct payment_batch *batch)
{
	for (size_t i = 0; i < batch->entry_count; i++) {
		if (!batch->entries[i]->insert)
			return true;
	}
	return false;
}

/* The first round trip. What is not needed is not sent, and its rows stay empty. */
static struct rt_status ask(struct rt_pg *pg, const struct payment_batch *batch, struct rt_arena *arena,
			    struct answers *answers)
{
	const send_function senders[ASK_COUNT] = {send_find_keys, send_find_clearing, send_advance, send_probes,
						  send_notices};
	const bool wanted[ASK_COUNT] = {batch->entry_count > 0, any_lookup(batch), batch->advance_count > 0,
					batch->probe_count > 0, batch->notice_count > 0};
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
}

/* A key is taken by whatever payment has it, in any ledger; that of the same ledger is the one to compare with. */
static void take_key_row(const struct rt_pg_rows *rows, int row, struct payment_entry *entry)
{
	struct rt_uuid ledger_id = rt_pg_uuid(rows, row, 1);
	struct rt_uuid payment_id = rt_pg_uuid(rows, row, 2);
	bool same_ledger = rt_uuid_equal(&ledger_id, &entry->request->ledger_id);
	size_t length = 0;
	const uint8_t *hash = rt_pg_bytes(rows, row, 3, &length);

	/* Ours, by an attempt whose commit was not confirmed: what was to be done is done. */
	if (entry->insert && rt_uuid_equal(&payment_id, &entry->standing->payment_id)) {
		entry->recorded = true;
		return;
	}
	if (entry->found && !same_ledger)
		return;
	entry->found = true;
	entry->same_body = same_ledger && length == RT_DIGEST_BYTES && memcmp(hash, entry->body_hash, length) == 0;
	read_standing(rows, row, entry->standing);
}

static void take_keys(const struct payment_batch *batch, const struct answers *answers)
{
	const struct rt_pg_rows *rows = &answers->rows[ASK_KEYS];
	const struct rt_pg_rows *clearing = &answers->rows[ASK_CLEARING];

	for (int row = 0; row < rows->count; row++)
		take_key_row(rows, row, batch->entries[row_number(rows, row, batch->entry_count)]);
	for (int row = 0; row < clearing->count; row++) {
		struct payment_entry *entry = batch->entries[row_number(clearing, row, batch->entry_count)];

		entry->clearing_found = true;
		entry->clearing_id = rt_pg_uuid(clearing, row, 1);
	}
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
		struct payment_probe *probe = batch->probes[row_number(rows, row, batch->probe_count)];

		probe->found = true;
		probe->mine = owned(rows, row, &batch->worker_id);
	}
}

/* Which advances were not written now but by an earlier attempt: the row has their fence and their last version. */
static struct rt_status settle_unwritten(struct rt_pg *pg, const struct payment_batch *batch, bool *events,
					 struct rt_arena *arena)
{
	struct rt_uuid *ledgers = COLUMN(arena, struct rt_uuid, batch->advance_count);
	struct rt_uuid *payments = COLUMN(arena, struct rt_uuid, batch->advance_count);
	size_t *numbers = COLUMN(arena, size_t, batch->advance_count);
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	size_t count = 0;

	if (ledgers == NULL || payments == NULL || numbers == NULL)
		return out_of_arena();
	for (size_t i = 0; i < batch->advance_count; i++) {
		if (events[i])
			continue;
		ledgers[count] = batch->advances[i]->ledger_id;
		payments[count] = batch->advances[i]->payment_id;
		numbers[count++] = i;
	}
	if (count == 0)
		return rt_ok();
	RT_TRY(send_fences(pg, ledgers, payments, count, arena));
	RT_TRY(rt_pg_receive(pg, &rows, 1));
	for (int row = 0; row < rows.count; row++) {
		struct payment_advance *advance = batch->advances[numbers[row_number(&rows, row, count)]];

		advance->written = owned(&rows, row, &batch->worker_id) &&
				   rt_pg_int(&rows, row, 3) == advance->fence &&
				   rt_pg_int(&rows, row, 2) ==
					   advance->version + (int64_t)advance->change_count;
	}
	return rt_ok();
}

struct event_columns {
	struct rt_uuid *ledgers;
	struct rt_uuid *payments;
	int64_t *versions;
	int64_t *from_states;
	int64_t *states;
	const char **reasons;
	int64_t *times;
	size_t count;
};

static bool event_columns_init(struct event_columns *columns, size_t count, struct rt_arena *arena)
{
	*columns = (struct event_columns){
		.ledgers = COLUMN(arena, struct rt_uuid, count),
		.payments = COLUMN(arena, struct rt_uuid, count),
		.versions = COLUMN(arena, int64_t, count),
		.from_states = COLUMN(arena, int64_t, count),
		.states = COLUMN(arena, int64_t, count),
		.reasons = COLUMN(arena, const char *, count),
		.times = COLUMN(arena, int64_t, count),
	};
	return !arena->overflowed;
}

static void add_event(struct event_columns *columns, const struct rt_uuid *ledger_id, const struct rt_uuid *payment_id,
		      int64_t version, enum payment_state from, struct saga_change to, int64_t time_us)
{
	size_t i = columns->count++;

	columns->ledgers[i] = *ledger_id;
	columns->payments[i] = *payment_id;
	columns->versions[i] = version;
	columns->from_states[i] = from;
	columns->states[i] = to.state;
	columns->reasons[i] = to.reason;
	columns->times[i] = time_us;
}

static void add_advance_events(struct event_columns *columns, const struct payment_advance *advance)
{
	enum payment_state at = advance->state;

	for (size_t i = 0; i < advance->change_count; i++) {
		add_event(columns, &advance->ledger_id, &advance->payment_id, advance->version + 1 + (int64_t)i, at,
			  advance->changes[i], advance->time_us);
		at = advance->changes[i].state;
	}
}

static bool must_insert(const struct payment_entry *entry)
{
	return entry->insert && !entry->found && !entry->recorded;
}

static void add_insert_events(struct event_columns *columns, const struct payment_entry *entry)
{
	const struct payment_standing *standing = entry->standing;
	enum payment_state at = PAYMENT_CREATED;

	add_event(columns, &entry->request->ledger_id, &standing->payment_id, 1, PAYMENT_NONE,
		  (struct saga_change){PAYMENT_CREATED, ""}, standing->create_time_us);
	for (size_t i = 0; i < entry->change_count; i++) {
		add_event(columns, &entry->request->ledger_id, &standing->payment_id, 2 + (int64_t)i, at,
			  entry->changes[i], standing->create_time_us);
		at = entry->changes[i].state;
	}
}

static struct rt_status send_events(struct rt_pg *pg, const struct payment_batch *batch, const bool *events,
				    struct rt_arena *arena, size_t *sent)
{
	struct event_columns columns;
	struct rt_pg_params params;

	if (!event_columns_init(&columns, (batch->advance_count + batch->entry_count) * (SAGA_CHANGES_MAX + 1), arena))
		return out_of_arena();
	for (size_t i = 0; i < batch->advance_count; i++) {
		if (events[i])
			add_advance_events(&columns, batch->advances[i]);
	}
	for (size_t i = 0; i < batch->entry_count; i++) {
		if (must_insert(batch->entries[i]))
			add_insert_events(&columns, batch->entries[i]);
	}
	if (columns.count == 0)
		return rt_ok();
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, columns.ledgers, NULL, columns.count);
	rt_pg_add_uuid_array(&params, columns.payments, NULL, columns.count);
	rt_pg_add_int_array(&params, columns.versions, NULL, columns.count);
	rt_pg_add_smallint_array(&params, columns.from_states, NULL, columns.count);
	rt_pg_add_smallint_array(&params, columns.states, NULL, columns.count);
	rt_pg_add_text_array(&params, columns.reasons, columns.count);
	rt_pg_add_time_array(&params, columns.times, columns.count);
	(*sent)++;
	return rt_pg_send(pg, &insert_events, &params);
}

struct payment_columns {
	struct rt_uuid *ids[4];      /* ledger, payment, account, counter */
	const char **texts[7];       /* caller, key, currency, connector, instrument, reference, reason */
	int64_t *numbers[5];         /* kind, amount, state, version, create time */
	uint8_t *hashes;
	bool *open;
	size_t count;
};

static bool payment_columns_init(struct payment_columns *columns, size_t count, struct rt_arena *arena)
{
	for (size_t i = 0; i < 4; i++)
		columns->ids[i] = COLUMN(arena, struct rt_uuid, count);
	for (size_t i = 0; i < 7; i++)
		columns->texts[i] = COLUMN(arena, const char *, count);
	for (size_t i = 0; i < 5; i++)
		columns->numbers[i] = COLUMN(arena, int64_t, count);
	columns->hashes = rt_arena_array(arena, count == 0 ? 1 : count, RT_DIGEST_BYTES);
	columns->open = COLUMN(arena, bool, count);
	return !arena->overflowed;
}

static void add_payment(struct payment_columns *columns, const struct payment_entry *entry)
{
	const struct payment_request *request = entry->request;
	const struct payment_standing *standing = entry->standing;
	size_t i = columns->count++;

	columns->ids[0][i] = request->ledger_id;
	columns->ids[1][i] = standing->payment_id;
	columns->ids[2][i] = request->account_id;
	columns->ids[3][i] = request->counter_id;
	columns->texts[0][i] = entry->caller;
	columns->texts[1][i] = request->idempotency_key;
	columns->texts[2][i] = request->currency;
	columns->texts[3][i] = request->connector;
	columns->texts[4][i] = request->instrument;
	columns->texts[5][i] = request->reference;
	columns->texts[6][i] = standing->reason;
	columns->numbers[0][i] = request->kind;
	columns->numbers[1][i] = request->amount_minor;
	columns->numbers[2][i] = standing->state;
	columns->numbers[3][i] = standing->version;
	columns->numbers[4][i] = standing->create_time_us;
	memcpy(columns->hashes + i * RT_DIGEST_BYTES, entry->body_hash, RT_DIGEST_BYTES);
	columns->open[i] = payment_state_open(standing->state);
}

static struct rt_status send_payments(struct rt_pg *pg, const struct payment_batch *batch, struct rt_arena *arena,
				      size_t *sent)
{
	struct payment_columns columns = {0};
	struct rt_pg_params params;

	if (!payment_columns_init(&columns, batch->entry_count, arena))
		return out_of_arena();
	for (size_t i = 0; i < batch->entry_count; i++) {
		if (must_insert(batch->entries[i]))
			add_payment(&columns, batch->entries[i]);
	}
	if (columns.count == 0)
		return rt_ok();
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, columns.ids[0], NULL, columns.count);
	rt_pg_add_uuid_array(&params, columns.ids[1], NULL, columns.count);
	rt_pg_add_text_array(&params, columns.texts[0], columns.count);
	rt_pg_add_text_array(&params, columns.texts[1], columns.count);
	rt_pg_add_bytes_array(&params, columns.hashes, RT_DIGEST_BYTES, columns.count);
	rt_pg_add_smallint_array(&params, columns.numbers[0], NULL, columns.count);
	rt_pg_add_uuid_array(&params, columns.ids[2], NULL, columns.count);
	rt_pg_add_uuid_array(&params, columns.ids[3], NULL, columns.count);
	rt_pg_add_int_array(&params, columns.numbers[1], NULL, columns.count);
	for (size_t i = 2; i < 6; i++)
		rt_pg_add_text_array(&params, columns.texts[i], columns.count);
	rt_pg_add_smallint_array(&params, columns.numbers[2], NULL, columns.count);
	rt_pg_add_bool_array(&params, columns.open, columns.count);
	rt_pg_add_text_array(&params, columns.texts[6], columns.count);
	rt_pg_add_int_array(&params, columns.numbers[3], NULL, columns.count);
	rt_pg_add_time_array(&params, columns.numbers[4], columns.count);
	rt_pg_add_uuid(&params, &batch->worker_id);
	(*sent)++;
	return rt_pg_send(pg, &insert_payments, &params);
}

/* The second round trip. */
static struct rt_status write_and_commit(struct rt_pg *pg, const struct payment_batch *batch, const bool *events,
					 struct rt_arena *arena)
{
	struct rt_pg_rows rows[2] = {0};
	size_t sent = 0;

	RT_TRY(send_payments(pg, batch, arena, &sent));
	RT_TRY(send_events(pg, batch, events, arena, &sent));
	RT_TRY(rt_pg_send_commit(pg));
	struct rt_status status = rt_pg_receive(pg, rows, sent);

	rt_pg_rows_deinit(&rows[0]);
	rt_pg_rows_deinit(&rows[1]);
	return status;
}

static void reset_results(struct payment_batch *batch)
{
	for (size_t i = 0; i < batch->entry_count; i++) {
		batch->entries[i]->found = false;
		batch->entries[i]->recorded = false;
		batch->entries[i]->same_body = false;
		batch->entries[i]->clearing_found = false;
	}
	for (size_t i = 0; i < batch->advance_count; i++)
		batch->advances[i]->written = false;
	for (size_t i = 0; i < batch->probe_count; i++) {
		batch->probes[i]->found = false;
		batch->probes[i]->mine = false;
	}
}

static struct rt_status run(struct rt_pg *pg, struct payment_batch *batch, struct rt_arena *arena,
			    int64_t deadline_mono_us)
{
	bool *written = COLUMN(arena, bool, batch->advance_count);
	CLEANUP(answers_cleanup) struct answers answers = {0};

	if (written == NULL)
		return out_of_arena();
	RT_TRY(rt_pg_send_begin(pg, deadline_mono_us));
	RT_TRY(ask(pg, batch, arena, &answers));
	take_keys(batch, &answers);
	take_probes(batch, &answers);
	for (int row = 0; row < answers.rows[ASK_ADVANCE].count; row++)
		written[row_number(&answers.rows[ASK_ADVANCE], row, batch->advance_count)] = true;
	RT_TRY(settle_unwritten(pg, batch, written, arena));
	RT_TRY(write_and_commit(pg, batch, written, arena));
	for (size_t i = 0; i < batch->advance_count; i++)
		batch->advances[i]->written = batch->advances[i]->written || written[i];
	for (size_t i = 0; i < batch->entry_count; i++)
		batch->entries[i]->recorded = batch->entries[i]->insert && !batch->entries[i]->found;
	return rt_ok();
}

struct rt_status payment_batch_run(struct rt_pg *pg, struct payment_batch *batch, struct rt_arena *arena,
				   int64_t deadline_mono_us)
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
