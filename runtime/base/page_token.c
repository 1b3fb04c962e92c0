#include "rt/page_token.h"

#include <stdio.h>
#include <string.h>

#include "base/base64url.h"
#include "rt/assert.h"

#define SEAL_BYTES 8
#define RAW_BYTES  (RT_PAGE_PLACE_BYTES_MAX + SEAL_BYTES)

struct rt_digest rt_page_seal_begin(const char *service, const char *list)
{
	char name[64];
	int length = snprintf(name, sizeof(name), "daler.%s.page.v1", service);
	RT_ASSERT(length > 0 && (size_t)length < sizeof(name));
	struct rt_digest digest;
	rt_digest_init(&digest);
	rt_digest_text(&digest, name);
	rt_digest_text(&digest, list);
	return digest;
}

struct rt_page_seal rt_page_seal_end(struct rt_digest *digest)
{
	struct rt_page_seal seal;
	rt_digest_finish(digest, seal.bytes);
	return seal;
}

/* Puts the seal behind the place. */
static void seal_place(const struct rt_page_seal *seal, uint8_t *raw, size_t place_bytes)
{
	uint8_t hash[RT_DIGEST_BYTES];
	struct rt_digest digest;
	rt_digest_init(&digest);
	rt_digest_bytes(&digest, seal->bytes, sizeof(seal->bytes));
	rt_digest_bytes(&digest, raw, place_bytes);
	rt_digest_finish(&digest, hash);
	memcpy(raw + place_bytes, hash, SEAL_BYTES);
}

void rt_page_token_make(const struct rt_page_seal *seal, const uint8_t *place, size_t place_bytes,
			char *token)
{
	uint8_t raw[RAW_BYTES];
	RT_ASSERT(place_bytes <= RT_PAGE_PLACE_BYTES_MAX);
	memcpy(raw, place, place_bytes);
	seal_place(seal, raw, place_bytes);
	rt_base64url_encode(raw, place_bytes + SEAL_BYTES, token);
}

struct rt_status rt_page_token_read(const struct rt_page_seal *seal, const char *field,
				    const char *token, uint8_t *place, size_t place_bytes)
{
	uint8_t raw[RAW_BYTES], expected[RAW_BYTES];
	size_t length = place_bytes + SEAL_BYTES, decoded = 0;
	RT_ASSERT(place_bytes <= RT_PAGE_PLACE_BYTES_MAX);
	if (!rt_base64url_decode(token, strnlen(token, (size_t)2 * RAW_BYTES), raw, length,
				 &decoded) ||
	    decoded != length)
		return RT_BAD_FIELD("PAGE_TOKEN_INVALID", field, "is not one that was given out");
	memcpy(expected, raw, place_bytes);
	seal_place(seal, expected, place_bytes);
	if (memcmp(expected, raw, length) != 0)
		return RT_BAD_FIELD("PAGE_TOKEN_INVALID", field, "is not one of this list");
	memcpy(place, raw, place_bytes);
	return rt_ok();
}

void rt_page_put(uint8_t *bytes, uint64_t number, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)(number >> (8 * (count - 1 - i)));
}

uint64_t rt_page_get(const uint8_t *bytes, size_t count)
{
	uint64_t number = 0;
	for (size_t i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}

struct rt_status rt_page_size_check(int32_t asked, size_t *size)
{
	if (asked < 0 || asked > RT_PAGE_SIZE_MAX)
		return RT_BAD_FIELD("INVALID_FIELD", "page_size", "must be 1 to %d, or 0 for %d",
				    RT_PAGE_SIZE_MAX, RT_PAGE_SIZE_DEFAULT);
	*size = asked == 0 ? RT_PAGE_SIZE_DEFAULT : (size_t)asked;
	return rt_ok();
}
