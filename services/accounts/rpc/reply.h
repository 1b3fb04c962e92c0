/* What handlers of this service have in common. For rpc/ alone. */
#pragma once

#include "rt/rpc_server.h"
#include "rt/status.h"

/* Everything a worker's handler needs, taken from the call. */
struct request {
	struct rt_call *call;
	struct rt_arena *arena;
	struct rt_pg *pg;
	struct cache *cache;
	int64_t deadline_us;
};

struct request request_of(struct rt_call *call);

/* A number for whoever calls, never 0: the identity, and with a token the user. */
uint64_t reply_caller(const struct rt_call *call);

/* Ends the call: with the reply; with the status when it isn't OK; with RESOURCE_EXHAUSTED when the
 * reply didn't fit the call's memory. */
void reply_end(struct rt_call *call, struct rt_status status, const ProtobufCMessage *reply);

/* Whether the caller may see an account of this owner: a player sees only those whose owner is its
 * own user id. Errors: NOT_FOUND ACCOUNT_NOT_FOUND, as if there were none. */
struct rt_status reply_check_owner(const struct rt_call *call, const char *owner);
