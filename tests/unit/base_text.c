#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rt/text.h"

static bool is_utf8(const char *text)
{
	return rt_text_is_utf8(text, strlen(text));
}

static void test_valid(void **state)
{
	(void)state;
	const char *const valid[] = {
		"",
		"plain",
		"\x7f",
		"\xc2\x80",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf", /* the last before the surrogates */
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf", /* U+10FFFF */
		"a\xc3\xa9z\xe2\x82\xac",
	};
	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		assert_true(is_utf8(valid[i]));
	assert_true(rt_text_is_utf8("a\0b", 3));
}

static void test_hostile(void **state)
{
	(void)state;
	const char *const hostile[] = {
		"\x80", /* a continuation alone */
		"\xbf",
		"\xc0\x80", /* NUL, overlong */
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80", /* surrogates */
		"\xed\xbf\xbf",
		"\xf4\x90\x80\x80", /* beyond U+10FFFF */
		"\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80",
		"\xfe",
		"\xff",
		"\xc3",
		"\xe2\x82", /* cut off */
		"\xf0\x9f\x98",
		"\xc3(",
		"\xe2(\xac",
		"\xe2\x82(",
		"\xf0\x9f\x98(",
		"ok\xff",
	};
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		assert_false(is_utf8(hostile[i]));
	assert_false(rt_text_is_utf8("\xe2\x82\xac", 2));
}

/* Every sequence of up to three bytes: each is valid exactly when its character, encoded again,
 * gives the same bytes. */
static size_t encode(uint32_t character, char *bytes)
{
	if (character < 0x80) {
		bytes[0] = (char)character;
		return 1;
	}
	if (character < 0x800) {
		bytes[0] = (char)(0xc0U | (character >> 6));
		bytes[1] = (char)(0x80U | (character & 0x3fU));
		return 2;
	}
	bytes[0] = (char)(0xe0U | (character >> 12));
	bytes[1] = (char)(0x80U | ((character >> 6) & 0x3fU));
	bytes[2] = (char)(0x80U | (character & 0x3fU));
	return 3;
}

static void test_every_short_sequence(void **state)
{
	(void)state;
	size_t valid = 0;
	for (uint32_t number = 0; number <= 0xffffff; number++) {
		const char bytes[] = {(char)(number >> 16), (char)(number >> 8), (char)number};
		uint32_t character;
		size_t length = rt_utf8_next(bytes, sizeof(bytes), &character);
		if (length == 0)
			continue;
		char again[4];
		size_t again_length = encode(character, again);
		if (again_length != length || memcmp(bytes, again, length) != 0)
			fail_msg("%06x decoded to U+%04X", number, character);
		if (length == 3)
			valid++;
	}
	assert_int_equal(valid, 0x10000 - 0x800 - 0x800);
}

static void test_tidy(void **state)
{
	(void)state;
	const struct {
		const char *from, *to;
	} cases[] = {
		{"", ""},
		{"caf\xc3\xa9", "caf\xc3\xa9"},
		{"cut\xe2\x82", "cut"},
		{"\xff\xfe", "??"},
		{"a\nb\tc\x7f", "a?b?c?"},
		{"\xc2\x9b"
		 "31m\xc2\x80\xc2\xa0",
		 "??31m??\xc2\xa0"},
		{"\xed\xa0\x80x", "???x"},
		{"\xe2\x82z", "??z"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[32];
		memcpy(text, cases[i].from, strlen(cases[i].from) + 1);
		rt_text_tidy(text);
		assert_string_equal(text, cases[i].to);
	}
}

static void expect(struct rt_status status, const char *reason)
{
	if (reason == NULL) {
		assert_true(rt_is_ok(&status));
		return;
	}
	assert_int_equal(status.code, RT_INVALID_ARGUMENT);
	assert_string_equal(status.reason, reason);
	assert_string_equal(status.field, "name");
}

static void test_text_field(void **state)
{
	(void)state;
	expect(rt_text_field("name", "\xe2\x82\xac\xe2\x82\xac", 2, 2),
	       NULL); /* characters, not bytes */
	expect(rt_text_field("name", "", 0, 5), NULL);
	expect(rt_text_field("name", NULL, 0, 5), NULL);
	expect(rt_text_field("name", NULL, 1, 5), "INVALID_LENGTH");
	expect(rt_text_field("name", "abcdef", 0, 5), "INVALID_LENGTH");
	expect(rt_text_field("name", "a\nb", 0, 5), "INVALID_TEXT");
	expect(rt_text_field("name", "a\x7f", 0, 5), "INVALID_TEXT");
	expect(rt_text_field("name", "\xc2\x85", 0, 5),
	       "INVALID_TEXT"); /* a control character of the second set */
	expect(rt_text_field("name", "\xc2\xa0", 0, 5), NULL);
	expect(rt_text_field("name", "\xff", 0, 5), "INVALID_TEXT");
}

static void test_ascii_field(void **state)
{
	(void)state;
	expect(rt_ascii_field("name", "key-1:A~!", 1, 9, NULL), NULL);
	expect(rt_ascii_field("name", "key 1", 1, 9, NULL), "INVALID_TEXT");
	expect(rt_ascii_field("name", "key\xc3\xa9", 1, 9, NULL), "INVALID_TEXT");
	expect(rt_ascii_field("name", "\x7f", 1, 9, NULL), "INVALID_TEXT");
	expect(rt_ascii_field("name", "", 1, 9, NULL), "INVALID_LENGTH");
	expect(rt_ascii_field("name", NULL, 1, 9, NULL), "INVALID_LENGTH");
	expect(rt_ascii_field("name", "0123456789", 1, 9, NULL), "INVALID_LENGTH");
	expect(rt_ascii_field("name", "abc", 1, 9, "abc"), NULL);
	expect(rt_ascii_field("name", "abd", 1, 9, "abc"), "INVALID_TEXT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_every_short_sequence),
		cmocka_unit_test(test_tidy),
		cmocka_unit_test(test_text_field),
		cmocka_unit_test(test_ascii_field),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
