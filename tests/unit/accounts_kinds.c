/* Balancing transfers, reversals, and what the status of an account allows. */
#include "accounts_desk.h"

static void test_balancing(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_decline(desk, balancing(10, 2, 3, 10), DECLINE_INSUFFICIENT_FUNDS);
	must_post(desk, direct(11, 1, 2, 100));
	must_post(desk, hold(12, 2, 3, 25));
	assert_int_equal(moved_by(desk, balancing(13, 2, 3, 50)), 50);
	assert_int_equal(moved_by(desk, balancing(14, 2, 3, INT64_MAX)), 25);
	must_decline(desk, balancing(15, 2, 3, 1), DECLINE_INSUFFICIENT_FUNDS);
	assert_money(desk, 2, 25, 0, 4);
	assert_money(desk, 3, 75, 75, 3);
	/* A credit line is not what is there; a lower limit above 0 is not to be had. */
	open_account(desk, (struct account){.id = id(4),
					    .side = ACCOUNT_CREDIT_NORMAL,
					    .lower = limit(0),
					    .credit_line_minor = 50});
	open_account(desk, (struct account){
				   .id = id(5),
				   .side = ACCOUNT_CREDIT_NORMAL,
				   .lower = limit(30),
				   .credit_line_minor = 10,
				   .state = {.totals.credits_posted_minor = 100, .sequence = 1}});
	must_decline(desk, balancing(16, 4, 3, 1), DECLINE_INSUFFICIENT_FUNDS);
	assert_int_equal(moved_by(desk, balancing(17, 5, 3, 1000)), 80);
	/* An account that grows with debits can be debited up to nothing. */
	open_account(desk,
		     (struct account){.id = id(6),
				      .side = ACCOUNT_DEBIT_NORMAL,
				      .state = {.totals.credits_posted_minor = 40, .sequence = 1}});
	assert_int_equal(moved_by(desk, balancing(18, 6, 3, 1000)), 40);
	must_decline(desk, balancing(19, 6, 3, 1000), DECLINE_INSUFFICIENT_FUNDS);
	must_decline(desk, balancing(20, 1, 3, 1000), DECLINE_INSUFFICIENT_FUNDS);
}

static void test_balancing_meets_the_other_limit(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	open_account(desk, (struct account){
				   .id = id(4), .side = ACCOUNT_CREDIT_NORMAL, .upper = limit(40)});
	must_post(desk, direct(10, 1, 2, 100));
	must_decline(desk, balancing(11, 2, 4, 100), DECLINE_LIMIT_EXCEEDED);
	assert_int_equal(moved_by(desk, balancing(12, 2, 4, 40)), 40);
}

static void test_reversal(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, direct(10, 1, 2, 100));
	must_decline(desk, reversal(11, 2, 1, 101, 10), DECLINE_REVERSAL_EXCEEDS_ORIGINAL);
	must_decline(desk, reversal(12, 1, 2, 10, 10), DECLINE_REVERSAL_MISMATCH);
	must_decline(desk, reversal(13, 2, 3, 10, 10), DECLINE_REVERSAL_MISMATCH);
	must_decline(desk, reversal(14, 3, 1, 10, 10), DECLINE_REVERSAL_MISMATCH);
	must_decline(desk, reversal(15, 2, 1, 10, 99), DECLINE_TRANSFER_NOT_FOUND);
	must_decline(desk, reversal(16, 2, 1, 10, 16), DECLINE_TRANSFER_NOT_FOUND);
	must_decline(desk, reversal(17, 2, 1, 10, 11), DECLINE_TRANSFER_NOT_FOUND);
	must_post(desk, reversal(18, 2, 1, 60, 10));
	assert_money(desk, 2, 40, 40, 2);
	must_decline(desk, reversal(19, 2, 1, 41, 10), DECLINE_REVERSAL_EXCEEDS_ORIGINAL);
	must_post(desk, direct(20, 2, 3, 40));
	/* What isn't there any more can't be taken back. */
	must_decline(desk, reversal(21, 2, 1, 40, 10), DECLINE_INSUFFICIENT_FUNDS);
	must_post(desk, reversal(22, 3, 2, 40, 20));
	must_post(desk, reversal(23, 2, 1, 40, 10));
	assert_money(desk, 1, 0, 0, 3);
	must_decline(desk, reversal(24, 1, 2, 1, 23), DECLINE_NOT_REVERSIBLE);
	must_decline(desk, reversal(25, 2, 1, 1, 10), DECLINE_REVERSAL_EXCEEDS_ORIGINAL);
	assert_int_equal(desk->book.counts.originals_changed, 2);
}

static void test_what_can_be_reversed(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, direct(10, 1, 2, 100));
	must_post(desk, balancing(11, 2, 3, 1000));
	must_decline(desk, reversal(12, 3, 2, 101, 11), DECLINE_REVERSAL_EXCEEDS_ORIGINAL);
	must_post(desk, reversal(13, 3, 2, 100, 11));
	must_post(desk, hold(14, 2, 3, 50));
	must_decline(desk, reversal(15, 3, 2, 1, 14), DECLINE_NOT_REVERSIBLE);
	must_post(desk, part_of(direct(16, 2, 3, 30), 14));
	must_post(desk, reversal(17, 3, 2, 30, 16));
	must_post(desk, ending(direct(18, 2, 3, 0), 14));
	must_decline(desk, reversal(19, 3, 2, 1, 18), DECLINE_NOT_REVERSIBLE);
	must_post(desk, expiring(hold(20, 2, 3, 50), NOW_US + 1));
	book_set_time(&desk->book, NOW_US + 1);
	assert_int_equal(decide(desk, expiry(21, 2, 3, 20)).record->decline, DECLINE_NONE);
	assert_int_equal(decide(desk, reversal(22, 3, 2, 1, 21)).record->decline,
			 DECLINE_NOT_REVERSIBLE);
}

static void test_reversal_within_a_group(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	const struct transfer both[] = {direct(10, 1, 2, 100), reversal(11, 2, 1, 70, 10)};
	assert_int_equal(decide_many(desk, both, 2).record->decline, DECLINE_NONE);
	must_decline(desk, reversal(12, 2, 1, 31, 10), DECLINE_REVERSAL_EXCEEDS_ORIGINAL);
	/* A declined group takes back its own reversals, and what it had posted for them. */
	const struct transfer fails[] = {reversal(20, 2, 1, 30, 10), direct(21, 1, 2, 5),
					 reversal(22, 2, 1, 5, 21), direct(23, 2, 3, 1000)};
	assert_int_equal(decide_many(desk, fails, 4).record->decline, DECLINE_INSUFFICIENT_FUNDS);
	must_decline(desk, reversal(24, 2, 1, 5, 21), DECLINE_TRANSFER_NOT_FOUND);
	must_post(desk, reversal(25, 2, 1, 30, 10));
	/* An original must come before its reversal. */
	const struct transfer backwards[] = {reversal(30, 2, 1, 1, 31), direct(31, 1, 2, 1)};
	assert_int_equal(decide_many(desk, backwards, 2).record->decline,
			 DECLINE_TRANSFER_NOT_FOUND);
	assert_int_equal(desk->book.counts.originals_changed, 1);
}

static void test_original_read_from_the_database(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, direct(10, 1, 2, 1000));
	const struct original known = {.id = id(5),
				       .debit_account_id = id(1),
				       .credit_account_id = id(2),
				       .moved_minor = 80,
				       .reversed_minor = 50,
				       .kind = TRANSFER_CAPTURE};
	ok(book_add_original(&desk->book, &known));
	must_decline(desk, reversal(11, 2, 1, 31, 5), DECLINE_REVERSAL_EXCEEDS_ORIGINAL);
	must_post(desk, reversal(12, 2, 1, 30, 5));
	assert_int_equal(desk->book.first_original->original.reversed_minor, 80);
}

static void test_frozen(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	open_with_status(desk, 4, ACCOUNT_CREDIT_NORMAL, ACCOUNT_FROZEN);
	open_with_status(desk, 5, ACCOUNT_DEBIT_NORMAL, ACCOUNT_FROZEN);
	hold_both_ways(desk);
	must_post(desk, direct(10, 1, 4, 100));
	must_decline(desk, direct(11, 4, 1, 1), DECLINE_ACCOUNT_FROZEN);
	must_decline(desk, hold(12, 4, 1, 1), DECLINE_ACCOUNT_FROZEN);
	must_decline(desk, balancing(13, 4, 1, 1), DECLINE_ACCOUNT_FROZEN);
	must_decline(desk, reversal(14, 4, 1, 1, 10), DECLINE_ACCOUNT_FROZEN);
	must_post(desk, hold(15, 1, 4, 1));
	must_post(desk, part_of(direct(16, 4, 1, 5), 90));
	must_post(desk, ending(direct(17, 4, 1, 0), 90));
	must_post(desk, ending(direct(18, 1, 4, 10), 91));
	/* What grows with debits is taken from with credits. */
	must_post(desk, direct(19, 5, 1, 1));
	must_decline(desk, direct(20, 1, 5, 1), DECLINE_ACCOUNT_FROZEN);
}

static void test_blocked(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	open_with_status(desk, 4, ACCOUNT_CREDIT_NORMAL, ACCOUNT_BLOCKED);
	hold_both_ways(desk);
	must_decline(desk, direct(10, 1, 4, 100), DECLINE_ACCOUNT_BLOCKED);
	must_decline(desk, direct(11, 4, 1, 1), DECLINE_ACCOUNT_BLOCKED);
	must_decline(desk, hold(12, 1, 4, 1), DECLINE_ACCOUNT_BLOCKED);
	must_decline(desk, balancing(13, 4, 1, 1), DECLINE_ACCOUNT_BLOCKED);
	must_decline(desk, ending(direct(14, 4, 1, 5), 90), DECLINE_ACCOUNT_BLOCKED);
	must_decline(desk, ending(direct(15, 1, 4, 5), 91), DECLINE_ACCOUNT_BLOCKED);
	must_post(desk, ending(direct(16, 4, 1, 0), 90));
	must_post(desk, ending(direct(17, 1, 4, 0), 91));
}

static void test_blocked_holds_expire(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	open_with_status(desk, 4, ACCOUNT_CREDIT_NORMAL, ACCOUNT_ACTIVE);
	must_post(desk, expiring(hold(10, 4, 1, 7), NOW_US + 1));
	const struct rt_uuid account_id = id(4);
	struct book_account *entry = uuid_table_get(&desk->book.accounts, &account_id);
	entry->account.status = ACCOUNT_BLOCKED;
	book_set_time(&desk->book, NOW_US + 1);
	assert_int_equal(decide(desk, expiry(11, 4, 1, 10)).record->decline, DECLINE_NONE);
}

static void test_closed(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	open_with_status(desk, 4, ACCOUNT_CREDIT_NORMAL, ACCOUNT_CLOSED);
	must_decline(desk, direct(10, 1, 4, 100), DECLINE_ACCOUNT_CLOSED);
	must_decline(desk, direct(11, 4, 1, 1), DECLINE_ACCOUNT_CLOSED);
	must_decline(desk, ending(direct(12, 1, 4, 0), 91), DECLINE_ACCOUNT_CLOSED);
	must_decline(desk, reversal(13, 4, 1, 1, 10), DECLINE_ACCOUNT_CLOSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_balancing),
		TEST(test_balancing_meets_the_other_limit),
		TEST(test_reversal),
		TEST(test_what_can_be_reversed),
		TEST(test_reversal_within_a_group),
		TEST(test_original_read_from_the_database),
		TEST(test_frozen),
		TEST(test_blocked),
		TEST(test_blocked_holds_expire),
		TEST(test_closed),
	};
	return cmocka_run_group_tests_name("accounts_kinds", tests, NULL, NULL);
}
