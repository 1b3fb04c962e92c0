#include "engine/users.h"

#include <stdio.h>
#include <string.h>

#include "domain/role.h"
#include "engine/throttle.h"
#include "rt/clock.h"
#include "rt/secret.h"
#include "store/audit_store.h"
#include "store/user_store.h"

static void credential_wipe(struct credential *credential)
{
	rt_wipe(credential, sizeof(*credential));
}

static struct rt_status audit_creation(const struct request *request, const struct rt_uuid *subject,
				       const char *outcome, const char *reason)
{
	const struct rt_caller *caller = request->caller;
	const struct audit_event event = {
		.action = "create_user",
		.outcome = outcome,
		.reason = reason,
		.actor_identity = request->actor,
		.actor_user_id = rt_uuid_is_nil(&caller->user_id) ? NULL : &caller->user_id,
		.subject_user_id = subject,
		.trace = request->trace,
		.wall_us = rt_clock_wall_us(),
	};
	return audit_store_insert(request->pg, &event, request->deadline_mono_us, request->arena);
}

/* Whether what is wanted is what exists. The password is always verified, so that the time tells
 * nothing apart. */
static struct rt_status same_user(const struct credential *existing, const struct new_user *wanted,
				  bool *same)
{
	bool right = false;

	RT_TRY(hasher_verify(existing->password_hash, wanted->password, wanted->password_length,
			     &right));
	*same = right && existing->user.role == wanted->role &&
		strcmp(existing->user.username, wanted->username) == 0;
	return rt_ok();
}

/* The id exists already. It is counted like a login and a refusal is audited, as it may be somebody
 * who tries passwords. */
static struct rt_status replay(const struct auth_engine *engine, const struct request *request,
			       const struct credential *existing, const struct new_user *wanted,
			       struct user *user, bool *replayed)
{
	const char *username = existing->user.username;
	bool same = false;

	RT_TRY(throttle_admit(engine, request, "create_user", username));
	RT_TRY(same_user(existing, wanted, &same));
	if (!same) {
		RT_TRY(audit_creation(request, &existing->user.id, "refused", "payload_mismatch"));
		return RT_FAIL(FAILED_PRECONDITION, "IDEMPOTENCY_PAYLOAD_MISMATCH",
			       "this user_id was used with another content");
	}
	RT_TRY(throttle_forget(request, username));
	*user = existing->user;
	*replayed = true;
	return rt_ok();
}

/* The user and the entry that tells of them, or neither. */
static struct rt_status insert(const struct request *request, const struct credential *credential,
			       bool *added)
{
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};

	RT_TRY(rt_pg_begin(request->pg, request->deadline_mono_us, &tx));
	RT_TRY(user_store_insert(request->pg, credential, request->deadline_mono_us, request->arena,
				 added));
	if (!*added)
		return rt_ok();
	RT_TRY(audit_creation(request, &credential->user.id, "ok", ""));
	return rt_pg_commit(&tx);
}

static struct rt_status prepare(const struct auth_engine *engine, const struct new_user *wanted,
				struct credential *credential)
{
	struct user *user = &credential->user;

	user->id = wanted->id;
	user->role = wanted->role;
	user->created_wall_us = rt_clock_wall_us();
	snprintf(user->username, sizeof(user->username), "%s", wanted->username);
	return hasher_make(&engine->cost, wanted->password, wanted->password_length,
			   credential->password_hash);
}

static struct rt_status find(const struct request *request, const struct rt_uuid *id,
			     struct credential *credential, bool *found)
{
	return user_store_by_id(request->pg, id, request->deadline_mono_us, request->arena,
				credential, found);
}

/* Adds the user. When the id or the username is taken, the id is looked up again: somebody may have
 * created the same user at the same time. */
static struct rt_status add(const struct auth_engine *engine, const struct request *request,
			    const struct new_user *wanted, struct user *user, bool *replayed)
{
	CLEANUP(credential_wipe) struct credential credential = {0};
	bool added = false, found = false;

	RT_TRY(prepare(engine, wanted, &credential));
	RT_TRY(insert(request, &credential, &added));
	*user = credential.user;
	*replayed = false;
	if (added)
		return rt_ok();
	RT_TRY(find(request, &wanted->id, &credential, &found));
	if (found)
		return replay(engine, request, &credential, wanted, user, replayed);
	RT_TRY(audit_creation(request, NULL, "refused", "username_taken"));
	return rt_status_about(
		RT_FAIL(ALREADY_EXISTS, "USERNAME_TAKEN", "the username belongs to another user"),
		"username");
}

struct rt_status users_create(const struct auth_engine *engine, const struct request *request,
			      const struct new_user *wanted, struct user *user, bool *replayed)
{
	CLEANUP(credential_wipe) struct credential existing = {0};
	bool found = false;

	RT_TRY(role_may_create(request->caller, wanted->role));
	RT_TRY(find(request, &wanted->id, &existing, &found));
	if (found)
		return replay(engine, request, &existing, wanted, user, replayed);
	return add(engine, request, wanted, user, replayed);
}

struct rt_status users_create_operator(const struct auth_engine *engine,
				       const struct request *request, const struct new_user *wanted,
				       bool *replayed)
{
	CLEANUP(credential_wipe) struct credential existing = {0};
	bool found = false, same = false;
	struct user user;

	RT_TRY(user_store_by_username(request->pg, wanted->username, request->deadline_mono_us,
				      request->arena, &existing, &found));
	if (!found)
		return add(engine, request, wanted, &user, replayed);
	RT_TRY(same_user(&existing, wanted, &same));
	if (!same)
		return RT_FAIL(ALREADY_EXISTS, "USERNAME_TAKEN",
			       "the username exists with another password or role");
	*replayed = true;
	return rt_ok();
}

struct rt_status users_get(const struct request *request, const struct rt_uuid *id,
			   struct user *user)
{
	CLEANUP(credential_wipe) struct credential credential = {0};
	bool found = false;

	RT_TRY(role_may_read(request->caller, id));
	RT_TRY(find(request, id, &credential, &found));
	if (!found)
		return RT_FAIL(NOT_FOUND, "USER_NOT_FOUND", "there is no user with this id");
	*user = credential.user;
	return rt_ok();
}
