/* Secrets: bytes without a formatter, wiped when done with. */
#pragma once

#include <stddef.h>

#include "rt/status.h"

/* Read with rt_secret_bytes alone; there is no way to print one. */
struct rt_secret {
	char *hidden;
	size_t length;
};

/* Reads a file without its trailing newline. Owns: *secret, until _deinit. Errors:
 * FAILED_PRECONDITION SECRET_UNREADABLE, SECRET_EMPTY, SECRET_TOO_LONG (over 16 KiB); the detail
 * does not name the content. */
struct rt_status rt_secret_read_file(const char *path, struct rt_secret *secret);
struct rt_secret rt_secret_copy(const void *bytes, size_t length);
/* NUL-terminated; lives as long as the secret. */
const char *rt_secret_bytes(const struct rt_secret *secret);
void rt_secret_deinit(struct rt_secret *secret);
/* Wipes memory in a way that the compiler keeps. */
void rt_wipe(void *bytes, size_t length);
