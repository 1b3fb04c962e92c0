#include "rt/status.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "rt/assert.h"
#include "rt/text.h"

struct code_row {
	const char *name;
	int grpc;
	bool retryable;
};

static const struct code_row code_rows[] = {
#define CODE_ROW(name, grpc, level, retry) [RT_##name] = {#name, grpc, retry},
	RT_CODES(CODE_ROW)
#undef CODE_ROW
};

#define CODE_COUNT (sizeof(code_rows) / sizeof(code_rows[0]))

static const struct code_row *code_row(enum rt_code code)
{
	RT_ASSERT((size_t)code < CODE_COUNT);
	return &code_rows[code];
}

static struct rt_status bare(enum rt_code code, const char *reason, const char *file, int line)
{
	RT_ASSERT(code != RT_OK);
	RT_ASSERT((size_t)code < CODE_COUNT);
	return (struct rt_status){.code = code, .reason = reason, .file = file, .line = line};
}

/* Details may quote what a peer sent, and are cut at a byte: what leaves here is UTF-8 in any case,
 * because protobuf and JSON demand it. */
static void set_detail(struct rt_status *status, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
static void set_detail(struct rt_status *status, const char *format, va_list arguments)
{
	vsnprintf(status->detail, sizeof(status->detail), format, arguments);
	rt_text_tidy(status->detail);
}

struct rt_status rt_status_make(enum rt_code code, const char *reason, const char *file, int line,
				const char *format, ...)
{
	struct rt_status status = bare(code, reason, file, line);
	va_list arguments;
	va_start(arguments, format);
	set_detail(&status, format, arguments);
	va_end(arguments);
	return status;
}

struct rt_status rt_status_field(const char *reason, const char *field, const char *file, int line,
				 const char *format, ...)
{
	struct rt_status status = bare(RT_INVALID_ARGUMENT, reason, file, line);
	snprintf(status.field, sizeof(status.field), "%s", field);
	rt_text_tidy(status.field);
	va_list arguments;
	va_start(arguments, format);
	set_detail(&status, format, arguments);
	va_end(arguments);
	return status;
}

struct rt_status rt_status_in(struct rt_status status, const char *prefix_format, ...)
{
	if (status.code == RT_OK || status.field[0] == '\0')
		return status;
	char field[sizeof(status.field)];
	memcpy(field, status.field, sizeof(field));
	va_list arguments;
	va_start(arguments, prefix_format);
	int written = vsnprintf(status.field, sizeof(status.field), prefix_format, arguments);
	va_end(arguments);
	size_t used = strlen(status.field);
	if (written >= 0)
		snprintf(status.field + used, sizeof(status.field) - used, "%s", field);
	rt_text_tidy(status.field);
	return status;
}

struct rt_status rt_status_about(struct rt_status status, const char *field)
{
	snprintf(status.field, sizeof(status.field), "%s", field);
	rt_text_tidy(status.field);
	return status;
}

const char *rt_code_name(enum rt_code code)
{
	return code_row(code)->name;
}

int rt_code_grpc(enum rt_code code)
{
	return code_row(code)->grpc;
}

bool rt_code_retryable(enum rt_code code)
{
	return code_row(code)->retryable;
}

enum rt_code rt_code_from_grpc(int grpc_code)
{
	/* OUTCOME_UNKNOWN shares its number with UNAVAILABLE and comes after it: the first match is
	 * the right one. */
	for (size_t i = 0; i < CODE_COUNT; i++)
		if (code_rows[i].grpc == grpc_code)
			return (enum rt_code)i;
	return RT_INTERNAL;
}
