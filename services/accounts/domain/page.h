/* Page tokens: opaque to callers, and bound to the list that they continue. Pure; for the service's
 * rpc/. */
#pragma once

#include <stddef.h>

#include "rt/digest.h"
#include "rt/id.h"
#include "rt/status.h"

#define PAGE_SIZE_DEFAULT 100
#define PAGE_SIZE_MAX     1000

/* 16 bytes of place and 8 of seal, as base64url without padding. */
#define PAGE_TOKEN_BYTES  33

/* Which list, with its filters: a token made for one doesn't fit another. */
struct page_scope {
	struct rt_digest digest;
};

/* Begins a scope with the list's name; more is added with rt_digest_*; page_scope_seal finishes it.
 */
struct page_scope page_scope_begin(const char *list);

struct page_seal {
	uint8_t bytes[RT_DIGEST_BYTES];
};
struct page_seal page_scope_seal(struct page_scope *scope);

/* A place is the id, or the number, after which the next page begins. The seal shows tampering by
 * mistake or trial; it is no secret, and needs none: a place only selects among rows that the
 * caller may read anyway. */
void page_token_from_id(const struct page_seal *seal, const struct rt_uuid *after,
			char token[PAGE_TOKEN_BYTES]);
void page_token_from_number(const struct page_seal *seal, int64_t after,
			    char token[PAGE_TOKEN_BYTES]);
/* An empty token is the first page: the nil id, or 0. Errors: INVALID_ARGUMENT PAGE_TOKEN_INVALID.
 */
struct rt_status page_token_to_id(const struct page_seal *seal, const char *token,
				  struct rt_uuid *after);
struct rt_status page_token_to_number(const struct page_seal *seal, const char *token,
				      int64_t *after);

/* Errors: INVALID_ARGUMENT INVALID_FIELD for page_size. */
struct rt_status page_size_check(int32_t asked, size_t *size);
