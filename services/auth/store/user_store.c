#include "store/user_store.h"

#include <stdio.h>
#include <string.h>

#include "auth.sql.h"
#include "domain/role.h"

static const struct rt_pg_statement by_id = {"user_by_id", auth_user_by_id};
static const struct rt_pg_statement by_username = {"user_by_username", auth_user_by_username};
static const struct rt_pg_statement insert = {"user_insert", auth_user_insert};

/* The row's text fits: the constraints of the table and the domain agree, and a row that breaks
 * them is refused. */
static struct rt_status read_credential(const struct rt_pg_rows *rows,
					struct credential *credential)
{
	struct user *user = &credential->user;
	const char *username = rt_pg_text(rows, 0, 1);
	const char *hash = rt_pg_text(rows, 0, 4);

	if (strlen(username) >= sizeof(user->username) ||
	    strlen(hash) >= sizeof(credential->password_hash) ||
	    !role_parse(rt_pg_text(rows, 0, 2), &user->role))
		return RT_FAIL(INTERNAL, "DATABASE_ERROR", "a user's row is malformed");
	user->id = rt_pg_uuid(rows, 0, 0);
	user->created_wall_us = rt_pg_time_us(rows, 0, 3);
	snprintf(user->username, sizeof(user->username), "%s", username);
	snprintf(credential->password_hash, sizeof(credential->password_hash), "%s", hash);
	return rt_ok();
}

static struct rt_status find(struct rt_pg *pg, const struct rt_pg_statement *statement,
			     const struct rt_pg_params *params, int64_t deadline_mono_us,
			     struct credential *credential, bool *found)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	RT_TRY(rt_pg_run(pg, statement, params, deadline_mono_us, &rows));
	*found = rows.count > 0;
	return *found ? read_credential(&rows, credential) : rt_ok();
}

struct rt_status user_store_by_id(struct rt_pg *pg, const struct rt_uuid *id,
				  int64_t deadline_mono_us, struct rt_arena *arena,
				  struct credential *credential, bool *found)
{
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, id);
	return find(pg, &by_id, &params, deadline_mono_us, credential, found);
}

struct rt_status user_store_by_username(struct rt_pg *pg, const char *username,
					int64_t deadline_mono_us, struct rt_arena *arena,
					struct credential *credential, bool *found)
{
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_text(&params, username);
	return find(pg, &by_username, &params, deadline_mono_us, credential, found);
}

struct rt_status user_store_insert(struct rt_pg *pg, const struct credential *credential,
				   int64_t deadline_mono_us, struct rt_arena *arena, bool *added)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &credential->user.id);
	rt_pg_add_text(&params, credential->user.username);
	rt_pg_add_text(&params, role_name(credential->user.role));
	rt_pg_add_time(&params, credential->user.created_wall_us);
	rt_pg_add_text(&params, credential->password_hash);
	RT_TRY(rt_pg_run(pg, &insert, &params, deadline_mono_us, &rows));
	*added = rt_pg_affected(&rows) == 1;
	return rt_ok();
}
