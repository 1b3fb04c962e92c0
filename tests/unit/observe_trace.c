#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rt/trace.h"

#define TRACE  "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static bool is_zero(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static void test_accept(void **state)
{
	(void)state;
	struct rt_trace trace;
	char trace_id[RT_TRACE_ID_BYTES], span_id[RT_SPAN_ID_BYTES];
	assert_true(rt_trace_accept("00-" TRACE "-" PARENT "-01", &trace));
	rt_trace_id_format(&trace, trace_id, span_id);
	assert_string_equal(trace_id, TRACE);
	assert_memory_equal(trace.parent_id, "\xb7\xad\x6b\x71\x69\x20\x33\x31", 8);
	assert_memory_not_equal(trace.span_id, trace.parent_id, 8);
	assert_false(is_zero(trace.span_id, 8));
	assert_true(trace.sampled);

	const struct {
		const char *flags;
		bool sampled;
	} flags[] = {{"00", false}, {"01", true}, {"02", false},
		     {"03", true},  {"ff", true}, {"fe", false}};
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		char header[RT_TRACEPARENT_BYTES] = "00-" TRACE "-" PARENT "-";
		memcpy(header + 53, flags[i].flags, 3);
		assert_true(rt_trace_accept(header, &trace));
		assert_int_equal(trace.sampled, flags[i].sampled);
	}
}

/* Versions to come begin as this one, and may go on behind a dash. */
static void test_later_versions(void **state)
{
	(void)state;
	struct rt_trace trace;
	assert_true(rt_trace_accept("01-" TRACE "-" PARENT "-01", &trace));
	assert_true(rt_trace_accept("fe-" TRACE "-" PARENT "-01", &trace));
	assert_true(rt_trace_accept("cc-" TRACE "-" PARENT "-01-what-the-future-brings", &trace));
	assert_true(rt_trace_accept("cc-" TRACE "-" PARENT "-01-", &trace));
	assert_false(rt_trace_accept("cc-" TRACE "-" PARENT "-01.what", &trace));
	assert_false(rt_trace_accept("cc-" TRACE "-" PARENT "-012", &trace));
}

static void test_malformed(void **state)
{
	(void)state;
	const char *const malformed[] = {
		"",
		"00",
		"-",
		"00-" TRACE "-" PARENT "-0",
		"00-" TRACE "-" PARENT "-",
		"00-" TRACE "-" PARENT,
		"00-" TRACE "-" PARENT "-01-",
		"00-" TRACE "-" PARENT "-01-more",
		"00-" TRACE "-" PARENT "-011",
		"00-" TRACE "-" PARENT "-01 ",
		" 00-" TRACE "-" PARENT "-01",
		"ff-" TRACE "-" PARENT "-01",
		"0-" TRACE "-" PARENT "-01",
		"000-" TRACE "-" PARENT "-01",
		"0x-" TRACE "-" PARENT "-01",
		"qq-" TRACE "-" PARENT "-01",
		"00-00000000000000000000000000000000-" PARENT "-01",
		"00-" TRACE "-0000000000000000-01",
		"00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
		"00-" TRACE "-B7AD6B7169203331-01",
		"00-" TRACE "-" PARENT "-0A",
		"00-" TRACE "-" PARENT "-0g",
		"00-" TRACE "-b7ad6b716920333-001",
		"00-0af7651916cd43dd8448eb211c80319-" PARENT "-001",
		"00_" TRACE "_" PARENT "_01",
		"00-" TRACE "-" PARENT "\xff"
		"01",
		"00-0af7651916cd43dd8448eb211c80319\xc3-" PARENT "-01",
		"zz-zz",
	};
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		struct rt_trace trace = {0};
		if (rt_trace_accept(malformed[i], &trace))
			fail_msg("\"%s\" was accepted", malformed[i]);
		assert_false(is_zero(trace.trace_id, 16)); /* a new one */
		assert_false(is_zero(trace.span_id, 8));
		assert_true(is_zero(trace.parent_id, 8));
	}
	struct rt_trace trace;
	assert_false(rt_trace_accept(NULL, &trace));
}

static void test_round_trip(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct rt_trace trace = rt_trace_new(), far;
		char header[RT_TRACEPARENT_BYTES];
		trace.sampled = i % 2 == 0;
		rt_trace_format(&trace, header);
		assert_int_equal(strlen(header), 55);
		assert_memory_equal(header, "00-", 3);
		assert_true(rt_trace_accept(header, &far));
		assert_memory_equal(far.trace_id, trace.trace_id, 16);
		assert_memory_equal(far.parent_id, trace.span_id, 8);
		assert_int_equal(far.sampled, trace.sampled);
	}
}

static void test_child(void **state)
{
	(void)state;
	struct rt_trace trace = rt_trace_new();
	struct rt_trace child = rt_trace_child(&trace);
	struct rt_trace twin = rt_trace_child(&trace);
	assert_true(is_zero(trace.parent_id, 8));
	assert_memory_equal(child.trace_id, trace.trace_id, 16);
	assert_memory_equal(child.parent_id, trace.span_id, 8);
	assert_memory_not_equal(child.span_id, trace.span_id, 8);
	assert_memory_not_equal(child.span_id, twin.span_id, 8);
	struct rt_trace other = rt_trace_new();
	assert_memory_not_equal(other.trace_id, trace.trace_id, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept),    cmocka_unit_test(test_later_versions),
		cmocka_unit_test(test_malformed), cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_child),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
