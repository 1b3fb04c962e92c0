#include "rpc/defer.h"

#include <string.h>

#include "rt/clock.h"
#include "rt/secret.h"

struct deferred {
	struct hash_job job; /* first */
	struct rt_call *call;
	deferred_work work;
	char *secret;
};

static void end(struct rt_call *call, char *secret, struct rt_status status)
{
	rt_wipe(secret, strlen(secret));
	rt_call_end(call, status, NULL);
}

static void run(struct hash_job *job, struct rt_pg *pg)
{
	struct deferred *deferred = (struct deferred *)job;
	struct rt_call *call = deferred->call;
	const struct auth_engine *engine = rt_call_service(call);
	const struct request request = request_from(call, pg);

	if (rt_call_cancelled(call))
		end(call, deferred->secret, RT_FAIL(CANCELLED, "CANCELLED", "the caller has gone"));
	else if (rt_clock_mono_us() >= request.deadline_mono_us)
		end(call, deferred->secret,
		    RT_FAIL(DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
			    "the deadline passed in the queue"));
	else
		deferred->work(call, engine, &request);
}

/* Strangers who try passwords through the gateway, however many, are not in the way of staff. */
static struct hash_pool *pool_for(const struct rt_call *call, const struct auth_engine *engine)
{
	return rt_call_caller(call)->identity == RT_ID_OPERATOR ? engine->staff_hash_pool
								: engine->hash_pool;
}

void defer(struct rt_call *call, deferred_work work, char *secret)
{
	const struct auth_engine *engine = rt_call_service(call);
	struct deferred *deferred = rt_arena_alloc(rt_call_arena(call), sizeof(*deferred));
	struct rt_status status;

	if (deferred == NULL) {
		end(call, secret,
		    RT_FAIL(RESOURCE_EXHAUSTED, "OVERLOADED", "the request is too large"));
		return;
	}
	*deferred = (struct deferred){.job.run = run, .call = call, .work = work, .secret = secret};
	status = hash_pool_submit(pool_for(call, engine), &deferred->job);
	if (!rt_is_ok(&status))
		end(call, secret, status);
}

struct request request_from(struct rt_call *call, struct rt_pg *pg)
{
	const struct rt_caller *caller = rt_call_caller(call);

	return (struct request){
		.caller = caller,
		.actor = rt_identity_name(caller->identity),
		.trace = rt_call_trace(call),
		.pg = pg,
		.arena = rt_call_arena(call),
		.deadline_mono_us = rt_call_deadline_us(call),
	};
}
