#include "sample.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX         6
#define MESSAGE_BYTES_MAX 4096

struct sample {
	uint8_t *bytes;
	size_t size, length;
	unsigned variant;
	unsigned id_number; /* so that ids differ */
};

static void put(struct sample *sample, const void *bytes, size_t length)
{
	if (sample->length + length <= sample->size)
		memcpy(sample->bytes + sample->length, bytes, length);
	sample->length += length;
}

static void put_number(struct sample *sample, uint64_t value)
{
	do {
		uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		put(sample, &byte, 1);
		value >>= 7;
	} while (value > 0);
}

static bool ends_with(const char *name, const char *end)
{
	size_t length = strlen(name), end_length = strlen(end);
	return length >= end_length && strcmp(name + length - end_length, end) == 0;
}

/* Something that passes for what the name promises. */
static void put_text(struct sample *sample, const char *name)
{
	char text[64] = "sample";
	if (ends_with(name, "_id") || ends_with(name, "_ids"))
		(void)snprintf(text, sizeof(text), "00000000-0000-7000-8000-%012u",
			       ++sample->id_number);
	else if (strcmp(name, "currency") == 0)
		(void)snprintf(text, sizeof(text), "EUR");
	else if (strcmp(name, "code") == 0)
		(void)snprintf(text, sizeof(text), "POINTS");
	else if (strcmp(name, "paths") == 0)
		(void)snprintf(text, sizeof(text), "label");
	else if (strcmp(name, "page_token") == 0)
		text[0] = '\0';
	put_number(sample, strlen(text));
	put(sample, text, strlen(text));
}

static void put_message(struct sample *sample, const ProtobufCMessageDescriptor *descriptor,
			unsigned depth);

/* A message with its length before it. */
static void put_nested(struct sample *sample, const ProtobufCMessageDescriptor *descriptor,
		       unsigned depth)
{
	uint8_t inner[MESSAGE_BYTES_MAX];
	struct sample nested = {.bytes = inner,
				.size = sizeof(inner),
				.variant = sample->variant,
				.id_number = sample->id_number};
	put_message(&nested, descriptor, depth + 1);
	sample->id_number = nested.id_number;
	if (nested.length > nested.size)
		nested.length = 0;
	put_number(sample, nested.length);
	put(sample, inner, nested.length);
}

static void put_field(struct sample *sample, const ProtobufCFieldDescriptor *field, unsigned depth)
{
	bool has_length = field->type == PROTOBUF_C_TYPE_STRING ||
			  field->type == PROTOBUF_C_TYPE_BYTES ||
			  field->type == PROTOBUF_C_TYPE_MESSAGE;
	put_number(sample, (uint64_t)field->id << 3 | (has_length ? 2 : 0));
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		put_nested(sample, field->descriptor, depth);
	else if (has_length)
		put_text(sample, field->name);
	else
		put_number(sample, ends_with(field->name, "seconds") ? UINT64_C(1900000000) : 1);
}

/* Of a oneof the first field answers for all, and puts the one whose turn it is. */
static bool is_chosen(const ProtobufCMessageDescriptor *descriptor, unsigned index,
		      unsigned variant)
{
	const ProtobufCFieldDescriptor *field = &descriptor->fields[index];
	unsigned members = 0, place = 0;
	if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0)
		return true;
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *other = &descriptor->fields[i];
		if ((other->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
		    other->quantifier_offset != field->quantifier_offset)
			continue;
		place = i == index ? members : place;
		members++;
	}
	return variant % members == place;
}

static void put_message(struct sample *sample, const ProtobufCMessageDescriptor *descriptor,
			unsigned depth)
{
	for (unsigned i = 0; depth < DEPTH_MAX && i < descriptor->n_fields; i++)
		if (is_chosen(descriptor, i, sample->variant))
			put_field(sample, &descriptor->fields[i], depth);
}

size_t sample_message(const ProtobufCMessageDescriptor *descriptor, unsigned variant,
		      uint8_t *bytes, size_t size)
{
	struct sample sample = {.bytes = bytes, .size = size, .variant = variant};
	put_message(&sample, descriptor, 0);
	return sample.length > size ? 0 : sample.length;
}
