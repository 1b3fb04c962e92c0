/* Reading an account's metadata through the cache. For the service's rpc/. */
#pragma once

#include "domain/account.h"
#include "rt/arena.h"
#include "rt/pg.h"
#include "rt/status.h"
#include "store/cache.h"

/* From the cache when it has it, else from the database, and then into the cache. `cache` may be
 * NULL. The record's balances mean nothing. Owns: texts are in the arena. Errors: NOT_FOUND
 * ACCOUNT_NOT_FOUND; never because of the cache. */
struct rt_status metadata_get(struct rt_pg *pg, struct cache *cache,
			      const struct rt_uuid *ledger_id, const struct rt_uuid *account_id,
			      struct rt_arena *arena, int64_t deadline_us,
			      struct account_record *record);
