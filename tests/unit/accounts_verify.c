/* Changes of accounts, assets, open holds, and going through an account's entries again: the pure
 * parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/amendment.h"
#include "domain/asset.h"
#include "domain/open_holds.h"
#include "domain/verify.h"

static struct rt_uuid id(uint32_t number)
{
	struct rt_uuid uuid = {0};
	memcpy(uuid.bytes + 12, &number, sizeof(number));
	return uuid;
}

static void assert_reason(struct rt_status status, enum rt_code code, const char *reason)
{
	assert_int_equal(status.code, code);
	if (code != RT_OK)
		assert_string_equal(status.reason, reason);
}

static struct account_record wallet(int64_t credits_minor, int64_t pending_debits_minor)
{
	return (struct account_record){
		.version = 3,
		.label = "wallet",
		.account = {.id = id(1),
			    .side = ACCOUNT_CREDIT_NORMAL,
			    .status = ACCOUNT_ACTIVE,
			    .lower = {.set = true},
			    .state = {.sequence = 2,
				      .totals = {.credits_posted_minor = credits_minor,
						 .debits_pending_minor = pending_debits_minor}}},
	};
}

static struct amendment amendment_of(unsigned fields)
{
	return (struct amendment){
		.expected_version = 3, .fields = fields, .label = "", .status = ACCOUNT_ACTIVE};
}

static void test_mask(void **state)
{
	(void)state;
	assert_int_equal(amendment_field_of("label"), AMEND_LABEL);
	assert_int_equal(amendment_field_of("credit_line_minor"), AMEND_CREDIT_LINE);
	assert_int_equal(amendment_field_of("owner"), 0);
	assert_int_equal(amendment_field_of(""), 0);
}

static void test_amendment_checks(void **state)
{
	(void)state;
	struct amendment amendment = amendment_of(0);
	assert_reason(amendment_check(&amendment), RT_INVALID_ARGUMENT, "INVALID_FIELD");
	amendment = amendment_of(AMEND_LABEL);
	assert_reason(amendment_check(&amendment), RT_OK, NULL);
	amendment.expected_version = 0;
	assert_reason(amendment_check(&amendment), RT_INVALID_ARGUMENT, "INVALID_FIELD");
	amendment = amendment_of(AMEND_STATUS);
	amendment.status = (enum account_status)0;
	assert_reason(amendment_check(&amendment), RT_INVALID_ARGUMENT, "INVALID_FIELD");
	amendment = amendment_of(AMEND_CREDIT_LINE);
	amendment.credit_line_minor = -1;
	assert_reason(amendment_check(&amendment), RT_INVALID_ARGUMENT, "INVALID_AMOUNT");
	amendment = amendment_of(AMEND_LOWER_LIMIT | AMEND_UPPER_LIMIT);
	amendment.lower = (struct account_limit){true, 1};
	amendment.upper = (struct account_limit){true, 0};
	assert_reason(amendment_check(&amendment), RT_INVALID_ARGUMENT, "LIMITS_CONTRADICT");
	amendment.fields = AMEND_LOWER_LIMIT;
	assert_reason(amendment_check(&amendment), RT_OK, NULL);
}

static void check_apply(const struct amendment *amendment, const struct account_record *before,
			enum rt_code code, const char *reason)
{
	struct account_record after;
	assert_reason(amendment_apply(amendment, before, &after), code, reason);
	if (code == RT_OK)
		assert_int_equal(after.version, before->version + 1);
}

static void test_limits_against_the_balance(void **state)
{
	(void)state;
	const struct account_record before = wallet(1000, 300);
	struct amendment amendment = amendment_of(AMEND_LOWER_LIMIT);
	amendment.lower = (struct account_limit){true, 700};
	check_apply(&amendment, &before, RT_OK, NULL);
	amendment.lower.amount_minor = 701;
	check_apply(&amendment, &before, RT_FAILED_PRECONDITION, "BALANCE_BELOW_LIMIT");
	amendment.fields |= AMEND_CREDIT_LINE;
	amendment.credit_line_minor = 1;
	check_apply(&amendment, &before, RT_OK, NULL);
	amendment = amendment_of(AMEND_UPPER_LIMIT);
	amendment.upper = (struct account_limit){true, 1000};
	check_apply(&amendment, &before, RT_OK, NULL);
	amendment.upper.amount_minor = 999;
	check_apply(&amendment, &before, RT_FAILED_PRECONDITION, "BALANCE_ABOVE_LIMIT");
	amendment.upper.amount_minor = -1;
	check_apply(&amendment, &before, RT_FAILED_PRECONDITION, "LIMITS_CONTRADICT");
	amendment = amendment_of(AMEND_LOWER_LIMIT | AMEND_CREDIT_LINE);
	amendment.lower = (struct account_limit){true, -2};
	amendment.credit_line_minor = INT64_MAX;
	check_apply(&amendment, &before, RT_FAILED_PRECONDITION, "LIMITS_CONTRADICT");
}

static void test_versions_and_closing(void **state)
{
	(void)state;
	struct amendment amendment = amendment_of(AMEND_STATUS);
	amendment.status = ACCOUNT_CLOSED;
	struct account_record before = wallet(1, 0);
	check_apply(&amendment, &before, RT_FAILED_PRECONDITION, "ACCOUNT_NOT_EMPTY");
	before = wallet(0, 0);
	before.account.state.totals.credits_pending_minor = 1;
	check_apply(&amendment, &before, RT_FAILED_PRECONDITION, "ACCOUNT_HAS_HOLDS");
	before = wallet(0, 0);
	check_apply(&amendment, &before, RT_OK, NULL);
	before.account.status = ACCOUNT_CLOSED;
	check_apply(&amendment, &before, RT_FAILED_PRECONDITION, "ACCOUNT_CLOSED");
	amendment.expected_version = 2;
	check_apply(&amendment, &before, RT_ABORTED, "VERSION_CONFLICT");
}

static void test_amendment_hash(void **state)
{
	(void)state;
	uint8_t hash[AMENDMENT_HASH_BYTES], other[AMENDMENT_HASH_BYTES];
	struct amendment amendment = amendment_of(AMEND_LABEL);
	amendment.label = "a";
	amendment_hash(&amendment, hash);
	amendment.credit_line_minor = 7; /* not named: no part of the change */
	amendment_hash(&amendment, other);
	assert_memory_equal(hash, other, sizeof(hash));
	amendment.fields |= AMEND_CREDIT_LINE;
	amendment_hash(&amendment, other);
	assert_memory_not_equal(hash, other, sizeof(hash));
	amendment.fields = AMEND_LABEL;
	amendment.expected_version++;
	amendment_hash(&amendment, other);
	assert_memory_not_equal(hash, other, sizeof(hash));
}

static void test_assets(void **state)
{
	(void)state;
	assert_reason(asset_check(&(struct asset){.code = "GOLD", .exponent = 18}), RT_OK, NULL);
	assert_reason(asset_check(&(struct asset){.code = "EUR"}), RT_INVALID_ARGUMENT,
		      "INVALID_CURRENCY");
	assert_reason(asset_check(&(struct asset){.code = "9AB"}), RT_INVALID_ARGUMENT,
		      "INVALID_CURRENCY");
	assert_reason(asset_check(&(struct asset){.code = "GOLD", .exponent = 19}),
		      RT_INVALID_ARGUMENT, "INVALID_FIELD");
}

/* Against a plain array, over many random additions and removals. */
static void test_open_holds(void **state)
{
	(void)state;
	enum { IDS = 600 };
	bool there[IDS] = {false};
	struct rt_arena arena;
	struct open_holds holds;
	rt_arena_init(&arena, 1 << 20);
	assert_true(open_holds_init(&holds, &arena, IDS));
	uint32_t random = 12345;
	for (size_t step = 0; step < 100000; step++) {
		random = random * 1664525 + 1013904223;
		uint32_t number = (random >> 8) % IDS;
		struct rt_uuid one = id(number);
		struct open_hold *hold = open_holds_find(&holds, &one);
		assert_int_equal(hold != NULL, there[number]);
		if (hold != NULL)
			assert_int_equal(hold->amount_minor, number + 1);
		if (hold != NULL)
			open_holds_remove(&holds, hold);
		else
			assert_true(open_holds_add(&holds, &one, number + 1, true));
		there[number] = !there[number];
	}
	rt_arena_deinit(&arena);
}

struct seen {
	size_t count;
	struct discrepancy discrepancies[16];
	size_t hold_count;
	struct verify_hold holds[16];
	size_t reversal_count;
	struct rt_uuid last_original;
};

static void take_discrepancy(void *context, const struct discrepancy *discrepancy)
{
	struct seen *seen = context;
	assert_true(seen->count < 16);
	seen->discrepancies[seen->count++] = *discrepancy;
}

static void take_hold(void *context, const struct verify_hold *hold)
{
	struct seen *seen = context;
	assert_true(seen->hold_count < 16);
	seen->holds[seen->hold_count++] = *hold;
}

static void take_reversal(void *context, const struct rt_uuid *original_id)
{
	struct seen *seen = context;
	seen->reversal_count++;
	seen->last_original = *original_id;
}

enum { ENTRIES = 6 };

/* In: 1,000; out: a hold of 300, 100 of it captured, 120 directly, the rest of the hold released;
 * and one that stands. */
static void make_history(struct verify_entry entries[ENTRIES])
{
	static const struct {
		enum transfer_kind kind;
		int64_t moved_minor, credits, debits, pending;
		uint32_t target;
		bool keep_open;
	} rows[ENTRIES] = {
		{TRANSFER_DIRECT, 1000, 1000, 0, 0, 0, false},
		{TRANSFER_HOLD, 300, 1000, 0, 300, 0, false},
		{TRANSFER_CAPTURE, 100, 1000, 100, 200, 2, true},
		{TRANSFER_DIRECT, 120, 1000, 220, 200, 0, false},
		{TRANSFER_RELEASE, 200, 1000, 220, 0, 2, false},
		{TRANSFER_HOLD, 50, 1000, 220, 50, 0, false},
	};
	for (uint32_t i = 0; i < ENTRIES; i++)
		entries[i] = (struct verify_entry){
			.transfer_id = id(i + 1),
			.target_id = id(rows[i].target),
			.kind = rows[i].kind,
			.moved_minor = rows[i].moved_minor,
			.keep_open = rows[i].keep_open,
			.is_debit = i > 0,
			.currency = "EUR",
			.created_us = 100 + i / 2,
			.after = {.sequence = i + 1,
				  .totals = {.credits_posted_minor = rows[i].credits,
					     .debits_posted_minor = rows[i].debits,
					     .debits_pending_minor = rows[i].pending}},
		};
}

static void walk(const struct verify_entry *entries, const struct verify_limits *limits,
		 size_t limit_count, struct seen *seen)
{
	struct account_record record = wallet(1000, 50);
	memcpy(record.account.currency, "EUR", 4);
	record.account.last_entry_us = 102;
	record.account.state = (struct account_state){.sequence = ENTRIES,
						      .totals = {.credits_posted_minor = 1000,
								 .debits_posted_minor = 220,
								 .debits_pending_minor = 50}};
	const struct verify_sink sink = {.found = take_discrepancy,
					 .hold = take_hold,
					 .reversal = take_reversal,
					 .context = seen};
	struct rt_arena arena;
	struct verify_walk walked;
	*seen = (struct seen){0};
	rt_arena_init(&arena, 1 << 16);
	assert_reason(verify_begin(&walked, &record.account, limits, limit_count, 8, &arena, &sink),
		      RT_OK, NULL);
	for (size_t i = 0; i < ENTRIES; i++)
		assert_reason(verify_entry_next(&walked, &entries[i]), RT_OK, NULL);
	verify_end(&walked, &record.account);
	rt_arena_deinit(&arena);
}

static const struct verify_limits at_least_zero = {.lower = {.set = true}};

static void test_a_right_history(void **state)
{
	(void)state;
	struct verify_entry entries[ENTRIES];
	struct seen seen;
	make_history(entries);
	walk(entries, &at_least_zero, 1, &seen);
	assert_int_equal(seen.count, 0);
	assert_int_equal(seen.hold_count, 2);
	assert_int_equal(seen.holds[0].state, HOLD_RELEASED);
	assert_int_equal(seen.holds[0].captured_minor, 100);
	assert_int_equal(seen.holds[1].state, HOLD_PENDING);
}

static void check_found(const struct seen *seen, size_t place, enum discrepancy_reason reason,
			uint32_t transfer)
{
	struct rt_uuid transfer_id = id(transfer);
	assert_true(place < seen->count);
	assert_int_equal(seen->discrepancies[place].reason, reason);
	assert_true(rt_uuid_equal(&seen->discrepancies[place].transfer_id, &transfer_id));
}

static void test_wrong_histories(void **state)
{
	(void)state;
	struct verify_entry entries[ENTRIES];
	struct seen seen;
	make_history(entries);
	entries[3].moved_minor = 121;
	walk(entries, &at_least_zero, 1, &seen);
	assert_int_equal(seen.count, 2);
	check_found(&seen, 0, DISCREPANCY_BALANCE_AFTER_DIFFERS, 4);
	check_found(&seen, 1, DISCREPANCY_TOTALS_DIFFER, 0);

	make_history(entries);
	entries[5].after.sequence = 9;
	walk(entries, &at_least_zero, 1, &seen);
	assert_int_equal(seen.count, 2);
	check_found(&seen, 0, DISCREPANCY_SEQUENCE_GAP, 6);
	check_found(&seen, 1, DISCREPANCY_SEQUENCE_GAP, 0);

	make_history(entries);
	entries[4].target_id = id(77);
	walk(entries, &at_least_zero, 1, &seen);
	assert_int_equal(seen.count, 1);
	check_found(&seen, 0, DISCREPANCY_HOLD_DIFFERS, 5);

	make_history(entries);
	entries[1].after.totals.debits_pending_minor = INT64_MAX;
	walk(entries, &at_least_zero, 1, &seen);
	check_found(&seen, 0, DISCREPANCY_BALANCE_AFTER_DIFFERS, 2);
}

static void test_currencies_and_times(void **state)
{
	(void)state;
	struct verify_entry entries[ENTRIES];
	struct seen seen;
	make_history(entries);
	memcpy(entries[3].currency, "USD", 4);
	walk(entries, &at_least_zero, 1, &seen);
	assert_int_equal(seen.count, 1);
	check_found(&seen, 0, DISCREPANCY_CURRENCY_DIFFERS, 4);

	make_history(entries);
	entries[2].created_us = 103;
	walk(entries, &at_least_zero, 1, &seen);
	assert_int_equal(seen.count, 1);
	check_found(&seen, 0, DISCREPANCY_TIME_DIFFERS, 4);

	make_history(entries);
	entries[ENTRIES - 1].created_us = 103;
	walk(entries, &at_least_zero, 1, &seen);
	assert_int_equal(seen.count, 1);
	check_found(&seen, 0, DISCREPANCY_TIME_DIFFERS, 0);
}

/* Told once: by the account that gives back. */
static void test_reversals_are_told(void **state)
{
	(void)state;
	struct verify_entry entries[ENTRIES];
	struct seen seen;
	const struct rt_uuid original_id = id(77);
	make_history(entries);
	entries[0].kind = TRANSFER_REVERSAL;
	walk(entries, &at_least_zero, 1, &seen);
	assert_int_equal(seen.reversal_count, 0);
	entries[3].kind = TRANSFER_REVERSAL;
	entries[3].target_id = original_id;
	walk(entries, &at_least_zero, 1, &seen);
	assert_int_equal(seen.count, 0);
	assert_int_equal(seen.reversal_count, 1);
	assert_true(rt_uuid_equal(&seen.last_original, &original_id));
}

enum { MANY = 600, TOGETHER = 7 };

/* So many holds of 10 each, captured by 3 in the order of their ids, and every second one released
 * in the opposite one. */
static size_t make_many(struct verify_entry entries[3 * MANY])
{
	size_t count = 0;
	struct account_totals totals = {0};
	for (uint32_t i = 0; i < 3 * MANY; i++) {
		uint32_t hold = i < 2 * MANY ? i % MANY : 3 * MANY - 1 - i;
		struct verify_entry entry = {
			.transfer_id = id(i < MANY ? hold + 1 : 10000 + i),
			.target_id = id(i < MANY ? 0 : hold + 1),
			.is_debit = true,
			.currency = "EUR",
			.created_us = 1,
		};
		if (i < MANY)
			entry.kind = TRANSFER_HOLD, entry.moved_minor = 10;
		else if (i < 2 * MANY)
			entry.kind = TRANSFER_CAPTURE, entry.moved_minor = 3,
			entry.keep_open = true;
		else if (hold % 2 == 0)
			entry.kind = TRANSFER_RELEASE, entry.moved_minor = 7;
		else
			continue;
		totals.debits_posted_minor += entry.kind == TRANSFER_CAPTURE ? 3 : 0;
		totals.debits_pending_minor += i < MANY ? 10 : -entry.moved_minor;
		entry.after =
			(struct account_state){.sequence = (int64_t)count + 1, .totals = totals};
		entries[count++] = entry;
	}
	return count;
}

struct many {
	size_t found;
	enum discrepancy_reason last;
	uint8_t told[MANY + 1][4]; /* how often, of each hold, in each state */
};

static void count_found(void *context, const struct discrepancy *discrepancy)
{
	struct many *many = context;
	many->found++;
	many->last = discrepancy->reason;
}

static void count_hold(void *context, const struct verify_hold *hold)
{
	struct many *many = context;
	uint32_t number;
	memcpy(&number, hold->id.bytes + 12, sizeof(number));
	assert_int_equal(hold->amount_minor, 10);
	assert_int_equal(hold->captured_minor, 3);
	assert_int_equal(many->told[number][hold->state - 1]++, 0);
}

/* Returns how often the entries were gone through. */
static size_t walk_many(const struct verify_entry *entries, size_t count, size_t together,
			struct many *many)
{
	struct account_record record = wallet(0, 0);
	memcpy(record.account.currency, "EUR", 4);
	record.account.last_entry_us = 1;
	record.account.lower.set = false;
	record.account.state = entries[count - 1].after;
	const struct verify_limits limits = {0};
	const struct verify_sink sink = {.found = count_found, .hold = count_hold, .context = many};
	struct rt_arena arena;
	struct verify_walk walked;
	size_t walks = 0;
	*many = (struct many){0};
	rt_arena_init(&arena, 1 << 20);
	assert_reason(verify_begin(&walked, &record.account, &limits, 1, together, &arena, &sink),
		      RT_OK, NULL);
	do {
		for (size_t i = 0; i < count; i++)
			assert_reason(verify_entry_next(&walked, &entries[i]), RT_OK, NULL);
		verify_end(&walked, &record.account);
		walks++;
	} while (verify_again(&walked));
	rt_arena_deinit(&arena);
	return walks;
}

/* More holds than may be followed at once: each is told once, as if there were room for all. */
static void test_many_holds(void **state)
{
	(void)state;
	static struct verify_entry entries[3 * MANY];
	static struct many many;
	size_t count = make_many(entries);
	assert_int_equal(walk_many(entries, count, MANY, &many), 1);
	assert_int_equal(many.found, 0);
	assert_true(walk_many(entries, count, TOGETHER, &many) >= MANY / TOGETHER);
	assert_int_equal(many.found, 0);
	for (uint32_t hold = 1; hold <= MANY; hold++) {
		bool released = hold % 2 == 1; /* they are numbered from 1 on */
		assert_int_equal(many.told[hold][HOLD_RELEASED - 1], released);
		assert_int_equal(many.told[hold][HOLD_PENDING - 1], !released);
	}
}

/* What is wrong with a hold is told once too, whichever walk follows it. */
static void test_wrong_among_many_holds(void **state)
{
	(void)state;
	static struct verify_entry entries[3 * MANY];
	static struct many many;
	size_t count = make_many(entries);
	for (size_t i = (size_t)2 * MANY; i < count; i += 10) {
		struct verify_entry right = entries[i];
		entries[i].target_id = id(9999);
		walk_many(entries, count, TOGETHER, &many);
		assert_int_equal(many.found, 1);
		assert_int_equal(many.last, DISCREPANCY_HOLD_DIFFERS);
		entries[i] = right;
	}
	entries[MANY + 5].after.sequence++;
	walk_many(entries, count, TOGETHER, &many);
	assert_int_equal(many.found, 2);
	assert_int_equal(many.last, DISCREPANCY_SEQUENCE_GAP);
}

/* What version an account with these two changes, perhaps spoiled, does not follow at. */
static int64_t broken_version(void (*spoil)(struct account_record *record,
					    struct verify_values values[3], int64_t versions[2]))
{
	struct account_record record = wallet(0, 0);
	uint8_t hash[ACCOUNT_HASH_BYTES];
	struct verify_history history;
	struct verify_values values[3] = {
		{.status = ACCOUNT_ACTIVE, .lower = {.set = true}, .label = "new"},
		{.status = ACCOUNT_FROZEN, .lower = {.set = true}, .label = "new"},
		{.status = ACCOUNT_ACTIVE, .lower = {.set = true}, .label = "wallet"},
	};
	int64_t versions[2] = {2, 3};
	record.owner = "anna";
	struct account_record created = record;
	created.label = values[0].label;
	account_hash(&created, hash);
	if (spoil != NULL)
		spoil(&record, values, versions);
	verify_history_begin(&history, &record);
	verify_history_next(&history, versions[0], 0, &values[0], &values[1]);
	const struct verify_values before = {
		.status = ACCOUNT_FROZEN, .lower = {.set = true}, .label = "new"};
	verify_history_next(&history, versions[1], 0, &before, &values[2]);
	return verify_history_end(&history, &record, hash);
}

static void spoil_owner(struct account_record *record, struct verify_values values[3],
			int64_t versions[2])
{
	(void)values;
	(void)versions;
	record->owner = "bert";
}

static void spoil_creation(struct account_record *record, struct verify_values values[3],
			   int64_t versions[2])
{
	(void)record;
	(void)versions;
	values[0].lower.set = false;
}

static void spoil_first_status(struct account_record *record, struct verify_values values[3],
			       int64_t versions[2])
{
	(void)record;
	(void)versions;
	values[0].status = ACCOUNT_FROZEN;
}

static void spoil_between(struct account_record *record, struct verify_values values[3],
			  int64_t versions[2])
{
	(void)record;
	(void)versions;
	values[1].status = ACCOUNT_BLOCKED;
}

static void spoil_version(struct account_record *record, struct verify_values values[3],
			  int64_t versions[2])
{
	(void)values;
	versions[1] = 4;
	record->version = 4;
}

static void spoil_limit(struct account_record *record, struct verify_values values[3],
			int64_t versions[2])
{
	(void)values;
	(void)versions;
	record->account.upper = (struct account_limit){true, 5};
}

static void spoil_row_version(struct account_record *record, struct verify_values values[3],
			      int64_t versions[2])
{
	(void)values;
	(void)versions;
	record->version = 9;
}

static void test_changes(void **state)
{
	(void)state;
	assert_int_equal(broken_version(NULL), 0);
	assert_int_equal(broken_version(spoil_owner), 1);
	assert_int_equal(broken_version(spoil_creation), 1);
	assert_int_equal(broken_version(spoil_first_status), 1);
	assert_int_equal(broken_version(spoil_between), 3);
	assert_int_equal(broken_version(spoil_version), 4);
	assert_int_equal(broken_version(spoil_limit), 3);
	assert_int_equal(broken_version(spoil_row_version), 9);
}

static void test_limits_of_their_time(void **state)
{
	(void)state;
	struct verify_entry entries[ENTRIES];
	struct seen seen;
	const struct verify_limits limits[] = {
		{.upper = {true, 1000}},
		{.after_sequence = 1, .lower = {true, 701}},
		{.after_sequence = 2, .lower = {true, 800}, .credit_line_minor = 219}};
	make_history(entries);
	walk(entries, limits, 3, &seen);
	assert_int_equal(seen.count, 2);
	check_found(&seen, 0, DISCREPANCY_LIMIT_PASSED, 2);
	check_found(&seen, 1, DISCREPANCY_LIMIT_PASSED, 4);
	const struct verify_limits low = {.upper = {true, 999}};
	walk(entries, &low, 1, &seen);
	assert_int_equal(seen.count, 1);
	check_found(&seen, 0, DISCREPANCY_LIMIT_PASSED, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_amendment_checks),
		cmocka_unit_test(test_limits_against_the_balance),
		cmocka_unit_test(test_versions_and_closing),
		cmocka_unit_test(test_amendment_hash),
		cmocka_unit_test(test_assets),
		cmocka_unit_test(test_open_holds),
		cmocka_unit_test(test_a_right_history),
		cmocka_unit_test(test_wrong_histories),
		cmocka_unit_test(test_currencies_and_times),
		cmocka_unit_test(test_reversals_are_told),
		cmocka_unit_test(test_many_holds),
		cmocka_unit_test(test_wrong_among_many_holds),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_limits_of_their_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
