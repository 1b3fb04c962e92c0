/* W3C trace context. Source: https://www.w3.org/TR/trace-context/ (level 1). Pure but for making
 * new ids. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rt_trace {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t parent_id[8]; /* zero: none */
	bool sampled;
};

#define RT_TRACEPARENT_BYTES 56

struct rt_trace rt_trace_new(void);
/* A new span below the caller's; false when the header is malformed, and *trace is then a new
 * trace. */
bool rt_trace_accept(const char *traceparent, struct rt_trace *trace);
/* A new span of the same trace, for a call of ours. */
struct rt_trace rt_trace_child(const struct rt_trace *trace);
void rt_trace_format(const struct rt_trace *trace, char traceparent[RT_TRACEPARENT_BYTES]);

#define RT_TRACE_ID_BYTES 33
#define RT_SPAN_ID_BYTES  17
/* Both ids in lower hex, as logs show them. */
void rt_trace_id_format(const struct rt_trace *trace, char trace_id[RT_TRACE_ID_BYTES],
			char span_id[RT_SPAN_ID_BYTES]);
