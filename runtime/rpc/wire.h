/* The protobuf wire format, field by field, without a schema. Pure. For what protobuf-c doesn't
 * check or doesn't have a schema of. Source: https://protobuf.dev/programming-guides/encoding/ */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rt_wire_type {
	RT_WIRE_VARINT = 0,
	RT_WIRE_FIXED64 = 1,
	RT_WIRE_BYTES = 2,
	RT_WIRE_FIXED32 = 5,
};

struct rt_wire {
	const uint8_t *at;
	const uint8_t *end;
	bool malformed;
};

struct rt_wire_field {
	uint32_t number;
	enum rt_wire_type type;
	const uint8_t *bytes; /* RT_WIRE_BYTES */
	size_t length;
};

static inline struct rt_wire rt_wire_of(const void *bytes, size_t length)
{
	const uint8_t *start = bytes;
	return (struct rt_wire){.at = start, .end = length == 0 ? start : start + length};
}

/* The next field; false at the end, or where it is malformed, which `malformed` tells. Groups,
 * which proto3 doesn't have, count as malformed. */
bool rt_wire_next(struct rt_wire *wire, struct rt_wire_field *field);
