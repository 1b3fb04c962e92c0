/* What becomes of a group: each reason to decline, the life of a hold, limits, the edges of
 * numbers, replays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "domain/book.h"

#define ARENA_BYTES ((size_t)16 << 20)
#define NOW_US      INT64_C(1700000000000000)

/* A book of one test, with ids that are just numbers. */
struct desk {
	struct rt_arena arena;
	struct book book;
	struct rt_uuid ledger;
};

static struct rt_uuid id(uint32_t number)
{
	struct rt_uuid uuid = {{[0] = 1}};
	memcpy(uuid.bytes + 12, &number, sizeof(number));
	return uuid;
}

static void ok(struct rt_status status)
{
	if (!rt_is_ok(&status))
		fail_msg("%s %s: %s", status.reason, status.field, status.detail);
}

static int set_up(void **state)
{
	static struct desk desk;
	const struct book_size size = {
		.accounts = 100, .transfers = 2000, .holds = 100, .originals = 100};
	memset(&desk, 0, sizeof(desk));
	rt_arena_init(&desk.arena, ARENA_BYTES);
	ok(book_init(&desk.book, &desk.arena, &size));
	book_set_time(&desk.book, NOW_US);
	desk.ledger = id(999);
	*state = &desk;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *desk = *state;
	rt_arena_deinit(&desk->arena);
	return 0;
}

static struct account_limit limit(int64_t amount_minor)
{
	return (struct account_limit){.set = true, .amount_minor = amount_minor};
}

static void open_account(struct desk *desk, struct account account)
{
	if (account.currency[0] == '\0')
		memcpy(account.currency, "EUR", 4);
	if (account.status == 0)
		account.status = ACCOUNT_ACTIVE;
	ok(book_add_account(&desk->book, &account));
}

/* 1: the house, without limits, debit normal. 2 and 3: wallets that can't be overdrawn. */
static void open_usual(struct desk *desk)
{
	open_account(desk, (struct account){.id = id(1), .side = ACCOUNT_DEBIT_NORMAL});
	open_account(desk, (struct account){
				   .id = id(2), .side = ACCOUNT_CREDIT_NORMAL, .lower = limit(0)});
	open_account(desk, (struct account){
				   .id = id(3), .side = ACCOUNT_CREDIT_NORMAL, .lower = limit(0)});
}

static struct transfer direct(uint32_t transfer, uint32_t debit, uint32_t credit,
			      int64_t amount_minor)
{
	return (struct transfer){.id = id(transfer),
				 .debit_account_id = id(debit),
				 .credit_account_id = id(credit),
				 .amount_minor = amount_minor,
				 .currency = "EUR",
				 .kind = TRANSFER_DIRECT,
				 .reference = ""};
}

static struct transfer hold(uint32_t transfer, uint32_t debit, uint32_t credit,
			    int64_t amount_minor)
{
	struct transfer made = direct(transfer, debit, credit, amount_minor);
	made.kind = TRANSFER_HOLD;
	return made;
}

static struct transfer ending(struct transfer transfer, uint32_t hold_number)
{
	transfer.kind = transfer.amount_minor == 0 ? TRANSFER_RELEASE : TRANSFER_CAPTURE;
	transfer.target_id = id(hold_number);
	return transfer;
}

/* Decides a group of copies of the transfers, which stay in the arena. */
static struct outcome decide_many(struct desk *desk, const struct transfer *transfers, size_t count)
{
	struct group *group = rt_arena_alloc(&desk->arena, sizeof(*group));
	struct transfer *copies = rt_arena_array(&desk->arena, count, sizeof(copies[0]));
	struct outcome outcome;
	memcpy(copies, transfers, count * sizeof(copies[0]));
	*group = (struct group){.transfers = copies, .count = count};
	ok(group_check(group));
	group_fill_hash(group, &desk->ledger);
	ok(book_decide(&desk->book, group, &outcome));
	return outcome;
}

static struct outcome decide(struct desk *desk, struct transfer transfer)
{
	return decide_many(desk, &transfer, 1);
}

static const struct group_record *must_post(struct desk *desk, struct transfer transfer)
{
	struct outcome outcome = decide(desk, transfer);
	assert_non_null(outcome.record);
	if (outcome.record->decline != DECLINE_NONE)
		fail_msg("declined: %s", decline_name(outcome.record->decline));
	assert_false(outcome.replayed);
	return outcome.record;
}

static void must_decline(struct desk *desk, struct transfer transfer, enum decline_reason reason)
{
	struct outcome outcome = decide(desk, transfer);
	assert_non_null(outcome.record);
	if (outcome.record->decline == DECLINE_NONE)
		fail_msg("posted, instead of %s", decline_name(reason));
	assert_string_equal(decline_name(outcome.record->decline), decline_name(reason));
	assert_true(rt_uuid_equal(&outcome.record->cause_id, &transfer.id));
	assert_int_equal(outcome.record->created_us, NOW_US);
}

static const struct account *account_of(const struct desk *desk, uint32_t number)
{
	const struct rt_uuid account_id = id(number);
	const struct book_account *entry = uuid_table_get(&desk->book.accounts, &account_id);
	assert_non_null(entry);
	return &entry->account;
}

static void assert_money(const struct desk *desk, uint32_t number, int64_t posted_minor,
			 int64_t available_minor, int64_t sequence)
{
	const struct account *account = account_of(desk, number);
	assert_int_equal(account_posted_minor(account->side, &account->state.totals), posted_minor);
	assert_int_equal(account_available_minor(account->side, &account->state.totals),
			 available_minor);
	assert_int_equal(account->state.sequence, sequence);
}

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

/* A hold of more than its accounts have pending can't come from us: no total is brought below 0 by
 * it. */
static void test_damaged_totals(void **state)
{
	struct desk *desk = *state;
	open_usual(desk);
	struct hold known = {.id = id(11),
			     .debit_account_id = id(2),
			     .credit_account_id = id(3),
			     .amount_minor = 80,
			     .state = HOLD_PENDING};
	ok(book_add_hold(&desk->book, &known));
	must_decline(desk, ending(direct(12, 2, 3, 80), 11), DECLINE_BALANCE_OVERFLOW);
	assert_money(desk, 2, 0, 0, 0);
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
		TEST(test_captures_in_parts),
		TEST(test_captures_in_parts_to_the_end),
		TEST(test_release_of_what_is_left),
		TEST(test_expiry),
		TEST(test_too_late_for_a_hold),
		TEST(test_captured_holds_do_not_expire),
		TEST(test_expires_in_the_past),
		TEST(test_time_goes_on),
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
		TEST(test_damaged_totals),
		TEST(test_memory_is_bounded),
	};
	return cmocka_run_group_tests_name("accounts_decide", tests, NULL, NULL);
}
