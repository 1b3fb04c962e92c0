/* How often passwords may be tried with one name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/throttle.h"

#define SECOND INT64_C(1000000)
#define NOW    (1800000000 * SECOND)

static const struct throttle_rule rule = {.burst = 5, .refill_us = 60 * SECOND};

/* What is on record of one name. */
struct record {
	int64_t full_us;
};

static struct throttle_verdict try_at(struct record *record, int64_t now_us)
{
	struct throttle_verdict verdict = throttle_take(&rule, record->full_us, now_us);
	record->full_us = verdict.full_us;
	return verdict;
}

static void empty_at(struct record *record, int64_t now_us)
{
	for (int64_t i = 0; i < rule.burst; i++)
		assert_true(try_at(record, now_us).admitted);
	assert_false(try_at(record, now_us).admitted);
}

static void test_a_burst_and_no_more(void **state)
{
	(void)state;
	struct record record = {0};
	empty_at(&record, NOW);
	assert_int_equal(try_at(&record, NOW).wait_us, rule.refill_us);
}

static void test_attempts_come_back_one_by_one(void **state)
{
	(void)state;
	struct record record = {0};
	empty_at(&record, NOW);
	assert_int_equal(try_at(&record, NOW + 20 * SECOND).wait_us, 40 * SECOND);
	assert_int_equal(try_at(&record, NOW + 60 * SECOND - 1).wait_us, 1);
	assert_true(try_at(&record, NOW + 60 * SECOND).admitted);
	assert_false(try_at(&record, NOW + 60 * SECOND).admitted);
	assert_true(try_at(&record, NOW + 180 * SECOND).admitted);
	assert_true(try_at(&record, NOW + 180 * SECOND).admitted);
	assert_false(try_at(&record, NOW + 180 * SECOND).admitted);
}

static void test_a_bucket_holds_no_more_than_a_burst(void **state)
{
	(void)state;
	struct record record = {0};
	empty_at(&record, NOW);
	empty_at(&record, NOW + 1000000 * SECOND);
}

/* Whoever knocks all the time puts off nobody's next attempt. */
static void test_a_refused_attempt_costs_nothing(void **state)
{
	(void)state;
	struct record record = {0};
	empty_at(&record, NOW);
	for (int64_t i = 1; i < 60; i++) {
		int64_t full_us = record.full_us;
		struct throttle_verdict verdict = try_at(&record, NOW + i * SECOND);
		assert_false(verdict.admitted);
		assert_int_equal(verdict.full_us, full_us);
		assert_int_equal(verdict.wait_us, (60 - i) * SECOND);
	}
	assert_true(try_at(&record, NOW + 60 * SECOND).admitted);
}

/* A clock that was ahead, or a rule that gave more: the wait is bounded all the same, and the
 * record is put right. */
static void test_a_bucket_that_lacks_more_than_it_holds_is_empty(void **state)
{
	(void)state;
	static const int64_t ahead[] = {NOW + 86400 * SECOND, INT64_MAX};
	for (size_t i = 0; i < 2; i++) {
		struct record record = {.full_us = ahead[i]};
		struct throttle_verdict verdict = try_at(&record, NOW);
		assert_false(verdict.admitted);
		assert_int_equal(verdict.wait_us, rule.refill_us);
		assert_int_equal(record.full_us, NOW + rule.burst * rule.refill_us);
		assert_true(try_at(&record, NOW + rule.refill_us).admitted);
	}
}

static void test_one_at_a_time(void **state)
{
	(void)state;
	const struct throttle_rule strict = {.burst = 1, .refill_us = SECOND};
	struct throttle_verdict verdict = throttle_take(&strict, 0, NOW);
	assert_true(verdict.admitted);
	assert_false(throttle_take(&strict, verdict.full_us, NOW + SECOND - 1).admitted);
	assert_true(throttle_take(&strict, verdict.full_us, NOW + SECOND).admitted);
}

/* The same each time. Source: splitmix64. */
static int64_t random_below(int64_t bound)
{
	static uint64_t state = 35;
	uint64_t mixed = state += 0x9e3779b97f4a7c15;
	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
	return (int64_t)((mixed ^ (mixed >> 31)) % (uint64_t)bound);
}

/* However the attempts are spread, a span of time admits a burst and what came back in it. */
static void test_no_span_admits_more(void **state)
{
	(void)state;
	enum { ATTEMPTS = 20000 };
	static int64_t admitted_us[ATTEMPTS];
	size_t count = 0;
	struct record record = {0};
	int64_t now_us = NOW;
	for (int i = 0; i < ATTEMPTS; i++) {
		now_us += random_below(50) == 0 ? random_below(900 * SECOND)
						: random_below(20 * SECOND);
		if (try_at(&record, now_us).admitted)
			admitted_us[count++] = now_us;
	}
	assert_in_range(count, 1000, ATTEMPTS - 1000);
	for (size_t first = 0; first < count; first++) {
		for (size_t last = first; last < count && last < first + 50; last++) {
			int64_t span_us = admitted_us[last] - admitted_us[first];
			assert_true((int64_t)(last - first + 1) <=
				    rule.burst + span_us / rule.refill_us);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_burst_and_no_more),
		cmocka_unit_test(test_attempts_come_back_one_by_one),
		cmocka_unit_test(test_a_bucket_holds_no_more_than_a_burst),
		cmocka_unit_test(test_a_refused_attempt_costs_nothing),
		cmocka_unit_test(test_a_bucket_that_lacks_more_than_it_holds_is_empty),
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_no_span_admits_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
