#include "lane.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/wanted.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/lock.h"
#include "rt/secret.h"
#include "store/account_store.h"
#include "store/amendment_store.h"
#include "store/posting_store.h"

#define STEP_MS_MAX 8000
#define STEPS_MAX   16
#define ARENA_BYTES ((size_t)16 << 20)
#define POLL_US     (RT_US_PER_MS)

/* How far the lanes' clock is ahead of PostgreSQL's: time passes when a test says so, and never
 * because the machine is slow. */
static _Atomic int64_t ahead_us;

struct lane {
	struct rt_pg *pg;
	int64_t backend;
	bool killed;
	pthread_t thread;
	struct rt_arena arena;
	const struct ask *ask;
	const struct amendment *amendment;
	const struct account_record *opening;
	/* Between the steps. */
	struct book book;
	struct rt_pg_tx tx;
	struct account_record before;
	char verdict[64];
	int64_t moved_minor;
	/* The steps that it was told; guarded by the lock. */
	struct rt_lock lock;
	pthread_cond_t changed;
	char steps[STEPS_MAX];
	struct rt_status results[STEPS_MAX];
	size_t told, taken;
	bool end;
};

struct lanes {
	struct rt_secret password;
	char conninfo[512];
	struct rt_pg *watch, *pg;
	struct lane lane[LANES];
};

int64_t in_ms(int64_t duration_ms)
{
	return rt_clock_mono_us() + duration_ms * RT_US_PER_MS;
}

void check_ok(struct rt_status status, const char *file, int line)
{
	if (rt_is_ok(&status))
		return;
	print_error("%s:%d: %s %s (%s) %s, made at %s:%d\n", file, line, rt_code_name(status.code),
		    status.reason, status.field, status.detail, status.file, status.line);
	_fail(file, line);
}

int64_t lanes_now_us(void)
{
	return rt_clock_wall_us() + atomic_load(&ahead_us);
}

void lanes_let_pass(int64_t duration_us)
{
	atomic_fetch_add(&ahead_us, duration_us);
}

/* ---- the posting engine, in two steps ---- */

static struct rt_status read_step(struct rt_pg *pg, const struct ask *ask, struct rt_arena *arena,
				  struct book *book)
{
	struct posting_wanted wanted;
	int64_t locked_us;
	struct group group = ask->group;
	struct posting_request request = {.item = {.key = ask->ledger_id},
					  .groups = &group,
					  .group_count = 1,
					  .transfer_count = ask->group.count};
	struct posting_request *requests[] = {&request};
	rt_arena_deinit(arena);
	RT_TRY(wanted_collect(requests, 1, arena, &wanted));
	const struct book_size size = {.accounts = wanted.account_count,
				       .transfers = wanted.transfer_count,
				       .holds = wanted.hold_count,
				       .originals = wanted.original_count};
	RT_TRY(book_init(book, arena, &size));
	RT_TRY(posting_store_read(pg, &wanted, in_ms(STEP_MS_MAX), book, &locked_us));
	book_set_time(book, locked_us + atomic_load(&ahead_us));
	return rt_ok();
}

static void describe(const struct outcome *outcome, char verdict[64])
{
	static const char *const refusals[] = {[REFUSAL_NONE] = "none",
					       [REFUSAL_MISMATCH] = "MISMATCH",
					       [REFUSAL_EXPIRES] = "EXPIRES",
					       [REFUSAL_NOT_DUE] = "NOT_DUE"};
	if (outcome->record == NULL)
		snprintf(verdict, 64, "%s", refusals[outcome->refusal]);
	else
		snprintf(verdict, 64, "%s%s", outcome->replayed ? "again " : "",
			 outcome->record->decline == DECLINE_NONE
				 ? "posted"
				 : decline_name(outcome->record->decline));
}

static struct rt_status write_step(struct rt_pg *pg, const struct ask *ask, struct book *book,
				   char verdict[64], int64_t *moved_minor)
{
	struct outcome outcome;
	snprintf(verdict, 64, "failed");
	RT_TRY(book_decide(book, &ask->group, &outcome));
	if (book->first_new == NULL)
		rt_pg_abandon(pg);
	else
		RT_TRY(posting_store_write(pg, &ask->ledger_id, book));
	describe(&outcome, verdict);
	*moved_minor = outcome.record != NULL && outcome.record->decline == DECLINE_NONE
			       ? outcome.record->transfers[0].moved_minor
			       : 0;
	return rt_ok();
}

/* ---- changing and opening an account, in two steps ---- */

static struct rt_status lock_step(struct lane *lane)
{
	rt_arena_deinit(&lane->arena);
	RT_TRY(rt_pg_begin(lane->pg, in_ms(STEP_MS_MAX), &lane->tx));
	return account_store_lock(&lane->tx, &lane->amendment->ledger_id,
				  &lane->amendment->account_id, &lane->arena, &lane->before);
}

static struct rt_status amend_step(struct lane *lane)
{
	static const struct amendment_author author = {.identity = "operator"};
	uint8_t hash[AMENDMENT_HASH_BYTES];
	struct account_record after = lane->before;
	amendment_hash(lane->amendment, hash);
	struct rt_status status = amendment_apply(lane->amendment, &lane->before, &after);
	snprintf(lane->verdict, sizeof(lane->verdict), "%s",
		 rt_is_ok(&status) ? "done" : status.reason);
	if (!rt_is_ok(&status)) {
		rt_pg_tx_cleanup(&lane->tx);
		return rt_ok();
	}
	RT_TRY(amendment_store_write(&lane->tx, &lane->before, &after, hash, &author,
				     lanes_now_us(), &lane->arena));
	return rt_pg_commit(&lane->tx);
}

static struct rt_status open_step(struct lane *lane)
{
	size_t inserted;
	struct stored_account *stored;
	rt_arena_deinit(&lane->arena);
	RT_TRY(rt_pg_begin(lane->pg, in_ms(STEP_MS_MAX), &lane->tx));
	return account_store_create(&lane->tx, lane->opening, 1, &lane->arena, &inserted, &stored);
}

static struct rt_status commit_step(struct lane *lane)
{
	snprintf(lane->verdict, sizeof(lane->verdict), "done");
	return rt_pg_commit(&lane->tx);
}

static struct rt_status or_roll_back(struct lane *lane, struct rt_status status)
{
	if (!rt_is_ok(&status))
		rt_pg_tx_cleanup(&lane->tx);
	return status;
}

static struct rt_status take_step(struct lane *lane, char step)
{
	switch (step) {
	case 'R':
		return read_step(lane->pg, lane->ask, &lane->arena, &lane->book);
	case 'W':
		return write_step(lane->pg, lane->ask, &lane->book, lane->verdict,
				  &lane->moved_minor);
	case 'A':
		rt_pg_abandon(lane->pg);
		return rt_ok();
	case 'L':
		return or_roll_back(lane, lock_step(lane));
	case 'M':
		return or_roll_back(lane, amend_step(lane));
	case 'O':
		return or_roll_back(lane, open_step(lane));
	case 'C':
		return or_roll_back(lane, commit_step(lane));
	default:
		return RT_FAIL(INTERNAL, "NO_SUCH_STEP", "%c", step);
	}
}

/* ---- lanes ---- */

static void *run_lane(void *argument)
{
	struct lane *lane = argument;
	rt_lock_take(&lane->lock);
	for (;;) {
		while (lane->taken == lane->told && !lane->end)
			(void)rt_lock_wait(&lane->lock, &lane->changed, RT_NO_DEADLINE);
		if (lane->taken == lane->told)
			break;
		char step = lane->steps[lane->taken];
		rt_lock_give(&lane->lock);
		struct rt_status status = take_step(lane, step);
		rt_lock_take(&lane->lock);
		lane->results[lane->taken++] = status;
	}
	rt_lock_give(&lane->lock);
	return NULL;
}

/* A connection keeps what it was given to prepare by its address. */
static const struct rt_pg_statement backend_statement = {"isolation_backend",
							 "SELECT pg_backend_pid()"};
static const struct rt_pg_statement waits_statement = {
	"isolation_waits", "SELECT cardinality(pg_blocking_pids($1::int))::bigint"};
static const struct rt_pg_statement kill_statement = {"isolation_kill",
						      "SELECT pg_terminate_backend($1::int)::int"};
static const struct rt_pg_statement lives_statement = {
	"isolation_lives", "SELECT count(*) FROM pg_stat_activity WHERE pid = $1::int"};

static int64_t number_of(struct rt_pg *pg, const struct rt_pg_statement *statement,
			 const int64_t *parameter)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	struct rt_pg_params params;
	rt_arena_init(&arena, 4096);
	rt_pg_params_init(&params, &arena);
	if (parameter != NULL)
		rt_pg_add_int(&params, *parameter);
	OK(rt_pg_run(pg, statement, &params, in_ms(5000), &rows));
	assert_int_equal(rows.count, 1);
	return rt_pg_int(&rows, 0, 0);
}

static int64_t backend_of(struct rt_pg *pg)
{
	return number_of(pg, &backend_statement, NULL);
}

static const char *needed(const char *variable)
{
	const char *value = getenv(variable);
	if (value == NULL)
		fail_msg("%s is not set: run this through ./daler sandbox --no-services", variable);
	return value;
}

static struct rt_pg *connect_as_service(struct lanes *lanes)
{
	return rt_pg_new(&(struct rt_pg_config){.conninfo = lanes->conninfo,
						.password = &lanes->password,
						.application = "isolation"});
}

struct lanes *lanes_new(void)
{
	struct lanes *lanes = calloc(1, sizeof(*lanes));
	RT_ASSERT(lanes != NULL);
	const char *owner = needed("DALER_ACCOUNTS_DB");
	const char *user = strstr(owner, " user=");
	char path[512];
	assert_non_null(user);
	snprintf(path, sizeof(path), "%s/secrets/accounts_service.password", needed("DALER_HOME"));
	OK(rt_secret_read_file(path, &lanes->password));
	snprintf(lanes->conninfo, sizeof(lanes->conninfo), "%.*s user=accounts_service",
		 (int)(user - owner), owner);
	lanes->watch = rt_pg_new(
		&(struct rt_pg_config){.conninfo = owner, .application = "isolation-watch"});
	lanes->pg = connect_as_service(lanes);
	for (size_t i = 0; i < LANES; i++) {
		struct lane *lane = &lanes->lane[i];
		lane->pg = connect_as_service(lanes);
		rt_arena_init(&lane->arena, ARENA_BYTES);
		rt_lock_init(&lane->lock, RT_RANK_SERVICE);
		rt_condition_init(&lane->changed);
		assert_int_equal(pthread_create(&lane->thread, NULL, run_lane, lane), 0);
	}
	return lanes;
}

void lanes_destroy(struct lanes *lanes)
{
	for (size_t i = 0; i < LANES; i++) {
		struct lane *lane = &lanes->lane[i];
		rt_lock_take(&lane->lock);
		lane->end = true;
		pthread_cond_signal(&lane->changed);
		rt_lock_give(&lane->lock);
		(void)pthread_join(lane->thread, NULL);
		rt_pg_destroy(lane->pg);
		rt_arena_deinit(&lane->arena);
		pthread_cond_destroy(&lane->changed);
		rt_lock_deinit(&lane->lock);
	}
	rt_pg_destroy(lanes->watch);
	rt_pg_destroy(lanes->pg);
	rt_secret_deinit(&lanes->password);
	free(lanes);
}

struct rt_pg *lanes_watch(struct lanes *lanes)
{
	return lanes->watch;
}

struct rt_pg *lanes_pg(struct lanes *lanes)
{
	return lanes->pg;
}

void lanes_ask(struct lanes *lanes, size_t lane, const struct ask *ask)
{
	lanes->lane[lane].ask = ask;
}

void lanes_amend(struct lanes *lanes, size_t lane, const struct amendment *amendment)
{
	lanes->lane[lane].amendment = amendment;
}

void lanes_open(struct lanes *lanes, size_t lane, const struct account_record *record)
{
	lanes->lane[lane].opening = record;
}

const char *lanes_verdict(const struct lanes *lanes, size_t lane)
{
	return lanes->lane[lane].verdict;
}

int64_t lanes_moved_minor(const struct lanes *lanes, size_t lane)
{
	return lanes->lane[lane].moved_minor;
}

const char *lanes_post(struct lanes *lanes, const struct ask *ask)
{
	static char verdict[64];
	static int64_t moved_minor;
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	struct book book;
	rt_arena_init(&arena, ARENA_BYTES);
	OK(read_step(lanes->pg, ask, &arena, &book));
	OK(write_step(lanes->pg, ask, &book, verdict, &moved_minor));
	return verdict;
}

/* ---- schedules ---- */

static void tell(struct lane *lane, char step)
{
	RT_LOCKED(&lane->lock);
	RT_ASSERT(lane->told < STEPS_MAX);
	lane->steps[lane->told++] = step;
	pthread_cond_signal(&lane->changed);
}

static bool is_at_rest(struct lane *lane)
{
	RT_LOCKED(&lane->lock);
	return lane->taken == lane->told;
}

/* Until the lane has taken all its steps, or waits for a lock that another one has. Returns whether
 * it waits. */
static bool settle(struct lanes *lanes, struct lane *lane, const char *step)
{
	int64_t deadline_us = in_ms(STEP_MS_MAX);
	while (!is_at_rest(lane)) {
		if (number_of(lanes->watch, &waits_statement, &lane->backend) > 0)
			return true;
		if (rt_clock_mono_us() > deadline_us)
			fail_msg("step %.3s neither ends nor waits", step);
		rt_clock_sleep_us(POLL_US);
	}
	return false;
}

static void kill_lane(struct lane *lane)
{
	lane->killed = true;
	struct rt_pg *pg = rt_pg_new(&(struct rt_pg_config){
		.conninfo = needed("DALER_SUPERUSER_DB"), .application = "isolation-killer"});
	/* pg_terminate_backend would wait itself, but looks ten times a second only. */
	(void)number_of(pg, &kill_statement, &lane->backend);
	int64_t deadline_us = in_ms(STEP_MS_MAX);
	while (number_of(pg, &lives_statement, &lane->backend) > 0 &&
	       rt_clock_mono_us() < deadline_us)
		rt_clock_sleep_us(POLL_US);
	rt_pg_destroy(pg);
}

static void check_results(const struct lane *lane, const bool *must_fail)
{
	for (size_t i = 0; i < lane->told; i++) {
		/* Who has nothing to write does not notice that nobody hears it. */
		bool silent = lane->steps[i] == 'W' && lane->book.first_new == NULL;
		if (must_fail[i] && !(silent && rt_is_ok(&lane->results[i])))
			assert_true(rt_code_retryable(lane->results[i].code));
		else
			OK(lane->results[i]);
	}
}

/* One that was killed gets a new connection at once, where the service would wait a little first.
 */
static void begin_anew(struct lanes *lanes, struct lane *lane)
{
	if (lane->killed) {
		rt_pg_destroy(lane->pg);
		lane->pg = connect_as_service(lanes);
		lane->killed = false;
	}
	lane->backend = backend_of(lane->pg);
}

/* "1R!" and what follows it. */
static const char *run_one(struct lanes *lanes, const char *at, bool must_fail[LANES][STEPS_MAX])
{
	size_t number = (size_t)(at[0] - '1');
	assert_true(number < LANES);
	struct lane *lane = &lanes->lane[number];
	const char *end = at + strcspn(at, " ");
	bool must_wait = memchr(at, '!', (size_t)(end - at)) != NULL;
	if (at[1] == 'K') {
		kill_lane(lane);
		return end + strspn(end, " ");
	}
	must_fail[number][lane->told] = memchr(at, '?', (size_t)(end - at)) != NULL;
	bool waited = !is_at_rest(lane);
	if (!waited && strchr("RLO", at[1]) != NULL)
		begin_anew(lanes, lane);
	tell(lane, at[1]);
	bool waits = settle(lanes, lane, at);
	if (waits != must_wait && !waited)
		fail_msg("step %.*s %s", (int)(end - at), at,
			 waits ? "waits and should not" : "should wait and does not");
	return end + strspn(end, " ");
}

void lanes_run(struct lanes *lanes, const char *schedule)
{
	bool must_fail[LANES][STEPS_MAX] = {0};
	for (size_t i = 0; i < LANES; i++) {
		RT_LOCKED(&lanes->lane[i].lock);
		lanes->lane[i].told = lanes->lane[i].taken = 0;
	}
	for (const char *at = schedule; *at != '\0';)
		at = run_one(lanes, at, must_fail);
	int64_t deadline_us = in_ms(STEP_MS_MAX);
	for (size_t i = 0; i < LANES; i++) {
		while (settle(lanes, &lanes->lane[i], "end"))
			if (rt_clock_mono_us() > deadline_us)
				fail_msg("%s: lane %zu waits for ever", schedule, i + 1);
	}
	for (size_t i = 0; i < LANES; i++)
		check_results(&lanes->lane[i], must_fail[i]);
}
