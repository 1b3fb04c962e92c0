/* Connections that are lost: what is known of the outcome, and how work goes on. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "rt/clock.h"

static struct proxy *proxy;
static struct rt_pg *pg; /* through the proxy */
static struct rt_arena arena;

static const struct rt_pg_statement insert = {"loss_insert", "INSERT INTO loss (id) VALUES ($1)"};
static const struct rt_pg_statement sleep_s = {"loss_sleep",
					       "SELECT 1::bigint FROM pg_sleep($1::bigint)"};
static const struct rt_pg_statement writing_sleep = {
	"loss_sleep_and_write", "INSERT INTO loss (id) SELECT $1 FROM pg_sleep(30)"};

static int set_up(void **state)
{
	(void)state;
	struct rt_pg *direct = fixture_pg(0);
	script(direct, "DROP TABLE IF EXISTS loss; CREATE TABLE loss (id bigint PRIMARY KEY)");
	rt_pg_destroy(direct);
	proxy = proxy_new(fixture_port(fixture_env("DALER_ACCOUNTS_DB")));
	pg = fixture_pg(proxy_port(proxy));
	rt_arena_init(&arena, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rt_pg_destroy(pg);
	proxy_destroy(proxy);
	rt_arena_deinit(&arena);
	return 0;
}

static struct rt_pg_params one(int64_t value)
{
	struct rt_pg_params made;
	rt_pg_params_init(&made, &arena);
	rt_pg_add_int(&made, value);
	return made;
}

static int64_t rows_there(void)
{
	return ask_int("loss_count", "SELECT count(*) FROM loss");
}

/* One insert in a pipeline, committed in a second round trip. */
static struct rt_status insert_in_two_trips(int64_t id, int64_t deadline_us)
{
	struct rt_pg_params made = one(id);
	struct rt_pg_rows rows = {0};
	RT_TRY(rt_pg_send_begin(pg, deadline_us));
	RT_TRY(rt_pg_send(pg, &insert, &made));
	RT_TRY(rt_pg_receive(pg, &rows, 1));
	rt_pg_rows_deinit(&rows);
	RT_TRY(rt_pg_send_commit(pg));
	return rt_pg_receive(pg, NULL, 0);
}

static struct rt_status insert_alone(int64_t id, int64_t deadline_us)
{
	struct rt_pg_params made = one(id);
	return rt_pg_run(pg, &insert, &made, deadline_us, NULL);
}

static void test_idle_connection_killed(void **state)
{
	(void)state;
	OK(insert_alone(1, in_ms(5000)));
	kill_backend(backend_of(pg));
	/* Noticed before anything is sent, so not even a write is in doubt. */
	OK(insert_alone(2, in_ms(5000)));
	kill_backend(backend_of(pg));
	OK(insert_in_two_trips(3, in_ms(5000)));
	assert_int_equal(rows_there(), 3);
}

struct killer {
	int64_t backend;
	int64_t after_ms;
};

static void *kill_later(void *argument)
{
	const struct killer *killer = argument;
	rt_clock_sleep_us(killer->after_ms * RT_US_PER_MS);
	kill_backend(killer->backend);
	return NULL;
}

static void test_killed_in_the_middle_of_a_read(void **state)
{
	(void)state;
	struct rt_pg_params made = one(30);
	struct killer killer = {backend_of(pg), 200};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, kill_later, &killer), 0);
	FAILS(rt_pg_run(pg, &sleep_s, &made, in_ms(20000), NULL), UNAVAILABLE,
	      "DATABASE_UNAVAILABLE");
	pthread_join(thread, NULL);
	OK(rt_pg_ping(pg, in_ms(5000)));
}

static void test_killed_in_the_middle_of_a_write(void **state)
{
	(void)state;
	struct rt_pg_params made = one(1);
	struct killer killer = {backend_of(pg), 200};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, kill_later, &killer), 0);
	FAILS(rt_pg_run(pg, &writing_sleep, &made, in_ms(20000), NULL), OUTCOME_UNKNOWN,
	      "OUTCOME_UNKNOWN");
	pthread_join(thread, NULL);
	/* In a transaction it is a failure: nothing was committed without a COMMIT. */
	{
		CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
		killer.backend = backend_of(pg);
		OK(rt_pg_begin(pg, in_ms(20000), &tx));
		assert_int_equal(pthread_create(&thread, NULL, kill_later, &killer), 0);
		FAILS(rt_pg_run(pg, &writing_sleep, &made, in_ms(20000), NULL), UNAVAILABLE,
		      "DATABASE_UNAVAILABLE");
		pthread_join(thread, NULL);
		/* And the rest of it is not carried out outside of it. */
		FAILS(insert_alone(2, in_ms(5000)), INTERNAL, "TRANSACTION_GONE");
	}
	OK(insert_alone(3, in_ms(5000)));
	assert_int_equal(rows_there(), 1);
}

static void test_commit_lost_on_its_way_there(void **state)
{
	(void)state;
	OK(insert_in_two_trips(1, in_ms(5000)));
	proxy_set(proxy, "rt_commit", PROXY_CUT);
	FAILS(insert_in_two_trips(2, in_ms(5000)), OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN");
	assert_int_equal(rows_there(), 1);
	OK(insert_in_two_trips(3, in_ms(5000)));
}

static void test_commit_lost_on_its_way_back(void **state)
{
	(void)state;
	OK(insert_in_two_trips(1, in_ms(5000)));
	proxy_set(proxy, "rt_commit", PROXY_DELIVER_AND_CUT);
	FAILS(insert_in_two_trips(2, in_ms(5000)), OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN");
	assert_int_equal(rows_there(), 2);
	OK(insert_in_two_trips(3, in_ms(5000)));
}

static void test_commit_without_an_answer(void **state)
{
	(void)state;
	OK(insert_in_two_trips(1, in_ms(5000)));
	proxy_set(proxy, "rt_commit", PROXY_STALL);
	int64_t begun_us = rt_clock_mono_us();
	FAILS(insert_in_two_trips(2, in_ms(500)), OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN");
	assert_true(rt_clock_mono_us() - begun_us < 800 * RT_US_PER_MS);
	assert_int_equal(rows_there(), 2);
	OK(insert_in_two_trips(3, in_ms(5000)));
}

static void test_everything_in_one_trip_lost(void **state)
{
	(void)state;
	struct rt_pg_params made = one(1);
	struct rt_pg_rows rows = {0};
	OK(rt_pg_ping(pg, in_ms(5000)));
	proxy_set(proxy, "loss_insert", PROXY_DELIVER_AND_CUT);
	OK(rt_pg_send_begin(pg, in_ms(5000)));
	OK(rt_pg_send(pg, &insert, &made));
	OK(rt_pg_send_commit(pg));
	FAILS(rt_pg_receive(pg, &rows, 1), OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN");
	assert_int_equal(rows_there(), 1);
}

static void test_before_the_commit_nothing_is_in_doubt(void **state)
{
	(void)state;
	OK(rt_pg_ping(pg, in_ms(5000)));
	proxy_set(proxy, "loss_insert", PROXY_DELIVER_AND_CUT);
	FAILS(insert_in_two_trips(1, in_ms(5000)), UNAVAILABLE, "DATABASE_UNAVAILABLE");
	proxy_set(proxy, "loss_insert", PROXY_STALL);
	FAILS(insert_in_two_trips(2, in_ms(400)), DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED");
	assert_int_equal(rows_there(), 0);
	OK(insert_in_two_trips(3, in_ms(5000)));
}

static void test_a_write_by_itself(void **state)
{
	(void)state;
	OK(insert_alone(1, in_ms(5000)));
	proxy_set(proxy, "loss_insert", PROXY_DELIVER_AND_CUT);
	FAILS(insert_alone(2, in_ms(5000)), OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN");
	OK(rt_pg_ping(pg, in_ms(5000)));
	proxy_set(proxy, "loss_insert", PROXY_STALL);
	FAILS(insert_alone(3, in_ms(400)), OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN");
	assert_int_equal(rows_there(), 3);
	/* A read is never in doubt. */
	OK(rt_pg_ping(pg, in_ms(5000)));
	proxy_set(proxy, "rt_ping", PROXY_DELIVER_AND_CUT);
	FAILS(rt_pg_ping(pg, in_ms(5000)), UNAVAILABLE, "DATABASE_UNAVAILABLE");
	OK(rt_pg_ping(pg, in_ms(5000)));
	proxy_set(proxy, "rt_ping", PROXY_STALL);
	FAILS(rt_pg_ping(pg, in_ms(300)), DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED");
}

static void test_a_refused_write_that_is_lost_is_a_failure(void **state)
{
	(void)state;
	OK(insert_alone(1, in_ms(5000)));
	FAILS(insert_alone(1, in_ms(5000)), ALREADY_EXISTS, "UNIQUE_VIOLATION");
	OK(insert_alone(2, in_ms(5000)));
}

static void test_the_server_is_told_to_stop(void **state)
{
	(void)state;
	/* The statement timeout can't end this one: the server hears of no timeout, only the client
	 * has one. */
	struct rt_pg_params made = one(60);
	static const struct rt_pg_statement no_timeout = {"no_timeout",
							  "SET statement_timeout = 0"};
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	int64_t backend = backend_of(pg);
	OK(rt_pg_begin(pg, in_ms(500), &tx));
	OK(rt_pg_run(pg, &no_timeout, NULL, in_ms(5000), NULL));
	FAILS(rt_pg_run(pg, &sleep_s, &made, in_ms(5000), NULL), DEADLINE_EXCEEDED,
	      "DEADLINE_EXCEEDED");
	char sql[128];
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM pg_stat_activity WHERE pid = %d",
		 (int)backend);
	int64_t until_us = in_ms(800);
	while (ask_int("still_there", sql) != 0) {
		assert_true(rt_clock_mono_us() < until_us);
		rt_clock_sleep_us(20 * RT_US_PER_MS);
	}
}

static void test_nobody_listens(void **state)
{
	(void)state;
	struct proxy *gone = proxy_new(1);
	int port = proxy_port(gone);
	proxy_destroy(gone);
	struct rt_pg *other = fixture_pg(port);
	struct rt_status status = rt_pg_ping(other, in_ms(5000));
	assert_null(strstr(status.detail, "password"));
	FAILS(status, UNAVAILABLE, "DATABASE_UNAVAILABLE");
	/* Short delays are waited for; after a few failures calls fail at once, and say when to
	 * come back. */
	for (int i = 0; i < 5; i++)
		FAILS(rt_pg_ping(other, in_ms(5000)), UNAVAILABLE, "DATABASE_UNAVAILABLE");
	int64_t begun_us = rt_clock_mono_us();
	status = rt_pg_ping(other, in_ms(5000));
	assert_true(rt_clock_mono_us() - begun_us < 50 * RT_US_PER_MS);
	assert_true(status.retry_after_ms > 0);
	FAILS(status, UNAVAILABLE, "DATABASE_UNAVAILABLE");
	rt_pg_destroy(other);
}

static void test_a_server_that_does_not_answer(void **state)
{
	(void)state;
	/* Accepts, and says nothing to the startup message. */
	proxy_set(proxy, "application_name", PROXY_STALL);
	struct rt_pg *other = rt_pg_new(&(struct rt_pg_config){
		.conninfo = fixture_conninfo("DALER_ACCOUNTS_DB", proxy_port(proxy)),
		.connect_ms_max = 300,
	});
	int64_t begun_us = rt_clock_mono_us();
	FAILS(rt_pg_ping(other, in_ms(5000)), UNAVAILABLE, "DATABASE_UNAVAILABLE");
	assert_in_range(rt_clock_mono_us() - begun_us, 250 * RT_US_PER_MS, 600 * RT_US_PER_MS);
	OK(rt_pg_ping(other, in_ms(5000)));
	rt_pg_destroy(other);
	/* The caller's deadline is shorter than that of connecting. */
	proxy_set(proxy, "application_name", PROXY_STALL);
	FAILS(rt_pg_ping(pg, in_ms(200)), DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED");
	OK(rt_pg_ping(pg, in_ms(5000)));
}

static void test_wrong_password(void **state)
{
	(void)state;
	struct rt_secret wrong = rt_secret_copy("wr0ngPassw0rd", 13);
	struct rt_pg *other = rt_pg_new(&(struct rt_pg_config){
		.conninfo = fixture_conninfo("DALER_ACCOUNTS_DB", 0), .password = &wrong});
	struct rt_status status = rt_pg_ping(other, in_ms(5000));
	assert_null(strstr(status.detail, "wr0ng"));
	FAILS(status, UNAVAILABLE, "DATABASE_UNAVAILABLE");
	rt_pg_destroy(other);
	rt_secret_deinit(&wrong);
}

static void test_malformed_connection_string(void **state)
{
	(void)state;
	FAILS(rt_pg_check_conninfo("host=x passwort=geheim"), INVALID_ARGUMENT, "INVALID_SETTING");
	OK(rt_pg_check_conninfo(fixture_env("DALER_ACCOUNTS_DB")));
	OK(rt_pg_check_conninfo("postgresql://user@host:5432/db?sslmode=verify-full"));
	struct rt_pg *other = rt_pg_new(&(struct rt_pg_config){.conninfo = "host"});
	FAILS(rt_pg_ping(other, in_ms(5000)), UNAVAILABLE, "DATABASE_UNAVAILABLE");
	rt_pg_destroy(other);
}

/* Every step of a transaction, with the connection lost at each: an acknowledged row is there, a
 * failed one is not, and an unknown one may be. */
static void test_loss_at_random(void **state)
{
	(void)state;
	static const char *const watched[] = {"loss_insert", "rt_commit", "rt_begin"};
	static const enum proxy_act acts[] = {PROXY_CUT, PROXY_DELIVER_AND_CUT, PROXY_STALL};
	bool may_be_there[120] = {false};
	bool must_be_there[120] = {false};
	for (int i = 0; i < 120; i++) {
		if (i % 2 == 0)
			proxy_set(proxy, watched[rt_random_below(3)], acts[rt_random_below(3)]);
		struct rt_status status = i % 3 == 0 ? insert_alone(i, in_ms(200))
						     : insert_in_two_trips(i, in_ms(200));
		must_be_there[i] = rt_is_ok(&status);
		may_be_there[i] = rt_is_ok(&status) || status.code == RT_OUTCOME_UNKNOWN;
		proxy_set(proxy, "", PROXY_PASS);
	}
	int64_t unknown = 0;
	for (int i = 0; i < 120; i++) {
		char sql[64];
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM loss WHERE id = %d", i);
		int64_t there = ask_int("loss_one", sql);
		assert_true(there == 1 || !must_be_there[i]);
		assert_true(there == 0 || may_be_there[i]);
		unknown += must_be_there[i] != may_be_there[i];
	}
	print_message("%d of 120 unknown\n", (int)unknown);
}

static void test_server_restart(void **state)
{
	(void)state;
	/* The sandbox's supervisor starts the server again when it dies. */
	long postmaster = strtol(fixture_env("DALER_POSTGRES_PID"), NULL, 10);
	OK(insert_alone(1, in_ms(5000)));
	assert_int_equal(kill((pid_t)postmaster, SIGQUIT), 0);
	struct rt_status status;
	int64_t until_us = in_ms(30000);
	int attempts = 0;
	do {
		attempts++;
		status = insert_in_two_trips(1000 + attempts, in_ms(2000));
		rt_clock_sleep_us(20 * RT_US_PER_MS);
	} while ((!rt_is_ok(&status) || attempts < 5) && rt_clock_mono_us() < until_us);
	OK(status);
	assert_true(rows_there() >= 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		TEST(test_idle_connection_killed),
		TEST(test_killed_in_the_middle_of_a_read),
		TEST(test_killed_in_the_middle_of_a_write),
		TEST(test_commit_lost_on_its_way_there),
		TEST(test_commit_lost_on_its_way_back),
		TEST(test_commit_without_an_answer),
		TEST(test_everything_in_one_trip_lost),
		TEST(test_before_the_commit_nothing_is_in_doubt),
		TEST(test_a_write_by_itself),
		TEST(test_a_refused_write_that_is_lost_is_a_failure),
		TEST(test_the_server_is_told_to_stop),
		TEST(test_nobody_listens),
		TEST(test_a_server_that_does_not_answer),
		TEST(test_wrong_password),
		TEST(test_malformed_connection_string),
		TEST(test_loss_at_random),
		TEST(test_server_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
