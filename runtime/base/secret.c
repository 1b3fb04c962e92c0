#include "rt/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rt/assert.h"
#include "rt/cleanup.h"

#define SECRET_BYTES_MAX ((size_t)16 * 1024)

static void close_file(const int *file)
{
	if (*file >= 0)
		close(*file);
}

/* Reads to the end of the file or the buffer; -1 on an error. By read(2), so that no stdio buffer
 * keeps a copy. */
static ssize_t read_all(int file, char *bytes, size_t length)
{
	size_t filled = 0;
	while (filled < length) {
		ssize_t got = read(file, bytes + filled, length - filled);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		filled += (size_t)got;
	}
	return (ssize_t)filled;
}

static size_t without_newline(const char *bytes, size_t length)
{
	if (length > 0 && bytes[length - 1] == '\n')
		length--;
	if (length > 0 && bytes[length - 1] == '\r')
		length--;
	return length;
}

/* `bytes` has room for one more than is allowed, so that a file that is too long shows. */
static struct rt_status read_secret(const char *path, char *bytes, size_t *length)
{
	CLEANUP(close_file) int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = file < 0 ? -1 : read_all(file, bytes, SECRET_BYTES_MAX + 1);
	if (got < 0)
		return RT_FAIL(FAILED_PRECONDITION, "SECRET_UNREADABLE",
			       "the secret's file can't be read: %s", strerrordesc_np(errno));
	if ((size_t)got > SECRET_BYTES_MAX)
		return RT_FAIL(FAILED_PRECONDITION, "SECRET_TOO_LONG",
			       "the secret's file is longer than %zu bytes", SECRET_BYTES_MAX);
	*length = without_newline(bytes, (size_t)got);
	if (*length == 0)
		return RT_FAIL(FAILED_PRECONDITION, "SECRET_EMPTY", "the secret's file is empty");
	return rt_ok();
}

struct rt_status rt_secret_read_file(const char *path, struct rt_secret *secret)
{
	*secret = (struct rt_secret){0};
	char bytes[SECRET_BYTES_MAX + 1];
	size_t length = 0;
	struct rt_status status = read_secret(path, bytes, &length);
	if (rt_is_ok(&status))
		*secret = rt_secret_copy(bytes, length);
	rt_wipe(bytes, sizeof(bytes));
	return status;
}

struct rt_secret rt_secret_copy(const void *bytes, size_t length)
{
	RT_ASSERT(length < SIZE_MAX);
	struct rt_secret secret = {.hidden = malloc(length + 1), .length = length};
	RT_ASSERT(secret.hidden != NULL);
	if (length > 0)
		memcpy(secret.hidden, bytes, length);
	secret.hidden[length] = '\0';
	return secret;
}

const char *rt_secret_bytes(const struct rt_secret *secret)
{
	return secret->hidden == NULL ? "" : secret->hidden;
}

void rt_secret_deinit(struct rt_secret *secret)
{
	if (secret->hidden != NULL)
		rt_wipe(secret->hidden, secret->length);
	free(secret->hidden);
	*secret = (struct rt_secret){0};
}

void rt_wipe(void *bytes, size_t length)
{
	explicit_bzero(bytes, length);
}
