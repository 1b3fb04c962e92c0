#include <string.h>

#include "engine/users.h"
#include "rpc/defer.h"
#include "rpc/handlers.h"
#include "rpc/map.h"
#include "rt/secret.h"

static void end_create(struct rt_call *call, const struct user *user, bool replayed)
{
	Daler__Auth__V1__CreateUserResponse reply;

	daler__auth__v1__create_user_response__init(&reply);
	reply.user = map_user(rt_call_arena(call), user);
	reply.replayed = replayed;
	rt_call_end(call, reply.user == NULL ? map_no_room() : rt_ok(), &reply.base);
}

static void create_user_work(struct rt_call *call, const struct auth_engine *engine,
			     const struct request *request)
{
	const Daler__Auth__V1__CreateUserRequest *message =
		(const Daler__Auth__V1__CreateUserRequest *)rt_call_request(call);
	struct new_user wanted = {0};
	struct user user;
	bool replayed = false;
	struct rt_status status = map_new_user(message, &wanted);

	if (rt_is_ok(&status))
		status = users_create(engine, request, &wanted, &user, &replayed);
	rt_wipe(message->password, wanted.password_length);
	if (rt_is_ok(&status))
		end_create(call, &user, replayed);
	else
		rt_call_end(call, status, NULL);
}

void auth_create_user(struct rt_call *call)
{
	const Daler__Auth__V1__CreateUserRequest *message =
		(const Daler__Auth__V1__CreateUserRequest *)rt_call_request(call);
	struct new_user wanted = {0};
	struct rt_status status = map_new_user(message, &wanted);

	if (rt_is_ok(&status)) {
		defer(call, create_user_work, message->password);
		return;
	}
	rt_wipe(message->password, strlen(message->password));
	rt_call_end(call, status, NULL);
}

void auth_get_user(struct rt_call *call)
{
	const Daler__Auth__V1__GetUserRequest *message =
		(const Daler__Auth__V1__GetUserRequest *)rt_call_request(call);
	const struct request request = request_from(call, rt_call_worker(call));
	Daler__Auth__V1__GetUserResponse reply;
	struct rt_uuid id;
	struct user user;
	struct rt_status status = rt_uuid_field("user_id", message->user_id, &id);

	daler__auth__v1__get_user_response__init(&reply);
	if (rt_is_ok(&status))
		status = users_get(&request, &id, &user);
	if (rt_is_ok(&status)) {
		reply.user = map_user(rt_call_arena(call), &user);
		status = reply.user == NULL ? map_no_room() : rt_ok();
	}
	rt_call_end(call, status, &reply.base);
}
