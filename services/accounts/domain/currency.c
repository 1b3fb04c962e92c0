#include "domain/currency.h"

#include <stdbool.h>
#include <stddef.h>

#define CODE_CHARACTERS_MIN 3

static bool is_letter(char character)
{
	return character >= 'A' && character <= 'Z';
}

static bool is_code(const char *code)
{
	size_t length = 0;
	while (length < CURRENCY_CODE_BYTES && code[length] != '\0') {
		bool is_digit = code[length] >= '0' && code[length] <= '9';
		if (!is_letter(code[length]) && (length == 0 || !is_digit))
			return false;
		length++;
	}
	return length >= CODE_CHARACTERS_MIN && length < CURRENCY_CODE_BYTES;
}

struct rt_status currency_field(const char *field, const char *code)
{
	if (!is_code(code))
		return RT_BAD_FIELD(
			"INVALID_CURRENCY", field,
			"must be an ISO 4217 code such as EUR, or that of a registered asset");
	return rt_ok();
}
