/* Ends the holds whose time has come. For main.c.
 *
 * A sweep asks each ledger for its due holds, and posts an expiry for each of them through the
 * posting engine, like anybody else's transfer: the ledger's lock decides who comes first, and the
 * hold's state, read under it, that a hold ends once. So any number of replicas may sweep. The id
 * of an expiry depends on its hold's alone, so that those of two sweeps, or of two attempts, are
 * one. Source: docs/decisions/0014-holds-expire.md. */
#pragma once

#include <stdint.h>

#include "engine/posting.h"
#include "rt/pg.h"

struct expiry;

struct expiry_config {
	struct rt_pg_config pg;
	struct posting *posting;
	int64_t interval_ms; /* between sweeps, a tenth more or less */
};

/* Starts the thread. */
struct expiry *expiry_start(const struct expiry_config *config);
/* Ends it, after the answers to what it has under way: before posting_stop. NULL is let pass. */
void expiry_stop(struct expiry *expiry);
