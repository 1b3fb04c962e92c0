/* How many streams a peer may reset: what counts, in whatever pieces it comes, and what time gives
 * back. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

#include "../../runtime/rpc/resets.h"
#include "rt/clock.h"

#define TRIES 100000

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/* 4 bytes of payload, type 3. */
static const unsigned char reset[] = {0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8};
/* DATA whose payload looks like a reset. */
static const unsigned char data[] = {0, 0, 13, 0, 0, 0, 0, 0, 1, 0, 0,
				     4, 3, 0,  0, 0, 0, 1, 0, 0, 0, 8};

static struct rt_resets_bucket shared;

static void begin(struct rt_resets *resets)
{
	rt_resets_init(resets, &shared);
	assert_true(rt_resets_take(resets, (const unsigned char *)preface, strlen(preface), 0));
}

static int anew(void **state)
{
	(void)state;
	shared = (struct rt_resets_bucket){0};
	return 0;
}

/* How many it lets through now, given in pieces of so many bytes. */
static int drain(struct rt_resets *resets, size_t piece, int64_t now_us)
{
	int taken = 0;
	for (; taken < TRIES; taken++) {
		for (size_t at = 0; at < sizeof(reset); at += piece) {
			size_t left = sizeof(reset) - at;
			if (!rt_resets_take(resets, reset + at, left < piece ? left : piece,
					    now_us))
				return taken;
		}
	}
	return taken;
}

static void test_a_burst_and_what_time_gives_back(void **state)
{
	(void)state;
	struct rt_resets resets;
	begin(&resets);
	assert_int_equal(drain(&resets, sizeof(reset), 0), 5000);
	assert_int_equal(drain(&resets, sizeof(reset), RT_US_PER_S), 1000);
	assert_int_equal(drain(&resets, sizeof(reset), INT64_MAX / 2), 5000);
}

static void test_as_many_a_second_go_on_for_ever(void **state)
{
	(void)state;
	struct rt_resets resets;
	begin(&resets);
	for (int64_t now_us = 0; now_us < 100 * RT_US_PER_S; now_us += 1000)
		assert_true(rt_resets_take(&resets, reset, sizeof(reset), now_us));
}

static void test_many_connections_share_what_a_process_takes(void **state)
{
	(void)state;
	struct rt_resets resets[3];
	for (int i = 0; i < 3; i++)
		begin(&resets[i]);
	assert_int_equal(drain(&resets[0], sizeof(reset), 0), 5000);
	assert_int_equal(drain(&resets[1], sizeof(reset), 0), 1000);
	assert_int_equal(drain(&resets[2], sizeof(reset), 0), 0);
	assert_int_equal(drain(&resets[2], sizeof(reset), RT_US_PER_S), 2000);
}

static void test_pieces_of_any_size(void **state)
{
	(void)state;
	for (size_t piece = 1; piece <= sizeof(reset); piece++) {
		struct rt_resets resets;
		anew(NULL);
		begin(&resets);
		assert_int_equal(drain(&resets, piece, 0), 5000);
	}
}

static void test_only_heads_of_resets_count(void **state)
{
	(void)state;
	struct rt_resets resets;
	begin(&resets);
	for (int i = 0; i < TRIES; i++)
		assert_true(rt_resets_take(&resets, data, sizeof(data), 0));
	assert_int_equal(drain(&resets, sizeof(reset), 0), 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_burst_and_what_time_gives_back, anew),
		cmocka_unit_test_setup(test_as_many_a_second_go_on_for_ever, anew),
		cmocka_unit_test_setup(test_many_connections_share_what_a_process_takes, anew),
		cmocka_unit_test_setup(test_pieces_of_any_size, anew),
		cmocka_unit_test_setup(test_only_heads_of_resets_count, anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
