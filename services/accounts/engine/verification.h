/* Recomputing a ledger from its transfers, while posting goes on. For the service's rpc/.
 *
 * Transfers are only ever appended, so that what an account's row counts can be read at leisure: a
 * snapshot is held only for the rows of a few accounts and what came last. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "domain/verify.h"
#include "rt/id.h"
#include "rt/pace.h"
#include "rt/pg.h"
#include "rt/status.h"

struct verification_progress {
	int64_t accounts;
	int64_t transfers; /* each counted once, at the debited account */
};

struct verification_observer {
	void (*found)(void *context, const struct discrepancy *discrepancy);
	/* Often. What it returns other than OK ends the verification. */
	struct rt_status (*progress)(void *context, const struct verification_progress *progress);
	void *context;
};

/* Goes through the whole ledger, at a pace with which it gives way to posting. OK when everything
 * was looked at, whatever was found. Errors: NOT_FOUND LEDGER_NOT_FOUND; the observer's;
 * RESOURCE_EXHAUSTED LEDGER_TOO_LARGE; those of rt_pg_run. */
struct rt_status verification_run(struct rt_pg *pg, struct rt_pace *pace,
				  const struct rt_uuid *ledger_id, int64_t deadline_us,
				  const struct verification_observer *observer);
