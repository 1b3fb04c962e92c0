/* A desk where groups are decided, for the tests of the deciding part: accounts with numbers for
 * ids, and short ways to say what is asked for and what must come of it. Included once by each of
 * them, after cmocka. */
#pragma once

#include <stdint.h>
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

static inline struct rt_uuid id(uint32_t number)
{
	struct rt_uuid uuid = {{[0] = 1}};
	memcpy(uuid.bytes + 12, &number, sizeof(number));
	return uuid;
}

static inline void ok(struct rt_status status)
{
	if (!rt_is_ok(&status))
		fail_msg("%s %s: %s", status.reason, status.field, status.detail);
}

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
{
	struct desk *desk = *state;
	rt_arena_deinit(&desk->arena);
	return 0;
}

static inline struct account_limit limit(int64_t amount_minor)
{
	return (struct account_limit){.set = true, .amount_minor = amount_minor};
}

static inline void open_account(struct desk *desk, struct account account)
{
	if (account.currency[0] == '\0')
		memcpy(account.currency, "EUR", 4);
	if (account.status == 0)
		account.status = ACCOUNT_ACTIVE;
	ok(book_add_account(&desk->book, &account));
}

/* 1: the house, without limits, debit normal. 2 and 3: wallets that can't be overdrawn. */
static inline void open_usual(struct desk *desk)
{
	open_account(desk, (struct account){.id = id(1), .side = ACCOUNT_DEBIT_NORMAL});
	open_account(desk, (struct account){
				   .id = id(2), .side = ACCOUNT_CREDIT_NORMAL, .lower = limit(0)});
	open_account(desk, (struct account){
				   .id = id(3), .side = ACCOUNT_CREDIT_NORMAL, .lower = limit(0)});
}

static inline struct transfer direct(uint32_t transfer, uint32_t debit, uint32_t credit,
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

static inline struct transfer hold(uint32_t transfer, uint32_t debit, uint32_t credit,
				   int64_t amount_minor)
{
	struct transfer made = direct(transfer, debit, credit, amount_minor);
	made.kind = TRANSFER_HOLD;
	return made;
}

static inline struct transfer ending(struct transfer transfer, uint32_t hold_number)
{
	transfer.kind = transfer.amount_minor == 0 ? TRANSFER_RELEASE : TRANSFER_CAPTURE;
	transfer.target_id = id(hold_number);
	return transfer;
}

/* Decides a group of copies of the transfers, which stay in the arena. */
static inline struct outcome decide_many(struct desk *desk, const struct transfer *transfers,
					 size_t count)
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

static inline struct outcome decide(struct desk *desk, struct transfer transfer)
{
	return decide_many(desk, &transfer, 1);
}

static inline const struct group_record *must_post(struct desk *desk, struct transfer transfer)
{
	struct outcome outcome = decide(desk, transfer);
	assert_non_null(outcome.record);
	if (outcome.record->decline != DECLINE_NONE)
		fail_msg("declined: %s", decline_name(outcome.record->decline));
	assert_false(outcome.replayed);
	return outcome.record;
}

static inline void must_decline(struct desk *desk, struct transfer transfer,
				enum decline_reason reason)
{
	struct outcome outcome = decide(desk, transfer);
	assert_non_null(outcome.record);
	if (outcome.record->decline == DECLINE_NONE)
		fail_msg("posted, instead of %s", decline_name(reason));
	assert_string_equal(decline_name(outcome.record->decline), decline_name(reason));
	assert_true(rt_uuid_equal(&outcome.record->cause_id, &transfer.id));
	assert_int_equal(outcome.record->created_us, NOW_US);
}

static inline const struct account *account_of(const struct desk *desk, uint32_t number)
{
	const struct rt_uuid account_id = id(number);
	const struct book_account *entry = uuid_table_get(&desk->book.accounts, &account_id);
	assert_non_null(entry);
	return &entry->account;
}

static inline void assert_money(const struct desk *desk, uint32_t number, int64_t posted_minor,
				int64_t available_minor, int64_t sequence)
{
	const struct account *account = account_of(desk, number);
	assert_int_equal(account_posted_minor(account->side, &account->state.totals), posted_minor);
	assert_int_equal(account_available_minor(account->side, &account->state.totals),
			 available_minor);
	assert_int_equal(account->state.sequence, sequence);
}
