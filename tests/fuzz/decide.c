/* The deciding part: bytes become groups of transfers of every kind, decided one after the other,
 * also over several books as batches follow each other. After each decision: sums of zero, no limit
 * passed, holds and reversals within what they are of, nothing changed by what was declined or
 * refused, and the same answer when the same is asked again. */
#include <stdbool.h>
#include <string.h>

#include "domain/book.h"
#include "fuzz.h"
#include "rt/assert.h"

enum {
	ACCOUNTS = 5,
	GROUP_SIZE_MAX = 4,
	GROUPS_MAX = 48,
	TARGETS_MAX = GROUPS_MAX * GROUP_SIZE_MAX
};

#define ARENA_BYTES ((size_t)8 << 20)
#define SECOND_US   INT64_C(1000000)

struct source {
	const uint8_t *bytes;
	size_t length;
};

struct asked {
	struct transfer transfers[GROUP_SIZE_MAX];
	struct group group;
};

struct world {
	struct source source;
	struct rt_arena arena, old_arena;
	struct book book;
	int64_t now_us;
	uint32_t next_id;
	size_t group_count;
	struct asked asked[GROUPS_MAX];
	/* Transfers that others may name, whatever became of them. */
	size_t target_count;
	struct transfer targets[TARGETS_MAX];
};

static const struct rt_uuid ledger_id = {{7}};

static uint8_t take(struct source *source)
{
	if (source->length == 0)
		return 0;
	source->length--;
	return *source->bytes++;
}

static struct rt_uuid make_id(uint8_t space, uint32_t number)
{
	struct rt_uuid id = {{[0] = 1, [1] = space}};
	memcpy(id.bytes + 12, &number, sizeof(number));
	return id;
}

static void must(struct rt_status status)
{
	RT_ASSERT(rt_is_ok(&status));
}

/* ---- the world ---- */

static struct account_limit limit_of(uint8_t byte, int64_t sign)
{
	if ((byte & 1) == 0)
		return (struct account_limit){0};
	return (struct account_limit){.set = true, .amount_minor = sign * (byte >> 1)};
}

static void begin_book(struct world *world)
{
	const struct book_size size = {.accounts = ACCOUNTS + 1,
				       .transfers = 2UL * TARGETS_MAX,
				       .holds = 2UL * TARGETS_MAX,
				       .originals = 2UL * TARGETS_MAX};
	rt_arena_init(&world->arena, ARENA_BYTES);
	must(book_init(&world->book, &world->arena, &size));
}

static void make_accounts(struct world *world)
{
	for (uint32_t i = 0; i < ACCOUNTS; i++) {
		struct account account = {
			.id = make_id(1, i), .currency = "EUR", .status = ACCOUNT_ACTIVE};
		uint8_t traits = take(&world->source);
		account.side = (traits & 1) != 0 ? ACCOUNT_DEBIT_NORMAL : ACCOUNT_CREDIT_NORMAL;
		if ((traits & 0x0e) == 0x0e)
			account.status = (enum account_status)(1 + (traits >> 4) % 4);
		account.lower = limit_of(take(&world->source), -1);
		account.upper = limit_of(take(&world->source), 1);
		account.credit_line_minor = account.lower.set ? traits >> 5 : 0;
		must(book_add_account(&world->book, &account));
	}
}

static const struct account *account_at(const struct world *world, uint32_t number)
{
	struct rt_uuid id = make_id(1, number);
	const struct book_account *entry = uuid_table_get(&world->book.accounts, &id);
	RT_ASSERT(entry != NULL);
	return &entry->account;
}

static void carry_posted(struct world *world, const struct book *old, const struct asked *asked)
{
	const struct group_record *record = uuid_table_get(&old->groups, group_id(&asked->group));
	for (size_t i = 0; record != NULL && i < record->count; i++) {
		struct declined_transfer declined = {.transfer_id = asked->transfers[i].id,
						     .group_id = record->id,
						     .cause_id = record->cause_id,
						     .cause_side = record->cause_side,
						     .reason = record->decline,
						     .created_us = record->created_us};
		memcpy(declined.hash, record->hash, sizeof(declined.hash));
		if (record->decline == DECLINE_NONE)
			must(book_add_posted(&world->book, &record->transfers[i], record->hash,
					     record->count));
		else
			must(book_add_declined(&world->book, &declined));
	}
}

/* What a posted transfer may be reversed by in the next book, with what was reversed of it. */
static void carry_original(struct world *world, const struct book *old, const struct rt_uuid *id)
{
	const struct group_record *record = uuid_table_get(&old->transfers, id);
	const struct book_original *known = uuid_table_get(&old->originals, id);
	for (size_t i = 0; record != NULL && record->decline == DECLINE_NONE && i < record->count;
	     i++) {
		const struct posted_transfer *posted = &record->transfers[i];
		if (!rt_uuid_equal(&posted->transfer.id, id))
			continue;
		struct original original = {
			.id = *id,
			.debit_account_id = posted->transfer.debit_account_id,
			.credit_account_id = posted->transfer.credit_account_id,
			.moved_minor = posted->moved_minor,
			.reversed_minor = known == NULL ? 0 : known->original.reversed_minor,
			.kind = posted->transfer.kind};
		must(book_add_original(&world->book, &original));
	}
}

/* The next batch: everything that the database would have kept. */
static void next_book(struct world *world)
{
	struct book old = world->book;
	world->old_arena = world->arena;
	begin_book(world);
	for (uint32_t i = 0; i < ACCOUNTS; i++) {
		struct rt_uuid id = make_id(1, i);
		const struct book_account *entry = uuid_table_get(&old.accounts, &id);
		struct account account = entry->account;
		account.last_entry_us = entry->changed ? old.now_us : account.last_entry_us;
		must(book_add_account(&world->book, &account));
	}
	for (size_t i = 0; i < world->group_count; i++)
		carry_posted(world, &old, &world->asked[i]);
	for (size_t i = 0; i < world->target_count; i++) {
		const struct rt_uuid *id = &world->targets[i].id;
		const struct book_hold *hold = uuid_table_get(&old.holds, id);
		if (hold != NULL && !hold->is_void)
			must(book_add_hold(&world->book, &hold->hold));
		carry_original(world, &old, id);
	}
	rt_arena_deinit(&world->old_arena);
}

/* ---- groups from bytes ---- */

static void name_target(struct world *world, struct transfer *transfer)
{
	if (world->target_count == 0)
		return;
	const struct transfer *target = &world->targets[take(&world->source) % world->target_count];
	bool back = transfer->kind == TRANSFER_REVERSAL;
	transfer->target_id = target->id;
	if (take(&world->source) < 8)
		return; /* other accounts than the target's */
	transfer->debit_account_id = back ? target->credit_account_id : target->debit_account_id;
	transfer->credit_account_id = back ? target->debit_account_id : target->credit_account_id;
}

static int64_t amount_of(struct source *source)
{
	uint8_t byte = take(source);
	if (byte == 0xff)
		return INT64_MAX - take(source);
	if (byte == 0xfe)
		return INT64_MAX / 2 + take(source);
	return 1 + byte % 100;
}

static struct transfer transfer_from(struct world *world)
{
	struct source *source = &world->source;
	struct transfer transfer = {
		.id = make_id(2, world->next_id++), .currency = "EUR", .reference = ""};
	uint8_t kind = take(source), accounts = take(source);
	transfer.kind = (enum transfer_kind)(1 + kind % 6);
	transfer.debit_account_id = make_id(1, accounts % ACCOUNTS);
	transfer.credit_account_id = make_id(
		1, (accounts % ACCOUNTS + 1U + (accounts >> 4) % (ACCOUNTS - 1)) % ACCOUNTS);
	transfer.amount_minor = amount_of(source);
	transfer.target_id =
		transfer_names_target(transfer.kind) ? make_id(2, 1U << 20) : (struct rt_uuid){0};
	if (transfer_names_target(transfer.kind))
		name_target(world, &transfer);
	if (transfer.kind == TRANSFER_RELEASE)
		transfer.amount_minor = 0;
	if (transfer.kind == TRANSFER_HOLD && (kind & 0x80) != 0)
		transfer.expires_us = world->now_us + (take(source) - 4) * SECOND_US;
	transfer.keep_open = transfer.kind == TRANSFER_CAPTURE && (kind & 0x80) != 0;
	return transfer;
}

/* An expiry, which the ledger wishes for itself, alone in its group. */
static struct transfer expiry_from(struct world *world)
{
	struct transfer transfer = {.id = make_id(3, world->next_id++),
				    .kind = TRANSFER_EXPIRY,
				    .currency = "EUR",
				    .reference = "",
				    .target_id = make_id(2, 1U << 20),
				    .debit_account_id = make_id(1, 0),
				    .credit_account_id = make_id(1, 1)};
	name_target(world, &transfer);
	return transfer;
}

static bool make_group(struct world *world, struct asked *asked)
{
	uint8_t shape = take(&world->source);
	size_t count = 1 + shape % GROUP_SIZE_MAX;
	if (world->target_count + count > TARGETS_MAX)
		return false;
	if (shape >= 0xf0) {
		asked->transfers[0] = expiry_from(world);
		count = 1;
	}
	for (size_t i = 0; shape < 0xf0 && i < count; i++) {
		asked->transfers[i] = transfer_from(world);
		world->targets[world->target_count++] = asked->transfers[i];
	}
	asked->group = (struct group){.transfers = asked->transfers, .count = count};
	group_fill_hash(&asked->group, &ledger_id);
	return true;
}

/* ---- what always holds ---- */

static void check_account(const struct account *account)
{
	const struct account_totals *totals = &account->state.totals;
	RT_ASSERT(totals->debits_posted_minor >= 0);
	RT_ASSERT(totals->credits_posted_minor >= 0);
	RT_ASSERT(totals->debits_pending_minor >= 0);
	RT_ASSERT(totals->credits_pending_minor >= 0);
	RT_ASSERT(totals->debits_pending_minor <= INT64_MAX - totals->debits_posted_minor);
	RT_ASSERT(totals->credits_pending_minor <= INT64_MAX - totals->credits_posted_minor);
	if (account->lower.set)
		RT_ASSERT(account_available_minor(account->side, totals) >=
			  account->lower.amount_minor - account->credit_line_minor);
	if (account->upper.set)
		RT_ASSERT(account_ceiling_minor(account->side, totals) <=
			  account->upper.amount_minor);
}

static void check_world(const struct world *world)
{
	__int128 posted = 0, pending = 0, held = 0, held_in_accounts = 0;
	for (uint32_t i = 0; i < ACCOUNTS; i++) {
		const struct account *account = account_at(world, i);
		const struct account_totals *totals = &account->state.totals;
		check_account(account);
		posted += (__int128)totals->debits_posted_minor - totals->credits_posted_minor;
		pending += (__int128)totals->debits_pending_minor - totals->credits_pending_minor;
		held_in_accounts += totals->debits_pending_minor;
	}
	for (size_t i = 0; i < world->target_count; i++) {
		const struct book_hold *hold =
			uuid_table_get(&world->book.holds, &world->targets[i].id);
		const struct book_original *original =
			uuid_table_get(&world->book.originals, &world->targets[i].id);
		if (hold != NULL && !hold->is_void) {
			RT_ASSERT(hold->hold.captured_minor >= 0);
			RT_ASSERT(hold->hold.captured_minor <= hold->hold.amount_minor);
			held += hold->hold.state == HOLD_PENDING ? hold_remaining_minor(&hold->hold)
								 : 0;
		}
		if (original != NULL)
			RT_ASSERT(original->original.reversed_minor >= 0 &&
				  original->original.reversed_minor <=
					  original->original.moved_minor);
	}
	RT_ASSERT(posted == 0);
	RT_ASSERT(pending == 0);
	RT_ASSERT(held == held_in_accounts);
}

struct states {
	struct account_state of[ACCOUNTS];
};

static struct states states_of(const struct world *world)
{
	struct states states;
	for (uint32_t i = 0; i < ACCOUNTS; i++)
		states.of[i] = account_at(world, i)->state;
	return states;
}

static bool same_states(const struct states *a, const struct states *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void check_posted(const struct group_record *record, const struct asked *asked)
{
	RT_ASSERT(record->count == asked->group.count);
	for (size_t i = 0; i < record->count; i++) {
		const struct posted_transfer *posted = &record->transfers[i];
		RT_ASSERT(rt_uuid_equal(&posted->transfer.id, &asked->transfers[i].id));
		RT_ASSERT(posted->moved_minor > 0);
		if (asked->transfers[i].amount_minor > 0)
			RT_ASSERT(posted->moved_minor <= asked->transfers[i].amount_minor);
	}
}

static void decide(struct world *world, const struct asked *asked)
{
	struct states before = states_of(world);
	struct outcome outcome, again;
	must(book_decide(&world->book, &asked->group, &outcome));
	struct states after = states_of(world);
	if (outcome.record == NULL || outcome.replayed || outcome.record->decline != DECLINE_NONE)
		RT_ASSERT(same_states(&before, &after));
	else
		check_posted(outcome.record, asked);
	check_world(world);
	must(book_decide(&world->book, &asked->group, &again));
	struct states at_last = states_of(world);
	RT_ASSERT(again.record == outcome.record);
	RT_ASSERT(again.record == NULL || again.replayed);
	RT_ASSERT(same_states(&after, &at_last));
}

/* With an id that is on record, another body is refused, and nothing changes. */
static void decide_spoilt(struct world *world, const struct asked *asked)
{
	struct asked spoilt = *asked;
	struct outcome outcome;
	if (uuid_table_get(&world->book.groups, group_id(&asked->group)) == NULL)
		return;
	spoilt.group.transfers = spoilt.transfers;
	spoilt.transfers[spoilt.group.count - 1].reference = "other";
	group_fill_hash(&spoilt.group, &ledger_id);
	struct states before = states_of(world);
	must(book_decide(&world->book, &spoilt.group, &outcome));
	struct states after = states_of(world);
	RT_ASSERT(outcome.record == NULL);
	RT_ASSERT(outcome.refusal == REFUSAL_MISMATCH);
	RT_ASSERT(same_states(&before, &after));
}

static void step(struct world *world)
{
	uint8_t act = take(&world->source);
	struct asked *asked = &world->asked[world->group_count];
	if (act < 16) {
		next_book(world);
	} else if (act < 24) {
		world->now_us += (int64_t)take(&world->source) * SECOND_US;
	} else if (act < 48 && world->group_count > 0) {
		const struct asked *old = &world->asked[take(&world->source) % world->group_count];
		decide(world, old);
		decide_spoilt(world, old);
	} else if (make_group(world, asked)) {
		world->group_count++;
		decide(world, asked);
	}
	book_set_time(&world->book, world->now_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct world world;
	memset(&world, 0, sizeof(world));
	world.source = (struct source){bytes, length};
	world.now_us = 1000 * SECOND_US;
	begin_book(&world);
	book_set_time(&world.book, world.now_us);
	make_accounts(&world);
	while (world.source.length > 0 && world.group_count < GROUPS_MAX)
		step(&world);
	rt_arena_deinit(&world.arena);
	return 0;
}

/* Long inputs of all bytes, each with another step between them. */
size_t fuzz_seed(size_t index, uint8_t *bytes, size_t size)
{
	size_t length = size < 1024 ? size : 1024;
	if (index == 32)
		return 0;
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)((i * (2 * index + 1) * 167 + index * 59) >> (index % 3));
	return length;
}
