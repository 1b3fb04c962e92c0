/* The simulator's books and the teller who keeps them: exactly once, and across restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/teller.h"
#include "rt/clock.h"
#include "simulator_books_1.h"
#include "store/books.h"

struct fixture {
	char folder[64];
	struct books *books;
	struct rt_arena arena;
};

static void ok(struct rt_status status)
{
	if (!rt_is_ok(&status))
		fail_msg("%s: %s", status.reason, status.detail);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/daler-books.XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	rt_arena_init(&fixture->arena, 1 << 20);
	ok(books_open(fixture->folder, false, &fixture->books));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = {"books.sqlite3", "books.sqlite3-wal",
					    "books.sqlite3-shm"};
	struct fixture *fixture = *state;
	char path[128];
	books_close(fixture->books);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", fixture->folder, files[i]);
		unlink(path);
	}
	rmdir(fixture->folder);
	rt_arena_deinit(&fixture->arena);
	free(fixture);
	return 0;
}

static void reopen(struct fixture *fixture)
{
	books_close(fixture->books);
	ok(books_open(fixture->folder, false, &fixture->books));
}

static struct operation made(const char *reference, int64_t amount_minor)
{
	return (struct operation){
		.order = {.kind = OPERATION_CHARGE,
			  .reference = reference,
			  .amount_minor = amount_minor,
			  .currency = "EUR",
			  .instrument = "tok_1",
			  .original = ""},
		.status = OPERATION_SUCCEEDED,
		.final_status = OPERATION_SUCCEEDED,
		.decline_reason = "",
		.provider_reference = reference,
		.created_wall_us = 1000,
	};
}

static void insert(struct fixture *fixture, struct operation operation)
{
	ok(books_begin(fixture->books));
	ok(books_insert(fixture->books, &operation));
	ok(books_commit(fixture->books));
}

static void test_what_is_committed_survives_and_what_is_not_does_not(void **state)
{
	struct fixture *fixture = *state;
	struct operation operation = made("lost", 2), found;
	bool is_there = false;
	insert(fixture, made("kept", 1));
	ok(books_begin(fixture->books));
	ok(books_insert(fixture->books, &operation));
	books_rollback(fixture->books);
	reopen(fixture);
	ok(books_find(fixture->books, "kept", &fixture->arena, &found, &is_there));
	assert_true(is_there);
	assert_int_equal(found.order.amount_minor, 1);
	assert_string_equal(found.order.instrument, "tok_1");
	ok(books_find(fixture->books, "lost", &fixture->arena, &found, &is_there));
	assert_false(is_there);
}

static void test_a_reference_is_there_once(void **state)
{
	struct fixture *fixture = *state;
	struct operation again = made("one", 2);
	again.provider_reference = "other";
	insert(fixture, made("one", 1));
	ok(books_begin(fixture->books));
	struct rt_status status = books_insert(fixture->books, &again);
	assert_int_equal(status.code, RT_UNAVAILABLE);
	books_rollback(fixture->books);
	insert(fixture, made("two", 3)); /* the books go on */
}

static void test_tries_are_counted_across_restarts(void **state)
{
	struct fixture *fixture = *state;
	int64_t count = 0;
	for (int64_t i = 1; i <= 3; i++) {
		ok(books_begin(fixture->books));
		ok(books_count_try(fixture->books, "r", &count));
		ok(books_commit(fixture->books));
		assert_int_equal(count, i);
		reopen(fixture);
	}
}

static void test_pending_ones_become_final_when_due(void **state)
{
	struct fixture *fixture = *state;
	struct operation pending = made("p", 5), found;
	int64_t due_us = 0, settled = 0;
	bool is_there = false;
	pending.status = OPERATION_PENDING;
	pending.final_status = OPERATION_DECLINED;
	pending.decline_reason = "NO";
	pending.final_due_wall_us = 5000;
	insert(fixture, pending);
	reopen(fixture);
	ok(books_next_due(fixture->books, true, &due_us));
	assert_int_equal(due_us, 5000);
	ok(books_settle(fixture->books, 4999, &settled));
	assert_int_equal(settled, 0);
	ok(books_settle(fixture->books, 5000, &settled));
	assert_int_equal(settled, 1);
	ok(books_find(fixture->books, "p", &fixture->arena, &found, &is_there));
	assert_int_equal(found.status, OPERATION_DECLINED);
	assert_int_equal(found.updated_wall_us, 5000);
	ok(books_next_due(fixture->books, true, &due_us));
	assert_true(due_us == INT64_MAX);
}

static void test_notifications_wait_until_each_copy_is_taken(void **state)
{
	struct fixture *fixture = *state;
	struct notification due[4];
	size_t count = 0;
	int64_t due_us = 0;
	insert(fixture, made("n", 7));
	ok(books_notify(fixture->books, "id-1", "n", OPERATION_SUCCEEDED, 2, 100));
	reopen(fixture);
	ok(books_notifications_due(fixture->books, 99, 4, &fixture->arena, due, &count));
	assert_int_equal(count, 0);
	ok(books_notifications_due(fixture->books, 100, 4, &fixture->arena, due, &count));
	assert_int_equal(count, 1);
	assert_string_equal(due[0].id, "id-1");
	assert_string_equal(due[0].operation.order.reference, "n");
	ok(books_notification_postpone(fixture->books, "id-1", 900));
	ok(books_notifications_due(fixture->books, 899, 4, &fixture->arena, due, &count));
	assert_int_equal(count, 0);
	ok(books_notification_delivered(fixture->books, "id-1", 300));
	ok(books_notifications_due(fixture->books, 300, 4, &fixture->arena, due, &count));
	assert_int_equal(count, 1);
	ok(books_notification_delivered(fixture->books, "id-1", 400));
	ok(books_next_due(fixture->books, true, &due_us));
	assert_true(due_us == INT64_MAX);
}

static void test_nobody_to_notify_is_nothing_due(void **state)
{
	struct fixture *fixture = *state;
	int64_t due_us = 0;
	insert(fixture, made("n", 7));
	ok(books_notify(fixture->books, "id-1", "n", OPERATION_SUCCEEDED, 1, 100));
	ok(books_next_due(fixture->books, false, &due_us));
	assert_true(due_us == INT64_MAX);
}

static void test_totals_and_pages(void **state)
{
	struct fixture *fixture = *state;
	struct books_total totals[8];
	struct operation page[8];
	size_t count = 0;
	insert(fixture, made("a", 100));
	insert(fixture, made("b", 250));
	struct operation payout = made("c", 40);
	payout.order.kind = OPERATION_PAYOUT;
	insert(fixture, payout);
	ok(books_totals(fixture->books, totals, 8, &count));
	assert_int_equal(count, 2);
	assert_int_equal(totals[0].sum_minor, 350);
	assert_int_equal(totals[0].count, 2);
	assert_int_equal(totals[1].sum_minor, 40);
	ok(books_list(fixture->books, 0, 2, &fixture->arena, page, &count));
	assert_int_equal(count, 2);
	ok(books_list(fixture->books, page[1].arrival, 8, &fixture->arena, page, &count));
	assert_int_equal(count, 1);
	assert_string_equal(page[0].order.reference, "c");
}

static void make_books_1(const char *folder)
{
	char path[128];
	sqlite3 *database = NULL;
	snprintf(path, sizeof(path), "%s/books.sqlite3", folder);
	unlink(path);
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, books_1, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(database);
}

static void test_books_of_version_1_are_kept(void **state)
{
	struct fixture *fixture = *state;
	struct operation page[8];
	size_t count = 0;
	books_close(fixture->books);
	make_books_1(fixture->folder);
	for (int i = 0; i < 2; i++) { /* the second time, they are of today's version */
		ok(books_open(fixture->folder, false, &fixture->books));
		ok(books_list(fixture->books, 0, 8, &fixture->arena, page, &count));
		assert_int_equal(count, 2);
		assert_string_equal(page[0].order.reference, "r1");
		assert_int_equal(page[0].status, OPERATION_SUCCEEDED);
		assert_int_equal(page[1].arrival, 7);
		assert_string_equal(page[1].decline_reason, "NO");
		assert_int_equal(page[1].final_due_wall_us, 99);
		if (i == 0)
			books_close(fixture->books);
	}
	insert(fixture, made("r3", 5));
	ok(books_list(fixture->books, 7, 8, &fixture->arena, page, &count));
	assert_int_equal(count, 1);
	assert_int_equal(page[0].arrival, 8);
}

static void test_looking_makes_no_books(void **state)
{
	(void)state;
	struct books *books = NULL;
	struct rt_status status = books_open("/tmp/daler-there-are-no-books-here", true, &books);
	assert_int_equal(status.code, RT_UNAVAILABLE);
	assert_null(books);
}

/* A task with what the teller needs, and a place to wait for its answer. */
struct waiter {
	struct task task; /* first */
	struct rt_arena arena;
	struct operation operation;
	int64_t answered_mono_us;
	atomic_bool answered;
};

static void answered(struct task *task)
{
	struct waiter *waiter = (struct waiter *)task;
	waiter->answered_mono_us = rt_clock_mono_us();
	atomic_store(&waiter->answered, true);
}

static void submit(struct teller *teller, struct waiter *waiter, const char *behaviour,
		   int64_t amount_minor, int64_t deadline_ms)
{
	memset(waiter, 0, sizeof(*waiter));
	rt_arena_init(&waiter->arena, 65536);
	waiter->task = (struct task){
		.kind = TASK_ORDER,
		.answer = answered,
		.arena = &waiter->arena,
		.deadline_mono_us = rt_clock_mono_us() + deadline_ms * RT_US_PER_MS,
		.scripted = true,
		.operations = &waiter->operation,
		.limit = 1,
		.order = {.kind = OPERATION_PAYOUT,
			  .reference = "ref",
			  .amount_minor = amount_minor,
			  .currency = "EUR",
			  .instrument = behaviour,
			  .original = ""},
	};
	ok(behaviour_parse("instrument", behaviour, &waiter->task.behaviour));
	ok(teller_submit(teller, &waiter->task));
}

static void wait_for(struct waiter *waiter)
{
	for (int i = 0; i < 10000 && !atomic_load(&waiter->answered); i++)
		rt_clock_sleep_us(1000);
	assert_true(atomic_load(&waiter->answered));
}

static struct teller *open_teller(struct fixture *fixture)
{
	const struct teller_config config = {
		.books = fixture->books, .notify_attempts_max = 1, .queue_max = 1024};
	struct teller *teller = NULL;
	ok(teller_new(&config, &teller));
	return teller;
}

static void close_teller(struct teller *teller)
{
	teller_stop(teller);
	teller_destroy(teller);
}

static struct rt_status ask(struct teller *teller, const char *behaviour, int64_t amount_minor,
			    int64_t deadline_ms)
{
	struct waiter waiter;
	submit(teller, &waiter, behaviour, amount_minor, deadline_ms);
	wait_for(&waiter);
	rt_arena_deinit(&waiter.arena);
	return waiter.task.status;
}

static int64_t paid_out(struct fixture *fixture)
{
	struct books_total totals[4];
	size_t count = 0;
	ok(books_totals(fixture->books, totals, 4, &count));
	return count == 0 ? 0 : totals[0].sum_minor;
}

static void test_the_same_reference_at_once_is_one_operation(void **state)
{
	struct fixture *fixture = *state;
	struct teller *teller = open_teller(fixture);
	struct waiter *waiters = calloc(200, sizeof(*waiters));
	for (int i = 0; i < 200; i++)
		submit(teller, &waiters[i], "ok", 11, 5000);
	for (int i = 0; i < 200; i++) {
		wait_for(&waiters[i]);
		ok(waiters[i].task.status);
		assert_string_equal(waiters[i].operation.provider_reference,
				    waiters[0].operation.provider_reference);
	}
	close_teller(teller);
	for (int i = 0; i < 200; i++)
		rt_arena_deinit(&waiters[i].arena);
	free(waiters);
	assert_int_equal(paid_out(fixture), 11);
}

static void test_another_content_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct teller *teller = open_teller(fixture);
	ok(ask(teller, "ok", 11, 5000));
	struct rt_status status = ask(teller, "ok", 12, 5000);
	assert_int_equal(status.code, RT_FAILED_PRECONDITION);
	assert_string_equal(status.reason, "IDEMPOTENCY_PAYLOAD_MISMATCH");
	close_teller(teller);
	assert_int_equal(paid_out(fixture), 11);
}

static void test_failing_ends_after_its_tries_across_restarts(void **state)
{
	struct fixture *fixture = *state;
	for (int i = 0; i < 2; i++) {
		struct teller *teller = open_teller(fixture);
		struct rt_status status = ask(teller, "fail-before=2", 11, 5000);
		assert_int_equal(status.code, RT_UNAVAILABLE);
		close_teller(teller);
		assert_int_equal(paid_out(fixture), 0);
		reopen(fixture);
	}
	struct teller *teller = open_teller(fixture);
	ok(ask(teller, "fail-before=2", 11, 5000));
	ok(ask(teller, "fail-before=2", 11, 5000));
	close_teller(teller);
	assert_int_equal(paid_out(fixture), 11);
}

static void test_no_answer_does_the_work_once(void **state)
{
	struct fixture *fixture = *state;
	struct teller *teller = open_teller(fixture);
	for (int i = 0; i < 2; i++) {
		int64_t begun_us = rt_clock_mono_us();
		struct rt_status status = ask(teller, "no-answer", 11, 100);
		assert_int_equal(status.code, RT_DEADLINE_EXCEEDED);
		assert_true(rt_clock_mono_us() - begun_us >= 100000);
	}
	close_teller(teller);
	assert_int_equal(paid_out(fixture), 11);
}

static void test_lost_does_nothing_at_first(void **state)
{
	struct fixture *fixture = *state;
	struct teller *teller = open_teller(fixture);
	struct rt_status status = ask(teller, "lost", 11, 50);
	assert_int_equal(status.code, RT_DEADLINE_EXCEEDED);
	ok(ask(teller, "lost", 11, 5000));
	close_teller(teller);
	assert_int_equal(paid_out(fixture), 11);
}

static void test_delays_do_not_hold_up_others(void **state)
{
	struct fixture *fixture = *state;
	struct teller *teller = open_teller(fixture);
	struct waiter delayed, late;
	int64_t begun_us = rt_clock_mono_us();
	submit(teller, &delayed, "delay=400", 11, 5000);
	submit(teller, &late, "delay=400", 12, 5000); /* refused: other content */
	wait_for(&late);
	assert_true(late.answered_mono_us - begun_us < 300000);
	wait_for(&delayed);
	assert_true(delayed.answered_mono_us - begun_us >= 400000);
	ok(delayed.task.status);
	close_teller(teller);
	rt_arena_deinit(&delayed.arena);
	rt_arena_deinit(&late.arena);
}

static void test_stopping_ends_what_is_held(void **state)
{
	struct fixture *fixture = *state;
	struct teller *teller = open_teller(fixture);
	struct waiter waiter;
	submit(teller, &waiter, "no-answer", 11, 60000);
	rt_clock_sleep_us(50000);
	assert_false(atomic_load(&waiter.answered));
	teller_release(teller);
	wait_for(&waiter);
	assert_int_equal(waiter.task.status.code, RT_UNAVAILABLE);
	assert_string_equal(waiter.task.status.reason, "SHUTTING_DOWN");
	close_teller(teller);
	rt_arena_deinit(&waiter.arena);
	assert_int_equal(paid_out(fixture), 11);
}

static void test_pending_settles_by_itself(void **state)
{
	struct fixture *fixture = *state;
	struct teller *teller = open_teller(fixture);
	struct waiter waiter;
	submit(teller, &waiter, "pending=100", 11, 5000);
	wait_for(&waiter);
	assert_int_equal(waiter.operation.status, OPERATION_PENDING);
	rt_arena_deinit(&waiter.arena);
	rt_clock_sleep_us(300000);
	submit(teller, &waiter, "pending=100", 11, 5000);
	wait_for(&waiter);
	assert_int_equal(waiter.operation.status, OPERATION_SUCCEEDED);
	rt_arena_deinit(&waiter.arena);
	close_teller(teller);
}

#define WITH_BOOKS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BOOKS(test_what_is_committed_survives_and_what_is_not_does_not),
		WITH_BOOKS(test_a_reference_is_there_once),
		WITH_BOOKS(test_tries_are_counted_across_restarts),
		WITH_BOOKS(test_pending_ones_become_final_when_due),
		WITH_BOOKS(test_notifications_wait_until_each_copy_is_taken),
		WITH_BOOKS(test_nobody_to_notify_is_nothing_due),
		WITH_BOOKS(test_totals_and_pages),
		WITH_BOOKS(test_books_of_version_1_are_kept),
		cmocka_unit_test(test_looking_makes_no_books),
		WITH_BOOKS(test_the_same_reference_at_once_is_one_operation),
		WITH_BOOKS(test_another_content_is_refused),
		WITH_BOOKS(test_failing_ends_after_its_tries_across_restarts),
		WITH_BOOKS(test_no_answer_does_the_work_once),
		WITH_BOOKS(test_lost_does_nothing_at_first),
		WITH_BOOKS(test_delays_do_not_hold_up_others),
		WITH_BOOKS(test_stopping_ends_what_is_held),
		WITH_BOOKS(test_pending_settles_by_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
