#include "engine/auth.h"
#include "rpc/handlers.h"
#include "rpc/map.h"

void auth_get_keys(struct rt_call *call)
{
	const struct auth_engine *engine = rt_call_service(call);
	struct rt_arena *arena = rt_call_arena(call);
	Daler__Auth__V1__GetKeysResponse reply;

	daler__auth__v1__get_keys_response__init(&reply);
	reply.jwks_json = signing_jwks(engine->signing, arena);
	rt_call_end(call, reply.jwks_json == NULL ? map_no_room() : rt_ok(), &reply.base);
}
