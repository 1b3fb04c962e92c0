#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rt/clock.h"

static void expect_text(int64_t wall_us, const char *expected)
{
	char text[RT_TIME_TEXT_BYTES];
	rt_clock_format(wall_us, text);
	assert_string_equal(text, expected);
}

static void test_format(void **state)
{
	(void)state;
	expect_text(0, "1970-01-01T00:00:00.000000Z");
	expect_text(-1, "1969-12-31T23:59:59.999999Z");
	expect_text(INT64_C(951782400000000), "2000-02-29T00:00:00.000000Z");
	expect_text(INT64_C(4107542399999999), "2100-02-28T23:59:59.999999Z");
	expect_text(INT64_C(4107542400000000), "2100-03-01T00:00:00.000000Z"); /* no leap year */
	expect_text(INT64_MAX, "9999-12-31T23:59:59.999999Z");
	expect_text(INT64_MIN, "0000-01-01T00:00:00.000000Z");
}

/* Every day of four centuries and more, against the C library. */
static void test_format_as_the_library_does(void **state)
{
	(void)state;
	for (int64_t day = -200000; day < 200000; day++) {
		time_t seconds = day * 86400 + 45296;
		struct tm parts;
		char expected[96];
		gmtime_r(&seconds, &parts);
		snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02d.000007Z",
			 parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
			 parts.tm_min, parts.tm_sec);
		expect_text(seconds * RT_US_PER_S + 7, expected);
	}
}

static void test_left(void **state)
{
	(void)state;
	int64_t now_us = rt_clock_mono_us();
	assert_int_equal(rt_clock_left_ms(RT_NO_DEADLINE, 1234), 1234);
	assert_int_equal(rt_clock_left_ms(now_us - 1, 1234), 0);
	assert_int_equal(rt_clock_left_ms(INT64_MIN, 1234), 0);
	assert_int_equal(rt_clock_left_ms(0, 1234), 0);
	assert_int_equal(rt_clock_left_ms(now_us + 3600 * RT_US_PER_S, 1234), 1234);
	assert_int_equal(rt_clock_left_ms(RT_NO_DEADLINE - 1, 1234), 1234);
	int left_ms = rt_clock_left_ms(rt_clock_mono_us() + 10 * RT_US_PER_S, 100000);
	assert_in_range(left_ms, 9000, 10000);
	/* Less than a millisecond is a wait all the same, so that nobody spins through it. */
	int64_t deadline_us = rt_clock_mono_us() + 900;
	left_ms = rt_clock_left_ms(deadline_us, 100);
	if (rt_clock_mono_us() < deadline_us)
		assert_int_equal(left_ms, 1);
}

static void test_sleep(void **state)
{
	(void)state;
	int64_t start_us = rt_clock_mono_us();
	rt_clock_sleep_us(20000);
	int64_t slept_us = rt_clock_mono_us() - start_us;
	assert_true(slept_us >= 20000);
	start_us = rt_clock_mono_us();
	rt_clock_sleep_us(0);
	rt_clock_sleep_us(-5);
	rt_clock_sleep_us(INT64_MIN);
	assert_true(rt_clock_mono_us() - start_us < RT_US_PER_S);
}

static void test_wall_is_now(void **state)
{
	(void)state;
	int64_t difference_s = rt_clock_wall_us() / RT_US_PER_S - time(NULL);
	assert_true(difference_s >= -1 && difference_s <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_format_as_the_library_does),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_wall_is_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
