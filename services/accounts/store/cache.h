/* Account metadata in Redis: read-mostly, never money. An aid, not an authority: whatever goes
 * wrong with it is a miss. For the service's engine/. Thread: one at a time. */
#pragma once

#include <stdint.h>

#include "domain/account.h"
#include "rt/arena.h"
#include "rt/id.h"
#include "rt/redis.h"

struct cache;

struct cache_config {
	struct rt_redis_config redis;
	int64_t ttl_ms; /* an entry lives up to a tenth less or more, so that they don't all end at
			   once */
};

struct cache *cache_new(const struct cache_config *config);
void cache_destroy(struct cache *cache);

enum cache_result {
	CACHE_HIT,
	CACHE_MISS,     /* not there, or not readable */
	CACHE_UNUSABLE, /* can't be reached: a fill isn't worth trying now */
};

/* Finds an account's metadata; its totals are not part of it and are left 0. What comes of it is
 * counted. Owns: texts are in the arena. */
enum cache_result cache_find(struct cache *cache, const struct rt_uuid *ledger_id,
			     const struct rt_uuid *account_id, struct rt_arena *arena,
			     struct account_record *record);
/* Keeps metadata that was just read from the database. A failure is counted, and otherwise without
 * consequence.
 *
 * As long as metadata can't change after an account was created, a fill can't be stale, and there
 * is nothing to invalidate; absence is never kept, so that a new account is seen at once. A method
 * that changes metadata has to bring what the design asks for with it: a token given at the miss
 * that a fill presents, and an invalidation before the change is acknowledged. Entries carry the
 * row's version for it. */
void cache_fill(struct cache *cache, const struct account_record *record);
