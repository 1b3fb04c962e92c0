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

/* Up to `most` ledgers after an id, each with up to `holds_most` holds that are due by PostgreSQL's
 * clock, in two round trips. Owns: *due is in the arena. Errors: those of rt_pg_run. */
struct rt_status expiry_store_due(struct rt_pg *pg, const struct rt_uuid *after, size_t most,
				  size_t holds_most, struct rt_arena *arena,
				  int64_t deadline_mono_us, struct expiry_due **due, size_t *count);
