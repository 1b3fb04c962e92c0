#include "engine/auth.h"

#include "rt/clock.h"
#include "rt/id.h"
#include "rt/secret.h"

struct rt_status auth_engine_init(struct auth_engine *engine, const struct hash_cost *cost)
{
	char nobody_knows[32];
	int64_t begun_us = rt_clock_mono_us();
	struct rt_status status;

	engine->cost = *cost;
	rt_random_bytes(nobody_knows, sizeof(nobody_knows));
	status = hasher_make(cost, nobody_knows, sizeof(nobody_knows), engine->dummy_hash);
	rt_wipe(nobody_knows, sizeof(nobody_knows));
	engine->hash_us = rt_clock_mono_us() - begun_us;
	return status;
}
