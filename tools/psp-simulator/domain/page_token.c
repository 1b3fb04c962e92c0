#include "domain/page_token.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt/digest.h"

void page_token_make(int64_t arrival, char token[PAGE_TOKEN_BYTES])
{
	struct rt_digest digest;
	uint8_t hash[RT_DIGEST_BYTES];
	uint64_t check;

	rt_digest_init(&digest);
	rt_digest_text(&digest, "daler simulator operations page");
	rt_digest_int(&digest, arrival);
	rt_digest_finish(&digest, hash);
	memcpy(&check, hash, sizeof(check));
	snprintf(token, PAGE_TOKEN_BYTES, "%016" PRIx64 "%016" PRIx64, (uint64_t)arrival ^ check,
		 check);
}

static uint64_t hex_word(const char *digits)
{
	char word[17];

	memcpy(word, digits, 16);
	word[16] = '\0';
	return strtoull(word, NULL, 16);
}

bool page_token_read(const char *token, int64_t *arrival)
{
	char expected[PAGE_TOKEN_BYTES];

	if (strlen(token) != PAGE_TOKEN_BYTES - 1 ||
	    strspn(token, "0123456789abcdef") != PAGE_TOKEN_BYTES - 1)
		return false;
	*arrival = (int64_t)(hex_word(token) ^ hex_word(token + 16));
	page_token_make(*arrival, expected);
	return strcmp(expected, token) == 0;
}
