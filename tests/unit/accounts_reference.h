/* The model that the deciding part is compared with, too simple to be wrong: it keeps a list of
 * what was posted, and works everything out from the whole list each time. Included once, by
 * accounts_model.c. */
#pragma once

#include <string.h>

#include "domain/book.h"

#define ACCOUNTS       6
#define GROUPS_MAX     40
#define GROUP_SIZE_MAX 5
#define TRANSFERS_MAX  ((size_t)GROUPS_MAX * GROUP_SIZE_MAX)

/* A transfer that was carried out. */
struct done {
	struct transfer transfer;
	int64_t moved_minor;
	int64_t at_us;
};

/* One group as it was asked for, and what the model said. */
struct ask {
	struct transfer transfers[GROUP_SIZE_MAX];
	size_t count;
	enum decline_reason decline;
	struct rt_uuid cause;
	enum decline_side cause_side;
	int64_t created_us;
	int64_t moved_minor[GROUP_SIZE_MAX];
	struct account_state debit[GROUP_SIZE_MAX], credit[GROUP_SIZE_MAX];
};

/* A ledger: the model's memory of it, and what a database would hold for the engine. */
struct world {
	struct account
		accounts[ACCOUNTS]; /* without money: that is worked out from what was posted */
	size_t ask_count;
	struct ask asks[GROUPS_MAX]; /* those on record */
	size_t posted_count;
	struct done posted[TRANSFERS_MAX];
	uint32_t next_id;
	int64_t clock_us; /* may go back */
	int64_t now_us;   /* of the batch */
	bool huge;        /* amounts near the end of the range */
	/* The engine's database. */
	struct account stored_accounts[ACCOUNTS];
	size_t hold_count;
	struct hold holds[TRANSFERS_MAX];
	size_t reversed_count;
	struct original reversed[TRANSFERS_MAX];
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
typedef __int128 wide;

struct wide_totals {
	wide debits_posted, credits_posted, debits_pending, credits_pending;
	int64_t sequence;
};

/* How a hold stands, by all that was posted. */
struct standing {
	const struct transfer *made;
	enum hold_state state;
	wide captured;
};

static inline struct standing standing_of(const struct rt_uuid *hold_id)
{
	struct standing standing = {.state = HOLD_PENDING};
	for (size_t i = 0; i < world.posted_count; i++) {
		const struct transfer *other = &world.posted[i].transfer;
		if (other->kind == TRANSFER_HOLD && rt_uuid_equal(&other->id, hold_id))
			standing.made = other;
		if (!transfer_names_hold(other->kind) || !rt_uuid_equal(&other->target_id, hold_id))
			continue;
		if (other->kind == TRANSFER_RELEASE)
			standing.state = HOLD_RELEASED;
		if (other->kind == TRANSFER_EXPIRY)
			standing.state = HOLD_EXPIRED;
		if (other->kind == TRANSFER_CAPTURE)
			standing.captured += other->amount_minor;
		if (other->kind == TRANSFER_CAPTURE && !other->keep_open)
			standing.state = HOLD_CAPTURED;
	}
	if (standing.made != NULL && standing.captured == standing.made->amount_minor)
		standing.state = HOLD_CAPTURED;
	return standing;
}

static inline wide left_of(const struct standing *standing)
{
	return standing->state == HOLD_PENDING ? standing->made->amount_minor - standing->captured
					       : 0;
}

static inline struct wide_totals totals_of(const struct rt_uuid *account_id)
{
	struct wide_totals totals = {0};
	for (size_t i = 0; i < world.posted_count; i++) {
		const struct transfer *transfer = &world.posted[i].transfer;
		bool debit = rt_uuid_equal(&transfer->debit_account_id, account_id);
		bool credit = rt_uuid_equal(&transfer->credit_account_id, account_id);
		if (!debit && !credit)
			continue;
		totals.sequence++;
		if (transfer->kind == TRANSFER_HOLD) {
			struct standing standing = standing_of(&transfer->id);
			totals.debits_pending += debit ? left_of(&standing) : 0;
			totals.credits_pending += credit ? left_of(&standing) : 0;
		} else if (transfer->kind != TRANSFER_RELEASE &&
			   transfer->kind != TRANSFER_EXPIRY) {
			totals.debits_posted += debit ? world.posted[i].moved_minor : 0;
			totals.credits_posted += credit ? world.posted[i].moved_minor : 0;
		}
	}
	return totals;
}

static inline wide least_of(const struct account *account, const struct wide_totals *totals)
{
	return account->side == ACCOUNT_DEBIT_NORMAL
		       ? totals->debits_posted - totals->credits_posted - totals->credits_pending
		       : totals->credits_posted - totals->debits_posted - totals->debits_pending;
}

static inline wide most_of(const struct account *account, const struct wide_totals *totals)
{
	return account->side == ACCOUNT_DEBIT_NORMAL
		       ? totals->debits_posted + totals->debits_pending - totals->credits_posted
		       : totals->credits_posted + totals->credits_pending - totals->debits_posted;
}

static inline enum decline_reason judge(const struct account *account,
					const struct wide_totals *before)
{
	struct wide_totals after = totals_of(&account->id);
	if (after.debits_posted + after.debits_pending > INT64_MAX ||
	    after.credits_posted + after.credits_pending > INT64_MAX)
		return DECLINE_BALANCE_OVERFLOW;
	wide least = least_of(account, &after), most = most_of(account, &after);
	wide floor = (wide)account->lower.amount_minor - account->credit_line_minor;
	if (account->lower.set && least < floor && least < least_of(account, before))
		return DECLINE_INSUFFICIENT_FUNDS;
	if (account->upper.set && most > account->upper.amount_minor &&
	    most > most_of(account, before))
		return DECLINE_LIMIT_EXCEEDED;
	return DECLINE_NONE;
}

static inline const struct account *find_account(const struct rt_uuid *account_id)
{
	for (size_t i = 0; i < ACCOUNTS; i++)
		if (rt_uuid_equal(&world.accounts[i].id, account_id))
			return &world.accounts[i];
	return NULL;
}

static inline enum decline_reason judge_hold(const struct transfer *transfer, wide *moved)
{
	struct standing standing = standing_of(&transfer->target_id);
	if (standing.made == NULL)
		return DECLINE_HOLD_NOT_FOUND;
	if (!rt_uuid_equal(&standing.made->debit_account_id, &transfer->debit_account_id) ||
	    !rt_uuid_equal(&standing.made->credit_account_id, &transfer->credit_account_id))
		return DECLINE_HOLD_MISMATCH;
	if (standing.state == HOLD_CAPTURED)
		return DECLINE_ALREADY_CAPTURED;
	if (standing.state == HOLD_RELEASED)
		return DECLINE_ALREADY_RELEASED;
	bool late = standing.made->expires_us != 0 && world.clock_us >= standing.made->expires_us;
	if (standing.state == HOLD_EXPIRED || late != (transfer->kind == TRANSFER_EXPIRY))
		return DECLINE_HOLD_EXPIRED;
	*moved = transfer->kind == TRANSFER_CAPTURE ? transfer->amount_minor : left_of(&standing);
	return transfer->amount_minor > left_of(&standing) ? DECLINE_CAPTURE_EXCEEDS_HOLD
							   : DECLINE_NONE;
}

static inline enum decline_reason judge_reversal(const struct transfer *transfer)
{
	const struct done *original = NULL;
	wide reversed = 0;
	for (size_t i = 0; i < world.posted_count; i++) {
		const struct done *other = &world.posted[i];
		if (rt_uuid_equal(&other->transfer.id, &transfer->target_id))
			original = other;
		if (other->transfer.kind == TRANSFER_REVERSAL &&
		    rt_uuid_equal(&other->transfer.target_id, &transfer->target_id))
			reversed += other->moved_minor;
	}
	if (original == NULL)
		return DECLINE_TRANSFER_NOT_FOUND;
	if (original->transfer.kind != TRANSFER_DIRECT &&
	    original->transfer.kind != TRANSFER_BALANCING &&
	    original->transfer.kind != TRANSFER_CAPTURE)
		return DECLINE_NOT_REVERSIBLE;
	if (!rt_uuid_equal(&original->transfer.debit_account_id, &transfer->credit_account_id) ||
	    !rt_uuid_equal(&original->transfer.credit_account_id, &transfer->debit_account_id))
		return DECLINE_REVERSAL_MISMATCH;
	return reversed + transfer->amount_minor > original->moved_minor
		       ? DECLINE_REVERSAL_EXCEEDS_ORIGINAL
		       : DECLINE_NONE;
}

/* What can be debited before the account has nothing, or only what it must keep. */
static inline wide what_is_there(const struct account *account)
{
	struct wide_totals totals = totals_of(&account->id);
	wide there = totals.credits_posted - totals.debits_posted - totals.debits_pending;
	wide keep = account->lower.set
			    ? (wide)account->lower.amount_minor - account->credit_line_minor
			    : 0;
	if (account->side == ACCOUNT_DEBIT_NORMAL && account->upper.set &&
	    account->upper.amount_minor < 0)
		return there + account->upper.amount_minor;
	return account->side == ACCOUNT_CREDIT_NORMAL && keep > 0 ? there - keep : there;
}

static inline enum decline_reason judge_kind(const struct transfer *transfer,
					     const struct account *debit, wide *moved)
{
	*moved = transfer->amount_minor;
	if (transfer_names_hold(transfer->kind))
		return judge_hold(transfer, moved);
	if (transfer->kind == TRANSFER_REVERSAL)
		return judge_reversal(transfer);
	if (transfer->kind != TRANSFER_BALANCING)
		return DECLINE_NONE;
	wide there = what_is_there(debit);
	*moved = there < *moved ? there : *moved;
	return there <= 0 ? DECLINE_INSUFFICIENT_FUNDS : DECLINE_NONE;
}

static inline enum decline_reason judge_status(const struct account *account,
					       const struct transfer *transfer, bool taken)
{
	bool lets_go = transfer->kind == TRANSFER_RELEASE || transfer->kind == TRANSFER_EXPIRY;
	if (account->status == ACCOUNT_CLOSED)
		return DECLINE_ACCOUNT_CLOSED;
	if (account->status == ACCOUNT_BLOCKED && !lets_go)
		return DECLINE_ACCOUNT_BLOCKED;
	if (account->status == ACCOUNT_FROZEN && taken && !transfer_names_hold(transfer->kind))
		return DECLINE_ACCOUNT_FROZEN;
	return DECLINE_NONE;
}

static inline enum decline_reason judge_accounts(const struct transfer *transfer,
						 const struct account *debit,
						 const struct account *credit)
{
	if (debit == NULL || credit == NULL)
		return DECLINE_ACCOUNT_NOT_FOUND;
	if (strcmp(debit->currency, transfer->currency) != 0 ||
	    strcmp(credit->currency, transfer->currency) != 0)
		return DECLINE_CURRENCY_MISMATCH;
	enum decline_reason reason =
		judge_status(debit, transfer, debit->side == ACCOUNT_CREDIT_NORMAL);
	return reason != DECLINE_NONE
		       ? reason
		       : judge_status(credit, transfer, credit->side == ACCOUNT_DEBIT_NORMAL);
}

/* Of a transfer that was declined for one of its accounts: for the debited one, when there is
 * something to say against that. */
static inline enum decline_side model_side(const struct transfer *transfer,
					   enum decline_reason reason)
{
	const struct account *debit = find_account(&transfer->debit_account_id);
	if (reason == DECLINE_ACCOUNT_NOT_FOUND)
		return debit == NULL ? DECLINE_SIDE_DEBIT : DECLINE_SIDE_CREDIT;
	if (reason != DECLINE_ACCOUNT_FROZEN && reason != DECLINE_ACCOUNT_BLOCKED &&
	    reason != DECLINE_ACCOUNT_CLOSED)
		return DECLINE_SIDE_NONE;
	bool taken = debit->side == ACCOUNT_CREDIT_NORMAL;
	return judge_status(debit, transfer, taken) != DECLINE_NONE ? DECLINE_SIDE_DEBIT
								    : DECLINE_SIDE_CREDIT;
}

/* Posts one transfer, or takes it back and says why. */
static inline enum decline_reason model_transfer(const struct transfer *transfer,
						 int64_t *moved_minor)
{
	const struct account *debit = find_account(&transfer->debit_account_id);
	const struct account *credit = find_account(&transfer->credit_account_id);
	wide moved = 0;
	enum decline_reason reason = judge_accounts(transfer, debit, credit);
	if (reason == DECLINE_NONE)
		reason = judge_kind(transfer, debit, &moved);
	if (reason != DECLINE_NONE)
		return reason;
	struct wide_totals debit_before = totals_of(&debit->id),
			   credit_before = totals_of(&credit->id);
	*moved_minor = (int64_t)moved;
	world.posted[world.posted_count++] = (struct done){
		.transfer = *transfer, .moved_minor = *moved_minor, .at_us = world.now_us};
	reason = judge(debit, &debit_before);
	if (reason == DECLINE_NONE)
		reason = judge(credit, &credit_before);
	if (reason != DECLINE_NONE)
		world.posted_count--;
	return reason;
}

static inline struct account_state state_of(const struct rt_uuid *account_id)
{
	struct wide_totals totals = totals_of(account_id);
	return (struct account_state){
		.sequence = totals.sequence,
		.totals = {.debits_posted_minor = (int64_t)totals.debits_posted,
			   .credits_posted_minor = (int64_t)totals.credits_posted,
			   .debits_pending_minor = (int64_t)totals.debits_pending,
			   .credits_pending_minor = (int64_t)totals.credits_pending}};
}

static inline bool same_content(const struct ask *a, const struct ask *b)
{
	bool same = a->count == b->count;
	for (size_t i = 0; same && i < a->count; i++) {
		const struct transfer *x = &a->transfers[i], *y = &b->transfers[i];
		same = rt_uuid_equal(&x->id, &y->id) &&
		       rt_uuid_equal(&x->debit_account_id, &y->debit_account_id) &&
		       rt_uuid_equal(&x->credit_account_id, &y->credit_account_id) &&
		       rt_uuid_equal(&x->target_id, &y->target_id) &&
		       x->amount_minor == y->amount_minor &&
		       strcmp(x->currency, y->currency) == 0 && x->kind == y->kind &&
		       x->expires_us == y->expires_us && x->keep_open == y->keep_open &&
		       strcmp(x->reference, y->reference) == 0;
	}
	return same;
}

static inline bool shares_an_id(const struct ask *a, const struct ask *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++)
			if (rt_uuid_equal(&a->transfers[i].id, &b->transfers[j].id))
				return true;
	return false;
}

static inline bool expires_badly(const struct ask *asked)
{
	for (size_t i = 0; i < asked->count; i++) {
		int64_t expires_us = asked->transfers[i].expires_us;
		if (expires_us != 0 &&
		    (expires_us <= world.clock_us ||
		     (wide)expires_us - world.clock_us > TRANSFER_EXPIRES_US_MAX))
			return true;
	}
	return false;
}

/* Carries out all of a new group's transfers, or none. */
static inline void model_group(struct ask *record)
{
	size_t posted_before = world.posted_count;
	record->created_us = world.now_us;
	record->decline = DECLINE_NONE;
	for (size_t i = 0; i < record->count; i++) {
		record->decline = model_transfer(&record->transfers[i], &record->moved_minor[i]);
		if (record->decline != DECLINE_NONE) {
			record->cause = record->transfers[i].id;
			record->cause_side = model_side(&record->transfers[i], record->decline);
			world.posted_count = posted_before;
			return;
		}
		record->debit[i] = state_of(&record->transfers[i].debit_account_id);
		record->credit[i] = state_of(&record->transfers[i].credit_account_id);
	}
}

/* Returns what is on record of the group in the end; NULL when it is refused, and why. */
static inline const struct ask *model_decide(const struct ask *asked, bool *replayed,
					     enum refusal *refusal)
{
	*replayed = true;
	for (size_t i = 0; i < world.ask_count; i++)
		if (same_content(asked, &world.asks[i]))
			return &world.asks[i];
	*refusal = REFUSAL_MISMATCH;
	for (size_t i = 0; i < world.ask_count; i++)
		if (shares_an_id(asked, &world.asks[i]))
			return NULL;
	*refusal = REFUSAL_EXPIRES;
	if (expires_badly(asked))
		return NULL;
	*replayed = false;
	struct ask *record = &world.asks[world.ask_count];
	*record = *asked;
	model_group(record);
	*refusal = REFUSAL_NOT_DUE;
	if (record->decline != DECLINE_NONE && record->transfers[0].kind == TRANSFER_EXPIRY)
		return NULL;
	world.ask_count++;
	return record;
}
