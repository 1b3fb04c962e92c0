#include "domain/username.h"

#include "domain/user.h"
#include "rt/text.h"

struct rt_status username_check(const char *field, const char *username)
{
	return rt_ascii_field(field, username, USERNAME_CHARACTERS_MIN, USERNAME_CHARACTERS_MAX,
			      "abcdefghijklmnopqrstuvwxyz0123456789._-@+");
}
