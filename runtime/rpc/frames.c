#include "rpc/frames.h"

#include <stdatomic.h>

/* A connection may have some 4,200 calls in flight, and a process 4,096 in work, whose callers may
 * give them all up at once; half as many deadlines may pass in each second. gRPC keeps 10 to 15 KB
 * for each until it comes to it.
 *
 * Of other frames, callers that work send some hundreds a second: a few WINDOW_UPDATEs for each
 * megabyte that they read, and a half-close for each stream. gRPC reads one connection on as long
 * as there is more, and comes to no other meanwhile. */
struct limit {
	int64_t burst, each_us;
};
static const struct limit own_limits[RT_FRAMES_KINDS] = {
	[RT_FRAMES_RESETS] = {.burst = 5000, .each_us = 1000},
	[RT_FRAMES_IDLE] = {.burst = 5000, .each_us = 500},
};
static const struct limit shared_limits[RT_FRAMES_KINDS] = {
	[RT_FRAMES_RESETS] = {.burst = 6000, .each_us = 500},
	[RT_FRAMES_IDLE] = {.burst = 40000, .each_us = 25},
};

#define PREFACE_BYTES (sizeof("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") - 1)
#define DATA          0
#define HEADERS       1
#define RST_STREAM    3
#define PING          6
/* A long frame costs as much as so many short ones, and a PING is answered, or with a GOAWAY. */
#define BYTES_AS_ONE  256
#define PING_AS_MANY  8

void rt_frames_init(struct rt_frames *frames, struct rt_frames_buckets *shared)
{
	*frames = (struct rt_frames){.skip_bytes = PREFACE_BYTES, .shared = shared};
}

static size_t lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Calls are bounded by admission, and their bytes by the windows that their peers are given. */
static void count_frame(unsigned char type, size_t length, int64_t found[RT_FRAMES_KINDS])
{
	if (type == RST_STREAM)
		found[RT_FRAMES_RESETS]++;
	else if (type != HEADERS && (type != DATA || length == 0))
		found[RT_FRAMES_IDLE] +=
			(type == PING ? PING_AS_MANY : 1) + (int64_t)(length / BYTES_AS_ONE);
}

static void count_frames(struct rt_frames *frames, const unsigned char *bytes, size_t count,
			 int64_t found[RT_FRAMES_KINDS])
{
	while (count > 0) {
		size_t part = lesser(count, frames->skip_bytes);
		frames->skip_bytes -= part;
		bytes += part;
		count -= part;
		while (count > 0 && frames->head_bytes < sizeof(frames->head)) {
			frames->head[frames->head_bytes++] = *bytes++;
			count--;
		}
		if (frames->head_bytes < sizeof(frames->head))
			break;
		frames->head_bytes = 0;
		frames->skip_bytes = (size_t)frames->head[0] << 16 | (size_t)frames->head[1] << 8 |
				     frames->head[2];
		count_frame(frames->head[3], frames->skip_bytes, found);
	}
}

static bool take(struct rt_frames_bucket *bucket, const struct limit *limit, int64_t count,
		 int64_t now_us)
{
	int64_t last_us = atomic_load(&bucket->full_us), full_us;
	do {
		full_us = (last_us > now_us ? last_us : now_us) + count * limit->each_us;
		if (full_us - now_us > limit->burst * limit->each_us)
			return false;
	} while (!atomic_compare_exchange_weak(&bucket->full_us, &last_us, full_us));
	return true;
}

/* Who resets takes of what all have together; but of other frames everybody sends a few, whatever
 * others have taken, or who sends too many would have others' connections closed. */
static bool may_send(struct rt_frames *frames, enum rt_frames_kind kind, int64_t count,
		     int64_t now_us)
{
	if (count == 0)
		return true;
	bool own = take(&frames->own.of[kind], &own_limits[kind], count, now_us);
	if (own != (kind == RT_FRAMES_RESETS))
		return own;
	return take(&frames->shared->of[kind], &shared_limits[kind], count, now_us);
}

enum rt_frames_kind rt_frames_take(struct rt_frames *frames, const unsigned char *bytes,
				   size_t count, int64_t now_us)
{
	int64_t found[RT_FRAMES_KINDS] = {0};
	count_frames(frames, bytes, count, found);
	enum rt_frames_kind kind = RT_FRAMES_RESETS;
	while (kind < RT_FRAMES_KINDS && may_send(frames, kind, found[kind], now_us))
		kind++;
	return kind;
}
