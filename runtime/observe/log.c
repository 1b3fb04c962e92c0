#include "rt/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "json_text.h"
#include "rt/clock.h"
#include "rt/metrics.h"

/* A pipe takes so much in one piece, so that lines of several threads and processes never mix. */
#define LINE_BYTES_MAX 4096
/* Kept free for the end of a line that was cut. */
static const char cut_tail[] = ",\"truncated\":true}\n";
#define TAIL_BYTES    (sizeof(cut_tail) - 1)

#define SERVICE_BYTES 64

static char service_name[SERVICE_BYTES] = "daler";
static atomic_int least_level = RT_LOG_INFO;

static const char *const level_names[] = {
	[RT_LOG_DEBUG] = "debug",
	[RT_LOG_INFO] = "info",
	[RT_LOG_WARN] = "warn",
	[RT_LOG_ERROR] = "error",
};

void rt_log_init(const char *service, const char *level)
{
	size_t length = strnlen(service, SERVICE_BYTES - 1);
	memcpy(service_name, service, length);
	service_name[length] = '\0';
	for (int i = RT_LOG_DEBUG; i <= RT_LOG_ERROR; i++)
		if (strcmp(level, level_names[i]) == 0)
			atomic_store_explicit(&least_level, i, memory_order_relaxed);
	/* Here, because every program says here what it is called. */
	rt_series_set(RT_SERIES(BUILD_INFO, service_name, DALER_VERSION), 1);
}

bool rt_log_enabled(enum rt_log_level level)
{
	return (int)level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

enum rt_log_level rt_log_level_of(enum rt_code code)
{
	static const enum rt_log_level levels[] = {
#define LEVEL_ROW(name, grpc, level, retry) [RT_##name] = RT_LOG_##level,
		RT_CODES(LEVEL_ROW)
#undef LEVEL_ROW
	};
	size_t row = (size_t)code;
	return row < sizeof(levels) / sizeof(levels[0]) ? levels[row] : RT_LOG_ERROR;
}

static void add_uuid(struct json_text *line, const char *name, const struct rt_uuid *uuid)
{
	char text[RT_UUID_TEXT_BYTES];
	if (uuid != NULL)
		rt_uuid_format(uuid, text);
	json_text_add_string(line, name, uuid == NULL ? NULL : text);
}

static void add_trace(struct json_text *line, const struct rt_trace *trace)
{
	if (trace == NULL)
		return;
	char trace_id[RT_TRACE_ID_BYTES], span_id[RT_SPAN_ID_BYTES];
	rt_trace_id_format(trace, trace_id, span_id);
	json_text_add_string(line, "trace_id", trace_id);
	json_text_add_string(line, "span_id", span_id);
}

static void add_status(struct json_text *line, const struct rt_status *status)
{
	if (status == NULL)
		return;
	json_text_add_string(line, "code", rt_code_name(status->code));
	if (status->code == RT_OK)
		return;
	json_text_add_string(line, "reason", status->reason);
	if (status->field[0] != '\0')
		json_text_add_string(line, "field", status->field);
	if (status->detail[0] != '\0')
		json_text_add_string(line, "detail", status->detail);
	json_text_add_string(line, "file", status->file);
	json_text_add_int(line, "line", status->line);
}

static void add_field(struct json_text *line, const struct rt_field *field)
{
	switch (field->kind) {
	case RT_FIELD_TEXT:
		json_text_add_string(line, field->name, field->text);
		return;
	case RT_FIELD_INT:
		json_text_add_int(line, field->name, field->number);
		return;
	case RT_FIELD_BOOL:
		json_text_add_bool(line, field->name, field->truth);
		return;
	case RT_FIELD_UUID:
		add_uuid(line, field->name, field->uuid);
		return;
	case RT_FIELD_TRACE:
		add_trace(line, field->trace);
		return;
	case RT_FIELD_STATUS:
		add_status(line, field->status);
		return;
	}
}

/* A log that can't be written has nobody to tell: the line is lost, and the service goes on. */
static void write_line(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(STDERR_FILENO, bytes, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		bytes += written;
		length -= (size_t)written;
	}
}

void rt_log_write(enum rt_log_level level, const char *event, const struct rt_field *fields,
		  size_t count)
{
	int saved_errno = errno;
	char bytes[LINE_BYTES_MAX];
	struct json_text line = {.bytes = bytes, .capacity = sizeof(bytes) - TAIL_BYTES};
	char time[RT_TIME_TEXT_BYTES];
	rt_clock_format(rt_clock_wall_us(), time);

	json_text_raw(&line, "{", 1);
	json_text_add_string(&line, "time", time);
	json_text_add_string(&line, "level", level_names[level]);
	json_text_add_string(&line, "service", service_name);
	json_text_add_string(&line, "event", event);
	for (size_t i = 0; i < count; i++)
		add_field(&line, &fields[i]);

	line.capacity = sizeof(bytes);
	if (line.cut)
		json_text_raw(&line, cut_tail, TAIL_BYTES);
	else
		json_text_raw(&line, "}\n", 2);
	write_line(bytes, line.length);
	errno = saved_errno;
}
