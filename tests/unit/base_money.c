#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base_aborts.h"
#include "rt/id.h"
#include "rt/money.h"

static void test_add(void **state)
{
	(void)state;
	int64_t sum = 7;
	assert_true(rt_money_add(INT64_MAX - 1, 1, &sum));
	assert_int_equal(sum, INT64_MAX);
	sum = 7;
	assert_false(rt_money_add(INT64_MAX, 1, &sum));
	assert_false(rt_money_add(INT64_MIN, -1, &sum));
	assert_false(rt_money_add(INT64_MAX, INT64_MAX, &sum));
	assert_false(rt_money_add(INT64_MIN, INT64_MIN, &sum));
	assert_int_equal(sum, 7);
	assert_true(rt_money_add(INT64_MIN, INT64_MAX, &sum));
	assert_int_equal(sum, -1);
}

static void test_sub(void **state)
{
	(void)state;
	int64_t difference = 7;
	assert_false(rt_money_sub(0, INT64_MIN, &difference));
	assert_false(rt_money_sub(INT64_MIN, 1, &difference));
	assert_false(rt_money_sub(INT64_MAX, -1, &difference));
	assert_int_equal(difference, 7);
	assert_true(rt_money_sub(-1, INT64_MIN, &difference));
	assert_int_equal(difference, INT64_MAX);
	assert_true(rt_money_sub(INT64_MIN, INT64_MIN, &difference));
	assert_int_equal(difference, 0);
}

static void test_currencies(void **state)
{
	(void)state;
	const struct {
		const char *code;
		int exponent;
	} known[] = {{"AED", 2}, {"BHD", 3}, {"CLF", 4}, {"EUR", 2}, {"GBP", 2}, {"IQD", 3},
		     {"ISK", 0}, {"JPY", 0}, {"KRW", 0}, {"KWD", 3}, {"TND", 3}, {"USD", 2},
		     {"UYW", 4}, {"VND", 0}, {"XOF", 0}, {"ZWG", 2}, {"XCG", 2}, {"SLE", 2}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct rt_currency *currency = rt_currency_find(known[i].code);
		assert_non_null(currency);
		assert_string_equal(currency->code, known[i].code);
		assert_int_equal(currency->exponent, known[i].exponent);
	}
	const char *const unknown[] = {"",
				       "E",
				       "EU",
				       "EURO",
				       "eur",
				       "Eur",
				       "HRK",
				       "BGN",
				       "ANG",
				       ("X"
					"XX"),
				       "XTS",
				       "XAU",
				       "ZWL",
				       "BTC",
				       "AAA",
				       "ZZZ",
				       " EUR"};
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		if (rt_currency_find(unknown[i]) != NULL)
			fail_msg("%s was found", unknown[i]);
	assert_null(rt_currency_find(NULL));
}

/* The search halves the table: every row must be found, which a row out of order would prevent. */
static void test_every_currency_is_found(void **state)
{
	(void)state;
	static const char *const codes[] = {
#define RT_CURRENCY(code, exponent, name) #code,
#include "../../runtime/base/currency.def"
#undef RT_CURRENCY
	};
	size_t count = sizeof(codes) / sizeof(codes[0]);
	assert_true(count > 160);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(strlen(codes[i]), 3);
		assert_non_null(rt_currency_find(codes[i]));
		assert_true(i == 0 || strcmp(codes[i - 1], codes[i]) < 0);
	}
}

static void test_currency_field(void **state)
{
	(void)state;
	const struct rt_currency *currency = NULL;
	struct rt_status status = rt_currency_field("currency", "eur", &currency);
	assert_int_equal(status.code, RT_INVALID_ARGUMENT);
	assert_string_equal(status.reason, "INVALID_CURRENCY");
	assert_string_equal(status.field, "currency");
	assert_null(currency);
	status = rt_currency_field("currency", "EUR", &currency);
	assert_true(rt_is_ok(&status));
	assert_string_equal(currency->code, "EUR");
}

static void expect_text(int64_t amount_minor, uint8_t exponent, const char *expected)
{
	char text[RT_MONEY_TEXT_BYTES];
	rt_money_format(amount_minor, exponent, text);
	assert_string_equal(text, expected);
	int64_t again = 0;
	assert_true(rt_money_parse(text, exponent, &again));
	assert_int_equal(again, amount_minor);
}

static void test_format(void **state)
{
	(void)state;
	expect_text(0, 2, "0.00");
	expect_text(0, 0, "0");
	expect_text(5, 2, "0.05");
	expect_text(-5, 2, "-0.05");
	expect_text(-50, 2, "-0.50");
	expect_text(-123450, 2, "-1234.50");
	expect_text(100, 0, "100");
	expect_text(1, 3, "0.001");
	expect_text(-1999, 3, "-1.999");
	expect_text(10000, 4, "1.0000");
	expect_text(INT64_MAX, 2, "92233720368547758.07");
	expect_text(INT64_MIN, 2, "-92233720368547758.08");
	expect_text(INT64_MIN, 0, "-9223372036854775808");
	expect_text(INT64_MIN, 18, "-9.223372036854775808");
	expect_text(1, 18, "0.000000000000000001");
}

static void test_round_trip(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++) {
		int64_t amount_minor, again;
		char text[RT_MONEY_TEXT_BYTES];
		rt_random_bytes(&amount_minor, sizeof(amount_minor));
		amount_minor >>= (int)rt_random_below(64);
		uint8_t exponent = (uint8_t)rt_random_below(19);
		rt_money_format(amount_minor, exponent, text);
		assert_true(rt_money_parse(text, exponent, &again));
		assert_int_equal(again, amount_minor);
	}
}

static void test_parse(void **state)
{
	(void)state;
	const struct {
		const char *text;
		uint8_t exponent;
		int64_t expected;
	} cases[] = {
		{"12", 2, 1200},    {"12.3", 2, 1230},
		{"12.34", 2, 1234}, {"-0", 2, 0},
		{"007", 0, 7},      {"-0.01", 2, -1},
		{"0.000", 3, 0},    {"1", 18, 1000000000000000000},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t amount_minor = -1;
		assert_true(rt_money_parse(cases[i].text, cases[i].exponent, &amount_minor));
		assert_int_equal(amount_minor, cases[i].expected);
	}
}

static void test_parse_hostile(void **state)
{
	(void)state;
	const struct {
		const char *text;
		uint8_t exponent;
	} cases[] = {
		{"0.000", 2},
		{"0.0", 0},
		{"", 2},
		{"-", 2},
		{".", 2},
		{".5", 2},
		{"5.", 2},
		{"1.234", 2},
		{"1.0", 0},
		{"+1", 2},
		{" 1", 2},
		{"1 ", 2},
		{"--1", 2},
		{"1-", 2},
		{"1,00", 2},
		{"1e3", 2},
		{"0x10", 2},
		{"1.2.3", 2},
		{"1.-2", 2},
		{"NaN", 2},
		{"inf", 2},
		{"1'000", 2},
		{"12a", 2},
		{"1.\xd9\xa1", 2},
		{"92233720368547758.08", 2},
		{"-92233720368547758.09", 2},
		{"92233720368547759", 2},
		{"9223372036854775808", 0},
		{"-9223372036854775809", 0},
		{"10", 18},
		{"99999999999999999999999999999999999999999999", 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t amount_minor = 77;
		if (rt_money_parse(cases[i].text, cases[i].exponent, &amount_minor))
			fail_msg("\"%s\" was taken for %" PRId64, cases[i].text, amount_minor);
		assert_int_equal(amount_minor, 77);
	}
	int64_t amount_minor;
	assert_false(rt_money_parse(NULL, 2, &amount_minor));
}

static void format_wildly(void *argument)
{
	(void)argument;
	char text[RT_MONEY_TEXT_BYTES];
	rt_money_format(1, 200, text);
}

static void test_exponent_is_bounded(void **state)
{
	(void)state;
	assert_true(aborts(format_wildly, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_sub),
		cmocka_unit_test(test_currencies),
		cmocka_unit_test(test_every_currency_is_found),
		cmocka_unit_test(test_currency_field),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_hostile),
		cmocka_unit_test(test_exponent_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
