/* Streams, health and reflection, and bytes that no client of ours would send. */
#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "rpc_raw.h"
#include "rt/metrics.h"

#define CHECK      "/grpc.health.v1.Health/Check"
#define WATCH      "/grpc.health.v1.Health/Watch"
#define PATH(name) "/" TEST_SERVICE "/" name

typedef Grpc__Health__V1__HealthCheckResponse health_reply;
typedef Grpc__Reflection__V1__ServerReflectionResponse reflection_reply;

static void say(struct rt_call *call, const char *text, struct rt_status *status)
{
	char copy[64];
	snprintf(copy, sizeof(copy), "%s", text);
	Daler__Auth__V1__LogInResponse reply = DALER__AUTH__V1__LOG_IN_RESPONSE__INIT;
	reply.access_token = copy;
	*status = rt_call_send(call, &reply.base);
}

static void count_to(struct rt_call *call)
{
	const Daler__Auth__V1__LogInRequest *request =
		(const Daler__Auth__V1__LogInRequest *)rt_call_request(call);
	long count = strtol(request->username, NULL, 10);
	struct rt_status status = rt_ok();
	for (long i = 0; i < count && rt_is_ok(&status); i++) {
		char text[32];
		snprintf(text, sizeof(text), "%ld", i);
		say(call, text, &status);
	}
	rt_call_end(call, status, NULL);
}

static void echo_each(struct rt_call *call)
{
	const Daler__Auth__V1__LogInRequest *request =
		(const Daler__Auth__V1__LogInRequest *)rt_call_request(call);
	if (request == NULL) {
		atomic_fetch_add(&fixture.leaves, 1);
		rt_call_end(call, rt_ok(), NULL);
		return;
	}
	atomic_fetch_add(&fixture.runs, 1);
	struct rt_status status;
	say(call, request->username, &status);
	if (rt_is_ok(&status))
		rt_call_next(call);
	else
		rt_call_end(call, status, NULL);
}

static void leave(struct rt_call *call, void *context)
{
	assert_ptr_equal(context, &fixture);
	atomic_fetch_add(&fixture.leaves, 1);
	rt_call_end(call, RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "left"), NULL);
}

static void stay(struct rt_call *call)
{
	struct rt_status status;
	say(call, "here", &status);
	rt_call_on_leave(call, leave, &fixture);
}

static void echo(struct rt_call *call)
{
	atomic_fetch_add(&fixture.runs, 1);
	note_seen(call);
	Daler__Auth__V1__LogInResponse reply = DALER__AUTH__V1__LOG_IN_RESPONSE__INIT;
	rt_call_end(call, rt_ok(), &reply.base);
}

#define LARGE_BYTES 500000 /* more than a stream takes that nobody reads */

static void say_much(struct rt_call *call)
{
	char *text = rt_arena_alloc(rt_call_arena(call), LARGE_BYTES + 1);
	assert_non_null(text);
	memset(text, 'x', LARGE_BYTES);
	Daler__Auth__V1__LogInResponse reply = DALER__AUTH__V1__LOG_IN_RESPONSE__INIT;
	reply.access_token = text;
	rt_call_end(call, rt_ok(), &reply.base);
}

static void pass(struct rt_call *call, void *context)
{
	(void)call;
	(void)context;
}

/* Answers more than its caller takes, and reads on all the same. */
static void answer_much(struct rt_call *call)
{
	if (rt_call_request(call) == NULL) {
		atomic_fetch_add(&fixture.leaves, 1);
		rt_call_end(call, rt_ok(), NULL);
		return;
	}
	rt_call_on_sent(call, pass, NULL);
	char *text = rt_arena_alloc(rt_call_arena(call), LARGE_BYTES + 1);
	assert_non_null(text);
	memset(text, 'x', LARGE_BYTES);
	Daler__Auth__V1__LogInResponse reply = DALER__AUTH__V1__LOG_IN_RESPONSE__INIT;
	reply.access_token = text;
	struct rt_status status = rt_call_send(call, &reply.base);
	(void)status; /* whoever has gone is told of at the next message */
	rt_call_next(call);
}

#define PARKED_MAX 65

static struct rt_call *parked[PARKED_MAX];
static atomic_size_t parked_count;

/* Hears nothing of deadlines; the test ends it. */
static void park(struct rt_call *call)
{
	size_t place = atomic_load(&parked_count);
	assert_true(place < PARKED_MAX);
	parked[place] = call;
	atomic_store(&parked_count, place + 1);
}

#define TEST_METHOD(name, kind, run, handler, limit_ms)                                            \
	RT_METHOD(TEST_SERVICE, name, kind, run, daler__auth__v1__log_in_request,                  \
		  daler__auth__v1__log_in_response, handler, RT_ALLOW(GATEWAY, RT_ROLE_NONE),      \
		  limit_ms)

static const struct rt_method methods[] = {
	TEST_METHOD(Inline, UNARY, INLINE, echo, 5000) TEST_METHOD(
		Count, SERVER_STREAM, INLINE, count_to,
		5000) TEST_METHOD(CountOnWorker, SERVER_STREAM, WORKER, count_to,
				  5000) TEST_METHOD(Echo, BIDI_STREAM, INLINE, echo_each, 5000)
		TEST_METHOD(EchoOnWorker, BIDI_STREAM, WORKER, echo_each, 5000) TEST_METHOD(
			Large, UNARY, INLINE, say_much,
			200) TEST_METHOD(Stay, SERVER_STREAM, INLINE, stay, RT_STREAM_FOREVER)
			TEST_METHOD(StayShort, SERVER_STREAM, INLINE, stay, 150)
				TEST_METHOD(MuchOnWorker, BIDI_STREAM, WORKER, answer_much,
					    5000) TEST_METHOD(Park, UNARY, INLINE, park, 400)
					TEST_METHOD(ParkStream, SERVER_STREAM, INLINE, park, 100)};

static int start(void **state)
{
	(void)state;
	fixture_init();
	fixture.config =
		(struct rt_server_config){.common = &fixture.common,
					  .methods = methods,
					  .method_count = sizeof(methods) / sizeof(methods[0])};
	fixture_start();
	return 0;
}

static void send_text(struct raw_call *call, const char *text)
{
	char copy[64];
	snprintf(copy, sizeof(copy), "%s", text);
	Daler__Auth__V1__LogInRequest request = DALER__AUTH__V1__LOG_IN_REQUEST__INIT;
	request.username = copy;
	raw_send(call, &request.base);
}

static void expect_text(struct raw_call *call, const char *text)
{
	ProtobufCMessage *message =
		raw_receive(call, &daler__auth__v1__log_in_response__descriptor);
	assert_non_null(message);
	assert_string_equal(((Daler__Auth__V1__LogInResponse *)message)->access_token, text);
	protobuf_c_message_free_unpacked(message, NULL);
}

static void check_count(struct raw *raw, const char *path)
{
	struct raw_call call = raw_open(raw, path, 5000, NULL);
	send_text(&call, "40");
	raw_half_close(&call);
	raw_receive_headers(&call);
	for (int i = 0; i < 40; i++) {
		char text[32];
		snprintf(text, sizeof(text), "%d", i);
		expect_text(&call, text);
	}
	assert_null(raw_receive(&call, &daler__auth__v1__log_in_response__descriptor));
	assert_int_equal(raw_finish(&call), GRPC_STATUS_OK);
}

static void test_server_stream(void **state)
{
	(void)state;
	struct raw raw = raw_new("gateway", fixture.address);
	check_count(&raw, PATH("Count"));
	check_count(&raw, PATH("CountOnWorker"));
	raw_free(&raw);
}

static int leaves_wanted;

static bool has_left(void)
{
	return atomic_load(&fixture.leaves) == leaves_wanted;
}

static void check_echo(struct raw *raw, const char *path)
{
	leaves_wanted = fixture.leaves + 1;
	struct raw_call call = raw_open(raw, path, 5000, NULL);
	send_text(&call, "one");
	raw_receive_headers(&call);
	expect_text(&call, "one");
	send_text(&call, "two");
	expect_text(&call, "two");
	raw_half_close(&call);
	assert_null(raw_receive(&call, &daler__auth__v1__log_in_response__descriptor));
	assert_int_equal(raw_finish(&call), GRPC_STATUS_OK);
	assert_true(wait_until(has_left, 2000));
}

static void test_bidi_stream(void **state)
{
	(void)state;
	struct raw raw = raw_new("gateway", fixture.address);
	check_echo(&raw, PATH("Echo"));
	check_echo(&raw, PATH("EchoOnWorker"));
	raw_free(&raw);
}

static void test_bidi_stream_with_a_malformed_message(void **state)
{
	(void)state;
	struct raw raw = raw_new("gateway", fixture.address);
	leaves_wanted = fixture.leaves + 1;
	struct raw_call call = raw_open(&raw, PATH("Echo"), 5000, NULL);
	send_text(&call, "one");
	raw_receive_headers(&call);
	expect_text(&call, "one");
	raw_send_bytes(&call, "\x0a\x7f", 2);
	assert_null(raw_receive(&call, &daler__auth__v1__log_in_response__descriptor));
	assert_int_equal(raw_finish(&call), GRPC_STATUS_INVALID_ARGUMENT);
	assert_true(wait_until(has_left, 2000));
	raw_free(&raw);
}

static void test_stream_is_told_that_the_caller_has_gone(void **state)
{
	(void)state;
	struct raw raw = raw_new("gateway", fixture.address);
	leaves_wanted = fixture.leaves + 1;
	struct raw_call call = raw_open(&raw, PATH("Stay"), 5000, NULL);
	send_text(&call, "");
	raw_half_close(&call);
	raw_receive_headers(&call);
	expect_text(&call, "here");
	assert_int_equal(fixture.leaves, leaves_wanted - 1);
	grpc_call_cancel(call.call, NULL);
	assert_int_equal(raw_finish(&call), GRPC_STATUS_CANCELLED);
	assert_true(wait_until(has_left, 2000));
	raw_free(&raw);
}

static struct raw_call stay_open(struct raw *raw)
{
	struct raw_call call = raw_open(raw, PATH("Stay"), 5000, NULL);
	send_text(&call, "");
	raw_half_close(&call);
	raw_receive_headers(&call);
	expect_text(&call, "here");
	return call;
}

static void leave_one(struct raw_call *call)
{
	leaves_wanted = fixture.leaves + 1;
	grpc_call_cancel(call->call, NULL);
	assert_int_equal(raw_finish(call), GRPC_STATUS_CANCELLED);
	assert_true(wait_until(has_left, 2000));
}

/* One caller has so many streams at a time, over all connections; whoever ends one may begin
 * another, and other calls are none. */
static void test_streams_of_one_caller(void **state)
{
	(void)state;
	enum { MOST = 3 };
	fixture_stop(1000);
	fixture.common.streams_per_caller_max = MOST;
	fixture_start();
	struct raw raws[2] = {raw_new("gateway", fixture.address),
			      raw_new("gateway", fixture.address)};
	struct raw_call calls[MOST];
	for (int i = 0; i < MOST; i++)
		calls[i] = stay_open(&raws[i % 2]);
	for (int i = 0; i < 2; i++) {
		struct raw_call refused = raw_open(&raws[i], PATH("Stay"), 5000, NULL);
		send_text(&refused, "");
		raw_half_close(&refused);
		raw_receive_headers(&refused);
		assert_int_equal(raw_finish(&refused), GRPC_STATUS_RESOURCE_EXHAUSTED);
	}
	assert_int_equal(raw_unary(&raws[0], PATH("Inline"), NULL, 0), GRPC_STATUS_OK);
	leave_one(&calls[0]);
	calls[0] = stay_open(&raws[1]);
	for (int i = 0; i < MOST; i++)
		leave_one(&calls[i]);
	raw_free(&raws[0]);
	raw_free(&raws[1]);
	fixture_stop(1000);
	fixture.common.streams_per_caller_max = 1000;
	fixture_start();
}

/* Its message is with a worker, which reads it for as long as fields without number take, when an
 * answer turns out to have no way any more. */
static void test_caller_goes_while_its_message_is_read(void **state)
{
	(void)state;
	enum { CALLS = 200, FIELDS = 2000, MORE = 16000 };
	static const uint8_t field[3] = {0xf8, 0x3f, 0x01};
	static uint8_t slow[sizeof(field) * FIELDS];
	for (size_t i = 0; i < FIELDS; i++)
		memcpy(slow + sizeof(field) * i, field, sizeof(field));
	/* What comes after it takes the place of what has been read. */
	static const uint8_t more[4 + MORE] = {0xfa, 0x3f, 0x80 | (MORE & 0x7f), MORE >> 7};
	struct raw raw = raw_new("gateway", fixture.address);
	leaves_wanted = fixture.leaves + CALLS;
	for (int i = 0; i < CALLS; i++) {
		struct raw_call call = raw_open(&raw, PATH("MuchOnWorker"), 5000, NULL);
		send_text(&call, "");
		raw_receive_headers(&call);
		raw_send_bytes(&call, slow, sizeof(slow));
		rt_clock_sleep_us(i);
		grpc_call_cancel(call.call, NULL);
		assert_int_equal(raw_unary(&raw, PATH("Inline"), more, sizeof(more)),
				 GRPC_STATUS_OK);
		assert_int_equal(raw_finish(&call), GRPC_STATUS_CANCELLED);
	}
	assert_true(wait_until(has_left, 5000));
	raw_free(&raw);
}

static void test_stream_deadline(void **state)
{
	(void)state;
	struct raw raw = raw_new("gateway", fixture.address);
	leaves_wanted = fixture.leaves + 1;
	struct raw_call call = raw_open(&raw, PATH("StayShort"), 5000, NULL);
	send_text(&call, "");
	raw_half_close(&call);
	raw_receive_headers(&call);
	expect_text(&call, "here");
	raw_skip(&call);
	assert_int_equal(raw_finish(&call), GRPC_STATUS_DEADLINE_EXCEEDED);
	assert_true(wait_until(has_left, 2000));
	raw_free(&raw);
}

static bool all_parked(void)
{
	return atomic_load(&parked_count) == PARKED_MAX;
}

/* Calls whose handlers never end them, though their time is long up, keep nobody else from being
 * told of theirs. */
static void test_deadline_behind_those_that_are_stuck(void **state)
{
	(void)state;
	fixture_stop(1000);
	fixture.common.queue_max = INT64_C(2) * PARKED_MAX; /* of which one identity has not all */
	fixture_start();
	struct raw raw = raw_new("gateway", fixture.address);
	struct raw_call calls[PARKED_MAX];
	int64_t begun_us = rt_clock_mono_us();
	for (size_t i = 0; i < PARKED_MAX; i++) {
		calls[i] = raw_open(&raw, i == 0 ? PATH("Park") : PATH("ParkStream"), 4000, NULL);
		raw_send_bytes(&calls[i], "", 0);
		raw_half_close(&calls[i]);
	}
	assert_true(wait_until(all_parked, 2000));
	for (size_t i = 0; i < PARKED_MAX; i++) {
		raw_receive_headers(&calls[i]);
		raw_skip(&calls[i]);
		assert_int_equal(raw_finish(&calls[i]), GRPC_STATUS_DEADLINE_EXCEEDED);
	}
	int64_t took_us = rt_clock_mono_us() - begun_us;
	for (size_t i = 0; i < PARKED_MAX; i++)
		rt_call_end(parked[i], RT_FAIL(DEADLINE_EXCEEDED, "LATE", "late"), NULL);
	raw_free(&raw);
	fixture_stop(1000);
	fixture.common.queue_max = 64;
	fixture_start();
	assert_true(took_us < 2 * RT_US_PER_S);
}

static void test_stream_is_told_of_the_drain(void **state)
{
	(void)state;
	struct raw raw = raw_new("gateway", fixture.address);
	leaves_wanted = fixture.leaves + 2;
	struct raw_call call = raw_open(&raw, PATH("Stay"), 5000, NULL);
	send_text(&call, "");
	raw_half_close(&call);
	raw_receive_headers(&call);
	expect_text(&call, "here");
	struct raw_call idle = raw_open(&raw, PATH("Echo"), 5000, NULL);
	send_text(&idle, "one");
	raw_receive_headers(&idle);
	expect_text(&idle, "one");
	int64_t begun_us = rt_clock_mono_us();
	fixture_stop(5000);
	assert_true(rt_clock_mono_us() - begun_us < 2 * RT_US_PER_S);
	assert_int_equal(raw_finish(&call), GRPC_STATUS_UNAVAILABLE);
	assert_int_equal(raw_finish(&idle), GRPC_STATUS_UNAVAILABLE);
	assert_int_equal(fixture.leaves, leaves_wanted);
	raw_free(&raw);
	fixture_start();
}

static bool nothing_in_flight(void)
{
	return rt_series_value(RT_SERIES(SERVER_IN_FLIGHT)) == 0;
}

/* Answers that are not read take up no place that others need, and do not wait for ever. */
static void test_answers_that_nobody_reads(void **state)
{
	(void)state;
	enum { UNREAD = 8 };
	fixture_stop(1000);
	fixture.common.queue_max = UNREAD;
	fixture_start();
	struct raw lazy = raw_new("gateway", fixture.address);
	struct raw_call calls[UNREAD];
	for (size_t i = 0; i < UNREAD; i++) {
		calls[i] = raw_open(&lazy, PATH("Large"), 60000, NULL);
		raw_send_bytes(&calls[i], "", 0);
		raw_half_close(&calls[i]);
		raw_receive_headers(&calls[i]); /* it has been answered */
	}
	struct raw raw = raw_new("gateway", fixture.address);
	assert_int_equal(raw_unary(&raw, PATH("Inline"), "", 0), GRPC_STATUS_OK);
	raw_free(&raw);
	assert_false(nothing_in_flight());
	assert_true(wait_until(nothing_in_flight, 15000));
	for (size_t i = 0; i < UNREAD; i++) {
		raw_skip(&calls[i]);
		assert_int_not_equal(raw_finish(&calls[i]), GRPC_STATUS_OK);
	}
	raw_free(&lazy);
	fixture_stop(1000);
	fixture.common.queue_max = 64;
	fixture_start();
}

static void test_malformed_bytes(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t length;
	} bad[] = {
		{"\x0a", 1},                     /* no length */
		{"\x0a\x05hel", 5},              /* cut off */
		{"\x0a\xff\xff\xff\xff\x0f", 6}, /* a length of 4 GiB */
		{"\x00", 1},                     /* field 0 */
		{"\x0b", 1},                     /* a group */
		{"\x0f", 1},                     /* wire type 7 */
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11},
		{"\x0a\x03"
		 "a\0b",
		 5},                     /* a NUL inside a string */
		{"\x0a\x02\xc0\x80", 4}, /* overlong UTF-8 */
	};
	struct raw raw = raw_new("gateway", fixture.address);
	int runs = fixture.runs;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(raw_unary(&raw, PATH("Inline"), bad[i].bytes, bad[i].length),
				 GRPC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(fixture.runs, runs);
	struct raw_call empty = raw_open(&raw, PATH("Inline"), 5000, NULL);
	raw_half_close(&empty);
	raw_receive_headers(&empty);
	assert_int_equal(raw_finish(&empty), GRPC_STATUS_INVALID_ARGUMENT);
	/* Fields that are not known are passed over. */
	assert_int_equal(raw_unary(&raw, PATH("Inline"), "\xf8\x3f\x01\xfa\x3f\x01\x00", 7),
			 GRPC_STATUS_OK);
	raw_free(&raw);
}

static void check_trace(struct raw *raw, const char *traceparent)
{
	struct raw_call call = raw_open(raw, PATH("Inline"), 5000, traceparent);
	raw_send_bytes(&call, "", 0);
	raw_half_close(&call);
	raw_receive_headers(&call);
	raw_skip(&call);
	assert_int_equal(raw_finish(&call), GRPC_STATUS_OK);
}

static void test_traceparent(void **state)
{
	(void)state;
	static const uint8_t id[16] = {0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd,
				       0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c};
	struct raw raw = raw_new("gateway", fixture.address);
	check_trace(&raw, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	assert_memory_equal(last_seen().trace.trace_id, id, 16);
	check_trace(&raw, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0");
	assert_memory_not_equal(last_seen().trace.trace_id, id, 16);
	check_trace(&raw, NULL);
	raw_free(&raw);
}

static int health_of(struct raw *raw, const char *service, grpc_status_code *code)
{
	char name[64];
	snprintf(name, sizeof(name), "%s", service);
	Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	request.service = name;
	struct raw_call call = raw_open(raw, CHECK, 5000, NULL);
	raw_send(&call, &request.base);
	raw_half_close(&call);
	raw_receive_headers(&call);
	health_reply *reply = (health_reply *)raw_receive(
		&call, &grpc__health__v1__health_check_response__descriptor);
	int status = reply != NULL ? (int)reply->status : -1;
	if (reply != NULL)
		protobuf_c_message_free_unpacked(&reply->base, NULL);
	*code = raw_finish(&call);
	return status;
}

static void test_health_check(void **state)
{
	(void)state;
	struct raw raw = raw_new("monitor", fixture.address);
	grpc_status_code code;
	assert_int_equal(health_of(&raw, "", &code), 1);
	assert_int_equal(health_of(&raw, TEST_SERVICE, &code), 1);
	assert_int_equal(code, GRPC_STATUS_OK);
	assert_int_equal(health_of(&raw, "no.such.Service", &code), -1);
	assert_int_equal(code, GRPC_STATUS_NOT_FOUND);
	rt_server_set_serving(fixture.server, false);
	assert_int_equal(health_of(&raw, "", &code), 2);
	rt_server_set_serving(fixture.server, true);
	raw_free(&raw);
}

static void expect_health(struct raw_call *call, int status)
{
	health_reply *reply = (health_reply *)raw_receive(
		call, &grpc__health__v1__health_check_response__descriptor);
	assert_non_null(reply);
	assert_int_equal(reply->status, status);
	protobuf_c_message_free_unpacked(&reply->base, NULL);
}

static struct raw_call open_watch(struct raw *raw, const char *service)
{
	char name[64];
	snprintf(name, sizeof(name), "%s", service);
	Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	request.service = name;
	struct raw_call call = raw_open(raw, WATCH, 20000, NULL);
	raw_send(&call, &request.base);
	raw_half_close(&call);
	raw_receive_headers(&call);
	return call;
}

static void test_health_watch(void **state)
{
	(void)state;
	struct raw raw = raw_new("monitor", fixture.address);
	struct raw_call call = open_watch(&raw, TEST_SERVICE);
	expect_health(&call, 1);
	rt_server_set_serving(fixture.server, false);
	expect_health(&call, 2);
	rt_server_set_serving(fixture.server, true);
	expect_health(&call, 1);
	struct raw_call unknown = open_watch(&raw, "no.such.Service");
	expect_health(&unknown, 3);
	grpc_call_cancel(unknown.call, NULL);
	assert_int_equal(raw_finish(&unknown), GRPC_STATUS_CANCELLED);
	int64_t begun_us = rt_clock_mono_us();
	fixture_stop(5000); /* says so, and ends the stream */
	assert_true(rt_clock_mono_us() - begun_us < 2 * RT_US_PER_S);
	expect_health(&call, 2);
	assert_int_equal(raw_finish(&call), GRPC_STATUS_UNAVAILABLE);
	raw_free(&raw);
	fixture_start();
}

static reflection_reply *reflect(struct raw_call *call,
				 Grpc__Reflection__V1__ServerReflectionRequest *request)
{
	raw_send(call, &request->base);
	reflection_reply *reply = (reflection_reply *)raw_receive(
		call, &grpc__reflection__v1__server_reflection_response__descriptor);
	assert_non_null(reply);
	return reply;
}

static bool lists(const reflection_reply *reply, const char *service)
{
	assert_int_equal(reply->message_response_case, 6);
	for (size_t i = 0; i < reply->list_services_response->n_service; i++) {
		if (strcmp(reply->list_services_response->service[i]->name, service) == 0)
			return true;
	}
	return false;
}

static void check_list(struct raw_call *call)
{
	Grpc__Reflection__V1__ServerReflectionRequest request =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
	char all[] = "*";
	request.message_request_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES;
	request.list_services = all;
	raw_send(call, &request.base);
	raw_receive_headers(call);
	reflection_reply *reply = (reflection_reply *)raw_receive(
		call, &grpc__reflection__v1__server_reflection_response__descriptor);
	assert_true(lists(reply, TEST_SERVICE));
	assert_true(lists(reply, "grpc.health.v1.Health"));
	assert_true(lists(reply, "grpc.reflection.v1alpha.ServerReflection"));
	protobuf_c_message_free_unpacked(&reply->base, NULL);
}

static size_t files_of_symbol(struct raw_call *call, const char *symbol)
{
	char name[96];
	snprintf(name, sizeof(name), "%s", symbol);
	Grpc__Reflection__V1__ServerReflectionRequest request =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
	request.message_request_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL;
	request.file_containing_symbol = name;
	reflection_reply *reply = reflect(call, &request);
	size_t count = 0;
	if (reply->message_response_case == 4)
		count = reply->file_descriptor_response->n_file_descriptor_proto;
	else
		assert_int_equal(reply->error_response->error_code, 5);
	protobuf_c_message_free_unpacked(&reply->base, NULL);
	return count;
}

static void check_reflection(struct raw *raw, const char *path)
{
	struct raw_call call = raw_open(raw, path, 5000, NULL);
	check_list(&call);
	/* auth.proto imports timestamp.proto */
	assert_int_equal(files_of_symbol(&call, "daler.auth.v1.AuthService"), 2);
	assert_int_equal(files_of_symbol(&call, "daler.auth.v1.AuthService.LogIn"), 2);
	assert_int_equal(files_of_symbol(&call, "grpc.health.v1.HealthCheckResponse.ServingStatus"),
			 1);
	assert_int_equal(files_of_symbol(&call, "google.protobuf.Timestamp"), 1);
	assert_int_equal(files_of_symbol(&call, "daler.auth.v1.NoSuch"), 0);
	raw_half_close(&call);
	raw_skip(&call);
	assert_int_equal(raw_finish(&call), GRPC_STATUS_OK);
}

/* Asks much before it reads: it is answered at the pace at which it reads, so that nothing piles
 * up. */
static void check_pace(struct raw *raw, const char *path)
{
	enum { QUESTIONS = 400 };
	static const char symbol[] = "daler.auth.v1.AuthService";
	char name[sizeof(symbol)];
	memcpy(name, symbol, sizeof(symbol));
	Grpc__Reflection__V1__ServerReflectionRequest request =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
	request.message_request_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL;
	request.file_containing_symbol = name;
	struct raw_call call = raw_open(raw, path, 20000, NULL);
	for (int i = 0; i < QUESTIONS; i++)
		raw_send(&call, &request.base);
	raw_half_close(&call);
	raw_receive_headers(&call);
	rt_clock_sleep_us(300 * RT_US_PER_MS);
	for (int i = 0; i < QUESTIONS; i++) {
		ProtobufCMessage *reply = raw_receive(
			&call, &grpc__reflection__v1__server_reflection_response__descriptor);
		assert_non_null(reply);
		protobuf_c_message_free_unpacked(reply, NULL);
	}
	raw_skip(&call);
	assert_int_equal(raw_finish(&call), GRPC_STATUS_OK);
}

static void check_long_question(struct raw *raw, const char *path)
{
	uint8_t question[8000] = {0x0a, 0xbc, 0x3e}; /* host, with all that follows */
	memset(question + 3, 'h', sizeof(question) - 3);
	struct raw_call call = raw_open(raw, path, 5000, NULL);
	raw_send_bytes(&call, question, 3 + 0x3e * 128 + 0x3c);
	raw_receive_headers(&call);
	raw_skip(&call);
	assert_int_equal(raw_finish(&call), GRPC_STATUS_RESOURCE_EXHAUSTED);
}

static void test_reflection(void **state)
{
	(void)state;
	struct raw raw = raw_new("operator", fixture.address);
	check_reflection(&raw, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
	check_reflection(&raw, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
	check_pace(&raw, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
	check_long_question(&raw, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
	raw_free(&raw);
	raw = raw_new("gateway", fixture.address);
	struct raw_call call = raw_open(
		&raw, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", 5000, NULL);
	raw_receive_headers(&call);
	assert_int_equal(raw_finish(&call), GRPC_STATUS_PERMISSION_DENIED);
	raw_free(&raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_stream),
		cmocka_unit_test(test_bidi_stream),
		cmocka_unit_test(test_bidi_stream_with_a_malformed_message),
		cmocka_unit_test(test_stream_is_told_that_the_caller_has_gone),
		cmocka_unit_test(test_streams_of_one_caller),
		cmocka_unit_test(test_caller_goes_while_its_message_is_read),
		cmocka_unit_test(test_stream_deadline),
		cmocka_unit_test(test_deadline_behind_those_that_are_stuck),
		cmocka_unit_test(test_stream_is_told_of_the_drain),
		cmocka_unit_test(test_answers_that_nobody_reads),
		cmocka_unit_test(test_malformed_bytes),
		cmocka_unit_test(test_traceparent),
		cmocka_unit_test(test_health_check),
		cmocka_unit_test(test_health_watch),
		cmocka_unit_test(test_reflection),
	};
	return cmocka_run_group_tests(tests, start, fixture_teardown);
}
