/* What a place in one of the service's lists is. Pure; for the service's rpc/. */
#pragma once

#include "rt/id.h"
#include "rt/page_token.h"

#define PAGE_PLACE_BYTES 16
#define PAGE_TOKEN_BYTES RT_PAGE_TOKEN_BYTES(PAGE_PLACE_BYTES)

/* Begins a seal with the list's name, as rt_page_seal_begin. */
struct rt_digest page_seal_begin(const char *list);

/* A place is the id after which the next page begins, or the number, with that of the last of all
 * pages. */
void page_token_from_id(const struct rt_page_seal *seal, const struct rt_uuid *after,
			char token[PAGE_TOKEN_BYTES]);
void page_token_from_numbers(const struct rt_page_seal *seal, int64_t after, int64_t last,
			     char token[PAGE_TOKEN_BYTES]);
/* An empty token is the first page: the nil id, or zeros; other numbers are at least 1, and in
 * order. Errors: INVALID_ARGUMENT
 * PAGE_TOKEN_INVALID. */
struct rt_status page_token_to_id(const struct rt_page_seal *seal, const char *token,
				  struct rt_uuid *after);
struct rt_status page_token_to_numbers(const struct rt_page_seal *seal, const char *token,
				       int64_t *after, int64_t *last);
