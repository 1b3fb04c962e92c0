/* Unary calls through the server and the client: handlers, refusals, deadlines, load, cancelling,
 * drain. */
#include "rpc_fixture.h"
#include "rt/metrics.h"

static void echo(struct rt_call *call)
{
	atomic_fetch_add(&fixture.runs, 1);
	note_seen(call);
	const Daler__Auth__V1__LogInRequest *request =
		(const Daler__Auth__V1__LogInRequest *)rt_call_request(call);
	Daler__Auth__V1__LogInResponse reply = DALER__AUTH__V1__LOG_IN_RESPONSE__INIT;
	reply.access_token = request->username;
	rt_call_end(call, rt_ok(), &reply.base);
}

static void echo_on_worker(struct rt_call *call)
{
	assert_ptr_equal(rt_call_worker(call), &fixture.workers);
	assert_ptr_equal(rt_call_service(call), &fixture);
	echo(call);
}

static void go_wrong(struct rt_call *call)
{
	const Daler__Auth__V1__LogInRequest *request =
		(const Daler__Auth__V1__LogInRequest *)rt_call_request(call);
	struct rt_status status = RT_FAIL(INTERNAL, "BROKEN", "a detail for the log alone");
	if (strcmp(request->username, "field") == 0)
		status = RT_BAD_FIELD("INVALID_AMOUNT", "amount_minor", "must be positive");
	else if (strcmp(request->username, "unknown") == 0)
		status = RT_FAIL(OUTCOME_UNKNOWN, "COMMIT_UNKNOWN", "the commit was not confirmed");
	else if (strcmp(request->username, "later") == 0)
		status = RT_FAIL(RESOURCE_EXHAUSTED, "BUSY", "come back");
	else if (strcmp(request->username, "drain") == 0)
		status = RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "the server is shutting down");
	else if (strncmp(request->username, "R_", 2) == 0)
		status = rt_status_make(RT_FAILED_PRECONDITION, request->username, __FILE__,
					__LINE__, "in the peer's own words");
	atomic_fetch_add(&fixture.runs, 1);
	if (status.code == RT_RESOURCE_EXHAUSTED)
		status.retry_after_ms = 1500;
	rt_call_end(call, status, NULL);
}

/* Keeps the call until the test ends it. */
static void hold(struct rt_call *call)
{
	atomic_fetch_add(&fixture.runs, 1);
	pthread_mutex_lock(&fixture.mutex);
	fixture.held = call;
	pthread_mutex_unlock(&fixture.mutex);
}

static bool is_held(void)
{
	pthread_mutex_lock(&fixture.mutex);
	bool held = fixture.held != NULL;
	pthread_mutex_unlock(&fixture.mutex);
	return held;
}

static struct rt_call *take_held(void)
{
	assert_true(wait_until(is_held, 3000));
	pthread_mutex_lock(&fixture.mutex);
	struct rt_call *call = fixture.held;
	fixture.held = NULL;
	pthread_mutex_unlock(&fixture.mutex);
	return call;
}

/* Keeps a worker until the test lets it go. */
static void block(struct rt_call *call)
{
	atomic_fetch_add(&fixture.runs, 1);
	while (!atomic_load(&fixture.release))
		rt_clock_sleep_us(1000);
	Daler__Auth__V1__LogInResponse reply = DALER__AUTH__V1__LOG_IN_RESPONSE__INIT;
	rt_call_end(call, rt_ok(), &reply.base);
}

#define GATEWAY_ALONE RT_ALLOW(GATEWAY, RT_ROLE_NONE)
#define TEST_METHOD(name, run, handler, who, limit_ms)                                             \
	METHOD(TEST_SERVICE, name, UNARY, run, daler__auth__v1__log_in_request,                    \
	       daler__auth__v1__log_in_response, handler, who, limit_ms)
#define METHODS                                                                                    \
	TEST_METHOD(Inline, INLINE, echo, GATEWAY_ALONE, 30000)                                    \
	TEST_METHOD(Worker, WORKER, echo_on_worker, GATEWAY_ALONE, 30000)                          \
	TEST_METHOD(Fail, INLINE, go_wrong, GATEWAY_ALONE, 30000)                                  \
	TEST_METHOD(Hold, INLINE, hold, GATEWAY_ALONE, 30000)                                      \
	TEST_METHOD(HoldShort, INLINE, hold, GATEWAY_ALONE, 150)                                   \
	TEST_METHOD(Block, WORKER, block, GATEWAY_ALONE, 30000)                                    \
	TEST_METHOD(BlockBulk, BULK, block, GATEWAY_ALONE, 30000)                                  \
	TEST_METHOD(Player, INLINE, echo, RT_ALLOW(GATEWAY, RT_ROLE_PLAYER), 30000)                \
	TEST_METHOD(Operator, INLINE, echo, RT_ALLOW(OPERATOR, RT_ROLE_NONE), 30000)

#define METHOD RT_METHOD
static const struct rt_method methods[] = {METHODS};
#undef METHOD

static void *worker_new(void *service)
{
	assert_ptr_equal(service, &fixture);
	atomic_fetch_add(&fixture.workers, 1);
	return &fixture.workers;
}

static void worker_destroy(void *worker)
{
	assert_ptr_equal(worker, &fixture.workers);
	atomic_fetch_sub(&fixture.workers, 1);
}

static int start(void **state)
{
	(void)state;
	fixture_init();
	fixture.config = (struct rt_server_config){
		.common = &fixture.common,
		.methods = methods,
		.method_count = sizeof(methods) / sizeof(methods[0]),
		.service = &fixture,
		.worker_new = worker_new,
		.worker_destroy = worker_destroy,
		.message_bytes_max = (size_t)64 * 1024,
	};
	fixture_start();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(1000);
	assert_int_equal(fixture.workers, 0);
	fixture_deinit();
	return 0;
}

static void test_inline_and_worker(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	const char *answer = NULL;
	struct rt_status status =
		ask(&peer, &(struct asking){.method = "Inline", .text = "hello"}, &answer);
	assert_int_equal(status.code, RT_OK);
	assert_string_equal(answer, "hello");
	struct seen seen = last_seen();
	assert_int_equal(seen.caller.identity, RT_ID_GATEWAY);
	assert_int_equal(seen.caller.role, RT_ROLE_NONE);
	for (int i = 0; i < 50; i++) {
		status = ask(&peer, &(struct asking){.method = "Worker", .text = "work"}, &answer);
		assert_int_equal(status.code, RT_OK);
		assert_string_equal(answer, "work");
	}
	peer_free(&peer);
}

static void test_errors_carry_reason_field_and_delay(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	struct rt_status status =
		ask(&peer, &(struct asking){.method = "Fail", .text = "field"}, NULL);
	assert_int_equal(status.code, RT_INVALID_ARGUMENT);
	assert_string_equal(status.reason, "INVALID_AMOUNT");
	assert_string_equal(status.field, "amount_minor");
	assert_string_equal(status.detail, "must be positive");
	status = ask(&peer, &(struct asking){.method = "Fail", .text = "later"}, NULL);
	assert_int_equal(status.code, RT_RESOURCE_EXHAUSTED);
	assert_int_equal(status.retry_after_ms, 1500);
	status = ask(&peer, &(struct asking){.method = "Fail", .text = "unknown"}, NULL);
	assert_int_equal(status.code, RT_OUTCOME_UNKNOWN);
	assert_string_equal(status.reason, "COMMIT_UNKNOWN");
	status = ask(&peer, &(struct asking){.method = "Fail", .text = "internal"}, NULL);
	assert_int_equal(status.code, RT_INTERNAL);
	assert_string_equal(status.reason, "BROKEN");
	assert_null(strstr(status.detail, "for the log alone"));
	assert_non_null(strstr(status.detail, "trace"));
	peer_free(&peer);
}

static void test_who_may_call(void **state)
{
	(void)state;
	struct peer gateway = peer_new("gateway");
	struct rt_status status = ask(&gateway, &(struct asking){.method = "Operator"}, NULL);
	assert_int_equal(status.code, RT_PERMISSION_DENIED);
	assert_string_equal(status.reason, "IDENTITY_DENIED");
	status = ask(&gateway, &(struct asking){.method = "Player"}, NULL);
	assert_int_equal(status.code, RT_UNAUTHENTICATED);
	assert_string_equal(status.reason, "TOKEN_REQUIRED");
	status = ask(&gateway, &(struct asking){.method = "NoSuchMethod"}, NULL);
	assert_int_equal(status.code, RT_UNIMPLEMENTED);
	assert_string_equal(status.reason, "METHOD_UNKNOWN");
	peer_free(&gateway);
}

static void test_text_with_nul_is_refused(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	int runs = fixture.runs;
	struct rt_status status =
		ask(&peer, &(struct asking){.method = "Inline", .text = "bad \xff"}, NULL);
	assert_int_equal(status.code, RT_INVALID_ARGUMENT);
	assert_string_equal(status.reason, "INVALID_TEXT");
	assert_string_equal(status.field, "username");
	assert_int_equal(fixture.runs, runs);
	peer_free(&peer);
}

static void test_trace_is_handed_on(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	struct rt_trace trace = rt_trace_new();
	struct rt_status status =
		ask(&peer, &(struct asking){.method = "Inline", .trace = &trace}, NULL);
	assert_int_equal(status.code, RT_OK);
	struct seen seen = last_seen();
	assert_memory_equal(seen.trace.trace_id, trace.trace_id, sizeof(trace.trace_id));
	assert_memory_not_equal(seen.trace.span_id, trace.span_id, sizeof(trace.span_id));
	peer_free(&peer);
}

static void test_caller_deadline(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	/* Connecting is not what the deadline is about. */
	struct rt_status status = ask(&peer, &(struct asking){.method = "Inline"}, NULL);
	assert_int_equal(status.code, RT_OK);
	status = ask(&peer, &(struct asking){.method = "Hold", .deadline_ms = 700}, NULL);
	assert_int_equal(status.code, RT_OUTCOME_UNKNOWN);
	rt_call_end(take_held(), RT_FAIL(CANCELLED, "CANCELLED", "too late"), NULL);
	status = ask(&peer,
		     &(struct asking){.method = "Hold", .deadline_ms = 700, .repeatable = true},
		     NULL);
	assert_int_equal(status.code, RT_DEADLINE_EXCEEDED);
	struct rt_call *call = take_held();
	/* The server counts from the call's arrival on, and gRPC rounds what is left up. */
	assert_true(rt_call_deadline_us(call) - rt_clock_mono_us() < RT_US_PER_S);
	rt_call_end(call, RT_FAIL(CANCELLED, "CANCELLED", "too late"), NULL);
	peer_free(&peer);
}

static void test_method_deadline_answers_for_the_handler(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	int64_t begun_us = rt_clock_mono_us();
	struct rt_status status =
		ask(&peer, &(struct asking){.method = "HoldShort", .repeatable = true}, NULL);
	int64_t took_us = rt_clock_mono_us() - begun_us;
	assert_int_equal(status.code, RT_DEADLINE_EXCEEDED);
	assert_string_equal(status.reason, "DEADLINE_EXCEEDED");
	assert_in_range(took_us, 140 * RT_US_PER_MS, 4 * RT_US_PER_S);
	/* The handler's own end, later, is heard by nobody, and harmless. */
	Daler__Auth__V1__LogInResponse reply = DALER__AUTH__V1__LOG_IN_RESPONSE__INIT;
	rt_call_end(take_held(), rt_ok(), &reply.base);
	/* Without an id that makes it safe to repeat, nobody knows what such an answer means. */
	status = ask(&peer, &(struct asking){.method = "HoldShort"}, NULL);
	assert_int_equal(status.code, RT_OUTCOME_UNKNOWN);
	rt_call_end(take_held(), rt_ok(), &reply.base);
	peer_free(&peer);
}

struct background {
	pthread_t thread;
	struct peer *peer;
	struct asking asking;
	struct rt_status status;
};

static void *ask_in_background(void *argument)
{
	struct background *background = argument;
	struct peer own = {.client = background->peer->client,
			   .channel = background->peer->channel};
	rt_arena_init(&own.arena, 1 << 20);
	background->status = ask(&own, &background->asking, NULL);
	rt_arena_deinit(&own.arena);
	return NULL;
}

static void begin(struct background *background, struct peer *peer, struct asking asking)
{
	background->peer = peer;
	background->asking = asking;
	pthread_create(&background->thread, NULL, ask_in_background, background);
}

static bool both_workers_busy(void)
{
	return atomic_load(&fixture.runs) >= 2;
}

static void test_deadline_in_the_queue(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	struct background blockers[2];
	atomic_store(&fixture.runs, 0);
	atomic_store(&fixture.release, false);
	for (int i = 0; i < 2; i++)
		begin(&blockers[i], &peer, (struct asking){.method = "Block"});
	assert_true(wait_until(both_workers_busy, 3000));
	struct rt_status status =
		ask(&peer, &(struct asking){.method = "Worker", .deadline_ms = 100}, NULL);
	assert_int_equal(status.code, RT_OUTCOME_UNKNOWN);
	rt_clock_sleep_us(100 * RT_US_PER_MS); /* until it is late by the server's reckoning too */
	atomic_store(&fixture.release, true);
	for (int i = 0; i < 2; i++) {
		pthread_join(blockers[i].thread, NULL);
		assert_int_equal(blockers[i].status.code, RT_OK);
	}
	rt_clock_sleep_us(50 * RT_US_PER_MS);
	assert_int_equal(fixture.runs, 2); /* what was too late was not run */
	peer_free(&peer);
}

/* Two are carried out, and of 64 calls 5 may wait. */
enum { BULK_CALLS = 2 + 64 / 16 + 1 };

static bool all_queued(void)
{
	return both_workers_busy() && rt_series_value(RT_SERIES(SERVER_QUEUE)) == BULK_CALLS - 2;
}

static void test_bulk_reads_keep_to_their_own(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	struct background readers[BULK_CALLS];
	atomic_store(&fixture.runs, 0);
	atomic_store(&fixture.release, false);
	for (int i = 0; i < BULK_CALLS; i++) {
		begin(&readers[i], &peer, (struct asking){.method = "BlockBulk"});
		if (i == 1)
			assert_true(wait_until(both_workers_busy, 3000));
	}
	assert_true(wait_until(all_queued, 3000));
	struct rt_status status = ask(&peer, &(struct asking){.method = "BlockBulk"}, NULL);
	assert_int_equal(status.code, RT_RESOURCE_EXHAUSTED);
	assert_string_equal(status.reason, "OVERLOADED");
	/* Nobody else waits for them. */
	status = ask(&peer, &(struct asking){.method = "Worker"}, NULL);
	assert_int_equal(status.code, RT_OK);
	atomic_store(&fixture.release, true);
	for (int i = 0; i < BULK_CALLS; i++) {
		pthread_join(readers[i].thread, NULL);
		assert_int_equal(readers[i].status.code, RT_OK);
	}
	peer_free(&peer);
}

static void test_cancelled_by_the_caller(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	struct background background;
	begin(&background, &peer, (struct asking){.method = "Hold"});
	struct rt_call *call = take_held();
	assert_false(rt_call_cancelled(call));
	rt_client_stop(peer.client);
	pthread_join(background.thread, NULL);
	assert_int_equal(background.status.code, RT_OUTCOME_UNKNOWN);
	int64_t deadline_us = rt_clock_mono_us() + RT_US_PER_S;
	while (!rt_call_cancelled(call) && rt_clock_mono_us() < deadline_us)
		rt_clock_sleep_us(1000);
	assert_true(rt_call_cancelled(call));
	rt_call_end(call, RT_FAIL(CANCELLED, "CANCELLED", "the caller has gone"), NULL);
	peer_free(&peer);
}

static void test_message_too_large(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	struct rt_remote remote = {.service = TEST_SERVICE,
				   .name = "Inline",
				   .reply = &daler__auth__v1__log_in_response__descriptor,
				   .repeatable = true};
	char *text = malloc((size_t)200 * 1024);
	memset(text, 'x', (size_t)200 * 1024 - 1);
	text[200 * 1024 - 1] = '\0';
	Daler__Auth__V1__LogInRequest request = DALER__AUTH__V1__LOG_IN_REQUEST__INIT;
	request.username = text;
	struct rt_call_options options = {.deadline_mono_us = rt_clock_mono_us() + 5 * RT_US_PER_S};
	const ProtobufCMessage *reply = NULL;
	struct rt_status status = rt_channel_call(peer.channel, &remote, &request.base, &options,
						  &peer.arena, &reply);
	assert_int_equal(status.code, RT_RESOURCE_EXHAUSTED);
	free(text);
	status = ask(&peer, &(struct asking){.method = "Inline"}, NULL);
	assert_int_equal(status.code, RT_OK);
	peer_free(&peer);
}

static void test_load_is_shed(void **state)
{
	(void)state;
	fixture_stop(1000);
	fixture.common.queue_max = 2;
	fixture_start();
	struct peer peer = peer_new("gateway");
	struct background blockers[2];
	atomic_store(&fixture.runs, 0);
	atomic_store(&fixture.release, false);
	for (int i = 0; i < 2; i++)
		begin(&blockers[i], &peer, (struct asking){.method = "Block"});
	assert_true(wait_until(both_workers_busy, 3000));
	struct rt_status status = ask(&peer, &(struct asking){.method = "Inline"}, NULL);
	assert_int_equal(status.code, RT_RESOURCE_EXHAUSTED);
	assert_string_equal(status.reason, "OVERLOADED");
	assert_in_range(status.retry_after_ms, 50, 1000);
	atomic_store(&fixture.release, true);
	for (int i = 0; i < 2; i++)
		pthread_join(blockers[i].thread, NULL);
	status = ask(&peer, &(struct asking){.method = "Inline", .repeatable = true}, NULL);
	assert_int_equal(status.code, RT_OK);
	peer_free(&peer);
	fixture_stop(1000);
	fixture.common.queue_max = 64;
	fixture_start();
}

static void *stop_in_background(void *argument)
{
	int64_t *took_us = argument;
	int64_t begun_us = rt_clock_mono_us();
	rt_server_stop(fixture.server, begun_us + *took_us);
	*took_us = rt_clock_mono_us() - begun_us;
	return NULL;
}

static void test_drain_lets_calls_finish(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	struct background background;
	begin(&background, &peer, (struct asking){.method = "Hold"});
	struct rt_call *call = take_held();
	int64_t took_us = 20 * RT_US_PER_S;
	pthread_t stopper;
	pthread_create(&stopper, NULL, stop_in_background, &took_us);
	rt_clock_sleep_us(200 * RT_US_PER_MS);
	struct rt_status status =
		ask(&peer, &(struct asking){.method = "Inline", .deadline_ms = 5000}, NULL);
	assert_int_equal(status.code, RT_UNAVAILABLE);
	Daler__Auth__V1__LogInResponse reply = DALER__AUTH__V1__LOG_IN_RESPONSE__INIT;
	rt_call_end(call, rt_ok(), &reply.base);
	pthread_join(background.thread, NULL);
	assert_int_equal(background.status.code, RT_OK);
	pthread_join(stopper, NULL);
	assert_true(took_us < 10 * RT_US_PER_S);
	rt_server_destroy(fixture.server);
	peer_free(&peer);
	fixture_start();
}

static void test_drain_is_bounded(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	struct background background;
	begin(&background, &peer, (struct asking){.method = "Hold"});
	struct rt_call *call = take_held();
	int64_t took_us = 200 * RT_US_PER_MS;
	pthread_t stopper;
	pthread_create(&stopper, NULL, stop_in_background, &took_us);
	pthread_join(background.thread, NULL); /* cancelled: it does not wait for the handler */
	assert_int_equal(background.status.code, RT_OUTCOME_UNKNOWN);
	Daler__Auth__V1__LogInResponse reply = DALER__AUTH__V1__LOG_IN_RESPONSE__INIT;
	rt_call_end(call, rt_ok(), &reply.base);
	pthread_join(stopper, NULL);
	assert_in_range(took_us, 190 * RT_US_PER_MS, 2 * RT_US_PER_S);
	rt_server_destroy(fixture.server);
	peer_free(&peer);
	fixture_start();
}

static void test_port_in_use(void **state)
{
	(void)state;
	struct rt_common_config common = fixture.common;
	common.listen = fixture.address;
	struct rt_server_config config = fixture.config;
	config.common = &common;
	struct rt_server *second = NULL;
	struct rt_status status = rt_server_start(&config, &second);
	assert_int_equal(status.code, RT_FAILED_PRECONDITION);
	assert_string_equal(status.reason, "LISTEN_FAILED");
}

/* A peer that makes up reasons takes nobody else's: what this side decides by arrives. */
static void test_made_up_reasons(void **state)
{
	(void)state;
	static const char *const reasons[] = {"R_DECIDES", NULL};
	struct peer peer = peer_new("gateway");
	char text[32];
	for (int i = 0; i < 600; i++) {
		snprintf(text, sizeof(text), "R_%d", i);
		struct rt_status status =
			ask(&peer, &(struct asking){.method = "Fail", .text = text}, NULL);
		assert_int_equal(status.code, RT_FAILED_PRECONDITION);
	}
	struct asking asking = {.method = "Fail", .text = "R_DECIDES", .reasons = reasons};
	struct rt_status status = ask(&peer, &asking, NULL);
	assert_int_equal(status.code, RT_FAILED_PRECONDITION);
	assert_string_equal(status.reason, "R_DECIDES");
	peer_free(&peer);
}

/* One replica that shuts down has others beside it. */
static void test_a_draining_server_is_asked_again(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	int runs = fixture.runs;
	struct asking asking = {.method = "Fail", .text = "drain", .repeatable = true};
	struct rt_status status = ask(&peer, &asking, NULL);
	assert_int_equal(status.code, RT_UNAVAILABLE);
	assert_string_equal(status.reason, "SHUTTING_DOWN");
	assert_true(fixture.runs > runs + 1);
	peer_free(&peer);
}

/* What may not be done twice is left to the caller, who knows whether it may be asked for again. */
static void test_what_is_not_repeatable_is_asked_once(void **state)
{
	(void)state;
	static const char *const passing[] = {"drain", "unknown", "later"};
	struct peer peer = peer_new("gateway");
	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
		int runs = fixture.runs;
		struct asking asking = {.method = "Fail", .text = passing[i]};
		struct rt_status status = ask(&peer, &asking, NULL);
		assert_int_not_equal(status.code, RT_OK);
		assert_int_equal(fixture.runs, runs + 1);
	}
	peer_free(&peer);
}

static void test_nobody_there(void **state)
{
	(void)state;
	struct peer peer = peer_to("gateway", "127.0.0.1:1", RT_ID_ACCOUNTS);
	for (int i = 0; i < 5; i++) {
		struct rt_status status = ask(&peer, &(struct asking){.method = "Inline"}, NULL);
		assert_int_equal(status.code, RT_UNAVAILABLE);
		assert_string_equal(status.reason, "UNREACHABLE");
	}
	struct rt_status status = ask(&peer, &(struct asking){.method = "Inline"}, NULL);
	assert_int_equal(status.code, RT_UNAVAILABLE);
	assert_string_equal(status.reason, "BREAKER_OPEN");
	assert_false(peer_serves(&peer, 300));
	peer_free(&peer);
	peer = peer_new("gateway");
	assert_true(peer_serves(&peer, patient(3000)));
	peer_free(&peer);
}

/* With the target gone it opens; with the target back, at the same address, it closes by itself,
 * and calls are made at once again, though nobody but calls asks whether the target is there. */
static void test_the_breaker_closes_again(void **state)
{
	(void)state;
	struct asking asking = {.method = "Inline"};
	struct peer peer = peer_new("gateway");
	assert_int_equal(ask(&peer, &asking, NULL).code, RT_OK);
	fixture_stop(1000);
	struct rt_status status = rt_ok();
	for (int i = 0; i < 50 && (rt_is_ok(&status) || strcmp(status.reason, "BREAKER_OPEN") != 0);
	     i++)
		status = ask(&peer, &asking, NULL);
	assert_string_equal(status.reason, "BREAKER_OPEN");
	char address[64];
	snprintf(address, sizeof(address), "%s", fixture.address);
	fixture.common.listen = address;
	fixture_start();
	int64_t deadline_us = rt_clock_mono_us() + patient(20000) * RT_US_PER_MS;
	while (!rt_is_ok(&status)) {
		assert_true(rt_clock_mono_us() < deadline_us);
		rt_clock_sleep_us(20 * RT_US_PER_MS);
		status = ask(&peer, &asking, NULL);
	}
	for (int i = 0; i < 10; i++)
		assert_int_equal(ask(&peer, &asking, NULL).code, RT_OK);
	peer_free(&peer);
	fixture.common.listen = "127.0.0.1:0";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inline_and_worker),
		cmocka_unit_test(test_errors_carry_reason_field_and_delay),
		cmocka_unit_test(test_who_may_call),
		cmocka_unit_test(test_text_with_nul_is_refused),
		cmocka_unit_test(test_trace_is_handed_on),
		cmocka_unit_test(test_caller_deadline),
		cmocka_unit_test(test_method_deadline_answers_for_the_handler),
		cmocka_unit_test(test_deadline_in_the_queue),
		cmocka_unit_test(test_bulk_reads_keep_to_their_own),
		cmocka_unit_test(test_cancelled_by_the_caller),
		cmocka_unit_test(test_message_too_large),
		cmocka_unit_test(test_load_is_shed),
		cmocka_unit_test(test_drain_lets_calls_finish),
		cmocka_unit_test(test_drain_is_bounded),
		cmocka_unit_test(test_port_in_use),
		cmocka_unit_test(test_a_draining_server_is_asked_again),
		cmocka_unit_test(test_what_is_not_repeatable_is_asked_once),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_the_breaker_closes_again),
		cmocka_unit_test(test_made_up_reasons), /* last: it fills a table */
	};
	return cmocka_run_group_tests(tests, start, stop);
}
