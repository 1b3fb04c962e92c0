#include "domain/page.h"

#include <string.h>

/* Where the parts of a place stand among its bytes. */
enum {
	NUMBER_BYTES = 8,
	ID_AT = NUMBER_BYTES,
	VERSION_AT = ID_AT + (int)sizeof(struct rt_uuid),
	VERSION_BYTES = 4
};
_Static_assert(VERSION_AT + VERSION_BYTES == PAGE_PLACE_BYTES, "a place has these parts");

struct rt_digest page_seal_begin(const char *list)
{
	return rt_page_seal_begin("payments", list);
}

void page_token_make(const struct rt_page_seal *seal, const struct page_place *place,
		     char token[PAGE_TOKEN_BYTES])
{
	uint8_t bytes[PAGE_PLACE_BYTES];
	rt_page_put(bytes, (uint64_t)place->number, NUMBER_BYTES);
	memcpy(bytes + ID_AT, place->id.bytes, sizeof(place->id.bytes));
	rt_page_put(bytes + VERSION_AT, (uint32_t)place->version, VERSION_BYTES);
	rt_page_token_make(seal, bytes, PAGE_PLACE_BYTES, token);
}

struct rt_status page_token_read(const struct rt_page_seal *seal, const char *field,
				 const char *token, struct page_place *place)
{
	uint8_t bytes[PAGE_PLACE_BYTES];
	RT_TRY(rt_page_token_read(seal, field, token, bytes, PAGE_PLACE_BYTES));
	place->number = (int64_t)rt_page_get(bytes, NUMBER_BYTES);
	memcpy(place->id.bytes, bytes + ID_AT, sizeof(place->id.bytes));
	place->version = (int32_t)rt_page_get(bytes + VERSION_AT, VERSION_BYTES);
	return rt_ok();
}
