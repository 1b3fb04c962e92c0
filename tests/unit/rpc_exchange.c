/* Our own client's calls that stream both ways. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc_fixture.h"

#define MESSAGES 200
#define WINDOW   8

static void echo_each(struct rt_call *call)
{
	const Daler__Auth__V1__LogInRequest *request =
		(const Daler__Auth__V1__LogInRequest *)rt_call_request(call);
	if (request == NULL) {
		rt_call_end(call, rt_ok(), NULL);
		return;
	}
	if (strcmp(request->username, "3") == 0 && atomic_load(&fixture.release)) {
		rt_call_end(call, RT_FAIL(FAILED_PRECONDITION, "ENOUGH", "no more"), NULL);
		return;
	}
	Daler__Auth__V1__LogInResponse reply = DALER__AUTH__V1__LOG_IN_RESPONSE__INIT;
	reply.access_token = request->username;
	struct rt_status status = rt_call_send(call, &reply.base);
	assert_true(rt_is_ok(&status));
	rt_call_next(call);
}

static const struct rt_method methods[] = {RT_METHOD(
	TEST_SERVICE, Echo, BIDI_STREAM, INLINE, daler__auth__v1__log_in_request,
	daler__auth__v1__log_in_response, echo_each, RT_ALLOW(GATEWAY, RT_ROLE_NONE), 5000)};

static const struct rt_remote remote = {
	.service = TEST_SERVICE,
	.name = "Echo",
	.reply = &daler__auth__v1__log_in_response__descriptor,
	.repeatable = true,
};

/* Sends numbers, so many ahead of their echoes, and hears them in order. */
struct talk {
	Daler__Auth__V1__LogInRequest request;
	char text[32];
	size_t limit; /* then it half-closes; SIZE_MAX: it waits for ever */
	size_t sent;
	size_t heard;
	atomic_int ends;
	struct rt_status end;
};

static const ProtobufCMessage *next(void *context, enum rt_exchange_then *then)
{
	struct talk *talk = context;
	if (talk->sent == talk->limit) {
		*then = RT_EXCHANGE_END;
		return NULL;
	}
	if (talk->sent == talk->heard + WINDOW || talk->sent == MESSAGES)
		return NULL;
	snprintf(talk->text, sizeof(talk->text), "%zu", talk->sent++);
	talk->request.username = talk->text;
	*then = talk->sent < talk->heard + WINDOW ? RT_EXCHANGE_MORE : RT_EXCHANGE_WAIT;
	return &talk->request.base;
}

static void hear(void *context, const ProtobufCMessage *message)
{
	struct talk *talk = context;
	char text[32];
	snprintf(text, sizeof(text), "%zu", talk->heard++);
	assert_string_equal(((const Daler__Auth__V1__LogInResponse *)message)->access_token, text);
}

static void end(void *context, struct rt_status status, const ProtobufCMessage *reply)
{
	struct talk *talk = context;
	assert_null(reply);
	talk->end = status;
	atomic_fetch_add(&talk->ends, 1);
}

static void begin(struct peer *peer, struct talk *talk, size_t limit)
{
	*talk = (struct talk){.request = DALER__AUTH__V1__LOG_IN_REQUEST__INIT, .limit = limit};
	const struct rt_call_options options = {
		.deadline_mono_us = rt_clock_mono_us() + 5 * RT_US_PER_S, .wait_for_ready = true};
	rt_channel_exchange(peer->channel, &remote, &options, next, hear, end, talk);
}

static void wait_for_end(const struct talk *talk)
{
	for (int i = 0; i < 5000 && atomic_load(&talk->ends) == 0; i++)
		rt_clock_sleep_us(1000);
	assert_int_equal(atomic_load(&talk->ends), 1);
}

static void test_whole(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	static struct talk talk;
	begin(&peer, &talk, MESSAGES);
	wait_for_end(&talk);
	assert_int_equal(talk.end.code, RT_OK);
	assert_int_equal(talk.heard, MESSAGES);
	peer_free(&peer);
}

static void test_empty(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	static struct talk talk;
	begin(&peer, &talk, 0);
	wait_for_end(&talk);
	assert_int_equal(talk.end.code, RT_OK);
	assert_int_equal(talk.heard, 0);
	peer_free(&peer);
}

static void test_server_ends_it(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	static struct talk talk;
	atomic_store(&fixture.release, true);
	begin(&peer, &talk, MESSAGES);
	wait_for_end(&talk);
	atomic_store(&fixture.release, false);
	assert_int_equal(talk.end.code, RT_FAILED_PRECONDITION);
	assert_string_equal(talk.end.reason, "ENOUGH");
	assert_int_equal(talk.heard, 3);
	peer_free(&peer);
}

static void test_client_stops(void **state)
{
	(void)state;
	struct peer peer = peer_new("gateway");
	static struct talk talk;
	begin(&peer, &talk, SIZE_MAX);
	peer_free(&peer); /* waits for the end */
	assert_int_equal(atomic_load(&talk.ends), 1);
	assert_int_not_equal(talk.end.code, RT_OK);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_server_ends_it),
		cmocka_unit_test(test_client_stops),
	};
	return cmocka_run_group_tests(tests, start, fixture_teardown);
}
