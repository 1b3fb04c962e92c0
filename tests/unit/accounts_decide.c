/* What becomes of a group: each reason to decline, the life of a hold, limits, the edges of
 * numbers, replays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "accounts_desk.h"

static void test_direct(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	const struct group_record *record = must_post(desk, direct(10, 1, 2, 500));
	const struct posted_transfer *posted = &record->transfers[0];
	assert_true(rt_uuid_equal(&posted->group_id, &posted->transfer.id));
	assert_int_equal(posted->created_us, NOW_US);
	assert_int_equal(posted->debit.after.totals.debits_posted_minor, 500);
	assert_int_equal(posted->debit.after.sequence, 1);
	assert_int_equal(posted->debit.normal, ACCOUNT_DEBIT_NORMAL);
	assert_int_equal(posted->credit.after.totals.credits_posted_minor, 500);
	assert_int_equal(posted->credit.normal, ACCOUNT_CREDIT_NORMAL);
	must_post(desk, direct(11, 2, 3, 200));
	assert_money(desk, 1, 500, 500, 1);
	assert_money(desk, 2, 300, 300, 2);
	assert_money(desk, 3, 200, 200, 1);
	assert_int_equal(desk->book.counts.posted_transfers, 2);
	assert_int_equal(desk->book.counts.accounts_changed, 3);
}

static void test_no_account(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_decline(desk, direct(10, 1, 77, 5), DECLINE_ACCOUNT_NOT_FOUND);
	must_decline(desk, direct(11, 77, 1, 5), DECLINE_ACCOUNT_NOT_FOUND);
	assert_int_equal(desk->book.counts.declined_transfers, 2);
	assert_int_equal(desk->book.counts.accounts_changed, 0);
}

static void test_currencies_differ(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	open_account(desk, (struct account){
				   .id = id(4), .side = ACCOUNT_CREDIT_NORMAL, .currency = "USD"});
	struct transfer transfer = direct(10, 1, 2, 5);
	memcpy(transfer.currency, "USD", 4);
	must_decline(desk, transfer, DECLINE_CURRENCY_MISMATCH);
	must_decline(desk, direct(11, 1, 4, 5), DECLINE_CURRENCY_MISMATCH);
	must_decline(desk, direct(12, 4, 1, 5), DECLINE_CURRENCY_MISMATCH);
}

static void test_funds(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, direct(10, 1, 2, 100));
	must_decline(desk, direct(11, 2, 3, 101), DECLINE_INSUFFICIENT_FUNDS);
	must_post(desk, direct(12, 2, 3, 100));
	must_decline(desk, direct(13, 2, 3, 1), DECLINE_INSUFFICIENT_FUNDS);
	assert_money(desk, 2, 0, 0, 2);
}

/* A debit-normal account is hurt below by credits, and above by debits. */
static void test_limits_of_a_debit_account(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	open_account(desk, (struct account){.id = id(4),
					    .side = ACCOUNT_DEBIT_NORMAL,
					    .lower = limit(-50),
					    .upper = limit(100)});
	must_decline(desk, direct(10, 4, 1, 101), DECLINE_LIMIT_EXCEEDED);
	must_post(desk, direct(11, 4, 1, 100));
	must_decline(desk, direct(12, 4, 1, 1), DECLINE_LIMIT_EXCEEDED);
	must_decline(desk, direct(13, 1, 4, 151), DECLINE_INSUFFICIENT_FUNDS);
	must_post(desk, direct(14, 1, 4, 150));
	assert_money(desk, 4, -50, -50, 2);
}

static void test_limits_of_a_credit_account(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	open_account(desk, (struct account){.id = id(4),
					    .side = ACCOUNT_CREDIT_NORMAL,
					    .lower = limit(-50),
					    .upper = limit(100)});
	must_decline(desk, direct(10, 1, 4, 101), DECLINE_LIMIT_EXCEEDED);
	must_post(desk, direct(11, 1, 4, 100));
	must_decline(desk, direct(12, 4, 1, 151), DECLINE_INSUFFICIENT_FUNDS);
	must_post(desk, direct(13, 4, 1, 150));
	assert_money(desk, 4, -50, -50, 2);
}

/* Coming back towards a limit that was passed (it may have been set later) is always allowed. */
static void test_limits_hurt_one_way(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	open_account(desk, (struct account){.id = id(4),
					    .side = ACCOUNT_CREDIT_NORMAL,
					    .lower = limit(0),
					    .state = {.totals = {.debits_posted_minor = 100}}});
	open_account(desk, (struct account){.id = id(5),
					    .side = ACCOUNT_CREDIT_NORMAL,
					    .upper = limit(10),
					    .state = {.totals = {.credits_posted_minor = 100}}});
	must_post(desk, direct(10, 5, 4, 20));
	assert_money(desk, 4, -80, -80, 1);
	assert_money(desk, 5, 80, 80, 1);
	must_decline(desk, direct(11, 4, 1, 1), DECLINE_INSUFFICIENT_FUNDS);
	must_decline(desk, direct(12, 1, 5, 1), DECLINE_LIMIT_EXCEEDED);
}

static void test_hold_and_capture(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, direct(10, 1, 2, 100));
	must_post(desk, hold(11, 2, 3, 70));
	assert_money(desk, 2, 100, 30, 2);
	assert_money(desk, 3, 0, 0, 1);
	must_decline(desk, direct(12, 2, 3, 31), DECLINE_INSUFFICIENT_FUNDS);
	/* The rest is released: a capture ends a hold. */
	must_post(desk, ending(direct(13, 2, 3, 50), 11));
	assert_money(desk, 2, 50, 50, 3);
	assert_money(desk, 3, 50, 50, 2);
	assert_int_equal(account_of(desk, 2)->state.totals.debits_pending_minor, 0);
	assert_int_equal(account_of(desk, 3)->state.totals.credits_pending_minor, 0);
	must_decline(desk, ending(direct(14, 2, 3, 1), 11), DECLINE_ALREADY_CAPTURED);
	must_decline(desk, ending(direct(15, 2, 3, 0), 11), DECLINE_ALREADY_CAPTURED);
	assert_int_equal(desk->book.counts.holds_new, 1);
	assert_int_equal(desk->book.counts.holds_changed, 0);
}

static void test_hold_and_release(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, direct(10, 1, 2, 100));
	must_post(desk, hold(11, 2, 3, 100));
	must_post(desk, ending(direct(12, 2, 3, 0), 11));
	assert_money(desk, 2, 100, 100, 3);
	must_decline(desk, ending(direct(13, 2, 3, 0), 11), DECLINE_ALREADY_RELEASED);
	must_decline(desk, ending(direct(14, 2, 3, 5), 11), DECLINE_ALREADY_RELEASED);
}

static void test_hold_mistaken(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, direct(10, 1, 2, 100));
	must_post(desk, hold(11, 2, 3, 60));
	must_decline(desk, ending(direct(12, 2, 3, 61), 11), DECLINE_CAPTURE_EXCEEDS_HOLD);
	must_decline(desk, ending(direct(13, 2, 1, 10), 11), DECLINE_HOLD_MISMATCH);
	must_decline(desk, ending(direct(14, 3, 2, 10), 11), DECLINE_HOLD_MISMATCH);
	must_decline(desk, ending(direct(15, 2, 3, 10), 55), DECLINE_HOLD_NOT_FOUND);
	/* A transfer that is no hold. */
	must_decline(desk, ending(direct(16, 2, 3, 10), 10), DECLINE_HOLD_NOT_FOUND);
	/* Itself. */
	must_decline(desk, ending(direct(17, 2, 3, 10), 17), DECLINE_HOLD_NOT_FOUND);
	must_post(desk, ending(direct(18, 2, 3, 60), 11));
}

static void test_hold_read_from_the_database(void **state)
{
	struct desk *desk = *state;
	open_account(desk, (struct account){.id = id(2),
					    .side = ACCOUNT_CREDIT_NORMAL,
					    .lower = limit(0),
					    .state = {.totals = {.credits_posted_minor = 80,
								 .debits_pending_minor = 80},
						      .sequence = 4}});
	open_account(desk, (struct account){.id = id(3),
					    .side = ACCOUNT_CREDIT_NORMAL,
					    .state = {.totals = {.credits_pending_minor = 80},
						      .sequence = 9}});
	struct hold known = {.id = id(11),
			     .debit_account_id = id(2),
			     .credit_account_id = id(3),
			     .amount_minor = 80,
			     .state = HOLD_PENDING};
	ok(book_add_hold(&desk->book, &known));
	must_post(desk, ending(direct(12, 2, 3, 80), 11));
	assert_money(desk, 2, 0, 0, 5);
	assert_money(desk, 3, 80, 80, 10);
	assert_int_equal(desk->book.counts.holds_new, 0);
	assert_int_equal(desk->book.counts.holds_changed, 1);
}

/* Neither a capture nor a release can meet a limit: room for both is kept from the hold on. */
static void test_limits_hold_through_holds(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	open_account(desk, (struct account){.id = id(4),
					    .side = ACCOUNT_CREDIT_NORMAL,
					    .lower = limit(0),
					    .upper = limit(100)});
	must_post(desk, direct(10, 1, 4, 90));
	must_decline(desk, hold(11, 1, 4, 20), DECLINE_LIMIT_EXCEEDED);
	must_post(desk, hold(12, 1, 4, 10));
	must_decline(desk, direct(13, 1, 4, 1), DECLINE_LIMIT_EXCEEDED);
	must_post(desk, hold(14, 4, 1, 50));
	/* What is held away may come back. */
	must_decline(desk, direct(15, 1, 4, 1), DECLINE_LIMIT_EXCEEDED);
	must_post(desk, ending(direct(16, 4, 1, 0), 14));
	must_post(desk, ending(direct(17, 1, 4, 10), 12));
	assert_money(desk, 4, 100, 100, 5);
}

static void test_overflow(void **state)
{
	struct desk *desk = *state;
	open_account(desk, (struct account){.id = id(1), .side = ACCOUNT_DEBIT_NORMAL});
	open_account(desk, (struct account){.id = id(2), .side = ACCOUNT_CREDIT_NORMAL});
	open_account(desk, (struct account){.id = id(3), .side = ACCOUNT_CREDIT_NORMAL});
	must_post(desk, direct(10, 1, 2, INT64_MAX - 1));
	must_post(desk, direct(11, 1, 2, 1));
	assert_money(desk, 1, INT64_MAX, INT64_MAX, 2);
	must_decline(desk, direct(12, 1, 3, 1), DECLINE_BALANCE_OVERFLOW);
	must_decline(desk, direct(13, 3, 2, 1), DECLINE_BALANCE_OVERFLOW);
	must_decline(desk, hold(14, 1, 3, 1), DECLINE_BALANCE_OVERFLOW);
	must_decline(desk, hold(15, 3, 2, 1), DECLINE_BALANCE_OVERFLOW);
	must_post(desk, direct(16, 2, 3, INT64_MAX));
	assert_money(desk, 2, 0, 0, 3);
	assert_money(desk, 3, INT64_MAX, INT64_MAX, 1);
}

/* Posted and pending of one side fit together, so that a capture always finds room. */
static void test_overflow_with_holds(void **state)
{
	struct desk *desk = *state;
	open_account(desk, (struct account){.id = id(1), .side = ACCOUNT_DEBIT_NORMAL});
	open_account(desk, (struct account){.id = id(2), .side = ACCOUNT_CREDIT_NORMAL});
	must_post(desk, hold(10, 1, 2, INT64_MAX));
	must_decline(desk, direct(11, 1, 2, 1), DECLINE_BALANCE_OVERFLOW);
	must_post(desk, ending(direct(12, 1, 2, INT64_MAX), 10));
	assert_money(desk, 2, INT64_MAX, INT64_MAX, 2);
	/* The lowest balance there is. */
	must_post(desk, direct(13, 2, 1, INT64_MAX));
	assert_money(desk, 1, 0, 0, 3);
}

static void test_lowest_available(void **state)
{
	struct desk *desk = *state;
	open_account(desk, (struct account){.id = id(1), .side = ACCOUNT_CREDIT_NORMAL});
	open_account(desk, (struct account){.id = id(2), .side = ACCOUNT_CREDIT_NORMAL});
	must_post(desk, direct(10, 1, 2, INT64_MAX - 5));
	must_post(desk, hold(11, 1, 2, 5));
	assert_money(desk, 1, -(INT64_MAX - 5), -INT64_MAX, 2);
	must_decline(desk, hold(12, 1, 2, 1), DECLINE_BALANCE_OVERFLOW);
}

static void test_group_all_or_none(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, direct(10, 1, 2, 100));
	const struct account_state before[] = {
		account_of(desk, 1)->state, account_of(desk, 2)->state, account_of(desk, 3)->state};
	const struct transfer transfers[] = {hold(20, 2, 3, 40), direct(21, 2, 3, 60),
					     direct(22, 2, 3, 1), direct(23, 1, 2, 9)};
	struct outcome outcome = decide_many(desk, transfers, 4);
	assert_int_equal(outcome.record->decline, DECLINE_INSUFFICIENT_FUNDS);
	assert_true(rt_uuid_equal(&outcome.record->cause_id, &transfers[2].id));
	assert_memory_equal(&account_of(desk, 1)->state, &before[0], sizeof(before[0]));
	assert_memory_equal(&account_of(desk, 2)->state, &before[1], sizeof(before[0]));
	assert_memory_equal(&account_of(desk, 3)->state, &before[2], sizeof(before[0]));
	/* Nor is its hold there. */
	must_decline(desk, ending(direct(24, 2, 3, 40), 20), DECLINE_HOLD_NOT_FOUND);
	assert_int_equal(desk->book.counts.holds_new, 0);
	assert_int_equal(desk->book.counts.posted_transfers, 1);
	assert_int_equal(desk->book.counts.declined_transfers, 5);
	must_post(desk, direct(25, 2, 3, 100));
}

static void test_group_undoes_an_ended_hold(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, direct(10, 1, 2, 100));
	must_post(desk, hold(11, 2, 3, 100));
	const struct transfer transfers[] = {ending(direct(20, 2, 3, 30), 11),
					     direct(21, 2, 3, 71)};
	struct outcome outcome = decide_many(desk, transfers, 2);
	assert_int_equal(outcome.record->decline, DECLINE_INSUFFICIENT_FUNDS);
	must_post(desk, ending(direct(22, 2, 3, 100), 11));
}

static void test_group_sees_itself(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	const struct transfer transfers[] = {direct(20, 1, 2, 100), hold(21, 2, 3, 80),
					     ending(direct(22, 2, 3, 80), 21),
					     direct(23, 3, 1, 80)};
	struct outcome outcome = decide_many(desk, transfers, 4);
	assert_int_equal(outcome.record->decline, DECLINE_NONE);
	assert_int_equal(outcome.record->count, 4);
	assert_true(rt_uuid_equal(&outcome.record->transfers[3].group_id, &transfers[0].id));
	assert_int_equal(outcome.record->transfers[3].position, 3);
	assert_money(desk, 2, 20, 20, 3);
	assert_money(desk, 3, 0, 0, 3);
	assert_int_equal(desk->book.counts.holds_new, 1);
	assert_int_equal(desk->book.first_hold->hold.state, HOLD_CAPTURED);
	/* A hold must come before what ends it. */
	const struct transfer backwards[] = {ending(direct(30, 1, 2, 1), 31), hold(31, 1, 2, 1)};
	assert_int_equal(decide_many(desk, backwards, 2).record->decline, DECLINE_HOLD_NOT_FOUND);
}

static void test_replay_within_a_batch(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	const struct group_record *first = must_post(desk, direct(10, 1, 2, 100));
	must_post(desk, direct(11, 1, 2, 1));
	struct outcome again = decide(desk, direct(10, 1, 2, 100));
	assert_ptr_equal(again.record, first);
	assert_true(again.replayed);
	/* What was said first, though the account has moved on. */
	assert_int_equal(again.record->transfers[0].credit.after.totals.credits_posted_minor, 100);
	assert_money(desk, 2, 101, 101, 2);
	struct outcome other = decide(desk, direct(10, 1, 2, 99));
	assert_null(other.record);
	assert_int_equal(desk->book.counts.posted_transfers, 2);
}

static void test_replay_of_a_decline(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_decline(desk, direct(10, 2, 3, 5), DECLINE_INSUFFICIENT_FUNDS);
	must_post(desk, direct(11, 1, 2, 5));
	struct outcome again = decide(desk, direct(10, 2, 3, 5));
	assert_int_equal(again.record->decline, DECLINE_INSUFFICIENT_FUNDS);
	assert_true(again.replayed);
	assert_null(decide(desk, direct(10, 2, 3, 4)).record);
	assert_int_equal(desk->book.counts.declined_transfers, 1);
}

static void test_mismatches(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	const struct transfer pair[] = {direct(20, 1, 2, 100), direct(21, 1, 3, 100)};
	decide_many(desk, pair, 2);
	const struct transfer turned[] = {pair[1], pair[0]};
	assert_null(decide_many(desk, turned, 2).record);
	assert_null(decide_many(desk, pair, 1).record);
	assert_null(decide_many(desk, &pair[1], 1).record);
	const struct transfer longer[] = {pair[0], pair[1], direct(22, 1, 2, 1)};
	assert_null(decide_many(desk, longer, 3).record);
	/* 22 was part of a refused group, which left nothing. */
	must_post(desk, direct(22, 1, 2, 1));
	const struct transfer mixed[] = {direct(23, 1, 2, 1), pair[0]};
	assert_null(decide_many(desk, mixed, 2).record);
	struct outcome again = decide_many(desk, pair, 2);
	assert_non_null(again.record);
	assert_true(again.replayed);
	struct transfer with_reference = direct(22, 1, 2, 1);
	with_reference.reference = "other";
	assert_null(decide(desk, with_reference).record);
}

static struct posted_transfer stored_transfer(uint32_t transfer, uint32_t group, int64_t position)
{
	return (struct posted_transfer){
		.transfer = direct(transfer, 1, 2, 100),
		.group_id = id(group),
		.position = position,
		.created_us = NOW_US - 5,
		.debit.after = {.sequence = 7 + position,
				.totals.debits_posted_minor = 100 * (1 + position)},
		.credit.after = {.sequence = 3 + position,
				 .totals.credits_posted_minor = 100 * (1 + position)},
	};
}

static void add_stored_pair(struct desk *desk, struct group *group, struct transfer pair[2])
{
	pair[0] = direct(20, 1, 2, 100);
	pair[1] = direct(21, 1, 2, 100);
	*group = (struct group){.transfers = pair, .count = 2};
	group_fill_hash(group, &desk->ledger);
	struct posted_transfer first = stored_transfer(20, 20, 0),
			       second = stored_transfer(21, 20, 1);
	/* In any order. */
	ok(book_add_posted(&desk->book, &second, group->hash, 2));
	ok(book_add_posted(&desk->book, &first, group->hash, 2));
}

static void test_replay_from_the_database(void **state)
{
	struct desk *desk = *state;
	struct group group;
	struct transfer pair[2];
	open_usual(desk);
	add_stored_pair(desk, &group, pair);
	struct outcome outcome;
	ok(book_decide(&desk->book, &group, &outcome));
	assert_non_null(outcome.record);
	assert_true(outcome.replayed);
	assert_int_equal(outcome.record->created_us, NOW_US - 5);
	assert_int_equal(outcome.record->transfers[1].debit.after.sequence, 8);
	assert_int_equal(outcome.record->transfers[1].debit.normal, ACCOUNT_DEBIT_NORMAL);
	assert_int_equal(outcome.record->transfers[1].credit.normal, ACCOUNT_CREDIT_NORMAL);
	assert_null(desk->book.first_new);
	assert_null(decide(desk, direct(21, 1, 2, 100)).record);
}

/* An attempt whose commit wasn't heard of is told as what it was: the first, and once. */
static void test_own_attempt_is_no_replay(void **state)
{
	struct desk *desk = *state;
	struct group group;
	struct transfer pair[2];
	open_usual(desk);
	add_stored_pair(desk, &group, pair);
	group.attempted_us = NOW_US - 5;
	struct outcome outcome;
	ok(book_decide(&desk->book, &group, &outcome));
	assert_non_null(outcome.record);
	assert_false(outcome.replayed);
	ok(book_decide(&desk->book, &group, &outcome));
	assert_true(outcome.replayed);
}

static void test_damaged_records(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	struct transfer pair[] = {direct(20, 1, 2, 100), direct(21, 1, 2, 100)};
	struct group group = {.transfers = pair, .count = 2};
	group_fill_hash(&group, &desk->ledger);
	struct posted_transfer posted = stored_transfer(20, 20, 2);
	struct rt_status status = book_add_posted(&desk->book, &posted, group.hash, 2);
	assert_int_equal(status.code, RT_INTERNAL);
	posted.position = -1;
	status = book_add_posted(&desk->book, &posted, group.hash, 2);
	assert_int_equal(status.code, RT_INTERNAL);
	posted.position = 0;
	status = book_add_posted(&desk->book, &posted, group.hash, 0);
	assert_int_equal(status.code, RT_INTERNAL);
	/* Half of a group: nothing is told from it. */
	ok(book_add_posted(&desk->book, &posted, group.hash, 2));
	struct outcome outcome;
	status = book_decide(&desk->book, &group, &outcome);
	assert_true(!rt_is_ok(&status) || outcome.record == NULL);
}

static void test_memory_is_bounded(void **state)
{
	struct desk *desk = *state;
	struct rt_arena arena;
	struct book book;
	const struct book_size size = {.accounts = 1000, .transfers = 1000, .holds = 0};
	(void)desk;
	rt_arena_init(&arena, 4096);
	struct rt_status status = book_init(&book, &arena, &size);
	assert_int_equal(status.code, RT_RESOURCE_EXHAUSTED);
	assert_string_equal(status.reason, "BATCH_TOO_LARGE");
	rt_arena_deinit(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_direct),
		TEST(test_no_account),
		TEST(test_currencies_differ),
		TEST(test_funds),
		TEST(test_limits_of_a_debit_account),
		TEST(test_limits_of_a_credit_account),
		TEST(test_limits_hurt_one_way),
		TEST(test_hold_and_capture),
		TEST(test_hold_and_release),
		TEST(test_hold_mistaken),
		TEST(test_hold_read_from_the_database),
		TEST(test_limits_hold_through_holds),
		TEST(test_overflow),
		TEST(test_overflow_with_holds),
		TEST(test_lowest_available),
		TEST(test_group_all_or_none),
		TEST(test_group_undoes_an_ended_hold),
		TEST(test_group_sees_itself),
		TEST(test_replay_within_a_batch),
		TEST(test_replay_of_a_decline),
		TEST(test_mismatches),
		TEST(test_replay_from_the_database),
		TEST(test_own_attempt_is_no_replay),
		TEST(test_damaged_records),
		TEST(test_memory_is_bounded),
	};
	return cmocka_run_group_tests_name("accounts_decide", tests, NULL, NULL);
}
