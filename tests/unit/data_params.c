/* Parameters in PostgreSQL's binary formats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs the four above */

#include <string.h>

#include "../../runtime/data/pg_binary.h"
#include "rt/pg.h"

static struct rt_arena arena;
static struct rt_pg_params params;

static int set_up(void **state)
{
	(void)state;
	rt_arena_init(&arena, 1 << 20);
	rt_pg_params_init(&params, &arena);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rt_arena_deinit(&arena);
	return 0;
}

static void check(int place, enum rt_pg_type type, const char *bytes, size_t length)
{
	assert_true(place < params.count);
	assert_int_equal(params.types[place], type);
	assert_int_equal(params.lengths[place], length);
	assert_memory_equal(params.values[place], bytes, length);
}

#define CHECK(place, type, literal) check(place, type, literal, sizeof(literal) - 1)

static void test_scalars(void **state)
{
	(void)state;
	struct rt_uuid id = {.bytes = {1, 2, 3, [15] = 255}};
	rt_pg_add_int(&params, -2);
	rt_pg_add_bool(&params, true);
	rt_pg_add_bool(&params, false);
	rt_pg_add_text(&params, "text");
	rt_pg_add_uuid(&params, &id);
	rt_pg_add_bytes(&params, "\0\xff", 2);
	CHECK(0, RT_PG_BIGINT, "\xff\xff\xff\xff\xff\xff\xff\xfe");
	CHECK(1, RT_PG_BOOL, "\1");
	CHECK(2, RT_PG_BOOL, "\0");
	CHECK(3, RT_PG_TEXT, "text");
	CHECK(4, RT_PG_UUID, "\1\2\3\0\0\0\0\0\0\0\0\0\0\0\0\xff");
	CHECK(5, RT_PG_BYTEA, "\0\xff");
}

static void test_nulls(void **state)
{
	(void)state;
	rt_pg_add_text(&params, NULL);
	rt_pg_add_uuid(&params, NULL);
	rt_pg_add_bytes(&params, NULL, 3);
	rt_pg_add_null(&params, RT_PG_TIMESTAMPTZ);
	const enum rt_pg_type types[] = {RT_PG_TEXT, RT_PG_UUID, RT_PG_BYTEA, RT_PG_TIMESTAMPTZ};
	for (int i = 0; i < 4; i++) {
		assert_null(params.values[i]);
		assert_int_equal(params.types[i], types[i]);
	}
	assert_false(params.overflowed);
}

static void test_times(void **state)
{
	(void)state;
	rt_pg_add_time(&params, PG_EPOCH_US + 1);
	rt_pg_add_time(&params, 0);
	rt_pg_add_time(&params, INT64_MAX);
	CHECK(0, RT_PG_TIMESTAMPTZ, "\0\0\0\0\0\0\0\1");
	CHECK(1, RT_PG_TIMESTAMPTZ, "\xff\xfc\xa2\xfe\xc4\xc8\x20\x00");
	CHECK(2, RT_PG_TIMESTAMPTZ, "\x7f\xff\xff\xff\xff\xff\xff\xff");
	const int64_t wall_us[] = {0, 1, -1, INT64_MAX, INT64_MIN, INT64_C(1700000000000000)};
	for (size_t i = 0; i < sizeof(wall_us) / sizeof(wall_us[0]); i++)
		assert_true(pg_time_to_wall(pg_time_from_wall(wall_us[i])) == wall_us[i]);
	/* Beyond what PostgreSQL counts is infinite, and does not wrap. */
	assert_true(pg_time_from_wall(INT64_MIN + 5) == INT64_MIN);
	assert_true(pg_time_to_wall(INT64_MAX - 5) == INT64_MAX);
}

static void test_int_array(void **state)
{
	(void)state;
	const int64_t values[] = {1, 7, -1};
	const bool nulls[] = {false, true, false};
	rt_pg_add_int_array(&params, values, nulls, 3);
	CHECK(0, RT_PG_BIGINT_ARRAY,
	      "\0\0\0\1"
	      "\0\0\0\1"
	      "\0\0\0\x14"
	      "\0\0\0\3"
	      "\0\0\0\1"
	      "\0\0\0\x8"
	      "\0\0\0\0\0\0\0\1"
	      "\xff\xff\xff\xff"
	      "\0\0\0\x8"
	      "\xff\xff\xff\xff\xff\xff\xff\xff");
}

static void test_narrow_arrays(void **state)
{
	(void)state;
	const int64_t small[] = {-2, 258};
	const bool bools[] = {true, false};
	rt_pg_add_smallint_array(&params, small, NULL, 2);
	rt_pg_add_bool_array(&params, bools, 2);
	CHECK(0, RT_PG_SMALLINT_ARRAY,
	      "\0\0\0\1"
	      "\0\0\0\0"
	      "\0\0\0\x15"
	      "\0\0\0\2"
	      "\0\0\0\1"
	      "\0\0\0\2"
	      "\xff\xfe"
	      "\0\0\0\2"
	      "\1\2");
	CHECK(1, RT_PG_BOOL_ARRAY,
	      "\0\0\0\1"
	      "\0\0\0\0"
	      "\0\0\0\x10"
	      "\0\0\0\2"
	      "\0\0\0\1"
	      "\0\0\0\1"
	      "\1"
	      "\0\0\0\1"
	      "\0");
}

static void test_text_array(void **state)
{
	(void)state;
	const char *const values[] = {"ab", NULL, ""};
	rt_pg_add_text_array(&params, values, 3);
	CHECK(0, RT_PG_TEXT_ARRAY,
	      "\0\0\0\1"
	      "\0\0\0\1"
	      "\0\0\0\x19"
	      "\0\0\0\3"
	      "\0\0\0\1"
	      "\0\0\0\2"
	      "ab"
	      "\xff\xff\xff\xff"
	      "\0\0\0\0");
}

static void test_fixed_width_arrays(void **state)
{
	(void)state;
	const struct rt_uuid ids[] = {{.bytes = {1}}, {.bytes = {2}}};
	const bool nulls[] = {true, false};
	const int64_t times[] = {PG_EPOCH_US};
	rt_pg_add_bytes_array(&params, "abcd", 2, 2);
	rt_pg_add_uuid_array(&params, ids, nulls, 2);
	rt_pg_add_time_array(&params, times, 1);
	CHECK(0, RT_PG_BYTEA_ARRAY,
	      "\0\0\0\1"
	      "\0\0\0\0"
	      "\0\0\0\x11"
	      "\0\0\0\2"
	      "\0\0\0\1"
	      "\0\0\0\2"
	      "ab"
	      "\0\0\0\2"
	      "cd");
	CHECK(1, RT_PG_UUID_ARRAY,
	      "\0\0\0\1"
	      "\0\0\0\1"
	      "\0\0\x0b\x86"
	      "\0\0\0\2"
	      "\0\0\0\1"
	      "\xff\xff\xff\xff"
	      "\0\0\0\x10"
	      "\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	CHECK(2, RT_PG_TIMESTAMPTZ_ARRAY,
	      "\0\0\0\1"
	      "\0\0\0\0"
	      "\0\0\x04\xa0"
	      "\0\0\0\1"
	      "\0\0\0\1"
	      "\0\0\0\x8"
	      "\0\0\0\0\0\0\0\0");
}

static void test_empty_arrays(void **state)
{
	(void)state;
	rt_pg_add_int_array(&params, NULL, NULL, 0);
	rt_pg_add_text_array(&params, NULL, 0);
	CHECK(0, RT_PG_BIGINT_ARRAY,
	      "\0\0\0\0"
	      "\0\0\0\0"
	      "\0\0\0\x14");
	CHECK(1, RT_PG_TEXT_ARRAY,
	      "\0\0\0\0"
	      "\0\0\0\0"
	      "\0\0\0\x19");
}

static void test_overflow(void **state)
{
	(void)state;
	struct rt_arena small;
	const int64_t values[100] = {0};
	rt_arena_init(&small, 128);
	rt_pg_params_init(&params, &small);
	rt_pg_add_int(&params, 1);
	assert_false(params.overflowed);
	rt_pg_add_int_array(&params, values, NULL, 100);
	assert_true(params.overflowed);
	rt_pg_add_int(&params, 2);
	assert_int_equal(params.count, 3);
	assert_true(params.overflowed);
	/* A size that does not fit into a number is no small one. */
	rt_pg_params_init(&params, &arena);
	rt_pg_add_bytes_array(&params, "x", SIZE_MAX / 2, 4);
	assert_true(params.overflowed);
	rt_arena_deinit(&small);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_scalars),
		TEST(test_nulls),
		TEST(test_times),
		TEST(test_int_array),
		TEST(test_narrow_arrays),
		TEST(test_text_array),
		TEST(test_fixed_width_arrays),
		TEST(test_empty_arrays),
		TEST(test_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
