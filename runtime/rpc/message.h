/* Messages from and to bytes: into an arena, with the checks that protobuf-c leaves out. Pure. */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/arena.h"
#include "rt/status.h"

/* Unpacks. Owns: *message is in the arena; nothing is to be freed. Errors: INVALID_ARGUMENT
 * MALFORMED_MESSAGE; INVALID_TEXT naming the string field that is not UTF-8 or has a NUL byte,
 * which a C string would silently end at; RESOURCE_EXHAUSTED MESSAGE_TOO_LARGE when the arena's
 * limit is reached. */
struct rt_status rt_message_unpack(const ProtobufCMessageDescriptor *descriptor,
				   const uint8_t *bytes, size_t length, struct rt_arena *arena,
				   const ProtobufCMessage **message);
