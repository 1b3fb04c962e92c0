#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rt/clock.h"
#include "rt/id.h"
#include "rt/log.h"

static int captured = -1;
static int real_stderr = -1;
static char text[1 << 20];

static int start_capture(void **state)
{
	(void)state;
	captured = memfd_create("log", MFD_CLOEXEC);
	real_stderr = dup(STDERR_FILENO);
	rt_log_init("accounts", "info");
	return captured >= 0 && real_stderr >= 0 && dup2(captured, STDERR_FILENO) >= 0 ? 0 : -1;
}

static int end_capture(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(captured);
	return 0;
}

/* All that was written since the last time. */
static const char *written(void)
{
	ssize_t length = pread(captured, text, sizeof(text) - 1, 0);
	assert_true(length >= 0);
	text[length] = '\0';
	assert_int_equal(ftruncate(captured, 0), 0);
	assert_int_equal(lseek(captured, 0, SEEK_SET), 0);
	return text;
}

/* The one line that was written, as strict JSON without repeated names. */
static json_t *line(void)
{
	const char *bytes = written();
	size_t length = strlen(bytes);
	assert_true(length > 0 && length <= 4096);
	assert_ptr_equal(strchr(bytes, '\n'), bytes + length - 1);
	json_error_t error;
	json_t *object = json_loads(bytes, JSON_REJECT_DUPLICATES, &error);
	if (object == NULL)
		fail_msg("%s in %s", error.text, bytes);
	assert_true(json_is_object(object));
	return object;
}

static void expect_text(const json_t *object, const char *name, const char *expected)
{
	const json_t *value = json_object_get(object, name);
	if (!json_is_string(value))
		fail_msg("no text \"%s\"", name);
	assert_string_equal(json_string_value(value), expected);
}

static void test_fields(void **state)
{
	(void)state;
	struct rt_uuid uuid;
	struct rt_trace trace;
	assert_true(rt_uuid_parse("0190a5c2-d3e4-7abc-8def-0123456789ab", &uuid));
	assert_true(
		rt_trace_accept("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", &trace));
	memcpy(trace.span_id, "\1\2\3\4\5\6\7\xff", 8);
	RT_LOG(WARN, "posted", RT_TEXT("method", "Post"), RT_INT("least", INT64_MIN),
	       RT_INT("most", INT64_MAX), RT_INT("none", 0), RT_BOOL("yes", true),
	       RT_BOOL("no", false), RT_UUID("transfer_id", &uuid), RT_TRACE(&trace));
	json_t *object = line();
	expect_text(object, "level", "warn");
	expect_text(object, "service", "accounts");
	expect_text(object, "event", "posted");
	expect_text(object, "method", "Post");
	expect_text(object, "transfer_id", "0190a5c2-d3e4-7abc-8def-0123456789ab");
	expect_text(object, "trace_id", "0af7651916cd43dd8448eb211c80319c");
	expect_text(object, "span_id", "01020304050607ff");
	assert_int_equal(json_integer_value(json_object_get(object, "least")), INT64_MIN);
	assert_int_equal(json_integer_value(json_object_get(object, "most")), INT64_MAX);
	assert_int_equal(json_integer_value(json_object_get(object, "none")), 0);
	assert_true(json_is_true(json_object_get(object, "yes")));
	assert_true(json_is_false(json_object_get(object, "no")));
	const char *time = json_string_value(json_object_get(object, "time"));
	assert_int_equal(strlen(time), 27);
	char now[RT_TIME_TEXT_BYTES];
	rt_clock_format(rt_clock_wall_us(), now);
	assert_true(strcmp(time, now) <= 0);
	assert_memory_equal(time, now, 4);
	json_decref(object);
}

static void test_status(void **state)
{
	(void)state;
	struct rt_status status =
		RT_BAD_FIELD("INVALID_AMOUNT", "amount_minor", "must be \"positive\"");
	RT_LOG(INFO, "call", RT_STATUS(&status));
	json_t *object = line();
	expect_text(object, "code", "INVALID_ARGUMENT");
	expect_text(object, "reason", "INVALID_AMOUNT");
	expect_text(object, "field", "amount_minor");
	expect_text(object, "detail", "must be \"positive\"");
	assert_non_null(
		strstr(json_string_value(json_object_get(object, "file")), "observe_log.c"));
	assert_true(json_integer_value(json_object_get(object, "line")) > 0);
	json_decref(object);
	status = rt_ok();
	RT_LOG(INFO, "call", RT_STATUS(&status));
	object = line();
	expect_text(object, "code", "OK");
	assert_null(json_object_get(object, "reason"));
	json_decref(object);
}

static void test_nothing(void **state)
{
	(void)state;
	RT_LOG(INFO, "bare");
	json_t *object = line();
	assert_int_equal(json_object_size(object), 4);
	json_decref(object);
	RT_LOG(INFO, "nulls", RT_TEXT("text", NULL), RT_UUID("uuid", NULL), RT_TRACE(NULL),
	       RT_STATUS(NULL));
	object = line();
	assert_true(json_is_null(json_object_get(object, "text")));
	assert_true(json_is_null(json_object_get(object, "uuid")));
	assert_int_equal(json_object_size(object), 6);
	json_decref(object);
}

static void expect_escaped(const char *given, const char *read)
{
	RT_LOG(INFO, "escape", RT_TEXT("value", given));
	json_t *object = line();
	expect_text(object, "value", read);
	json_decref(object);
}

/* U+009B begins a command to a terminal, as ESC does. */
static void test_terminals_are_told_nothing(void **state)
{
	(void)state;
	expect_escaped("\xc2\x80 \xc2\x9b 31m \xc2\x9f \xc2\xa0",
		       "\xc2\x80 \xc2\x9b 31m \xc2\x9f \xc2\xa0");
	RT_LOG(INFO, "escape", RT_TEXT("value", "\x1b[2J\xc2\x9b\x32J\x7f"));
	const char *bytes = written();
	assert_non_null(strstr(bytes, "\\u001b[2J\\u009b2J\\u007f"));
}

static void test_escapes(void **state)
{
	(void)state;
	expect_escaped("\"},{\"level\":\"error", "\"},{\"level\":\"error");
	expect_escaped("a\nb\r\tc\\d", "a\nb\r\tc\\d");
	expect_escaped("\x01\x1f\x7f\x08\x0c", "\x01\x1f\x7f\x08\x0c");
	expect_escaped("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		       "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	expect_escaped("\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd");
	expect_escaped("\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd");
	expect_escaped("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	expect_escaped("cut\xe2\x82", "cut\xef\xbf\xbd\xef\xbf\xbd");
	expect_escaped("", "");
	char every[256];
	for (int i = 0; i < 255; i++)
		every[i] = (char)(i + 1);
	every[255] = '\0';
	RT_LOG(INFO, every, RT_TEXT("value", every));
	json_decref(line());
}

/* Whatever the length at which the line ends, it is one JSON object of at most 4096 bytes that says
 * that it was cut. */
static void test_cut(void **state)
{
	(void)state;
	const char *const fillers[] = {
		"x", "\"", "\x01", "\xe2\x82\xac", "\xff", "\xf0\x9f\x98\x80"};
	static char value[8192];
	for (size_t filler = 0; filler < sizeof(fillers) / sizeof(fillers[0]); filler++) {
		size_t step = strlen(fillers[filler]);
		for (size_t length = 600; length < 4200; length++) {
			size_t filled = 0;
			while (filled + step <= length) {
				memcpy(value + filled, fillers[filler], step);
				filled += step;
			}
			value[filled] = '\0';
			RT_LOG(INFO, "long", RT_TEXT("value", value), RT_INT("after", 1),
			       RT_BOOL("last", true));
			json_t *object = line();
			const json_t *mark = json_object_get(object, "truncated");
			bool whole = json_object_get(object, "last") != NULL &&
				     json_object_get(object, "after") != NULL;
			const char *read = json_string_value(json_object_get(object, "value"));
			if (mark == NULL)
				assert_true(whole);
			else
				assert_true(json_is_true(mark));
			if (whole && mark == NULL && filler != 4)
				assert_string_equal(read, value);
			json_decref(object);
		}
	}
}

static void test_many_fields(void **state)
{
	(void)state;
	struct rt_field fields[400];
	char names[400][32];
	for (int i = 0; i < 400; i++) {
		snprintf(names[i], sizeof(names[i]), "field_%d", i);
		fields[i] = RT_INT(names[i], i);
	}
	rt_log_write(RT_LOG_ERROR, "many", fields, 400);
	json_t *object = line();
	assert_true(json_is_true(json_object_get(object, "truncated")));
	assert_int_equal(json_integer_value(json_object_get(object, "field_99")), 99);
	json_decref(object);
}

static void test_levels(void **state)
{
	(void)state;
	assert_false(rt_log_enabled(RT_LOG_DEBUG));
	RT_LOG(DEBUG, "hidden");
	assert_string_equal(written(), "");
	rt_log_init("accounts", "error");
	RT_LOG(WARN, "hidden");
	assert_string_equal(written(), "");
	RT_LOG(ERROR, "shown");
	json_decref(line());
	rt_log_init("accounts", "debug");
	RT_LOG(DEBUG, "shown");
	json_decref(line());
	rt_log_init("accounts", "info");
	assert_int_equal(rt_log_level_of(RT_OK), RT_LOG_DEBUG);
	assert_int_equal(rt_log_level_of(RT_INTERNAL), RT_LOG_ERROR);
	assert_int_equal(rt_log_level_of(RT_UNAVAILABLE), RT_LOG_WARN);
	assert_int_equal(rt_log_level_of((enum rt_code)99), RT_LOG_ERROR);
}

static void test_service_names(void **state)
{
	(void)state;
	char name[200];
	memset(name, '"', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	rt_log_init(name, "info");
	RT_LOG(INFO, "odd");
	json_decref(line());
	rt_log_init("accounts", "info");
}

static void test_errno_is_kept(void **state)
{
	(void)state;
	errno = ENOENT;
	RT_LOG(INFO, "kept");
	assert_int_equal(errno, ENOENT);
	dup2(real_stderr, STDERR_FILENO);
	int closed = dup(STDERR_FILENO);
	close(STDERR_FILENO);
	RT_LOG(ERROR, "lost"); /* nobody listens: no crash */
	assert_int_equal(errno, ENOENT);
	dup2(closed, STDERR_FILENO);
	close(closed);
	dup2(captured, STDERR_FILENO);
	written();
}

static void *log_many(void *argument)
{
	char value[200];
	memset(value, *(const char *)argument, sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (int i = 0; i < 500; i++)
		RT_LOG(INFO, "many", RT_TEXT("value", value));
	return NULL;
}

static void test_threads_do_not_mix(void **state)
{
	(void)state;
	static char names[] = "abcd";
	pthread_t threads[4];
	int ends[2];
	/* Through a pipe, which is what a container's log is. */
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_many, &names[i]), 0);
	FILE *lines = fdopen(ends[0], "r");
	char bytes[4200];
	for (int i = 0; i < 2000; i++) {
		assert_non_null(fgets(bytes, sizeof(bytes), lines));
		json_t *object = json_loads(bytes, 0, NULL);
		assert_non_null(object);
		const char *value = json_string_value(json_object_get(object, "value"));
		assert_int_equal(strspn(value, (const char[]){value[0], '\0'}), 199);
		json_decref(object);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	dup2(captured, STDERR_FILENO);
	fclose(lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_terminals_are_told_nothing),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_many_fields),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_service_names),
		cmocka_unit_test(test_errno_is_kept),
		cmocka_unit_test(test_threads_do_not_mix),
	};
	return cmocka_run_group_tests(tests, start_capture, end_capture);
}
