/* Checks of text that comes from outside. Pure; any layer may include this. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "rt/status.h"

bool rt_text_is_utf8(const char *text, size_t length);
/* INVALID_ARGUMENT naming the field, when the text is not UTF-8 without control characters (INVALID_TEXT), or has not
 * min..max characters (INVALID_LENGTH). */
struct rt_status rt_text_field(const char *field, const char *text, size_t characters_min, size_t characters_max);
/* The same for visible ASCII out of `allowed` (NULL: all of 0x21 to 0x7e). */
struct rt_status rt_ascii_field(const char *field, const char *text, size_t bytes_min, size_t bytes_max,
				const char *allowed);
