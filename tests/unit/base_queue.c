#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base_aborts.h"
#include "rt/clock.h"
#include "rt/queue.h"

static int items[16];

static void test_order_and_bound(void **state)
{
	(void)state;
	struct rt_queue *queue = rt_queue_new(3);
	for (int round = 0; round < 5; round++) { /* the ring turns */
		assert_true(rt_queue_push(queue, &items[0]));
		assert_true(rt_queue_push(queue, &items[1]));
		assert_true(rt_queue_push(queue, &items[2]));
		assert_false(rt_queue_push(queue, &items[3]));
		assert_int_equal(rt_queue_length(queue), 3);
		assert_ptr_equal(rt_queue_pop(queue, 0), &items[0]);
		assert_true(rt_queue_push(queue, &items[3]));
		assert_ptr_equal(rt_queue_pop(queue, RT_NO_DEADLINE), &items[1]);
		assert_ptr_equal(rt_queue_pop(queue, 0), &items[2]);
		assert_ptr_equal(rt_queue_pop(queue, 0), &items[3]);
		assert_int_equal(rt_queue_length(queue), 0);
	}
	rt_queue_destroy(queue);
	rt_queue_destroy(NULL);
}

static void test_deadline(void **state)
{
	(void)state;
	struct rt_queue *queue = rt_queue_new(1);
	int64_t start_us = rt_clock_mono_us();
	assert_null(rt_queue_pop(queue, start_us + 30000));
	assert_true(rt_clock_mono_us() - start_us >= 30000);
	assert_null(rt_queue_pop(queue, 0));
	void *taken[4];
	assert_int_equal(rt_queue_pop_many(queue, taken, 4, start_us), 0);
	rt_queue_destroy(queue);
}

static void test_pop_many(void **state)
{
	(void)state;
	struct rt_queue *queue = rt_queue_new(5);
	void *taken[8] = {NULL};
	for (int i = 0; i < 5; i++)
		assert_true(rt_queue_push(queue, &items[i]));
	assert_int_equal(rt_queue_pop_many(queue, taken, 2, 0), 2);
	assert_true(rt_queue_push(queue, &items[5]));
	assert_int_equal(rt_queue_pop_many(queue, taken + 2, 6, 0), 4);
	for (int i = 0; i < 6; i++)
		assert_ptr_equal(taken[i], &items[i]);
	rt_queue_destroy(queue);
}

static void test_close(void **state)
{
	(void)state;
	struct rt_queue *queue = rt_queue_new(2);
	assert_true(rt_queue_push(queue, &items[0]));
	rt_queue_close(queue);
	assert_false(rt_queue_push(queue, &items[1]));
	assert_ptr_equal(rt_queue_pop(queue, RT_NO_DEADLINE), &items[0]);
	assert_null(rt_queue_pop(queue, RT_NO_DEADLINE));
	rt_queue_destroy(queue);
}

static void *pop_one(void *argument)
{
	return rt_queue_pop(argument, RT_NO_DEADLINE);
}

static void test_close_wakes_all(void **state)
{
	(void)state;
	struct rt_queue *queue = rt_queue_new(2);
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, pop_one, queue), 0);
	rt_clock_sleep_us(20000);
	rt_queue_close(queue);
	for (int i = 0; i < 3; i++) {
		void *item = &items[0];
		pthread_join(threads[i], &item);
		assert_null(item);
	}
	rt_queue_destroy(queue);
}

#define NUMBERS 40000

struct traffic {
	struct rt_queue *queue;
	atomic_int next;
	atomic_int seen[NUMBERS];
	size_t batch;
};

static int numbers[NUMBERS];

static void *produce(void *argument)
{
	struct traffic *traffic = argument;
	for (;;) {
		int number = atomic_fetch_add(&traffic->next, 1);
		if (number >= NUMBERS)
			return NULL;
		while (!rt_queue_push(traffic->queue, &numbers[number]))
			rt_clock_sleep_us(50);
	}
}

static void *consume(void *argument)
{
	struct traffic *traffic = argument;
	void *taken[7];
	for (;;) {
		size_t count =
			rt_queue_pop_many(traffic->queue, taken, traffic->batch, RT_NO_DEADLINE);
		if (count == 0)
			return NULL;
		for (size_t i = 0; i < count; i++)
			atomic_fetch_add(&traffic->seen[(const int *)taken[i] - numbers], 1);
	}
}

static void run_traffic(size_t capacity, size_t batch)
{
	struct traffic *traffic = calloc(1, sizeof(*traffic));
	traffic->queue = rt_queue_new(capacity);
	traffic->batch = batch;
	pthread_t producers[3], consumers[3];
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&producers[i], NULL, produce, traffic), 0);
		assert_int_equal(pthread_create(&consumers[i], NULL, consume, traffic), 0);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(producers[i], NULL);
	rt_queue_close(traffic->queue);
	for (int i = 0; i < 3; i++)
		pthread_join(consumers[i], NULL);
	for (int i = 0; i < NUMBERS; i++)
		assert_int_equal(atomic_load(&traffic->seen[i]), 1);
	rt_queue_destroy(traffic->queue);
	free(traffic);
}

static void test_each_item_once(void **state)
{
	(void)state;
	run_traffic(4, 1);
	run_traffic(64, 7);
}

static void destroy_filled(void *argument)
{
	(void)argument;
	struct rt_queue *queue = rt_queue_new(1);
	rt_queue_push(queue, &items[0]);
	rt_queue_destroy(queue);
}

static void push_nothing(void *argument)
{
	(void)argument;
	struct rt_queue *queue = rt_queue_new(1);
	rt_queue_push(queue, NULL);
}

static void test_misuse_aborts(void **state)
{
	(void)state;
	assert_true(aborts(destroy_filled, NULL));
	assert_true(aborts(push_nothing, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_bound), cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_pop_many),        cmocka_unit_test(test_close),
		cmocka_unit_test(test_close_wakes_all), cmocka_unit_test(test_each_item_once),
		cmocka_unit_test(test_misuse_aborts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
