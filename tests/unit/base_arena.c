#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base_aborts.h"
#include "rt/arena.h"

static void test_zeroed_and_aligned(void **state)
{
	(void)state;
	struct rt_arena arena;
	rt_arena_init(&arena, 1 << 20);
	for (size_t size = 0; size < 3000; size += 7) {
		unsigned char *bytes = rt_arena_alloc(&arena, size);
		assert_non_null(bytes);
		assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(bytes[i], 0);
		memset(bytes, 0xee, size);
	}
	/* The same memory again, dirty from before, must be zero again. */
	rt_arena_deinit(&arena);
	assert_int_equal(arena.used_bytes, 0);
	unsigned char *bytes = rt_arena_alloc(&arena, 3000);
	for (size_t i = 0; i < 3000; i++)
		assert_int_equal(bytes[i], 0);
	rt_arena_deinit(&arena);
}

static void test_objects_do_not_overlap(void **state)
{
	(void)state;
	struct rt_arena arena;
	rt_arena_init(&arena, 1 << 20);
	unsigned char *objects[500];
	for (size_t i = 0; i < 500; i++) {
		objects[i] = rt_arena_alloc(&arena, 1 + i);
		assert_non_null(objects[i]);
		memset(objects[i], (int)(i % 251), 1 + i);
	}
	for (size_t i = 0; i < 500; i++)
		for (size_t j = 0; j < 1 + i; j++)
			assert_int_equal(objects[i][j], i % 251);
	rt_arena_deinit(&arena);
}

static void test_limit(void **state)
{
	(void)state;
	struct rt_arena arena;
	rt_arena_init(&arena, 64);
	assert_non_null(rt_arena_alloc(&arena, 48));
	assert_false(arena.overflowed);
	assert_null(rt_arena_alloc(&arena, 17));
	assert_true(arena.overflowed);
	/* What fits still fits, but the mark stays. */
	assert_non_null(rt_arena_alloc(&arena, 16));
	assert_null(rt_arena_alloc(&arena, 1));
	assert_true(arena.overflowed);
	assert_int_equal(arena.used_bytes, 64);
	rt_arena_deinit(&arena);
	assert_false(arena.overflowed);
	assert_non_null(rt_arena_alloc(&arena, 64));
	rt_arena_deinit(&arena);
}

/* Objects count as what they take up with their alignment. */
static void test_limit_between(void **state)
{
	(void)state;
	struct rt_arena arena;
	rt_arena_init(&arena, 60);
	assert_non_null(rt_arena_alloc(&arena, 33));
	assert_int_equal(arena.used_bytes, 48);
	assert_null(rt_arena_alloc(&arena, 1));
	assert_int_equal(arena.used_bytes, 48);
	rt_arena_deinit(&arena);
}

static void test_hostile_sizes(void **state)
{
	(void)state;
	const size_t sizes[] = {SIZE_MAX,     SIZE_MAX - 7,     SIZE_MAX - 15,
				SIZE_MAX / 2, SIZE_MAX / 4 + 1, 4097};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct rt_arena arena;
		rt_arena_init(&arena, 4096);
		assert_null(rt_arena_alloc(&arena, sizes[i]));
		assert_true(arena.overflowed);
		rt_arena_deinit(&arena);
	}
	struct rt_arena arena;
	rt_arena_init(&arena, 4096);
	assert_null(rt_arena_array(&arena, SIZE_MAX / 8 + 2, 8)); /* the product wraps to 8 */
	assert_true(arena.overflowed);
	rt_arena_deinit(&arena);
	assert_null(rt_arena_memdup(&arena, "", SIZE_MAX));
	assert_non_null(rt_arena_array(&arena, 4, 1024));
	rt_arena_deinit(&arena);
}

static void test_texts(void **state)
{
	(void)state;
	struct rt_arena arena;
	rt_arena_init(&arena, 4096);
	assert_string_equal(rt_arena_strdup(&arena, "h\xc3\xa9"), "h\xc3\xa9");
	assert_string_equal(rt_arena_strdup(&arena, ""), "");
	const char *copy = rt_arena_memdup(&arena, "a\0bc", 3);
	assert_memory_equal(copy, "a\0b", 4);
	assert_string_equal(rt_arena_memdup(&arena, NULL, 0), "");
	assert_string_equal(rt_arena_printf(&arena, "%s-%d", "x", 42), "x-42");
	assert_null(rt_arena_printf(&arena, "%5000d", 1));
	assert_true(arena.overflowed);
	rt_arena_deinit(&arena);
}

static void test_object_larger_than_a_block(void **state)
{
	(void)state;
	struct rt_arena arena;
	rt_arena_init(&arena, 1 << 20);
	char *small = rt_arena_strdup(&arena, "before");
	char *large = rt_arena_alloc(&arena, 100000);
	assert_non_null(large);
	memset(large, 'x', 100000);
	assert_string_equal(small, "before");
	assert_string_equal(rt_arena_strdup(&arena, "after"), "after");
	rt_arena_deinit(&arena);
}

static void run_limit_test(void *argument)
{
	setenv("RT_ARENA_MALLOC", "1", 1);
	test_limit(argument);
	test_limit_between(argument);
	test_objects_do_not_overlap(argument);
	test_hostile_sizes(argument);
}

/* Both modes overflow at the same point, so that what passes in one passes in the other. First,
 * because the mode is chosen once a process. */
static void test_malloc_mode_is_the_same(void **state)
{
	(void)state;
	assert_true(survives(run_limit_test, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malloc_mode_is_the_same),
		cmocka_unit_test(test_zeroed_and_aligned),
		cmocka_unit_test(test_objects_do_not_overlap),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_limit_between),
		cmocka_unit_test(test_hostile_sizes),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_object_larger_than_a_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
