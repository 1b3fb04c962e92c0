/* Setting a person's limits and restrictions, and a ledger's calendar: each in one transaction that
 * holds the person's row, with the record of who did it. All of them may be repeated. For rpc/.
 * Errors: rt_pg's, and those that are named. */
#pragma once

#include "store/limit_store.h"

/* Who does it, and why. */
struct limit_author {
	const char *identity;
	struct rt_uuid user_id; /* nil: a service */
	const char *reason;
};

/* Errors: INVALID_ARGUMENT INVALID_TIME_ZONE. */
struct rt_status limiting_set_market(struct rt_pg *pg, const struct limit_market *market,
				     const struct limit_author *author, struct rt_arena *arena,
				     int64_t deadline_mono_us);
/* limit_set on record. Errors: NOT_FOUND MARKET_NOT_FOUND. */
struct rt_status limiting_set(struct rt_pg *pg, const struct limit_person_key *key,
			      const struct limit_key *which, int64_t wanted_minor,
			      const struct limit_author *author, struct rt_arena *arena,
			      int64_t deadline_mono_us, struct limit_view *view);
/* LIMIT_ACTION_EXCLUDE or LIMIT_ACTION_TIME_OUT: only ever makes it longer; *until_us is what
 * stands then. Errors: NOT_FOUND MARKET_NOT_FOUND; INVALID_ARGUMENT INVALID_TIME. */
struct rt_status limiting_restrict(struct rt_pg *pg, const struct limit_person_key *key,
				   enum limit_action action, int64_t wanted_us,
				   const struct limit_author *author, struct rt_arena *arena,
				   int64_t deadline_mono_us, int64_t *until_us);
/* Ends a self-exclusion whose time has passed; without one nothing happens. Errors:
 * FAILED_PRECONDITION EXCLUSION_STANDS. */
struct rt_status limiting_lift(struct rt_pg *pg, const struct limit_person_key *key,
			       const struct limit_author *author, struct rt_arena *arena,
			       int64_t deadline_mono_us);
