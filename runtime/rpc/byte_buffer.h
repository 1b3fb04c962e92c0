/* Messages in gRPC's own buffers, and its slices as text. For the server and the client. */
#pragma once

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "rt/arena.h"
#include "rt/status.h"

/* Owns: the caller destroys it with grpc_byte_buffer_destroy. */
grpc_byte_buffer *rt_buffer_pack(const ProtobufCMessage *message);
/* Errors: as rt_message_unpack. */
struct rt_status rt_buffer_unpack(const ProtobufCMessageDescriptor *descriptor,
				  grpc_byte_buffer *buffer, struct rt_arena *arena,
				  const ProtobufCMessage **message);

bool rt_slice_is(const grpc_slice *slice, const char *text);
/* A copy with a NUL, cut to the capacity. */
void rt_slice_text(const grpc_slice *slice, char *text, size_t capacity);
