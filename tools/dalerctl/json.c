#include "json.h"

#include <google/protobuf/timestamp.pb-c.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "rt/clock.h"

static json_t *json_int64(int64_t value)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, value);
	return json_string(text);
}

static json_t *json_uint64(uint64_t value)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRIu64, value);
	return json_string(text);
}

static json_t *json_enum(const ProtobufCEnumDescriptor *descriptor, int value)
{
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(descriptor, value);
	return known != NULL ? json_string(known->name) : json_integer(value);
}

static json_t *json_timestamp(const Google__Protobuf__Timestamp *time)
{
	char text[RT_TIME_TEXT_BYTES];
	rt_clock_format(time->seconds * RT_US_PER_S + time->nanos / 1000, text);
	return json_string(text);
}

static json_t *json_child(const ProtobufCMessage *message)
{
	if (message->descriptor == &google__protobuf__timestamp__descriptor)
		return json_timestamp((const Google__Protobuf__Timestamp *)(const void *)message);
	return json_message(message);
}

/* One value, at its place in the message; NULL for an absent message, and for what no contract of
 * ours has. */
static json_t *json_value(const ProtobufCFieldDescriptor *field, const void *place)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return json_integer(*(const int32_t *)place);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return json_integer(*(const uint32_t *)place);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return json_int64(*(const int64_t *)place);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return json_uint64(*(const uint64_t *)place);
	case PROTOBUF_C_TYPE_BOOL:
		return json_boolean(*(const protobuf_c_boolean *)place);
	case PROTOBUF_C_TYPE_ENUM:
		return json_enum(field->descriptor, *(const int *)place);
	case PROTOBUF_C_TYPE_STRING:
		return json_string(*(char *const *)place);
	case PROTOBUF_C_TYPE_MESSAGE: {
		const ProtobufCMessage *child = *(ProtobufCMessage *const *)place;
		return child != NULL ? json_child(child) : NULL;
	}
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		break;
	}
	return NULL;
}

static size_t value_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_FLOAT:
		return sizeof(int32_t);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return sizeof(int64_t);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		break;
	}
	return sizeof(void *);
}

static json_t *json_repeated(const ProtobufCFieldDescriptor *field, const char *base)
{
	size_t count = *(const size_t *)(const void *)(base + field->quantifier_offset);
	const char *items = *(char *const *)(const void *)(base + field->offset);
	json_t *array = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_value(field, items + i * value_size(field)));
	return array;
}

/* Whether the field is one of a oneof that holds another one, or none. */
static bool is_unset(const ProtobufCFieldDescriptor *field, const char *base)
{
	if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0)
		return false;
	return *(const uint32_t *)(const void *)(base + field->quantifier_offset) != field->id;
}

json_t *json_message(const ProtobufCMessage *message)
{
	const char *base = (const char *)message;
	json_t *object = json_object();
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		json_t *value = NULL;
		if (field->label == PROTOBUF_C_LABEL_REPEATED)
			value = json_repeated(field, base);
		else if (!is_unset(field, base))
			value = json_value(field, base + field->offset);
		if (value != NULL)
			json_object_set_new(object, field->name, value);
	}
	return object;
}
