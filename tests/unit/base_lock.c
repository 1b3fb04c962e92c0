#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_aborts.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/lock.h"

struct pair {
	struct rt_lock low, high, high_too;
	pthread_cond_t condition;
};

static void init_pair(struct pair *pair)
{
	rt_lock_init(&pair->low, RT_RANK_SERVICE);
	rt_lock_init(&pair->high, RT_RANK_QUEUE);
	rt_lock_init(&pair->high_too, RT_RANK_QUEUE);
	rt_condition_init(&pair->condition);
}

static void deinit_pair(struct pair *pair)
{
	pthread_cond_destroy(&pair->condition);
	rt_lock_deinit(&pair->low);
	rt_lock_deinit(&pair->high);
	rt_lock_deinit(&pair->high_too);
}

static void take_rising(void *argument)
{
	struct pair *pair = argument;
	rt_lock_take(&pair->low);
	rt_lock_take(&pair->high);
	rt_lock_give(&pair->low); /* given back in any order */
	rt_lock_give(&pair->high);
	rt_lock_take(&pair->low);
	rt_lock_give(&pair->low);
}

static void take_falling(void *argument)
{
	struct pair *pair = argument;
	rt_lock_take(&pair->high);
	rt_lock_take(&pair->low);
}

static void take_equal(void *argument)
{
	struct pair *pair = argument;
	rt_lock_take(&pair->high);
	rt_lock_take(&pair->high_too);
}

static void take_twice(void *argument)
{
	struct pair *pair = argument;
	rt_lock_take(&pair->low);
	rt_lock_take(&pair->low);
}

static void give_what_is_not_held(void *argument)
{
	struct pair *pair = argument;
	rt_lock_give(&pair->low);
}

static void give_twice(void *argument)
{
	struct pair *pair = argument;
	rt_lock_take(&pair->low);
	rt_lock_give(&pair->low);
	rt_lock_give(&pair->low);
}

/* The one that was given back out of order must not hide that the other is held. */
static void fall_after_giving(void *argument)
{
	struct pair *pair = argument;
	rt_lock_take(&pair->low);
	rt_lock_take(&pair->high);
	rt_lock_give(&pair->low);
	rt_lock_take(&pair->low);
}

static void wait_with_another(void *argument)
{
	struct pair *pair = argument;
	rt_lock_take(&pair->low);
	rt_lock_take(&pair->high);
	rt_lock_wait(&pair->high, &pair->condition, 0);
}

static void wait_without(void *argument)
{
	struct pair *pair = argument;
	rt_lock_wait(&pair->high, &pair->condition, 0);
}

static void test_ranks(void **state)
{
	(void)state;
	struct pair pair;
	init_pair(&pair);
	assert_true(survives(take_rising, &pair));
	assert_true(aborts(take_falling, &pair));
	assert_true(aborts(take_equal, &pair));
	assert_true(aborts(take_twice, &pair));
	assert_true(aborts(give_what_is_not_held, &pair));
	assert_true(aborts(give_twice, &pair));
	assert_true(aborts(fall_after_giving, &pair));
	assert_true(aborts(wait_with_another, &pair));
	assert_true(aborts(wait_without, &pair));
	deinit_pair(&pair);
}

static int take_in_scope(struct pair *pair, int way)
{
	RT_LOCKED(&pair->low);
	if (way == 0)
		return 0;
	{
		RT_LOCKED(&pair->high);
		if (way == 1)
			return 1;
	}
	return 2;
}

static void test_scope(void **state)
{
	(void)state;
	struct pair pair;
	init_pair(&pair);
	for (int way = 0; way < 3; way++)
		assert_int_equal(take_in_scope(&pair, way), way);
	assert_int_equal(pthread_mutex_trylock(&pair.low.mutex), 0);
	pthread_mutex_unlock(&pair.low.mutex);
	assert_int_equal(pthread_mutex_trylock(&pair.high.mutex), 0);
	pthread_mutex_unlock(&pair.high.mutex);
	deinit_pair(&pair);
}

struct counter {
	struct rt_lock lock;
	int64_t value;
};

static void *count_up(void *argument)
{
	struct counter *counter = argument;
	for (int i = 0; i < 20000; i++) {
		RT_LOCKED(&counter->lock);
		counter->value++;
	}
	return NULL;
}

static void test_excludes(void **state)
{
	(void)state;
	struct counter counter = {.value = 0};
	rt_lock_init(&counter.lock, RT_RANK_CALL);
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_up, &counter), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(counter.value, 80000);
	rt_lock_deinit(&counter.lock);
}

static void test_wait_times_out(void **state)
{
	(void)state;
	struct pair pair;
	init_pair(&pair);
	rt_lock_take(&pair.low);
	int64_t start_us = rt_clock_mono_us();
	assert_false(rt_lock_wait(&pair.low, &pair.condition, start_us + 30000));
	assert_true(rt_clock_mono_us() - start_us >= 30000);
	assert_false(rt_lock_wait(&pair.low, &pair.condition, start_us));
	assert_false(rt_lock_wait(&pair.low, &pair.condition, INT64_MIN));
	rt_lock_give(&pair.low);
	deinit_pair(&pair);
}

struct signal {
	struct pair pair;
	bool set;
};

static void *set_later(void *argument)
{
	struct signal *signal = argument;
	rt_clock_sleep_us(20000);
	RT_LOCKED(&signal->pair.low);
	signal->set = true;
	pthread_cond_signal(&signal->pair.condition);
	return NULL;
}

static void test_wait_is_woken(void **state)
{
	(void)state;
	const int64_t deadlines_us[] = {RT_NO_DEADLINE, rt_clock_mono_us() + 60 * RT_US_PER_S};
	for (size_t i = 0; i < 2; i++) {
		struct signal signal = {.set = false};
		pthread_t thread;
		init_pair(&signal.pair);
		rt_lock_take(&signal.pair.low);
		assert_int_equal(pthread_create(&thread, NULL, set_later, &signal), 0);
		while (!signal.set)
			assert_true(rt_lock_wait(&signal.pair.low, &signal.pair.condition,
						 deadlines_us[i]));
		rt_lock_give(&signal.pair.low);
		pthread_join(thread, NULL);
		deinit_pair(&signal.pair);
	}
}

static int evaluations;

static void fail_assertion(void *argument)
{
	(void)argument;
	RT_ASSERT(evaluations == 12345);
}

static bool count_evaluation(void)
{
	evaluations++;
	return true;
}

static void test_assert(void **state)
{
	(void)state;
	assert_true(aborts(fail_assertion, NULL));
	RT_ASSERT(count_evaluation());
	assert_int_equal(evaluations, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranks),         cmocka_unit_test(test_scope),
		cmocka_unit_test(test_excludes),      cmocka_unit_test(test_wait_times_out),
		cmocka_unit_test(test_wait_is_woken), cmocka_unit_test(test_assert),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
