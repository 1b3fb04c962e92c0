/* Use cases: users are created and read. For rpc and main.c. */
#pragma once

#include <stdbool.h>

#include "domain/user.h"
#include "engine/auth.h"

struct new_user {
	struct rt_uuid id;
	const char *username;
	const char *password;
	size_t password_length;
	enum rt_role role;
};

/* Creates a user, exactly once: with the same id and content it returns the user and *replayed.
 * Hashes a password. Errors: FAILED_PRECONDITION IDEMPOTENCY_PAYLOAD_MISMATCH (the id with another
 * content), ALREADY_EXISTS USERNAME_TAKEN, PERMISSION_DENIED ROLE_DENIED, RESOURCE_EXHAUSTED
 * LOGIN_THROTTLED (a repetition, as it tells whether a password is right). */
struct rt_status users_create(const struct auth_engine *engine, const struct request *request,
			      const struct new_user *wanted, struct user *user, bool *replayed);

/* Creates an operator by name, on the server itself; an operator of that name with that password is
 * left as they are. Errors: ALREADY_EXISTS USERNAME_TAKEN with anything else of that name. */
struct rt_status users_create_operator(const struct auth_engine *engine,
				       const struct request *request, const struct new_user *wanted,
				       bool *replayed);

/* Reads a user. Errors: PERMISSION_DENIED ROLE_DENIED, NOT_FOUND USER_NOT_FOUND. */
struct rt_status users_get(const struct request *request, const struct rt_uuid *id,
			   struct user *user);
