#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base_aborts.h"
#include "rt/clock.h"
#include "rt/digest.h"
#include "rt/id.h"

static struct rt_uuid uuid_of(const char *text)
{
	struct rt_uuid uuid;
	assert_true(rt_uuid_parse(text, &uuid));
	return uuid;
}

static uint64_t milliseconds_of(const struct rt_uuid *uuid)
{
	uint64_t milliseconds = 0;
	for (int i = 0; i < 6; i++)
		milliseconds = (milliseconds << 8) | uuid->bytes[i];
	return milliseconds;
}

static void test_v7_form(void **state)
{
	(void)state;
	uint64_t before_ms = (uint64_t)(rt_clock_wall_us() / 1000);
	struct rt_uuid uuid = rt_uuid_v7();
	uint64_t after_ms = (uint64_t)(rt_clock_wall_us() / 1000);
	assert_int_equal(uuid.bytes[6] >> 4, 7);
	assert_int_equal(uuid.bytes[8] >> 6, 2);
	assert_in_range(milliseconds_of(&uuid), before_ms, after_ms);
}

#define PER_THREAD 50000
#define THREADS    4

static struct rt_uuid made[THREADS][PER_THREAD];

static void *make_many(void *argument)
{
	struct rt_uuid *mine = argument;
	for (size_t i = 0; i < PER_THREAD; i++)
		mine[i] = rt_uuid_v7();
	return NULL;
}

static int compare(const void *a, const void *b)
{
	return rt_uuid_compare(a, b);
}

static void test_v7_rises_and_never_repeats(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_many, made[i]), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < THREADS; i++)
		for (size_t j = 1; j < PER_THREAD; j++)
			if (rt_uuid_compare(&made[i][j - 1], &made[i][j]) >= 0)
				fail_msg("thread %zu, id %zu does not rise", i, j);
	struct rt_uuid *all = &made[0][0];
	qsort(all, (size_t)THREADS * PER_THREAD, sizeof(*all), compare);
	for (size_t i = 1; i < (size_t)THREADS * PER_THREAD; i++)
		if (rt_uuid_equal(&all[i - 1], &all[i]))
			fail_msg("an id came twice");
	/* An id of now is later than all of them, whichever thread it comes from. */
	struct rt_uuid last = rt_uuid_v7();
	assert_true(rt_uuid_compare(&all[THREADS * PER_THREAD - 1], &last) < 0);
}

/* Neither the random pool nor the counter may be the same on both sides of a fork. */
static void test_fork_does_not_repeat(void **state)
{
	(void)state;
	uint8_t pool_warm[16];
	rt_random_bytes(pool_warm, sizeof(pool_warm));
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	uint8_t mine[16];
	if (child == 0) {
		rt_random_bytes(mine, sizeof(mine));
		_exit(write(ends[1], mine, sizeof(mine)) == sizeof(mine) ? 0 : 1);
	}
	rt_random_bytes(mine, sizeof(mine));
	uint8_t theirs[16];
	assert_int_equal(read(ends[0], theirs, sizeof(theirs)), sizeof(theirs));
	assert_memory_not_equal(mine, theirs, sizeof(mine));
	waitpid(child, NULL, 0);
	close(ends[0]);
	close(ends[1]);
}

static void test_text_round_trip(void **state)
{
	(void)state;
	for (int i = 0; i < 10000; i++) {
		struct rt_uuid uuid, again;
		char text[RT_UUID_TEXT_BYTES];
		rt_random_bytes(uuid.bytes, sizeof(uuid.bytes));
		rt_uuid_format(&uuid, text);
		assert_int_equal(strlen(text), 36);
		assert_true(rt_uuid_parse(text, &again));
		assert_true(rt_uuid_equal(&uuid, &again));
	}
	char text[RT_UUID_TEXT_BYTES];
	struct rt_uuid uuid = uuid_of("0190A5C2-D3E4-7ABC-8DEF-0123456789aB");
	rt_uuid_format(&uuid, text);
	assert_string_equal(text, "0190a5c2-d3e4-7abc-8def-0123456789ab");
}

static void test_hostile_texts(void **state)
{
	(void)state;
	const char *const hostile[] = {
		"",
		"-",
		"0190a5c2-d3e4-7abc-8def-0123456789a",
		"0190a5c2-d3e4-7abc-8def-0123456789abc",
		"0190a5c2d3e47abc8def0123456789ab",
		"{0190a5c2-d3e4-7abc-8def-0123456789ab}",
		"urn:uuid:0190a5c2-d3e4-7abc-8def-0123456789ab",
		"0190a5c2-d3e4-7abc-8def-0123456789ag",
		"0190a5c2-d3e4-7abc-8def-0123456789 b",
		"0190a5c2 d3e4-7abc-8def-0123456789ab",
		"0190a5c2-d3e47-abc-8def-0123456789ab",
		" 190a5c2-d3e4-7abc-8def-0123456789ab",
		"0x90a5c2-d3e4-7abc-8def-0123456789ab",
		"0190a5c2-d3e4-7abc-8def-0123456789\xc3\xa9",
		"------------------------------------",
	};
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct rt_uuid uuid = {{1, 2, 3}};
		assert_false(rt_uuid_parse(hostile[i], &uuid));
		assert_int_equal(uuid.bytes[0], 1);
		struct rt_status status = rt_uuid_field("id", hostile[i], &uuid);
		assert_int_equal(status.code, RT_INVALID_ARGUMENT);
		assert_string_equal(status.reason, "INVALID_UUID");
		assert_string_equal(status.field, "id");
	}
	struct rt_uuid uuid;
	assert_false(rt_uuid_parse(NULL, &uuid));
}

static void test_nil_is_no_value(void **state)
{
	(void)state;
	struct rt_uuid uuid = {{9}};
	struct rt_status status =
		rt_uuid_field("id", "00000000-0000-0000-0000-000000000000", &uuid);
	assert_string_equal(status.reason, "INVALID_UUID");
	assert_int_equal(uuid.bytes[0], 9);
	assert_false(rt_uuid_is_nil(&uuid));
	uuid = uuid_of("00000000-0000-0000-0000-000000000000");
	assert_true(rt_uuid_is_nil(&uuid));
	status = rt_uuid_field("id", "00000000-0000-0000-0000-000000000001", &uuid);
	assert_true(rt_is_ok(&status));
}

static void test_compare(void **state)
{
	(void)state;
	struct rt_uuid low = uuid_of("00000000-0000-0000-0000-0000000000ff");
	struct rt_uuid high = uuid_of("80000000-0000-0000-0000-000000000000");
	assert_true(rt_uuid_compare(&low, &high) < 0);
	assert_true(rt_uuid_compare(&high, &low) > 0);
	assert_int_equal(rt_uuid_compare(&low, &low), 0);
}

/* Derived ids are in databases: what they are must never change. Computed with another
 * implementation of SHA-256. */
static void test_derive(void **state)
{
	(void)state;
	struct rt_uuid space = uuid_of("0190a5c2-d3e4-7abc-8def-0123456789ab");
	struct rt_uuid derived = rt_uuid_derive(&space, "hold");
	char text[RT_UUID_TEXT_BYTES];
	rt_uuid_format(&derived, text);
	assert_string_equal(text, "0190a5c2-d3e4-85c4-bae0-21fadd1d9153");
	struct rt_uuid other_name = rt_uuid_derive(&space, "hold ");
	assert_false(rt_uuid_equal(&derived, &other_name));
	space.bytes[15] ^= 1;
	struct rt_uuid other_space = rt_uuid_derive(&space, "hold");
	assert_false(rt_uuid_equal(&derived, &other_space));
	assert_memory_equal(derived.bytes, other_space.bytes, 6);
}

static void test_random_below(void **state)
{
	(void)state;
	int seen[6] = {0};
	for (int i = 0; i < 60000; i++) {
		uint64_t number = rt_random_below(6);
		assert_true(number < 6);
		seen[number]++;
	}
	for (int i = 0; i < 6; i++)
		assert_in_range(seen[i], 9000, 11000); /* ten standard deviations */
	assert_int_equal(rt_random_below(1), 0);
	/* Three quarters of all numbers: were the last quarter folded back, half of the results
	 * would be in the first third. */
	int low = 0;
	for (int i = 0; i < 30000; i++)
		low += rt_random_below(UINT64_C(3) << 62) < UINT64_C(1) << 62 ? 1 : 0;
	assert_in_range(low, 9000, 11000);
	bool high = false;
	for (int i = 0; i < 200; i++)
		high |= rt_random_below(UINT64_MAX) > UINT64_MAX / 2;
	assert_true(high);
}

static void ask_below_zero(void *argument)
{
	(void)argument;
	rt_random_below(0);
}

static void test_random_bytes(void **state)
{
	(void)state;
	assert_true(aborts(ask_below_zero, NULL));
	const size_t lengths[] = {0, 1, 127, 128, 129, 512, 100000};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint8_t *bytes = calloc(1, lengths[i] + 1);
		rt_random_bytes(bytes, lengths[i]);
		assert_int_equal(bytes[lengths[i]], 0);
		size_t zeros = 0;
		for (size_t j = 0; j < lengths[i]; j++)
			zeros += bytes[j] == 0 ? 1 : 0;
		assert_true(zeros <= 8 + lengths[i] / 64);
		free(bytes);
	}
}

static void hash_of(const char *const *texts, size_t count, uint8_t hash[RT_DIGEST_BYTES])
{
	struct rt_digest digest;
	rt_digest_init(&digest);
	for (size_t i = 0; i < count; i++)
		rt_digest_text(&digest, texts[i]);
	rt_digest_finish(&digest, hash);
}

static void test_digest_is_fixed(void **state)
{
	(void)state;
	static const uint8_t expected[RT_DIGEST_BYTES] = {
		0x79, 0xf0, 0x9b, 0x38, 0xd8, 0x9a, 0xec, 0x27, 0x61, 0x28, 0x73,
		0x64, 0xde, 0x55, 0x68, 0xd3, 0x81, 0x7e, 0xdd, 0x97, 0x81, 0xb9,
		0x9b, 0x68, 0x4d, 0x67, 0xc0, 0x55, 0x8c, 0xc6, 0x1b, 0x6f,
	};
	for (int i = 0; i < 3; i++) { /* the second uses the first one's context */
		struct rt_digest digest;
		uint8_t hash[RT_DIGEST_BYTES];
		rt_digest_init(&digest);
		rt_digest_text(&digest, "EUR");
		rt_digest_int(&digest, -5);
		rt_digest_bytes(&digest, "\0\1", 2);
		rt_digest_finish(&digest, hash);
		assert_memory_equal(hash, expected, sizeof(hash));
	}
}

static void test_digest_frames(void **state)
{
	(void)state;
	uint8_t a[RT_DIGEST_BYTES], b[RT_DIGEST_BYTES];
	hash_of((const char *const[]){"ab", "c"}, 2, a);
	hash_of((const char *const[]){"a", "bc"}, 2, b);
	assert_memory_not_equal(a, b, sizeof(a));
	hash_of((const char *const[]){"abc"}, 1, a);
	assert_memory_not_equal(a, b, sizeof(a));
	hash_of((const char *const[]){"abc", ""}, 2, b);
	assert_memory_not_equal(a, b, sizeof(a));
	struct rt_digest digest;
	rt_digest_init(&digest);
	rt_digest_bytes(&digest, "abc", 3); /* bytes and text are not the same */
	rt_digest_finish(&digest, b);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void test_digests_side_by_side(void **state)
{
	(void)state;
	struct rt_digest first, second;
	uint8_t a[RT_DIGEST_BYTES], b[RT_DIGEST_BYTES];
	rt_digest_init(&first);
	rt_digest_init(&second);
	rt_digest_text(&first, "x");
	rt_digest_text(&second, "y");
	rt_digest_text(&first, "y");
	rt_digest_text(&second, "x");
	rt_digest_finish(&first, a);
	rt_digest_finish(&second, b);
	uint8_t alone[RT_DIGEST_BYTES];
	hash_of((const char *const[]){"x", "y"}, 2, alone);
	assert_memory_equal(a, alone, sizeof(a));
	hash_of((const char *const[]){"y", "x"}, 2, alone);
	assert_memory_equal(b, alone, sizeof(b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v7_form),
		cmocka_unit_test(test_v7_rises_and_never_repeats),
		cmocka_unit_test(test_fork_does_not_repeat),
		cmocka_unit_test(test_text_round_trip),
		cmocka_unit_test(test_hostile_texts),
		cmocka_unit_test(test_nil_is_no_value),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_derive),
		cmocka_unit_test(test_random_below),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_digest_is_fixed),
		cmocka_unit_test(test_digest_frames),
		cmocka_unit_test(test_digests_side_by_side),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
