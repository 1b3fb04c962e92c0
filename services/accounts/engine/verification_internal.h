/* What a verification is made of. For engine/verification.c and engine/verification_compare.c. */
#pragma once

#include "domain/group.h"
#include "engine/verification.h"
#include "rt/arena.h"
#include "store/plans.h"
#include "store/verify_store.h"

/* What is looked up together. */
#define HOLDS_AT_ONCE     1000
#define ORIGINALS_AT_ONCE 1000
#define MEMBERS_AT_ONCE   1000
#define GROUP_ARENA_BYTES ((size_t)40 << 20)

struct verification {
	struct rt_pg *pg;
	struct rt_pace *pace;
	struct plans plans;
	struct rt_uuid ledger_id;
	int64_t deadline_us;
	const struct verification_observer *observer;
	struct verification_progress progress;
	struct rt_arena list_arena;
	struct rt_arena arena; /* of the group */
	struct verify_sink sink;
	struct verify_hold holds[HOLDS_AT_ONCE]; /* to be compared with what is on record */
	size_t hold_count;
	struct rt_uuid originals[ORIGINALS_AT_ONCE]; /* of reversals, likewise */
	size_t original_count;
	struct rt_uuid firsts[MEMBERS_AT_ONCE]; /* of groups of several transfers */
	size_t first_count;
	int64_t first_transfers;                 /* of all of those groups */
	struct rt_uuid members[MEMBERS_AT_ONCE]; /* that are not the first of their groups */
	size_t member_count;
	struct rt_status compare_status;
};

int64_t verification_step_deadline_us(const struct verification *verification);
void verification_report(const struct verification *verification,
			 const struct discrepancy *discrepancy);

/* What goes through an account's entries tells: it is kept, and compared with other rows when there
 * is enough of it. What fails is kept for verification_compare_rest. */
void verification_take_hold(void *context, const struct verify_hold *hold);
void verification_take_reversal(void *context, const struct rt_uuid *original_id);
struct rt_status verification_take_member(struct verification *verification,
					  const struct verify_member *member);
/* What is left of all that. */
struct rt_status verification_compare_rest(struct verification *verification);
/* Reports what of transfers was moved back where that differs: of what has a record, or of what has
 * none. */
struct rt_status verification_compare_reversed(struct verification *verification,
					       const struct rt_uuid *ids, size_t count,
					       bool recorded);
