/* Group commit against a real table, with connections that are killed: every acknowledged item
 * exactly once. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "rt/clock.h"
#include "rt/group_commit.h"

#define SUBMITTERS 8
#define ITEMS_EACH 400
#define KEYS       5
#define POISON     INT64_C(-1)

enum answer { WAITING, DONE, FAILED };

struct item {
	struct rt_commit_item queued;
	int64_t id;
	atomic_int answer;
	enum rt_code code;
};

static struct rt_commit *commit;
static atomic_int answered;
static atomic_int attempts;
static atomic_int failures;
static int64_t pace_us; /* the most that submitters sleep between items */

/* Insert what is not there: an attempt whose outcome was unknown may have done it. The constraint
 * refuses the poison. */
static const struct rt_pg_statement insert = {
	"commit_insert",
	"INSERT INTO committed (id) SELECT unnest($1::bigint[]) ON CONFLICT (id) DO NOTHING"};
/* Counts every time that an item is carried out. */
static const struct rt_pg_statement count_up = {
	"commit_count", "INSERT INTO carried_out (id) SELECT id FROM unnest($1::bigint[]) AS t (id)"
			" WHERE NOT EXISTS (SELECT 1 FROM committed AS c WHERE c.id = t.id)"};

static struct rt_status write_all(struct rt_pg *pg, struct rt_commit_item **items, size_t count,
				  struct rt_arena *arena)
{
	struct rt_pg_rows rows[2] = {0};
	struct rt_pg_params params;
	int64_t *ids = rt_arena_array(arena, count, sizeof(*ids));
	for (size_t i = 0; i < count; i++)
		ids[i] = ((struct item *)items[i])->id;
	rt_pg_params_init(&params, arena);
	rt_pg_add_int_array(&params, ids, NULL, count);
	RT_TRY(rt_pg_send_begin(pg, in_ms(2000)));
	RT_TRY(rt_pg_send(pg, &count_up, &params));
	RT_TRY(rt_pg_receive(pg, rows, 1));
	rt_pg_rows_deinit(&rows[0]);
	RT_TRY(rt_pg_send(pg, &insert, &params));
	RT_TRY(rt_pg_send_commit(pg));
	RT_TRY(rt_pg_receive(pg, rows, 1));
	rt_pg_rows_deinit(&rows[0]);
	return rt_ok();
}

static struct rt_status batch(void *context, struct rt_pg *pg, struct rt_commit_item **items,
			      size_t count, struct rt_arena *arena)
{
	(void)context;
	atomic_fetch_add(&attempts, 1);
	struct rt_status status = write_all(pg, items, count, arena);
	if (!rt_is_ok(&status)) {
		atomic_fetch_add(&failures, 1);
		return status;
	}
	for (size_t i = 0; i < count; i++) {
		atomic_store(&((struct item *)items[i])->answer, DONE);
		atomic_fetch_add(&answered, 1);
	}
	return status;
}

static void fail_item(void *context, struct rt_commit_item *queued, struct rt_status status)
{
	(void)context;
	struct item *item = (struct item *)queued;
	item->code = status.code;
	atomic_store(&item->answer, FAILED);
	atomic_fetch_add(&answered, 1);
}

static void start(int port)
{
	struct rt_pg *pg = fixture_pg(0);
	script(pg, "DROP TABLE IF EXISTS committed, carried_out;"
		   "CREATE TABLE committed (id bigint PRIMARY KEY CHECK (id >= 0)); CREATE TABLE "
		   "carried_out (id bigint)");
	rt_pg_destroy(pg);
	atomic_store(&answered, 0);
	atomic_store(&attempts, 0);
	atomic_store(&failures, 0);
	commit = rt_commit_new(&(struct rt_commit_config){
		.name = "test",
		.pg = {.conninfo = fixture_conninfo("DALER_ACCOUNTS_DB", port),
		       .application = "commit-test"},
		.lanes = 3,
		.queue_max = 100000,
		.batch_items_max = 64,
		.batch_weight_max = 1000,
		.arena_bytes = 1 << 20,
		.batch = batch,
		.fail = fail_item,
	});
}

static void stop(void)
{
	rt_commit_stop(commit, in_ms(20000));
	rt_commit_destroy(commit);
}

static struct rt_uuid key_of(int64_t id)
{
	return (struct rt_uuid){.bytes = {[15] = (uint8_t)(id % KEYS), [0] = 1}};
}

static void submit(struct item *item, int64_t id, int64_t deadline_us)
{
	*item = (struct item){
		.queued = {.key = key_of(id), .weight = 1, .deadline_mono_us = deadline_us},
		.id = id,
	};
	OK(rt_commit_submit(commit, &item->queued));
}

struct submitter {
	pthread_t thread;
	int number;
	struct item items[ITEMS_EACH];
};

static struct submitter submitters[SUBMITTERS];

static void *submit_all(void *argument)
{
	struct submitter *submitter = argument;
	for (int i = 0; i < ITEMS_EACH; i++) {
		submit(&submitter->items[i], (int64_t)submitter->number * ITEMS_EACH + i,
		       in_ms(30000));
		if (pace_us > 0 && i % 2 == 0)
			rt_clock_sleep_us((int64_t)rt_random_below((uint64_t)pace_us));
	}
	return NULL;
}

static void wait_answered(int count, int64_t until_us)
{
	while (atomic_load(&answered) < count) {
		assert_true(rt_clock_mono_us() < until_us);
		rt_clock_sleep_us(2000);
	}
}

static void run_all(void (*meanwhile)(void))
{
	for (int i = 0; i < SUBMITTERS; i++) {
		submitters[i].number = i;
		assert_int_equal(
			pthread_create(&submitters[i].thread, NULL, submit_all, &submitters[i]), 0);
	}
	if (meanwhile != NULL)
		meanwhile();
	for (int i = 0; i < SUBMITTERS; i++)
		pthread_join(submitters[i].thread, NULL);
	wait_answered(SUBMITTERS * ITEMS_EACH, in_ms(40000));
}

static void check_all_done(void)
{
	for (int i = 0; i < SUBMITTERS; i++)
		for (int j = 0; j < ITEMS_EACH; j++)
			assert_int_equal(atomic_load(&submitters[i].items[j].answer), DONE);
	assert_int_equal(ask_int("there", "SELECT count(*) FROM committed"),
			 SUBMITTERS * ITEMS_EACH);
	assert_int_equal(ask_int("once", "SELECT count(*) FROM carried_out"),
			 SUBMITTERS * ITEMS_EACH);
}

static void test_items_share_transactions(void **state)
{
	(void)state;
	start(0);
	pace_us = 0;
	run_all(NULL);
	check_all_done();
	print_message("%d items in %d transactions\n", SUBMITTERS * ITEMS_EACH,
		      atomic_load(&attempts));
	assert_true(atomic_load(&attempts) < SUBMITTERS * ITEMS_EACH / 2);
	stop();
}

static void kill_lanes(void)
{
	struct rt_pg *super = rt_pg_new(
		&(struct rt_pg_config){.conninfo = fixture_conninfo("DALER_SUPERUSER_DB", 0)});
	for (int i = 0; i < 60 && atomic_load(&answered) < SUBMITTERS * ITEMS_EACH; i++) {
		script(super, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
			      " WHERE application_name = 'commit-test' AND random() < 0.6");
		rt_clock_sleep_us(10000);
	}
	rt_pg_destroy(super);
}

static void test_killed_connections(void **state)
{
	(void)state;
	start(0);
	pace_us = 6000;
	run_all(kill_lanes);
	check_all_done();
	print_message("%d items in %d attempts, of which %d failed\n", SUBMITTERS * ITEMS_EACH,
		      atomic_load(&attempts), atomic_load(&failures));
	assert_true(atomic_load(&failures) > 3);
	stop();
}

static struct proxy *proxy;

static void lose_commits(void)
{
	static const enum proxy_act acts[] = {PROXY_CUT, PROXY_DELIVER_AND_CUT};
	for (int i = 0; i < 15 && atomic_load(&answered) < SUBMITTERS * ITEMS_EACH; i++) {
		proxy_set(proxy, "rt_commit", acts[i % 2]);
		rt_clock_sleep_us(30000);
	}
	proxy_set(proxy, "", PROXY_PASS);
}

static void test_lost_commits(void **state)
{
	(void)state;
	proxy = proxy_new(fixture_port(fixture_env("DALER_ACCOUNTS_DB")));
	start(proxy_port(proxy));
	pace_us = 6000;
	run_all(lose_commits);
	check_all_done();
	print_message("%d items in %d attempts, of which %d failed\n", SUBMITTERS * ITEMS_EACH,
		      atomic_load(&attempts), atomic_load(&failures));
	assert_true(atomic_load(&failures) > 3);
	stop();
	proxy_destroy(proxy);
}

static void test_a_poison_item_fails_alone(void **state)
{
	(void)state;
	enum { COUNT = 100 };
	static struct item items[COUNT];
	start(0);
	for (int i = 0; i < COUNT; i++)
		submit(&items[i], i == 37 ? POISON * KEYS : (int64_t)i * KEYS, in_ms(20000));
	wait_answered(COUNT, in_ms(20000));
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(atomic_load(&items[i].answer), i == 37 ? FAILED : DONE);
	assert_int_equal(items[37].code, RT_FAILED_PRECONDITION);
	assert_int_equal(ask_int("there", "SELECT count(*) FROM committed"), COUNT - 1);
	stop();
}

static void test_deadlines_while_the_database_is_away(void **state)
{
	(void)state;
	enum { COUNT = 50 };
	static struct item items[COUNT];
	struct proxy *gone = proxy_new(1);
	int port = proxy_port(gone);
	proxy_destroy(gone);
	start(port);
	int64_t begun_us = rt_clock_mono_us();
	for (int i = 0; i < COUNT; i++)
		submit(&items[i], i, in_ms(300));
	wait_answered(COUNT, in_ms(3000));
	assert_in_range(rt_clock_mono_us() - begun_us, 290 * RT_US_PER_MS, 900 * RT_US_PER_MS);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(atomic_load(&items[i].answer), FAILED);
		assert_true(items[i].code == RT_UNAVAILABLE ||
			    items[i].code == RT_DEADLINE_EXCEEDED);
	}
	stop();
}

static void test_stop_carries_out_what_waits(void **state)
{
	(void)state;
	enum { COUNT = 500 };
	static struct item items[COUNT];
	start(0);
	for (int i = 0; i < COUNT; i++)
		submit(&items[i], i, in_ms(20000));
	rt_commit_stop(commit, in_ms(20000));
	struct item late = {.queued = {.weight = 1, .deadline_mono_us = in_ms(1000)}};
	FAILS(rt_commit_submit(commit, &late.queued), UNAVAILABLE, "SHUTTING_DOWN");
	rt_commit_destroy(commit);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(atomic_load(&items[i].answer), DONE);
	assert_int_equal(ask_int("there", "SELECT count(*) FROM committed"), COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items_share_transactions),
		cmocka_unit_test(test_killed_connections),
		cmocka_unit_test(test_lost_commits),
		cmocka_unit_test(test_a_poison_item_fails_alone),
		cmocka_unit_test(test_deadlines_while_the_database_is_away),
		cmocka_unit_test(test_stop_carries_out_what_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
