#include "domain/page.h"

#include <stdint.h>
#include <string.h>

#define PLACE_BYTES 16
#define SEAL_BYTES  8
#define RAW_BYTES   (PLACE_BYTES + SEAL_BYTES)

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
			const char *place = strchr(alphabet, token[4 * i + j]);
			if (place == NULL)
				return false;
			bits = bits << 6 | (uint32_t)(place - alphabet);
		}
		raw[3 * i] = (uint8_t)(bits >> 16);
		raw[3 * i + 1] = (uint8_t)(bits >> 8);
		raw[3 * i + 2] = (uint8_t)bits;
	}
	return true;
}

struct page_scope page_scope_begin(const char *list)
{
	struct page_scope scope;
	rt_digest_init(&scope.digest);
	rt_digest_text(&scope.digest, "daler.accounts.page.v1");
	rt_digest_text(&scope.digest, list);
	return scope;
}

struct page_seal page_scope_seal(struct page_scope *scope)
{
	struct page_seal seal;
	rt_digest_finish(&scope->digest, seal.bytes);
	return seal;
}

static void seal_place(const struct page_seal *seal, uint8_t raw[RAW_BYTES])
{
	uint8_t hash[RT_DIGEST_BYTES];
	struct rt_digest digest;
	rt_digest_init(&digest);
	rt_digest_bytes(&digest, seal->bytes, sizeof(seal->bytes));
	rt_digest_bytes(&digest, raw, PLACE_BYTES);
	rt_digest_finish(&digest, hash);
	memcpy(raw + PLACE_BYTES, hash, SEAL_BYTES);
}

static void make_token(const struct page_seal *seal, const uint8_t place[PLACE_BYTES],
		       char token[PAGE_TOKEN_BYTES])
{
	uint8_t raw[RAW_BYTES];
	memcpy(raw, place, PLACE_BYTES);
	seal_place(seal, raw);
	encode(raw, token);
}

static struct rt_status open_token(const struct page_seal *seal, const char *token,
				   uint8_t place[PLACE_BYTES])
{
	uint8_t raw[RAW_BYTES], expected[RAW_BYTES];
	if (!decode(token, raw))
		return RT_BAD_FIELD("PAGE_TOKEN_INVALID", "page_token",
				    "is not one that was given out");
	memcpy(expected, raw, PLACE_BYTES);
	seal_place(seal, expected);
	if (memcmp(expected, raw, RAW_BYTES) != 0)
		return RT_BAD_FIELD("PAGE_TOKEN_INVALID", "page_token", "is not one of this list");
	memcpy(place, raw, PLACE_BYTES);
	return rt_ok();
}

void page_token_from_id(const struct page_seal *seal, const struct rt_uuid *after,
			char token[PAGE_TOKEN_BYTES])
{
	_Static_assert(sizeof(after->bytes) == PLACE_BYTES, "an id is a place");
	make_token(seal, after->bytes, token);
}

void page_token_from_number(const struct page_seal *seal, int64_t after,
			    char token[PAGE_TOKEN_BYTES])
{
	uint8_t place[PLACE_BYTES] = {0};
	for (size_t i = 0; i < 8; i++)
		place[i] = (uint8_t)((uint64_t)after >> (56 - 8 * i));
	make_token(seal, place, token);
}

struct rt_status page_token_to_id(const struct page_seal *seal, const char *token,
				  struct rt_uuid *after)
{
	*after = (struct rt_uuid){0};
	if (token == NULL || token[0] == '\0')
		return rt_ok();
	return open_token(seal, token, after->bytes);
}

struct rt_status page_token_to_number(const struct page_seal *seal, const char *token,
				      int64_t *after)
{
	*after = 0;
	if (token == NULL || token[0] == '\0')
		return rt_ok();
	uint8_t place[PLACE_BYTES];
	RT_TRY(open_token(seal, token, place));
	uint64_t number = 0;
	for (size_t i = 0; i < 8; i++)
		number = number << 8 | place[i];
	*after = (int64_t)number;
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
