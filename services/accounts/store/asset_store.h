/* Registered assets in PostgreSQL. For the service's engine/ and rpc/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "domain/asset.h"
#include "rt/arena.h"
#include "rt/id.h"
#include "rt/pg.h"
#include "rt/status.h"

/* Locks the ledger's row, and registers the asset unless its code is taken or the ledger has `most`
 * already; says whether it did. Errors: NOT_FOUND LEDGER_NOT_FOUND. */
struct rt_status asset_store_insert(struct rt_pg_tx *tx, const struct rt_uuid *ledger_id,
				    const struct asset *asset, size_t most, struct rt_arena *arena,
				    bool *inserted);
/* Those of the codes that are registered, in any order. Owns: *assets is in the arena. */
struct rt_status asset_store_find(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				  const char *const *codes, size_t code_count,
				  struct rt_arena *arena, int64_t deadline_us,
				  struct asset **assets, size_t *count);
/* All of a ledger, by code. */
struct rt_status asset_store_list(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				  struct rt_arena *arena, int64_t deadline_us,
				  struct asset **assets, size_t *count);
