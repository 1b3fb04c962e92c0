#include "rpc/byte_buffer.h"

#include <grpc/byte_buffer_reader.h>
#include <string.h>

#include "rpc/message.h"

grpc_byte_buffer *rt_buffer_pack(const ProtobufCMessage *message)
{
	grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return buffer;
}

static struct rt_status unpack_copy(const ProtobufCMessageDescriptor *descriptor,
				    grpc_byte_buffer_reader *reader, struct rt_arena *arena,
				    const ProtobufCMessage **message)
{
	grpc_slice all = grpc_byte_buffer_reader_readall(reader);
	struct rt_status status = rt_message_unpack(descriptor, GRPC_SLICE_START_PTR(all),
						    GRPC_SLICE_LENGTH(all), arena, message);
	grpc_slice_unref(all);
	return status;
}

/* Small messages are in one piece, and are unpacked where they lie; others are joined first. */
struct rt_status rt_buffer_unpack(const ProtobufCMessageDescriptor *descriptor,
				  grpc_byte_buffer *buffer, struct rt_arena *arena,
				  const ProtobufCMessage **message)
{
	bool one_piece = buffer->type == GRPC_BB_RAW &&
			 buffer->data.raw.compression == GRPC_COMPRESS_NONE &&
			 buffer->data.raw.slice_buffer.count == 1;
	if (one_piece) {
		const grpc_slice *slice = &buffer->data.raw.slice_buffer.slices[0];
		return rt_message_unpack(descriptor, GRPC_SLICE_START_PTR(*slice),
					 GRPC_SLICE_LENGTH(*slice), arena, message);
	}
	grpc_byte_buffer_reader reader;
	if (!grpc_byte_buffer_reader_init(&reader, buffer))
		return RT_FAIL(INVALID_ARGUMENT, "MALFORMED_MESSAGE",
			       "the message can't be decompressed");
	struct rt_status status = unpack_copy(descriptor, &reader, arena, message);
	grpc_byte_buffer_reader_destroy(&reader);
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
