/* Calls to connectors, as they are kept for people. For the engine and rpc/; SQL only. Errors are
 * rt_pg's. */
#pragma once

#include "rt/arena.h"
#include "rt/id.h"
#include "rt/pg.h"
#include "rt/status.h"

/* Text is in the arena, or lent. */
struct payment_call {
	struct rt_uuid ledger_id;
	struct rt_uuid payment_id;
	struct rt_uuid call_id;
	int64_t attempt;
	const char *step;
	int action; /* enum saga_action */
	const char *reference;
	const char *result;
	const char *reason;
	const char *provider_reference;
	struct rt_uuid worker_id;
	int64_t start_us; /* wall clock */
	int64_t end_us;
};

/* In order of time. */
struct rt_status call_store_read(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				 const struct rt_uuid *payment_id, int64_t limit,
				 struct rt_arena *arena, int64_t deadline_mono_us,
				 struct payment_call **calls, size_t *count);
