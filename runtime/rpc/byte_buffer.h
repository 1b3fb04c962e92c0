/* Messages in gRPC's own buffers, and its slices as text. For the server and the client. */
#pragma once

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "rt/arena.h"
#include "rt/status.h"

/* To be told that a message of so many bytes has been freed: gRPC keeps large ones in pieces of 8
 * KiB, which malloc would keep for the next. */
void rt_buffer_freed(size_t bytes);
/* Owns: the caller destroys it with grpc_byte_buffer_destroy. */
grpc_byte_buffer *rt_buffer_pack(const ProtobufCMessage *message);
/* A message that is packed in parts: one after the other, they are the message. */
struct rt_pieces;
struct rt_pieces *rt_pieces_new(void);
void rt_pieces_add(struct rt_pieces *pieces, const ProtobufCMessage *part);
/* All that was added; nothing is left. Owns: as rt_buffer_pack. */
grpc_byte_buffer *rt_pieces_take(struct rt_pieces *pieces);
void rt_pieces_destroy(struct rt_pieces *pieces); /* NULL: nothing */

/* The message is read once: the buffer is left empty. Errors: as rt_message_unpack. */
struct rt_status rt_buffer_unpack(const ProtobufCMessageDescriptor *descriptor,
				  grpc_byte_buffer *buffer, struct rt_arena *arena,
				  const ProtobufCMessage **message);

bool rt_slice_is(const grpc_slice *slice, const char *text);
/* A copy with a NUL, cut to the capacity. */
void rt_slice_text(const grpc_slice *slice, char *text, size_t capacity);
