#include <string.h>

#include "domain/password.h"
#include "domain/username.h"
#include "engine/login.h"
#include "rpc/defer.h"
#include "rpc/handlers.h"
#include "rpc/map.h"
#include "rt/secret.h"

static void end_log_in(struct rt_call *call, const struct session *session)
{
	struct rt_arena *arena = rt_call_arena(call);
	Daler__Auth__V1__LogInResponse reply;

	daler__auth__v1__log_in_response__init(&reply);
	reply.access_token = rt_arena_strdup(arena, session->token);
	reply.expire_time = map_time(arena, session->expires_wall_us);
	reply.user = map_user(arena, &session->user);
	rt_call_end(call, arena->overflowed ? map_no_room() : rt_ok(), &reply.base);
}

static void log_in_work(struct rt_call *call, const struct auth_engine *engine,
			const struct request *request)
{
	const Daler__Auth__V1__LogInRequest *message =
		(const Daler__Auth__V1__LogInRequest *)rt_call_request(call);
	size_t length = strlen(message->password);
	struct session session;
	struct rt_status status =
		login(engine, request, message->username, message->password, length, &session);

	rt_wipe(message->password, length);
	if (rt_is_ok(&status))
		end_log_in(call, &session);
	else
		rt_call_end(call, status, NULL);
}

static struct rt_status check(const Daler__Auth__V1__LogInRequest *message)
{
	RT_TRY(username_check("username", message->username));
	return password_attempt_check("password", strlen(message->password));
}

void auth_log_in(struct rt_call *call)
{
	const Daler__Auth__V1__LogInRequest *message =
		(const Daler__Auth__V1__LogInRequest *)rt_call_request(call);
	struct rt_status status = check(message);

	if (rt_is_ok(&status)) {
		defer(call, log_in_work, message->password);
		return;
	}
	rt_wipe(message->password, strlen(message->password));
	rt_call_end(call, status, NULL);
}
