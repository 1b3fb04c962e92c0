/* Two lanes of the posting engine, as two replicas would run them, interleaved at each step:
 * whichever read first goes first, the other waits at the ledger and then sees what the first one
 * did; and beside them what changes and opens accounts. */
#include "lane.h"

#include <stdio.h>
#include <string.h>

#include "engine/opening.h"
#include "rt/assert.h"
#include "rt/clock.h"

#define DUE_US (3600 * RT_US_PER_S) /* until a hold of these tests expires */

static struct lanes *lanes;

/* A ledger of its own for each schedule: two accounts without limits, and two wallets with 100
 * each.
 */
enum { OUTSIDE, ELSEWHERE, FIRST, SECOND, ACCOUNTS };
static struct rt_uuid ledger_id;
static struct account_record accounts[ACCOUNTS];

static struct account_record new_account(bool is_wallet)
{
	struct account_record record = {
		.ledger_id = ledger_id, .owner = "test", .label = "", .version = 1};
	record.account =
		(struct account){.id = rt_uuid_v7(),
				 .currency = "EUR",
				 .side = is_wallet ? ACCOUNT_CREDIT_NORMAL : ACCOUNT_DEBIT_NORMAL,
				 .status = ACCOUNT_ACTIVE,
				 .lower = {.set = is_wallet}};
	return record;
}

static struct transfer transfer_of(enum transfer_kind kind, int debit, int credit,
				   int64_t amount_minor)
{
	return (struct transfer){.id = rt_uuid_v7(),
				 .debit_account_id = accounts[debit].account.id,
				 .credit_account_id = accounts[credit].account.id,
				 .amount_minor = amount_minor,
				 .currency = "EUR",
				 .kind = kind,
				 .reference = ""};
}

static struct transfer on_target(enum transfer_kind kind, int debit, int credit,
				 int64_t amount_minor, const struct rt_uuid *target_id)
{
	struct transfer transfer = transfer_of(kind, debit, credit, amount_minor);
	transfer.target_id = *target_id;
	return transfer;
}

static void seal(struct ask *ask, size_t count)
{
	ask->ledger_id = ledger_id;
	ask->group = (struct group){.transfers = ask->transfers, .count = count};
	group_fill_hash(&ask->group, &ledger_id);
}

static void one(struct ask *ask, struct transfer transfer)
{
	ask->transfers[0] = transfer;
	seal(ask, 1);
}

static struct rt_uuid posted(struct transfer transfer)
{
	struct ask ask;
	one(&ask, transfer);
	assert_string_equal(lanes_post(lanes, &ask), "posted");
	return transfer.id;
}

static void make_ledger(void)
{
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	bool replayed;
	rt_arena_init(&arena, (size_t)1 << 20);
	ledger_id = rt_uuid_v7();
	struct ledger ledger = {.id = ledger_id, .name = "isolation"};
	OK(opening_ledger(lanes_pg(lanes), &ledger, &arena, in_ms(5000), &replayed));
	for (int i = 0; i < ACCOUNTS; i++)
		accounts[i] = new_account(i >= FIRST);
	struct account_record records[ACCOUNTS];
	memcpy(records, accounts, sizeof(records));
	OK(opening_accounts(lanes_pg(lanes), records, ACCOUNTS, &arena, in_ms(5000), &replayed));
	(void)posted(transfer_of(TRANSFER_DIRECT, OUTSIDE, FIRST, 100));
	(void)posted(transfer_of(TRANSFER_DIRECT, OUTSIDE, SECOND, 100));
}

/* Sums of zero; each account's entries are numbered without gaps and end with what the account has.
 */
static void check_ledger(void)
{
	static const struct rt_pg_statement statement = {
		"isolation_check",
		"WITH entries AS ("
		"SELECT debit_account_id AS id, debit_sequence AS sequence, "
		"debit_debits_posted_minor AS debits,"
		" debit_credits_posted_minor AS credits FROM transfers WHERE ledger_id = $1"
		" UNION ALL SELECT credit_account_id, credit_sequence, credit_debits_posted_minor,"
		" credit_credits_posted_minor FROM transfers WHERE ledger_id = $1)"
		" SELECT count(*) FROM accounts AS a WHERE ledger_id = $1 AND ("
		" (SELECT sum(debits_posted_minor - credits_posted_minor) FROM accounts WHERE "
		"ledger_id = $1) <> 0"
		" OR (SELECT sum(debits_pending_minor - credits_pending_minor) FROM accounts WHERE "
		"ledger_id = $1) <> 0"
		" OR (SELECT count(*) FROM entries AS e WHERE e.id = a.account_id) <> a.sequence"
		" OR (SELECT count(DISTINCT sequence) FROM entries AS e WHERE e.id = a.account_id"
		"  AND e.sequence BETWEEN 1 AND a.sequence) <> a.sequence"
		" OR (a.sequence > 0 AND NOT EXISTS (SELECT 1 FROM entries AS e WHERE e.id = "
		"a.account_id"
		"  AND e.sequence = a.sequence AND e.debits = a.debits_posted_minor AND e.credits "
		"= a.credits_posted_minor)))"};
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	struct rt_pg_params params;
	rt_arena_init(&arena, 4096);
	rt_pg_params_init(&params, &arena);
	rt_pg_add_uuid(&params, &ledger_id);
	OK(rt_pg_run(lanes_watch(lanes), &statement, &params, in_ms(5000), &rows));
	assert_int_equal(rt_pg_int(&rows, 0, 0), 0);
}

/* ---- pairs: what the one that goes first is told, and what the other ---- */

static void spend_twice(struct ask *a, struct ask *b)
{
	one(a, transfer_of(TRANSFER_DIRECT, FIRST, OUTSIDE, 70));
	one(b, transfer_of(TRANSFER_DIRECT, FIRST, OUTSIDE, 60));
}

static void spend_from_two(struct ask *a, struct ask *b)
{
	one(a, transfer_of(TRANSFER_DIRECT, FIRST, OUTSIDE, 70));
	one(b, transfer_of(TRANSFER_DIRECT, SECOND, OUTSIDE, 60));
}

/* They share no account: all that they wait for is the ledger. */
static void apart(struct ask *a, struct ask *b)
{
	one(a, transfer_of(TRANSFER_DIRECT, FIRST, OUTSIDE, 70));
	one(b, transfer_of(TRANSFER_DIRECT, SECOND, ELSEWHERE, 60));
}

static void apart_with_one_id(struct ask *a, struct ask *b)
{
	apart(a, b);
	b->transfers[0].id = a->transfers[0].id;
	seal(b, 1);
}

/* In opposite order, so that locks taken as named would deadlock. */
static void cross(struct ask *a, struct ask *b)
{
	one(a, transfer_of(TRANSFER_DIRECT, FIRST, SECOND, 100));
	one(b, transfer_of(TRANSFER_DIRECT, SECOND, FIRST, 100));
}

static void same(struct ask *a, struct ask *b)
{
	one(a, transfer_of(TRANSFER_DIRECT, FIRST, OUTSIDE, 70));
	one(b, a->transfers[0]);
}

static void same_decline(struct ask *a, struct ask *b)
{
	one(a, transfer_of(TRANSFER_DIRECT, FIRST, OUTSIDE, 170));
	one(b, a->transfers[0]);
}

static void other_body(struct ask *a, struct ask *b)
{
	same(a, b);
	b->transfers[0].amount_minor = 71;
	seal(b, 1);
}

/* Groups of two that share their second transfer. */
static void overlap(struct ask *a, struct ask *b)
{
	one(a, transfer_of(TRANSFER_DIRECT, FIRST, OUTSIDE, 1));
	one(b, transfer_of(TRANSFER_DIRECT, SECOND, OUTSIDE, 1));
	a->transfers[1] = b->transfers[1] = transfer_of(TRANSFER_DIRECT, FIRST, SECOND, 1);
	seal(a, 2);
	seal(b, 2);
}

static void capture_twice(struct ask *a, struct ask *b)
{
	struct rt_uuid hold_id = posted(transfer_of(TRANSFER_HOLD, FIRST, OUTSIDE, 80));
	one(a, on_target(TRANSFER_CAPTURE, FIRST, OUTSIDE, 80, &hold_id));
	one(b, on_target(TRANSFER_CAPTURE, FIRST, OUTSIDE, 10, &hold_id));
}

static void capture_in_parts(struct ask *a, struct ask *b)
{
	struct rt_uuid hold_id = posted(transfer_of(TRANSFER_HOLD, FIRST, OUTSIDE, 80));
	one(a, on_target(TRANSFER_CAPTURE, FIRST, OUTSIDE, 50, &hold_id));
	a->transfers[0].keep_open = true;
	seal(a, 1);
	one(b, a->transfers[0]);
	b->transfers[0].id = rt_uuid_v7();
	seal(b, 1);
}

static void release_twice(struct ask *a, struct ask *b)
{
	struct rt_uuid hold_id = posted(transfer_of(TRANSFER_HOLD, FIRST, OUTSIDE, 80));
	one(a, on_target(TRANSFER_RELEASE, FIRST, OUTSIDE, 0, &hold_id));
	one(b, on_target(TRANSFER_RELEASE, FIRST, OUTSIDE, 0, &hold_id));
}

static struct rt_uuid due_hold(void)
{
	struct transfer hold = transfer_of(TRANSFER_HOLD, FIRST, OUTSIDE, 80);
	hold.expires_us = lanes_now_us() + DUE_US;
	(void)posted(hold);
	lanes_let_pass(DUE_US + 1);
	return hold.id;
}

/* Two sweeps whose expiries have different ids: only one can end the hold. */
static void expire_twice(struct ask *a, struct ask *b)
{
	struct rt_uuid hold_id = due_hold();
	one(a, on_target(TRANSFER_EXPIRY, FIRST, OUTSIDE, 0, &hold_id));
	one(b, on_target(TRANSFER_EXPIRY, FIRST, OUTSIDE, 0, &hold_id));
}

/* As two replicas make them. */
static void expire_alike(struct ask *a, struct ask *b)
{
	expire_twice(a, b);
	b->transfers[0].id = a->transfers[0].id;
	seal(b, 1);
}

static void reverse_twice(struct ask *a, struct ask *b)
{
	struct rt_uuid original_id = posted(transfer_of(TRANSFER_DIRECT, FIRST, SECOND, 100));
	one(a, on_target(TRANSFER_REVERSAL, SECOND, FIRST, 70, &original_id));
	one(b, on_target(TRANSFER_REVERSAL, SECOND, FIRST, 60, &original_id));
}

static void balance_twice(struct ask *a, struct ask *b)
{
	one(a, transfer_of(TRANSFER_BALANCING, FIRST, OUTSIDE, 80));
	one(b, transfer_of(TRANSFER_BALANCING, FIRST, OUTSIDE, 80));
}

static const struct pair {
	const char *name;
	void (*make)(struct ask *a, struct ask *b);
	const char *first, *second;
	int64_t second_moved_minor; /* 0: not asked */
} pairs[] = {
	{"two spend the same money", spend_twice, "posted", "INSUFFICIENT_FUNDS", 0},
	{"two accounts", spend_from_two, "posted", "posted", 0},
	{"no account in common", apart, "posted", "posted", 60},
	{"no account in common, one id", apart_with_one_id, "posted", "MISMATCH", 0},
	{"in opposite directions", cross, "posted", "posted", 100},
	{"the same group", same, "posted", "again posted", 70},
	{"the same group, declined", same_decline, "INSUFFICIENT_FUNDS", "again INSUFFICIENT_FUNDS",
	 0},
	{"the same id, another body", other_body, "posted", "MISMATCH", 0},
	{"groups that share an id", overlap, "posted", "MISMATCH", 0},
	{"two captures of all", capture_twice, "posted", "ALREADY_CAPTURED", 0},
	{"two captures in parts", capture_in_parts, "posted", "CAPTURE_EXCEEDS_HOLD", 0},
	{"two releases", release_twice, "posted", "ALREADY_RELEASED", 0},
	{"two expiries", expire_twice, "posted", "NOT_DUE", 0},
	{"the same expiry", expire_alike, "posted", "again posted", 80},
	{"two reversals", reverse_twice, "posted", "REVERSAL_EXCEEDS_ORIGINAL", 0},
	{"two balancing transfers", balance_twice, "posted", "posted", 20},
};

/* Every way in which the steps of two lanes can follow each other, with what comes to nothing in
 * between; the second lane's is the second verdict. `swapped`: the second lane goes first. */
static const struct {
	const char *steps;
	bool swapped;
} schedules[] = {
	{"1R 1W 2R 2W", false},
	{"2R 2W 1R 1W", true},
	{"1R 2R! 1W 2W", false},
	{"1R 2R! 2W 1W", false},
	{"2R 1R! 2W 1W", true},
	{"2R 1R! 1W 2W", true},
	/* The first reads in vain, and comes again later. */
	{"1R 2R! 1A 2W 1R 1W", true},
	{"1R 2R! 1K 1W? 2W 1R 1W", true},
	{"1R 1K 2R 2W 1W? 1R 1W", true},
	/* The second dies while it waits, or when it had its turn. */
	{"1R 2R!? 2K 1W 2R 2W", false},
	{"1R 2R! 1W 2K 2W? 2R 2W", false},
};

static void run_pair(const struct pair *pair, const char *steps, bool swapped)
{
	struct ask asks[2];
	make_ledger();
	pair->make(&asks[0], &asks[1]);
	/* Whoever goes first gets the first ask. */
	lanes_ask(lanes, 0, &asks[swapped ? 1 : 0]);
	lanes_ask(lanes, 1, &asks[swapped ? 0 : 1]);
	lanes_run(lanes, steps);
	const char *first = lanes_verdict(lanes, swapped ? 1 : 0),
		   *second = lanes_verdict(lanes, swapped ? 0 : 1);
	if (strcmp(first, pair->first) != 0 || strcmp(second, pair->second) != 0)
		fail_msg("%s, %s: told %s and %s, expected %s and %s", pair->name, steps, first,
			 second, pair->first, pair->second);
	if (pair->second_moved_minor != 0)
		assert_int_equal(lanes_moved_minor(lanes, swapped ? 0 : 1),
				 pair->second_moved_minor);
	check_ledger();
}

static void test_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (size_t j = 0; j < sizeof(schedules) / sizeof(schedules[0]); j++)
			run_pair(&pairs[i], schedules[j].steps, schedules[j].swapped);
}

/* A hold whose time comes: a capture before it wins, one after it loses, whether or not the expiry
 * is written yet. */
static void test_capture_against_expiry(void **state)
{
	(void)state;
	static const struct {
		const char *steps;
		bool due;
		const char *capture, *expiry;
	} cases[] = {
		{"1R 2R! 1W 2W", false, "posted", "NOT_DUE"},
		{"2R 1R! 2W 1W", false, "posted", "NOT_DUE"},
		{"1R 2R! 1W 2W", true, "HOLD_EXPIRED", "posted"},
		{"2R 1R! 2W 1W", true, "HOLD_EXPIRED", "posted"},
		{"2R 1R! 2K 2W? 1W 2R 2W", true, "HOLD_EXPIRED", "posted"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ask capture, expiry;
		make_ledger();
		struct transfer hold = transfer_of(TRANSFER_HOLD, FIRST, OUTSIDE, 80);
		hold.expires_us = lanes_now_us() + DUE_US;
		struct rt_uuid hold_id = cases[i].due ? due_hold() : posted(hold);
		one(&capture, on_target(TRANSFER_CAPTURE, FIRST, OUTSIDE, 80, &hold_id));
		one(&expiry, on_target(TRANSFER_EXPIRY, FIRST, OUTSIDE, 0, &hold_id));
		lanes_ask(lanes, 0, &capture);
		lanes_ask(lanes, 1, &expiry);
		lanes_run(lanes, cases[i].steps);
		assert_string_equal(lanes_verdict(lanes, 0), cases[i].capture);
		assert_string_equal(lanes_verdict(lanes, 1), cases[i].expiry);
		check_ledger();
	}
}

static void test_three_lanes_take_turns(void **state)
{
	(void)state;
	struct ask asks[3];
	make_ledger();
	spend_twice(&asks[0], &asks[1]);
	one(&asks[2], asks[0].transfers[0]);
	for (size_t i = 0; i < 3; i++)
		lanes_ask(lanes, i, &asks[i]);
	lanes_run(lanes, "1R 2R! 3R! 1W 2W 3W");
	assert_string_equal(lanes_verdict(lanes, 0), "posted");
	assert_string_equal(lanes_verdict(lanes, 1), "INSUFFICIENT_FUNDS");
	assert_string_equal(lanes_verdict(lanes, 2), "again posted");
	check_ledger();
}

static void test_ledgers_do_not_wait_for_each_other(void **state)
{
	(void)state;
	struct ask asks[2];
	for (size_t i = 0; i < 2; i++) {
		make_ledger();
		one(&asks[i], transfer_of(TRANSFER_DIRECT, FIRST, OUTSIDE, 70));
		/* The same id in two ledgers is no repetition. */
		asks[i].transfers[0].id = asks[0].transfers[0].id;
		seal(&asks[i], 1);
		lanes_ask(lanes, i, &asks[i]);
	}
	lanes_run(lanes, "1R 2R 2W 1W");
	assert_string_equal(lanes_verdict(lanes, 0), "posted");
	assert_string_equal(lanes_verdict(lanes, 1), "posted");
}

/* ---- lanes and accounts that are opened or changed ---- */

static void test_opening_does_not_wait(void **state)
{
	(void)state;
	struct ask ask, into_new;
	make_ledger();
	struct account_record record = new_account(false);
	one(&ask, transfer_of(TRANSFER_DIRECT, FIRST, OUTSIDE, 70));
	one(&into_new, transfer_of(TRANSFER_DIRECT, FIRST, OUTSIDE, 10));
	into_new.transfers[0].credit_account_id = record.account.id;
	seal(&into_new, 1);
	lanes_ask(lanes, 0, &ask);
	lanes_open(lanes, 1, &record);
	lanes_ask(lanes, 2, &into_new);
	/* What isn't committed yet isn't there, and that is recorded. */
	lanes_run(lanes, "1R 2O 1W 3R 3W 2C");
	assert_string_equal(lanes_verdict(lanes, 0), "posted");
	assert_string_equal(lanes_verdict(lanes, 2), "ACCOUNT_NOT_FOUND");
	lanes_run(lanes, "3R 3W");
	assert_string_equal(lanes_verdict(lanes, 2), "again ACCOUNT_NOT_FOUND");
	into_new.transfers[0].id = rt_uuid_v7();
	seal(&into_new, 1);
	lanes_run(lanes, "3R 3W");
	assert_string_equal(lanes_verdict(lanes, 2), "posted");
	check_ledger();
}

static struct amendment amend_first(unsigned fields)
{
	return (struct amendment){.ledger_id = ledger_id,
				  .account_id = accounts[FIRST].account.id,
				  .expected_version = 1,
				  .fields = fields,
				  .label = ""};
}

/* Lane 1 spends 70 of the first wallet's 100, or all of it; lane 2 changes that wallet. */
static const struct change_case {
	const char *steps;
	int64_t amount_minor;
	unsigned field;
	int64_t number; /* the status or the limit */
	const char *posting, *change;
} changes[] = {
	/* Whoever has the ledger first goes first. */
	{"1R 2L! 1W 2M", 70, AMEND_STATUS, ACCOUNT_FROZEN, "posted", "done"},
	{"2L 1R! 2M 1W", 70, AMEND_STATUS, ACCOUNT_FROZEN, "ACCOUNT_FROZEN", "done"},
	{"1R 2L! 1W 2M", 70, AMEND_STATUS, ACCOUNT_CLOSED, "posted", "ACCOUNT_NOT_EMPTY"},
	{"1R 2L! 1W 2M", 100, AMEND_STATUS, ACCOUNT_CLOSED, "posted", "done"},
	{"2L 1R! 2M 1W", 100, AMEND_STATUS, ACCOUNT_CLOSED, "posted", "ACCOUNT_NOT_EMPTY"},
	{"1R 2L! 1W 2M", 70, AMEND_LOWER_LIMIT, 50, "posted", "BALANCE_BELOW_LIMIT"},
	{"2L 1R! 2M 1W", 70, AMEND_LOWER_LIMIT, 50, "INSUFFICIENT_FUNDS", "done"},
	{"2L 1R! 2M 1W", 170, AMEND_CREDIT_LINE, 70, "posted", "done"},
	{"1R 2L! 1W 2M", 170, AMEND_CREDIT_LINE, 70, "INSUFFICIENT_FUNDS", "done"},
	/* One of them dies. */
	{"1R 2L! 1K 1W? 2M 1R 1W", 70, AMEND_STATUS, ACCOUNT_BLOCKED, "ACCOUNT_BLOCKED", "done"},
	{"2L 1R! 2K 2M? 1W 2L 2M", 70, AMEND_STATUS, ACCOUNT_BLOCKED, "posted", "done"},
};

static void test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const struct change_case *row = &changes[i];
		struct ask ask;
		make_ledger();
		struct amendment amendment = amend_first(row->field);
		if (row->field == AMEND_STATUS)
			amendment.status = (enum account_status)row->number;
		else if (row->field == AMEND_LOWER_LIMIT)
			amendment.lower =
				(struct account_limit){.set = true, .amount_minor = row->number};
		else
			amendment.credit_line_minor = row->number;
		one(&ask, transfer_of(TRANSFER_DIRECT, FIRST, OUTSIDE, row->amount_minor));
		lanes_ask(lanes, 0, &ask);
		lanes_amend(lanes, 1, &amendment);
		lanes_run(lanes, row->steps);
		if (strcmp(lanes_verdict(lanes, 0), row->posting) != 0 ||
		    strcmp(lanes_verdict(lanes, 1), row->change) != 0)
			fail_msg("case %zu, %s: told %s and %s, expected %s and %s", i, row->steps,
				 lanes_verdict(lanes, 0), lanes_verdict(lanes, 1), row->posting,
				 row->change);
		check_ledger();
	}
}

static void test_changes_of_other_accounts_take_turns_too(void **state)
{
	(void)state;
	struct ask ask;
	make_ledger();
	struct amendment amendment = amend_first(AMEND_STATUS);
	amendment.status = ACCOUNT_FROZEN;
	one(&ask, transfer_of(TRANSFER_DIRECT, SECOND, OUTSIDE, 70));
	lanes_ask(lanes, 0, &ask);
	lanes_amend(lanes, 1, &amendment);
	lanes_run(lanes, "1R 2L! 1W 2M");
	assert_string_equal(lanes_verdict(lanes, 0), "posted");
	assert_string_equal(lanes_verdict(lanes, 1), "done");
	check_ledger();
}

/* Somebody changes an account by hand, without the ledger's lock, while a batch has read it: the
 * batch notices in PostgreSQL, before it commits, and is tried again. */
static void test_changes_by_hand_are_noticed(void **state)
{
	static const struct rt_pg_statement by_hand = {"isolation_by_hand",
						       "UPDATE accounts SET lower_limit_minor = 50 "
						       "WHERE ledger_id = $1 AND account_id = $2"};
	(void)state;
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	struct rt_pg_params params;
	struct ask ask;
	make_ledger();
	one(&ask, transfer_of(TRANSFER_DIRECT, FIRST, OUTSIDE, 70));
	lanes_ask(lanes, 0, &ask);
	lanes_run(lanes, "1R");
	rt_arena_init(&arena, 4096);
	rt_pg_params_init(&params, &arena);
	rt_pg_add_uuid(&params, &ledger_id);
	rt_pg_add_uuid(&params, &accounts[FIRST].account.id);
	OK(rt_pg_run(lanes_watch(lanes), &by_hand, &params, in_ms(5000), NULL));
	lanes_run(lanes, "1W?");
	check_ledger();
	lanes_run(lanes, "1R 1W");
	assert_string_equal(lanes_verdict(lanes, 0), "INSUFFICIENT_FUNDS");
	check_ledger();
}

static void test_two_changes(void **state)
{
	(void)state;
	make_ledger();
	struct amendment freeze = amend_first(AMEND_STATUS), label = amend_first(AMEND_LABEL);
	freeze.status = ACCOUNT_FROZEN;
	label.label = "other";
	lanes_amend(lanes, 0, &freeze);
	lanes_amend(lanes, 1, &label);
	lanes_run(lanes, "1L 2L! 1M 2M");
	assert_string_equal(lanes_verdict(lanes, 0), "done");
	assert_string_equal(lanes_verdict(lanes, 1), "VERSION_CONFLICT");
}

static int start(void **state)
{
	(void)state;
	lanes = lanes_new();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	lanes_destroy(lanes);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pairs, start, stop),
		cmocka_unit_test_setup_teardown(test_capture_against_expiry, start, stop),
		cmocka_unit_test_setup_teardown(test_three_lanes_take_turns, start, stop),
		cmocka_unit_test_setup_teardown(test_ledgers_do_not_wait_for_each_other, start,
						stop),
		cmocka_unit_test_setup_teardown(test_opening_does_not_wait, start, stop),
		cmocka_unit_test_setup_teardown(test_changes, start, stop),
		cmocka_unit_test_setup_teardown(test_changes_by_hand_are_noticed, start, stop),
		cmocka_unit_test_setup_teardown(test_changes_of_other_accounts_take_turns_too,
						start, stop),
		cmocka_unit_test_setup_teardown(test_two_changes, start, stop),
	};
	return cmocka_run_group_tests_name("isolation", tests, NULL, NULL);
}
