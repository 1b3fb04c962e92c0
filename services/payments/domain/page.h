/* What a place in one of the service's lists, or in a stream of changes, is. Pure; for the
 * service's rpc/. */
#pragma once

#include "rt/id.h"
#include "rt/page_token.h"

#define PAGE_PLACE_BYTES 28
#define PAGE_TOKEN_BYTES RT_PAGE_TOKEN_BYTES(PAGE_PLACE_BYTES)

/* After what the next page begins: as much of it as a list needs. */
struct page_place {
	int64_t number;
	struct rt_uuid id;
	int32_t version;
};

/* Begins a seal with the list's name, as rt_page_seal_begin. */
struct rt_digest page_seal_begin(const char *list);

void page_token_make(const struct rt_page_seal *seal, const struct page_place *place,
		     char token[PAGE_TOKEN_BYTES]);
/* Errors: INVALID_ARGUMENT PAGE_TOKEN_INVALID, naming `field`. */
struct rt_status page_token_read(const struct rt_page_seal *seal, const char *field,
				 const char *token, struct page_place *place);
