#include "rpc/message.h"

#include <stdio.h>
#include <string.h>

#include "rpc/wire.h"
#include "rt/text.h"

/* Contracts nest three or four messages; a peer may nest what it likes. */
#define NESTING_MAX 32

static void *arena_alloc(void *arena, size_t size)
{
	return rt_arena_alloc(arena, size);
}

static void arena_free(void *arena, void *pointer)
{
	(void)arena;
	(void)pointer;
}

static struct rt_status malformed(void)
{
	return RT_FAIL(INVALID_ARGUMENT, "MALFORMED_MESSAGE", "the request is not a valid message");
}

/* How many fields of this number come before `until` in the message: the index of a repeated
 * field's element. */
static size_t index_of(const uint8_t *bytes, const uint8_t *until, uint32_t number)
{
	struct rt_wire wire = rt_wire_of(bytes, (size_t)(until - bytes));
	struct rt_wire_field field;
	size_t index = 0;
	while (rt_wire_next(&wire, &field))
		index += field.number == number;
	return index;
}

struct place {
	const uint8_t *message;
	const uint8_t *field;
	const ProtobufCFieldDescriptor *descriptor;
};

static void name_of(const struct place *place, char name[64])
{
	if (place->descriptor->label == PROTOBUF_C_LABEL_REPEATED)
		snprintf(name, 64, "%s[%zu]", place->descriptor->name,
			 index_of(place->message, place->field, place->descriptor->id));
	else
		snprintf(name, 64, "%s", place->descriptor->name);
}

static struct rt_status check_text(const struct place *place, const struct rt_wire_field *field)
{
	const char *text = (const char *)field->bytes;
	if (memchr(text, 0, field->length) == NULL && rt_text_is_utf8(text, field->length))
		return rt_ok();
	char name[64];
	name_of(place, name);
	return RT_BAD_FIELD("INVALID_TEXT", name, "must be UTF-8 without NUL characters");
}

static struct rt_status check_texts(const ProtobufCMessageDescriptor *descriptor,
				    const uint8_t *bytes, size_t length, unsigned depth);

static struct rt_status check_field(const struct place *place, const struct rt_wire_field *field,
				    unsigned depth)
{
	if (place->descriptor->type == PROTOBUF_C_TYPE_STRING)
		return check_text(place, field);
	if (place->descriptor->type != PROTOBUF_C_TYPE_MESSAGE)
		return rt_ok();
	struct rt_status status =
		check_texts(place->descriptor->descriptor, field->bytes, field->length, depth + 1);
	if (rt_is_ok(&status) || status.field[0] == '\0')
		return status;
	char name[64];
	name_of(place, name);
	return rt_status_in(status, "%s.", name);
}

static struct rt_status check_texts(const ProtobufCMessageDescriptor *descriptor,
				    const uint8_t *bytes, size_t length, unsigned depth)
{
	if (depth > NESTING_MAX)
		return malformed();
	struct rt_wire wire = rt_wire_of(bytes, length);
	struct rt_wire_field field;
	const uint8_t *start = wire.at;
	while (rt_wire_next(&wire, &field)) {
		if (field.type == RT_WIRE_BYTES) {
			struct place place = {bytes, start, NULL};
			place.descriptor =
				protobuf_c_message_descriptor_get_field(descriptor, field.number);
			if (place.descriptor != NULL)
				RT_TRY(check_field(&place, &field, depth));
		}
		start = wire.at;
	}
	return wire.malformed ? malformed() : rt_ok();
}

struct rt_status rt_message_unpack(const ProtobufCMessageDescriptor *descriptor,
				   const uint8_t *bytes, size_t length, struct rt_arena *arena,
				   const ProtobufCMessage **message)
{
	RT_TRY(check_texts(descriptor, bytes, length, 0));
	ProtobufCAllocator allocator = {arena_alloc, arena_free, arena};
	*message = protobuf_c_message_unpack(descriptor, &allocator, length, bytes);
	if (*message != NULL)
		return rt_ok();
	if (arena->overflowed)
		return RT_FAIL(RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE",
			       "the request takes too much memory");
	return malformed();
}
