/* The deciding part against a model that is too simple to be wrong: it keeps a list of what was
 * posted, and works everything out from the whole list each time. Random worlds, random batches;
 * the seed is printed, and DALER_SEED replays it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/book.h"
#include "rt/clock.h"

#define DECISIONS_DEFAULT 250000
#define ACCOUNTS          6
#define GROUPS_MAX        64
#define GROUP_SIZE_MAX    ((size_t)5)
#define TRANSFERS_MAX     (GROUPS_MAX * GROUP_SIZE_MAX)
#define BATCH_MAX         ((size_t)7)
#define ARENA_BYTES       ((size_t)8 << 20)

/* Randomness that is the same for the same seed. Source: splitmix64. */
static uint64_t seed_now;

static uint64_t next_random(void)
{
	uint64_t value = seed_now += UINT64_C(0x9e3779b97f4a7c15);
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static int64_t pick(int64_t bound)
{
	return (int64_t)(next_random() % (uint64_t)bound);
}

static bool chance(int percent)
{
	return pick(100) < percent;
}

/* One group as it was asked for, and what the model said. */
struct ask {
	struct transfer transfers[GROUP_SIZE_MAX];
	size_t count;
	enum decline_reason decline;
	struct rt_uuid cause;
	int64_t created_us;
	struct account_state debit[GROUP_SIZE_MAX], credit[GROUP_SIZE_MAX];
};

/* A ledger: the model's memory of it, and what a database would hold for the engine. */
struct world {
	struct account accounts[ACCOUNTS]; /* as created: the model never changes them */
	size_t ask_count;
	struct ask asks[GROUPS_MAX]; /* those on record */
	size_t posted_count;
	struct transfer posted[TRANSFERS_MAX];
	uint32_t next_id;
	int64_t now_us;
	bool huge; /* amounts near the end of the range */
	/* The engine's database. */
	struct account stored_accounts[ACCOUNTS];
	size_t hold_count;
	struct hold holds[TRANSFERS_MAX];
	size_t row_count;
	struct {
		struct posted_transfer posted;
		uint8_t hash[GROUP_HASH_BYTES];
		size_t count;
	} rows[TRANSFERS_MAX];
	size_t declined_count;
	struct declined_transfer declined[TRANSFERS_MAX];
};

static struct world world;
static const struct rt_uuid ledger = {{9, 9, 9}};
static int64_t decisions;
static uint64_t world_seed;
/* How often each verdict was seen, so that the test shows that it tests. */
static int64_t declines_seen[DECLINE_BALANCE_OVERFLOW + 1], replays_seen, refusals_seen;

static struct rt_uuid make_id(uint32_t space, uint32_t number)
{
	struct rt_uuid uuid = {{[0] = 1}};
	memcpy(uuid.bytes + 4, &space, sizeof(space));
	memcpy(uuid.bytes + 12, &number, sizeof(number));
	return uuid;
}

static void ok(struct rt_status status)
{
	if (!rt_is_ok(&status))
		fail_msg("%s %s: %s", status.reason, status.field, status.detail);
}

/* ---- the model ---- */

typedef __int128 wide;

struct wide_totals {
	wide debits_posted, credits_posted, debits_pending, credits_pending;
	int64_t sequence;
};

static bool is_ended(const struct rt_uuid *hold_id)
{
	for (size_t i = 0; i < world.posted_count; i++)
		if (transfer_ends_hold(world.posted[i].kind) &&
		    rt_uuid_equal(&world.posted[i].hold_id, hold_id))
			return true;
	return false;
}

static struct wide_totals totals_of(const struct rt_uuid *account_id)
{
	struct wide_totals totals = {0};
	for (size_t i = 0; i < world.posted_count; i++) {
		const struct transfer *transfer = &world.posted[i];
		bool debit = rt_uuid_equal(&transfer->debit_account_id, account_id);
		bool credit = rt_uuid_equal(&transfer->credit_account_id, account_id);
		if (!debit && !credit)
			continue;
		totals.sequence++;
		if (transfer->kind == TRANSFER_HOLD && !is_ended(&transfer->id)) {
			totals.debits_pending += debit ? transfer->amount_minor : 0;
			totals.credits_pending += credit ? transfer->amount_minor : 0;
		}
		if (transfer->kind == TRANSFER_DIRECT || transfer->kind == TRANSFER_CAPTURE) {
			totals.debits_posted += debit ? transfer->amount_minor : 0;
			totals.credits_posted += credit ? transfer->amount_minor : 0;
		}
	}
	return totals;
}

static wide least_of(const struct account *account, const struct wide_totals *totals)
{
	return account->side == ACCOUNT_DEBIT_NORMAL
		       ? totals->debits_posted - totals->credits_posted - totals->credits_pending
		       : totals->credits_posted - totals->debits_posted - totals->debits_pending;
}

static wide most_of(const struct account *account, const struct wide_totals *totals)
{
	return account->side == ACCOUNT_DEBIT_NORMAL
		       ? totals->debits_posted + totals->debits_pending - totals->credits_posted
		       : totals->credits_posted + totals->credits_pending - totals->debits_posted;
}

static enum decline_reason judge(const struct account *account, const struct wide_totals *before)
{
	struct wide_totals after = totals_of(&account->id);
	if (after.debits_posted + after.debits_pending > INT64_MAX ||
	    after.credits_posted + after.credits_pending > INT64_MAX)
		return DECLINE_BALANCE_OVERFLOW;
	wide least = least_of(account, &after), most = most_of(account, &after);
	if (account->lower.set && least < account->lower.amount_minor &&
	    least < least_of(account, before))
		return DECLINE_INSUFFICIENT_FUNDS;
	if (account->upper.set && most > account->upper.amount_minor &&
	    most > most_of(account, before))
		return DECLINE_LIMIT_EXCEEDED;
	return DECLINE_NONE;
}

static const struct account *find_account(const struct rt_uuid *account_id)
{
	for (size_t i = 0; i < ACCOUNTS; i++)
		if (rt_uuid_equal(&world.accounts[i].id, account_id))
			return &world.accounts[i];
	return NULL;
}

static enum decline_reason judge_hold(const struct transfer *transfer)
{
	const struct transfer *made = NULL, *ended = NULL;
	for (size_t i = 0; i < world.posted_count; i++) {
		const struct transfer *other = &world.posted[i];
		if (other->kind == TRANSFER_HOLD && rt_uuid_equal(&other->id, &transfer->hold_id))
			made = other;
		if (transfer_ends_hold(other->kind) &&
		    rt_uuid_equal(&other->hold_id, &transfer->hold_id))
			ended = other;
	}
	if (made == NULL)
		return DECLINE_HOLD_NOT_FOUND;
	if (!rt_uuid_equal(&made->debit_account_id, &transfer->debit_account_id) ||
	    !rt_uuid_equal(&made->credit_account_id, &transfer->credit_account_id))
		return DECLINE_HOLD_MISMATCH;
	if (ended != NULL)
		return ended->kind == TRANSFER_CAPTURE ? DECLINE_ALREADY_CAPTURED
						       : DECLINE_ALREADY_RELEASED;
	return transfer->amount_minor > made->amount_minor ? DECLINE_CAPTURE_EXCEEDS_HOLD
							   : DECLINE_NONE;
}

/* Posts one transfer, or takes it back and says why. */
static enum decline_reason model_transfer(const struct transfer *transfer)
{
	const struct account *debit = find_account(&transfer->debit_account_id);
	const struct account *credit = find_account(&transfer->credit_account_id);
	if (debit == NULL || credit == NULL)
		return DECLINE_ACCOUNT_NOT_FOUND;
	if (strcmp(debit->currency, transfer->currency) != 0 ||
	    strcmp(credit->currency, transfer->currency) != 0)
		return DECLINE_CURRENCY_MISMATCH;
	enum decline_reason reason =
		transfer_ends_hold(transfer->kind) ? judge_hold(transfer) : DECLINE_NONE;
	if (reason != DECLINE_NONE)
		return reason;
	struct wide_totals debit_before = totals_of(&debit->id),
			   credit_before = totals_of(&credit->id);
	world.posted[world.posted_count++] = *transfer;
	reason = judge(debit, &debit_before);
	if (reason == DECLINE_NONE)
		reason = judge(credit, &credit_before);
	if (reason != DECLINE_NONE)
		world.posted_count--;
	return reason;
}

static struct account_state state_of(const struct rt_uuid *account_id)
{
	struct wide_totals totals = totals_of(account_id);
	return (struct account_state){
		.sequence = totals.sequence,
		.totals = {.debits_posted_minor = (int64_t)totals.debits_posted,
			   .credits_posted_minor = (int64_t)totals.credits_posted,
			   .debits_pending_minor = (int64_t)totals.debits_pending,
			   .credits_pending_minor = (int64_t)totals.credits_pending}};
}

static bool same_content(const struct ask *a, const struct ask *b)
{
	bool same = a->count == b->count;
	for (size_t i = 0; same && i < a->count; i++) {
		const struct transfer *x = &a->transfers[i], *y = &b->transfers[i];
		same = rt_uuid_equal(&x->id, &y->id) &&
		       rt_uuid_equal(&x->debit_account_id, &y->debit_account_id) &&
		       rt_uuid_equal(&x->credit_account_id, &y->credit_account_id) &&
		       rt_uuid_equal(&x->hold_id, &y->hold_id) &&
		       x->amount_minor == y->amount_minor &&
		       strcmp(x->currency, y->currency) == 0 && x->kind == y->kind &&
		       strcmp(x->reference, y->reference) == 0;
	}
	return same;
}

static bool shares_an_id(const struct ask *a, const struct ask *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++)
			if (rt_uuid_equal(&a->transfers[i].id, &b->transfers[j].id))
				return true;
	return false;
}

/* Returns what is on record of the group in the end; NULL when it is refused. */
static const struct ask *model_decide(const struct ask *asked, bool *replayed)
{
	*replayed = true;
	for (size_t i = 0; i < world.ask_count; i++)
		if (same_content(asked, &world.asks[i]))
			return &world.asks[i];
	for (size_t i = 0; i < world.ask_count; i++)
		if (shares_an_id(asked, &world.asks[i]))
			return NULL;
	*replayed = false;
	struct ask *record = &world.asks[world.ask_count++];
	*record = *asked;
	record->created_us = world.now_us;
	record->decline = DECLINE_NONE;
	size_t posted_before = world.posted_count;
	for (size_t i = 0; i < record->count; i++) {
		record->decline = model_transfer(&record->transfers[i]);
		if (record->decline != DECLINE_NONE) {
			record->cause = record->transfers[i].id;
			world.posted_count = posted_before;
			break;
		}
		record->debit[i] = state_of(&record->transfers[i].debit_account_id);
		record->credit[i] = state_of(&record->transfers[i].credit_account_id);
	}
	return record;
}

/* ---- random worlds and groups ---- */

static struct account_limit random_limit(int percent, int64_t sign)
{
	if (!chance(percent))
		return (struct account_limit){0};
	return (struct account_limit){.set = true,
				      .amount_minor = chance(50) ? 0 : sign * pick(200)};
}

static void make_world(void)
{
	memset(&world, 0, sizeof(world));
	world.huge = chance(20);
	world.now_us = 1000;
	for (uint32_t i = 0; i < ACCOUNTS; i++) {
		struct account *account = &world.accounts[i];
		account->id = make_id(1, i);
		memcpy(account->currency, i == ACCOUNTS - 1 ? "USD" : "EUR", 4);
		account->side = chance(50) ? ACCOUNT_DEBIT_NORMAL : ACCOUNT_CREDIT_NORMAL;
		account->lower = random_limit(i == 0 ? 0 : 60, -1);
		account->upper = random_limit(i == 0 ? 0 : 30, 1);
		world.stored_accounts[i] = *account;
	}
}

static int64_t random_amount(void)
{
	if (world.huge && chance(50))
		return chance(50) ? INT64_MAX - pick(50) : INT64_MAX / 2 + pick(1000);
	return 1 + pick(chance(70) ? 40 : 300);
}

/* One of the account ids, seldom one that isn't there. */
static struct rt_uuid random_account(void)
{
	return make_id(1, (uint32_t)(chance(97) ? pick(chance(95) ? ACCOUNTS - 1 : ACCOUNTS) : 99));
}

/* The batch that is being made. */
static struct ask asks[BATCH_MAX];
static size_t asks_made;

/* A hold among what was asked for before this batch, in this batch, or in this very group. */
static const struct transfer *random_hold(const struct ask *own)
{
	for (int attempt = 0; attempt < 8; attempt++) {
		const struct ask *from = own;
		if (world.ask_count > 0 && chance(60))
			from = &world.asks[pick((int64_t)world.ask_count)];
		else if (asks_made > 0 && chance(50))
			from = &asks[pick((int64_t)asks_made)];
		if (from->count == 0)
			continue;
		const struct transfer *transfer = &from->transfers[pick((int64_t)from->count)];
		if (transfer->kind == TRANSFER_HOLD || chance(3))
			return transfer;
	}
	return NULL;
}

static void end_a_hold(struct transfer *transfer, const struct transfer *made)
{
	transfer->kind = chance(60) ? TRANSFER_CAPTURE : TRANSFER_RELEASE;
	transfer->hold_id = made->id;
	if (chance(92)) {
		transfer->debit_account_id = made->debit_account_id;
		transfer->credit_account_id = made->credit_account_id;
		memcpy(transfer->currency, made->currency, 4);
	}
	if (transfer->kind == TRANSFER_RELEASE)
		transfer->amount_minor = 0;
	else if (chance(50))
		transfer->amount_minor = made->amount_minor == 0 ? 1 : made->amount_minor;
	else if (made->amount_minor > 1 && chance(80))
		transfer->amount_minor = 1 + pick(made->amount_minor);
}

static struct transfer random_transfer(const struct ask *own)
{
	struct transfer transfer = {
		.id = make_id(2, world.next_id++),
		.debit_account_id = random_account(),
		.amount_minor = random_amount(),
		.kind = chance(70) ? TRANSFER_DIRECT : TRANSFER_HOLD,
		.reference = chance(80) ? "" : "r",
	};
	do {
		transfer.credit_account_id = random_account();
	} while (rt_uuid_equal(&transfer.credit_account_id, &transfer.debit_account_id));
	memcpy(transfer.currency, chance(96) ? "EUR" : "USD", 4);
	const struct transfer *made = chance(30) ? random_hold(own) : NULL;
	if (made != NULL)
		end_a_hold(&transfer, made);
	return transfer;
}

static void spoil(struct ask *ask)
{
	size_t at = (size_t)pick((int64_t)ask->count);
	switch (pick(5)) {
	case 0:
		/* A release keeps its 0. */
		if (ask->transfers[at].kind != TRANSFER_RELEASE)
			ask->transfers[at].amount_minor = 1 + ask->transfers[at].amount_minor / 2;
		ask->transfers[at].reference = "x";
		break;
	case 1:
		ask->transfers[0] = ask->transfers[at];
		ask->count = 1;
		break;
	case 2:
		if (ask->count < GROUP_SIZE_MAX)
			ask->transfers[ask->count++] = random_transfer(ask);
		break;
	case 3:
		ask->transfers[at].id = make_id(2, world.next_id++);
		break;
	default: {
		struct transfer first = ask->transfers[0];
		ask->transfers[0] = ask->transfers[at];
		ask->transfers[at] = first;
	}
	}
}

static struct ask random_ask(void)
{
	struct ask ask = {0};
	if (world.ask_count > 0 && chance(15)) {
		ask = world.asks[pick((int64_t)world.ask_count)];
		if (chance(50))
			spoil(&ask);
		return ask;
	}
	size_t count = chance(60) ? 1 : 1 + (size_t)pick((int64_t)GROUP_SIZE_MAX);
	for (; ask.count < count; ask.count++)
		ask.transfers[ask.count] = random_transfer(&ask);
	return ask;
}

/* ---- the engine's side: as the store reads and writes ---- */

static bool asks_for(size_t count, const struct rt_uuid *transfer_id)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < asks[i].count; j++)
			if (rt_uuid_equal(&asks[i].transfers[j].id, transfer_id))
				return true;
	return false;
}

static bool names_hold(size_t count, const struct rt_uuid *hold_id)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < asks[i].count; j++)
			if (rt_uuid_equal(&asks[i].transfers[j].hold_id, hold_id))
				return true;
	return false;
}

static void load(struct book *book, size_t count)
{
	for (size_t i = 0; i < ACCOUNTS; i++)
		ok(book_add_account(book, &world.stored_accounts[i]));
	for (size_t i = 0; i < world.row_count; i++)
		if (asks_for(count, &world.rows[i].posted.transfer.id))
			ok(book_add_posted(book, &world.rows[i].posted, world.rows[i].hash,
					   world.rows[i].count));
	for (size_t i = 0; i < world.declined_count; i++)
		if (asks_for(count, &world.declined[i].transfer_id))
			ok(book_add_declined(book, &world.declined[i]));
	for (size_t i = 0; i < world.hold_count; i++)
		if (names_hold(count, &world.holds[i].id))
			ok(book_add_hold(book, &world.holds[i]));
}

static void store_group(const struct group_record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		if (record->decline == DECLINE_NONE) {
			world.rows[world.row_count].posted = record->transfers[i];
			world.rows[world.row_count].count = record->count;
			memcpy(world.rows[world.row_count++].hash, record->hash, GROUP_HASH_BYTES);
			continue;
		}
		struct declined_transfer *declined = &world.declined[world.declined_count++];
		*declined =
			(struct declined_transfer){.transfer_id = record->asked->transfers[i].id,
						   .group_id = record->id,
						   .cause_id = record->cause_id,
						   .reason = record->decline,
						   .created_us = record->created_us};
		memcpy(declined->hash, record->hash, GROUP_HASH_BYTES);
	}
}

static void store_hold(const struct book_hold *entry)
{
	if (entry->is_new) {
		world.holds[world.hold_count++] = entry->hold;
		return;
	}
	for (size_t i = 0; i < world.hold_count; i++)
		if (rt_uuid_equal(&world.holds[i].id, &entry->hold.id))
			world.holds[i] = entry->hold;
}

static void store_book(const struct book *book)
{
	for (const struct group_record *record = book->first_new; record != NULL;
	     record = record->next_new)
		store_group(record);
	for (const struct book_hold *entry = book->first_hold; entry != NULL;
	     entry = entry->next_changed)
		store_hold(entry);
	for (const struct book_account *entry = book->first_account; entry != NULL;
	     entry = entry->next_changed)
		for (size_t i = 0; i < ACCOUNTS; i++)
			if (rt_uuid_equal(&world.stored_accounts[i].id, &entry->account.id))
				world.stored_accounts[i] = entry->account;
}

/* ---- comparing ---- */

static void compare(const struct outcome *outcome, const struct ask *expected, bool replayed)
{
	decisions++;
	if (expected == NULL) {
		assert_null(outcome->record);
		refusals_seen++;
		return;
	}
	replays_seen += replayed ? 1 : 0;
	declines_seen[expected->decline] += replayed ? 0 : 1;
	const struct group_record *record = outcome->record;
	assert_non_null(record);
	assert_int_equal(outcome->replayed, replayed);
	if (record->decline != expected->decline)
		fail_msg("said %s, expected %s",
			 record->decline == DECLINE_NONE ? "posted" : decline_name(record->decline),
			 expected->decline == DECLINE_NONE ? "posted"
							   : decline_name(expected->decline));
	assert_int_equal(record->created_us, expected->created_us);
	assert_int_equal(record->count, expected->count);
	if (record->decline != DECLINE_NONE) {
		assert_true(rt_uuid_equal(&record->cause_id, &expected->cause));
		return;
	}
	for (size_t i = 0; i < record->count; i++) {
		const struct posted_transfer *posted = &record->transfers[i];
		assert_true(rt_uuid_equal(&posted->transfer.id, &expected->transfers[i].id));
		assert_int_equal(posted->transfer.amount_minor,
				 expected->transfers[i].amount_minor);
		assert_memory_equal(&posted->debit.after, &expected->debit[i],
				    sizeof(expected->debit[i]));
		assert_memory_equal(&posted->credit.after, &expected->credit[i],
				    sizeof(expected->credit[i]));
	}
}

static void run_batch(void)
{
	struct group groups[BATCH_MAX];
	struct rt_arena arena;
	struct book book;
	size_t count = 1 + (size_t)pick((int64_t)BATCH_MAX);
	struct book_size size = {.accounts = ACCOUNTS};
	world.now_us++;
	for (size_t i = 0; i < count; i++) {
		asks_made = i;
		asks[i] = i > 0 && chance(10) ? asks[pick((int64_t)i)] : random_ask();
		groups[i] = (struct group){.transfers = asks[i].transfers, .count = asks[i].count};
		group_fill_hash(&groups[i], &ledger);
		size.transfers += asks[i].count;
		size.holds += asks[i].count;
	}
	rt_arena_init(&arena, ARENA_BYTES);
	ok(book_init(&book, &arena, &size, world.now_us));
	load(&book, count);
	for (size_t i = 0; i < count; i++) {
		struct outcome outcome;
		bool replayed;
		ok(book_decide(&book, &groups[i], &outcome));
		const struct ask *expected = model_decide(&asks[i], &replayed);
		compare(&outcome, expected, replayed);
	}
	store_book(&book);
	rt_arena_deinit(&arena);
}

static void check_state(const struct account *account, const struct account_state *state)
{
	int64_t least = account_available_minor(account->side, &state->totals);
	int64_t most = account_ceiling_minor(account->side, &state->totals);
	assert_true(!account->lower.set || least >= account->lower.amount_minor);
	assert_true(!account->upper.set || most <= account->upper.amount_minor);
	assert_true(least <= most);
}

/* Every number from 1 on is there once, and no limit was ever crossed. */
static void check_history(const struct account *account)
{
	bool seen[TRANSFERS_MAX + 1] = {false};
	size_t entries = 0;
	for (size_t i = 0; i < world.row_count; i++) {
		const struct posted_transfer *posted = &world.rows[i].posted;
		const struct account_state *after = NULL;
		if (rt_uuid_equal(&posted->transfer.debit_account_id, &account->id))
			after = &posted->debit.after;
		if (rt_uuid_equal(&posted->transfer.credit_account_id, &account->id))
			after = &posted->credit.after;
		if (after == NULL)
			continue;
		entries++;
		assert_in_range(after->sequence, 1, TRANSFERS_MAX);
		assert_false(seen[after->sequence]);
		seen[after->sequence] = true;
		check_state(account, after);
	}
	for (size_t i = 1; i <= entries; i++)
		assert_true(seen[i]);
	assert_int_equal(account->state.sequence, entries);
}

static void check_world(void)
{
	wide posted = 0, pending = 0;
	assert_int_equal(world.row_count, world.posted_count);
	for (size_t i = 0; i < ACCOUNTS; i++) {
		const struct account *account = &world.stored_accounts[i];
		struct account_state expected = state_of(&account->id);
		assert_memory_equal(&account->state, &expected, sizeof(expected));
		check_history(account);
		posted += (wide)account->state.totals.debits_posted_minor -
			  account->state.totals.credits_posted_minor;
		pending += (wide)account->state.totals.debits_pending_minor -
			   account->state.totals.credits_pending_minor;
	}
	assert_true(posted == 0);
	assert_true(pending == 0);
}

static int64_t number_from(const char *variable, int64_t fallback)
{
	const char *text = getenv(variable);
	return text == NULL ? fallback : strtoll(text, NULL, 10);
}

static void test_against_the_model(void **state)
{
	(void)state;
	int64_t target = number_from("DALER_DECISIONS", DECISIONS_DEFAULT);
	world_seed = (uint64_t)number_from("DALER_SEED", rt_clock_wall_us());
	printf("DALER_SEED=%" PRIu64 "\n", world_seed);
	/* Each world has a seed of its own, so that a failing one is replayed alone. */
	for (; decisions < target; world_seed++) {
		seed_now = world_seed;
		make_world();
		while (world.ask_count + BATCH_MAX <= GROUPS_MAX &&
		       world.posted_count + BATCH_MAX * GROUP_SIZE_MAX <= TRANSFERS_MAX)
			run_batch();
		check_world();
	}
}

static int show_seed(void **state)
{
	(void)state;
	printf("%" PRId64 " decisions; the last world's DALER_SEED=%" PRIu64 "\n", decisions,
	       world_seed);
	return 0;
}

static void test_every_verdict_was_seen(void **state)
{
	(void)state;
	if (decisions < DECISIONS_DEFAULT / 2)
		skip();
	printf("posted %" PRId64 ", replayed %" PRId64 ", refused %" PRId64 "\n",
	       declines_seen[DECLINE_NONE], replays_seen, refusals_seen);
	for (int reason = DECLINE_NONE + 1; reason <= DECLINE_BALANCE_OVERFLOW; reason++) {
		printf("%s %" PRId64 "\n", decline_name((enum decline_reason)reason),
		       declines_seen[reason]);
		assert_true(declines_seen[reason] * 2000 > decisions);
	}
	assert_true(declines_seen[DECLINE_NONE] * 4 > decisions);
	assert_true(replays_seen * 20 > decisions);
	assert_true(refusals_seen * 50 > decisions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_against_the_model, show_seed),
		cmocka_unit_test(test_every_verdict_was_seen),
	};
	return cmocka_run_group_tests_name("accounts_model", tests, NULL, NULL);
}
