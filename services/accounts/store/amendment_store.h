/* Changes of accounts' metadata in PostgreSQL, within the caller's transaction. For the service's
 * engine/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "domain/account.h"
#include "domain/amendment.h"
#include "rt/arena.h"
#include "rt/id.h"
#include "rt/pg.h"
#include "rt/status.h"

/* Who changes, for the record. */
struct amendment_author {
	const char *identity;
	struct rt_uuid user_id; /* nil: none */
};

/* Finds the change that made this version, if there is one: its hash, and the account's metadata
 * right after it, put over *record. Owns: texts are in the arena. */
struct rt_status amendment_store_find(struct rt_pg_tx *tx, int64_t version, struct rt_arena *arena,
				      struct account_record *record,
				      uint8_t hash[AMENDMENT_HASH_BYTES], bool *found);
/* Changes the account, whose row is locked, and records who did it. Errors: INTERNAL
 * INVARIANT_BROKEN when a constraint refused what was decided. */
struct rt_status amendment_store_write(struct rt_pg_tx *tx, const struct account_record *before,
				       const struct account_record *after,
				       const uint8_t hash[AMENDMENT_HASH_BYTES],
				       const struct amendment_author *author, int64_t now_us,
				       struct rt_arena *arena);
