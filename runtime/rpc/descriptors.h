/* A FileDescriptorSet, searched without descriptor.proto's own messages. Pure. For reflection.
 * Source: google/protobuf/descriptor.proto, field numbers as there. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RT_FILES_MAX 128

struct rt_file {
	const uint8_t *bytes; /* a FileDescriptorProto */
	size_t length;
	const char *name; /* not terminated */
	size_t name_length;
};

struct rt_files {
	struct rt_file files[RT_FILES_MAX];
	size_t count;
};

/* False when the bytes are not a descriptor set, or have too many files. The bytes stay in use. */
bool rt_files_read(const uint8_t *bytes, size_t length, struct rt_files *files);
/* The file's index, or -1. */
int rt_files_by_name(const struct rt_files *files, const char *name, size_t length);
/* The file that declares a message, enum, service, method ("pkg.Service.Method"), field or enum
 * value; or -1. */
int rt_files_by_symbol(const struct rt_files *files, const char *symbol);
/* The file and all that it imports, directly or not, each once, the file itself first. Returns how
 * many. */
size_t rt_files_closure(const struct rt_files *files, int file, int closure[RT_FILES_MAX]);
