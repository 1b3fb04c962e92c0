#include "rpc/open_streams.h"

#include <stdlib.h>

#include "rt/assert.h"

#define ROOM_FIRST  16
#define ROOM_SPARSE 8
/* gRPC keeps a slice for each frame of DATA. */
#define FRAME_BYTES 64
/* What a stream's window lets in that nobody has asked for. */
#define FIRST_BYTES (INT64_C(64) * 1024)

void rt_open_streams_deinit(struct rt_open_streams *streams)
{
	free(streams->places);
	*streams = (struct rt_open_streams){0};
}

/* Fibonacci's: a peer that chooses its numbers so that they meet costs itself a longer walk among
 * its own streams, of which there are few thousand. */
static size_t home_of(const struct rt_open_streams *streams, uint32_t id)
{
	return (uint32_t)(id * UINT32_C(2654435769)) >> 8 & (streams->room - 1);
}

static struct rt_open_stream *place_of(struct rt_open_streams *streams, uint32_t id)
{
	size_t at = home_of(streams, id);
	while (streams->places[at].id != 0 && streams->places[at].id != id)
		at = (at + 1) & (streams->room - 1);
	return &streams->places[at];
}

struct rt_open_stream *rt_open_streams_find(struct rt_open_streams *streams, uint32_t id)
{
	if (streams->count == 0 || id == 0)
		return NULL;
	struct rt_open_stream *place = place_of(streams, id);
	return place->id == id ? place : NULL;
}

static void resize(struct rt_open_streams *streams, size_t room)
{
	struct rt_open_streams other = {.room = room, .count = streams->count};
	other.places = calloc(room, sizeof(*other.places));
	RT_ASSERT(other.places != NULL);
	for (size_t i = 0; i < streams->room; i++) {
		if (streams->places[i].id != 0)
			*place_of(&other, streams->places[i].id) = streams->places[i];
	}
	free(streams->places);
	*streams = other;
}

struct rt_open_stream *rt_open_streams_add(struct rt_open_streams *streams, uint32_t id)
{
	if (2 * streams->count >= streams->room)
		resize(streams, streams->room == 0 ? ROOM_FIRST : 2 * streams->room);
	struct rt_open_stream *place = place_of(streams, id);
	RT_ASSERT(place->id == 0);
	streams->count++;
	*place = (struct rt_open_stream){.id = id};
	return place;
}

/* Whoever stands behind it because it was taken moves up. A connection that once had many streams
 * keeps no room for them: nobody is charged for it. */
void rt_open_streams_remove(struct rt_open_streams *streams, struct rt_open_stream *stream)
{
	size_t mask = streams->room - 1;
	size_t hole = (size_t)(stream - streams->places);
	streams->count--;
	for (size_t at = (hole + 1) & mask; streams->places[at].id != 0; at = (at + 1) & mask) {
		size_t home = home_of(streams, streams->places[at].id);
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		streams->places[hole] = streams->places[at];
		hole = at;
	}
	streams->places[hole] = (struct rt_open_stream){0};
	if (streams->room > ROOM_FIRST && ROOM_SPARSE * streams->count < streams->room)
		resize(streams, streams->room / 2);
}

static void add_first(struct rt_open_stream *stream, int64_t bytes)
{
	int64_t room = FIRST_BYTES - stream->first_bytes;
	stream->first_bytes += bytes < room ? bytes : room;
}

void rt_open_stream_frame(struct rt_open_stream *stream)
{
	add_first(stream, FRAME_BYTES);
	stream->message_bytes += FRAME_BYTES;
}

/* A message is a byte that says whether it is compressed, four of its length, and itself. */
void rt_open_stream_content(struct rt_open_stream *stream, const unsigned char *bytes, size_t count)
{
	add_first(stream, (int64_t)count);
	while (count > 0) {
		size_t part = 1;
		if (stream->prefix_bytes < RT_MESSAGE_PREFIX_BYTES) {
			stream->message_left = stream->message_left << 8 | *bytes;
			if (++stream->prefix_bytes == 1)
				stream->message_left = 0;
		} else {
			part = count < stream->message_left ? count : stream->message_left;
			stream->message_left -= (uint32_t)part;
		}
		bytes += part;
		count -= part;
		stream->message_bytes += (int64_t)part;
		if (stream->prefix_bytes == RT_MESSAGE_PREFIX_BYTES && stream->message_left == 0) {
			stream->prefix_bytes = 0;
			stream->message_bytes = 0;
		}
	}
}

int64_t rt_open_stream_bytes(const struct rt_open_stream *stream)
{
	return stream->head_bytes + (stream->first_bytes > stream->message_bytes
					     ? stream->first_bytes
					     : stream->message_bytes);
}
