/* Page tokens and positions of streams: opaque to callers, and bound to the list that they
 * continue. Pure; for the service's rpc/. */
#pragma once

#include <stddef.h>

#include "rt/digest.h"
#include "rt/id.h"
#include "rt/status.h"

#define PAGE_SIZE_DEFAULT 100
#define PAGE_SIZE_MAX     1000

/* 28 bytes of place and 8 of seal, as base64url without padding. */
#define PAGE_PLACE_BYTES  28
#define PAGE_TOKEN_BYTES  49

/* After what the next page begins: as much of it as a list needs. */
struct page_place {
	int64_t number;
	struct rt_uuid id;
	int32_t version;
};

/* Which list, with its filters: a token made for one doesn't fit another. */
struct page_seal {
	uint8_t bytes[RT_DIGEST_BYTES];
};

/* Begins a seal with the list's name; the filters are added with rt_digest_*; _end finishes it. */
struct rt_digest page_seal_begin(const char *list);
struct page_seal page_seal_end(struct rt_digest *digest);

/* The seal shows tampering by mistake or trial; it is no secret, and needs none: a place only
 * selects among rows that the caller may read anyway. */
void page_token_make(const struct page_seal *seal, const struct page_place *place,
		     char token[PAGE_TOKEN_BYTES]);
/* Errors: INVALID_ARGUMENT PAGE_TOKEN_INVALID, naming `field`. */
struct rt_status page_token_read(const struct page_seal *seal, const char *field, const char *token,
				 struct page_place *place);

/* Errors: INVALID_ARGUMENT INVALID_FIELD for page_size. */
struct rt_status page_size_check(int32_t asked, size_t *size);
