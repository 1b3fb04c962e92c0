#include "domain/page.h"

#include <stdint.h>
#include <string.h>

#define SEAL_BYTES 8
#define RAW_BYTES  (PAGE_PLACE_BYTES + SEAL_BYTES)

_Static_assert(RAW_BYTES % 3 == 0, "no padding is needed");
_Static_assert(RAW_BYTES / 3 * 4 + 1 == PAGE_TOKEN_BYTES, "a token is this long");

/* Source: RFC 4648, section 5. */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(const uint8_t raw[RAW_BYTES], char token[PAGE_TOKEN_BYTES])
{
	for (size_t i = 0; i < RAW_BYTES / 3; i++) {
		const uint8_t *from = raw + 3 * i;
		uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];

		for (size_t j = 0; j < 4; j++)
			token[4 * i + j] = alphabet[(bits >> (18 - 6 * j)) & 63];
	}
	token[PAGE_TOKEN_BYTES - 1] = '\0';
}

static bool decode(const char *token, uint8_t raw[RAW_BYTES])
{
	if (strnlen(token, PAGE_TOKEN_BYTES) != PAGE_TOKEN_BYTES - 1)
		return false;
	for (size_t i = 0; i < RAW_BYTES / 3; i++) {
		uint32_t bits = 0;

		for (size_t j = 0; j < 4; j++) {
			const char *found = strchr(alphabet, token[4 * i + j]);

			if (found == NULL)
				return false;
			bits = bits << 6 | (uint32_t)(found - alphabet);
		}
		raw[3 * i] = (uint8_t)(bits >> 16);
		raw[3 * i + 1] = (uint8_t)(bits >> 8);
		raw[3 * i + 2] = (uint8_t)bits;
	}
	return true;
}

static void put(uint8_t *bytes, uint64_t number, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)(number >> (8 * (count - 1 - i)));
}

static uint64_t get(const uint8_t *bytes, size_t count)
{
	uint64_t number = 0;

	for (size_t i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}

struct rt_digest page_seal_begin(const char *list)
{
	struct rt_digest digest;

	rt_digest_init(&digest);
	rt_digest_text(&digest, "daler.payments.page.v1");
	rt_digest_text(&digest, list);
	return digest;
}

struct page_seal page_seal_end(struct rt_digest *digest)
{
	struct page_seal seal;

	rt_digest_finish(digest, seal.bytes);
	return seal;
}

static void seal_place(const struct page_seal *seal, uint8_t raw[RAW_BYTES])
{
	uint8_t hash[RT_DIGEST_BYTES];
	struct rt_digest digest;

	rt_digest_init(&digest);
	rt_digest_bytes(&digest, seal->bytes, sizeof(seal->bytes));
	rt_digest_bytes(&digest, raw, PAGE_PLACE_BYTES);
	rt_digest_finish(&digest, hash);
	memcpy(raw + PAGE_PLACE_BYTES, hash, SEAL_BYTES);
}

void page_token_make(const struct page_seal *seal, const struct page_place *place,
		     char token[PAGE_TOKEN_BYTES])
{
	uint8_t raw[RAW_BYTES];

	put(raw, (uint64_t)place->number, 8);
	memcpy(raw + 8, place->id.bytes, sizeof(place->id.bytes));
	put(raw + 24, (uint32_t)place->version, 4);
	seal_place(seal, raw);
	encode(raw, token);
}

struct rt_status page_token_read(const struct page_seal *seal, const char *field, const char *token,
				 struct page_place *place)
{
	uint8_t raw[RAW_BYTES], expected[RAW_BYTES];

	if (!decode(token, raw))
		return RT_BAD_FIELD("PAGE_TOKEN_INVALID", field, "is not one that was given out");
	memcpy(expected, raw, PAGE_PLACE_BYTES);
	seal_place(seal, expected);
	if (memcmp(expected, raw, RAW_BYTES) != 0)
		return RT_BAD_FIELD("PAGE_TOKEN_INVALID", field, "is not one of this list");
	place->number = (int64_t)get(raw, 8);
	memcpy(place->id.bytes, raw + 8, sizeof(place->id.bytes));
	place->version = (int32_t)get(raw + 24, 4);
	return rt_ok();
}

struct rt_status page_size_check(int32_t asked, size_t *size)
{
	if (asked < 0 || asked > PAGE_SIZE_MAX)
		return RT_BAD_FIELD("INVALID_FIELD", "page_size", "must be 1 to %d, or 0 for %d",
				    PAGE_SIZE_MAX, PAGE_SIZE_DEFAULT);
	*size = asked == 0 ? PAGE_SIZE_DEFAULT : (size_t)asked;
	return rt_ok();
}
