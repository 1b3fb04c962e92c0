#include "rpc/reply.h"

#include <string.h>

#include "rpc/service.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "store/account_store.h"

struct request request_of(struct rt_call *call)
{
	struct accounts_worker *worker = rt_call_worker(call);
	RT_ASSERT(worker != NULL);
	/* What goes wrong here goes wrong with the handler's own statements too, and shows there.
	 */
	struct rt_status status = plans_refresh(&worker->plans, worker->pg, rt_clock_mono_us(),
						rt_call_deadline_us(call));
	(void)status;
	return (struct request){
		.call = call,
		.arena = rt_call_arena(call),
		.pg = worker->pg,
		.cache = worker->cache,
		.deadline_us = rt_call_deadline_us(call),
	};
}

uint64_t reply_caller(const struct rt_call *call)
{
	const struct rt_caller *caller = rt_call_caller(call);
	uint64_t user;
	memcpy(&user, caller->user_id.bytes + 8, sizeof(user)); /* the random half */
	uint64_t number = user ^ (((uint64_t)caller->identity + 1) << 56);
	return number == 0 ? 1 : number;
}

void reply_end(struct rt_call *call, struct rt_status status, const ProtobufCMessage *reply)
{
	if (rt_is_ok(&status) && rt_call_arena(call)->overflowed)
		status = RT_FAIL(RESOURCE_EXHAUSTED, "ANSWER_TOO_LARGE",
				 "the answer needs too much memory");
	rt_call_end(call, status, rt_is_ok(&status) ? reply : NULL);
}

struct rt_status reply_check_owner(const struct rt_call *call, const char *owner)
{
	const struct rt_caller *caller = rt_call_caller(call);
	struct rt_uuid owner_id;
	if (caller->role != RT_ROLE_PLAYER)
		return rt_ok();
	if (!rt_uuid_parse(owner, &owner_id) || !rt_uuid_equal(&owner_id, &caller->user_id))
		return account_store_not_found();
	return rt_ok();
}
