/* The statements of the shared transaction, each sent with its parameters as arrays of one length;
 * see payment_columns.h. */
#include "store/payment_columns.h"

#include <string.h>

#include "payments.sql.h"
#include "store/payment_originals.h"

static const struct rt_pg_statement find_keys = {"payments_find_keys", payments_find_keys};
static const struct rt_pg_statement find_clearing = {"payments_find_clearing",
						     payments_find_clearing};
static const struct rt_pg_statement find_transit = {"payments_find_transit", payments_find_transit};
static const struct rt_pg_statement advance_payments = {"payments_advance",
							payments_advance_payments};
static const struct rt_pg_statement set_actions = {"payments_set_actions", payments_set_actions};
static const struct rt_pg_statement read_fences = {"payments_read_fences", payments_read_fences};
static const struct rt_pg_statement insert_payments = {"payments_insert", payments_insert_payments};
static const struct rt_pg_statement insert_events = {"payments_insert_events",
						     payments_insert_events};
static const struct rt_pg_statement insert_notices = {"payments_insert_notifications",
						      payments_insert_notifications};

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the batch is too large");
}

struct rt_status payment_send_find_keys(struct rt_pg *pg, const struct payment_batch *batch,
					struct rt_arena *arena)
{
	size_t count = batch->entry_count;
	const char **callers = PAYMENT_COLUMN(arena, const char *, count);
	const char **keys = PAYMENT_COLUMN(arena, const char *, count);
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

/* Only entries that are being looked up and go through a connector have a clearing account to find;
 * the rest ask for none. */
struct rt_status payment_send_find_clearing(struct rt_pg *pg, const struct payment_batch *batch,
					    struct rt_arena *arena)
{
	size_t count = batch->entry_count;
	struct rt_uuid *ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, count);
	const char **connectors = PAYMENT_COLUMN(arena, const char *, count);
	const char **currencies = PAYMENT_COLUMN(arena, const char *, count);
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

struct rt_status payment_send_find_transit(struct rt_pg *pg, const struct payment_batch *batch,
					   struct rt_arena *arena)
{
	size_t count = batch->entry_count;
	struct rt_uuid *ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, count);
	struct rt_uuid *remotes = PAYMENT_COLUMN(arena, struct rt_uuid, count);
	const char **currencies = PAYMENT_COLUMN(arena, const char *, count);
	struct rt_pg_params params;

	if (ledgers == NULL || remotes == NULL || currencies == NULL)
		return out_of_arena();
	for (size_t i = 0; i < count; i++) {
		ledgers[i] = batch->entries[i]->request->ledger_id;
		remotes[i] = batch->entries[i]->request->remote_ledger_id;
		currencies[i] = batch->entries[i]->request->currency;
	}
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ledgers, NULL, count);
	rt_pg_add_uuid_array(&params, remotes, NULL, count);
	rt_pg_add_text_array(&params, currencies, count);
	return rt_pg_send(pg, &find_transit, &params);
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

static bool advance_columns_init(struct advance_columns *columns, size_t count,
				 struct rt_arena *arena)
{
	*columns = (struct advance_columns){
		.ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, count),
		.payments = PAYMENT_COLUMN(arena, struct rt_uuid, count),
		.versions = PAYMENT_COLUMN(arena, int64_t, count),
		.versions_new = PAYMENT_COLUMN(arena, int64_t, count),
		.fences = PAYMENT_COLUMN(arena, int64_t, count),
		.states = PAYMENT_COLUMN(arena, int64_t, count),
		.open = PAYMENT_COLUMN(arena, bool, count),
		.reasons = PAYMENT_COLUMN(arena, const char *, count),
		.times = PAYMENT_COLUMN(arena, int64_t, count),
	};
	return !arena->overflowed;
}

struct rt_status payment_send_advance(struct rt_pg *pg, const struct payment_batch *batch,
				      struct rt_arena *arena)
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

struct rt_status payment_send_actions(struct rt_pg *pg, const struct payment_batch *batch,
				      const bool *written, struct rt_arena *arena, size_t *sent)
{
	size_t count = 0;
	struct rt_uuid *ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, batch->advance_count);
	struct rt_uuid *payments = PAYMENT_COLUMN(arena, struct rt_uuid, batch->advance_count);
	const char **urls = PAYMENT_COLUMN(arena, const char *, batch->advance_count);
	const char **data = PAYMENT_COLUMN(arena, const char *, batch->advance_count);
	struct rt_pg_params params;

	if (ledgers == NULL || payments == NULL || urls == NULL || data == NULL)
		return out_of_arena();
	for (size_t i = 0; i < batch->advance_count; i++) {
		const struct payment_advance *advance = batch->advances[i];

		if (!written[i] || advance->action_url == NULL)
			continue;
		ledgers[count] = advance->ledger_id;
		payments[count] = advance->payment_id;
		urls[count] = advance->action_url;
		data[count++] = advance->action_data;
	}
	if (count == 0)
		return rt_ok();
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ledgers, NULL, count);
	rt_pg_add_uuid_array(&params, payments, NULL, count);
	rt_pg_add_text_array(&params, urls, count);
	rt_pg_add_text_array(&params, data, count);
	(*sent)++;
	return rt_pg_send(pg, &set_actions, &params);
}

struct rt_status payment_send_fences(struct rt_pg *pg, const struct rt_uuid *ledgers,
				     const struct rt_uuid *payments, size_t count,
				     struct rt_arena *arena)
{
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid_array(&params, ledgers, NULL, count);
	rt_pg_add_uuid_array(&params, payments, NULL, count);
	return rt_pg_send(pg, &read_fences, &params);
}

struct rt_status payment_send_probes(struct rt_pg *pg, const struct payment_batch *batch,
				     struct rt_arena *arena)
{
	struct rt_uuid *ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, batch->probe_count);
	struct rt_uuid *payments = PAYMENT_COLUMN(arena, struct rt_uuid, batch->probe_count);

	if (ledgers == NULL || payments == NULL)
		return out_of_arena();
	for (size_t i = 0; i < batch->probe_count; i++) {
		ledgers[i] = batch->probes[i]->ledger_id;
		payments[i] = batch->probes[i]->payment_id;
	}
	return payment_send_fences(pg, ledgers, payments, batch->probe_count, arena);
}

struct rt_status payment_send_notices(struct rt_pg *pg, const struct payment_batch *batch,
				      struct rt_arena *arena)
{
	size_t count = batch->notice_count;
	const char **ids = PAYMENT_COLUMN(arena, const char *, count);
	const char **references = PAYMENT_COLUMN(arena, const char *, count);
	int64_t *statuses = PAYMENT_COLUMN(arena, int64_t, count);
	int64_t *times = PAYMENT_COLUMN(arena, int64_t, count);
	uint8_t *hashes = rt_arena_array(arena, count, RT_DIGEST_BYTES);
	struct rt_pg_params params;

	if (arena->overflowed)
		return out_of_arena();
	for (size_t i = 0; i < count; i++) {
		ids[i] = batch->notices[i]->notification_id;
		references[i] = batch->notices[i]->reference;
		statuses[i] = batch->notices[i]->status;
		times[i] = batch->notices[i]->time_us;
		memcpy(hashes + i * RT_DIGEST_BYTES, batch->notices[i]->body_hash, RT_DIGEST_BYTES);
	}
	rt_pg_params_init(&params, arena);
	rt_pg_add_text_array(&params, ids, count);
	rt_pg_add_text_array(&params, references, count);
	rt_pg_add_int_array(&params, statuses, NULL, count);
	rt_pg_add_time_array(&params, times, count);
	rt_pg_add_bytes_array(&params, hashes, RT_DIGEST_BYTES, count);
	return rt_pg_send(pg, &insert_notices, &params);
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
		.ledgers = PAYMENT_COLUMN(arena, struct rt_uuid, count),
		.payments = PAYMENT_COLUMN(arena, struct rt_uuid, count),
		.versions = PAYMENT_COLUMN(arena, int64_t, count),
		.from_states = PAYMENT_COLUMN(arena, int64_t, count),
		.states = PAYMENT_COLUMN(arena, int64_t, count),
		.reasons = PAYMENT_COLUMN(arena, const char *, count),
		.times = PAYMENT_COLUMN(arena, int64_t, count),
	};
	return !arena->overflowed;
}

static void add_event(struct event_columns *columns, const struct rt_uuid *ledger_id,
		      const struct rt_uuid *payment_id, int64_t version, enum payment_state from,
		      struct saga_change to, int64_t time_us)
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
		add_event(columns, &advance->ledger_id, &advance->payment_id,
			  advance->version + 1 + (int64_t)i, at, advance->changes[i],
			  advance->time_us);
		at = advance->changes[i].state;
	}
}

bool payment_entry_missing(const struct payment_entry *entry)
{
	return entry->insert && !entry->found && !entry->recorded && !entry->waits;
}

static void add_insert_events(struct event_columns *columns, const struct payment_entry *entry)
{
	const struct payment_standing *standing = entry->standing;
	enum payment_state at = PAYMENT_CREATED;

	add_event(columns, &entry->request->ledger_id, &standing->payment_id, 1, PAYMENT_NONE,
		  (struct saga_change){PAYMENT_CREATED, ""}, standing->create_time_us);
	for (size_t i = 0; i < entry->change_count; i++) {
		add_event(columns, &entry->request->ledger_id, &standing->payment_id,
			  2 + (int64_t)i, at, entry->changes[i], standing->create_time_us);
		at = entry->changes[i].state;
	}
}

struct rt_status payment_send_events(struct rt_pg *pg, const struct payment_batch *batch,
				     const bool *written, const struct payment_originals *originals,
				     struct rt_arena *arena, size_t *sent)
{
	size_t most = (batch->advance_count + batch->entry_count) * (SAGA_CHANGES_MAX + 1) +
		      originals->event_count;
	struct event_columns columns;
	struct rt_pg_params params;

	if (!event_columns_init(&columns, most, arena))
		return out_of_arena();
	for (size_t i = 0; i < originals->event_count; i++) {
		const struct original_event *event = &originals->events[i];

		add_event(&columns, &event->ledger_id, &event->payment_id, event->version,
			  event->from, (struct saga_change){event->to, ""}, event->time_us);
	}
	for (size_t i = 0; i < batch->advance_count; i++) {
		if (written[i])
			add_advance_events(&columns, batch->advances[i]);
	}
	for (size_t i = 0; i < batch->entry_count; i++) {
		if (payment_entry_missing(batch->entries[i]))
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
	rt_pg_add_uuid(&params, &batch->worker_id);
	(*sent)++;
	return rt_pg_send(pg, &insert_events, &params);
}

/* The columns of insert_payments.sql, by type and in its order. */
enum id_column {
	ID_LEDGER,
	ID_PAYMENT,
	ID_ACCOUNT,
	ID_COUNTER,
	ID_REMOTE_LEDGER,
	ID_REMOTE_ACCOUNT,
	ID_REMOTE_COUNTER,
	ID_PARENT,
	ID_FEE_ACCOUNT,
	ID_COLUMNS
};
enum text_column {
	TEXT_CALLER,
	TEXT_KEY,
	TEXT_CURRENCY,
	TEXT_CONNECTOR,
	TEXT_INSTRUMENT,
	TEXT_REFERENCE,
	TEXT_ROUND,
	TEXT_REASON,
	TEXT_COLUMNS
};
enum number_column { NUMBER_AMOUNT, NUMBER_FEE, NUMBER_VERSION, NUMBER_COLUMNS };

struct payment_columns {
	struct rt_uuid *ids[ID_COLUMNS];
	bool *no_ids[ID_COLUMNS]; /* of those that may be null: nil is */
	const char **texts[TEXT_COLUMNS];
	int64_t *kinds;
	int64_t *states;
	int64_t *numbers[NUMBER_COLUMNS];
	int64_t *times;
	uint8_t *hashes;
	bool *open;
	size_t count;
};

static bool payment_columns_init(struct payment_columns *columns, size_t count,
				 struct rt_arena *arena)
{
	for (size_t i = 0; i < ID_COLUMNS; i++)
		columns->ids[i] = PAYMENT_COLUMN(arena, struct rt_uuid, count);
	for (size_t i = ID_REMOTE_LEDGER; i < ID_COLUMNS; i++)
		columns->no_ids[i] = PAYMENT_COLUMN(arena, bool, count);
	for (size_t i = 0; i < TEXT_COLUMNS; i++)
		columns->texts[i] = PAYMENT_COLUMN(arena, const char *, count);
	for (size_t i = 0; i < NUMBER_COLUMNS; i++)
		columns->numbers[i] = PAYMENT_COLUMN(arena, int64_t, count);
	columns->kinds = PAYMENT_COLUMN(arena, int64_t, count);
	columns->states = PAYMENT_COLUMN(arena, int64_t, count);
	columns->times = PAYMENT_COLUMN(arena, int64_t, count);
	columns->hashes = rt_arena_array(arena, count == 0 ? 1 : count, RT_DIGEST_BYTES);
	columns->open = PAYMENT_COLUMN(arena, bool, count);
	return !arena->overflowed;
}

static void add_payment(struct payment_columns *columns, const struct payment_entry *entry)
{
	const struct payment_request *request = entry->request;
	const struct payment_standing *standing = entry->standing;
	const struct rt_uuid ids[ID_COLUMNS] = {
		request->ledger_id,         standing->payment_id,      request->account_id,
		request->counter_id,        request->remote_ledger_id, request->remote_account_id,
		request->remote_counter_id, request->parent_id,        request->fee_account_id};
	const char *const texts[TEXT_COLUMNS] = {entry->caller,       request->idempotency_key,
						 request->currency,   request->connector,
						 request->instrument, request->reference,
						 request->round_id,   standing->reason};
	const int64_t numbers[NUMBER_COLUMNS] = {request->amount_minor, request->fee_minor,
						 standing->version};
	size_t at = columns->count++;

	for (size_t i = 0; i < ID_COLUMNS; i++)
		columns->ids[i][at] = ids[i];
	for (size_t i = ID_REMOTE_LEDGER; i < ID_COLUMNS; i++)
		columns->no_ids[i][at] = rt_uuid_is_nil(&ids[i]);
	for (size_t i = 0; i < TEXT_COLUMNS; i++)
		columns->texts[i][at] = texts[i];
	for (size_t i = 0; i < NUMBER_COLUMNS; i++)
		columns->numbers[i][at] = numbers[i];
	columns->kinds[at] = request->kind;
	columns->states[at] = standing->state;
	columns->times[at] = standing->create_time_us;
	memcpy(columns->hashes + at * RT_DIGEST_BYTES, entry->body_hash, RT_DIGEST_BYTES);
	columns->open[at] = payment_state_open(standing->state);
}

static void add_columns(const struct payment_columns *columns, const struct rt_uuid *worker_id,
			struct rt_pg_params *params)
{
	for (size_t i = 0; i < ID_COLUMNS; i++)
		rt_pg_add_uuid_array(params, columns->ids[i], columns->no_ids[i], columns->count);
	for (size_t i = 0; i < TEXT_COLUMNS; i++)
		rt_pg_add_text_array(params, columns->texts[i], columns->count);
	rt_pg_add_smallint_array(params, columns->kinds, NULL, columns->count);
	rt_pg_add_smallint_array(params, columns->states, NULL, columns->count);
	for (size_t i = 0; i < NUMBER_COLUMNS; i++)
		rt_pg_add_int_array(params, columns->numbers[i], NULL, columns->count);
	rt_pg_add_time_array(params, columns->times, columns->count);
	rt_pg_add_bytes_array(params, columns->hashes, RT_DIGEST_BYTES, columns->count);
	rt_pg_add_bool_array(params, columns->open, columns->count);
	rt_pg_add_uuid(params, worker_id);
}

struct rt_status payment_send_payments(struct rt_pg *pg, const struct payment_batch *batch,
				       struct rt_arena *arena, size_t *sent)
{
	struct payment_columns columns = {0};
	struct rt_pg_params params;

	if (!payment_columns_init(&columns, batch->entry_count, arena))
		return out_of_arena();
	for (size_t i = 0; i < batch->entry_count; i++) {
		if (payment_entry_missing(batch->entries[i]))
			add_payment(&columns, batch->entries[i]);
	}
	if (columns.count == 0)
		return rt_ok();
	rt_pg_params_init(&params, arena);
	add_columns(&columns, &batch->worker_id, &params);
	(*sent)++;
	return rt_pg_send(pg, &insert_payments, &params);
}
