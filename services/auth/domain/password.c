#include "domain/password.h"

#include <string.h>

#include "domain/user.h"
#include "rt/text.h"

struct rt_status password_check(const char *field, const char *password, size_t length)
{
	if (length < PASSWORD_BYTES_MIN || length > PASSWORD_BYTES_MAX)
		return RT_BAD_FIELD("INVALID_LENGTH", field, "must have %d to %d bytes",
				    PASSWORD_BYTES_MIN, PASSWORD_BYTES_MAX);
	if (memchr(password, '\0', length) != NULL || !rt_text_is_utf8(password, length))
		return RT_BAD_FIELD("INVALID_TEXT", field, "must be UTF-8 without NUL");
	return rt_ok();
}

struct rt_status password_attempt_check(const char *field, size_t length)
{
	if (length == 0 || length > PASSWORD_BYTES_MAX)
		return RT_BAD_FIELD("INVALID_LENGTH", field, "must have 1 to %d bytes",
				    PASSWORD_BYTES_MAX);
	return rt_ok();
}
