/* Changing an account's metadata, safe to repeat. For the service's rpc/. */
#pragma once

#include <stdbool.h>

#include "domain/account.h"
#include "domain/amendment.h"
#include "rt/arena.h"
#include "rt/pg.h"
#include "rt/status.h"
#include "store/amendment_store.h"
#include "store/cache.h"

/* Changes the account, or finds that an earlier call made this very change; *record becomes the
 * account right after it. Until the cache has been told, a committed change must not be
 * acknowledged, and *told says whether it has: cache_drop was done, or there is no cache (NULL).
 * Errors: NOT_FOUND ACCOUNT_NOT_FOUND; those of amendment_check and amendment_apply. */
struct rt_status amending_run(struct rt_pg *pg, struct cache *cache,
			      const struct amendment *amendment,
			      const struct amendment_author *author, struct rt_arena *arena,
			      int64_t deadline_us, struct account_record *record, bool *replayed,
			      bool *told);
