/* Statements, types, transactions, pipelines and errors against a real PostgreSQL. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "rt/clock.h"

static struct rt_pg *pg;
static struct rt_arena arena;
static struct rt_pg_params params;

static int set_up(void **state)
{
	(void)state;
	pg = fixture_pg(0);
	rt_arena_init(&arena, 8 << 20);
	rt_pg_params_init(&params, &arena);
	script(pg, "DROP TABLE IF EXISTS child, thing;"
		   "CREATE TABLE thing (id bigint PRIMARY KEY, n bigint CONSTRAINT n_positive "
		   "CHECK (n > 0));"
		   "CREATE TABLE child (id bigint PRIMARY KEY,"
		   " thing bigint CONSTRAINT child_of_thing REFERENCES thing(id) DEFERRABLE "
		   "INITIALLY DEFERRED)");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rt_pg_destroy(pg);
	rt_arena_deinit(&arena);
	return 0;
}

static const struct rt_pg_statement insert_thing = {"insert_thing",
						    "INSERT INTO thing (id, n) VALUES ($1, $2)"};
static const struct rt_pg_statement insert_child = {
	"insert_child", "INSERT INTO child (id, thing) VALUES ($1, $2)"};
static const struct rt_pg_statement count_things = {"count_things", "SELECT count(*) FROM thing"};
static const struct rt_pg_statement sleep_ms = {
	"sleep_ms", "SELECT 1::bigint FROM pg_sleep($1::bigint / 1000.0)"};
static const struct rt_pg_statement lock_thing = {"lock_thing",
						  "SELECT n FROM thing WHERE id = $1 FOR UPDATE"};

static struct rt_pg_params two(int64_t a, int64_t b)
{
	struct rt_pg_params made;
	rt_pg_params_init(&made, &arena);
	rt_pg_add_int(&made, a);
	rt_pg_add_int(&made, b);
	return made;
}

static struct rt_pg_params one(int64_t a)
{
	struct rt_pg_params made;
	rt_pg_params_init(&made, &arena);
	rt_pg_add_int(&made, a);
	return made;
}

static struct rt_status put(struct rt_pg *on, int64_t id, int64_t n)
{
	struct rt_pg_params made = two(id, n);
	return rt_pg_run(on, &insert_thing, &made, in_ms(5000), NULL);
}

static int64_t things(void)
{
	struct rt_pg_rows rows = {0};
	OK(rt_pg_run(pg, &count_things, NULL, in_ms(5000), &rows));
	int64_t count = rt_pg_int(&rows, 0, 0);
	rt_pg_rows_deinit(&rows);
	return count;
}

static void test_scalars_round_trip(void **state)
{
	(void)state;
	static const struct rt_pg_statement echo = {
		"echo", "SELECT $1::bigint, $2::bool, $3::text, $4::uuid, $5::bytea, "
			"$6::timestamptz, $1::bigint::int % 7,"
			" 12::smallint, $3::text::varchar, 'x'::\"char\", '{\"a\": 1}'::jsonb, "
			"$6::timestamptz::text"};
	struct rt_uuid id = rt_uuid_v7();
	const int64_t when_us = INT64_C(1700000000123456);
	rt_pg_add_int(&params, INT32_MIN);
	rt_pg_add_bool(&params, true);
	rt_pg_add_text(&params, "Zażółć gęślą jaźń");
	rt_pg_add_uuid(&params, &id);
	rt_pg_add_bytes(&params, "\0\1\2\377", 4);
	rt_pg_add_time(&params, when_us);
	struct rt_pg_rows rows = {0};
	OK(rt_pg_run(pg, &echo, &params, in_ms(5000), &rows));
	size_t length;
	assert_int_equal(rows.count, 1);
	assert_int_equal(rt_pg_int(&rows, 0, 0), INT32_MIN);
	assert_true(rt_pg_bool(&rows, 0, 1));
	assert_string_equal(rt_pg_text(&rows, 0, 2), "Zażółć gęślą jaźń");
	struct rt_uuid back = rt_pg_uuid(&rows, 0, 3);
	assert_true(rt_uuid_equal(&back, &id));
	assert_memory_equal(rt_pg_bytes(&rows, 0, 4, &length), "\0\1\2\377", 4);
	assert_int_equal(length, 4);
	assert_int_equal(rt_pg_time_us(&rows, 0, 5), when_us);
	assert_int_equal(rt_pg_int(&rows, 0, 6), INT32_MIN % 7);
	assert_int_equal(rt_pg_int(&rows, 0, 7), 12);
	assert_string_equal(rt_pg_text(&rows, 0, 8), "Zażółć gęślą jaźń");
	assert_string_equal(rt_pg_text(&rows, 0, 9), "x");
	assert_string_equal(rt_pg_text(&rows, 0, 10), "{\"a\": 1}");
	assert_string_equal(rt_pg_text(&rows, 0, 11), "2023-11-14 22:13:20.123456+00");
	rt_pg_rows_deinit(&rows);
}

static void test_extremes_round_trip(void **state)
{
	(void)state;
	static const struct rt_pg_statement echo = {"extremes",
						    "SELECT $1::bigint, $2::bigint, $3::text, "
						    "$4::bytea, $5::timestamptz, $6::timestamptz"};
	rt_pg_add_int(&params, INT64_MAX);
	rt_pg_add_int(&params, INT64_MIN);
	rt_pg_add_text(&params, "");
	rt_pg_add_bytes(&params, "", 0);
	rt_pg_add_time(&params, INT64_MAX);
	rt_pg_add_time(&params, -1);
	struct rt_pg_rows rows = {0};
	size_t length = 7;
	OK(rt_pg_run(pg, &echo, &params, in_ms(5000), &rows));
	assert_true(rt_pg_int(&rows, 0, 0) == INT64_MAX);
	assert_true(rt_pg_int(&rows, 0, 1) == INT64_MIN);
	assert_string_equal(rt_pg_text(&rows, 0, 2), "");
	assert_non_null(rt_pg_bytes(&rows, 0, 3, &length));
	assert_int_equal(length, 0);
	assert_true(rt_pg_time_us(&rows, 0, 4) == INT64_MAX);
	assert_int_equal(rt_pg_time_us(&rows, 0, 5), -1);
	rt_pg_rows_deinit(&rows);
}

static void test_nulls_round_trip(void **state)
{
	(void)state;
	static const struct rt_pg_statement echo = {
		"nulls", "SELECT $1::text, $2::uuid, $3::bytea, $4::bigint"};
	rt_pg_add_text(&params, NULL);
	rt_pg_add_uuid(&params, NULL);
	rt_pg_add_bytes(&params, NULL, 0);
	rt_pg_add_null(&params, RT_PG_BIGINT);
	struct rt_pg_rows rows = {0};
	size_t length;
	OK(rt_pg_run(pg, &echo, &params, in_ms(5000), &rows));
	for (int i = 0; i < 4; i++)
		assert_true(rt_pg_is_null(&rows, 0, i));
	assert_null(rt_pg_text(&rows, 0, 0));
	assert_null(rt_pg_bytes(&rows, 0, 2, &length));
	rt_pg_rows_deinit(&rows);
}

static void test_arrays_round_trip(void **state)
{
	(void)state;
	static const struct rt_pg_statement echo = {
		"arrays",
		"SELECT a, b, c, d, e, f, g FROM unnest($1::bigint[], $2::smallint[], $3::bool[], "
		"$4::uuid[],"
		" $5::text[], $6::bytea[], $7::timestamptz[]) AS t (a, b, c, d, e, f, g)"};
	const int64_t ints[] = {1, 0, INT64_MAX};
	const int64_t smalls[] = {-32768, 32767, 0};
	const bool nulls[] = {false, true, false};
	const bool bools[] = {true, false, true};
	const struct rt_uuid ids[] = {rt_uuid_v7(), rt_uuid_v7(), rt_uuid_v7()};
	const char *const texts[] = {"a,\"{}", NULL, ""};
	const int64_t times[] = {0, 1, 2};
	rt_pg_add_int_array(&params, ints, nulls, 3);
	rt_pg_add_smallint_array(&params, smalls, NULL, 3);
	rt_pg_add_bool_array(&params, bools, 3);
	rt_pg_add_uuid_array(&params, ids, nulls, 3);
	rt_pg_add_text_array(&params, texts, 3);
	rt_pg_add_bytes_array(&params, "abcdef", 2, 3);
	rt_pg_add_time_array(&params, times, 3);
	struct rt_pg_rows rows = {0};
	size_t length;
	OK(rt_pg_run(pg, &echo, &params, in_ms(5000), &rows));
	assert_int_equal(rows.count, 3);
	assert_true(rt_pg_int(&rows, 2, 0) == INT64_MAX);
	assert_true(rt_pg_is_null(&rows, 1, 0));
	assert_int_equal(rt_pg_int(&rows, 0, 1), -32768);
	assert_false(rt_pg_bool(&rows, 1, 2));
	struct rt_uuid last = rt_pg_uuid(&rows, 2, 3);
	assert_true(rt_uuid_equal(&last, &ids[2]));
	assert_true(rt_pg_is_null(&rows, 1, 3));
	assert_string_equal(rt_pg_text(&rows, 0, 4), "a,\"{}");
	assert_true(rt_pg_is_null(&rows, 1, 4));
	assert_string_equal(rt_pg_text(&rows, 2, 4), "");
	assert_memory_equal(rt_pg_bytes(&rows, 1, 5, &length), "cd", 2);
	assert_int_equal(rt_pg_time_us(&rows, 2, 6), 2);
	rt_pg_rows_deinit(&rows);
}

static void test_empty_arrays(void **state)
{
	(void)state;
	static const struct rt_pg_statement count = {
		"empty_arrays", "SELECT cardinality($1::bigint[]) + cardinality($2::text[]) + "
				"cardinality($3::uuid[])"};
	rt_pg_add_int_array(&params, NULL, NULL, 0);
	rt_pg_add_text_array(&params, NULL, 0);
	rt_pg_add_uuid_array(&params, NULL, NULL, 0);
	struct rt_pg_rows rows = {0};
	OK(rt_pg_run(pg, &count, &params, in_ms(5000), &rows));
	assert_int_equal(rt_pg_int(&rows, 0, 0), 0);
	rt_pg_rows_deinit(&rows);
}

static void test_large_arrays_and_results(void **state)
{
	(void)state;
	static const struct rt_pg_statement echo = {"large", "SELECT unnest($1::bigint[])"};
	enum { COUNT = 200000 };
	int64_t *values = rt_arena_array(&arena, COUNT, sizeof(*values));
	for (int64_t i = 0; i < COUNT; i++)
		values[i] = i;
	rt_pg_add_int_array(&params, values, NULL, COUNT);
	struct rt_pg_rows rows = {0};
	OK(rt_pg_run(pg, &echo, &params, in_ms(20000), &rows));
	assert_int_equal(rows.count, COUNT);
	assert_int_equal(rt_pg_int(&rows, COUNT - 1, 0), COUNT - 1);
	rt_pg_rows_deinit(&rows);
}

static void test_parameters_that_do_not_fit(void **state)
{
	(void)state;
	struct rt_arena small;
	struct rt_pg_params made;
	const int64_t values[64] = {0};
	static const struct rt_pg_statement echo = {"overflow", "SELECT $1::bigint[]"};
	rt_arena_init(&small, 64);
	rt_pg_params_init(&made, &small);
	rt_pg_add_int_array(&made, values, NULL, 64);
	FAILS(rt_pg_run(pg, &echo, &made, in_ms(1000), NULL), RESOURCE_EXHAUSTED, "ARENA_FULL");
	OK(rt_pg_ping(pg, in_ms(1000)));
	/* In a pipeline it ends the transaction, and what was sent before it is undone. */
	OK(rt_pg_send_begin(pg, in_ms(5000)));
	struct rt_pg_params good = two(1, 1);
	OK(rt_pg_send(pg, &insert_thing, &good));
	FAILS(rt_pg_send(pg, &echo, &made), RESOURCE_EXHAUSTED, "ARENA_FULL");
	assert_int_equal(things(), 0);
	rt_arena_deinit(&small);
}

static void test_violations(void **state)
{
	(void)state;
	OK(put(pg, 1, 1));
	struct rt_status status = put(pg, 1, 1);
	assert_string_equal(status.field, "thing_pkey");
	FAILS(status, ALREADY_EXISTS, "UNIQUE_VIOLATION");
	status = put(pg, 2, -1);
	assert_string_equal(status.field, "n_positive");
	FAILS(status, FAILED_PRECONDITION, "CONSTRAINT_VIOLATION");
	/* Deferred: the statement succeeds, and the implicit commit fails. */
	struct rt_pg_params orphan = two(1, 99);
	status = rt_pg_run(pg, &insert_child, &orphan, in_ms(1000), NULL);
	assert_string_equal(status.field, "child_of_thing");
	FAILS(status, FAILED_PRECONDITION, "CONSTRAINT_VIOLATION");
	assert_int_equal(ask_int("children", "SELECT count(*) FROM child"), 0);
	OK(rt_pg_ping(pg, in_ms(1000)));
}

static void test_defects(void **state)
{
	(void)state;
	static const struct rt_pg_statement nonsense = {"nonsense", "SELECT nothing FROM nowhere"};
	for (int i = 0; i < 2; i++)
		FAILS(rt_pg_run(pg, &nonsense, NULL, in_ms(1000), NULL), INTERNAL,
		      "DATABASE_ERROR");
	/* The failed Prepare is not remembered as done. */
	script(pg, "CREATE TEMP TABLE nowhere AS SELECT 1::bigint AS nothing");
	OK(rt_pg_run(pg, &nonsense, NULL, in_ms(1000), NULL));
}

static void test_transaction_scope(void **state)
{
	(void)state;
	{
		CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
		OK(rt_pg_begin(pg, in_ms(5000), &tx));
		OK(put(pg, 1, 1));
	}
	assert_int_equal(things(), 0);
	{
		CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
		OK(rt_pg_begin(pg, in_ms(5000), &tx));
		OK(put(pg, 1, 1));
		OK(rt_pg_commit(&tx));
	}
	assert_int_equal(things(), 1);
	/* Nothing done: no message is sent. */
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	OK(rt_pg_begin(pg, in_ms(5000), &tx));
	OK(rt_pg_commit(&tx));
}

static void test_failed_transaction_refuses_the_rest(void **state)
{
	(void)state;
	{
		CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
		OK(rt_pg_begin(pg, in_ms(5000), &tx));
		OK(put(pg, 1, 1));
		FAILS(put(pg, 1, 1), ALREADY_EXISTS, "UNIQUE_VIOLATION");
		/* Outside of its transaction this would have been committed by itself. */
		FAILS(put(pg, 2, 2), INTERNAL, "TRANSACTION_GONE");
		FAILS(rt_pg_commit(&tx), INTERNAL, "TRANSACTION_GONE");
	}
	assert_int_equal(things(), 0);
}

static void test_deferred_violation_at_commit(void **state)
{
	(void)state;
	struct rt_pg_params orphan = two(1, 99);
	{
		CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
		OK(rt_pg_begin(pg, in_ms(5000), &tx));
		OK(rt_pg_run(pg, &insert_child, &orphan, in_ms(1000), NULL));
		FAILS(rt_pg_commit(&tx), FAILED_PRECONDITION, "CONSTRAINT_VIOLATION");
	}
	OK(rt_pg_send_begin(pg, in_ms(5000)));
	OK(rt_pg_send(pg, &insert_child, &orphan));
	OK(rt_pg_send_commit(pg));
	struct rt_pg_rows rows = {0};
	FAILS(rt_pg_receive(pg, &rows, 1), FAILED_PRECONDITION, "CONSTRAINT_VIOLATION");
	assert_int_equal(ask_int("children", "SELECT count(*) FROM child"), 0);
	OK(rt_pg_ping(pg, in_ms(1000)));
}

static void test_snapshot(void **state)
{
	(void)state;
	OK(put(pg, 1, 1));
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	OK(rt_pg_begin_snapshot(pg, in_ms(5000), &tx));
	assert_int_equal(things(), 1);
	struct rt_pg *other = fixture_pg(0);
	OK(put(other, 2, 2));
	rt_pg_destroy(other);
	assert_int_equal(things(), 1);
	FAILS(put(pg, 3, 3), UNAVAILABLE, "DATABASE_UNAVAILABLE"); /* read only */
}

static void test_pipeline(void **state)
{
	(void)state;
	struct rt_pg_rows rows[3] = {0};
	OK(rt_pg_send_begin(pg, in_ms(5000)));
	struct rt_pg_params a = two(1, 10);
	struct rt_pg_params b = two(2, 20);
	OK(rt_pg_send(pg, &insert_thing, &a));
	OK(rt_pg_send(pg, &insert_thing, &b));
	OK(rt_pg_send(pg, &count_things, NULL));
	OK(rt_pg_receive(pg, rows, 3));
	assert_int_equal(rt_pg_affected(&rows[0]), 1);
	assert_int_equal(rt_pg_int(&rows[2], 0, 0), 2);
	for (int i = 0; i < 3; i++)
		rt_pg_rows_deinit(&rows[i]);
	struct rt_pg_params c = two(3, 30);
	OK(rt_pg_send(pg, &insert_thing, &c));
	OK(rt_pg_send_commit(pg));
	OK(rt_pg_receive(pg, rows, 1));
	rt_pg_rows_deinit(&rows[0]);
	assert_int_equal(things(), 3);
}

static void test_error_in_the_middle_of_a_pipeline(void **state)
{
	(void)state;
	static const struct rt_pg_statement new_one = {"never_before", "SELECT 41::bigint"};
	struct rt_pg_rows rows[3] = {0};
	struct rt_pg_params good = two(1, 1);
	struct rt_pg_params bad = two(2, -2);
	OK(rt_pg_send_begin(pg, in_ms(5000)));
	OK(rt_pg_send(pg, &insert_thing, &good));
	OK(rt_pg_send(pg, &insert_thing, &bad));
	/* Its Prepare is passed over by the server: it must be sent again next time. */
	OK(rt_pg_send(pg, &new_one, NULL));
	OK(rt_pg_send_commit(pg));
	struct rt_status status = rt_pg_receive(pg, rows, 3);
	assert_string_equal(status.field, "n_positive");
	FAILS(status, FAILED_PRECONDITION, "CONSTRAINT_VIOLATION");
	for (int i = 0; i < 3; i++)
		assert_null(rows[i].result);
	assert_int_equal(things(), 0);
	OK(rt_pg_run(pg, &new_one, NULL, in_ms(1000), &rows[0]));
	assert_int_equal(rt_pg_int(&rows[0], 0, 0), 41);
	rt_pg_rows_deinit(&rows[0]);
	/* What was prepared before the error, in the transaction that was rolled back, stays so. */
	OK(put(pg, 5, 5));
	FAILS(rt_pg_send(pg, &new_one, NULL), INTERNAL, "TRANSACTION_GONE");
}

static void test_abandoned_pipelines(void **state)
{
	(void)state;
	struct rt_pg_params made = two(1, 1);
	struct rt_pg_rows rows = {0};
	OK(rt_pg_send_begin(pg, in_ms(5000)));
	rt_pg_abandon(pg); /* nothing was sent */
	OK(rt_pg_send_begin(pg, in_ms(5000)));
	OK(rt_pg_send(pg, &insert_thing, &made));
	rt_pg_abandon(pg); /* sent, not received */
	OK(rt_pg_send_begin(pg, in_ms(5000)));
	OK(rt_pg_send(pg, &insert_thing, &made));
	OK(rt_pg_receive(pg, &rows, 1));
	rt_pg_rows_deinit(&rows);
	rt_pg_abandon(pg); /* received */
	OK(rt_pg_send_begin(pg, in_ms(5000)));
	OK(rt_pg_send(pg, &insert_thing, &made));
	OK(rt_pg_send_commit(pg));
	rt_pg_abandon(pg); /* the commit was on its way to be sent */
	assert_int_equal(things(), 0);
}

static void test_statement_timeout(void **state)
{
	(void)state;
	struct rt_pg_params made = one(5000);
	int64_t backend = backend_of(pg);
	int64_t begun_us = rt_clock_mono_us();
	FAILS(rt_pg_run(pg, &sleep_ms, &made, in_ms(400), NULL), DEADLINE_EXCEEDED,
	      "DEADLINE_EXCEEDED");
	int64_t took_us = rt_clock_mono_us() - begun_us;
	assert_in_range(took_us, 300 * RT_US_PER_MS, 600 * RT_US_PER_MS);
	/* The server's timeout came first: the connection is the same. */
	assert_int_equal(backend_of(pg), backend);
	{
		CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
		OK(rt_pg_begin(pg, in_ms(300), &tx));
		FAILS(rt_pg_run(pg, &sleep_ms, &made, in_ms(60000), NULL), DEADLINE_EXCEEDED,
		      "DEADLINE_EXCEEDED");
	}
	/* The next one has its own. */
	made = one(500);
	OK(rt_pg_run(pg, &sleep_ms, &made, in_ms(5000), NULL));
	made = one(10);
	OK(rt_pg_run(pg, &sleep_ms, &made, RT_NO_DEADLINE, NULL));
	FAILS(rt_pg_ping(pg, in_ms(-1)), DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED");
}

static void test_lock_wait_ends_with_the_deadline(void **state)
{
	(void)state;
	OK(put(pg, 1, 1));
	struct rt_pg_params made = one(1);
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	OK(rt_pg_begin(pg, in_ms(5000), &tx));
	OK(rt_pg_run(pg, &lock_thing, &made, in_ms(5000), NULL));
	struct rt_pg *other = fixture_pg(0);
	struct rt_pg_rows rows = {0};
	OK(rt_pg_send_begin(other, in_ms(300)));
	OK(rt_pg_send(other, &lock_thing, &made));
	FAILS(rt_pg_receive(other, &rows, 1), DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED");
	OK(rt_pg_ping(other, in_ms(1000)));
	rt_pg_destroy(other);
}

static void test_serialization_failure(void **state)
{
	(void)state;
	static const struct rt_pg_statement serializable = {
		"iso", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"};
	static const struct rt_pg_statement update = {"bump",
						      "UPDATE thing SET n = n + 1 WHERE id = $1"};
	OK(put(pg, 1, 1));
	struct rt_pg_params made = one(1);
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	OK(rt_pg_begin(pg, in_ms(5000), &tx));
	OK(rt_pg_run(pg, &serializable, NULL, in_ms(5000), NULL));
	assert_int_equal(things(), 1);
	struct rt_pg *other = fixture_pg(0);
	OK(rt_pg_run(other, &update, &made, in_ms(5000), NULL));
	rt_pg_destroy(other);
	FAILS(rt_pg_run(pg, &update, &made, in_ms(5000), NULL), ABORTED, "CONFLICT");
}

struct deadlock {
	struct rt_pg *pg;
	int64_t first, second;
	enum rt_code code;
};

static void *lock_both(void *argument)
{
	struct deadlock *deadlock = argument;
	struct rt_arena own;
	rt_arena_init(&own, 4096);
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	struct rt_status status = rt_pg_begin(deadlock->pg, in_ms(10000), &tx);
	const int64_t ids[] = {deadlock->first, deadlock->second};
	for (int i = 0; i < 2 && rt_is_ok(&status); i++) {
		struct rt_pg_params made;
		rt_pg_params_init(&made, &own);
		rt_pg_add_int(&made, ids[i]);
		status = rt_pg_run(deadlock->pg, &lock_thing, &made, in_ms(10000), NULL);
		rt_clock_sleep_us(200 * RT_US_PER_MS);
	}
	deadlock->code = status.code;
	rt_arena_deinit(&own);
	return NULL;
}

static void test_deadlock(void **state)
{
	(void)state;
	OK(put(pg, 1, 1));
	OK(put(pg, 2, 2));
	struct deadlock here = {fixture_pg(0), 1, 2, RT_OK};
	struct deadlock there = {fixture_pg(0), 2, 1, RT_OK};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, lock_both, &there), 0);
	lock_both(&here);
	pthread_join(thread, NULL);
	assert_true((here.code == RT_OK && there.code == RT_ABORTED) ||
		    (here.code == RT_ABORTED && there.code == RT_OK));
	rt_pg_destroy(here.pg);
	rt_pg_destroy(there.pg);
}

static void test_plans_that_a_migration_made_stale(void **state)
{
	(void)state;
	static const struct rt_pg_statement all = {"all_of_it", "TABLE thing"};
	OK(put(pg, 1, 1));
	OK(rt_pg_run(pg, &all, NULL, in_ms(5000), NULL));
	struct rt_pg *other = fixture_pg(0);
	script(other, "ALTER TABLE thing ADD COLUMN more text");
	rt_pg_destroy(other);
	FAILS(rt_pg_run(pg, &all, NULL, in_ms(5000), NULL), UNAVAILABLE, "DATABASE_UNAVAILABLE");
	OK(rt_pg_run(pg, &all, NULL, in_ms(5000), NULL));
}

static void test_scripts(void **state)
{
	(void)state;
	/* One implicit transaction. */
	FAILS(rt_pg_script(pg, "INSERT INTO thing VALUES (1, 1); INSERT INTO thing VALUES (1, 1)",
			   in_ms(5000)),
	      ALREADY_EXISTS, "UNIQUE_VIOLATION");
	assert_int_equal(things(), 0);
	{
		CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
		OK(rt_pg_begin(pg, in_ms(5000), &tx));
		OK(rt_pg_script(pg,
				"INSERT INTO thing VALUES (1, 1); INSERT INTO thing VALUES (2, 1)",
				in_ms(5000)));
		OK(put(pg, 3, 3));
	}
	assert_int_equal(things(), 0);
	{
		CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
		OK(rt_pg_begin(pg, in_ms(5000), &tx));
		FAILS(rt_pg_script(pg, "COMMIT", in_ms(5000)), INTERNAL,
		      "SCRIPT_ENDED_TRANSACTION");
	}
	FAILS(rt_pg_script(pg, "BEGIN", in_ms(5000)), INTERNAL, "SCRIPT_ENDED_TRANSACTION");
	FAILS(rt_pg_script(pg, "SELECT pg_sleep(5)", in_ms(200)), DEADLINE_EXCEEDED,
	      "DEADLINE_EXCEEDED");
	FAILS(rt_pg_script(pg, "COPY thing FROM STDIN", in_ms(2000)), OUTCOME_UNKNOWN,
	      "OUTCOME_UNKNOWN");
	OK(rt_pg_ping(pg, in_ms(1000)));
}

/* A connection whose connection string adds these options. */
static struct rt_pg *with_options(const char *options)
{
	static char conninfo[12000];
	snprintf(conninfo, sizeof(conninfo), "%s options='%s'",
		 fixture_conninfo("DALER_ACCOUNTS_DB", 0), options);
	return rt_pg_new(&(struct rt_pg_config){.conninfo = conninfo, .application = "test"});
}

static void test_session_settings(void **state)
{
	(void)state;
	static const struct rt_pg_statement settings = {
		"settings",
		"SELECT current_setting('synchronous_commit'), current_setting('TimeZone'),"
		" current_setting('client_encoding'), current_setting('transaction_isolation'),"
		" current_setting('application_name'), current_setting('statement_timeout'),"
		" current_setting('idle_in_transaction_session_timeout')"};
	static const char *const expected[] = {"on",   "UTC", "UTF8", "read committed",
					       "test", "0",   "10s"};
	/* The connection string may add options, but not turn off what makes a write durable. */
	struct rt_pg *other = with_options("-c synchronous_commit=off -c work_mem=8MB");
	struct rt_pg_rows rows = {0};
	OK(rt_pg_run(other, &settings, NULL, RT_NO_DEADLINE, &rows));
	for (int i = 0; i < 7; i++)
		assert_string_equal(rt_pg_text(&rows, 0, i), expected[i]);
	rt_pg_rows_deinit(&rows);
	rt_pg_destroy(other);
}

/* Nor by being so long that what comes behind them has no room. */
static void test_long_session_options(void **state)
{
	(void)state;
	static const struct rt_pg_statement durable = {
		"durable", "SELECT current_setting('synchronous_commit')"};
	static char options[9000];
	int connected = 0;
	for (size_t length = 700; length < sizeof(options); length += 100) {
		struct rt_pg_rows rows = {0};
		int used = snprintf(options, sizeof(options),
				    "-c synchronous_commit=off -c search_path=");
		memset(options + used, 's', length - (size_t)used);
		options[length] = '\0';
		struct rt_pg *other = with_options(options);
		struct rt_status status = rt_pg_run(other, &durable, NULL, RT_NO_DEADLINE, &rows);
		if (rt_is_ok(&status))
			assert_string_equal(rt_pg_text(&rows, 0, 0), "on");
		else
			FAILS(status, UNAVAILABLE, "DATABASE_UNAVAILABLE");
		connected += rt_is_ok(&status);
		rt_pg_rows_deinit(&rows);
		rt_pg_destroy(other);
	}
	assert_int_equal(connected, (7800 - 700) / 100 + 1);
}

static void test_many_statements_on_one_connection(void **state)
{
	(void)state;
	static char names[300][16];
	static struct rt_pg_statement statements[300];
	for (int round = 0; round < 2; round++) {
		OK(rt_pg_send_begin(pg, in_ms(10000)));
		for (int i = 0; i < 300; i++) {
			snprintf(names[i], sizeof(names[i]), "many_%d", i);
			statements[i] = (struct rt_pg_statement){names[i], "SELECT 1"};
			OK(rt_pg_send(pg, &statements[i], NULL));
		}
		OK(rt_pg_send_commit(pg));
		OK(rt_pg_receive(pg, NULL, 0));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_scalars_round_trip),
		TEST(test_extremes_round_trip),
		TEST(test_nulls_round_trip),
		TEST(test_arrays_round_trip),
		TEST(test_empty_arrays),
		TEST(test_large_arrays_and_results),
		TEST(test_parameters_that_do_not_fit),
		TEST(test_violations),
		TEST(test_defects),
		TEST(test_transaction_scope),
		TEST(test_failed_transaction_refuses_the_rest),
		TEST(test_deferred_violation_at_commit),
		TEST(test_snapshot),
		TEST(test_pipeline),
		TEST(test_error_in_the_middle_of_a_pipeline),
		TEST(test_abandoned_pipelines),
		TEST(test_statement_timeout),
		TEST(test_lock_wait_ends_with_the_deadline),
		TEST(test_serialization_failure),
		TEST(test_deadlock),
		TEST(test_plans_that_a_migration_made_stale),
		TEST(test_scripts),
		TEST(test_session_settings),
		TEST(test_long_session_options),
		TEST(test_many_statements_on_one_connection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
