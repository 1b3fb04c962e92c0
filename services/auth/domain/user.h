/* Users, as the domain sees them. Any layer of auth may include this. */
#pragma once

#include <stdint.h>

#include "rt/id.h"
#include "rt/identity.h"

#define USERNAME_CHARACTERS_MIN  3
#define USERNAME_CHARACTERS_MAX  64
#define PASSWORD_BYTES_MIN       8
#define PASSWORD_BYTES_MAX       256
#define PASSWORD_HASH_TEXT_BYTES 192

struct user {
	struct rt_uuid id;
	char username[USERNAME_CHARACTERS_MAX + 1];
	enum rt_role role; /* player, operator or auditor */
	int64_t created_wall_us;
};

/* A user with what their password is verified against; wiped when done with. */
struct credential {
	struct user user;
	char password_hash[PASSWORD_HASH_TEXT_BYTES]; /* PHC string */
};
