/* HTTP/2 frames of a connection, both directions: whatever is sent, and however it is cut, the same
 * is decided, as many streams are open as an oracle says that is slow and sees whole frames, and
 * what they take is given back. An input is records: a byte of flags, two of a length, and so many
 * bytes. */
#include <string.h>

#include "../../runtime/rpc/frames.h"
#include "fuzz.h"
#include "rt/assert.h"
#include "rt/clock.h"

#define STREAMS_MAX   20
#define STREAMS_OPEN  (STREAMS_MAX + 100) /* streams that cross the settings, too */
#define ORACLE_MAX    (STREAMS_OPEN + 1)
#define RECORD_BYTES  3
#define RECORD_SENT   0x1 /* by the server */
/* Between records: every bucket is full again. */
#define RECORD_US     (10 * RT_US_PER_S)
#define DIRECTION_MAX 65536

/* All that one side has sent, and up to where it is looked at. */
struct direction {
	uint8_t bytes[DIRECTION_MAX];
	size_t count, read, skip;
};

struct oracle {
	struct direction received, sent;
	uint32_t open[ORACLE_MAX];
	size_t open_count;
	uint32_t last_id;
};

static void oracle_init(struct oracle *oracle)
{
	oracle->received.count = oracle->received.read = oracle->sent.count = oracle->sent.read = 0;
	oracle->received.skip = 24;
	oracle->sent.skip = 0;
	oracle->open_count = 0;
	oracle->last_id = 0;
}

static void append(struct direction *direction, const uint8_t *bytes, size_t count)
{
	RT_ASSERT(count <= sizeof(direction->bytes) - direction->count);
	memcpy(direction->bytes + direction->count, bytes, count);
	direction->count += count;
}

/* The head of the next frame that has begun; NULL when there is none. */
static const uint8_t *next_head(struct direction *direction)
{
	size_t left = direction->count - direction->read;
	if (left < direction->skip + 9)
		return NULL;
	const uint8_t *head = direction->bytes + direction->read + direction->skip;
	direction->read += direction->skip + 9;
	direction->skip = (size_t)head[0] * 65536 + (size_t)head[1] * 256 + head[2];
	return head;
}

static uint32_t stream_of(const uint8_t *head)
{
	return (head[5] & 0x7fU) << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8];
}

static void oracle_end(struct oracle *oracle, uint32_t id)
{
	for (size_t i = 0; i < oracle->open_count; i++) {
		if (oracle->open[i] == id)
			oracle->open[i--] = oracle->open[--oracle->open_count];
	}
}

/* False when there are too many. */
static bool oracle_take(struct oracle *oracle)
{
	const uint8_t *head;
	while ((head = next_head(&oracle->received)) != NULL) {
		uint32_t id = stream_of(head);
		if (head[3] == RT_FRAME_RST_STREAM)
			oracle_end(oracle, id);
		if (head[3] != RT_FRAME_HEADERS || id <= oracle->last_id || id % 2 == 0)
			continue;
		oracle->last_id = id;
		oracle->open[oracle->open_count++] = id;
		if (oracle->open_count > STREAMS_OPEN)
			return false;
	}
	return true;
}

static void oracle_sent(struct oracle *oracle)
{
	const uint8_t *head;
	while ((head = next_head(&oracle->sent)) != NULL) {
		bool carries = head[3] == RT_FRAME_DATA || head[3] == RT_FRAME_HEADERS;
		if (head[3] == RT_FRAME_RST_STREAM || (carries && (head[4] & 0x1) != 0))
			oracle_end(oracle, stream_of(head));
	}
}

/* What is open is charged whole pages, and nothing else is. */
static void check(struct rt_frames *frames, const struct oracle *oracle)
{
	int64_t charged_bytes = 0;
	size_t count = 0;
	for (size_t i = 0; i < frames->streams.room; i++) {
		const struct rt_open_stream *stream = &frames->streams.places[i];
		if (stream->id == 0)
			continue;
		count++;
		charged_bytes += stream->charged_bytes;
		RT_ASSERT(stream->charged_bytes >= 0);
		RT_ASSERT(rt_open_stream_bytes(stream) >= 12 << 10);
		RT_ASSERT(stream->message_bytes >= 0);
	}
	RT_ASSERT(count == frames->streams.count);
	RT_ASSERT(count == oracle->open_count);
	for (size_t i = 0; i < oracle->open_count; i++)
		RT_ASSERT(rt_open_streams_find(&frames->streams, oracle->open[i]) != NULL);
	RT_ASSERT(charged_bytes == frames->common->unanswered.taken);
	RT_ASSERT(charged_bytes == frames->common->unanswered.taken_of[frames->identity]);
}

/* The same in pieces of so many bytes. */
static enum rt_frames_kind take_cut(struct rt_frames *frames, const uint8_t *bytes, size_t count,
				    size_t piece, int64_t now_us)
{
	enum rt_frames_kind kind = RT_FRAMES_KINDS;
	for (size_t at = 0; at < count && kind == RT_FRAMES_KINDS; at += piece)
		kind = rt_frames_take(frames, bytes + at, count - at < piece ? count - at : piece,
				      now_us);
	return kind;
}

static void sent_cut(struct rt_frames *frames, const uint8_t *bytes, size_t count, size_t piece)
{
	for (size_t at = 0; at < count; at += piece)
		rt_frames_sent(frames, bytes + at, count - at < piece ? count - at : piece);
}

/* What is kept of the same bytes is the same. */
static void check_same(const struct rt_open_streams *one, const struct rt_open_streams *other)
{
	RT_ASSERT(one->room == other->room);
	for (size_t i = 0; i < one->room; i++) {
		const struct rt_open_stream *a = &one->places[i], *b = &other->places[i];
		RT_ASSERT(a->id == b->id);
		RT_ASSERT(a->half_closed == b->half_closed);
		RT_ASSERT(a->prefix_bytes == b->prefix_bytes);
		RT_ASSERT(a->message_left == b->message_left);
		RT_ASSERT(a->head_bytes == b->head_bytes);
		RT_ASSERT(a->first_bytes == b->first_bytes);
		RT_ASSERT(a->message_bytes == b->message_bytes);
		RT_ASSERT(a->charged_bytes == b->charged_bytes);
	}
}

struct connection {
	struct rt_frames_common common;
	struct rt_frames frames;
};

static void begin(struct connection *connection)
{
	connection->common = (struct rt_frames_common){.streams_max = STREAMS_MAX};
	rt_frames_init(&connection->frames, &connection->common, RT_ID_GATEWAY);
}

static void end(struct connection *connection)
{
	rt_frames_deinit(&connection->frames);
	RT_ASSERT(connection->common.unanswered.taken == 0);
	RT_ASSERT(connection->common.unanswered.taken_of[RT_ID_GATEWAY] == 0);
}

struct pair {
	struct connection whole, cut;
	struct oracle oracle;
	int64_t now_us;
};

/* False when the connection is to be closed: what comes at a rate is told once for each piece, and
 * so perhaps not for both. */
static bool take(struct pair *pair, const uint8_t *bytes, size_t count, size_t piece)
{
	append(&pair->oracle.received, bytes, count);
	bool few = oracle_take(&pair->oracle);
	enum rt_frames_kind whole = rt_frames_take(&pair->whole.frames, bytes, count, pair->now_us);
	enum rt_frames_kind cut = take_cut(&pair->cut.frames, bytes, count, piece, pair->now_us);
	if (whole < RT_FRAMES_BUCKETS || cut < RT_FRAMES_BUCKETS)
		return false;
	RT_ASSERT(whole == cut);
	RT_ASSERT(few || whole == RT_FRAMES_STREAMS || whole == RT_FRAMES_UNANSWERED);
	RT_ASSERT(!few || whole != RT_FRAMES_STREAMS);
	return whole == RT_FRAMES_KINDS;
}

/* One record, given whole and cut. */
static bool give(struct pair *pair, unsigned flags, const uint8_t *bytes, size_t count)
{
	size_t piece = 1 + (flags >> 1) % 23;
	pair->now_us += RECORD_US;
	if ((flags & RECORD_SENT) != 0) {
		append(&pair->oracle.sent, bytes, count);
		oracle_sent(&pair->oracle);
		rt_frames_sent(&pair->whole.frames, bytes, count);
		sent_cut(&pair->cut.frames, bytes, count, piece);
	} else if (!take(pair, bytes, count, piece)) {
		return false;
	}
	check(&pair->whole.frames, &pair->oracle);
	check(&pair->cut.frames, &pair->oracle);
	check_same(&pair->whole.frames.streams, &pair->cut.frames.streams);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct pair pair;
	if (length > DIRECTION_MAX)
		return 0;
	begin(&pair.whole);
	begin(&pair.cut);
	oracle_init(&pair.oracle);
	pair.now_us = 0;
	bool goes_on = true;
	while (length >= RECORD_BYTES && goes_on) {
		size_t count = (size_t)bytes[1] * 256 + bytes[2];
		count = count < length - RECORD_BYTES ? count : length - RECORD_BYTES;
		goes_on = give(&pair, bytes[0], bytes + RECORD_BYTES, count);
		bytes += RECORD_BYTES + count;
		length -= RECORD_BYTES + count;
	}
	end(&pair.whole);
	end(&pair.cut);
	return 0;
}

struct seed {
	uint8_t *bytes;
	size_t length;
};

static void put(struct seed *seed, const void *bytes, size_t count)
{
	memcpy(seed->bytes + seed->length, bytes, count);
	seed->length += count;
}

/* The payload begins as a message of `message` bytes. */
static void put_frame(struct seed *seed, unsigned record, uint8_t type, uint8_t flags,
		      uint32_t stream, uint8_t length, unsigned message)
{
	const uint8_t payload[UINT8_MAX] = {[3] = (uint8_t)(message >> 8), [4] = (uint8_t)message};
	const uint8_t head[] = {(uint8_t)record,
				0,
				(uint8_t)(9 + length),
				0,
				0,
				length,
				type,
				flags,
				(uint8_t)(stream >> 24),
				(uint8_t)(stream >> 16),
				(uint8_t)(stream >> 8),
				(uint8_t)stream};
	put(seed, head, sizeof(head));
	put(seed, payload, length);
}

/* Calls that are answered, reset by either side, or stand; with padding and messages in pieces. */
static void put_calls(struct seed *seed, size_t count, uint32_t step)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t id = (uint32_t)i * step + 1;
		unsigned record = (unsigned)(2 * i);
		put_frame(seed, record, RT_FRAME_HEADERS, 0, id, 20, 0);
		put_frame(seed, record, RT_FRAME_CONTINUATION, 4, id, 9, 0);
		put_frame(seed, record, RT_FRAME_DATA, i % 2 == 0 ? RT_FRAME_PADDED : 0, id, 30,
			  40);
		put_frame(seed, record, RT_FRAME_DATA, RT_FRAME_END_STREAM, id, 15, 0);
		put_frame(seed, record | RECORD_SENT, RT_FRAME_HEADERS, 0, id, 10, 0);
		if (i % 4 == 0)
			put_frame(seed, record, RT_FRAME_RST_STREAM, 0, id, 4, 0);
		else if (i % 4 < 3)
			put_frame(seed, record | RECORD_SENT,
				  i % 4 == 1 ? RT_FRAME_RST_STREAM : RT_FRAME_HEADERS,
				  RT_FRAME_END_STREAM, id, 4, 0);
	}
}

/* A message a byte a frame, until it is complete. */
static void put_bytes(struct seed *seed, unsigned count)
{
	put_frame(seed, 0, RT_FRAME_HEADERS, 0, 1, 20, 0);
	put_frame(seed, 0, RT_FRAME_DATA, 0, 1, 5, count);
	for (unsigned i = 0; i < count; i++)
		put_frame(seed, 0, RT_FRAME_DATA, 0, 1, 1, 0);
}

size_t fuzz_seed(size_t index, uint8_t *bytes, size_t size)
{
	static const char preface[] = "\0\0\x18PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	static const struct {
		unsigned calls, step, bytes;
	} rows[] = {{1, 2, 0},         {5, 2, 0},          {20, 3, 0},
		    {40, 1U << 13, 0}, {127, 1U << 24, 0}, {0, 0, 1200}};
	struct seed seed = {.bytes = bytes};
	RT_ASSERT(size >= DIRECTION_MAX);
	if (index >= sizeof(rows) / sizeof(rows[0]))
		return 0;
	put(&seed, preface, sizeof(preface) - 1);
	put_frame(&seed, 0, RT_FRAME_PING, 0, 0, 8, 0);
	put_calls(&seed, rows[index].calls, rows[index].step);
	if (rows[index].bytes > 0)
		put_bytes(&seed, rows[index].bytes);
	return seed.length;
}
