/* Checks of text that comes from outside. Pure; any layer may include this. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/status.h"

/* Decodes the character at the beginning of the text. Returns its length in bytes; 0 when there is
 * none, or it is not UTF-8 (overlong, a surrogate, beyond U+10FFFF, cut off). Source: RFC 3629. */
size_t rt_utf8_next(const char *text, size_t length, uint32_t *character);
bool rt_text_is_utf8(const char *text, size_t length);
/* Makes any string fit to be shown: a character cut off at the end goes, other bytes that are not
 * UTF-8, and ASCII control characters, become '?'. Never longer than before. */
void rt_text_tidy(char *text);
/* INVALID_ARGUMENT naming the field, when the text is not UTF-8 without control characters
 * (INVALID_TEXT), or has not min..max characters (INVALID_LENGTH). NULL is an empty text. */
struct rt_status rt_text_field(const char *field, const char *text, size_t characters_min,
			       size_t characters_max);
/* The same for visible ASCII out of `allowed` (NULL: all of 0x21 to 0x7e). */
struct rt_status rt_ascii_field(const char *field, const char *text, size_t bytes_min,
				size_t bytes_max, const char *allowed);
