/* Holds whose time has come. For the service's engine/. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "domain/transfer.h"
#include "rt/arena.h"
#include "rt/id.h"
#include "rt/pg.h"
#include "rt/status.h"

/* A ledger's due holds. */
struct expiry_due {
	struct rt_uuid ledger_id;
	struct transfer *transfers; /* expiries, still without ids */
	size_t count;
};

/* What a page of a sweep looks at. */
struct expiry_scope {
	struct rt_uuid after; /* ledgers after this one */
	size_t ledgers_max;
	size_t holds_max; /* of each */
	const struct rt_uuid *without;
	size_t without_count; /* holds that are left out */
};

/* Ledgers, each with its holds that are due by PostgreSQL's clock, in two round trips. Owns: *due
 * is in the arena. Errors: those of rt_pg_run. */
struct rt_status expiry_store_due(struct rt_pg *pg, const struct expiry_scope *scope,
				  struct rt_arena *arena, int64_t deadline_mono_us,
				  struct expiry_due **due, size_t *count);
