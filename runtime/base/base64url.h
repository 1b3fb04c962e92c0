/* base64url without padding. Pure. Source: RFC 4648 section 5, RFC 7515 section 2. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RT_BASE64URL_LENGTH(bytes) (((bytes)*4 + 2) / 3)

/* Writes RT_BASE64URL_LENGTH(length) characters and a NUL. */
void rt_base64url_encode(const uint8_t *bytes, size_t length, char *text);
/* False when a character is not in the alphabet, the length or the last bits are impossible, or it
 * doesn't fit: each value has one encoding only. */
bool rt_base64url_decode(const char *text, size_t length, uint8_t *bytes, size_t capacity,
			 size_t *decoded);
