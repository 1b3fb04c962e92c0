/* Changes of metadata that are committed, but that the cache could not be told of: they are
 * acknowledged once it has been told, or once nothing older can be in it any more. For the
 * service's rpc/ and main.c. Source: docs/decisions/0016-metadata-cache.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rt/id.h"
#include "rt/status.h"
#include "store/cache.h"

struct invalidator;

/* The end of the wait, exactly once, on the invalidator's thread or that of who stops it: OK when
 * the change may be acknowledged. */
typedef void (*invalidator_done)(void *context, struct rt_status status);
/* Whether nobody waits for the answer any more. */
typedef bool (*invalidator_gone)(void *context);

struct invalidation {
	struct rt_uuid ledger_id;
	struct rt_uuid account_id;
	int64_t version; /* of the change */
	invalidator_done done;
	invalidator_gone gone;
	void *context;
};

/* A thread with a connection of its own. */
struct invalidator *invalidator_new(const struct cache_config *config);
/* Takes over a change that was committed at the latest just now. A change that waits already, for
 * somebody who repeats it, goes on waiting from its commit. Thread: any; never blocks. Errors:
 * UNAVAILABLE CACHE_UNREACHABLE when too many wait, or SHUTTING_DOWN: then `done` isn't called. */
struct rt_status invalidator_take(struct invalidator *invalidator,
				  const struct invalidation *invalidation);
/* Fails all that wait. */
void invalidator_stop(struct invalidator *invalidator);
/* After _stop. */
void invalidator_destroy(struct invalidator *invalidator);
