#include "store/posting_columns.h"

#include <string.h>

/* Columns are kept apart by type, as places in one piece of memory each. */
static struct rt_uuid *uuids_new(struct rt_pg_params *params, size_t count)
{
	return rt_arena_array(params->arena, count, sizeof(struct rt_uuid));
}

static int64_t *ints_new(struct rt_pg_params *params, size_t count)
{
	return rt_arena_array(params->arena, count, sizeof(int64_t));
}

enum { STATE_COLUMNS = 5 };

/* Sequence and the four totals. */
struct state_columns {
	int64_t *columns[STATE_COLUMNS];
};

static struct state_columns states_new(struct rt_pg_params *params, size_t count)
{
	struct state_columns states;
	for (size_t i = 0; i < STATE_COLUMNS; i++)
		states.columns[i] = ints_new(params, count);
	return states;
}

static void states_set(struct state_columns *states, size_t row, const struct account_state *state)
{
	states->columns[0][row] = state->sequence;
	states->columns[1][row] = state->totals.debits_posted_minor;
	states->columns[2][row] = state->totals.credits_posted_minor;
	states->columns[3][row] = state->totals.debits_pending_minor;
	states->columns[4][row] = state->totals.credits_pending_minor;
}

static void states_add(struct rt_pg_params *params, const struct state_columns *states,
		       size_t count)
{
	for (size_t i = 0; i < STATE_COLUMNS; i++)
		rt_pg_add_int_array(params, states->columns[i], NULL, count);
}

struct transfer_columns {
	struct rt_uuid *ids, *groups, *debits, *credits, *targets, *hashes;
	bool *keep_open;
	int64_t *amounts, *moved, *positions, *sizes, *kinds, *expiries;
	const char **currencies, **references;
	struct state_columns debit_states, credit_states;
};

static struct transfer_columns transfers_new(struct rt_pg_params *params, size_t count)
{
	return (struct transfer_columns){
		.ids = uuids_new(params, count),
		.groups = uuids_new(params, count),
		.debits = uuids_new(params, count),
		.credits = uuids_new(params, count),
		.targets = uuids_new(params, count),
		.hashes = uuids_new(params, count),
		.keep_open = rt_arena_array(params->arena, count, sizeof(bool)),
		.amounts = ints_new(params, count),
		.moved = ints_new(params, count),
		.expiries = ints_new(params, count),
		.positions = ints_new(params, count),
		.sizes = ints_new(params, count),
		.kinds = ints_new(params, count),
		.currencies = rt_arena_array(params->arena, count, sizeof(char *)),
		.references = rt_arena_array(params->arena, count, sizeof(char *)),
		.debit_states = states_new(params, count),
		.credit_states = states_new(params, count),
	};
}

static void transfers_set(struct transfer_columns *columns, size_t row,
			  const struct group_record *record, size_t position)
{
	const struct posted_transfer *posted = &record->transfers[position];
	const struct transfer *transfer = &posted->transfer;
	columns->ids[row] = transfer->id;
	columns->groups[row] = record->id;
	columns->debits[row] = transfer->debit_account_id;
	columns->credits[row] = transfer->credit_account_id;
	columns->targets[row] =
		transfer_names_target(transfer->kind) ? transfer->target_id : (struct rt_uuid){0};
	columns->expiries[row] = transfer->expires_us;
	columns->keep_open[row] = transfer->keep_open;
	columns->amounts[row] = transfer->amount_minor;
	columns->moved[row] = posted->moved_minor;
	columns->positions[row] = (int64_t)position;
	columns->sizes[row] = (int64_t)record->count;
	columns->kinds[row] = (int64_t)transfer->kind;
	memcpy(columns->hashes[row].bytes, record->hash, GROUP_HASH_BYTES);
	columns->currencies[row] = transfer->currency;
	columns->references[row] = transfer->reference;
	states_set(&columns->debit_states, row, &posted->debit.after);
	states_set(&columns->credit_states, row, &posted->credit.after);
}

static void transfers_add(struct rt_pg_params *params, const struct transfer_columns *columns,
			  size_t count)
{
	rt_pg_add_uuid_array(params, columns->ids, NULL, count);
	rt_pg_add_uuid_array(params, columns->groups, NULL, count);
	rt_pg_add_uuid_array(params, columns->debits, NULL, count);
	rt_pg_add_uuid_array(params, columns->credits, NULL, count);
	rt_pg_add_int_array(params, columns->amounts, NULL, count);
	states_add(params, &columns->debit_states, count);
	states_add(params, &columns->credit_states, count);
	rt_pg_add_uuid_array(params, columns->targets, NULL, count);
	rt_pg_add_smallint_array(params, columns->positions, NULL, count);
	rt_pg_add_smallint_array(params, columns->sizes, NULL, count);
	rt_pg_add_smallint_array(params, columns->kinds, NULL, count);
	rt_pg_add_uuid_array(params, columns->hashes, NULL, count);
	rt_pg_add_text_array(params, columns->currencies, count);
	rt_pg_add_text_array(params, columns->references, count);
	rt_pg_add_int_array(params, columns->moved, NULL, count);
	rt_pg_add_time_array(params, columns->expiries, count);
	rt_pg_add_bool_array(params, columns->keep_open, count);
}

/* The next transfer that was posted; there is one. */
static size_t next_posted(struct posted_place *place, const struct group_record **record)
{
	while (place->record->decline != DECLINE_NONE || place->position == place->record->count)
		*place = (struct posted_place){place->record->next_new, 0};
	*record = place->record;
	return place->position++;
}

void posting_columns_transfers(struct rt_pg_params *params, const struct book *book,
			       struct posted_place *place, size_t count)
{
	rt_pg_add_time(params, book->now_us);
	rt_pg_add_int(params, (int64_t)count);
	struct transfer_columns columns = transfers_new(params, count);
	if (params->arena->overflowed)
		return;
	for (size_t row = 0; row < count; row++) {
		const struct group_record *record;
		size_t position = next_posted(place, &record);
		transfers_set(&columns, row, record, position);
	}
	transfers_add(params, &columns, count);
}

void posting_columns_declines(struct rt_pg_params *params, const struct book *book)
{
	size_t count = book->counts.declined_transfers;
	struct rt_uuid *ids = uuids_new(params, count);
	struct rt_uuid *groups = uuids_new(params, count);
	struct rt_uuid *causes = uuids_new(params, count);
	const char **reasons = rt_arena_array(params->arena, count, sizeof(char *));
	int64_t *sides = ints_new(params, count);
	uint8_t(*hashes)[GROUP_HASH_BYTES] = rt_arena_array(params->arena, count, GROUP_HASH_BYTES);
	rt_pg_add_time(params, book->now_us);
	if (params->arena->overflowed)
		return;
	size_t row = 0;
	for (const struct group_record *record = book->first_new; record != NULL;
	     record = record->next_new) {
		for (size_t i = 0; record->decline != DECLINE_NONE && i < record->count;
		     i++, row++) {
			ids[row] = record->asked->transfers[i].id;
			groups[row] = record->id;
			causes[row] = record->cause_id;
			sides[row] = (int64_t)record->cause_side;
			reasons[row] = decline_name(record->decline);
			memcpy(hashes[row], record->hash, GROUP_HASH_BYTES);
		}
	}
	rt_pg_add_uuid_array(params, ids, NULL, count);
	rt_pg_add_uuid_array(params, groups, NULL, count);
	rt_pg_add_uuid_array(params, causes, NULL, count);
	rt_pg_add_text_array(params, reasons, count);
	rt_pg_add_bytes_array(params, hashes, GROUP_HASH_BYTES, count);
	rt_pg_add_smallint_array(params, sides, NULL, count);
}

struct hold_columns {
	struct rt_uuid *ids, *debits, *credits;
	int64_t *amounts, *captured, *states, *expiries;
	size_t count;
};

static struct hold_columns holds_new(struct rt_pg_params *params, size_t count)
{
	return (struct hold_columns){
		.ids = uuids_new(params, count),
		.debits = uuids_new(params, count),
		.credits = uuids_new(params, count),
		.amounts = ints_new(params, count),
		.captured = ints_new(params, count),
		.states = ints_new(params, count),
		.expiries = ints_new(params, count),
	};
}

static void holds_put(struct hold_columns *columns, const struct hold *hold)
{
	size_t row = columns->count++;
	columns->ids[row] = hold->id;
	columns->debits[row] = hold->debit_account_id;
	columns->credits[row] = hold->credit_account_id;
	columns->amounts[row] = hold->amount_minor;
	columns->captured[row] = hold->captured_minor;
	columns->states[row] = (int64_t)hold->state;
	columns->expiries[row] = hold->expires_us;
}

/* The holds that are new, or those that aren't; false when the arena is full. */
static bool take_holds(struct rt_pg_params *params, const struct book *book, bool is_new,
		       size_t count, struct hold_columns *columns)
{
	*columns = holds_new(params, count);
	if (params->arena->overflowed)
		return false;
	for (const struct book_hold *entry = book->first_hold; entry != NULL;
	     entry = entry->next_changed)
		if (entry->is_new == is_new)
			holds_put(columns, &entry->hold);
	return true;
}

static void add_standing(struct rt_pg_params *params, const struct hold_columns *columns)
{
	rt_pg_add_int_array(params, columns->captured, NULL, columns->count);
	rt_pg_add_smallint_array(params, columns->states, NULL, columns->count);
	rt_pg_add_time_array(params, columns->expiries, columns->count);
}

void posting_columns_new_holds(struct rt_pg_params *params, const struct book *book)
{
	struct hold_columns columns;
	rt_pg_add_int(params, (int64_t)book->counts.holds_new);
	if (!take_holds(params, book, true, book->counts.holds_new, &columns))
		return;
	rt_pg_add_uuid_array(params, columns.ids, NULL, columns.count);
	rt_pg_add_uuid_array(params, columns.debits, NULL, columns.count);
	rt_pg_add_uuid_array(params, columns.credits, NULL, columns.count);
	rt_pg_add_int_array(params, columns.amounts, NULL, columns.count);
	add_standing(params, &columns);
}

void posting_columns_changed_holds(struct rt_pg_params *params, const struct book *book)
{
	struct hold_columns columns;
	if (!take_holds(params, book, false, book->counts.holds_changed, &columns))
		return;
	rt_pg_add_uuid_array(params, columns.ids, NULL, columns.count);
	add_standing(params, &columns);
}

void posting_columns_reversed(struct rt_pg_params *params, const struct book *book)
{
	size_t count = book->counts.originals_changed;
	struct rt_uuid *ids = uuids_new(params, count);
	int64_t *amounts = ints_new(params, count);
	int64_t *reversed = ints_new(params, count);
	if (params->arena->overflowed)
		return;
	size_t row = 0;
	for (const struct book_original *entry = book->first_original; entry != NULL;
	     entry = entry->next_changed) {
		ids[row] = entry->original.id;
		amounts[row] = entry->original.moved_minor;
		reversed[row++] = entry->original.reversed_minor;
	}
	rt_pg_add_uuid_array(params, ids, NULL, count);
	rt_pg_add_int_array(params, amounts, NULL, count);
	rt_pg_add_int_array(params, reversed, NULL, count);
}

void posting_columns_accounts(struct rt_pg_params *params, const struct book *book)
{
	size_t count = book->counts.accounts_changed;
	rt_pg_add_time(params, book->now_us);
	rt_pg_add_int(params, (int64_t)count);
	uint64_t *places = rt_arena_array(params->arena, count, sizeof(places[0]));
	struct rt_uuid *ids = uuids_new(params, count);
	int64_t *read_sequences = ints_new(params, count);
	struct state_columns states = states_new(params, count);
	if (params->arena->overflowed)
		return;
	size_t row = 0;
	for (const struct book_account *entry = book->first_account; entry != NULL;
	     entry = entry->next_changed) {
		places[row] = entry->account.place;
		ids[row] = entry->account.id;
		read_sequences[row] = entry->read_sequence;
		states_set(&states, row++, &entry->account.state);
	}
	rt_pg_add_place_array(params, places, count);
	rt_pg_add_uuid_array(params, ids, NULL, count);
	rt_pg_add_int_array(params, read_sequences, NULL, count);
	states_add(params, &states, count);
}
