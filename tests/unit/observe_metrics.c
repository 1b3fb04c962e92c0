#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base_aborts.h"
#include "rt/metrics.h"

static char *scrape(void)
{
	size_t length;
	char *text = rt_metrics_text(&length);
	assert_non_null(text);
	assert_int_equal(strlen(text), length);
	assert_int_equal(text[length - 1], '\n');
	return text;
}

/* A whole line of the text. */
static bool has_line(const char *text, const char *line)
{
	size_t length = strlen(line);
	for (const char *at = strstr(text, line); at != NULL; at = strstr(at + 1, line))
		if ((at == text || at[-1] == '\n') && at[length] == '\n')
			return true;
	return false;
}

static void expect_line(const char *line)
{
	char *text = scrape();
	if (!has_line(text, line))
		fail_msg("no line %s in\n%s", line, text);
	free(text);
}

static void test_counter_and_gauge(void **state)
{
	(void)state;
	struct rt_series *series = RT_SERIES(SERVER_SHED, "daler.accounts.v1.Accounts", "Post");
	rt_series_add(series, 1);
	rt_series_add(series, 41);
	assert_int_equal(rt_series_value(series), 42);
	expect_line("daler_server_calls_shed_total{grpc_service=\"daler.accounts.v1.Accounts\","
		    "grpc_method=\"Post\"} 42");
	expect_line("# TYPE daler_server_calls_shed_total counter");
	expect_line("# HELP daler_server_calls_shed_total Calls refused for load");
	struct rt_series *gauge = RT_SERIES(SERVER_IN_FLIGHT);
	rt_series_add(gauge, 5);
	rt_series_add(gauge, -7);
	expect_line("daler_server_calls_in_flight -2");
	rt_series_set(gauge, 3);
	expect_line("daler_server_calls_in_flight 3");
	expect_line("# TYPE daler_server_calls_in_flight gauge");
}

static void test_same_labels_are_one_series(void **state)
{
	(void)state;
	struct rt_series *series = RT_SERIES(PAYMENTS, "deposit", "settled");
	char kind[] = "deposit";
	assert_ptr_equal(RT_SERIES(PAYMENTS, kind, "settled"), series);
	assert_ptr_not_equal(RT_SERIES(PAYMENTS, "deposit", "failed"), series);
	assert_ptr_not_equal(RT_SERIES(PAYMENTS, "settled", "deposit"), series);
	assert_ptr_not_equal(RT_SERIES(PAYMENTS, "deposits", "ettled"), series);
	assert_ptr_not_equal(RT_SERIES(LOGINS, "deposit"), RT_SERIES(SERVER_DENIED, "deposit"));
}

static void test_histogram_of_durations(void **state)
{
	(void)state;
	struct rt_series *series = RT_SERIES(PG_SECONDS, "lock_accounts");
	const int64_t durations_us[] = {-3,   0,       50,       51,       1000,
					1001, 9999999, 10000000, 10000001, 60000000};
	for (size_t i = 0; i < sizeof(durations_us) / sizeof(durations_us[0]); i++)
		rt_series_observe_us(series, durations_us[i]);
	const char *const lines[] = {
		"# TYPE daler_pg_statement_seconds histogram",
		"daler_pg_statement_seconds_bucket{statement=\"lock_accounts\",le=\"0.00005\"} 3",
		"daler_pg_statement_seconds_bucket{statement=\"lock_accounts\",le=\"0.0001\"} 4",
		"daler_pg_statement_seconds_bucket{statement=\"lock_accounts\",le=\"0.0005\"} 4",
		"daler_pg_statement_seconds_bucket{statement=\"lock_accounts\",le=\"0.001\"} 5",
		"daler_pg_statement_seconds_bucket{statement=\"lock_accounts\",le=\"0.0025\"} 6",
		"daler_pg_statement_seconds_bucket{statement=\"lock_accounts\",le=\"5\"} 6",
		"daler_pg_statement_seconds_bucket{statement=\"lock_accounts\",le=\"10\"} 8",
		"daler_pg_statement_seconds_bucket{statement=\"lock_accounts\",le=\"+Inf\"} 10",
		"daler_pg_statement_seconds_sum{statement=\"lock_accounts\"} 90.002102",
		"daler_pg_statement_seconds_count{statement=\"lock_accounts\"} 10",
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect_line(lines[i]);
}

static void test_histogram_of_sizes(void **state)
{
	(void)state;
	struct rt_series *series = RT_SERIES(COMMIT_BATCH, "post");
	const int64_t counts[] = {1, 2, 3, 1000, 65536, 65537};
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		rt_series_observe_count(series, counts[i]);
	expect_line("daler_commit_batch_size_bucket{name=\"post\",le=\"1\"} 1");
	expect_line("daler_commit_batch_size_bucket{name=\"post\",le=\"2\"} 2");
	expect_line("daler_commit_batch_size_bucket{name=\"post\",le=\"4\"} 3");
	expect_line("daler_commit_batch_size_bucket{name=\"post\",le=\"512\"} 3");
	expect_line("daler_commit_batch_size_bucket{name=\"post\",le=\"1024\"} 4");
	expect_line("daler_commit_batch_size_bucket{name=\"post\",le=\"65536\"} 5");
	expect_line("daler_commit_batch_size_bucket{name=\"post\",le=\"+Inf\"} 6");
	expect_line("daler_commit_batch_size_sum{name=\"post\"} 132079");
	expect_line("daler_commit_batch_size_count{name=\"post\"} 6");
}

static void test_label_values_are_escaped(void **state)
{
	(void)state;
	rt_series_add(RT_SERIES(CLIENT_RETRIES, "a\"b\\c\nd"), 1);
	expect_line("daler_client_retries_total{target=\"a\\\"b\\\\c\\nd\"} 1");
}

static void test_process(void **state)
{
	(void)state;
	char *text = scrape();
	const char *const names[] = {
		"\nprocess_resident_memory_bytes ",
		"\nprocess_cpu_seconds_total ",
		"\nprocess_open_fds ",
		"\nprocess_start_time_seconds ",
		"\nprocess_max_fds ",
		"\nprocess_virtual_memory_bytes ",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *at = strstr(text, names[i]);
		assert_non_null(at);
		assert_true(strtod(at + strlen(names[i]), NULL) >= 0);
	}
	long long started_s = strtoll(strstr(text, "\nprocess_start_time_seconds ") + 28, NULL, 10);
	long long now_s = (long long)time(NULL);
	assert_true(started_s <= now_s + 1 && started_s > now_s - 3600);
	assert_true(strtoll(strstr(text, "\nprocess_open_fds ") + 18, NULL, 10) >= 3);
	assert_true(strtoll(strstr(text, "\nprocess_resident_memory_bytes ") + 31, NULL, 10) >
		    100000);
	free(text);
}

/* A sample's line: name, perhaps labels, a number. */
static bool is_sample(const char *line, size_t length)
{
	size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
	const char *space = memrchr(line, ' ', length);
	if (name == 0 || space == NULL)
		return false;
	if (line[name] == '{' ? space[-1] != '}' : line + name != space)
		return false;
	size_t number = strspn(space + 1, "-0123456789.");
	return number > 0 && space + 1 + number == line + length;
}

static void test_every_line_has_form(void **state)
{
	(void)state;
	char *text = scrape();
	for (const char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		bool comment = strncmp(line, "# HELP ", 7) == 0 || strncmp(line, "# TYPE ", 7) == 0;
		if (!comment && !is_sample(line, length))
			fail_msg("%.*s", (int)length, line);
		line += length + 1;
	}
	free(text);
}

static void *add_many(void *argument)
{
	(void)argument;
	for (int i = 0; i < 5000; i++) {
		char method[16];
		snprintf(method, sizeof(method), "m%d", i % 50);
		rt_series_add(RT_SERIES(SERVER_STARTED, "unary", "Race", method), 1);
		rt_series_observe_us(RT_SERIES(REDIS_SECONDS, "GET"), i);
	}
	return NULL;
}

static void test_threads(void **state)
{
	(void)state;
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
	for (int i = 0; i < 20; i++)
		free(scrape());
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 50; i++) {
		char line[160];
		snprintf(line, sizeof(line),
			 "grpc_server_started_total{grpc_type=\"unary\",grpc_service=\"Race\",grpc_"
			 "method=\"m%d\"}"
			 " 400",
			 i);
		expect_line(line);
	}
	expect_line("daler_redis_command_seconds_count{command=\"GET\"} 20000");
}

static void test_series_are_bounded(void **state)
{
	(void)state;
	struct rt_series *other = NULL;
	for (int i = 0; i < 3000; i++) {
		char target[16];
		snprintf(target, sizeof(target), "t%d", i);
		struct rt_series *series = RT_SERIES(CLIENT_BREAKER, target);
		rt_series_add(series, 1);
		if (i == 2998)
			other = series;
		if (i == 2999)
			assert_ptr_equal(series, other);
	}
	assert_true(rt_series_value(other) > 1000);
	char *text = scrape();
	assert_non_null(strstr(text, "daler_client_breaker_open{target=\"other\"} "));
	free(text);
	/* What was there, and other metrics, go on as before. */
	assert_ptr_not_equal(RT_SERIES(CLIENT_BREAKER, "t5"), other);
	assert_ptr_not_equal(RT_SERIES(CACHE, "hit"), RT_SERIES(CACHE, "miss"));
}

static void decrease_counter(void *argument)
{
	(void)argument;
	rt_series_add(RT_SERIES(LOGINS, "ok"), -1);
}

static void observe_counter(void *argument)
{
	(void)argument;
	rt_series_observe_us(RT_SERIES(LOGINS, "ok"), 1);
}

static void set_counter(void *argument)
{
	(void)argument;
	rt_series_set(RT_SERIES(LOGINS, "ok"), 1);
}

static void forget_label(void *argument)
{
	(void)argument;
	RT_SERIES(PAYMENTS, "deposit");
}

static void test_misuse_aborts(void **state)
{
	(void)state;
	assert_true(aborts(decrease_counter, NULL));
	assert_true(aborts(observe_counter, NULL));
	assert_true(aborts(set_counter, NULL));
	assert_true(aborts(forget_label, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counter_and_gauge),
		cmocka_unit_test(test_same_labels_are_one_series),
		cmocka_unit_test(test_histogram_of_durations),
		cmocka_unit_test(test_histogram_of_sizes),
		cmocka_unit_test(test_label_values_are_escaped),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_every_line_has_form),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_series_are_bounded),
		cmocka_unit_test(test_misuse_aborts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
