#include "rpc/wire.h"

#define VARINT_BYTES_MAX 10

static bool malformed(struct rt_wire *wire)
{
	wire->malformed = true;
	return false;
}

static bool read_varint(struct rt_wire *wire, uint64_t *value)
{
	*value = 0;
	for (unsigned i = 0; i < VARINT_BYTES_MAX && wire->at < wire->end; i++) {
		uint8_t byte = *wire->at++;
		*value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if ((byte & 0x80) == 0)
			return true;
	}
	return malformed(wire);
}

static bool skip(struct rt_wire *wire, size_t length)
{
	if ((size_t)(wire->end - wire->at) < length)
		return malformed(wire);
	wire->at += length;
	return true;
}

static bool read_bytes(struct rt_wire *wire, struct rt_wire_field *field)
{
	uint64_t length = 0;
	if (!read_varint(wire, &length))
		return false;
	if (length > (uint64_t)(wire->end - wire->at))
		return malformed(wire);
	field->bytes = wire->at;
	field->length = (size_t)length;
	wire->at += length;
	return true;
}

bool rt_wire_next(struct rt_wire *wire, struct rt_wire_field *field)
{
	if (wire->malformed || wire->at == wire->end)
		return false;
	uint64_t tag = 0;
	if (!read_varint(wire, &tag))
		return false;
	uint64_t number = tag >> 3;
	if (number == 0 || number > 0x1fffffff)
		return malformed(wire);
	*field = (struct rt_wire_field){.number = (uint32_t)number};
	uint64_t ignored = 0;
	switch (tag & 7) {
	case RT_WIRE_VARINT:
		field->type = RT_WIRE_VARINT;
		return read_varint(wire, &ignored);
	case RT_WIRE_FIXED64:
		field->type = RT_WIRE_FIXED64;
		return skip(wire, 8);
	case RT_WIRE_BYTES:
		field->type = RT_WIRE_BYTES;
		return read_bytes(wire, field);
	case RT_WIRE_FIXED32:
		field->type = RT_WIRE_FIXED32;
		return skip(wire, 4);
	default:
		return malformed(wire);
	}
}
