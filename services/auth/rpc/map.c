#include "rpc/map.h"

#include <string.h>

#include "domain/password.h"
#include "domain/username.h"
#include "rt/assert.h"
#include "rt/clock.h"

static const struct {
	Daler__Auth__V1__Role wire;
	enum rt_role role;
} roles[] = {
	{DALER__AUTH__V1__ROLE__ROLE_PLAYER, RT_ROLE_PLAYER},
	{DALER__AUTH__V1__ROLE__ROLE_OPERATOR, RT_ROLE_OPERATOR},
	{DALER__AUTH__V1__ROLE__ROLE_AUDITOR, RT_ROLE_AUDITOR},
};
#define ROLE_COUNT (sizeof(roles) / sizeof(roles[0]))

struct rt_status map_role(const char *field, Daler__Auth__V1__Role wire, enum rt_role *role)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (roles[i].wire == wire) {
			*role = roles[i].role;
			return rt_ok();
		}
	}
	return RT_BAD_FIELD("INVALID_FIELD", field,
			    "must be ROLE_PLAYER, ROLE_OPERATOR or ROLE_AUDITOR");
}

static Daler__Auth__V1__Role role_to_wire(enum rt_role role)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (roles[i].role == role)
			return roles[i].wire;
	}
	RT_ASSERT(false);
}

struct rt_status map_new_user(const Daler__Auth__V1__CreateUserRequest *request,
			      struct new_user *wanted)
{
	RT_TRY(rt_uuid_field("user_id", request->user_id, &wanted->id));
	RT_TRY(username_check("username", request->username));
	wanted->username = request->username;
	wanted->password = request->password;
	wanted->password_length = strlen(request->password);
	RT_TRY(password_check("password", wanted->password, wanted->password_length));
	return map_role("role", request->role, &wanted->role);
}

Google__Protobuf__Timestamp *map_time(struct rt_arena *arena, int64_t wall_us)
{
	Google__Protobuf__Timestamp *time = rt_arena_alloc(arena, sizeof(*time));

	if (time == NULL)
		return NULL;
	google__protobuf__timestamp__init(time);
	time->seconds = wall_us / RT_US_PER_S;
	time->nanos = (int32_t)(wall_us % RT_US_PER_S) * 1000;
	return time;
}

Daler__Auth__V1__User *map_user(struct rt_arena *arena, const struct user *user)
{
	Daler__Auth__V1__User *wire = rt_arena_alloc(arena, sizeof(*wire));
	char id[RT_UUID_TEXT_BYTES];

	if (wire == NULL)
		return NULL;
	daler__auth__v1__user__init(wire);
	rt_uuid_format(&user->id, id);
	wire->user_id = rt_arena_strdup(arena, id);
	wire->username = rt_arena_strdup(arena, user->username);
	wire->role = role_to_wire(user->role);
	wire->create_time = map_time(arena, user->created_wall_us);
	return arena->overflowed ? NULL : wire;
}

struct rt_status map_no_room(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OVERLOADED",
		       "the reply does not fit the call's memory");
}
