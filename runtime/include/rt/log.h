/* Structured log: one JSON object a line on stderr, with time, level, service, event and typed
 * fields. There is no field type for a secret. Thread: any. Not for domain code. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/id.h"
#include "rt/status.h"
#include "rt/trace.h"

enum rt_log_level { RT_LOG_DEBUG, RT_LOG_INFO, RT_LOG_WARN, RT_LOG_ERROR };

enum rt_field_kind {
	RT_FIELD_TEXT,
	RT_FIELD_INT,
	RT_FIELD_BOOL,
	RT_FIELD_UUID,
	RT_FIELD_TRACE,
	RT_FIELD_STATUS
};

struct rt_field {
	const char *name;
	enum rt_field_kind kind;
	union {
		const char *text;
		int64_t number;
		bool truth;
		const struct rt_uuid *uuid;
		const struct rt_trace *trace;
		const struct rt_status *status;
	};
};

#define RT_TEXT(key, value)                                                                        \
	((struct rt_field){.name = (key), .kind = RT_FIELD_TEXT, .text = (value)})
#define RT_INT(key, value)                                                                         \
	((struct rt_field){.name = (key), .kind = RT_FIELD_INT, .number = (value)})
#define RT_BOOL(key, value)                                                                        \
	((struct rt_field){.name = (key), .kind = RT_FIELD_BOOL, .truth = (value)})
#define RT_UUID(key, value)                                                                        \
	((struct rt_field){.name = (key), .kind = RT_FIELD_UUID, .uuid = (value)})
/* trace_id and span_id */
#define RT_TRACE(value)                                                                            \
	((struct rt_field){.name = "trace_id", .kind = RT_FIELD_TRACE, .trace = (value)})
/* code, reason, field, detail, file and line */
#define RT_STATUS(value)                                                                           \
	((struct rt_field){.name = "status", .kind = RT_FIELD_STATUS, .status = (value)})

/* Once, at start: the service's name and the least level ("debug", "info", "warn", "error"). */
void rt_log_init(const char *service, const char *level);
bool rt_log_enabled(enum rt_log_level level);
/* The level at which a call that ended so is logged, from the table of codes. */
enum rt_log_level rt_log_level_of(enum rt_code code);
void rt_log_write(enum rt_log_level level, const char *event, const struct rt_field *fields,
		  size_t count);

#define RT_LOG(level, event, ...)                                                                  \
	do {                                                                                       \
		if (rt_log_enabled(RT_LOG_##level)) {                                              \
			const struct rt_field rt_fields_[] = {__VA_ARGS__};                        \
			rt_log_write(RT_LOG_##level, event, rt_fields_,                            \
				     sizeof(rt_fields_) / sizeof(rt_fields_[0]));                  \
		}                                                                                  \
	} while (0)
