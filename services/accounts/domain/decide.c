/* book_decide: what becomes of one group. */
#include <string.h>

#include "domain/book.h"
#include "rt/assert.h"

static struct rt_status too_large(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "BATCH_TOO_LARGE",
		       "the batch needs more memory than it may have");
}

/* The first transfer of the group whose id is on record, posted or declined; the count: none is. */
static size_t first_on_record(const struct book *book, const struct group *group)
{
	size_t i = 0;
	while (i < group->count &&
	       uuid_table_get(&book->transfers, &group->transfers[i].id) == NULL)
		i++;
	return i;
}

/* The record of this very group: all its ids, with the same content. */
static struct group_record *record_of(const struct book *book, const struct group *group)
{
	struct group_record *record = uuid_table_get(&book->groups, group_id(group));
	if (record == NULL || record->count != group->count ||
	    memcmp(record->hash, group->hash, sizeof(record->hash)) != 0)
		return NULL;
	for (size_t i = 0; i < group->count; i++)
		if (uuid_table_get(&book->transfers, &group->transfers[i].id) != record)
			return NULL;
	return record;
}

/* Rows do not say on which side their accounts grow. */
static struct rt_status fill_sides(const struct book *book, struct group_record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		struct posted_transfer *posted = &record->transfers[i];
		const struct book_account *debit =
			uuid_table_get(&book->accounts, &posted->transfer.debit_account_id);
		const struct book_account *credit =
			uuid_table_get(&book->accounts, &posted->transfer.credit_account_id);
		if (debit == NULL || credit == NULL)
			return RT_FAIL(INTERNAL, "BAD_RECORD",
				       "an account of a transfer is not there");
		posted->debit.normal = debit->account.side;
		posted->credit.normal = credit->account.side;
	}
	return rt_ok();
}

static struct rt_status replay(const struct book *book, const struct group *group, size_t position,
			       struct outcome *outcome)
{
	struct group_record *record = record_of(book, group);
	if (record == NULL) {
		*outcome = (struct outcome){.refusal = REFUSAL_MISMATCH, .position = position};
		return rt_ok();
	}
	if (record->known != record->count)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "a group is not wholly on record");
	if (record->decline == DECLINE_NONE && record->asked == NULL)
		RT_TRY(fill_sides(book, record));
	/* Our own attempt, of which we didn't hear whether it was committed, is no earlier call: it
	 * is told once. */
	bool own = !record->announced && group->attempted_us != 0 &&
		   group->attempted_us == record->created_us;
	record->announced = true;
	*outcome = (struct outcome){.record = record, .replayed = !own};
	return rt_ok();
}

/* What a transfer is about to change, as it was. */
struct undo {
	struct transfer_parties parties;
	struct account_state debit;
	struct account_state credit;
	struct hold hold;
	int64_t reversed_minor;
	struct book_hold *made;
};

static struct book_hold *hold_named(const struct book *book, const struct transfer *transfer)
{
	if (!transfer_names_hold(transfer->kind))
		return NULL;
	struct book_hold *entry = uuid_table_get(&book->holds, &transfer->target_id);
	return entry == NULL || entry->is_void ? NULL : entry;
}

/* A transfer that was posted earlier in this batch, or in the very group that is being carried out:
 * those of it are known that come before `own_count`. */
static const struct posted_transfer *posted_here(const struct book *book, const struct rt_uuid *id,
						 const struct group_record *own, size_t own_count,
						 const struct group_record **of)
{
	const struct group_record *record = uuid_table_get(&book->transfers, id);
	size_t count = own_count;
	*of = own;
	if (record != NULL) {
		if (record->asked == NULL || record->decline != DECLINE_NONE)
			return NULL;
		*of = record;
		count = record->count;
	}
	for (size_t i = 0; i < count; i++)
		if (rt_uuid_equal(&(*of)->transfers[i].transfer.id, id))
			return &(*of)->transfers[i];
	return NULL;
}

/* The original of a reversal. One that the database doesn't know yet is noted when it is named
 * first. */
static struct rt_status original_named(struct book *book, const struct transfer *transfer,
				       const struct group_record *own, size_t own_count,
				       struct book_original **named)
{
	*named = uuid_table_get(&book->originals, &transfer->target_id);
	if (*named != NULL && ((*named)->of == NULL || (*named)->of->decline == DECLINE_NONE))
		return rt_ok();
	const struct group_record *of;
	const struct posted_transfer *posted =
		*named != NULL ? NULL
			       : posted_here(book, &transfer->target_id, own, own_count, &of);
	*named = NULL; /* what a declined group had posted before it was declined isn't there */
	if (posted == NULL)
		return rt_ok();
	struct book_original *entry = rt_arena_alloc(book->arena, sizeof(*entry));
	if (entry == NULL)
		return too_large();
	*entry = (struct book_original){
		.original = {.id = posted->transfer.id,
			     .debit_account_id = posted->transfer.debit_account_id,
			     .credit_account_id = posted->transfer.credit_account_id,
			     .moved_minor = posted->moved_minor,
			     .kind = posted->transfer.kind},
		.of = of,
	};
	*named = uuid_table_put(&book->originals, &entry->original.id, entry);
	return rt_ok();
}

static struct transfer_parties parties_of(const struct book *book, const struct transfer *transfer,
					  struct book_original *original)
{
	struct book_account *debit = uuid_table_get(&book->accounts, &transfer->debit_account_id);
	struct book_account *credit = uuid_table_get(&book->accounts, &transfer->credit_account_id);
	struct book_hold *hold = hold_named(book, transfer);
	return (struct transfer_parties){
		.debit = debit == NULL ? NULL : &debit->account,
		.credit = credit == NULL ? NULL : &credit->account,
		.hold = hold == NULL ? NULL : &hold->hold,
		.original = original == NULL ? NULL : &original->original,
	};
}

static struct undo remember(const struct transfer_parties *parties)
{
	struct undo undo = {.parties = *parties};
	if (parties->debit != NULL)
		undo.debit = parties->debit->state;
	if (parties->credit != NULL)
		undo.credit = parties->credit->state;
	if (parties->hold != NULL)
		undo.hold = *parties->hold;
	if (parties->original != NULL)
		undo.reversed_minor = parties->original->reversed_minor;
	return undo;
}

static void take_back(const struct undo *undos, size_t count)
{
	for (size_t i = count; i-- > 0;) {
		undos[i].parties.debit->state = undos[i].debit;
		undos[i].parties.credit->state = undos[i].credit;
		if (undos[i].parties.hold != NULL)
			*undos[i].parties.hold = undos[i].hold;
		if (undos[i].parties.original != NULL)
			undos[i].parties.original->reversed_minor = undos[i].reversed_minor;
		if (undos[i].made != NULL)
			undos[i].made->is_void = true;
	}
}

static void set_posted(struct group_record *record, size_t index, const struct transfer *transfer,
		       const struct transfer_parties *parties, int64_t moved_minor)
{
	record->transfers[index] = (struct posted_transfer){
		.transfer = *transfer,
		.group_id = record->id,
		.position = (int64_t)index,
		.created_us = record->created_us,
		.moved_minor = moved_minor,
		.debit = {.normal = parties->debit->side, .after = parties->debit->state},
		.credit = {.normal = parties->credit->side, .after = parties->credit->state},
	};
}

/* Makes the hold of a transfer known at once, so that a later one of the same group may end it. */
static struct rt_status make_hold(struct book *book, const struct transfer *transfer,
				  struct book_hold **made)
{
	struct book_hold *entry = rt_arena_alloc(book->arena, sizeof(*entry));
	if (entry == NULL)
		return too_large();
	*entry = (struct book_hold){
		.hold = {.id = transfer->id,
			 .debit_account_id = transfer->debit_account_id,
			 .credit_account_id = transfer->credit_account_id,
			 .amount_minor = transfer->amount_minor,
			 .expires_us = transfer->expires_us,
			 .state = HOLD_PENDING},
		.is_new = true,
	};
	if (uuid_table_put(&book->holds, &transfer->id, entry) != entry)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "there is a hold without its transfer");
	*made = entry;
	return rt_ok();
}

/* Carries out one transfer of a group; says why it can't be. */
static struct rt_status carry_out_one(struct book *book, const struct transfer *transfer,
				      struct group_record *record, size_t index, struct undo *undo,
				      enum decline_reason *reason)
{
	struct book_original *original = NULL;
	if (transfer->kind == TRANSFER_REVERSAL)
		RT_TRY(original_named(book, transfer, record, index, &original));
	struct transfer_parties parties = parties_of(book, transfer, original);
	int64_t moved_minor;
	*undo = remember(&parties);
	*reason = transfer_apply(transfer, &parties, book->clock_us, &moved_minor);
	if (*reason != DECLINE_NONE)
		return rt_ok();
	set_posted(record, index, transfer, &parties, moved_minor);
	return transfer->kind == TRANSFER_HOLD ? make_hold(book, transfer, &undo->made) : rt_ok();
}

/* Carries out the group's transfers one by one, until one is declined. */
static struct rt_status carry_out(struct book *book, const struct group *group,
				  struct group_record *record, struct undo *undos)
{
	for (size_t i = 0; i < group->count; i++) {
		enum decline_reason reason;
		RT_TRY(carry_out_one(book, &group->transfers[i], record, i, &undos[i], &reason));
		if (reason != DECLINE_NONE) {
			take_back(undos, i);
			record->decline = reason;
			record->cause_id = group->transfers[i].id;
			record->cause_side = transfer_declined_side(&group->transfers[i],
								    &undos[i].parties, reason);
			return rt_ok();
		}
	}
	return rt_ok();
}

static void note_account(struct book *book, const struct rt_uuid *id)
{
	struct book_account *entry = uuid_table_get(&book->accounts, id);
	RT_ASSERT(entry != NULL);
	if (entry->changed)
		return;
	entry->changed = true;
	entry->next_changed = book->first_account;
	book->first_account = entry;
	book->counts.accounts_changed++;
}

static void note_hold(struct book *book, const struct rt_uuid *id)
{
	struct book_hold *entry = uuid_table_get(&book->holds, id);
	RT_ASSERT(entry != NULL);
	if (entry->changed)
		return;
	entry->changed = true;
	entry->next_changed = book->first_hold;
	book->first_hold = entry;
	if (entry->is_new)
		book->counts.holds_new++;
	else
		book->counts.holds_changed++;
}

static void note_original(struct book *book, const struct rt_uuid *id)
{
	struct book_original *entry = uuid_table_get(&book->originals, id);
	RT_ASSERT(entry != NULL);
	if (entry->changed)
		return;
	entry->changed = true;
	entry->next_changed = book->first_original;
	book->first_original = entry;
	book->counts.originals_changed++;
}

/* Notes what is to be written for a group that was posted. */
static void note_posted(struct book *book, const struct group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct transfer *transfer = &group->transfers[i];
		note_account(book, &transfer->debit_account_id);
		note_account(book, &transfer->credit_account_id);
		if (transfer->kind == TRANSFER_HOLD)
			note_hold(book, &transfer->id);
		else if (transfer_names_hold(transfer->kind))
			note_hold(book, &transfer->target_id);
		else if (transfer->kind == TRANSFER_REVERSAL)
			note_original(book, &transfer->target_id);
	}
	book->counts.posted_transfers += group->count;
}

/* From here on the group is on record, for those that come after it in the batch. */
static struct rt_status put_on_record(struct book *book, const struct group *group,
				      struct group_record *record)
{
	for (size_t i = 0; i < group->count; i++)
		uuid_table_put(&book->transfers, &group->transfers[i].id, record);
	if (uuid_table_put(&book->groups, &record->id, record) != record)
		return RT_FAIL(INTERNAL, "BAD_RECORD",
			       "there is a group without its first transfer");
	*book->last_new = record;
	book->last_new = &record->next_new;
	if (record->decline == DECLINE_NONE)
		note_posted(book, group);
	else
		book->counts.declined_transfers += group->count;
	return rt_ok();
}

/* Expiries are the ledger's own wish, and not for ever: what can't be carried out is not recorded,
 * and may be tried again. */
static bool is_own(const struct group *group)
{
	return group->transfers[0].kind == TRANSFER_EXPIRY;
}

static struct rt_status decide_new(struct book *book, const struct group *group,
				   struct outcome *outcome)
{
	struct group_record *record = rt_arena_alloc(book->arena, sizeof(*record));
	struct undo *undos = rt_arena_array(book->arena, group->count, sizeof(undos[0]));
	struct posted_transfer *transfers =
		rt_arena_array(book->arena, group->count, sizeof(transfers[0]));
	if (record == NULL || undos == NULL || transfers == NULL)
		return too_large();
	*record = (struct group_record){
		.id = *group_id(group),
		.created_us = book->now_us,
		.transfers = transfers,
		.count = group->count,
		.known = group->count,
		.announced = true,
		.asked = group,
	};
	memcpy(record->hash, group->hash, sizeof(record->hash));
	RT_TRY(carry_out(book, group, record, undos));
	if (record->decline != DECLINE_NONE && is_own(group)) {
		*outcome = (struct outcome){.refusal = REFUSAL_NOT_DUE};
		return rt_ok();
	}
	RT_TRY(put_on_record(book, group, record));
	*outcome = (struct outcome){.record = record};
	return rt_ok();
}

/* Asked of new groups alone: one that is on record got its outcome when its time was still to come.
 */
static bool expires_badly(const struct book *book, const struct group *group,
			  struct outcome *outcome)
{
	for (size_t i = 0; i < group->count; i++) {
		if (!transfer_expiry_is_ahead(&group->transfers[i], book->clock_us)) {
			*outcome = (struct outcome){.refusal = REFUSAL_EXPIRES, .position = i};
			return true;
		}
	}
	return false;
}

struct rt_status book_decide(struct book *book, const struct group *group, struct outcome *outcome)
{
	RT_ASSERT(group->count > 0);
	const size_t known = first_on_record(book, group);
	if (known < group->count)
		return replay(book, group, known, outcome);
	if (expires_badly(book, group, outcome))
		return rt_ok();
	return decide_new(book, group, outcome);
}
