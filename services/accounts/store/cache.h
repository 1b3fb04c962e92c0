/* Account metadata in Redis: read-mostly, never money. An aid, not an authority: whatever goes
 * wrong with reading it is a miss. For the service's engine/. Thread: one at a time. Source:
 * docs/decisions/0016-metadata-cache.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "domain/account.h"
#include "rt/arena.h"
#include "rt/id.h"
#include "rt/redis.h"
#include "rt/status.h"

struct cache;

struct cache_config {
	struct rt_redis_config redis;
	int64_t ttl_ms; /* an entry lives at most so long, and up to a fifth less, so that they
			   don't all end at once */
};

struct cache *cache_new(const struct cache_config *config);
void cache_destroy(struct cache *cache);

/* Given at a miss, and presented at the fill: valid until the account is invalidated, until the
 * server is restarted or replaced, and a few seconds at most. */
#define CACHE_TICKET_BYTES 80
struct cache_ticket {
	char text[CACHE_TICKET_BYTES]; /* "": none */
};

/* Finds an account's metadata; its totals are not part of it and are left 0. Returns false when it
 * isn't there, can't be read or can't be reached, which is counted; then there is a ticket,
 * perhaps. Owns: texts are in the arena. */
bool cache_find(struct cache *cache, const struct rt_uuid *ledger_id,
		const struct rt_uuid *account_id, struct rt_arena *arena,
		struct account_record *record, struct cache_ticket *ticket);
/* Keeps metadata that was read from the database after the ticket was given, if the ticket is still
 * valid and nothing newer is there. A failure is counted, and otherwise without consequence. */
void cache_fill(struct cache *cache, const struct cache_ticket *ticket,
		const struct account_record *record);

/* Before a change is committed: removes what is there, and lets nobody fill for a while. A failure
 * is of no consequence: this only shortens the time in which a change that nobody acknowledges can
 * be overlooked. */
void cache_shut(struct cache *cache, const struct rt_uuid *ledger_id,
		const struct rt_uuid *account_id);
/* After it was committed and before it is acknowledged: removes what is there, and voids all
 * tickets. Errors: UNAVAILABLE REDIS_UNAVAILABLE: what is stale may be read until cache_stale_us
 * has passed since the commit. */
struct rt_status cache_drop(struct cache *cache, const struct rt_uuid *ledger_id,
			    const struct rt_uuid *account_id);
/* How long after a commit an older entry can be found at the latest, whatever Redis does: the
 * longest life of a ticket and of an entry that is filled with it. */
int64_t cache_stale_us(const struct cache_config *config);
