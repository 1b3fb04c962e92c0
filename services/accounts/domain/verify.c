#include "domain/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "domain/uuid_table.h"
#include "rt/assert.h"
#include "rt/money.h"

const char *discrepancy_name(enum discrepancy_reason reason)
{
	static const char *const names[] = {
#define DISCREPANCY_NAME(name) [DISCREPANCY_##name] = #name,
		DISCREPANCY_REASONS(DISCREPANCY_NAME)
#undef DISCREPANCY_NAME
	};
	RT_ASSERT((size_t)reason < sizeof(names) / sizeof(names[0]));
	return names[reason];
}

struct discrepancy discrepancy_make(enum discrepancy_reason reason,
				    const struct rt_uuid *account_id,
				    const struct rt_uuid *transfer_id, const char *format, ...)
{
	struct discrepancy discrepancy = {.reason = reason};
	if (account_id != NULL)
		discrepancy.account_id = *account_id;
	if (transfer_id != NULL)
		discrepancy.transfer_id = *transfer_id;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(discrepancy.detail, sizeof(discrepancy.detail), format, arguments);
	va_end(arguments);
	return discrepancy;
}

/* Of the walk's account. */
#define FOUND(walk, why, transfer_id, ...)                                                         \
	do {                                                                                       \
		struct discrepancy found_ = discrepancy_make(                                      \
			DISCREPANCY_##why, &(walk)->account_id, transfer_id, __VA_ARGS__);         \
		(walk)->sink->found((walk)->sink->context, &found_);                               \
	} while (0)

struct rt_status verify_begin(struct verify_walk *walk, const struct account *account,
			      const struct verify_limits *limits, size_t limit_count,
			      size_t holds_most, struct rt_arena *arena,
			      const struct verify_sink *sink)
{
	RT_ASSERT(limit_count > 0);
	RT_ASSERT(holds_most > 0);
	*walk = (struct verify_walk){
		.sink = sink,
		.account_id = account->id,
		.side = account->side,
		.limits = limits,
		.limit_count = limit_count,
	};
	memcpy(walk->currency, account->currency, sizeof(walk->currency));
	if (!open_holds_init(&walk->holds, arena, holds_most))
		return RT_FAIL(RESOURCE_EXHAUSTED, "LEDGER_TOO_LARGE",
			       "the verification needs too much memory");
	return rt_ok();
}

/* A total that does not fit stays as it is, and shows as a difference. */
static void add_total(int64_t *total_minor, int64_t change_minor)
{
	(void)(rt_money_add(*total_minor, change_minor, total_minor));
}

static bool is_in(const struct verify_share *share, const struct rt_uuid *hold_id)
{
	uint64_t all = ((uint64_t)1 << share->bits) - 1;
	return (uuid_table_hash(hold_id) & all) == share->residue;
}

/* Whether what the entry does to a hold of the share has not been judged yet. */
static bool is_new(const struct verify_walk *walk, const struct verify_entry *entry)
{
	return entry->after.sequence > walk->share.after_sequence;
}

static void let_go(struct open_holds *holds, const struct verify_share *kept)
{
	for (size_t i = 0; i <= holds->mask;) {
		struct open_hold *place = &holds->places[i];
		if (place->amount_minor != 0 && !is_in(kept, &place->id))
			open_holds_remove(holds, place); /* another one may be there now */
		else
			i++;
	}
}

/* Halves the share until one more can be followed; the other halves are left for later. */
static bool make_room(struct verify_walk *walk, int64_t sequence)
{
	struct verify_share *share = &walk->share;
	while (open_holds_is_full(&walk->holds)) {
		if (walk->left_count == VERIFY_SHARES_MAX || share->bits + 1 == VERIFY_SHARES_MAX)
			return false;
		struct verify_share other = *share;
		other.residue |= (uint64_t)1 << share->bits;
		other.bits = ++share->bits;
		if (other.after_sequence < sequence)
			other.after_sequence = sequence;
		walk->left[walk->left_count++] = other;
		let_go(&walk->holds, share);
	}
	return true;
}

/* Once: when the debited account is gone through. */
static void report_hold(struct verify_walk *walk, const struct open_hold *hold,
			enum hold_state state)
{
	if (!hold->is_debit)
		return;
	const struct verify_hold made = {
		.id = hold->id,
		.account_id = walk->account_id,
		.state = state,
		.amount_minor = hold->amount_minor,
		.captured_minor = hold->captured_minor,
	};
	walk->sink->hold(walk->sink->context, &made);
}

/* What a capture takes from what is pending: what it moves, and what it releases. */
static int64_t end_by_capture(struct verify_walk *walk, const struct verify_entry *entry,
			      struct open_hold *hold)
{
	int64_t remaining_minor = hold->amount_minor - hold->captured_minor;
	if (entry->moved_minor > remaining_minor) {
		if (is_new(walk, entry))
			FOUND(walk, HOLD_DIFFERS, &entry->transfer_id,
			      "captures %lld of %lld that were held", (long long)entry->moved_minor,
			      (long long)remaining_minor);
		remaining_minor = entry->moved_minor;
	}
	add_total(&hold->captured_minor, entry->moved_minor);
	if (entry->keep_open && entry->moved_minor < remaining_minor)
		return entry->moved_minor;
	if (is_new(walk, entry))
		report_hold(walk, hold, HOLD_CAPTURED);
	open_holds_remove(&walk->holds, hold);
	return remaining_minor;
}

static int64_t end_by_release(struct verify_walk *walk, const struct verify_entry *entry,
			      struct open_hold *hold)
{
	int64_t remaining_minor = hold->amount_minor - hold->captured_minor;
	if (entry->moved_minor != remaining_minor && is_new(walk, entry))
		FOUND(walk, HOLD_DIFFERS, &entry->transfer_id,
		      "releases %lld of %lld that were held", (long long)entry->moved_minor,
		      (long long)remaining_minor);
	if (is_new(walk, entry))
		report_hold(walk, hold,
			    entry->kind == TRANSFER_RELEASE ? HOLD_RELEASED : HOLD_EXPIRED);
	open_holds_remove(&walk->holds, hold);
	return entry->moved_minor;
}

static int64_t pending_of(const struct account_totals *totals, bool is_debit)
{
	return is_debit ? totals->debits_pending_minor : totals->credits_pending_minor;
}

/* Of a hold that is not followed. */
static int64_t taken_by_record(const struct verify_walk *walk, const struct verify_entry *entry)
{
	int64_t taken_minor = 0;
	(void)(rt_money_sub(pending_of(&walk->seen.totals, entry->is_debit),
			    pending_of(&entry->after.totals, entry->is_debit), &taken_minor));
	return taken_minor;
}

/* What the entry takes from what is pending. */
static int64_t end_hold(struct verify_walk *walk, const struct verify_entry *entry)
{
	if (!is_in(&walk->share, &entry->target_id))
		return taken_by_record(walk, entry);
	struct open_hold *hold = open_holds_find(&walk->holds, &entry->target_id);
	if (hold == NULL) {
		if (is_new(walk, entry))
			FOUND(walk, HOLD_DIFFERS, &entry->transfer_id,
			      "takes from a hold that does not stand");
		return entry->moved_minor;
	}
	if (entry->kind == TRANSFER_CAPTURE)
		return end_by_capture(walk, entry, hold);
	return end_by_release(walk, entry, hold);
}

/* What the entry adds to what is posted and to what is pending, on its side. */
struct effect {
	int64_t posted_minor, pending_minor;
};

static struct rt_status follow_hold(struct verify_walk *walk, const struct verify_entry *entry)
{
	const struct rt_uuid *id = &entry->transfer_id;
	if (entry->moved_minor <= 0 || !is_in(&walk->share, id) ||
	    open_holds_find(&walk->holds, id) != NULL)
		return rt_ok();
	if (!make_room(walk, entry->after.sequence))
		return RT_FAIL(RESOURCE_EXHAUSTED, "LEDGER_TOO_LARGE",
			       "ids of holds are too much alike to be followed");
	if (is_in(&walk->share, id) &&
	    !open_holds_add(&walk->holds, id, entry->moved_minor, entry->is_debit))
		return RT_FAIL(RESOURCE_EXHAUSTED, "LEDGER_TOO_LARGE",
			       "the verification needs too much memory");
	return rt_ok();
}

static struct rt_status effect_of(struct verify_walk *walk, const struct verify_entry *entry,
				  struct effect *effect)
{
	*effect = (struct effect){0};
	switch (entry->kind) {
	case TRANSFER_REVERSAL:
		if (entry->is_debit && !walk->again)
			walk->sink->reversal(walk->sink->context, &entry->target_id);
		effect->posted_minor = entry->moved_minor;
		return rt_ok();
	case TRANSFER_DIRECT:
	case TRANSFER_BALANCING:
		effect->posted_minor = entry->moved_minor;
		return rt_ok();
	case TRANSFER_HOLD:
		effect->pending_minor = entry->moved_minor;
		return follow_hold(walk, entry);
	case TRANSFER_CAPTURE:
		effect->posted_minor = entry->moved_minor;
		effect->pending_minor = -end_hold(walk, entry);
		return rt_ok();
	case TRANSFER_RELEASE:
	case TRANSFER_EXPIRY:
		effect->pending_minor = -end_hold(walk, entry);
		return rt_ok();
	}
	return RT_FAIL(INTERNAL, "BAD_RECORD", "a kind of transfer is wrong");
}

static void add_effect(struct account_totals *totals, const struct effect *effect, bool is_debit)
{
	add_total(is_debit ? &totals->debits_posted_minor : &totals->credits_posted_minor,
		  effect->posted_minor);
	add_total(is_debit ? &totals->debits_pending_minor : &totals->credits_pending_minor,
		  effect->pending_minor);
}

static bool is_same(const struct account_totals *a, const struct account_totals *b)
{
	return a->debits_posted_minor == b->debits_posted_minor &&
	       a->credits_posted_minor == b->credits_posted_minor &&
	       a->debits_pending_minor == b->debits_pending_minor &&
	       a->credits_pending_minor == b->credits_pending_minor;
}

#define TOTALS_TEXT_BYTES 96

/* Posted and pending, debits and credits. */
static const char *totals_text(const struct account_totals *totals, char text[TOTALS_TEXT_BYTES])
{
	snprintf(text, TOTALS_TEXT_BYTES, "%lld/%lld+%lld/%lld",
		 (long long)totals->debits_posted_minor, (long long)totals->credits_posted_minor,
		 (long long)totals->debits_pending_minor, (long long)totals->credits_pending_minor);
	return text;
}

static void check_sequence(struct verify_walk *walk, const struct verify_entry *entry)
{
	if (entry->after.sequence != walk->seen.sequence + 1)
		FOUND(walk, SEQUENCE_GAP, &entry->transfer_id, "entry %lld follows entry %lld",
		      (long long)entry->after.sequence, (long long)walk->seen.sequence);
}

static void check_chain(struct verify_walk *walk, const struct verify_entry *entry,
			const struct effect *effect)
{
	char on_record[TOTALS_TEXT_BYTES], follows[TOTALS_TEXT_BYTES];
	struct account_totals expected = walk->seen.totals;
	add_effect(&expected, effect, entry->is_debit);
	if (!is_same(&expected, &entry->after.totals))
		FOUND(walk, BALANCE_AFTER_DIFFERS, &entry->transfer_id, "%s on record, %s follows",
		      totals_text(&entry->after.totals, on_record),
		      totals_text(&expected, follows));
}

static void check_currency(struct verify_walk *walk, const struct verify_entry *entry)
{
	if (strcmp(entry->currency, walk->currency) != 0)
		FOUND(walk, CURRENCY_DIFFERS, &entry->transfer_id, "%s in an account in %s",
		      entry->currency, walk->currency);
}

static void check_time(struct verify_walk *walk, const struct verify_entry *entry)
{
	if (entry->created_us < walk->seen_us)
		FOUND(walk, TIME_DIFFERS, &entry->transfer_id,
		      "it was made %lld us before the entry before it",
		      (long long)(walk->seen_us - entry->created_us));
}

static const struct verify_limits *limits_at(const struct verify_walk *walk, int64_t sequence)
{
	size_t place = walk->limit_count - 1;
	while (place > 0 && walk->limits[place].after_sequence >= sequence)
		place--;
	return &walk->limits[place];
}

/* As account_try asks: only when the entry came nearer to the limit. Balances that a corrupt row
 * made too large for a difference are reported otherwise already. */
static void check_limits(struct verify_walk *walk, const struct verify_entry *entry)
{
	const struct verify_limits *limits = limits_at(walk, entry->after.sequence);
	const struct account_totals *after = &entry->after.totals, *before = &walk->seen.totals;
	int64_t floor_minor, available_minor = account_available_minor(walk->side, after);
	if (limits->lower.set &&
	    rt_money_sub(limits->lower.amount_minor, limits->credit_line_minor, &floor_minor) &&
	    available_minor < floor_minor &&
	    available_minor < account_available_minor(walk->side, before))
		FOUND(walk, LIMIT_PASSED, &entry->transfer_id,
		      "%lld available, at least %lld were to be", (long long)available_minor,
		      (long long)floor_minor);
	int64_t ceiling_minor = account_ceiling_minor(walk->side, after);
	if (limits->upper.set && ceiling_minor > limits->upper.amount_minor &&
	    ceiling_minor > account_ceiling_minor(walk->side, before))
		FOUND(walk, LIMIT_PASSED, &entry->transfer_id,
		      "%lld could become available, at most %lld were to", (long long)ceiling_minor,
		      (long long)limits->upper.amount_minor);
}

/* Whether the sums that the checks make of it fit. */
static bool is_sane(const struct account_totals *totals)
{
	int64_t sum_minor;
	return totals->debits_posted_minor >= 0 && totals->credits_posted_minor >= 0 &&
	       totals->debits_pending_minor >= 0 && totals->credits_pending_minor >= 0 &&
	       rt_money_add(totals->debits_posted_minor, totals->debits_pending_minor,
			    &sum_minor) &&
	       rt_money_add(totals->credits_posted_minor, totals->credits_pending_minor,
			    &sum_minor);
}

static void check_all(struct verify_walk *walk, const struct verify_entry *entry,
		      const struct effect *effect)
{
	check_sequence(walk, entry);
	check_chain(walk, entry, effect);
	check_currency(walk, entry);
	check_time(walk, entry);
	if (is_sane(&entry->after.totals) && is_sane(&walk->seen.totals))
		check_limits(walk, entry);
}

/* Of a walk that is not the first. */
static void check_again(struct verify_walk *walk, const struct verify_entry *entry,
			const struct effect *effect)
{
	bool ends_hold = entry->kind == TRANSFER_CAPTURE || entry->kind == TRANSFER_RELEASE ||
			 entry->kind == TRANSFER_EXPIRY;
	if (ends_hold && is_in(&walk->share, &entry->target_id) && is_new(walk, entry) &&
	    taken_by_record(walk, entry) != -effect->pending_minor)
		check_chain(walk, entry, effect);
}

struct rt_status verify_entry_next(struct verify_walk *walk, const struct verify_entry *entry)
{
	struct effect effect;
	RT_TRY(effect_of(walk, entry, &effect));
	if (walk->again)
		check_again(walk, entry, &effect);
	else
		check_all(walk, entry, &effect);
	add_effect(&walk->sums, &effect, entry->is_debit);
	walk->seen = entry->after;
	walk->seen_us = entry->created_us;
	return rt_ok();
}

static void report_open(struct verify_walk *walk)
{
	for (size_t i = 0; i <= walk->holds.mask; i++)
		if (walk->holds.places[i].amount_minor != 0)
			report_hold(walk, &walk->holds.places[i], HOLD_PENDING);
}

static void check_totals(struct verify_walk *walk, const struct account *account)
{
	char on_record[TOTALS_TEXT_BYTES], sums[TOTALS_TEXT_BYTES];
	if (walk->told_totals || is_same(&account->state.totals, &walk->sums))
		return;
	walk->told_totals = true;
	FOUND(walk, TOTALS_DIFFER, NULL, "%s on record, %s by its transfers",
	      totals_text(&account->state.totals, on_record), totals_text(&walk->sums, sums));
}

static void check_last(struct verify_walk *walk, const struct account *account)
{
	if (account->state.sequence != walk->seen.sequence)
		FOUND(walk, SEQUENCE_GAP, NULL,
		      "the account counts %lld entries, the last one is %lld",
		      (long long)account->state.sequence, (long long)walk->seen.sequence);
	/* Entries that come are made no earlier than that. */
	if (account->last_entry_us != walk->seen_us)
		FOUND(walk, TIME_DIFFERS, NULL,
		      "the account says that its last entry was made at %lld, and that was at %lld "
		      "(us since 1970)",
		      (long long)account->last_entry_us, (long long)walk->seen_us);
}

void verify_end(struct verify_walk *walk, const struct account *account)
{
	if (!walk->again)
		check_last(walk, account);
	check_totals(walk, account);
	report_open(walk);
}

bool verify_again(struct verify_walk *walk)
{
	if (walk->left_count == 0)
		return false;
	walk->share = walk->left[--walk->left_count];
	walk->again = true;
	walk->limits = NULL; /* were judged */
	walk->limit_count = 0;
	walk->seen = (struct account_state){0};
	walk->seen_us = 0;
	walk->sums = (struct account_totals){0};
	open_holds_clear(&walk->holds);
	return true;
}

static bool same_limit(const struct account_limit *a, const struct account_limit *b)
{
	return a->set == b->set && (!a->set || a->amount_minor == b->amount_minor);
}

static bool same_values(const struct verify_values *a, const struct verify_values *b)
{
	return a->status == b->status && same_limit(&a->lower, &b->lower) &&
	       same_limit(&a->upper, &b->upper) && a->credit_line_minor == b->credit_line_minor &&
	       strcmp(a->label, b->label) == 0;
}

static struct verify_values values_of(const struct account_record *record)
{
	return (struct verify_values){
		.status = record->account.status,
		.lower = record->account.lower,
		.upper = record->account.upper,
		.credit_line_minor = record->account.credit_line_minor,
		.label = record->label,
	};
}

void verify_history_begin(struct verify_history *history, const struct account_record *record)
{
	const struct verify_values values = values_of(record);
	*history = (struct verify_history){.first = values, .last = values, .version = 1};
}

void verify_history_next(struct verify_history *history, int64_t version, int64_t sequence,
			 const struct verify_values *before, const struct verify_values *after)
{
	bool follows = version == history->version + 1 && sequence >= history->sequence;
	if (history->version == 1)
		history->first = *before;
	else
		follows = follows && same_values(before, &history->last);
	if (!follows && history->broken_version == 0)
		history->broken_version = version;
	history->last = *after;
	history->version = version;
	history->sequence = sequence;
}

/* Whether the account can have been created like this. */
static bool is_creation(const struct account_record *record, const struct verify_values *first,
			const uint8_t creation_hash[ACCOUNT_HASH_BYTES])
{
	struct account_record created = *record;
	uint8_t hash[ACCOUNT_HASH_BYTES];
	created.label = first->label;
	created.account.lower = first->lower;
	created.account.upper = first->upper;
	created.account.credit_line_minor = first->credit_line_minor;
	account_hash(&created, hash);
	return first->status == ACCOUNT_ACTIVE && memcmp(hash, creation_hash, sizeof(hash)) == 0;
}

int64_t verify_history_end(const struct verify_history *history,
			   const struct account_record *record,
			   const uint8_t creation_hash[ACCOUNT_HASH_BYTES])
{
	const struct verify_values values = values_of(record);
	if (!is_creation(record, &history->first, creation_hash))
		return 1;
	if (history->broken_version != 0)
		return history->broken_version;
	if (record->version != history->version || !same_values(&values, &history->last) ||
	    record->account.state.sequence < history->sequence)
		return record->version;
	return 0;
}
