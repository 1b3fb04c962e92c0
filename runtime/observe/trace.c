#include "rt/trace.h"

#include <string.h>

#include "rt/id.h"

#define PARENT_LENGTH (RT_TRACEPARENT_BYTES - 1)

static bool is_zero(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static void new_id(uint8_t *bytes, size_t length)
{
	do {
		rt_random_bytes(bytes, length);
	} while (is_zero(bytes, length));
}

struct rt_trace rt_trace_new(void)
{
	struct rt_trace trace = {.sampled = true};
	new_id(trace.trace_id, sizeof(trace.trace_id));
	new_id(trace.span_id, sizeof(trace.span_id));
	return trace;
}

/* Lower case only, as the standard has it. */
static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return -1;
}

static bool read_hex(const char *text, uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		int high = hex_value(text[2 * i]);
		int low = hex_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high * 16 + low);
	}
	return true;
}

static bool has_form(const char *text)
{
	if (text == NULL || strnlen(text, PARENT_LENGTH) < PARENT_LENGTH)
		return false;
	return text[2] == '-' && text[35] == '-' && text[52] == '-';
}

/* Versions to come may be longer, but begin as this one does. */
static bool parse(const char *text, struct rt_trace *trace)
{
	uint8_t version, flags;
	if (!has_form(text) || !read_hex(text, &version, 1) || version == 0xff)
		return false;
	char end = text[PARENT_LENGTH];
	if (end != '\0' && (version == 0 || end != '-'))
		return false;
	if (!read_hex(text + 3, trace->trace_id, sizeof(trace->trace_id)) ||
	    !read_hex(text + 36, trace->parent_id, sizeof(trace->parent_id)) ||
	    !read_hex(text + 53, &flags, 1))
		return false;
	trace->sampled = (flags & 1U) != 0;
	return !is_zero(trace->trace_id, sizeof(trace->trace_id)) &&
	       !is_zero(trace->parent_id, sizeof(trace->parent_id));
}

bool rt_trace_accept(const char *traceparent, struct rt_trace *trace)
{
	struct rt_trace accepted = {0};
	if (!parse(traceparent, &accepted)) {
		*trace = rt_trace_new();
		return false;
	}
	new_id(accepted.span_id, sizeof(accepted.span_id));
	*trace = accepted;
	return true;
}

struct rt_trace rt_trace_child(const struct rt_trace *trace)
{
	struct rt_trace child = *trace;
	memcpy(child.parent_id, trace->span_id, sizeof(child.parent_id));
	new_id(child.span_id, sizeof(child.span_id));
	return child;
}

static char *put_hex(char *at, const uint8_t *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < length; i++) {
		*at++ = digits[bytes[i] >> 4];
		*at++ = digits[bytes[i] & 0x0fU];
	}
	return at;
}

void rt_trace_id_format(const struct rt_trace *trace, char trace_id[RT_TRACE_ID_BYTES],
			char span_id[RT_SPAN_ID_BYTES])
{
	*put_hex(trace_id, trace->trace_id, sizeof(trace->trace_id)) = '\0';
	*put_hex(span_id, trace->span_id, sizeof(trace->span_id)) = '\0';
}

void rt_trace_format(const struct rt_trace *trace, char traceparent[RT_TRACEPARENT_BYTES])
{
	const uint8_t version = 0;
	const uint8_t flags = trace->sampled ? 1 : 0;
	char *at = put_hex(traceparent, &version, 1);
	*at++ = '-';
	at = put_hex(at, trace->trace_id, sizeof(trace->trace_id));
	*at++ = '-';
	at = put_hex(at, trace->span_id, sizeof(trace->span_id));
	*at++ = '-';
	at = put_hex(at, &flags, 1);
	*at = '\0';
}
