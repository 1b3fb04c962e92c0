/* The executor's heap of timers against a plain search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/timer_heap.h"

#define TIMERS 500
#define STEPS  50000

static uint64_t random_state = 7;

static uint32_t any(uint32_t bound)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % bound;
}

static int64_t least_due(const struct timer *timers)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < TIMERS; i++) {
		if (timers[i].place != 0 && timers[i].due_us < least)
			least = timers[i].due_us;
	}
	return least;
}

static void first_is_always_the_least(void **state)
{
	static struct timer timers[TIMERS];
	struct timer_heap heap = {0};

	(void)state;
	for (int i = 0; i < STEPS; i++) {
		struct timer *timer = &timers[any(TIMERS)];

		timer->kind = 1 + any(2);
		if (any(3) == 0)
			timer_heap_disarm(&heap, timer);
		else
			timer_heap_arm(&heap, timer, any(1000000));
		if (any(1000) == 0)
			timer_heap_hurry(&heap, 1, 500000);
		struct timer *first = timer_heap_first(&heap);

		assert_int_equal(first == NULL ? INT64_MAX : first->due_us, least_due(timers));
	}
	for (struct timer *first = timer_heap_first(&heap); first != NULL;
	     first = timer_heap_first(&heap))
		timer_heap_disarm(&heap, first);
	for (size_t i = 0; i < TIMERS; i++)
		assert_int_equal(timers[i].place, 0);
	timer_heap_deinit(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(first_is_always_the_least)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
