#include "domain/page.h"

#define NUMBER_BYTES (PAGE_PLACE_BYTES / 2)

_Static_assert(sizeof(struct rt_uuid) == PAGE_PLACE_BYTES, "an id is a place");

struct rt_digest page_seal_begin(const char *list)
{
	return rt_page_seal_begin("accounts", list);
}

void page_token_from_id(const struct rt_page_seal *seal, const struct rt_uuid *after,
			char token[PAGE_TOKEN_BYTES])
{
	rt_page_token_make(seal, after->bytes, PAGE_PLACE_BYTES, token);
}

void page_token_from_numbers(const struct rt_page_seal *seal, int64_t after, int64_t last,
			     char token[PAGE_TOKEN_BYTES])
{
	uint8_t place[PAGE_PLACE_BYTES];
	rt_page_put(place, (uint64_t)after, NUMBER_BYTES);
	rt_page_put(place + NUMBER_BYTES, (uint64_t)last, NUMBER_BYTES);
	rt_page_token_make(seal, place, PAGE_PLACE_BYTES, token);
}

struct rt_status page_token_to_id(const struct rt_page_seal *seal, const char *token,
				  struct rt_uuid *after)
{
	*after = (struct rt_uuid){0};
	if (token == NULL || token[0] == '\0')
		return rt_ok();
	return rt_page_token_read(seal, "page_token", token, after->bytes, PAGE_PLACE_BYTES);
}

struct rt_status page_token_to_numbers(const struct rt_page_seal *seal, const char *token,
				       int64_t *after, int64_t *last)
{
	*after = 0;
	*last = 0;
	if (token == NULL || token[0] == '\0')
		return rt_ok();
	uint8_t place[PAGE_PLACE_BYTES];
	RT_TRY(rt_page_token_read(seal, "page_token", token, place, PAGE_PLACE_BYTES));
	*after = (int64_t)rt_page_get(place, NUMBER_BYTES);
	*last = (int64_t)rt_page_get(place + NUMBER_BYTES, NUMBER_BYTES);
	/* The seal is no secret: whoever makes a token makes one of numbers that there are. */
	if (*after < 1 || *last < *after)
		return RT_BAD_FIELD("PAGE_TOKEN_INVALID", "page_token", "is not one of this list");
	return rt_ok();
}
