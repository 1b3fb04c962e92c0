/* A person's limits and restrictions, and the calendar of a ledger, outside the shared
 * transactions: for those who set and read them. For the engine and rpc/; SQL only. Errors are
 * rt_pg's. */
#pragma once

#include "domain/limits.h"
#include "rt/arena.h"
#include "rt/pg.h"
#include "rt/status.h"

/* The calendar of a ledger, and how long raises wait in it. */
struct limit_market {
	struct rt_uuid ledger_id;
	const char *time_zone;
	int64_t week_start;
	int64_t cooling_off_s;
};

/* Errors: NOT_FOUND MARKET_NOT_FOUND. */
struct rt_status limit_store_market(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				    struct rt_arena *arena, int64_t deadline_mono_us,
				    struct limit_market *market);
struct rt_status limit_store_zone_known(struct rt_pg *pg, const char *time_zone,
					struct rt_arena *arena, int64_t deadline_mono_us,
					bool *known);
/* *changed: false when it is so already. */
struct rt_status limit_store_set_market(struct rt_pg *pg, const struct limit_market *market,
					struct rt_arena *arena, int64_t deadline_mono_us,
					bool *changed);

struct limit_person_key {
	struct rt_uuid ledger_id;
	const char *person_id;
};

/* A person whose row is locked in the open transaction. */
struct limit_person {
	struct limit_restrictions restrictions;
	int64_t cooling_off_us;
	int64_t now_us; /* the database's clock */
};

/* Locks the person's row, with `enrol` after making it. *found is false when there is none.
 * Errors: NOT_FOUND MARKET_NOT_FOUND with `enrol`. */
struct rt_status limit_store_lock(struct rt_pg *pg, const struct limit_person_key *key, bool enrol,
				  struct rt_arena *arena, int64_t deadline_mono_us,
				  struct limit_person *person, bool *found);
struct rt_status limit_store_restrict(struct rt_pg *pg, const struct limit_person_key *key,
				      const struct limit_restrictions *restrictions,
				      struct rt_arena *arena, int64_t deadline_mono_us);
/* Those of nobody when there is no such person. */
struct rt_status limit_store_restrictions(struct rt_pg *pg, const struct limit_person_key *key,
					  struct rt_arena *arena, int64_t deadline_mono_us,
					  struct limit_restrictions *restrictions, int64_t *now_us);

/* Which limit; currency "": all of a person's. */
struct limit_key {
	char currency[4];
	int measure;
	int period;
};

/* One limit with what is used in the period that runs. */
struct limit_view {
	struct limit_key key;
	struct person_limit limit;
	int64_t used_minor;
	int64_t start_us;
	int64_t end_us;
	int64_t now_us;
};

struct rt_status limit_store_limits(struct rt_pg *pg, const struct limit_person_key *key,
				    const struct limit_key *which, struct rt_arena *arena,
				    int64_t deadline_mono_us, struct limit_view **views,
				    size_t *count);
struct rt_status limit_store_set(struct rt_pg *pg, const struct limit_person_key *key,
				 const struct limit_key *which, const struct person_limit *limit,
				 struct rt_arena *arena, int64_t deadline_mono_us);

/* The numbers are in the database. */
enum limit_action {
	LIMIT_ACTION_SET = 1,
	LIMIT_ACTION_EXCLUDE = 2,
	LIMIT_ACTION_TIME_OUT = 3,
	LIMIT_ACTION_LIFT = 4,
	LIMIT_ACTION_MARKET = 5,
};
#define LIMIT_ACTION_MAX 5

/* What was changed, and by whom. */
struct limit_change {
	struct rt_uuid change_id;
	enum limit_action action;
	struct limit_key key;
	int64_t limit_minor; /* LIMIT_NONE: none */
	int64_t effective_us;
	const char *market; /* LIMIT_ACTION_MARKET: as text; else "" */
	const char *identity;
	struct rt_uuid user_id; /* nil: a service */
	const char *reason;
	int64_t create_time_us;
};

struct rt_status limit_store_record(struct rt_pg *pg, const struct limit_person_key *key,
				    const struct limit_change *change, struct rt_arena *arena,
				    int64_t deadline_mono_us);
/* Newest first, ids below `before`. */
struct rt_status limit_store_changes(struct rt_pg *pg, const struct limit_person_key *key,
				     const struct rt_uuid *before, int64_t limit,
				     struct rt_arena *arena, int64_t deadline_mono_us,
				     struct limit_change **changes, size_t *count);

/* Why payments were declined; those of which it is not known keep what they are. */
struct limit_refusal_of {
	struct rt_uuid ledger_id;
	struct rt_uuid payment_id;
	struct limit_refusal *refusal; /* result */
};
struct rt_status limit_store_refusals(struct rt_pg *pg, const struct limit_refusal_of *wanted,
				      size_t count, struct rt_arena *arena,
				      int64_t deadline_mono_us);
