/* Page tokens: opaque to callers, and bound to the list that they continue. Pure; for services,
 * each of which says what a place in its lists is. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "rt/digest.h"
#include "rt/status.h"

#define RT_PAGE_SIZE_DEFAULT             100
#define RT_PAGE_SIZE_MAX                 1000

/* A token is the place and 8 bytes of seal, as base64url without padding. */
#define RT_PAGE_PLACE_BYTES_MAX          28
#define RT_PAGE_TOKEN_BYTES(place_bytes) ((((place_bytes) + 8) * 4 + 2) / 3 + 1)

/* Which list, with its filters: a token made for one doesn't fit another. */
struct rt_page_seal {
	uint8_t bytes[RT_DIGEST_BYTES];
};

/* Begins a seal with a service's name and its list's; the filters are added with rt_digest_*; _end
 * finishes it. */
struct rt_digest rt_page_seal_begin(const char *service, const char *list);
struct rt_page_seal rt_page_seal_end(struct rt_digest *digest);

/* The seal shows tampering by mistake or trial; it is no secret, and needs none: a place only
 * selects among rows that the caller may read anyway. */
void rt_page_token_make(const struct rt_page_seal *seal, const uint8_t *place, size_t place_bytes,
			char *token);
/* Errors: INVALID_ARGUMENT PAGE_TOKEN_INVALID, naming `field`. */
struct rt_status rt_page_token_read(const struct rt_page_seal *seal, const char *field,
				    const char *token, uint8_t *place, size_t place_bytes);

/* Numbers of a place, most significant byte first. */
void rt_page_put(uint8_t *bytes, uint64_t number, size_t count);
uint64_t rt_page_get(const uint8_t *bytes, size_t count);

/* Errors: INVALID_ARGUMENT INVALID_FIELD for page_size. */
struct rt_status rt_page_size_check(int32_t asked, size_t *size);
