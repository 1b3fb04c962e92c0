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

#define TRIES       100000
#define STREAMS_MAX 4196
#define END_STREAM  0x1
#define PADDED      0x8

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/* 4 bytes of payload, type 3. */
static const unsigned char reset[] = {0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8};
/* DATA whose payload looks like a reset. */
static const unsigned char data[] = {0, 0, 13, 0, 0, 0, 0, 0, 1, 0, 0,
				     4, 3, 0,  0, 0, 0, 1, 0, 0, 0, 8};

static struct rt_frames_common common;

static bool may_take(struct rt_frames *frames, const unsigned char *bytes, size_t count,
		     int64_t now_us)
{
	return rt_frames_take(frames, bytes, count, now_us) == RT_FRAMES_KINDS;
}

static void begin(struct rt_frames *resets)
{
	rt_frames_init(resets, &common, RT_ID_GATEWAY);
	assert_true(may_take(resets, (const unsigned char *)preface, strlen(preface), 0));
}

static int anew(void **state)
{
	(void)state;
	common = (struct rt_frames_common){.streams_max = STREAMS_MAX};
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
	for (int i = 0; i < 1000; i++)
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

/* A frame with so much of a payload, all of it `fill`. Returns how long it is. */
static size_t make(unsigned char *bytes, unsigned char type, unsigned char flags, uint32_t stream,
		   size_t length, unsigned char fill)
{
	const unsigned char head[] = {(unsigned char)(length >> 16),
				      (unsigned char)(length >> 8),
				      (unsigned char)length,
				      type,
				      flags,
				      (unsigned char)(stream >> 24),
				      (unsigned char)(stream >> 16),
				      (unsigned char)(stream >> 8),
				      (unsigned char)stream};
	memcpy(bytes, head, sizeof(head));
	memset(bytes + sizeof(head), fill, length);
	return sizeof(head) + length;
}

static enum rt_frames_kind give(struct rt_frames *frames, unsigned char type, unsigned char flags,
				uint32_t stream, size_t length, unsigned char fill)
{
	static unsigned char bytes[RT_FRAME_HEAD_BYTES + 0x10000];
	size_t count = make(bytes, type, flags, stream, length, fill);
	return rt_frames_take(frames, bytes, count, 0);
}

static void end(struct rt_frames *frames, unsigned char type, unsigned char flags, uint32_t stream)
{
	unsigned char bytes[RT_FRAME_HEAD_BYTES + 4];
	size_t count = make(bytes, type, flags, stream, 4, 0);
	for (size_t i = 0; i < count; i++) /* in as many pieces */
		rt_frames_sent(frames, bytes + i, 1);
}

/* Of a frame of an unknown type each 256 bytes count, of DATA what carries next to nothing, but the
 * end of a stream does not, and a second HEADERS does. */
static void test_what_counts_as_how_much(void **state)
{
	(void)state;
	static const struct {
		unsigned char type, flags;
		size_t length;
		int as_many; /* 0: does not count */
	} rows[] = {
		{RT_FRAME_DATA, 0, 64, 0},        {RT_FRAME_DATA, 0, 63, 1},
		{RT_FRAME_DATA, 0, 1, 1},         {RT_FRAME_HEADERS, 0, 1, 1},
		{RT_FRAME_CONTINUATION, 0, 0, 1}, {0xbb, 0, 0x1000, 17},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rt_frames frames;
		anew(NULL);
		begin(&frames);
		assert_int_equal(give(&frames, RT_FRAME_HEADERS, 0, 1, 1, 0), RT_FRAMES_KINDS);
		int most = rows[i].as_many == 0 ? 50000
						: 5000 / rows[i].as_many + 40000 / rows[i].as_many;
		int taken = 0;
		while (taken < 50000 && give(&frames, rows[i].type, rows[i].flags, 1,
					     rows[i].length, 0) == RT_FRAMES_KINDS)
			taken++;
		assert_int_equal(taken, most);
		rt_frames_deinit(&frames);
		assert_int_equal(common.unanswered.taken, 0);
	}
}

/* A client may send a PING with each answer that it reads, as gRPC in Go does. */
static void test_a_ping_for_each_answer(void **state)
{
	(void)state;
	for (int answered = 0; answered <= 1; answered++) {
		struct rt_frames frames;
		int taken = 0;
		anew(NULL);
		begin(&frames);
		do {
			if (answered != 0)
				end(&frames, RT_FRAME_DATA, 0, 1);
		} while (give(&frames, RT_FRAME_PING, 0, 0, 8, 0) == RT_FRAMES_KINDS && ++taken);
		assert_int_equal(taken, answered != 0 ? 45000 : 45000 / 8);
	}
}

/* So many streams are open as may be, and one more when one ends, whoever ends it. */
static void test_streams_that_are_open(void **state)
{
	(void)state;
	struct rt_frames frames;
	begin(&frames);
	uint32_t id = 1;
	for (; id < 2 * (STREAMS_MAX + 100); id += 2)
		assert_int_equal(give(&frames, RT_FRAME_HEADERS, 0, id, 1, 0), RT_FRAMES_KINDS);
	end(&frames, RT_FRAME_HEADERS, END_STREAM, 1);
	assert_int_equal(give(&frames, RT_FRAME_HEADERS, 0, id, 1, 0), RT_FRAMES_KINDS);
	end(&frames, RT_FRAME_RST_STREAM, 0, 3);
	end(&frames, RT_FRAME_RST_STREAM, 0, 3);
	end(&frames, RT_FRAME_HEADERS, 0, 7);
	assert_int_equal(give(&frames, RT_FRAME_HEADERS, 0, id + 2, 1, 0), RT_FRAMES_KINDS);
	assert_int_equal(give(&frames, RT_FRAME_RST_STREAM, 0, 5, 4, 0), RT_FRAMES_KINDS);
	assert_int_equal(give(&frames, RT_FRAME_HEADERS, 0, id + 4, 1, 0), RT_FRAMES_KINDS);
	assert_int_equal(give(&frames, RT_FRAME_HEADERS, 0, id + 6, 1, 0), RT_FRAMES_STREAMS);
	rt_frames_deinit(&frames);
	assert_int_equal(common.unanswered.taken, 0);
}

/* gRPC ignores a stream with a server's number, which is even, and takes lower ones after it: they
 * are open like others. */
static void test_numbers_that_are_a_servers(void **state)
{
	(void)state;
	struct rt_frames frames;
	begin(&frames);
	assert_int_equal(give(&frames, RT_FRAME_HEADERS, 0, INT32_MAX - 1, 1, 0), RT_FRAMES_KINDS);
	assert_int_equal(frames.streams.count, 0);
	assert_int_equal(common.unanswered.taken, 0);
	for (uint32_t id = 1; id < 2 * (STREAMS_MAX + 100); id += 2)
		assert_int_equal(give(&frames, RT_FRAME_HEADERS, 0, id, 1, 0), RT_FRAMES_KINDS);
	assert_int_equal(frames.streams.count, STREAMS_MAX + 100);
	assert_int_equal(give(&frames, RT_FRAME_HEADERS, 0, INT32_MAX, 1, 0), RT_FRAMES_STREAMS);
	rt_frames_deinit(&frames);
	assert_int_equal(common.unanswered.taken, 0);
}

/* What ends in another order than it began is found again, and gives back what it took. */
static void test_calls_that_are_answered(void **state)
{
	(void)state;
	struct rt_frames frames;
	begin(&frames);
	uint32_t open[1000];
	uint32_t next = 1, random = 1;
	for (size_t i = 0; i < TRIES; i++) {
		size_t at = (random = random * 1664525 + 1013904223) >> 8;
		at %= sizeof(open) / sizeof(open[0]);
		if (i >= sizeof(open) / sizeof(open[0]))
			end(&frames, RT_FRAME_HEADERS, END_STREAM, open[at]);
		else
			at = i;
		open[at] = next;
		assert_int_equal(give(&frames, RT_FRAME_HEADERS, 0, next, 40, 0), RT_FRAMES_KINDS);
		assert_int_equal(give(&frames, RT_FRAME_DATA, END_STREAM, next, 5, 0),
				 RT_FRAMES_KINDS);
		next += 2;
	}
	assert_int_equal(frames.streams.count, sizeof(open) / sizeof(open[0]));
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		end(&frames, RT_FRAME_HEADERS, END_STREAM, open[i]);
	assert_int_equal(frames.streams.count, 0);
	assert_int_equal(frames.streams.room, 16);
	assert_int_equal(common.unanswered.taken, 0);
	rt_frames_deinit(&frames);
	assert_int_equal(common.unanswered.taken, 0);
}

/* What calls without an answer take is one identity's share on however many connections, and others
 * have theirs. */
static void test_calls_without_an_answer(void **state)
{
	(void)state;
	struct rt_frames frames[4];
	int opened = 0;
	enum rt_frames_kind kind = RT_FRAMES_KINDS;
	for (size_t i = 0; i < 3; i++) {
		begin(&frames[i]);
		for (uint32_t id = 1; id < 2 * STREAMS_MAX && kind == RT_FRAMES_KINDS; id += 2) {
			kind = give(&frames[i], RT_FRAME_HEADERS, 0, id, 100, 0);
			opened++;
		}
	}
	assert_int_equal(kind, RT_FRAMES_UNANSWERED);
	assert_in_range(opened, 2 * STREAMS_MAX, 3 * STREAMS_MAX - 1);
	rt_frames_init(&frames[3], &common, RT_ID_OPERATOR);
	assert_true(may_take(&frames[3], (const unsigned char *)preface, strlen(preface), 0));
	assert_int_equal(give(&frames[3], RT_FRAME_HEADERS, 0, 1, 100, 0), RT_FRAMES_KINDS);
	for (size_t i = 0; i < 4; i++)
		rt_frames_deinit(&frames[i]);
	assert_int_equal(common.unanswered.taken, 0);
}

/* However the bytes are cut, and with padding: the same message, of which as much is there. */
static void test_messages_in_pieces(void **state)
{
	(void)state;
	unsigned char bytes[512];
	size_t count = make(bytes, RT_FRAME_HEADERS, 0, 1, 20, 0);
	count += make(bytes + count, RT_FRAME_CONTINUATION, 0, 1, 10, 0);
	size_t message = count + RT_FRAME_HEAD_BYTES;
	count += make(bytes + count, RT_FRAME_DATA, 0, 1, 3, 0);
	count += make(bytes + count, RT_FRAME_DATA, PADDED, 1, 100, 0xee);
	/* padded by 40: 59 bytes of content, of which 2 are the prefix's last */
	unsigned char *padded = bytes + message + 3 + RT_FRAME_HEAD_BYTES;
	padded[0] = 40;
	padded[1] = 0;
	padded[2] = 200; /* what the message has */
	for (size_t piece = 1; piece <= count; piece++) {
		struct rt_frames frames;
		anew(NULL);
		begin(&frames);
		for (size_t at = 0; at < count; at += piece)
			assert_true(may_take(&frames, bytes + at,
					     count - at < piece ? count - at : piece, 0));
		const struct rt_open_stream *stream = rt_open_streams_find(&frames.streams, 1);
		assert_non_null(stream);
		assert_int_equal(stream->message_left, 200 - 57);
		assert_int_equal(stream->message_bytes, 2 * 64 + 3 + 59);
		assert_int_equal(stream->head_bytes, 12 * 1024 + 4 * 30);
		assert_int_equal(give(&frames, RT_FRAME_DATA, END_STREAM, 1, 143, 1),
				 RT_FRAMES_KINDS);
		assert_int_equal(stream->message_bytes, 0);
		assert_true(stream->half_closed);
		rt_frames_deinit(&frames);
	}
}

/* Padding of more than there is, lengths of all ones, DATA of no stream, a message that goes on. */
static void test_hostile_lengths(void **state)
{
	(void)state;
	struct rt_frames frames;
	begin(&frames);
	assert_int_equal(give(&frames, RT_FRAME_HEADERS, 0, 1, 0, 0), RT_FRAMES_KINDS);
	assert_int_equal(give(&frames, RT_FRAME_DATA, PADDED, 1, 1, 0xff), RT_FRAMES_KINDS);
	assert_int_equal(give(&frames, RT_FRAME_DATA, PADDED, 1, 0, 0), RT_FRAMES_KINDS);
	assert_int_equal(give(&frames, RT_FRAME_DATA, PADDED, 1, 10, 0xff), RT_FRAMES_KINDS);
	assert_int_equal(rt_open_streams_find(&frames.streams, 1)->prefix_bytes, 0);
	assert_int_equal(give(&frames, RT_FRAME_DATA, 0, 0, 100, 0xff), RT_FRAMES_KINDS);
	assert_int_equal(give(&frames, RT_FRAME_DATA, 0, INT32_MAX, 100, 0xff), RT_FRAMES_KINDS);
	assert_int_equal(give(&frames, RT_FRAME_HEADERS, 0, 0, 1, 0), RT_FRAMES_KINDS);
	assert_int_equal(frames.streams.count, 1);
	/* Alone it may have what it likes, until it is not. */
	struct rt_frames other;
	begin(&other);
	assert_int_equal(give(&other, RT_FRAME_HEADERS, 0, 1, 0, 0), RT_FRAMES_KINDS);
	enum rt_frames_kind kind = RT_FRAMES_KINDS;
	int taken = 0;
	for (; taken < TRIES && kind == RT_FRAMES_KINDS; taken++)
		kind = give(&frames, RT_FRAME_DATA, 0, 1, 0x10000, 0xff);
	assert_int_equal(kind, RT_FRAMES_UNANSWERED);
	assert_in_range(taken, 128 << 4, 160 << 4);
	rt_frames_deinit(&frames);
	rt_frames_deinit(&other);
	assert_int_equal(common.unanswered.taken, 0);
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
		cmocka_unit_test_setup(test_a_ping_for_each_answer, anew),
		cmocka_unit_test_setup(test_streams_that_are_open, anew),
		cmocka_unit_test_setup(test_numbers_that_are_a_servers, anew),
		cmocka_unit_test_setup(test_calls_that_are_answered, anew),
		cmocka_unit_test_setup(test_calls_without_an_answer, anew),
		cmocka_unit_test_setup(test_messages_in_pieces, anew),
		cmocka_unit_test_setup(test_hostile_lengths, anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
