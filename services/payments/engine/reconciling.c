/* See reconciling.h. */
#include "engine/reconciling.h"

#include <stdlib.h>
#include <string.h>

#include "rt/assert.h"
#include "rt/clock.h"

#define PAGE_ROWS   1000
#define PAGE_BYTES  ((size_t)2 << 20)
/* How far the time in an id may be from the payment's. */
#define ID_SLACK_US (3600 * RT_US_PER_S)

static int by_reference(const void *left, const void *right)
{
	const struct reported *one = left, *other = right;

	return strcmp(one->reference, other->reference);
}

static struct reported *find(const struct reconciling *reconciling, const struct rt_uuid *id)
{
	struct reported wanted;

	if (reconciling->count == 0)
		return NULL;
	rt_uuid_format(id, wanted.reference);
	return bsearch(&wanted, reconciling->report, reconciling->count, sizeof(wanted),
		       by_reference);
}

static struct rt_uuid id_at(int64_t wall_us)
{
	uint64_t ms = wall_us < 0 ? 0 : (uint64_t)(wall_us / RT_US_PER_MS);
	struct rt_uuid id = {0};

	for (size_t i = 0; i < 6; i++)
		id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
	return id;
}

static void tell(const struct reconciling *reconciling, enum reconcile_difference difference,
		 const struct reconcile_row *row, const struct reported *reported)
{
	/* What a part of a report does not have says nothing. */
	if (difference == RECONCILE_SAME || (reported == NULL && !reconciling->whole))
		return;
	reconciling->found(reconciling->context, difference, row, reported);
}

static struct reconcile_theirs theirs_of(struct reported *reported)
{
	reported->known = true;
	return (struct reconcile_theirs){reported->operation, reported->amount_minor,
					 reported->currency, reported->status};
}

static struct reconcile_ours ours_of(const struct reconcile_row *row)
{
	return (struct reconcile_ours){row->kind, row->state, row->amount_minor, row->currency,
				       row->reason};
}

static void compare(const struct reconciling *reconciling, const struct reconcile_row *row)
{
	struct reported *reported = find(reconciling, &row->payment_id);
	struct reconcile_ours ours = ours_of(row);
	struct reconcile_theirs theirs = {0};

	if (reported != NULL)
		theirs = theirs_of(reported);
	tell(reconciling, reconcile_compare(&ours, reported == NULL ? NULL : &theirs), row,
	     reported);
}

/* What undoes a step at the connector has a reference of its own. */
static void compare_undo(const struct reconciling *reconciling, const struct reconcile_row *row)
{
	const struct saga_step *undo = saga_plan_of(row->kind)->undo;

	if (undo == NULL || undo->party != PARTY_PROVIDER || undo->reference == NULL)
		return;
	struct rt_uuid reference = rt_uuid_derive(&row->payment_id, undo->reference);
	struct reported *reported = find(reconciling, &reference);
	struct reconcile_ours ours = ours_of(row);
	struct reconcile_theirs theirs = {0};

	if (reported != NULL)
		theirs = theirs_of(reported);
	tell(reconciling, reconcile_compare_undo(&ours, reported == NULL ? NULL : &theirs), row,
	     reported);
}

static struct rt_status compare_range(struct reconciling *reconciling)
{
	struct reconcile_range range = {.connector = reconciling->connector,
					.start_us = reconciling->start_us,
					.end_us = reconciling->end_us,
					.from = id_at(reconciling->start_us - ID_SLACK_US),
					.to = id_at(reconciling->end_us + ID_SLACK_US),
					.limit = PAGE_ROWS};
	size_t count = PAGE_ROWS;

	while (count == PAGE_ROWS) {
		CLEANUP(rt_arena_deinit) struct rt_arena arena;
		struct reconcile_row *rows = NULL;

		rt_arena_init(&arena, PAGE_BYTES);
		RT_TRY(reconcile_store_range(reconciling->pg, &range, &arena,
					     reconciling->deadline_mono_us, &rows, &count));
		for (size_t i = 0; i < count; i++) {
			compare(reconciling, &rows[i]);
			compare_undo(reconciling, &rows[i]);
		}
		reconciling->payment_count += (int64_t)count;
		if (count > 0)
			range.from = rows[count - 1].payment_id;
	}
	return rt_ok();
}

/* Operations of no payment in the range: those of payments outside of it are none of this
 * comparison's, but another connector's payment is not theirs. */
static struct rt_status compare_rest(struct reconciling *reconciling, struct reported **rest,
				     size_t rest_count)
{
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	struct rt_uuid ids[PAGE_ROWS];
	struct reconcile_row *rows = NULL;
	size_t id_count = 0, count = 0;

	rt_arena_init(&arena, PAGE_BYTES);
	for (size_t i = 0; i < rest_count; i++) {
		if (rt_uuid_parse(rest[i]->reference, &ids[id_count]))
			id_count++;
	}
	RT_TRY(reconcile_store_find(reconciling->pg, ids, id_count, &arena,
				    reconciling->deadline_mono_us, &rows, &count));
	for (size_t i = 0; i < count; i++) {
		struct reported *reported = find(reconciling, &rows[i].payment_id);

		if (reported != NULL && strcmp(rows[i].connector, reconciling->connector) == 0)
			reported->known = true;
	}
	for (size_t i = 0; i < rest_count; i++) {
		if (!rest[i]->known)
			reconciling->found(reconciling->context, RECONCILE_MISSING_HERE, NULL,
					   rest[i]);
	}
	return rt_ok();
}

static bool in_range(const struct reconciling *reconciling, const struct reported *reported)
{
	return reported->create_us == 0 || (reported->create_us >= reconciling->start_us &&
					    reported->create_us < reconciling->end_us);
}

struct rt_status reconciling_run(struct reconciling *reconciling)
{
	struct reported *rest[PAGE_ROWS];
	size_t rest_count = 0;

	if (reconciling->count > 0)
		qsort(reconciling->report, reconciling->count, sizeof(reconciling->report[0]),
		      by_reference);
	RT_TRY(compare_range(reconciling));
	for (size_t i = 0; i < reconciling->count; i++) {
		struct reported *reported = &reconciling->report[i];

		if (!reported->known && !reported->give_back && in_range(reconciling, reported))
			rest[rest_count++] = reported;
		if (rest_count == PAGE_ROWS || (i + 1 == reconciling->count && rest_count > 0)) {
			RT_TRY(compare_rest(reconciling, rest, rest_count));
			rest_count = 0;
		}
	}
	return rt_ok();
}
