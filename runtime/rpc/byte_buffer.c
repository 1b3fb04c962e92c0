#include "rpc/byte_buffer.h"

#include <grpc/slice_buffer.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/handoff.h"
#include "rpc/message.h"
#include "rt/assert.h"

/* Pieces double from the first size to the last. */
#define PIECE_BYTES_LEAST ((size_t)4 << 10)
#define PIECE_BYTES_MOST  ((size_t)256 << 10)

/* What a message of so many bytes took is given back to the system. */
#define TRIMMED_BYTES_MIN ((size_t)1 << 20)

void rt_buffer_freed(size_t bytes)
{
	if (bytes >= TRIMMED_BYTES_MIN)
		malloc_trim(0);
}

grpc_byte_buffer *rt_buffer_pack(const ProtobufCMessage *message)
{
	grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return buffer;
}

struct rt_pieces {
	grpc_slice_buffer full;
	grpc_slice last;
	size_t used; /* of the last one */
};

struct rt_pieces *rt_pieces_new(void)
{
	struct rt_pieces *pieces = calloc(1, sizeof(*pieces));
	RT_ASSERT(pieces != NULL);
	grpc_slice_buffer_init(&pieces->full);
	pieces->last = grpc_empty_slice();
	return pieces;
}

static void close_last(struct rt_pieces *pieces)
{
	grpc_slice_unref(grpc_slice_split_tail(&pieces->last, pieces->used));
	grpc_slice_buffer_add(&pieces->full, pieces->last);
	pieces->last = grpc_empty_slice();
	pieces->used = 0;
}

static size_t next_size(size_t size, size_t needed)
{
	size_t next = size * 2;
	if (next < PIECE_BYTES_LEAST)
		next = PIECE_BYTES_LEAST;
	if (next > PIECE_BYTES_MOST)
		next = PIECE_BYTES_MOST;
	return next > needed ? next : needed;
}

void rt_pieces_add(struct rt_pieces *pieces, const ProtobufCMessage *part)
{
	size_t needed = protobuf_c_message_get_packed_size(part);
	size_t size = GRPC_SLICE_LENGTH(pieces->last);
	if (size - pieces->used < needed) {
		close_last(pieces);
		pieces->last = grpc_slice_malloc(next_size(size, needed));
	}
	protobuf_c_message_pack(part, GRPC_SLICE_START_PTR(pieces->last) + pieces->used);
	pieces->used += needed;
}

grpc_byte_buffer *rt_pieces_take(struct rt_pieces *pieces)
{
	close_last(pieces);
	grpc_byte_buffer *buffer =
		grpc_raw_byte_buffer_create(pieces->full.slices, pieces->full.count);
	grpc_slice_buffer_reset_and_unref(&pieces->full);
	return buffer;
}

void rt_pieces_destroy(struct rt_pieces *pieces)
{
	if (pieces == NULL)
		return;
	grpc_slice_buffer_destroy(&pieces->full);
	grpc_slice_unref(pieces->last);
	free(pieces);
}

/* Messages that came in one read share its memory: who lets go last frees it, after the others. */
static void give_back(grpc_slice slice)
{
	if (slice.refcount != NULL) {
		rt_handoff_give(slice.refcount);
		rt_handoff_take(slice.refcount);
	}
	grpc_slice_unref(slice);
}

/* What is copied is given back at once, so that a large message is not in memory twice. */
static void take_bytes(grpc_slice_buffer *from, uint8_t *to)
{
	while (from->count > 0) {
		grpc_slice slice = grpc_slice_buffer_take_first(from);
		memcpy(to, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
		to += GRPC_SLICE_LENGTH(slice);
		give_back(slice);
	}
}

static struct rt_status unpack_joined(const ProtobufCMessageDescriptor *descriptor,
				      grpc_slice_buffer *slices, struct rt_arena *arena,
				      const ProtobufCMessage **message)
{
	size_t length = slices->length;
	uint8_t *bytes = malloc(length + 1);
	if (bytes == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE",
			       "the request takes too much memory");
	take_bytes(slices, bytes);
	rt_buffer_freed(length);
	struct rt_status status = rt_message_unpack(descriptor, bytes, length, arena, message);
	free(bytes);
	return status;
}

/* Small messages are in one piece, and are unpacked where they lie; others are joined first. */
struct rt_status rt_buffer_unpack(const ProtobufCMessageDescriptor *descriptor,
				  grpc_byte_buffer *buffer, struct rt_arena *arena,
				  const ProtobufCMessage **message)
{
	if (buffer->type != GRPC_BB_RAW || buffer->data.raw.compression != GRPC_COMPRESS_NONE)
		return RT_FAIL(INVALID_ARGUMENT, "MALFORMED_MESSAGE", "the message is compressed");
	grpc_slice_buffer *slices = &buffer->data.raw.slice_buffer;
	if (slices->count != 1)
		return unpack_joined(descriptor, slices, arena, message);
	grpc_slice slice = grpc_slice_buffer_take_first(slices);
	struct rt_status status = rt_message_unpack(descriptor, GRPC_SLICE_START_PTR(slice),
						    GRPC_SLICE_LENGTH(slice), arena, message);
	give_back(slice);
	return status;
}

bool rt_slice_is(const grpc_slice *slice, const char *text)
{
	size_t length = strlen(text);
	return GRPC_SLICE_LENGTH(*slice) == length &&
	       memcmp(GRPC_SLICE_START_PTR(*slice), text, length) == 0;
}

void rt_slice_text(const grpc_slice *slice, char *text, size_t capacity)
{
	size_t length = GRPC_SLICE_LENGTH(*slice);
	if (length >= capacity)
		length = capacity - 1;
	memcpy(text, GRPC_SLICE_START_PTR(*slice), length);
	text[length] = '\0';
}
