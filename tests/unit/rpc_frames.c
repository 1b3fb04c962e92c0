/* What a peer may send that costs it nothing: what counts, in whatever pieces it comes, and what
 * time gives back. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

#include "../../runtime/rpc/frames.h"
#include "rt/clock.h"

#define TRIES 100000

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/* 4 bytes of payload, type 3. */
static const unsigned char reset[] = {0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8};
/* DATA whose payload looks like a reset. */
static const unsigned char data[] = {0, 0, 13, 0, 0, 0, 0, 0, 1, 0, 0,
				     4, 3, 0,  0, 0, 0, 1, 0, 0, 0, 8};

static struct rt_frames_buckets shared;

static bool may_take(struct rt_frames *frames, const unsigned char *bytes, size_t count,
		     int64_t now_us)
{
	return rt_frames_take(frames, bytes, count, now_us) == RT_FRAMES_KINDS;
}

static void begin(struct rt_frames *resets)
{
	rt_frames_init(resets, &shared);
	assert_true(may_take(resets, (const unsigned char *)preface, strlen(preface), 0));
}

static int anew(void **state)
{
	(void)state;
	shared = (struct rt_frames_buckets){0};
	return 0;
}

static int drain_of(struct rt_frames *frames, const unsigned char *bytes, size_t count)
{
	int taken = 0;
	while (taken < TRIES && may_take(frames, bytes, count, 0))
		taken++;
	return taken;
}

/* How many resets it lets through now, given in pieces of so many bytes. */
static int drain(struct rt_frames *resets, size_t piece, int64_t now_us)
{
	int taken = 0;
	for (; taken < TRIES; taken++) {
		for (size_t at = 0; at < sizeof(reset); at += piece) {
			size_t left = sizeof(reset) - at;
			if (!may_take(resets, reset + at, left < piece ? left : piece, now_us))
				return taken;
		}
	}
	return taken;
}

static void test_a_burst_and_what_time_gives_back(void **state)
{
	(void)state;
	struct rt_frames resets;
	begin(&resets);
	assert_int_equal(drain(&resets, sizeof(reset), 0), 5000);
	assert_int_equal(drain(&resets, sizeof(reset), RT_US_PER_S), 1000);
	assert_int_equal(drain(&resets, sizeof(reset), INT64_MAX / 2), 5000);
}

static void test_as_many_a_second_go_on_for_ever(void **state)
{
	(void)state;
	struct rt_frames resets;
	begin(&resets);
	for (int64_t now_us = 0; now_us < 100 * RT_US_PER_S; now_us += 1000)
		assert_true(may_take(&resets, reset, sizeof(reset), now_us));
}

static void test_many_connections_share_what_a_process_takes(void **state)
{
	(void)state;
	struct rt_frames resets[3];
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
		struct rt_frames resets;
		anew(NULL);
		begin(&resets);
		assert_int_equal(drain(&resets, piece, 0), 5000);
	}
}

static void test_only_heads_of_resets_count(void **state)
{
	(void)state;
	struct rt_frames resets;
	begin(&resets);
	for (int i = 0; i < TRIES; i++)
		assert_true(may_take(&resets, data, sizeof(data), 0));
	assert_int_equal(drain(&resets, sizeof(reset), 0), 5000);
}

/* PING, SETTINGS, a WINDOW_UPDATE, DATA of nothing, a type that nobody knows: as many as each may
 * send, and what all have together, and what others have taken leaves everybody their own. */
static void test_frames_of_no_call(void **state)
{
	(void)state;
	static const struct {
		unsigned char bytes[17];
		int as_many;
	} rows[] = {
		{{0, 0, 8, 6}, 8},    {{0, 0, 0, 4}, 1}, {{0, 0, 4, 8}, 1},
		{{0, 0, 0, 0xbb}, 1}, {{0, 0, 0, 0}, 1},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const unsigned char *bytes = rows[i].bytes;
		size_t length = RT_FRAME_HEAD_BYTES + bytes[2];
		struct rt_frames peers[2];
		anew(NULL);
		begin(&peers[0]);
		assert_int_equal(drain_of(&peers[0], bytes, length), 45000 / rows[i].as_many);
		begin(&peers[1]);
		assert_int_equal(drain_of(&peers[1], bytes, length), 5000 / rows[i].as_many);
		assert_int_equal(drain(&peers[1], sizeof(reset), 0), 5000);
	}
}

/* Calls and their messages do not count, and a long frame for as much as it is. */
static void test_what_counts_as_how_much(void **state)
{
	(void)state;
	static const unsigned char headers[] = {0, 0, 1, 1, 4, 0, 0, 0, 1, 0x82};
	static unsigned char unknown[RT_FRAME_HEAD_BYTES + 0x1000] = {0, 0x10, 0, 0xbb};
	struct rt_frames frames;
	begin(&frames);
	assert_int_equal(drain_of(&frames, headers, sizeof(headers)), TRIES);
	assert_int_equal(drain_of(&frames, data, sizeof(data)), TRIES);
	assert_int_equal(drain_of(&frames, unknown, sizeof(unknown)), 5000 / 17 + 40000 / 17);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_burst_and_what_time_gives_back, anew),
		cmocka_unit_test_setup(test_as_many_a_second_go_on_for_ever, anew),
		cmocka_unit_test_setup(test_many_connections_share_what_a_process_takes, anew),
		cmocka_unit_test_setup(test_pieces_of_any_size, anew),
		cmocka_unit_test_setup(test_only_heads_of_resets_count, anew),
		cmocka_unit_test_setup(test_frames_of_no_call, anew),
		cmocka_unit_test_setup(test_what_counts_as_how_much, anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
