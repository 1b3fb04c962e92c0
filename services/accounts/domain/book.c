#include "domain/book.h"

#include <string.h>

#include "rt/assert.h"

static struct rt_status too_large(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "BATCH_TOO_LARGE",
		       "the batch needs more memory than it may have");
}

struct rt_status book_init(struct book *book, struct rt_arena *arena, const struct book_size *size)
{
	*book = (struct book){.arena = arena};
	book->last_new = &book->first_new;
	if (!uuid_table_init(&book->accounts, arena, size->accounts) ||
	    /* A transfer may make a hold, or end one that it names. */
	    !uuid_table_init(&book->holds, arena, size->transfers + size->holds) ||
	    !uuid_table_init(&book->originals, arena, size->originals) ||
	    !uuid_table_init(&book->transfers, arena, size->transfers) ||
	    !uuid_table_init(&book->groups, arena, size->transfers))
		return too_large();
	return rt_ok();
}

struct rt_status book_add_account(struct book *book, const struct account *account)
{
	struct book_account *entry = rt_arena_alloc(book->arena, sizeof(*entry));
	if (entry == NULL)
		return too_large();
	entry->account = *account;
	entry->read_sequence = account->state.sequence;
	uuid_table_put(&book->accounts, &account->id, entry);
	if (book->now_us < account->last_entry_us)
		book->now_us = account->last_entry_us;
	return rt_ok();
}

void book_set_time(struct book *book, int64_t clock_us)
{
	book->clock_us = clock_us;
	if (book->now_us < clock_us)
		book->now_us = clock_us;
}

static struct book_hold *add_hold(struct book *book, const struct hold *hold)
{
	struct book_hold *entry = rt_arena_alloc(book->arena, sizeof(*entry));
	if (entry == NULL)
		return NULL;
	entry->hold = *hold;
	struct book_hold *put = uuid_table_put(&book->holds, &hold->id, entry);
	RT_ASSERT(put == entry);
	return entry;
}

struct rt_status book_add_hold(struct book *book, const struct hold *hold)
{
	return add_hold(book, hold) == NULL ? too_large() : rt_ok();
}

struct rt_status book_add_original(struct book *book, const struct original *original)
{
	struct book_original *entry = rt_arena_alloc(book->arena, sizeof(*entry));
	if (entry == NULL)
		return too_large();
	entry->original = *original;
	uuid_table_put(&book->originals, &original->id, entry);
	return rt_ok();
}

static struct group_record *add_record(struct book *book, const struct rt_uuid *id,
				       const uint8_t hash[GROUP_HASH_BYTES], size_t count)
{
	struct group_record *record = rt_arena_alloc(book->arena, sizeof(*record));
	if (record == NULL)
		return NULL;
	*record = (struct group_record){.id = *id, .count = count};
	memcpy(record->hash, hash, sizeof(record->hash));
	return record;
}

/* The record of a group that the database knows, made when its first transfer is read. */
static struct group_record *record_of(struct book *book, const struct rt_uuid *group_id,
				      const uint8_t hash[GROUP_HASH_BYTES], size_t count)
{
	struct group_record *record = uuid_table_get(&book->groups, group_id);
	if (record != NULL)
		return record;
	record = add_record(book, group_id, hash, count);
	return record == NULL ? NULL : uuid_table_put(&book->groups, group_id, record);
}

struct rt_status book_add_posted(struct book *book, const struct posted_transfer *posted,
				 const uint8_t hash[GROUP_HASH_BYTES], size_t count)
{
	if (count < 1 || count > GROUP_TRANSFERS_MAX || posted->position < 0 ||
	    (size_t)posted->position >= count)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "a transfer's place in its group is wrong");
	struct group_record *record = record_of(book, &posted->group_id, hash, count);
	if (record == NULL)
		return too_large();
	if (record->transfers == NULL) {
		record->transfers =
			rt_arena_array(book->arena, count, sizeof(record->transfers[0]));
		record->created_us = posted->created_us;
	}
	if (record->transfers == NULL)
		return too_large();
	if (record->count != count)
		return RT_FAIL(INTERNAL, "BAD_RECORD",
			       "transfers of a group disagree about its size");
	record->transfers[posted->position] = *posted;
	record->known++;
	uuid_table_put(&book->transfers, &posted->transfer.id, record);
	return rt_ok();
}

struct rt_status book_add_declined(struct book *book, const struct declined_transfer *declined)
{
	struct group_record *record = record_of(book, &declined->group_id, declined->hash, 0);
	if (record == NULL)
		return too_large();
	record->decline = declined->reason;
	record->cause_id = declined->cause_id;
	record->cause_side = declined->cause_side;
	record->created_us = declined->created_us;
	record->count++;
	record->known++;
	uuid_table_put(&book->transfers, &declined->transfer_id, record);
	return rt_ok();
}
