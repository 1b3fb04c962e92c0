/* Between auth's messages and its domain. For rpc. */
#pragma once

#include "daler/auth/v1/auth.pb-c.h"
#include "domain/user.h"
#include "engine/users.h"
#include "rt/arena.h"
#include "rt/status.h"

/* Checks every field. Errors: INVALID_ARGUMENT naming the field. The result points into the
 * request. */
struct rt_status map_new_user(const Daler__Auth__V1__CreateUserRequest *request,
			      struct new_user *wanted);
struct rt_status map_role(const char *field, Daler__Auth__V1__Role wire, enum rt_role *role);

/* Made in the arena; NULL when it is full. */
Daler__Auth__V1__User *map_user(struct rt_arena *arena, const struct user *user);
Google__Protobuf__Timestamp *map_time(struct rt_arena *arena, int64_t wall_us);

/* What a call ends with when its arena is full. */
struct rt_status map_no_room(void);
