#include "domain/role.h"

#include <string.h>

static const struct {
	enum rt_role role;
	const char *name;
} roles[] = {
	{RT_ROLE_PLAYER, "player"},
	{RT_ROLE_OPERATOR, "operator"},
	{RT_ROLE_AUDITOR, "auditor"},
};
#define ROLE_COUNT (sizeof(roles) / sizeof(roles[0]))

const char *role_name(enum rt_role role)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (roles[i].role == role)
			return roles[i].name;
	}
	return NULL;
}

bool role_parse(const char *name, enum rt_role *role)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (strcmp(roles[i].name, name) == 0) {
			*role = roles[i].role;
			return true;
		}
	}
	return false;
}

struct rt_status role_may_create(const struct rt_caller *caller, enum rt_role role)
{
	if (caller->identity == RT_ID_OPERATOR && caller->role == RT_ROLE_OPERATOR)
		return rt_ok();
	if (caller->identity == RT_ID_GATEWAY && role == RT_ROLE_PLAYER)
		return rt_ok();
	return RT_FAIL(PERMISSION_DENIED, "ROLE_DENIED",
		       "the caller may not create users of this role");
}

struct rt_status role_may_read(const struct rt_caller *caller, const struct rt_uuid *user_id)
{
	if (caller->role == RT_ROLE_OPERATOR || caller->role == RT_ROLE_AUDITOR)
		return rt_ok();
	if (caller->role == RT_ROLE_PLAYER && rt_uuid_equal(&caller->user_id, user_id))
		return rt_ok();
	return RT_FAIL(PERMISSION_DENIED, "ROLE_DENIED", "a player may read only their own user");
}

bool role_may_log_in(enum rt_identity identity, enum rt_role role)
{
	if (identity == RT_ID_OPERATOR)
		return role_name(role) != NULL;
	return identity == RT_ID_GATEWAY && role == RT_ROLE_PLAYER;
}
