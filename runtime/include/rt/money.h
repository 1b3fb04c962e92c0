/* Money: int64_t minor units and a currency; checked arithmetic. Pure; any layer may include this.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/status.h"

/* True when the sum fits; *sum is untouched otherwise. */
bool rt_money_add(int64_t a_minor, int64_t b_minor, int64_t *sum_minor);
bool rt_money_sub(int64_t a_minor, int64_t b_minor, int64_t *difference_minor);

struct rt_currency {
	char code[4];     /* ISO 4217 alphabetic */
	uint8_t exponent; /* digits after the point */
};

/* Source: ISO 4217. NULL when there is no such currency. */
const struct rt_currency *rt_currency_find(const char *code);
/* The same for a request's field: INVALID_ARGUMENT INVALID_CURRENCY naming the field. */
struct rt_status rt_currency_field(const char *field, const char *code,
				   const struct rt_currency **currency);

/* "-1234.50" for (-123450, 2). 32 bytes are always enough. */
#define RT_MONEY_TEXT_BYTES 32
void rt_money_format(int64_t amount_minor, uint8_t exponent, char text[RT_MONEY_TEXT_BYTES]);
/* The reverse; false when malformed, too precise or too large. */
bool rt_money_parse(const char *text, uint8_t exponent, int64_t *amount_minor);
