#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt/clock.h"

const char *fixture_env(const char *name)
{
	const char *value = getenv(name);
	if (value == NULL)
		fail_msg("%s is not set: run this through ./daler sandbox --no-services", name);
	return value;
}

int fixture_port(const char *conninfo)
{
	const char *port = strstr(conninfo, "port=");
	assert_non_null(port);
	return (int)strtol(port + 5, NULL, 10);
}

const char *fixture_conninfo(const char *variable, int port)
{
	static char text[1024];
	const char *given = fixture_env(variable);
	if (port == 0)
		return given;
	const char *at = strstr(given, "port=");
	const char *end = strchr(at, ' ');
	snprintf(text, sizeof(text), "%.*sport=%d%s", (int)(at - given), given, port, end);
	return text;
}

struct rt_pg *fixture_pg(int port)
{
	return rt_pg_new(&(struct rt_pg_config){
		.conninfo = fixture_conninfo("DALER_ACCOUNTS_DB", port),
		.application = "test",
	});
}

int64_t in_ms(int64_t duration_ms)
{
	return rt_clock_mono_us() + duration_ms * RT_US_PER_MS;
}

void check_ok(struct rt_status status, const char *file, int line)
{
	if (status.code == RT_OK)
		return;
	print_error("%s:%d: %s %s (%s) %s, made at %s:%d\n", file, line, rt_code_name(status.code),
		    status.reason, status.field, status.detail, status.file, status.line);
	_fail(file, line);
}

void check_code(struct rt_status status, enum rt_code code, const char *reason, const char *file,
		int line)
{
	if (status.code == code && code != RT_OK && strcmp(status.reason, reason) == 0)
		return;
	print_error("%s:%d: wanted %s %s, got %s %s (%s) %s\n", file, line, rt_code_name(code),
		    reason, rt_code_name(status.code), status.reason == NULL ? "" : status.reason,
		    status.field, status.detail);
	_fail(file, line);
}

void script(struct rt_pg *pg, const char *sql)
{
	OK(rt_pg_script(pg, sql, in_ms(10000)));
}

int64_t ask_int(const char *name, const char *sql)
{
	struct rt_pg *pg = fixture_pg(0);
	struct rt_pg_rows rows = {0};
	const struct rt_pg_statement statement = {name, sql};
	OK(rt_pg_run(pg, &statement, NULL, in_ms(10000), &rows));
	assert_int_equal(rows.count, 1);
	int64_t value = rt_pg_int(&rows, 0, 0);
	rt_pg_rows_deinit(&rows);
	rt_pg_destroy(pg);
	return value;
}

int64_t backend_of(struct rt_pg *pg)
{
	static const struct rt_pg_statement statement = {"test_backend", "SELECT pg_backend_pid()"};
	struct rt_pg_rows rows = {0};
	OK(rt_pg_run(pg, &statement, NULL, in_ms(5000), &rows));
	int64_t backend = rt_pg_int(&rows, 0, 0);
	rt_pg_rows_deinit(&rows);
	return backend;
}

void kill_backend(int64_t backend)
{
	char sql[128];
	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d, 5000)::int::bigint",
		 (int)backend);
	struct rt_pg *pg = rt_pg_new(&(struct rt_pg_config){
		.conninfo = fixture_conninfo("DALER_SUPERUSER_DB", 0),
		.application = "test-killer",
	});
	script(pg, sql);
	rt_pg_destroy(pg);
}
