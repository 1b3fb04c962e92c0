#include "rt/money.h"

#include <stdlib.h>
#include <string.h>

#include "rt/assert.h"

#define EXPONENT_MAX 18 /* the most digits that an int64_t can have behind the point */

bool rt_money_add(int64_t a_minor, int64_t b_minor, int64_t *sum_minor)
{
	int64_t sum;
	if (__builtin_add_overflow(a_minor, b_minor, &sum))
		return false;
	*sum_minor = sum;
	return true;
}

bool rt_money_sub(int64_t a_minor, int64_t b_minor, int64_t *difference_minor)
{
	int64_t difference;
	if (__builtin_sub_overflow(a_minor, b_minor, &difference))
		return false;
	*difference_minor = difference;
	return true;
}

static const struct rt_currency currencies[] = {
#define RT_CURRENCY(currency_code, currency_exponent, name)                                        \
	{.code = #currency_code, .exponent = (currency_exponent)},
#include "currency.def"
#undef RT_CURRENCY
};

static int compare_code(const void *code, const void *currency)
{
	return strcmp(code, ((const struct rt_currency *)currency)->code);
}

const struct rt_currency *rt_currency_find(const char *code)
{
	if (code == NULL)
		return NULL;
	return bsearch(code, currencies, sizeof(currencies) / sizeof(currencies[0]),
		       sizeof(currencies[0]), compare_code);
}

struct rt_status rt_currency_field(const char *field, const char *code,
				   const struct rt_currency **currency)
{
	const struct rt_currency *found = rt_currency_find(code);
	if (found == NULL)
		return RT_BAD_FIELD("INVALID_CURRENCY", field,
				    "must be an ISO 4217 code such as EUR");
	*currency = found;
	return rt_ok();
}

void rt_money_format(int64_t amount_minor, uint8_t exponent, char text[RT_MONEY_TEXT_BYTES])
{
	RT_ASSERT(exponent <= EXPONENT_MAX);
	/* As an unsigned number, because the least amount has no positive twin. */
	uint64_t left = amount_minor < 0 ? -(uint64_t)amount_minor : (uint64_t)amount_minor;
	char reversed[RT_MONEY_TEXT_BYTES];
	size_t length = 0;
	for (unsigned digits = 0; left > 0 || digits <= exponent; digits++) {
		if (digits == exponent && exponent > 0)
			reversed[length++] = '.';
		reversed[length++] = (char)('0' + left % 10);
		left /= 10;
	}
	if (amount_minor < 0)
		reversed[length++] = '-';
	for (size_t i = 0; i < length; i++)
		text[i] = reversed[length - 1 - i];
	text[length] = '\0';
}

static bool is_digit(char character)
{
	return character >= '0' && character <= '9';
}

/* Counts down from zero for negative amounts, so that the least one is reached without passing the
 * greatest. */
static bool append_digit(int64_t *amount_minor, int digit, bool negative)
{
	int64_t shifted;
	if (__builtin_mul_overflow(*amount_minor, INT64_C(10), &shifted))
		return false;
	return rt_money_add(shifted, negative ? -digit : digit, amount_minor);
}

bool rt_money_parse(const char *text, uint8_t exponent, int64_t *amount_minor)
{
	RT_ASSERT(exponent <= EXPONENT_MAX);
	if (text == NULL)
		return false;
	bool negative = *text == '-';
	if (negative)
		text++;
	if (!is_digit(*text))
		return false;
	int64_t amount = 0;
	for (; is_digit(*text); text++)
		if (!append_digit(&amount, *text - '0', negative))
			return false;
	unsigned missing = exponent;
	if (*text == '.') {
		text++;
		if (!is_digit(*text))
			return false;
		for (; is_digit(*text); text++, missing--)
			if (missing == 0 || !append_digit(&amount, *text - '0', negative))
				return false;
	}
	if (*text != '\0')
		return false;
	for (; missing > 0; missing--)
		if (!append_digit(&amount, 0, negative))
			return false;
	*amount_minor = amount;
	return true;
}
