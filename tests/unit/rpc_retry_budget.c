/* The budget of repeats: what first attempts, time and answers put in, and that nobody gets more.
 */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "../../runtime/rpc/retry_budget.h"
#include "rt/clock.h"

/* How many repeats it lets through now. */
static int drain(struct rt_retry_budget *budget, int64_t now_us)
{
	int64_t wait_us = 0;
	int taken = 0;
	while (rt_retry_take(budget, now_us, &wait_us))
		taken++;
	return taken;
}

static void test_time_puts_in_and_the_bucket_is_bounded(void **state)
{
	(void)state;
	struct rt_retry_budget budget;
	rt_retry_budget_init(&budget, 20, 10, 0);
	assert_int_equal(drain(&budget, 0), 100);
	assert_int_equal(drain(&budget, RT_US_PER_S), 10);
	assert_int_equal(drain(&budget, 2 * RT_US_PER_S - 1), 9);
	assert_int_equal(drain(&budget, 2 * RT_US_PER_S), 1);
	assert_int_equal(drain(&budget, INT64_MAX / 2), 100);
	assert_int_equal(drain(&budget, 0), 0); /* a clock that goes back puts nothing in */
}

static void test_first_attempts_put_in_their_part(void **state)
{
	(void)state;
	struct rt_retry_budget budget;
	rt_retry_budget_init(&budget, 20, 10, 0);
	drain(&budget, 0);
	for (int i = 0; i < 4; i++)
		rt_retry_first(&budget);
	assert_int_equal(drain(&budget, 0), 0);
	rt_retry_first(&budget);
	assert_int_equal(drain(&budget, 0), 1);
	for (int i = 0; i < 100000; i++)
		rt_retry_first(&budget);
	assert_int_equal(drain(&budget, 0), 100);
	rt_retry_budget_init(&budget, 0, 1, 0);
	drain(&budget, 0);
	for (int i = 0; i < 1000; i++)
		rt_retry_first(&budget);
	assert_int_equal(drain(&budget, 0), 0);
}

static void test_what_helped_gives_back(void **state)
{
	(void)state;
	struct rt_retry_budget budget;
	int64_t wait_us = 0;
	rt_retry_budget_init(&budget, 0, 1, 0);
	for (int i = 0; i < 1000; i++) { /* as often as they are answered */
		assert_true(rt_retry_take(&budget, 0, &wait_us));
		rt_retry_give_back(&budget);
	}
	assert_int_equal(drain(&budget, 0), 10);
	rt_retry_give_back(&budget);
	rt_retry_give_back(&budget);
	assert_int_equal(drain(&budget, 0), 2);
}

static void test_the_wait_is_enough_and_no_longer(void **state)
{
	(void)state;
	static const int64_t rates[] = {1, 3, 7, 10, 1000, 999983};
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct rt_retry_budget budget;
		int64_t now_us = 12345;
		int64_t wait_us = 0;
		rt_retry_budget_init(&budget, 20, rates[i], now_us);
		drain(&budget, now_us);
		assert_false(rt_retry_take(&budget, now_us, &wait_us));
		assert_true(wait_us > 0);
		now_us += wait_us;
		int64_t ignored_us = 0;
		assert_false(rt_retry_take(&budget, now_us - 1, &ignored_us));
		assert_true(rt_retry_take(&budget, now_us, &ignored_us));
	}
}

/* However they mix, no more repeats go out than was put in. */
static void test_never_more_than_was_put_in(void **state)
{
	(void)state;
	struct rt_retry_budget budget;
	uint64_t random = 11;
	int64_t now_us = 0;
	int64_t wait_us = 0;
	int64_t firsts = 0;
	int64_t repeats = 0;
	rt_retry_budget_init(&budget, 10, 5, 0);
	for (int i = 0; i < 200000; i++) {
		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		unsigned dice = (unsigned)(random >> 60);
		now_us += (int64_t)(random >> 50);
		if (dice == 0) {
			rt_retry_first(&budget);
			firsts++;
		} else {
			repeats += rt_retry_take(&budget, now_us, &wait_us);
		}
		assert_true(repeats * RT_US_PER_S <=
			    50 * RT_US_PER_S + 5 * now_us + firsts * (RT_US_PER_S / 10));
	}
	assert_true(repeats > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time_puts_in_and_the_bucket_is_bounded),
		cmocka_unit_test(test_first_attempts_put_in_their_part),
		cmocka_unit_test(test_what_helped_gives_back),
		cmocka_unit_test(test_the_wait_is_enough_and_no_longer),
		cmocka_unit_test(test_never_more_than_was_put_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
