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

#include "accounts_reference.h"
#include "rt/clock.h"

#define DECISIONS_DEFAULT 1000000
#define BATCH_MAX         7
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

static const struct rt_uuid ledger = {{9, 9, 9}};
static int64_t decisions;
static uint64_t world_seed;
/* How often each verdict was seen, so that the test shows that it tests. */
static int64_t declines_seen[DECLINE_BALANCE_OVERFLOW + 1], replays_seen,
	refusals_seen[REFUSAL_NOT_DUE + 1];
static int64_t kinds_seen[TRANSFER_EXPIRY + 1];

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
	world.clock_us = 1000;
	for (uint32_t i = 0; i < ACCOUNTS; i++) {
		struct account *account = &world.accounts[i];
		account->id = make_id(1, i);
		memcpy(account->currency, i == ACCOUNTS - 1 ? "USD" : "EUR", 4);
		account->side = chance(50) ? ACCOUNT_DEBIT_NORMAL : ACCOUNT_CREDIT_NORMAL;
		account->lower = random_limit(i == 0 ? 0 : 60, -1);
		account->upper = random_limit(i == 0 ? 0 : 30, 1);
		account->credit_line_minor = chance(20) ? pick(100) : 0;
		account->status = ACCOUNT_ACTIVE;
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

/* A hold (or an original) among what was asked for already, or in this very group. */
static const struct transfer *random_target(const struct ask *own, bool holds)
{
	for (int attempt = 0; attempt < 8; attempt++) {
		const struct ask *from = own;
		if (world.ask_count > 0 && chance(80))
			from = &world.asks[pick((int64_t)world.ask_count)];
		if (from->count == 0)
			continue;
		const struct transfer *transfer = &from->transfers[pick((int64_t)from->count)];
		if (holds == (transfer->kind == TRANSFER_HOLD) || chance(3))
			return transfer;
	}
	return NULL;
}

static void use_a_hold(struct transfer *transfer, const struct transfer *made)
{
	transfer->kind = chance(70) ? TRANSFER_CAPTURE : TRANSFER_RELEASE;
	transfer->keep_open = transfer->kind == TRANSFER_CAPTURE && chance(50);
	transfer->target_id = made->id;
	if (chance(92)) {
		transfer->debit_account_id = made->debit_account_id;
		transfer->credit_account_id = made->credit_account_id;
		memcpy(transfer->currency, made->currency, sizeof(made->currency));
	}
	if (transfer->kind == TRANSFER_RELEASE)
		transfer->amount_minor = 0;
	else if (chance(30))
		transfer->amount_minor = made->amount_minor == 0 ? 1 : made->amount_minor;
	else if (made->amount_minor > 1 && chance(80))
		transfer->amount_minor =
			1 + pick(chance(50) ? made->amount_minor : made->amount_minor / 2 + 1);
}

static void reverse(struct transfer *transfer, const struct transfer *original)
{
	transfer->kind = TRANSFER_REVERSAL;
	transfer->target_id = original->id;
	if (chance(92)) {
		transfer->debit_account_id = original->credit_account_id;
		transfer->credit_account_id = original->debit_account_id;
		memcpy(transfer->currency, original->currency, sizeof(original->currency));
	}
	if (original->amount_minor > 0 && chance(80))
		transfer->amount_minor = 1 + pick(chance(50) ? original->amount_minor
							     : original->amount_minor / 2 + 1);
}

static enum transfer_kind random_kind(void)
{
	int64_t at = pick(100);
	return at < 55 ? TRANSFER_DIRECT : at < 88 ? TRANSFER_HOLD : TRANSFER_BALANCING;
}

static int64_t random_expiry(void)
{
	if (chance(4))
		return chance(50) ? world.clock_us - pick(5) : INT64_MAX;
	return world.clock_us + 1 + pick(30);
}

static struct transfer random_transfer(const struct ask *own)
{
	struct transfer transfer = {
		.id = make_id(2, world.next_id++),
		.debit_account_id = random_account(),
		.amount_minor = random_amount(),
		.kind = random_kind(),
		.reference = chance(80) ? "" : "r",
	};
	do {
		transfer.credit_account_id = random_account();
	} while (rt_uuid_equal(&transfer.credit_account_id, &transfer.debit_account_id));
	memcpy(transfer.currency, chance(96) ? "EUR" : "USD", 4);
	bool holds = chance(65);
	const struct transfer *target = chance(45) ? random_target(own, holds) : NULL;
	if (target != NULL && holds)
		use_a_hold(&transfer, target);
	else if (target != NULL)
		reverse(&transfer, target);
	if (transfer.kind == TRANSFER_HOLD && chance(50))
		transfer.expires_us = random_expiry();
	return transfer;
}

/* What the ledger itself asks for, of a hold that is due or not; its id depends on the hold's
 * alone. */
static bool random_expiry_ask(struct ask *ask)
{
	const struct transfer *made = random_target(ask, true);
	if (made == NULL)
		return false;
	struct transfer transfer = {.id = rt_uuid_derive(&made->id, "expiry"),
				    .debit_account_id = made->debit_account_id,
				    .credit_account_id = made->credit_account_id,
				    .target_id = made->id,
				    .kind = TRANSFER_EXPIRY,
				    .reference = ""};
	memcpy(transfer.currency, made->currency, sizeof(made->currency));
	*ask = (struct ask){.transfers = {transfer}, .count = 1};
	return true;
}

static void spoil(struct ask *ask)
{
	size_t at = (size_t)pick((int64_t)ask->count);
	switch (pick(5)) {
	case 0:
		if (ask->transfers[at].amount_minor != 0)
			ask->transfers[at].amount_minor +=
				ask->transfers[at].amount_minor == INT64_MAX ? -1 : 1;
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
	if (chance(12) && random_expiry_ask(&ask))
		return ask;
	size_t count = chance(60) ? 1 : 1 + (size_t)pick(GROUP_SIZE_MAX);
	for (; ask.count < count; ask.count++)
		ask.transfers[ask.count] = random_transfer(&ask);
	return ask;
}

/* ---- the engine's side: as the store reads and writes ---- */

static bool asks_for(const struct ask *asks, size_t count, const struct rt_uuid *transfer_id)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < asks[i].count; j++)
			if (rt_uuid_equal(&asks[i].transfers[j].id, transfer_id))
				return true;
	return false;
}

static bool names(const struct ask *asks, size_t count, const struct rt_uuid *target_id)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < asks[i].count; j++)
			if (rt_uuid_equal(&asks[i].transfers[j].target_id, target_id))
				return true;
	return false;
}

static void load_original(struct book *book, const struct posted_transfer *posted)
{
	struct original original = {.id = posted->transfer.id,
				    .debit_account_id = posted->transfer.debit_account_id,
				    .credit_account_id = posted->transfer.credit_account_id,
				    .moved_minor = posted->moved_minor,
				    .kind = posted->transfer.kind};
	for (size_t i = 0; i < world.reversed_count; i++)
		if (rt_uuid_equal(&world.reversed[i].id, &original.id))
			original.reversed_minor = world.reversed[i].reversed_minor;
	ok(book_add_original(book, &original));
}

static void load(struct book *book, const struct ask *asks, size_t count)
{
	for (size_t i = 0; i < ACCOUNTS; i++)
		ok(book_add_account(book, &world.stored_accounts[i]));
	for (size_t i = 0; i < world.row_count; i++)
		if (asks_for(asks, count, &world.rows[i].posted.transfer.id))
			ok(book_add_posted(book, &world.rows[i].posted, world.rows[i].hash,
					   world.rows[i].count));
	for (size_t i = 0; i < world.declined_count; i++)
		if (asks_for(asks, count, &world.declined[i].transfer_id))
			ok(book_add_declined(book, &world.declined[i]));
	for (size_t i = 0; i < world.hold_count; i++)
		if (names(asks, count, &world.holds[i].id))
			ok(book_add_hold(book, &world.holds[i]));
	for (size_t i = 0; i < world.row_count; i++)
		if (names(asks, count, &world.rows[i].posted.transfer.id))
			load_original(book, &world.rows[i].posted);
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
						   .cause_side = record->cause_side,
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

static void store_reversed(const struct original *original)
{
	size_t at = 0;
	while (at < world.reversed_count && !rt_uuid_equal(&world.reversed[at].id, &original->id))
		at++;
	world.reversed[at] = *original;
	if (at == world.reversed_count)
		world.reversed_count++;
}

static void store_account(const struct account *account)
{
	for (size_t i = 0; i < ACCOUNTS; i++) {
		if (rt_uuid_equal(&world.stored_accounts[i].id, &account->id)) {
			world.stored_accounts[i] = *account;
			world.stored_accounts[i].last_entry_us = world.now_us;
		}
	}
}

static void store_book(const struct book *book)
{
	for (const struct group_record *record = book->first_new; record != NULL;
	     record = record->next_new)
		store_group(record);
	for (const struct book_hold *entry = book->first_hold; entry != NULL;
	     entry = entry->next_changed)
		store_hold(entry);
	for (const struct book_original *entry = book->first_original; entry != NULL;
	     entry = entry->next_changed)
		store_reversed(&entry->original);
	for (const struct book_account *entry = book->first_account; entry != NULL;
	     entry = entry->next_changed)
		store_account(&entry->account);
}

/* ---- comparing ---- */

static void compare(const struct outcome *outcome, const struct ask *expected, bool replayed,
		    enum refusal refusal)
{
	decisions++;
	if (expected == NULL) {
		assert_null(outcome->record);
		assert_int_equal(outcome->refusal, refusal);
		refusals_seen[refusal]++;
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
		assert_int_equal(record->cause_side, expected->cause_side);
		return;
	}
	for (size_t i = 0; i < record->count; i++) {
		const struct posted_transfer *posted = &record->transfers[i];
		assert_true(rt_uuid_equal(&posted->transfer.id, &expected->transfers[i].id));
		assert_int_equal(posted->transfer.amount_minor,
				 expected->transfers[i].amount_minor);
		assert_int_equal(posted->moved_minor, expected->moved_minor[i]);
		kinds_seen[posted->transfer.kind]++;
		assert_memory_equal(&posted->debit.after, &expected->debit[i],
				    sizeof(expected->debit[i]));
		assert_memory_equal(&posted->credit.after, &expected->credit[i],
				    sizeof(expected->credit[i]));
	}
}

/* Between batches accounts are frozen and freed again, the clock goes on, and sometimes back. */
static void let_time_pass(void)
{
	if (chance(15)) {
		size_t at = (size_t)pick(ACCOUNTS);
		enum account_status status =
			chance(60) ? ACCOUNT_ACTIVE : (enum account_status)(1 + pick(4));
		world.accounts[at].status = status;
		world.stored_accounts[at].status = status;
	}
	world.clock_us += chance(10) ? -pick(10) : pick(12);
	world.now_us = world.clock_us;
	for (size_t i = 0; i < world.posted_count; i++)
		if (world.now_us < world.posted[i].at_us)
			world.now_us = world.posted[i].at_us;
}

static void run_batch(void)
{
	static struct ask asks[BATCH_MAX];
	struct group groups[BATCH_MAX];
	struct rt_arena arena;
	struct book book;
	size_t count = 1 + (size_t)pick(BATCH_MAX);
	struct book_size size = {.accounts = ACCOUNTS};
	let_time_pass();
	for (size_t i = 0; i < count; i++) {
		asks[i] = i > 0 && chance(10) ? asks[pick((int64_t)i)] : random_ask();
		groups[i] = (struct group){.transfers = asks[i].transfers, .count = asks[i].count};
		group_fill_hash(&groups[i], &ledger);
		size.transfers += asks[i].count;
		size.holds += asks[i].count;
		size.originals += asks[i].count;
	}
	rt_arena_init(&arena, ARENA_BYTES);
	ok(book_init(&book, &arena, &size));
	load(&book, asks, count);
	book_set_time(&book, world.clock_us);
	for (size_t i = 0; i < count; i++) {
		struct outcome outcome;
		bool replayed;
		enum refusal refusal;
		ok(book_decide(&book, &groups[i], &outcome));
		const struct ask *expected = model_decide(&asks[i], &replayed, &refusal);
		compare(&outcome, expected, replayed, refusal);
	}
	store_book(&book);
	rt_arena_deinit(&arena);
}

static void check_state(const struct account *account, const struct account_state *state)
{
	int64_t least = account_available_minor(account->side, &state->totals);
	int64_t most = account_ceiling_minor(account->side, &state->totals);
	assert_true(!account->lower.set ||
		    least >= account->lower.amount_minor - account->credit_line_minor);
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
		       world.posted_count + (size_t)BATCH_MAX * GROUP_SIZE_MAX <= TRANSFERS_MAX)
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
	printf("posted %" PRId64 ", replayed %" PRId64 "\n", declines_seen[DECLINE_NONE],
	       replays_seen);
	for (int kind = TRANSFER_DIRECT; kind <= TRANSFER_EXPIRY; kind++) {
		printf("kind %d %" PRId64 "\n", kind, kinds_seen[kind]);
		assert_true(kinds_seen[kind] * 200 > decisions);
	}
	for (int refusal = REFUSAL_MISMATCH; refusal <= REFUSAL_NOT_DUE; refusal++) {
		printf("refusal %d %" PRId64 "\n", refusal, refusals_seen[refusal]);
		assert_true(refusals_seen[refusal] * 200 > decisions);
	}
	for (int reason = DECLINE_NONE + 1; reason <= DECLINE_BALANCE_OVERFLOW; reason++) {
		printf("%s %" PRId64 "\n", decline_name((enum decline_reason)reason),
		       declines_seen[reason]);
		assert_true(declines_seen[reason] * 5000 > decisions);
	}
	assert_true(declines_seen[DECLINE_NONE] * 6 > decisions);
	assert_true(replays_seen * 20 > decisions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_against_the_model, show_seed),
		cmocka_unit_test(test_every_verdict_was_seen),
	};
	return cmocka_run_group_tests_name("accounts_model", tests, NULL, NULL);
}
