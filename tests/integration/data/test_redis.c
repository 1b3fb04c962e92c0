/* Redis: replies, reconnecting, and a Redis that is slow, absent, or refuses. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "rt/clock.h"
#include "rt/redis.h"

/* The sandbox's Redis; through a proxy when port > 0, and with another password when one is given.
 */
static const char *url(int port, const char *password)
{
	static char text[512];
	char given[256];
	char *secret;
	char *host;
	snprintf(given, sizeof(given), "%s", fixture_env("DALER_REDIS"));
	secret = strstr(given, "default:") + strlen("default:");
	host = strchr(secret, '@');
	*host++ = '\0';
	if (port == 0)
		port = (int)strtol(strchr(host, ':') + 1, NULL, 10);
	snprintf(text, sizeof(text), "redis://default:%s@127.0.0.1:%d/3",
		 password == NULL ? secret : password, port);
	return text;
}

static int server_port(void)
{
	return (int)strtol(strrchr(fixture_env("DALER_REDIS"), ':') + 1, NULL, 10);
}

static struct rt_redis *make(const char *address)
{
	return rt_redis_new(&(struct rt_redis_config){.url = address, .timeout_ms = 200});
}

static void test_replies(void **state)
{
	(void)state;
	struct rt_redis *redis = make(url(0, NULL));
	struct rt_redis_reply reply;
	const char *const words[] = {"SET", "bytes", "a\0b"};
	const size_t lengths[] = {3, 5, 3};
	OK(RT_REDIS(redis, NULL, "FLUSHDB"));
	OK(rt_redis_command(redis, 3, words, lengths, NULL));
	OK(RT_REDIS(redis, &reply, "GET", "bytes"));
	assert_int_equal(reply.kind, RT_REDIS_TEXT);
	assert_int_equal(reply.length, 3);
	assert_memory_equal(reply.text, "a\0b", 4);
	rt_redis_reply_deinit(&reply);
	OK(RT_REDIS(redis, &reply, "GET", "absent"));
	assert_int_equal(reply.kind, RT_REDIS_NIL);
	rt_redis_reply_deinit(&reply);
	OK(RT_REDIS(redis, &reply, "INCRBY", "n", "-7"));
	assert_int_equal(reply.kind, RT_REDIS_INT);
	assert_int_equal(reply.number, -7);
	rt_redis_reply_deinit(&reply);
	OK(RT_REDIS(redis, &reply, "SET", "k", "v"));
	assert_string_equal(reply.text, "OK");
	rt_redis_reply_deinit(&reply);
	OK(RT_REDIS(redis, &reply, "EVAL", "return redis.call('GET', KEYS[1])", "1", "k"));
	assert_string_equal(reply.text, "v");
	rt_redis_reply_deinit(&reply);
	rt_redis_destroy(redis);
}

static void test_refused_commands(void **state)
{
	(void)state;
	struct rt_redis *redis = make(url(0, NULL));
	OK(RT_REDIS(redis, NULL, "SET", "k", "v"));
	struct rt_status status = RT_REDIS(redis, NULL, "INCR", "k");
	assert_null(strchr(status.detail, '\n'));
	FAILS(status, INTERNAL, "REDIS_ERROR");
	FAILS(RT_REDIS(redis, NULL, "KEYS", "*"), INTERNAL, "REDIS_ERROR"); /* a list */
	/* The connection is not to blame. */
	OK(RT_REDIS(redis, NULL, "PING"));
	rt_redis_destroy(redis);
}

static void test_large_values(void **state)
{
	(void)state;
	enum { SIZE = 3 << 20 };
	struct rt_redis *redis =
		rt_redis_new(&(struct rt_redis_config){.url = url(0, NULL), .timeout_ms = 5000});
	char *value = malloc(SIZE + 1);
	memset(value, 'x', SIZE);
	value[SIZE] = '\0';
	struct rt_redis_reply reply;
	OK(RT_REDIS(redis, NULL, "SET", "large", value));
	OK(RT_REDIS(redis, &reply, "GET", "large"));
	assert_int_equal(reply.length, SIZE);
	rt_redis_reply_deinit(&reply);
	OK(RT_REDIS(redis, NULL, "DEL", "large"));
	free(value);
	rt_redis_destroy(redis);
}

static void test_closed_while_idle(void **state)
{
	(void)state;
	struct rt_redis *redis = make(url(0, NULL));
	struct rt_redis *other = make(url(0, NULL));
	OK(RT_REDIS(redis, NULL, "PING"));
	OK(RT_REDIS(other, NULL, "CLIENT", "KILL", "TYPE", "normal"));
	rt_clock_sleep_us(50 * RT_US_PER_MS);
	OK(RT_REDIS(redis, NULL, "PING"));
	rt_redis_destroy(redis);
	rt_redis_destroy(other);
}

static void test_no_answer_and_breaker(void **state)
{
	(void)state;
	struct proxy *proxy = proxy_new(server_port());
	struct rt_redis *redis = make(url(proxy_port(proxy), NULL));
	OK(RT_REDIS(redis, NULL, "PING"));
	for (int i = 0; i < 3; i++) {
		proxy_set(proxy, "", PROXY_STALL);
		int64_t begun_us = rt_clock_mono_us();
		FAILS(RT_REDIS(redis, NULL, "PING"), UNAVAILABLE, "REDIS_UNAVAILABLE");
		assert_in_range(rt_clock_mono_us() - begun_us, 190 * RT_US_PER_MS,
				400 * RT_US_PER_MS);
	}
	/* The breaker is open: nothing is waited for. */
	int64_t begun_us = rt_clock_mono_us();
	for (int i = 0; i < 20; i++)
		FAILS(RT_REDIS(redis, NULL, "PING"), UNAVAILABLE, "REDIS_UNAVAILABLE");
	assert_true(rt_clock_mono_us() - begun_us < 50 * RT_US_PER_MS);
	proxy_set(proxy, "", PROXY_PASS);
	rt_clock_sleep_us(300 * RT_US_PER_MS);
	OK(RT_REDIS(redis, NULL, "PING"));
	rt_redis_destroy(redis);
	proxy_destroy(proxy);
}

static void test_lost_in_the_middle(void **state)
{
	(void)state;
	struct proxy *proxy = proxy_new(server_port());
	struct rt_redis *redis = make(url(proxy_port(proxy), NULL));
	OK(RT_REDIS(redis, NULL, "PING"));
	proxy_set(proxy, "PING", PROXY_DELIVER_AND_CUT);
	FAILS(RT_REDIS(redis, NULL, "PING"), UNAVAILABLE, "REDIS_UNAVAILABLE");
	OK(RT_REDIS(redis, NULL, "PING"));
	rt_redis_destroy(redis);
	proxy_destroy(proxy);
}

static void test_a_late_reply_is_not_taken_for_the_next(void **state)
{
	(void)state;
	struct rt_redis *redis = make(url(0, NULL));
	struct rt_redis_reply reply;
	OK(RT_REDIS(redis, NULL, "SET", "k", "right"));
	FAILS(RT_REDIS(redis, NULL, "BLPOP", "nothing", "0.3"), UNAVAILABLE, "REDIS_UNAVAILABLE");
	rt_clock_sleep_us(200 * RT_US_PER_MS);
	OK(RT_REDIS(redis, &reply, "GET", "k"));
	assert_string_equal(reply.text, "right");
	rt_redis_reply_deinit(&reply);
	rt_redis_destroy(redis);
}

static void test_wrong_password(void **state)
{
	(void)state;
	struct rt_redis *redis = make(url(0, "wr0ng"));
	struct rt_status status = RT_REDIS(redis, NULL, "PING");
	assert_null(strstr(status.detail, "wr0ng"));
	FAILS(status, UNAVAILABLE, "REDIS_UNAVAILABLE");
	rt_redis_destroy(redis);
	/* The configured password wins over the URL's. */
	char right[128];
	const char *given = strstr(fixture_env("DALER_REDIS"), "default:") + strlen("default:");
	snprintf(right, sizeof(right), "%.*s", (int)strcspn(given, "@"), given);
	struct rt_secret password = rt_secret_copy(right, strlen(right));
	redis = rt_redis_new(
		&(struct rt_redis_config){.url = url(0, "wr0ng"), .password = &password});
	OK(RT_REDIS(redis, NULL, "PING"));
	rt_redis_destroy(redis);
	rt_secret_deinit(&password);
}

static void test_nobody_listens(void **state)
{
	(void)state;
	struct proxy *gone = proxy_new(1);
	struct rt_redis *redis = make(url(proxy_port(gone), NULL));
	proxy_destroy(gone);
	for (int i = 0; i < 10; i++)
		FAILS(RT_REDIS(redis, NULL, "PING"), UNAVAILABLE, "REDIS_UNAVAILABLE");
	rt_redis_destroy(redis);
}

static void test_restart(void **state)
{
	(void)state;
	struct rt_redis *redis = make(url(0, NULL));
	OK(RT_REDIS(redis, NULL, "PING"));
	assert_int_equal(kill((pid_t)strtol(fixture_env("DALER_REDIS_PID"), NULL, 10), SIGKILL), 0);
	int64_t until_us = in_ms(20000);
	struct rt_status status;
	rt_clock_sleep_us(50 * RT_US_PER_MS);
	do {
		status = RT_REDIS(redis, NULL, "PING");
		rt_clock_sleep_us(20 * RT_US_PER_MS);
	} while (!rt_is_ok(&status) && rt_clock_mono_us() < until_us);
	OK(status);
	rt_redis_destroy(redis);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_refused_commands),
		cmocka_unit_test(test_large_values),
		cmocka_unit_test(test_closed_while_idle),
		cmocka_unit_test(test_no_answer_and_breaker),
		cmocka_unit_test(test_lost_in_the_middle),
		cmocka_unit_test(test_a_late_reply_is_not_taken_for_the_next),
		cmocka_unit_test(test_wrong_password),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
