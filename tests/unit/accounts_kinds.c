/* What becomes of a group, by kind: captures in parts, expiries, balancing transfers, reversals;
 * statuses, credit lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "accounts_desk.h"

static struct transfer part_of(struct transfer transfer, uint32_t hold_number)
{
	transfer = ending(transfer, hold_number);
	transfer.keep_open = true;
	return transfer;
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

static struct transfer expiring(struct transfer transfer, int64_t expires_us)
{
	transfer.expires_us = expires_us;
	return transfer;
}

static struct transfer expiry(uint32_t transfer, uint32_t debit, uint32_t credit,
			      uint32_t hold_number)
{
	struct transfer made = ending(direct(transfer, debit, credit, 0), hold_number);
	made.kind = TRANSFER_EXPIRY;
	return made;
}

static void must_refuse(struct desk *desk, struct transfer transfer, enum refusal refusal)
{
	size_t declined = desk->book.counts.declined_transfers,
	       posted = desk->book.counts.posted_transfers;
	struct outcome outcome = decide(desk, transfer);
	assert_null(outcome.record);
	assert_int_equal(outcome.refusal, refusal);
	assert_int_equal(desk->book.counts.declined_transfers, declined);
	assert_int_equal(desk->book.counts.posted_transfers, posted);
}

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

/* An account that a clock left a time of tomorrow on ends no hold before its time, neither its own
 * nor another's of the batch, and keeps none from being made. */
static void test_holds_expire_by_the_clock(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	must_post(desk, expiring(hold(11, 1, 2, 100), NOW_US + MINUTE_US));
	open_account(desk, (struct account){.id = id(4),
					    .side = ACCOUNT_CREDIT_NORMAL,
					    .last_entry_us = NOW_US + 1440 * MINUTE_US,
					    .state.sequence = 1});
	struct outcome made = decide(desk, expiring(hold(12, 1, 4, 100), NOW_US + MINUTE_US));
	assert_non_null(made.record);
	assert_int_equal(made.record->created_us, NOW_US + 1440 * MINUTE_US);
	must_post(desk, part_of(direct(13, 1, 2, 30), 11));
	must_post(desk, part_of(direct(14, 1, 4, 30), 12));
	must_refuse(desk, expiry(15, 1, 2, 11), REFUSAL_NOT_DUE);
	must_refuse(desk, expiry(16, 1, 4, 12), REFUSAL_NOT_DUE);
	book_set_time(&desk->book, NOW_US + MINUTE_US);
	assert_int_equal(decide(desk, part_of(direct(17, 1, 4, 30), 12)).record->decline,
			 DECLINE_HOLD_EXPIRED);
	must_post(desk, expiry(15, 1, 2, 11));
	must_post(desk, expiry(16, 1, 4, 12));
}

static struct transfer balancing(uint32_t transfer, uint32_t debit, uint32_t credit,
				 int64_t most_minor)
{
	struct transfer made = direct(transfer, debit, credit, most_minor);
	made.kind = TRANSFER_BALANCING;
	return made;
}

static int64_t moved_by(struct desk *desk, struct transfer transfer)
{
	return must_post(desk, transfer)->transfers[0].moved_minor;
}

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
	/* Or up to an upper limit below that. */
	open_account(desk,
		     (struct account){.id = id(7),
				      .side = ACCOUNT_DEBIT_NORMAL,
				      .upper = limit(-15),
				      .state = {.totals.credits_posted_minor = 40, .sequence = 1}});
	assert_int_equal(moved_by(desk, balancing(21, 7, 3, 1000)), 25);
	must_decline(desk, balancing(22, 7, 3, 1000), DECLINE_INSUFFICIENT_FUNDS);
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

static struct transfer reversal(uint32_t transfer, uint32_t debit, uint32_t credit,
				int64_t amount_minor, uint32_t original)
{
	struct transfer made = direct(transfer, debit, credit, amount_minor);
	made.kind = TRANSFER_REVERSAL;
	made.target_id = id(original);
	return made;
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

static void open_with_status(struct desk *desk, uint32_t number, enum account_side side,
			     enum account_status status)
{
	struct account account = {.id = id(number), .side = side, .status = status};
	/* As much on either side, so that it isn't the money. */
	account.state = (struct account_state){
		.sequence = 1,
		.totals = {.debits_posted_minor = 1000, .credits_posted_minor = 1000}};
	open_account(desk, account);
}

/* A hold of 10 each way between the house and account 4, as if made before the status was set. */
static void hold_both_ways(struct desk *desk)
{
	const struct hold away = {.id = id(90),
				  .debit_account_id = id(4),
				  .credit_account_id = id(1),
				  .amount_minor = 10,
				  .state = HOLD_PENDING};
	const struct hold towards = {.id = id(91),
				     .debit_account_id = id(1),
				     .credit_account_id = id(4),
				     .amount_minor = 10,
				     .state = HOLD_PENDING};
	ok(book_add_hold(&desk->book, &away));
	ok(book_add_hold(&desk->book, &towards));
	for (uint32_t number = 1; number <= 4; number += 3) {
		const struct rt_uuid account_id = id(number);
		struct book_account *entry = uuid_table_get(&desk->book.accounts, &account_id);
		entry->account.state.totals.debits_pending_minor = 10;
		entry->account.state.totals.credits_pending_minor = 10;
	}
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

static void test_credit_line(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	open_account(desk, (struct account){.id = id(4),
					    .side = ACCOUNT_CREDIT_NORMAL,
					    .lower = limit(-20),
					    .credit_line_minor = 30});
	open_account(desk, (struct account){.id = id(5),
					    .side = ACCOUNT_CREDIT_NORMAL,
					    .lower = limit(-1),
					    .credit_line_minor = INT64_MAX});
	must_decline(desk, direct(10, 4, 2, 51), DECLINE_INSUFFICIENT_FUNDS);
	must_post(desk, direct(11, 4, 2, 50));
	must_decline(desk, hold(12, 4, 2, 1), DECLINE_INSUFFICIENT_FUNDS);
	must_post(desk, direct(13, 5, 2, INT64_MAX - 50));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_captures_in_parts),
		TEST(test_captures_in_parts_to_the_end),
		TEST(test_release_of_what_is_left),
		TEST(test_expiry),
		TEST(test_too_late_for_a_hold),
		TEST(test_captured_holds_do_not_expire),
		TEST(test_expires_in_the_past),
		TEST(test_time_goes_on),
		TEST(test_holds_expire_by_the_clock),
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
		TEST(test_credit_line),
	};
	return cmocka_run_group_tests_name("accounts_kinds", tests, NULL, NULL);
}
