/* What a username may be. Pure. */
#pragma once

#include "rt/status.h"

/* 3 to 64 characters of a-z 0-9 . _ - @ +. Errors: INVALID_ARGUMENT INVALID_TEXT or INVALID_LENGTH
 * naming the field. */
struct rt_status username_check(const char *field, const char *username);
