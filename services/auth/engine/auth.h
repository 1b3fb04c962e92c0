/* What auth's use cases share. For the engine, rpc and main.c. */
#pragma once

#include <stdint.h>

#include "domain/throttle.h"
#include "domain/user.h"
#include "engine/hash_pool.h"
#include "engine/hasher.h"
#include "engine/signing.h"
#include "rt/identity.h"
#include "rt/trace.h"

struct auth_engine {
	struct hash_cost cost;
	char dummy_hash[PASSWORD_HASH_TEXT_BYTES]; /* of a password that nobody knows */
	int64_t hash_us;                           /* what the dummy took */
	struct signing *signing;
	const char *token_issuer;
	int64_t token_ttl_us;
	struct throttle_rule throttle;
	struct hash_pool *hash_pool;
	struct hash_pool *staff_hash_pool; /* for whoever has the operator's certificate */
	struct rt_pg_config pg;
};

/* One request's surroundings: who asks, until when, with which connection and memory. */
struct request {
	const struct rt_caller *caller;
	const char *actor;            /* name of the caller's identity, for the audit trail */
	const struct rt_trace *trace; /* NULL: none */
	struct rt_pg *pg;
	struct rt_arena *arena;
	int64_t deadline_mono_us;
};

/* Sets the cost, and makes the dummy hash, which takes as long as any. */
struct rt_status auth_engine_init(struct auth_engine *engine, const struct hash_cost *cost);
