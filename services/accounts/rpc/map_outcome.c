/* What became of a group, for its caller. */
#include "rpc/map.h"
#include "rt/assert.h"

/* The texts of a record that was decided in this batch are those of the call that was first, which
 * may have been answered and be gone: whoever asked has the same. NULL: the record's own. */
static const char *reference_of(const struct group_record *record, const struct group *asked,
				size_t position)
{
	return asked != NULL ? asked->transfers[position].reference
			     : record->transfers[position].transfer.reference;
}

static Daler__Accounts__V1__PostedGroup *map_posted_group(const struct group_record *record,
							  const struct group *asked,
							  struct rt_arena *arena)
{
	Daler__Accounts__V1__PostedGroup *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__posted_group__init(to);
	to->transfers = rt_arena_array(arena, record->count, sizeof(to->transfers[0]));
	if (to->transfers == NULL)
		return NULL;
	to->n_transfers = record->count;
	for (size_t i = 0; i < record->count; i++)
		to->transfers[i] =
			map_posted(&record->transfers[i], reference_of(record, asked, i), arena);
	return to;
}

/* The field that a group was declined for, within the group: a decline is the same for ever, in
 * whatever request the group comes again. A repeat has the same content, so that only the side is
 * on record. */
static char *declined_field(const struct group_record *record, const struct group *asked,
			    struct rt_arena *arena)
{
	size_t i = 0;
	while (i < asked->count && !rt_uuid_equal(&asked->transfers[i].id, &record->cause_id))
		i++;
	if (i == asked->count)
		return NULL; /* what no writer of ours leaves */
	const char *field =
		transfer_declined_field(&asked->transfers[i], record->decline, record->cause_side);
	const char *dot = field[0] == '\0' ? "" : ".";
	return rt_arena_printf(arena, "transfers[%zu]%s%s", i, dot, field);
}

static Daler__Accounts__V1__Decline *map_decline(const struct group_record *record,
						 const struct group *asked, struct rt_arena *arena)
{
	Daler__Accounts__V1__Decline *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__decline__init(to);
	to->reason = rt_arena_strdup(arena, decline_name(record->decline));
	to->transfer_id = map_uuid(&record->cause_id, arena);
	to->create_time = map_time(record->created_us, arena);
	if (asked != NULL)
		to->field = declined_field(record, asked, arena);
	return to;
}

struct rt_status map_refused(const struct outcome *outcome)
{
	RT_ASSERT(outcome->record == NULL);
	switch (outcome->refusal) {
	case REFUSAL_EXPIRES:
		return rt_status_in(
			RT_BAD_FIELD("INVALID_FIELD", "hold.expire_time",
				     "must be later than now, and at most ten years from now"),
			"transfers[%zu].", outcome->position);
	case REFUSAL_NONE:
	case REFUSAL_MISMATCH:
	case REFUSAL_NOT_DUE: /* the ledger's own wishes alone */
		break;
	}
	return rt_status_in(
		rt_status_about(RT_FAIL(FAILED_PRECONDITION, "IDEMPOTENCY_PAYLOAD_MISMATCH",
					"is on record with another body"),
				"transfer_id"),
		"transfers[%zu].", outcome->position);
}

static Daler__Accounts__V1__Refusal *map_refusal(const struct outcome *outcome, size_t place,
						 struct rt_arena *arena)
{
	Daler__Accounts__V1__Refusal *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__refusal__init(to);
	const struct rt_status status = rt_status_in(map_refused(outcome), "groups[%zu].", place);
	to->reason = rt_arena_strdup(arena, status.reason);
	to->field = rt_arena_strdup(arena, status.field);
	to->message = rt_arena_printf(arena, "%s %s", status.field, status.detail);
	return to;
}

static Daler__Accounts__V1__Outcome *new_outcome(const struct rt_uuid *id, bool replayed,
						 struct rt_arena *arena)
{
	Daler__Accounts__V1__Outcome *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__outcome__init(to);
	to->group_id = map_uuid(id, arena);
	to->replayed = replayed;
	return to;
}

static void set_recorded(Daler__Accounts__V1__Outcome *to, const struct group_record *record,
			 const struct group *asked, struct rt_arena *arena)
{
	if (record->decline != DECLINE_NONE) {
		to->result_case = DALER__ACCOUNTS__V1__OUTCOME__RESULT_DECLINE;
		to->decline = map_decline(record, asked, arena);
	} else {
		to->result_case = DALER__ACCOUNTS__V1__OUTCOME__RESULT_POSTED;
		to->posted = map_posted_group(record, asked, arena);
	}
}

Daler__Accounts__V1__Outcome *map_recorded(const struct group_record *record,
					   struct rt_arena *arena)
{
	Daler__Accounts__V1__Outcome *to = new_outcome(&record->id, true, arena);
	if (to != NULL)
		set_recorded(to, record, NULL, arena);
	return to;
}

Daler__Accounts__V1__Outcome *map_outcome(const struct group *group, const struct outcome *outcome,
					  size_t place, struct rt_arena *arena)
{
	Daler__Accounts__V1__Outcome *to = new_outcome(group_id(group), outcome->replayed, arena);
	if (to == NULL)
		return NULL;
	if (outcome->record == NULL) {
		to->result_case = DALER__ACCOUNTS__V1__OUTCOME__RESULT_REFUSAL;
		to->refusal = map_refusal(outcome, place, arena);
	} else {
		set_recorded(to, outcome->record, group, arena);
	}
	return to;
}

Daler__Accounts__V1__Outcome **map_outcomes(const struct group *groups,
					    const struct outcome *outcomes, size_t count,
					    struct rt_arena *arena)
{
	Daler__Accounts__V1__Outcome **list = map_list(count, arena);
	if (list == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		list[i] = map_outcome(&groups[i], &outcomes[i], i, arena);
	return list;
}
