/* Users in the database. For auth's engine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "domain/user.h"
#include "rt/arena.h"
#include "rt/pg.h"
#include "rt/status.h"

/* One user with the hash of their password; *found says whether there is one. The arena holds
 * parameters. */
struct rt_status user_store_by_id(struct rt_pg *pg, const struct rt_uuid *id,
				  int64_t deadline_mono_us, struct rt_arena *arena,
				  struct credential *credential, bool *found);
struct rt_status user_store_by_username(struct rt_pg *pg, const char *username,
					int64_t deadline_mono_us, struct rt_arena *arena,
					struct credential *credential, bool *found);

/* Adds a user, in the open transaction; *added is false when the id or the username is taken. */
struct rt_status user_store_insert(struct rt_pg *pg, const struct credential *credential,
				   int64_t deadline_mono_us, struct rt_arena *arena, bool *added);
