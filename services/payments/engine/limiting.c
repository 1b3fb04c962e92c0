/* Setting limits; see limiting.h. */
#include "engine/limiting.h"

#include <stdio.h>

#include "rt/clock.h"

#define TIME_OUT_DAYS_MAX 42
#define DAY_US            (86400 * RT_US_PER_S)

static struct rt_status record(struct rt_pg *pg, const struct limit_person_key *key,
			       struct limit_change change, const struct limit_author *author,
			       struct rt_arena *arena, int64_t deadline_mono_us)
{
	change.change_id = rt_uuid_v7();
	change.identity = author->identity;
	change.user_id = author->user_id;
	change.reason = author->reason;
	if (change.market == NULL)
		change.market = "";
	return limit_store_record(pg, key, &change, arena, deadline_mono_us);
}

struct rt_status limiting_set_market(struct rt_pg *pg, const struct limit_market *market,
				     const struct limit_author *author, struct rt_arena *arena,
				     int64_t deadline_mono_us)
{
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	const struct limit_person_key key = {market->ledger_id, ""};
	char text[128];
	bool known = false;
	bool changed = false;

	RT_TRY(limit_store_zone_known(pg, market->time_zone, arena, deadline_mono_us, &known));
	if (!known)
		return RT_BAD_FIELD("INVALID_TIME_ZONE", "market.time_zone",
				    "is not a time zone that the database knows");
	snprintf(text, sizeof(text), "%s, week from day %lld, cooling-off %lld s",
		 market->time_zone, (long long)market->week_start,
		 (long long)market->cooling_off_s);
	RT_TRY(rt_pg_begin(pg, deadline_mono_us, &tx));
	RT_TRY(limit_store_set_market(pg, market, arena, deadline_mono_us, &changed));
	if (changed) {
		struct limit_change change = {.action = LIMIT_ACTION_MARKET,
					      .limit_minor = LIMIT_NONE,
					      .effective_us = rt_clock_wall_us(),
					      .market = text};

		RT_TRY(record(pg, &key, change, author, arena, deadline_mono_us));
	}
	return rt_pg_commit(&tx);
}

/* The limit as it is on record; none when there is none. */
static struct rt_status read_one(struct rt_pg *pg, const struct limit_person_key *key,
				 const struct limit_key *which, struct rt_arena *arena,
				 int64_t deadline_mono_us, struct limit_view *view)
{
	struct limit_view *views = NULL;
	size_t count = 0;

	RT_TRY(limit_store_limits(pg, key, which, arena, deadline_mono_us, &views, &count));
	*view = count > 0 ? views[0]
			  : (struct limit_view){
				    .key = *which,
				    .limit = {.limit_minor = LIMIT_NONE, .pending_us = LIMIT_NOT}};
	return rt_ok();
}

struct rt_status limiting_set(struct rt_pg *pg, const struct limit_person_key *key,
			      const struct limit_key *which, int64_t wanted_minor,
			      const struct limit_author *author, struct rt_arena *arena,
			      int64_t deadline_mono_us, struct limit_view *view)
{
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	struct limit_person person;
	bool found = false;

	RT_TRY(rt_pg_begin(pg, deadline_mono_us, &tx));
	RT_TRY(limit_store_lock(pg, key, true, arena, deadline_mono_us, &person, &found));
	RT_TRY(read_one(pg, key, which, arena, deadline_mono_us, view));
	struct person_limit limit = view->limit;
	bool exists = view->end_us != 0;
	bool changed = limit_set(&limit, wanted_minor, person.now_us, person.cooling_off_us);

	if (changed || !exists)
		RT_TRY(limit_store_set(pg, key, which, &limit, arena, deadline_mono_us));
	if (changed || !exists) {
		bool waits = limit_waits(&limit, person.now_us);
		struct limit_change change = {
			.action = LIMIT_ACTION_SET,
			.key = *which,
			.limit_minor = wanted_minor,
			.effective_us = waits ? limit.pending_us : person.now_us,
		};

		RT_TRY(record(pg, key, change, author, arena, deadline_mono_us));
	}
	RT_TRY(read_one(pg, key, which, arena, deadline_mono_us, view));
	return rt_pg_commit(&tx);
}

static struct rt_status check_until(enum limit_action action, int64_t wanted_us, int64_t now_us)
{
	if (wanted_us <= now_us)
		return RT_BAD_FIELD("INVALID_TIME", "until", "must be a time to come");
	if (action == LIMIT_ACTION_TIME_OUT && wanted_us > now_us + TIME_OUT_DAYS_MAX * DAY_US)
		return RT_BAD_FIELD("INVALID_TIME", "until", "must be at most %d days away",
				    TIME_OUT_DAYS_MAX);
	return rt_ok();
}

struct rt_status limiting_restrict(struct rt_pg *pg, const struct limit_person_key *key,
				   enum limit_action action, int64_t wanted_us,
				   const struct limit_author *author, struct rt_arena *arena,
				   int64_t deadline_mono_us, int64_t *until_us)
{
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	struct limit_person person;
	bool found = false;

	RT_TRY(rt_pg_begin(pg, deadline_mono_us, &tx));
	RT_TRY(limit_store_lock(pg, key, true, arena, deadline_mono_us, &person, &found));
	RT_TRY(check_until(action, wanted_us, person.now_us));
	int64_t *stands_us = action == LIMIT_ACTION_EXCLUDE
				     ? &person.restrictions.excluded_until_us
				     : &person.restrictions.timed_out_until_us;
	bool longer = wanted_us > *stands_us;

	if (longer) {
		struct limit_change change = {
			.action = action, .limit_minor = LIMIT_NONE, .effective_us = wanted_us};

		*stands_us = wanted_us;
		RT_TRY(limit_store_restrict(pg, key, &person.restrictions, arena,
					    deadline_mono_us));
		RT_TRY(record(pg, key, change, author, arena, deadline_mono_us));
	}
	*until_us = *stands_us;
	return rt_pg_commit(&tx);
}

struct rt_status limiting_lift(struct rt_pg *pg, const struct limit_person_key *key,
			       const struct limit_author *author, struct rt_arena *arena,
			       int64_t deadline_mono_us)
{
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	struct limit_person person;
	bool found = false;

	RT_TRY(rt_pg_begin(pg, deadline_mono_us, &tx));
	RT_TRY(limit_store_lock(pg, key, false, arena, deadline_mono_us, &person, &found));
	if (!found || person.restrictions.excluded_until_us == LIMIT_NOT)
		return rt_ok();
	if (!limit_may_lift(&person.restrictions, person.now_us))
		return RT_FAIL(FAILED_PRECONDITION, "EXCLUSION_STANDS",
			       "a self-exclusion can be lifted only after its time");
	struct limit_change change = {.action = LIMIT_ACTION_LIFT,
				      .limit_minor = LIMIT_NONE,
				      .effective_us = person.now_us};

	person.restrictions.excluded_until_us = LIMIT_NOT;
	RT_TRY(limit_store_restrict(pg, key, &person.restrictions, arena, deadline_mono_us));
	RT_TRY(record(pg, key, change, author, arena, deadline_mono_us));
	return rt_pg_commit(&tx);
}
