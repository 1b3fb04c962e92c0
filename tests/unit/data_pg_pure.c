/* SQLSTATEs, what writes, and timeouts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs the four above */

#include "../../runtime/data/pg_pure.h"
#include "rt/clock.h"
#include "rt/pg.h"

struct expectation {
	const char *state;
	enum rt_code code;
	const char *reason;
	bool breaks;
};

static void test_states(void **state)
{
	(void)state;
	static const struct expectation expected[] = {
		{"08006", RT_UNAVAILABLE, "DATABASE_UNAVAILABLE", true},
		{"08P01", RT_UNAVAILABLE, "DATABASE_UNAVAILABLE", true},
		{"23505", RT_ALREADY_EXISTS, "UNIQUE_VIOLATION", false},
		{"23502", RT_FAILED_PRECONDITION, "CONSTRAINT_VIOLATION", false},
		{"23503", RT_FAILED_PRECONDITION, "CONSTRAINT_VIOLATION", false},
		{"23514", RT_FAILED_PRECONDITION, "CONSTRAINT_VIOLATION", false},
		{"23P01", RT_FAILED_PRECONDITION, "CONSTRAINT_VIOLATION", false},
		{"25006", RT_UNAVAILABLE, "DATABASE_UNAVAILABLE", true},
		{"25P02", RT_INTERNAL, "DATABASE_ERROR", false},
		{"25P03", RT_UNAVAILABLE, "DATABASE_UNAVAILABLE", true},
		{"26000", RT_UNAVAILABLE, "DATABASE_UNAVAILABLE", true},
		{"40001", RT_ABORTED, "CONFLICT", false},
		{"40003", RT_OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN", true},
		{"40P01", RT_ABORTED, "CONFLICT", false},
		{"42601", RT_INTERNAL, "DATABASE_ERROR", false},
		{"42501", RT_INTERNAL, "DATABASE_ERROR", false},
		{"22003", RT_INTERNAL, "DATABASE_ERROR", false},
		{"53300", RT_UNAVAILABLE, "DATABASE_UNAVAILABLE", false},
		{"53100", RT_UNAVAILABLE, "DATABASE_UNAVAILABLE", false},
		{"55P03", RT_ABORTED, "CONFLICT", false},
		{"57014", RT_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", false},
		{"57P01", RT_UNAVAILABLE, "DATABASE_UNAVAILABLE", true},
		{"57P03", RT_UNAVAILABLE, "DATABASE_UNAVAILABLE", true},
		{"58030", RT_UNAVAILABLE, "DATABASE_UNAVAILABLE", false},
		{"P0001", RT_INTERNAL, "DATABASE_ERROR", false},
		{"XX000", RT_INTERNAL, "DATABASE_ERROR", false},
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct rt_status status = pg_state_status(expected[i].state, "statement");
		assert_string_equal(rt_code_name(status.code), rt_code_name(expected[i].code));
		assert_string_equal(status.reason, expected[i].reason);
		assert_int_equal(pg_state_breaks(expected[i].state), expected[i].breaks);
	}
}

static void test_what_writes(void **state)
{
	(void)state;
	static const char *const reading[] = {
		"SELECT 1",
		"  \n-- insert\n/* delete */ select id from t for update",
		"VALUES (1)",
		"TABLE t",
		"show all",
		"WITH a AS (SELECT 1) SELECT updated_at FROM a",
		"with a as (select 1) -- then update it\n select * from a",
	};
	static const char *const writing[] = {
		"INSERT INTO t VALUES (1)",
		"-- select\nUPDATE t SET n = 1",
		"/* select */ DELETE FROM t",
		"WITH a AS (INSERT INTO t VALUES (1) RETURNING id) SELECT id FROM a",
		"with a as (select 1) delete from t",
		"MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE",
		"SELECTED",
		"CALL p()",
		"",
	};
	for (size_t i = 0; i < sizeof(reading) / sizeof(reading[0]); i++)
		assert_false(pg_sql_writes(reading[i]));
	for (size_t i = 0; i < sizeof(writing) / sizeof(writing[0]); i++)
		assert_true(pg_sql_writes(writing[i]));
}

static void test_timeouts(void **state)
{
	(void)state;
	const int64_t now_us = INT64_C(123456789);
	assert_int_equal(pg_timeout_ms(RT_NO_DEADLINE, now_us), 0);
	assert_int_equal(pg_timeout_ms(now_us - 1, now_us), 1);
	assert_int_equal(pg_timeout_ms(now_us + 100 * RT_US_PER_S * 86400, now_us), 0);
	for (int64_t left_ms = 1; left_ms < 100000; left_ms++) {
		int64_t timeout_ms = pg_timeout_ms(now_us + left_ms * RT_US_PER_MS, now_us);
		assert_true(timeout_ms <= left_ms);
		assert_true(timeout_ms > left_ms - left_ms / 8 - 1);
	}
	/* Calls with the usual deadlines agree, whenever in their first moments they get here. */
	assert_int_equal(pg_timeout_ms(now_us + 4999 * RT_US_PER_MS, now_us),
			 pg_timeout_ms(now_us + 4700 * RT_US_PER_MS, now_us));
	assert_int_equal(pg_timeout_ms(now_us + 9999 * RT_US_PER_MS, now_us),
			 pg_timeout_ms(now_us + 9300 * RT_US_PER_MS, now_us));
}

static void test_connections_are_lazy(void **state)
{
	(void)state;
	struct rt_pg *pg = rt_pg_new(&(struct rt_pg_config){.conninfo = "host=192.0.2.1"});
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	struct rt_status status = rt_pg_begin(pg, RT_NO_DEADLINE, &tx);
	assert_true(rt_is_ok(&status));
	status = rt_pg_commit(&tx);
	assert_true(rt_is_ok(&status));
	rt_pg_abandon(pg);
	rt_pg_destroy(pg);
	rt_pg_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_what_writes),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_connections_are_lazy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
