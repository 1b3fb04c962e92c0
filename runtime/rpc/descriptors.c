#include "rpc/descriptors.h"

#include <string.h>

#include "rpc/wire.h"

enum { SET_FILE = 1 };
enum {
	FILE_NAME = 1,
	FILE_PACKAGE = 2,
	FILE_DEPENDENCY = 3,
	FILE_MESSAGE = 4,
	FILE_ENUM = 5,
	FILE_SERVICE = 6
};
enum { ANY_NAME = 1, ANY_MEMBER = 2 };
enum { MESSAGE_FIELD = 2, MESSAGE_NESTED = 3, MESSAGE_ENUM = 4 };

#define NESTING_MAX 16

/* A part of a dotted symbol that is still to be found. */
struct rest {
	const char *text;
	size_t length;
};

static bool find_bytes(const uint8_t *bytes, size_t length, uint32_t number,
		       struct rt_wire_field *found)
{
	struct rt_wire wire = rt_wire_of(bytes, length);
	while (rt_wire_next(&wire, found)) {
		if (found->number == number && found->type == RT_WIRE_BYTES)
			return true;
	}
	return false;
}

bool rt_files_read(const uint8_t *bytes, size_t length, struct rt_files *files)
{
	files->count = 0;
	struct rt_wire wire = rt_wire_of(bytes, length);
	struct rt_wire_field field;
	while (rt_wire_next(&wire, &field)) {
		if (field.number != SET_FILE || field.type != RT_WIRE_BYTES)
			continue;
		struct rt_wire_field name;
		if (files->count == RT_FILES_MAX ||
		    !find_bytes(field.bytes, field.length, FILE_NAME, &name))
			return false;
		files->files[files->count++] = (struct rt_file){
			field.bytes, field.length, (const char *)name.bytes, name.length};
	}
	return !wire.malformed;
}

int rt_files_by_name(const struct rt_files *files, const char *name, size_t length)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct rt_file *file = &files->files[i];
		if (file->name_length == length && memcmp(file->name, name, length) == 0)
			return (int)i;
	}
	return -1;
}

/* Takes `name` and a dot off the front. */
static bool take_prefix(struct rest *rest, const uint8_t *name, size_t length)
{
	if (rest->length <= length || memcmp(rest->text, name, length) != 0 ||
	    rest->text[length] != '.')
		return false;
	rest->text += length + 1;
	rest->length -= length + 1;
	return true;
}

static bool is_named(const struct rest *rest, const uint8_t *declaration, size_t length)
{
	struct rt_wire_field name;
	return find_bytes(declaration, length, ANY_NAME, &name) && name.length == rest->length &&
	       memcmp(name.bytes, rest->text, rest->length) == 0;
}

/* Whether one of the declaration's parts of this number has the name. */
static bool has_member(struct rest rest, const struct rt_wire_field *declaration, uint32_t number)
{
	struct rt_wire wire = rt_wire_of(declaration->bytes, declaration->length);
	struct rt_wire_field field;
	while (rt_wire_next(&wire, &field)) {
		if (field.number == number && field.type == RT_WIRE_BYTES &&
		    is_named(&rest, field.bytes, field.length))
			return true;
	}
	return false;
}

/* A service or an enum, or a method or value in it. */
static bool in_flat(struct rest rest, const struct rt_wire_field *declaration)
{
	if (is_named(&rest, declaration->bytes, declaration->length))
		return true;
	struct rt_wire_field name;
	if (!find_bytes(declaration->bytes, declaration->length, ANY_NAME, &name))
		return false;
	return take_prefix(&rest, name.bytes, name.length) &&
	       has_member(rest, declaration, ANY_MEMBER);
}

static bool in_message(struct rest rest, const struct rt_wire_field *message, unsigned depth)
{
	if (is_named(&rest, message->bytes, message->length))
		return true;
	struct rt_wire_field name;
	if (depth == NESTING_MAX || !find_bytes(message->bytes, message->length, ANY_NAME, &name) ||
	    !take_prefix(&rest, name.bytes, name.length))
		return false;
	if (has_member(rest, message, MESSAGE_FIELD))
		return true;
	struct rt_wire wire = rt_wire_of(message->bytes, message->length);
	struct rt_wire_field field;
	while (rt_wire_next(&wire, &field)) {
		if (field.type != RT_WIRE_BYTES)
			continue;
		if (field.number == MESSAGE_NESTED && in_message(rest, &field, depth + 1))
			return true;
		if (field.number == MESSAGE_ENUM && in_flat(rest, &field))
			return true;
	}
	return false;
}

static bool in_file(struct rest rest, const struct rt_file *file)
{
	struct rt_wire_field field;
	if (find_bytes(file->bytes, file->length, FILE_PACKAGE, &field) &&
	    !take_prefix(&rest, field.bytes, field.length))
		return false;
	struct rt_wire wire = rt_wire_of(file->bytes, file->length);
	while (rt_wire_next(&wire, &field)) {
		if (field.type != RT_WIRE_BYTES)
			continue;
		if (field.number == FILE_MESSAGE && in_message(rest, &field, 0))
			return true;
		if ((field.number == FILE_ENUM || field.number == FILE_SERVICE) &&
		    in_flat(rest, &field))
			return true;
	}
	return false;
}

int rt_files_by_symbol(const struct rt_files *files, const char *symbol)
{
	struct rest rest = {symbol, strlen(symbol)};
	for (size_t i = 0; i < files->count; i++) {
		if (in_file(rest, &files->files[i]))
			return (int)i;
	}
	return -1;
}

size_t rt_files_closure(const struct rt_files *files, int file, int closure[RT_FILES_MAX])
{
	bool seen[RT_FILES_MAX] = {false};
	size_t count = 0;
	closure[count++] = file;
	seen[file] = true;
	for (size_t i = 0; i < count; i++) {
		const struct rt_file *current = &files->files[closure[i]];
		struct rt_wire wire = rt_wire_of(current->bytes, current->length);
		struct rt_wire_field field;
		while (rt_wire_next(&wire, &field)) {
			if (field.number != FILE_DEPENDENCY || field.type != RT_WIRE_BYTES)
				continue;
			int next = rt_files_by_name(files, (const char *)field.bytes, field.length);
			if (next < 0 || seen[next])
				continue;
			seen[next] = true;
			closure[count++] = next;
		}
	}
	return count;
}
