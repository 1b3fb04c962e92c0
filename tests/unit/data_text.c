/* The texts of migrations, and Redis URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs the four above */

#include <stdlib.h>
#include <string.h>

#include "../../runtime/data/migrate_text.h"
#include "../../runtime/data/redis_url.h"
#include "rt/redis.h"

static void same(const char *sql, const char *role, const char *expected)
{
	char *text = migrate_text(sql, role);
	assert_string_equal(text, expected);
	free(text);
}

static void unchanged(const char *sql)
{
	same(sql, "role", sql);
}

static void test_role_is_put_in(void **state)
{
	(void)state;
	same("GRANT SELECT ON t TO :runtime_role;", "role", "GRANT SELECT ON t TO \"role\";");
	same(":runtime_role", "a\"b; DROP", "\"a\"\"b; DROP\"");
	same("a:runtime_role,:runtime_role", "r", "a\"r\",\"r\"");
	same("'it''s' :runtime_role 'x'", "r", "'it''s' \"r\" 'x'");
	same("E'\\'' :runtime_role", "r", "E'\\'' \"r\"");
	same("'\\' :runtime_role", "r", "'\\' \"r\"");
	same("-- it's\n:runtime_role", "r", "-- it's\n\"r\"");
	same("/* it's /* nested */ :runtime_role */ :runtime_role", "r",
	     "/* it's /* nested */ :runtime_role */ \"r\"");
	same("$1 :runtime_role", "r", "$1 \"r\"");
	same("a$b$ :runtime_role $b$", "r", "a$b$ \"r\" $b$");
	same("", "r", "");
}

static void test_what_is_quoted_stays(void **state)
{
	(void)state;
	unchanged("':runtime_role'");
	unchanged("\":runtime_role\"");
	unchanged("E'\\':runtime_role'");
	unchanged("$$ :runtime_role $$");
	unchanged("$body$ $$ :runtime_role $$ $body$");
	unchanged("-- :runtime_role");
	unchanged("/* :runtime_role */");
	unchanged("x::runtime_role");
	unchanged(":runtime_role_2");
	unchanged(":runtime_rolé");
	/* Never ended: nothing behind it counts as plain. */
	unchanged("'never ended :runtime_role");
	unchanged("$x$ never ended :runtime_role");
	unchanged("/* never ended :runtime_role");
}

static void test_urls(void **state)
{
	(void)state;
	struct redis_url url;
	struct rt_status status = redis_url_parse("redis://localhost", &url);
	assert_true(rt_is_ok(&status));
	assert_string_equal(url.host, "localhost");
	assert_int_equal(url.port, 6379);
	assert_int_equal(url.database, 0);
	assert_false(url.tls);
	assert_string_equal(url.password, "");

	status = redis_url_parse("rediss://us%65r:p%40ss%2F:w@redis.example:1234/15", &url);
	assert_true(rt_is_ok(&status));
	assert_true(url.tls);
	assert_string_equal(url.user, "user");
	assert_string_equal(url.password, "p@ss/:w");
	assert_string_equal(url.host, "redis.example");
	assert_int_equal(url.port, 1234);
	assert_int_equal(url.database, 15);

	status = redis_url_parse("redis://:secret@[::1]:7/", &url);
	assert_true(rt_is_ok(&status));
	assert_string_equal(url.user, "");
	assert_string_equal(url.password, "secret");
	assert_string_equal(url.host, "::1");
	assert_int_equal(url.port, 7);
}

static void test_malformed_urls(void **state)
{
	(void)state;
	static const char *const malformed[] = {
		"",
		"localhost:6379",
		"http://localhost",
		"redis://",
		"redis://:6379",
		"redis://host:",
		"redis://host:0",
		"redis://host:65536",
		"redis://host:99999999999999999999",
		"redis://host:12x",
		"redis://host/x",
		"redis://host/-1",
		"redis://host/1/2",
		"redis://[::1",
		"redis://[::1]x",
		"redis://hunter2@host",
		"redis://u:hunter2%@host",
		"redis://u:hunter2%4@host",
		"redis://u:hunter2%zz@host",
		"redis://u:hunter2%00@host",
		"redis://ho st",
	};
	struct redis_url url;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		struct rt_status status = redis_url_parse(malformed[i], &url);
		assert_int_equal(status.code, RT_INVALID_ARGUMENT);
		assert_string_equal(status.reason, "INVALID_SETTING");
		assert_null(strstr(status.detail, "hunter2"));
		status = rt_redis_check_url(malformed[i]);
		assert_int_equal(status.code, RT_INVALID_ARGUMENT);
	}
}

static void test_long_urls(void **state)
{
	(void)state;
	struct redis_url url;
	char text[2048] = "redis://u:";
	memset(text + strlen(text), 'p', 1000);
	strcat(text, "@host");
	struct rt_status status = redis_url_parse(text, &url);
	assert_int_equal(status.code, RT_INVALID_ARGUMENT);
}

static void test_unusable_urls_fail_when_used(void **state)
{
	(void)state;
	struct rt_redis *redis = rt_redis_new(&(struct rt_redis_config){.url = "nonsense"});
	struct rt_status status = RT_REDIS(redis, NULL, "PING");
	assert_int_equal(status.code, RT_UNAVAILABLE);
	rt_redis_destroy(redis);
	rt_redis_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_role_is_put_in),
		cmocka_unit_test(test_what_is_quoted_stays),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_malformed_urls),
		cmocka_unit_test(test_long_urls),
		cmocka_unit_test(test_unusable_urls_fail_when_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
