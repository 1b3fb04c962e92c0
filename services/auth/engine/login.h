/* Use case: a username and a password become a token. For rpc. */
#pragma once

#include "domain/user.h"
#include "engine/auth.h"

struct session {
	struct user user;
	const char *token; /* in the request's arena */
	int64_t expires_wall_us;
};

/* Verifies and signs. An unknown user costs what a wrong password does: the same statements and one
 * hash. Every attempt that was hashed is in the audit trail before it is answered. Errors:
 * UNAUTHENTICATED BAD_CREDENTIALS, whatever was wrong; RESOURCE_EXHAUSTED LOGIN_THROTTLED. */
struct rt_status login(const struct auth_engine *engine, const struct request *request,
		       const char *username, const char *password, size_t password_length,
		       struct session *session);
