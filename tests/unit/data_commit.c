/* Group commit with a batch function that needs no database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs the four above */

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rt/clock.h"
#include "rt/group_commit.h"
#include "rt/pace.h"

#define ITEMS_MAX   4096
#define BATCHES_MAX 8192

struct item {
	struct rt_commit_item queued;
	int key;
	int number;
	uint64_t source;
	bool poison;
	size_t batch; /* the last that it was in */
	atomic_int answers;
	enum rt_code code;
	const char *reason;
	int64_t answered_us;
};

struct batch {
	int key;
	size_t count;
	int first;
};

/* What the batch function shall do, and what it saw. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool held;       /* batches wait */
	size_t prepared; /* items that batches began with */
	int fail_times;
	int fail_first; /* the least number of a batch's first item that fails */
	enum rt_code fail_code;
	int64_t takes_us;
	int running[16]; /* lanes at work for each key */
	bool overlapped;
	const struct rt_pg *last_pg;
	int lane_changes; /* batches that another lane carried out than the one before */
	struct batch batches[BATCHES_MAX];
	size_t batch_count;
	size_t answered;
} fake;

static struct rt_commit *commit;
static struct item items[ITEMS_MAX];
static struct rt_commit_config config;

static void hold(bool held)
{
	pthread_mutex_lock(&fake.lock);
	fake.held = held;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
}

/* Records the beginning; returns the error to fail with. */
static enum rt_code begin_batch(struct rt_commit_item **queued, size_t count)
{
	const struct item *first = (const struct item *)queued[0];
	pthread_mutex_lock(&fake.lock);
	for (size_t i = 0; i < count; i++)
		((struct item *)queued[i])->batch = fake.batch_count;
	fake.batches[fake.batch_count++] = (struct batch){first->key, count, first->number};
	fake.overlapped = fake.overlapped || ++fake.running[first->key] > 1;
	pthread_cond_broadcast(&fake.changed);
	while (fake.held)
		pthread_cond_wait(&fake.changed, &fake.lock);
	enum rt_code code = RT_OK;
	if (fake.fail_times > 0 && first->number >= fake.fail_first) {
		fake.fail_times--;
		code = fake.fail_code;
	}
	for (size_t i = 0; i < count; i++)
		if (((struct item *)queued[i])->poison)
			code = RT_INTERNAL;
	pthread_mutex_unlock(&fake.lock);
	return code;
}

static void answer(struct item *item, enum rt_code code, const char *reason)
{
	pthread_mutex_lock(&fake.lock);
	item->code = code;
	item->reason = reason;
	item->answered_us = rt_clock_mono_us();
	atomic_fetch_add(&item->answers, 1);
	fake.answered++;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
}

static void note_lane(const struct rt_pg *pg)
{
	pthread_mutex_lock(&fake.lock);
	fake.lane_changes += pg != fake.last_pg;
	fake.last_pg = pg;
	pthread_mutex_unlock(&fake.lock);
}

static struct rt_status run_batch(void *context, struct rt_pg *pg, struct rt_commit_item **queued,
				  size_t count, struct rt_arena *arena)
{
	(void)context;
	assert_non_null(pg);
	assert_non_null(rt_arena_alloc(arena, 100));
	note_lane(pg);
	enum rt_code code = begin_batch(queued, count);
	if (fake.takes_us > 0)
		rt_clock_sleep_us(fake.takes_us);
	pthread_mutex_lock(&fake.lock);
	fake.running[((struct item *)queued[0])->key]--;
	pthread_mutex_unlock(&fake.lock);
	if (code != RT_OK)
		return rt_status_make(code, "FAKE", __FILE__, __LINE__, "fake");
	for (size_t i = 0; i < count; i++)
		answer((struct item *)queued[i], RT_OK, "");
	return rt_ok();
}

static void fail_item(void *context, struct rt_commit_item *queued, struct rt_status status)
{
	(void)context;
	answer((struct item *)queued, status.code, status.reason);
}

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(items, 0, sizeof(items));
	pthread_mutex_init(&fake.lock, NULL);
	pthread_cond_init(&fake.changed, NULL);
	config = (struct rt_commit_config){
		.name = "unit",
		.pg = {.conninfo = "host=192.0.2.1"}, /* never used, so never connected */
		.lanes = 1,
		.queue_max = ITEMS_MAX,
		.batch_items_max = 10,
		.batch_weight_max = 1000,
		.arena_bytes = 4096,
		.batch = run_batch,
		.fail = fail_item,
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rt_commit_stop(commit, rt_clock_mono_us() + 5 * RT_US_PER_S);
	rt_commit_destroy(commit);
	pthread_mutex_destroy(&fake.lock);
	pthread_cond_destroy(&fake.changed);
	return 0;
}

static int64_t in_ms(int64_t duration_ms)
{
	return rt_clock_mono_us() + duration_ms * RT_US_PER_MS;
}

static struct rt_status submit(int number, int key, size_t weight, int64_t deadline_us)
{
	struct item *item = &items[number];
	item->key = key;
	item->number = number;
	item->queued = (struct rt_commit_item){.key = {.bytes = {[3] = 1, [15] = (uint8_t)key}},
					       .source = item->source,
					       .weight = weight,
					       .deadline_mono_us = deadline_us};
	return rt_commit_submit(commit, &item->queued);
}

static void submit_ok(int number, int key)
{
	struct rt_status status = submit(number, key, 1, in_ms(20000));
	assert_true(rt_is_ok(&status));
}

static void wait_answered(size_t count)
{
	int64_t until_us = in_ms(10000);
	for (;;) {
		pthread_mutex_lock(&fake.lock);
		size_t answered = fake.answered;
		pthread_mutex_unlock(&fake.lock);
		if (answered >= count)
			return;
		assert_true(rt_clock_mono_us() < until_us);
		rt_clock_sleep_us(200);
	}
}

static void wait_batches(size_t count)
{
	pthread_mutex_lock(&fake.lock);
	while (fake.batch_count < count)
		pthread_cond_wait(&fake.changed, &fake.lock);
	pthread_mutex_unlock(&fake.lock);
}

/* Occupies a lane with one item. */
static void occupy(int number, int key)
{
	size_t begun = fake.batch_count;
	hold(true);
	submit_ok(number, key);
	wait_batches(begun + 1);
}

static void check_each_answered_once(int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(atomic_load(&items[i].answers), 1);
}

static void test_an_idle_lane_takes_one_at_once(void **state)
{
	(void)state;
	commit = rt_commit_new(&config);
	for (int i = 0; i < 5; i++) {
		submit_ok(i, 1);
		wait_answered((size_t)i + 1);
	}
	assert_int_equal(fake.batch_count, 5);
	check_each_answered_once(5);
}

static void test_what_waits_goes_together_in_order(void **state)
{
	(void)state;
	commit = rt_commit_new(&config);
	occupy(0, 1);
	for (int i = 1; i < 26; i++)
		submit_ok(i, 1);
	assert_int_equal(rt_commit_waiting(commit), 25);
	hold(false);
	wait_answered(26);
	const struct batch expected[] = {{1, 1, 0}, {1, 10, 1}, {1, 10, 11}, {1, 5, 21}};
	assert_int_equal(fake.batch_count, 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(fake.batches[i].count, expected[i].count);
		assert_int_equal(fake.batches[i].first, expected[i].first);
	}
	check_each_answered_once(26);
}

/* Waits while batches are held. */
static void wait_for_it(void *context, struct rt_pg *pg, struct rt_commit_item **queued,
			size_t count)
{
	(void)context;
	(void)queued;
	assert_non_null(pg);
	pthread_mutex_lock(&fake.lock);
	fake.prepared += count;
	pthread_cond_broadcast(&fake.changed);
	while (fake.held)
		pthread_cond_wait(&fake.changed, &fake.lock);
	pthread_mutex_unlock(&fake.lock);
}

static void test_what_comes_while_it_prepares_joins(void **state)
{
	(void)state;
	config.prepare = wait_for_it;
	commit = rt_commit_new(&config);
	hold(true);
	submit_ok(0, 1);
	pthread_mutex_lock(&fake.lock);
	while (fake.prepared < 1)
		pthread_cond_wait(&fake.changed, &fake.lock);
	pthread_mutex_unlock(&fake.lock);
	for (int i = 1; i < 7; i++)
		submit_ok(i, i == 2 ? 2 : 1);
	for (int i = 7; i < 13; i++) {
		struct rt_status status = submit(i, 1, i == 9 ? 996 : 1, in_ms(20000));
		assert_true(rt_is_ok(&status));
	}
	hold(false);
	wait_answered(13);
	/* Of the same key, in order, within the bounds of a batch: 996 is too much for the first.
	 */
	const struct batch expected[] = {{1, 8, 0}, {2, 1, 2}, {1, 4, 9}};
	assert_int_equal(fake.batch_count, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fake.batches[i].key, expected[i].key);
		assert_int_equal(fake.batches[i].count, expected[i].count);
		assert_int_equal(fake.batches[i].first, expected[i].first);
	}
	check_each_answered_once(13);
}

static void test_weights(void **state)
{
	(void)state;
	const size_t weights[] = {1, 400, 500, 101, 5000, 999, 1};
	commit = rt_commit_new(&config);
	occupy(0, 1);
	for (int i = 1; i < 7; i++) {
		struct rt_status status = submit(i, 1, weights[i], in_ms(20000));
		assert_true(rt_is_ok(&status));
	}
	hold(false);
	wait_answered(7);
	const struct batch expected[] = {{1, 1, 0}, {1, 2, 1}, {1, 1, 3}, {1, 1, 4}, {1, 2, 5}};
	assert_int_equal(fake.batch_count, 5);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(fake.batches[i].count, expected[i].count);
		assert_int_equal(fake.batches[i].first, expected[i].first);
	}
}

static void test_keys_take_turns(void **state)
{
	(void)state;
	commit = rt_commit_new(&config);
	occupy(0, 1);
	for (int i = 1; i < 1001; i++)
		submit_ok(i, 1);
	submit_ok(1001, 2);
	submit_ok(1002, 3);
	hold(false);
	wait_answered(1003);
	/* The two do not wait for the thousand that came before them. */
	assert_int_equal(fake.batches[1].key, 2);
	assert_int_equal(fake.batches[2].key, 3);
	check_each_answered_once(1003);
}

/* Of a source, so many items of a weight. */
static void submit_from(uint64_t source, int first, int count, size_t weight)
{
	for (int i = first; i < first + count; i++) {
		items[i].source = source;
		struct rt_status status = submit(i, 1, weight, in_ms(20000));
		assert_true(rt_is_ok(&status));
	}
}

static void check_in_order(int first, int count)
{
	for (int i = first + 1; i < first + count; i++)
		assert_true(items[i].batch >= items[i - 1].batch);
}

static void test_sources_take_turns(void **state)
{
	(void)state;
	config.batch_items_max = 1000;
	config.batch_weight_max = 80;
	commit = rt_commit_new(&config);
	occupy(0, 1);
	submit_from(7, 1, 1000, 1);
	submit_from(8, 1001, 1, 1);
	submit_from(9, 1002, 35, 1);
	hold(false);
	wait_answered(1037);
	/* Whoever came first has what the others leave of the first batch. */
	for (int i = 1001; i < 1037; i++)
		assert_int_equal(items[i].batch, 1);
	assert_int_equal(items[44].batch, 1);
	assert_int_equal(items[45].batch, 2);
	check_in_order(1, 1000);
	check_each_answered_once(1037);
}

static void test_a_heavy_item_keeps_its_place(void **state)
{
	(void)state;
	config.batch_items_max = 1000;
	commit = rt_commit_new(&config);
	occupy(0, 1);
	submit_from(7, 1, 3, 2000); /* each more than a batch may weigh */
	submit_from(8, 4, 300, 1);
	submit_from(9, 304, 2, 900);
	hold(false);
	wait_answered(306);
	/* What fits a batch goes with it; who is passed over for that is the first of the next one.
	 */
	const struct {
		int item;
		size_t batch;
	} expected[] = {{1, 1}, {4, 2}, {303, 2}, {304, 3}, {2, 4}, {305, 5}, {3, 6}};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(items[expected[i].item].batch, expected[i].batch);
	check_in_order(4, 300);
	check_each_answered_once(306);
}

static enum rt_code submit_as(uint64_t source, int number, int key)
{
	items[number].source = source;
	return submit(number, key, 1, in_ms(20000)).code;
}

static void test_one_source_leaves_room_for_others(void **state)
{
	(void)state;
	config.queue_max = 90;
	commit = rt_commit_new(&config);
	occupy(0, 1);
	submit_from(7, 1, 80, 1);
	assert_int_equal(submit_as(7, 81, 1), RT_RESOURCE_EXHAUSTED);
	assert_int_equal(submit_as(8, 81, 1), RT_OK);
	assert_int_equal(submit_as(7, 82, 2), RT_OK);
	for (int i = 83; i < 91; i++)
		assert_int_equal(submit_as(0, i, 1), RT_OK); /* our own may have all */
	assert_int_equal(submit_as(8, 91, 1), RT_RESOURCE_EXHAUSTED);
	assert_int_equal(submit_as(0, 91, 1), RT_RESOURCE_EXHAUSTED);
	hold(false);
	wait_answered(91);
	check_each_answered_once(91);
}

static void check_share(int queue_max, int share)
{
	int count = 1;
	config.queue_max = (size_t)queue_max;
	commit = rt_commit_new(&config);
	occupy(0, 1);
	for (int key = 1; key < 10; key++)
		while (submit_as(7, count, key) == RT_OK)
			count++;
	assert_int_equal(count - 1, share);
	for (; count < 1 + queue_max && count < 3 + share; count++)
		assert_int_equal(submit_as((uint64_t)count, count, 1), RT_OK);
	hold(false);
	wait_answered((size_t)count);
	/* What it had waiting is not held against it. */
	assert_int_equal(submit_as(7, count, 1), RT_OK);
	wait_answered((size_t)count + 1);
}

static void test_one_source_at_many_keys_leaves_room_for_others(void **state)
{
	commit = rt_commit_new(&config);
	const int shares[][2] = {{1, 1}, {2, 1}, {3, 2}, {9, 8}, {65, 64}, {650, 640}};
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		tear_down(state);
		set_up(state);
		check_share(shares[i][0], shares[i][1]);
	}
}

static void test_one_lane_at_a_time_for_a_key(void **state)
{
	(void)state;
	config.lanes = 4;
	commit = rt_commit_new(&config);
	fake.takes_us = 300;
	for (int i = 0; i < 2000; i++)
		submit_ok(i, i % 3);
	wait_answered(2000);
	assert_false(fake.overlapped);
	check_each_answered_once(2000);
	/* In order within a key. */
	int last[3] = {-1, -1, -1};
	for (size_t i = 0; i < fake.batch_count; i++) {
		assert_true(fake.batches[i].first > last[fake.batches[i].key]);
		last[fake.batches[i].key] = fake.batches[i].first;
	}
}

static void test_the_lane_that_worked_last_works_next(void **state)
{
	(void)state;
	config.lanes = 4;
	commit = rt_commit_new(&config);
	for (int i = 0; i < 200; i++) {
		submit_ok(i, 1);
		wait_answered((size_t)i + 1);
	}
	/* Not always: what comes before it rests may wake another. */
	assert_in_range(fake.lane_changes, 1, 100);
}

static void test_the_queue_is_bounded(void **state)
{
	(void)state;
	config.queue_max = 20;
	commit = rt_commit_new(&config);
	occupy(0, 1);
	for (int i = 1; i <= 20; i++)
		submit_ok(i, i % 5);
	struct rt_status status = submit(21, 1, 1, in_ms(1000));
	assert_int_equal(status.code, RT_RESOURCE_EXHAUSTED);
	assert_string_equal(status.reason, "QUEUE_FULL");
	assert_in_range(status.retry_after_ms, 10, 2000);
	hold(false);
	wait_answered(21);
	submit_ok(21, 1);
	wait_answered(22);
	check_each_answered_once(22);
}

static void test_what_waits_too_long_fails_in_time(void **state)
{
	(void)state;
	commit = rt_commit_new(&config);
	occupy(0, 1);
	int64_t deadline_us = in_ms(100);
	for (int i = 1; i < 40; i++) {
		struct rt_status status =
			submit(i, i % 4, 1, i % 2 == 0 ? deadline_us : in_ms(20000));
		assert_true(rt_is_ok(&status));
	}
	/* All lanes are stuck, and still. */
	wait_answered(19);
	for (int i = 2; i < 40; i += 2) {
		assert_int_equal(items[i].code, RT_DEADLINE_EXCEEDED);
		assert_in_range(items[i].answered_us - deadline_us, 0, 200 * RT_US_PER_MS);
	}
	assert_int_equal(rt_commit_waiting(commit), 20);
	hold(false);
	wait_answered(40);
	for (int i = 1; i < 40; i += 2)
		assert_int_equal(items[i].code, RT_OK);
	check_each_answered_once(40);
}

static struct rt_pace *pace;
static atomic_bool turn_begun;

static void *wait_for_turn(void *unused)
{
	(void)unused;
	(void)rt_pace_begin(pace, RT_NO_DEADLINE);
	atomic_store(&turn_begun, true);
	return NULL;
}

/* Turns that took this long so far, while lanes are as they are; looked at twice, since whether
 * lanes are at work is told by what they did between two looks. */
static void take_turns(int64_t took_us)
{
	for (int i = 0; i < 2; i++) {
		rt_clock_sleep_us(50 * RT_US_PER_MS);
		rt_pace_end(pace, rt_clock_mono_us() - took_us);
	}
}

static void test_reads_give_way_while_lanes_are_at_work(void **state)
{
	(void)state;
	pthread_t reader;
	commit = rt_commit_new(&config);
	pace = rt_pace_new(commit, 10, 600 * RT_US_PER_S);
	atomic_store(&turn_begun, false);
	occupy(0, 1);
	take_turns(60 * RT_US_PER_S);
	assert_int_equal(pthread_create(&reader, NULL, wait_for_turn, NULL), 0);
	rt_clock_sleep_us(200 * RT_US_PER_MS);
	bool begun = atomic_load(&turn_begun);
	/* As soon as lanes are idle, whatever is owed. */
	hold(false);
	assert_false(begun);
	assert_int_equal(pthread_join(reader, NULL), 0);
	rt_pace_destroy(pace);
}

static void test_reads_take_all_they_want_while_lanes_are_idle(void **state)
{
	(void)state;
	commit = rt_commit_new(&config);
	pace = rt_pace_new(commit, 10, 600 * RT_US_PER_S);
	int64_t deadline_us = in_ms(20000);
	take_turns(60 * RT_US_PER_S);
	assert_true(rt_pace_begin(pace, deadline_us) < deadline_us);
	/* Nor is anything owed later for what was read then. */
	occupy(0, 1);
	rt_clock_sleep_us(50 * RT_US_PER_MS);
	assert_true(rt_pace_begin(pace, deadline_us) < deadline_us);
	hold(false);
	rt_pace_destroy(pace);
}

static void test_a_turn_comes_with_its_deadline(void **state)
{
	(void)state;
	commit = rt_commit_new(&config);
	pace = rt_pace_new(commit, 10, 600 * RT_US_PER_S);
	occupy(0, 1);
	take_turns(60 * RT_US_PER_S);
	int64_t deadline_us = in_ms(100);
	assert_true(rt_pace_begin(pace, deadline_us) >= deadline_us);
	hold(false);
	rt_pace_destroy(pace);
}

static void test_transient_errors_are_tried_again(void **state)
{
	(void)state;
	static const enum rt_code codes[] = {RT_ABORTED, RT_UNAVAILABLE, RT_OUTCOME_UNKNOWN,
					     RT_DEADLINE_EXCEEDED};
	commit = rt_commit_new(&config);
	for (int i = 0; i < 4; i++) {
		fake.fail_times = 3;
		fake.fail_code = codes[i];
		submit_ok(i, 1);
		wait_answered((size_t)i + 1);
		assert_int_equal(items[i].code, RT_OK);
	}
	assert_int_equal(fake.batch_count, 16);
}

static void test_until_the_deadline(void **state)
{
	(void)state;
	commit = rt_commit_new(&config);
	fake.fail_times = INT32_MAX;
	fake.fail_code = RT_UNAVAILABLE;
	struct rt_status status = submit(0, 1, 1, in_ms(150));
	assert_true(rt_is_ok(&status));
	wait_answered(1);
	assert_int_equal(items[0].code, RT_UNAVAILABLE);
	assert_string_equal(items[0].reason, "FAKE");
	fake.fail_times = 0;
}

static void test_an_unknown_outcome_stays_unknown(void **state)
{
	(void)state;
	commit = rt_commit_new(&config);
	fake.fail_times = 1;
	fake.fail_code = RT_OUTCOME_UNKNOWN;
	struct rt_status status = submit(0, 1, 1, in_ms(150));
	assert_true(rt_is_ok(&status));
	wait_batches(1);
	pthread_mutex_lock(&fake.lock);
	fake.fail_times = INT32_MAX;
	fake.fail_code = RT_UNAVAILABLE;
	pthread_mutex_unlock(&fake.lock);
	wait_answered(1);
	/* Either way: it had been answered before, or the later failure did not hide the doubt. */
	assert_true(items[0].code == RT_OUTCOME_UNKNOWN || items[0].code == RT_OK);
	fake.fail_times = 0;
}

static void test_items_of_a_batch_have_their_own_deadlines(void **state)
{
	(void)state;
	commit = rt_commit_new(&config);
	occupy(0, 1);
	for (int i = 1; i < 10; i++) {
		struct rt_status status = submit(i, 1, 1, i == 5 ? in_ms(100) : in_ms(20000));
		assert_true(rt_is_ok(&status));
	}
	fake.fail_times = 12;
	fake.fail_first = 1;
	fake.fail_code = RT_ABORTED;
	hold(false);
	wait_answered(10);
	for (int i = 1; i < 10; i++)
		assert_int_equal(items[i].code, i == 5 ? RT_ABORTED : RT_OK);
	check_each_answered_once(10);
}

static void test_poison_fails_alone(void **state)
{
	(void)state;
	commit = rt_commit_new(&config);
	occupy(0, 1);
	items[4].poison = items[9].poison = true;
	for (int i = 1; i < 11; i++)
		submit_ok(i, 1);
	hold(false);
	wait_answered(11);
	for (int i = 0; i < 11; i++)
		assert_int_equal(items[i].code, i == 4 || i == 9 ? RT_INTERNAL : RT_OK);
	check_each_answered_once(11);
}

static void test_stop_refuses_and_fails_the_rest(void **state)
{
	(void)state;
	commit = rt_commit_new(&config);
	fake.fail_times = INT32_MAX;
	fake.fail_code = RT_UNAVAILABLE;
	for (int i = 0; i < 50; i++)
		submit_ok(i, i % 5);
	int64_t begun_us = rt_clock_mono_us();
	rt_commit_stop(commit, in_ms(200));
	assert_in_range(rt_clock_mono_us() - begun_us, 150 * RT_US_PER_MS, 800 * RT_US_PER_MS);
	check_each_answered_once(50);
	for (int i = 0; i < 50; i++)
		assert_int_equal(items[i].code, RT_UNAVAILABLE);
	struct rt_status status = submit(50, 1, 1, in_ms(1000));
	assert_string_equal(status.reason, "SHUTTING_DOWN");
	rt_commit_destroy(commit);
	commit = rt_commit_new(&config); /* for the tear-down */
	fake.fail_times = 0;
}

static void test_stop_waits_for_what_can_be_done(void **state)
{
	(void)state;
	config.lanes = 3;
	commit = rt_commit_new(&config);
	fake.takes_us = 2000;
	for (int i = 0; i < 300; i++)
		submit_ok(i, i % 7);
	rt_commit_stop(commit, in_ms(10000));
	check_each_answered_once(300);
	for (int i = 0; i < 300; i++)
		assert_int_equal(items[i].code, RT_OK);
	rt_commit_destroy(commit);
	commit = rt_commit_new(&config);
}

struct storm {
	pthread_t thread;
	int first;
};

static void *submit_some(void *argument)
{
	const struct storm *storm = argument;
	for (int i = 0; i < 500; i++) {
		struct rt_status status = submit(storm->first + i, i % 16, 1 + (size_t)i % 300,
						 i % 50 == 0 ? in_ms(1) : in_ms(20000));
		if (!rt_is_ok(&status))
			answer(&items[storm->first + i], status.code, status.reason);
	}
	return NULL;
}

static void test_storm(void **state)
{
	(void)state;
	struct storm storms[8];
	config.lanes = 4;
	config.queue_max = 700;
	commit = rt_commit_new(&config);
	fake.takes_us = 50;
	fake.fail_times = 40;
	fake.fail_code = RT_ABORTED;
	for (int i = 0; i < 8; i++) {
		storms[i].first = i * 500;
		assert_int_equal(pthread_create(&storms[i].thread, NULL, submit_some, &storms[i]),
				 0);
	}
	for (int i = 0; i < 8; i++)
		pthread_join(storms[i].thread, NULL);
	wait_answered(4000);
	check_each_answered_once(4000);
	assert_false(fake.overlapped);
	assert_int_equal(rt_commit_waiting(commit), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_idle_lane_takes_one_at_once),
		TEST(test_what_waits_goes_together_in_order),
		TEST(test_what_comes_while_it_prepares_joins),
		TEST(test_weights),
		TEST(test_keys_take_turns),
		TEST(test_sources_take_turns),
		TEST(test_a_heavy_item_keeps_its_place),
		TEST(test_one_source_leaves_room_for_others),
		TEST(test_one_source_at_many_keys_leaves_room_for_others),
		TEST(test_one_lane_at_a_time_for_a_key),
		TEST(test_the_lane_that_worked_last_works_next),
		TEST(test_the_queue_is_bounded),
		TEST(test_what_waits_too_long_fails_in_time),
		TEST(test_reads_give_way_while_lanes_are_at_work),
		TEST(test_reads_take_all_they_want_while_lanes_are_idle),
		TEST(test_a_turn_comes_with_its_deadline),
		TEST(test_transient_errors_are_tried_again),
		TEST(test_until_the_deadline),
		TEST(test_an_unknown_outcome_stays_unknown),
		TEST(test_items_of_a_batch_have_their_own_deadlines),
		TEST(test_poison_fails_alone),
		TEST(test_stop_refuses_and_fails_the_rest),
		TEST(test_stop_waits_for_what_can_be_done),
		TEST(test_storm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
