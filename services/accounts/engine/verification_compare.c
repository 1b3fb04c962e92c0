/* What accounts' entries tell, a thousand at a time, against the rows of holds, of what was moved
 * back, and of groups. */
#include "domain/verify_group.h"
#include "engine/verification_internal.h"
#include "rt/clock.h"

static void compare_hold(const struct verification *verification, const struct verify_hold *made,
			 const struct verify_recorded *recorded)
{
	struct discrepancy discrepancy;
	if (!recorded->there)
		discrepancy = discrepancy_make(DISCREPANCY_HOLD_DIFFERS, &made->account_id,
					       &made->id, "the hold is not on record");
	else if (recorded->state != (int64_t)made->state ||
		 recorded->captured_minor != made->captured_minor ||
		 recorded->amount_minor != made->amount_minor)
		discrepancy = discrepancy_make(
			DISCREPANCY_HOLD_DIFFERS, &made->account_id, &made->id,
			"state %lld, captured %lld of %lld on record; state %d, captured %lld of "
			"%lld by its transfers",
			(long long)recorded->state, (long long)recorded->captured_minor,
			(long long)recorded->amount_minor, (int)made->state,
			(long long)made->captured_minor, (long long)made->amount_minor);
	else
		return;
	verification_report(verification, &discrepancy);
}

static struct rt_status compare_holds(struct verification *verification)
{
	struct verify_recorded *recorded;
	size_t count = verification->hold_count;
	verification->hold_count = 0;
	if (count == 0)
		return rt_ok();
	struct rt_arena arena;
	rt_arena_init(&arena, GROUP_ARENA_BYTES);
	struct rt_status status = verify_store_holds(
		verification->pg, &verification->ledger_id, verification->holds, count, &arena,
		verification_step_deadline_us(verification), &recorded);
	for (size_t i = 0; rt_is_ok(&status) && i < count; i++)
		compare_hold(verification, &verification->holds[i], &recorded[i]);
	rt_arena_deinit(&arena);
	return status;
}

void verification_take_hold(void *context, const struct verify_hold *hold)
{
	struct verification *verification = context;
	verification->holds[verification->hold_count++] = *hold;
	if (verification->hold_count < HOLDS_AT_ONCE)
		return;
	struct rt_status status = compare_holds(verification);
	if (rt_is_ok(&verification->compare_status))
		verification->compare_status = status;
}

static void report_reversed(const struct verification *verification,
			    const struct verify_reversed *reversed)
{
	struct discrepancy discrepancy =
		discrepancy_make(DISCREPANCY_REVERSED_DIFFERS, NULL, &reversed->original_id,
				 "%lld of %lld on record as moved back, %s by its reversals",
				 (long long)reversed->recorded_minor,
				 (long long)reversed->moved_minor, reversed->by_reversals);
	verification_report(verification, &discrepancy);
}

struct rt_status verification_compare_reversed(struct verification *verification,
					       const struct rt_uuid *ids, size_t count,
					       bool recorded)
{
	struct verify_reversed *reversed;
	struct rt_arena arena;
	size_t differing = 0;
	if (count == 0)
		return rt_ok();
	rt_arena_init(&arena, GROUP_ARENA_BYTES);
	struct rt_status status = verify_store_reversed(
		verification->pg, &verification->ledger_id, ids, count, &arena,
		verification_step_deadline_us(verification), &reversed, &differing);
	for (size_t i = 0; rt_is_ok(&status) && i < differing; i++)
		if ((reversed[i].recorded_minor != 0) == recorded)
			report_reversed(verification, &reversed[i]);
	rt_arena_deinit(&arena);
	return status;
}

static struct rt_status compare_originals(struct verification *verification)
{
	size_t count = verification->original_count;
	verification->original_count = 0;
	return verification_compare_reversed(verification, verification->originals, count, false);
}

void verification_take_reversal(void *context, const struct rt_uuid *original_id)
{
	struct verification *verification = context;
	verification->originals[verification->original_count++] = *original_id;
	if (verification->original_count < ORIGINALS_AT_ONCE)
		return;
	struct rt_status status = compare_originals(verification);
	if (rt_is_ok(&verification->compare_status))
		verification->compare_status = status;
}

static void report_group(const struct verification *verification, const struct verify_member *first,
			 const char *wrong)
{
	struct discrepancy discrepancy =
		discrepancy_make(DISCREPANCY_GROUP_DIFFERS, &first->transfer.debit_account_id,
				 &first->transfer.id, "%s", wrong);
	verification_report(verification, &discrepancy);
}

static void compare_group(const struct verification *verification,
			  const struct verify_member *members, size_t count)
{
	const char *wrong = verify_group_members(members, count, &verification->ledger_id);
	if (wrong != NULL)
		report_group(verification, &members[0], wrong);
}

/* Groups come one after the other, each in its order. */
static struct rt_status compare_rows(const struct verification *verification,
				     const struct rt_pg_rows *rows, struct rt_arena *arena)
{
	struct verify_member *members =
		rt_arena_array(arena, (size_t)rows->count, sizeof(members[0]));
	size_t begin = 0, count = (size_t)rows->count;
	if (members == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "LEDGER_TOO_LARGE",
			       "the verification needs too much memory");
	for (size_t i = 0; i < count; i++)
		RT_TRY(verify_store_member(rows, (int)i, &members[i]));
	for (size_t i = 1; i <= count; i++) {
		if (i < count && rt_uuid_equal(&members[i].group_id, &members[begin].group_id))
			continue;
		compare_group(verification, &members[begin], i - begin);
		begin = i;
	}
	return rt_ok();
}

static struct rt_status compare_groups(struct verification *verification)
{
	size_t count = verification->first_count;
	verification->first_count = 0;
	verification->first_transfers = 0;
	if (count == 0)
		return rt_ok();
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	rt_arena_init(&arena, GROUP_ARENA_BYTES);
	RT_TRY(verify_store_groups(verification->pg, &verification->ledger_id, verification->firsts,
				   count, &arena, verification_step_deadline_us(verification),
				   &rows));
	return compare_rows(verification, &rows, &arena);
}

static struct rt_status find_orphans(struct verification *verification)
{
	struct verify_orphan *orphans;
	size_t count = verification->member_count;
	verification->member_count = 0;
	if (count == 0)
		return rt_ok();
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	rt_arena_init(&arena, GROUP_ARENA_BYTES);
	RT_TRY(verify_store_orphans(verification->pg, &verification->ledger_id,
				    verification->members, count, &arena,
				    verification_step_deadline_us(verification), &orphans, &count));
	for (size_t i = 0; i < count; i++) {
		struct discrepancy discrepancy = discrepancy_make(
			DISCREPANCY_GROUP_DIFFERS, &orphans[i].account_id, &orphans[i].transfer_id,
			"the first transfer of its group is not there");
		verification_report(verification, &discrepancy);
	}
	return rt_ok();
}

/* Most groups are of one transfer, which is all that there is to look at. */
struct rt_status verification_take_member(struct verification *verification,
					  const struct verify_member *member)
{
	if (member->group_size == 1) {
		compare_group(verification, member, 1);
		return rt_ok();
	}
	if (member->position > 0) {
		verification->members[verification->member_count++] = member->transfer.id;
		return verification->member_count < MEMBERS_AT_ONCE ? rt_ok()
								    : find_orphans(verification);
	}
	verification->firsts[verification->first_count++] = member->transfer.id;
	verification->first_transfers += member->group_size;
	if (verification->first_transfers < MEMBERS_AT_ONCE &&
	    verification->first_count < MEMBERS_AT_ONCE)
		return rt_ok();
	return compare_groups(verification);
}

struct rt_status verification_compare_rest(struct verification *verification)
{
	RT_TRY(compare_holds(verification));
	RT_TRY(compare_originals(verification));
	RT_TRY(compare_groups(verification));
	return find_orphans(verification);
}
