/* What a password may be. Pure. */
#pragma once

#include <stddef.h>

#include "rt/status.h"

/* For a new password: 8 to 256 bytes of UTF-8 without NUL. Any other character is allowed, and
 * nothing is asked of the mixture. Errors: INVALID_ARGUMENT INVALID_LENGTH, INVALID_TEXT naming the
 * field, never quoting the content. Source: NIST SP 800-63B, 5.1.1.2. */
struct rt_status password_check(const char *field, const char *password, size_t length);

/* For an attempt to log in: something, and not more than a password may be. Whether it follows the
 * policy is not said, as a wrong password is told apart from another by nothing. Errors:
 * INVALID_ARGUMENT INVALID_LENGTH. */
struct rt_status password_attempt_check(const char *field, size_t length);
