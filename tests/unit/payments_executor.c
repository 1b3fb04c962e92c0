/* The executor without its database and its neighbours: what becomes of sagas when it ends, what is
 * kept of them while they wait, and for how long they do. */
#include <math.h>

#include "engine/executor_internal.h"
#include "rpc_fixture.h"

#define SAGAS 8

static struct executor_config config = {
	.pg = {.conninfo = "host=/nowhere", .application = "unit"},
	.lanes = 1,
	.queue_max = 100,
	.sagas_max = 1000,
	.posts_in_flight_max = 1,
	.provider_in_flight_max = 1,
	.retry_ms_min = 60000,
	.retry_ms_max = 60000,
};

/* Its connector is not configured: it waits for its next try. */
static struct payment_lapsed unknown(void)
{
	return (struct payment_lapsed){
		.request = {.kind = PAYMENT_DEPOSIT,
			    .ledger_id = rt_uuid_v7(),
			    .amount_minor = 1,
			    .currency = "EUR",
			    .connector = "gone",
			    .instrument = ""},
		.standing = {.payment_id = rt_uuid_v7(), .state = PAYMENT_UNKNOWN, .version = 3},
		.fence = 2,
	};
}

/* Accounts is where nobody listens. */
static struct peer accounts;

static int set_up(void **unused)
{
	(void)unused;
	fixture_init();
	accounts = peer_to("accounts", "127.0.0.1:1", RT_ID_ACCOUNTS);
	config.accounts.channel = accounts.channel;
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	peer_free(&accounts);
	fixture_deinit();
	return 0;
}

static void stop(struct executor *executor)
{
	executor_quiesce(executor);
	executor_stop(executor, rt_clock_mono_us());
	executor_destroy(executor);
}

/* Sagas that wait, half of which somebody else has: the end finds and frees them all (the leak
 * sanitizer says). */
static void test_what_waits_is_freed(void **unused)
{
	struct executor *executor = executor_new(&config);
	struct payment_lapsed sagas[SAGAS];

	(void)unused;
	for (size_t i = 0; i < SAGAS; i++)
		sagas[i] = unknown();
	executor_adopt(executor, sagas, SAGAS);
	assert_int_equal(executor_open(executor), SAGAS);
	executor_quiesce(executor);
	for (size_t i = 0; i < SAGAS; i += 2) {
		executor_displace(executor, &sagas[i].standing.payment_id);
		assert_false(executor_wake(executor, &sagas[i].standing.payment_id));
		assert_true(executor_wake(executor, &sagas[i + 1].standing.payment_id));
	}
	stop(executor);
}

/* Whoever finds that it has been displaced leaves at once. */
static void test_what_is_displaced_leaves(void **unused)
{
	struct executor *executor = executor_new(&config);
	struct payment_lapsed lapsed = unknown();

	(void)unused;
	executor_adopt(executor, &lapsed, 1);
	executor_displace(executor, &lapsed.standing.payment_id);
	for (int i = 0; i < 1000 && executor_open(executor) > 0; i++)
		rt_clock_sleep_us(RT_US_PER_MS);
	assert_int_equal(executor_open(executor), 0);
	stop(executor);
}

static bool rests(struct executor *executor, struct saga *saga)
{
	RT_LOCKED(&executor->lock);
	return saga->timer.place != 0 && saga->timer.kind == TIMER_SAGA_ACT;
}

/* A payment that waits for its next try has been called for, and keeps neither that call nor a
 * reason: there may be 100,000 of them. */
static void test_what_waits_keeps_nothing(void **unused)
{
	struct peer gone = peer_to("accounts", "127.0.0.1:1", RT_ID_CONNECTOR);
	struct executor_config with_connector = config;

	(void)unused;
	with_connector.connector_count = 1;
	with_connector.connectors[0] = (struct connector_client){
		.name = "gone", .channel = gone.channel, .timeout_ms = 200};
	struct executor *executor = executor_new(&with_connector);
	struct payment_lapsed lapsed = unknown();

	executor_adopt(executor, &lapsed, 1);
	rt_lock_take(&executor->lock);
	struct saga *saga = registry_find(executor, &lapsed.standing.payment_id);

	rt_lock_give(&executor->lock);
	assert_non_null(saga);
	for (int64_t i = 0; i < patient(5000) && !rests(executor, saga); i++)
		rt_clock_sleep_us(RT_US_PER_MS);
	assert_true(rests(executor, saga));
	assert_int_equal(saga->attempts, 1);
	assert_null(saga->call);
	assert_null(saga->next_reason);
	assert_null(saga->action);
	executor_quiesce(executor);
	rt_client_stop(gone.client);
	stop(executor);
	peer_free(&gone);
}

/* What a pause may be at most: the first one, doubled by each try, up to the longest. */
static int64_t most_us(const struct executor *executor, uint32_t attempts)
{
	double doubled = (double)executor->config.retry_ms_min *
			 exp2(attempts < 2 ? 0 : (double)attempts - 1);
	double most = (double)executor->config.retry_ms_max;

	return (int64_t)(doubled < most ? doubled : most) * RT_US_PER_MS;
}

#define DRAWS 200

/* From half of it to the whole, and all over that: of DRAWS some are in the lowest and some in the
 * highest quarter. */
static void check_pauses(const struct executor *executor, uint32_t attempts)
{
	int64_t most = most_us(executor, attempts);
	int64_t shortest = INT64_MAX, longest = 0;

	for (int i = 0; i < DRAWS; i++) {
		int64_t pause_us = executor_backoff_us(executor, attempts);

		shortest = pause_us < shortest ? pause_us : shortest;
		longest = pause_us > longest ? pause_us : longest;
	}
	assert_in_range(shortest, most / 2, most / 2 + most / 8);
	assert_in_range(longest, most - most / 8, most);
	assert_true(shortest > 0);
}

static void test_pauses_grow_to_their_bound(void **unused)
{
	/* The defaults, the ends of what may be set, and a bound that is below the first. */
	static const struct {
		int64_t ms_min, ms_max;
	} settings[] = {{100, 15000}, {1, 1}, {1, 3600000}, {60000, 3600000}, {60000, 1}};
	static struct executor executor;

	(void)unused;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		executor.config.retry_ms_min = settings[i].ms_min;
		executor.config.retry_ms_max = settings[i].ms_max;
		for (uint32_t attempts = 0; attempts <= 100; attempts++)
			check_pauses(&executor, attempts);
		check_pauses(&executor, UINT32_MAX);
	}
}

/* Payments whose tries were in vain at one moment do not come back at one moment. */
static void test_each_payment_has_a_pause_of_its_own(void **unused)
{
	struct executor *executor = executor_new(&config);
	struct payment_lapsed sagas[SAGAS];
	int64_t first_us = INT64_MAX, last_us = 0;

	(void)unused;
	for (size_t i = 0; i < SAGAS; i++)
		sagas[i] = unknown();
	int64_t begun_us = rt_clock_mono_us();

	executor_adopt(executor, sagas, SAGAS);
	for (size_t i = 0; i < SAGAS; i++) {
		RT_LOCKED(&executor->lock);
		struct saga *saga = registry_find(executor, &sagas[i].standing.payment_id);

		assert_int_equal(saga->timer.kind, TIMER_SAGA_ACT);
		first_us = saga->timer.due_us < first_us ? saga->timer.due_us : first_us;
		last_us = saga->timer.due_us > last_us ? saga->timer.due_us : last_us;
	}
	assert_true(first_us >= begun_us + 30 * RT_US_PER_S);
	assert_true(last_us <= rt_clock_mono_us() + 60 * RT_US_PER_S);
	assert_true(last_us - first_us > RT_US_PER_S);
	stop(executor);
}

/* How often in a row it was tried in vain, if its pause has begun; else -1. */
static int64_t tries_of_waiting(struct executor *executor, struct saga *saga)
{
	RT_LOCKED(&executor->lock);
	bool waits = saga->timer.place != 0 &&
		     saga->timer.due_us > rt_clock_mono_us() + 20 * RT_US_PER_S;

	return waits ? (int64_t)saga->attempts : -1;
}

/* Whoever is told that there is something new asks at once, and, hearing nothing, again soon: its
 * pauses begin with the first one. */
static void test_pauses_begin_anew_when_there_is_news(void **unused)
{
	struct executor *executor = executor_new(&config);
	struct payment_lapsed lapsed = unknown();

	(void)unused;
	executor_adopt(executor, &lapsed, 1);
	rt_lock_take(&executor->lock);
	struct saga *saga = registry_find(executor, &lapsed.standing.payment_id);

	saga->attempts = 9;
	rt_lock_give(&executor->lock);
	assert_true(executor_wake(executor, &lapsed.standing.payment_id));
	for (int64_t i = 0; i < patient(5000) && tries_of_waiting(executor, saga) < 0; i++)
		rt_clock_sleep_us(RT_US_PER_MS);
	assert_int_equal(tries_of_waiting(executor, saga), 1);
	stop(executor);
}

/* A payment that waits for its connector. */
static struct saga *waiting(struct executor *executor, enum saga_action action, uint32_t attempts)
{
	struct payment_lapsed lapsed = unknown();

	rt_lock_take(&executor->lock);
	executor_reserve_always(executor);
	rt_lock_give(&executor->lock);
	struct saga *saga = saga_new(executor, &lapsed.request, &lapsed.standing, lapsed.fence);

	saga->decision = (struct saga_decision){
		.legal = true, .action = action, .step = payment_deposit_plan.submit};
	saga->attempts = attempts;
	return saga;
}

#define POLLS 20

/* Takes all that waits; returns how many of `sagas`, in their order, were taken among the first. */
static size_t take_all(struct executor *executor, struct saga **sagas, size_t count, size_t first)
{
	struct saga *saga = NULL;
	size_t taken = 0, among = 0;

	for (size_t i = 0;; i++) {
		rt_lock_take(&executor->lock);
		saga = queue_take_provider(executor, &executor->connectors[0]);
		rt_lock_give(&executor->lock);
		if (saga == NULL)
			break;
		if (taken < count && saga == sagas[taken]) {
			taken++;
			among += i < first;
		}
		saga_free(executor, saga);
	}
	assert_int_equal(taken, count);
	return among;
}

/* What a connector has said it is still at is asked about when nothing else waits, and now and then
 * though something does: new work and first questions go before it. */
static void test_polls_let_others_go_first(void **unused)
{
	static const struct {
		enum saga_action action;
		uint32_t attempts;
	} others[] = {{SAGA_SUBMIT, 0},
		      {SAGA_ASK, 0},
		      {SAGA_SUBMIT, 4},
		      {SAGA_CAPTURE, 3},
		      {SAGA_CANCEL, 3}};
	struct peer gone = peer_to("accounts", "127.0.0.1:1", RT_ID_CONNECTOR);
	struct executor_config with_connector = config;
	struct saga *polls[POLLS], *first[POLLS];

	(void)unused;
	with_connector.connector_count = 1;
	with_connector.connectors[0] = (struct connector_client){
		.name = "gone", .channel = gone.channel, .timeout_ms = 200};
	struct executor *executor = executor_new(&with_connector);

	for (size_t i = 0; i < POLLS; i++) {
		polls[i] = waiting(executor, SAGA_ASK, 1 + (uint32_t)i);
		queue_provider(executor, polls[i]);
	}
	for (size_t i = 0; i < POLLS; i++) {
		size_t n = i % (sizeof(others) / sizeof(others[0]));

		first[i] = waiting(executor, others[n].action, others[n].attempts);
		queue_provider(executor, first[i]);
	}
	assert_int_equal(take_all(executor, first, POLLS, POLLS + 2), POLLS);
	for (size_t i = 0; i < POLLS; i++) {
		polls[i] = waiting(executor, SAGA_ASK, 1);
		queue_provider(executor, polls[i]);
		first[i] = waiting(executor, SAGA_SUBMIT, 0);
		queue_provider(executor, first[i]);
	}
	assert_int_equal(take_all(executor, polls, POLLS, POLLS), 2);
	executor_quiesce(executor);
	rt_client_stop(gone.client);
	stop(executor);
	peer_free(&gone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses_grow_to_their_bound),
		cmocka_unit_test(test_each_payment_has_a_pause_of_its_own),
		cmocka_unit_test(test_what_waits_is_freed),
		cmocka_unit_test(test_what_is_displaced_leaves),
		cmocka_unit_test(test_what_waits_keeps_nothing),
		cmocka_unit_test(test_pauses_begin_anew_when_there_is_news),
		cmocka_unit_test(test_polls_let_others_go_first),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
