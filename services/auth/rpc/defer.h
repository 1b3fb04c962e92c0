/* From an inline handler to the hash pool. For rpc. */
#pragma once

#include "engine/auth.h"
#include "rt/rpc_server.h"

/* Ends the call, with what `request` carries. */
typedef void (*deferred_work)(struct rt_call *call, const struct auth_engine *engine,
			      const struct request *request);

/* Runs the work on a thread of the hash pool, unless the caller has given up by then; ends the call
 * with RESOURCE_EXHAUSTED OVERLOADED when the pool's queue is full. `secret`, text of the request,
 * is wiped in each of these cases before the call ends, but in the last step by the work itself.
 * Thread: never blocks. */
void defer(struct rt_call *call, deferred_work work, char *secret);

/* What a handler hands to the engine. */
struct request request_from(struct rt_call *call, struct rt_pg *pg);
