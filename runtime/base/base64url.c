#include "base/base64url.h"

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void rt_base64url_encode(const uint8_t *bytes, size_t length, char *text)
{
	uint32_t bits = 0;
	unsigned count = 0;
	for (size_t i = 0; i < length; i++) {
		bits = bits << 8 | bytes[i];
		count += 8;
		while (count >= 6) {
			count -= 6;
			*text++ = alphabet[bits >> count & 63];
		}
	}
	if (count > 0)
		*text++ = alphabet[bits << (6 - count) & 63];
	*text = '\0';
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

bool rt_base64url_decode(const char *text, size_t length, uint8_t *bytes, size_t capacity,
			 size_t *decoded)
{
	uint32_t bits = 0;
	unsigned count = 0;
	*decoded = 0;
	if (length % 4 == 1)
		return false;
	for (size_t i = 0; i < length; i++) {
		int value = value_of(text[i]);
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		if (*decoded == capacity)
			return false;
		bytes[(*decoded)++] = (uint8_t)(bits >> count);
	}
	return (bits & ((1U << count) - 1)) == 0;
}
