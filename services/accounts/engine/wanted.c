#include "engine/wanted.h"

#include <stdlib.h>
#include <string.h>

#include "domain/uuid_table.h"

/* Ids in order of appearance, without those that were there already. */
struct id_set {
	struct uuid_table seen;
	struct rt_uuid *ids;
	size_t count;
};

static bool set_init(struct id_set *set, struct rt_arena *arena, size_t most)
{
	*set = (struct id_set){.ids = rt_arena_array(arena, most, sizeof(set->ids[0]))};
	return set->ids != NULL && uuid_table_init(&set->seen, arena, most);
}

static void set_add(struct id_set *set, const struct rt_uuid *id)
{
	struct rt_uuid *place = &set->ids[set->count];
	if (uuid_table_put(&set->seen, id, place) != place)
		return;
	*place = *id;
	set->count++;
}

struct sets {
	struct id_set accounts, transfers, holds, originals;
};

static void add_group(struct sets *sets, const struct group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct transfer *transfer = &group->transfers[i];
		set_add(&sets->accounts, &transfer->debit_account_id);
		set_add(&sets->accounts, &transfer->credit_account_id);
		set_add(&sets->transfers, &transfer->id);
		if (transfer_names_hold(transfer->kind))
			set_add(&sets->holds, &transfer->target_id);
		else if (transfer->kind == TRANSFER_REVERSAL)
			set_add(&sets->originals, &transfer->target_id);
	}
}

/* How many of each there can be at most. */
struct counts {
	size_t transfers, holds, originals;
};

static struct counts count_all(struct posting_request *const *requests, size_t count)
{
	struct counts counts = {0};
	for (size_t i = 0; i < count; i++) {
		counts.transfers += requests[i]->transfer_count;
		for (size_t j = 0; j < requests[i]->group_count; j++) {
			const struct group *group = &requests[i]->groups[j];
			for (size_t k = 0; k < group->count; k++) {
				counts.holds += transfer_names_hold(group->transfers[k].kind);
				counts.originals += group->transfers[k].kind == TRANSFER_REVERSAL;
			}
		}
	}
	return counts;
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct rt_uuid));
}

/* PostgreSQL sorts what it is to find, with ten times the work unless it is sorted already. The set
 * points to the places of its ids, so this is its end. */
static void set_sort(struct id_set *set)
{
	qsort(set->ids, set->count, sizeof(set->ids[0]), compare_ids);
}

struct rt_status wanted_collect(struct posting_request *const *requests, size_t count,
				struct rt_arena *arena, struct posting_wanted *wanted)
{
	struct counts most = count_all(requests, count);
	/* One more place each: set_add tries an id on the place where it would go. */
	struct sets sets;
	if (!set_init(&sets.accounts, arena, 2 * most.transfers + 1) ||
	    !set_init(&sets.transfers, arena, most.transfers + 1) ||
	    !set_init(&sets.holds, arena, most.holds + 1) ||
	    !set_init(&sets.originals, arena, most.originals + 1))
		return RT_FAIL(RESOURCE_EXHAUSTED, "BATCH_TOO_LARGE",
			       "the batch needs too much memory");
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < requests[i]->group_count; j++)
			add_group(&sets, &requests[i]->groups[j]);
	set_sort(&sets.accounts);
	set_sort(&sets.transfers);
	*wanted = (struct posting_wanted){
		.ledger_id = requests[0]->item.key,
		.accounts = sets.accounts.ids,
		.account_count = sets.accounts.count,
		.transfers = sets.transfers.ids,
		.transfer_count = sets.transfers.count,
		.holds = sets.holds.ids,
		.hold_count = sets.holds.count,
		.originals = sets.originals.ids,
		.original_count = sets.originals.count,
	};
	return rt_ok();
}
