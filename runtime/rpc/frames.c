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
static const struct limit own_limits[RT_FRAMES_BUCKETS] = {
	[RT_FRAMES_RESETS] = {.burst = 5000, .each_us = 1000},
	[RT_FRAMES_IDLE] = {.burst = 5000, .each_us = 500},
};
static const struct limit shared_limits[RT_FRAMES_BUCKETS] = {
	[RT_FRAMES_RESETS] = {.burst = 6000, .each_us = 500},
	[RT_FRAMES_IDLE] = {.burst = 40000, .each_us = 25},
};

/* A long frame costs as much as so many short ones, and a PING is answered, or with a GOAWAY. But
 * gRPC in Go and Java sends one with each answer that it reads, as far as none is on its way, to
 * learn what the wire holds: that is a frame like others. */
#define BYTES_AS_ONE     256
#define PING_AS_MANY     8
/* DATA of less is next to nothing: the shortest posting is longer. */
#define DATA_BYTES       64
/* Streams of which we have not said yet that they have ended, or that crossed our settings. */
#define STREAMS_SLACK    100

/* What a call takes of gRPC before anybody is asked about it, and a byte of its metadata. */
#define CALL_BYTES       (INT64_C(12) * 1024)
#define HEAD_BYTE_BYTES  4
#define CHARGE_BYTES     4096
/* Two connections full of calls are seven eighths of it: the share of one identity. */
#define UNANSWERED_BYTES (INT64_C(160) << 20)

void rt_frames_init(struct rt_frames *frames, struct rt_frames_common *common,
		    enum rt_identity identity)
{
	*frames = (struct rt_frames){.common = common, .identity = identity};
	rt_frame_walk_init(&frames->received, true);
	rt_frame_walk_init(&frames->sent, false);
}

void rt_frames_deinit(struct rt_frames *frames)
{
	for (size_t i = 0; i < frames->streams.room; i++)
		rt_share_give(&frames->common->unanswered, frames->identity,
			      frames->streams.places[i].charged_bytes);
	rt_open_streams_deinit(&frames->streams);
}

static void end_stream(struct rt_frames *frames, struct rt_open_stream *stream)
{
	if (stream == NULL)
		return;
	rt_share_give(&frames->common->unanswered, frames->identity, stream->charged_bytes);
	rt_open_streams_remove(&frames->streams, stream);
}

static bool charge(struct rt_frames *frames, struct rt_open_stream *stream)
{
	int64_t bytes = (rt_open_stream_bytes(stream) + CHARGE_BYTES - 1) & ~(CHARGE_BYTES - 1);
	int64_t more = bytes - stream->charged_bytes;
	if (more > 0 &&
	    !rt_share_take(&frames->common->unanswered, frames->identity, more, UNANSWERED_BYTES))
		return false;
	if (more < 0)
		rt_share_give(&frames->common->unanswered, frames->identity, -more);
	stream->charged_bytes = bytes;
	return true;
}

static int64_t idle_of(const struct rt_frame *frame)
{
	return 1 + frame->length / BYTES_AS_ONE;
}

static int64_t take_ping(struct rt_frames *frames)
{
	bool measures = frames->answered;
	frames->answered = false;
	return measures ? 1 : PING_AS_MANY;
}

/* A client's streams have odd numbers, each higher than those before. gRPC lets pass what has not,
 * and goes by the last number that it took itself. Source: RFC 9113, section 5.1.1. */
static bool opens_stream(const struct rt_frames *frames, uint32_t id)
{
	return id % 2 == 1 && id > frames->last_id;
}

/* A stream that the peer has opened, or what it says of one that it has. */
static int64_t take_head(struct rt_frames *frames, struct rt_open_stream **stream)
{
	const struct rt_frame *frame = &frames->received.frame;
	bool opens = *stream == NULL && opens_stream(frames, frame->stream);
	if (opens) {
		frames->last_id = frame->stream;
		*stream = rt_open_streams_add(&frames->streams, frame->stream);
		(*stream)->head_bytes = CALL_BYTES;
	}
	if (*stream == NULL)
		return idle_of(frame);
	(*stream)->head_bytes += (int64_t)frame->length * HEAD_BYTE_BYTES;
	(*stream)->half_closed |= (frame->flags & RT_FRAME_END_STREAM) != 0;
	return opens ? 0 : idle_of(frame);
}

/* Of streams that have ended some may still be on its way. */
static int64_t take_data(struct rt_frames *frames, struct rt_open_stream *stream)
{
	const struct rt_frame *frame = &frames->received.frame;
	bool ends = (frame->flags & RT_FRAME_END_STREAM) != 0;
	frames->padding = 0;
	frames->padding_follows = (frame->flags & RT_FRAME_PADDED) != 0;
	if (stream == NULL || stream->half_closed)
		return 1;
	stream->half_closed = ends;
	rt_open_stream_frame(stream);
	return frame->length < (ends ? 1 : DATA_BYTES);
}

/* How much the frame that begins takes of the buckets; the stream is NULL when it is not open. */
static void count_frame(struct rt_frames *frames, struct rt_open_stream **stream,
			int64_t found[RT_FRAMES_BUCKETS])
{
	const struct rt_frame *frame = &frames->received.frame;
	switch (frame->type) {
	case RT_FRAME_DATA:
		found[RT_FRAMES_IDLE] += take_data(frames, *stream);
		break;
	case RT_FRAME_HEADERS:
		found[RT_FRAMES_IDLE] += take_head(frames, stream);
		break;
	case RT_FRAME_RST_STREAM:
		found[RT_FRAMES_RESETS]++;
		end_stream(frames, *stream);
		*stream = NULL;
		break;
	case RT_FRAME_PING:
		found[RT_FRAMES_IDLE] += take_ping(frames);
		break;
	case RT_FRAME_CONTINUATION:
		if (*stream != NULL)
			(*stream)->head_bytes += (int64_t)frame->length * HEAD_BYTE_BYTES;
		found[RT_FRAMES_IDLE] += idle_of(frame);
		break;
	default:
		found[RT_FRAMES_IDLE] += idle_of(frame);
	}
}

/* What of a piece of DATA's payload is no padding, which comes last. */
static void take_content(struct rt_frames *frames, struct rt_open_stream *stream,
			 const struct rt_frame_piece *piece)
{
	const unsigned char *bytes = piece->bytes;
	size_t count = piece->count;
	if (frames->padding_follows) {
		frames->padding_follows = false;
		frames->padding = *bytes++;
		count--;
	}
	size_t behind = frames->received.left_bytes;
	size_t padding = frames->padding > behind ? frames->padding - behind : 0;
	if (padding < count)
		rt_open_stream_content(stream, bytes, count - padding);
}

static enum rt_frames_kind take_piece(struct rt_frames *frames, const struct rt_frame_piece *piece,
				      int64_t found[RT_FRAMES_BUCKETS])
{
	const struct rt_frame *frame = &frames->received.frame;
	if (!piece->begins && frame->type != RT_FRAME_DATA)
		return RT_FRAMES_KINDS;
	struct rt_open_stream *stream = rt_open_streams_find(&frames->streams, frame->stream);
	if (piece->begins)
		count_frame(frames, &stream, found);
	else if (stream != NULL)
		take_content(frames, stream, piece);
	if (stream == NULL)
		return RT_FRAMES_KINDS;
	int64_t streams_max = atomic_load(&frames->common->streams_max) + STREAMS_SLACK;
	if ((int64_t)frames->streams.count > streams_max)
		return RT_FRAMES_STREAMS;
	return charge(frames, stream) ? RT_FRAMES_KINDS : RT_FRAMES_UNANSWERED;
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
	return take(&frames->common->buckets.of[kind], &shared_limits[kind], count, now_us);
}

enum rt_frames_kind rt_frames_take(struct rt_frames *frames, const unsigned char *bytes,
				   size_t count, int64_t now_us)
{
	int64_t found[RT_FRAMES_BUCKETS] = {0};
	struct rt_frame_piece piece;
	while (rt_frame_walk_next(&frames->received, &bytes, &count, &piece)) {
		enum rt_frames_kind stays = take_piece(frames, &piece, found);
		if (stays != RT_FRAMES_KINDS)
			return stays;
	}
	enum rt_frames_kind kind = RT_FRAMES_RESETS;
	while (kind < RT_FRAMES_BUCKETS && may_send(frames, kind, found[kind], now_us))
		kind++;
	return kind < RT_FRAMES_BUCKETS ? kind : RT_FRAMES_KINDS;
}

/* gRPC's server says of each stream that it has ended: with its last frame, or a reset. */
void rt_frames_sent(struct rt_frames *frames, const unsigned char *bytes, size_t count)
{
	const struct rt_frame *frame = &frames->sent.frame;
	struct rt_frame_piece piece;
	while (rt_frame_walk_next(&frames->sent, &bytes, &count, &piece)) {
		if (!piece.begins)
			continue;
		bool carries = frame->type == RT_FRAME_DATA || frame->type == RT_FRAME_HEADERS;
		frames->answered |= carries;
		if (frame->type == RT_FRAME_RST_STREAM ||
		    (carries && (frame->flags & RT_FRAME_END_STREAM) != 0))
			end_stream(frames, rt_open_streams_find(&frames->streams, frame->stream));
	}
}
