/* The life of a hold: captures, releases, expiry. */
#include "accounts_desk.h"

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

static void test_captures_in_parts(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, direct(10, 1, 2, 100));
	must_post(desk, hold(11, 2, 3, 100));
	const struct group_record *part = must_post(desk, part_of(direct(12, 2, 3, 30), 11));
	assert_int_equal(part->transfers[0].moved_minor, 30);
	assert_money(desk, 2, 70, 0, 3);
	assert_money(desk, 3, 30, 30, 2);
	assert_int_equal(account_of(desk, 2)->state.totals.debits_pending_minor, 70);
	must_decline(desk, part_of(direct(13, 2, 3, 71), 11), DECLINE_CAPTURE_EXCEEDS_HOLD);
	must_post(desk, part_of(direct(14, 2, 3, 20), 11));
	/* The last part is smaller than what is left, which is let go. */
	must_post(desk, ending(direct(15, 2, 3, 10), 11));
	assert_money(desk, 2, 40, 40, 5);
	assert_money(desk, 3, 60, 60, 4);
	assert_int_equal(account_of(desk, 3)->state.totals.credits_pending_minor, 0);
	must_decline(desk, part_of(direct(16, 2, 3, 1), 11), DECLINE_ALREADY_CAPTURED);
	assert_int_equal(desk->book.first_hold->hold.captured_minor, 60);
	assert_int_equal(desk->book.first_hold->hold.state, HOLD_CAPTURED);
}

static void test_captures_in_parts_to_the_end(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, hold(11, 1, 3, 100));
	must_post(desk, part_of(direct(12, 1, 3, 60), 11));
	must_post(desk, part_of(direct(13, 1, 3, 40), 11));
	must_decline(desk, ending(direct(14, 1, 3, 0), 11), DECLINE_ALREADY_CAPTURED);
	assert_money(desk, 3, 100, 100, 3);
}

static void test_release_of_what_is_left(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, direct(10, 1, 2, 100));
	must_post(desk, hold(11, 2, 3, 100));
	must_post(desk, part_of(direct(12, 2, 3, 30), 11));
	const struct group_record *release = must_post(desk, ending(direct(13, 2, 3, 0), 11));
	assert_int_equal(release->transfers[0].moved_minor, 70);
	assert_money(desk, 2, 70, 70, 4);
	must_decline(desk, part_of(direct(14, 2, 3, 1), 11), DECLINE_ALREADY_RELEASED);
}

#define MINUTE_US INT64_C(60000000)

static void test_expiry(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, direct(10, 1, 2, 100));
	must_post(desk, expiring(hold(11, 2, 3, 100), NOW_US + MINUTE_US));
	/* Too early; nothing is recorded, so that the same id serves later. */
	must_refuse(desk, expiry(12, 2, 3, 11), REFUSAL_NOT_DUE);
	must_post(desk, part_of(direct(13, 2, 3, 30), 11));
	book_set_time(&desk->book, NOW_US + MINUTE_US - 1);
	must_refuse(desk, expiry(12, 2, 3, 11), REFUSAL_NOT_DUE);
	book_set_time(&desk->book, NOW_US + MINUTE_US);
	must_refuse(desk, expiry(12, 3, 2, 11), REFUSAL_NOT_DUE);
	must_refuse(desk, expiry(12, 2, 3, 55), REFUSAL_NOT_DUE);
	struct outcome outcome = decide(desk, expiry(12, 2, 3, 11));
	assert_int_equal(outcome.record->decline, DECLINE_NONE);
	assert_int_equal(outcome.record->transfers[0].moved_minor, 70);
	assert_money(desk, 2, 70, 70, 4);
	assert_money(desk, 3, 30, 30, 3);
	assert_int_equal(desk->book.first_hold->hold.state, HOLD_EXPIRED);
	assert_int_equal(desk->book.first_hold->hold.captured_minor, 30);
	/* Once. */
	assert_true(decide(desk, expiry(12, 2, 3, 11)).replayed);
	must_refuse(desk, expiry(14, 2, 3, 11), REFUSAL_NOT_DUE);
	assert_money(desk, 2, 70, 70, 4);
}

/* Whoever comes after the time finds the hold expired, whether or not anybody wrote that down. */
static void test_too_late_for_a_hold(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, expiring(hold(11, 1, 3, 100), NOW_US + MINUTE_US));
	must_post(desk, expiring(hold(12, 1, 3, 100), NOW_US + MINUTE_US));
	book_set_time(&desk->book, NOW_US + MINUTE_US);
	struct outcome late = decide(desk, ending(direct(13, 1, 3, 100), 11));
	assert_int_equal(late.record->decline, DECLINE_HOLD_EXPIRED);
	assert_int_equal(late.record->created_us, NOW_US + MINUTE_US);
	assert_int_equal(decide(desk, ending(direct(14, 1, 3, 0), 11)).record->decline,
			 DECLINE_HOLD_EXPIRED);
	assert_int_equal(decide(desk, part_of(direct(15, 1, 3, 1), 12)).record->decline,
			 DECLINE_HOLD_EXPIRED);
	assert_int_equal(decide(desk, expiry(16, 1, 3, 11)).record->decline, DECLINE_NONE);
	assert_int_equal(decide(desk, ending(direct(17, 1, 3, 100), 11)).record->decline,
			 DECLINE_HOLD_EXPIRED);
	assert_int_equal(decide(desk, ending(direct(18, 1, 3, 0), 11)).record->decline,
			 DECLINE_HOLD_EXPIRED);
}

static void test_captured_holds_do_not_expire(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, expiring(hold(11, 1, 3, 100), NOW_US + 1));
	must_post(desk, ending(direct(12, 1, 3, 100), 11));
	must_post(desk, hold(13, 1, 3, 100));
	assert_int_equal(desk->book.first_hold->hold.expires_us, 0);
	book_set_time(&desk->book, NOW_US + 10 * MINUTE_US);
	must_refuse(desk, expiry(14, 1, 3, 11), REFUSAL_NOT_DUE);
	must_refuse(desk, expiry(15, 1, 3, 13), REFUSAL_NOT_DUE);
	assert_money(desk, 3, 100, 100, 3);
}

static void test_expires_in_the_past(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	const struct transfer soon = expiring(hold(11, 1, 3, 100), NOW_US + 1);
	must_refuse(desk, expiring(soon, NOW_US), REFUSAL_EXPIRES);
	must_refuse(desk, expiring(soon, 1), REFUSAL_EXPIRES);
	must_refuse(desk, expiring(soon, INT64_MIN), REFUSAL_EXPIRES);
	must_refuse(desk, expiring(soon, INT64_MAX), REFUSAL_EXPIRES);
	must_refuse(desk, expiring(soon, NOW_US + TRANSFER_EXPIRES_US_MAX + 1), REFUSAL_EXPIRES);
	const struct transfer second[] = {direct(20, 1, 2, 5),
					  expiring(hold(21, 1, 3, 100), NOW_US - 1)};
	struct outcome outcome = decide_many(desk, second, 2);
	assert_int_equal(outcome.refusal, REFUSAL_EXPIRES);
	assert_int_equal(outcome.position, 1);
	must_post(desk, expiring(hold(12, 1, 3, 1), NOW_US + TRANSFER_EXPIRES_US_MAX));
	must_post(desk, soon);
	/* A request that is repeated when its hold's time has long passed is told the first
	 * outcome. */
	book_set_time(&desk->book, NOW_US + MINUTE_US);
	struct outcome again = decide(desk, soon);
	assert_non_null(again.record);
	assert_true(again.replayed);
	must_refuse(desk, expiring(hold(11, 1, 3, 100), NOW_US + 2), REFUSAL_MISMATCH);
}

/* An account's entries do not go back in time with the clock. */
static void test_time_goes_on(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	open_account(desk, (struct account){.id = id(4),
					    .side = ACCOUNT_CREDIT_NORMAL,
					    .last_entry_us = NOW_US + MINUTE_US,
					    .state.sequence = 1});
	assert_int_equal(decide(desk, direct(10, 1, 4, 1)).record->created_us, NOW_US + MINUTE_US);
	book_set_time(&desk->book, NOW_US + 1);
	assert_int_equal(decide(desk, direct(11, 1, 2, 1)).record->created_us, NOW_US + MINUTE_US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hold_and_capture),        TEST(test_hold_and_release),
		TEST(test_hold_mistaken),           TEST(test_hold_read_from_the_database),
		TEST(test_captures_in_parts),       TEST(test_captures_in_parts_to_the_end),
		TEST(test_release_of_what_is_left), TEST(test_expiry),
		TEST(test_too_late_for_a_hold),     TEST(test_captured_holds_do_not_expire),
		TEST(test_expires_in_the_past),     TEST(test_time_goes_on),
	};
	return cmocka_run_group_tests_name("accounts_holds", tests, NULL, NULL);
}
