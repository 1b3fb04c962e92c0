/* What streams have sent counts among the bytes in flight. */
#include "rpc_raw.h"

#define KEEP      "/" TEST_SERVICE "/Keep"
/* Two of the messages of send_kept, and no third. */
#define BYTES_MAX 1000000

/* Reads on before it has answered; keeps what it reads until the caller has half-closed, or gone.
 */
static struct rt_taken kept[4];
static size_t kept_count;

static void keep_each(struct rt_call *call)
{
	if (rt_call_request(call) != NULL) {
		assert_true(kept_count < sizeof(kept) / sizeof(kept[0]));
		rt_call_take_message(call, &kept[kept_count++]);
		rt_call_next(call);
		return;
	}
	while (kept_count > 0)
		rt_call_drop_message(call, &kept[--kept_count]);
	rt_call_end(call, rt_ok(), NULL);
	atomic_fetch_add(&fixture.leaves, 1);
}

static const struct rt_method methods[] = {RT_METHOD(
	TEST_SERVICE, Keep, BIDI_STREAM, INLINE, daler__auth__v1__log_in_request,
	daler__auth__v1__log_in_response, keep_each, RT_ALLOW(GATEWAY, RT_ROLE_NONE), 5000)};

static int start(void **state)
{
	(void)state;
	fixture_init();
	fixture.config = (struct rt_server_config){.common = &fixture.common,
						   .methods = methods,
						   .method_count = 1,
						   .bytes_in_flight_max = BYTES_MAX};
	fixture_start();
	return 0;
}

static void send_kept(struct raw_call *call)
{
	static uint8_t message[400004] = {0x0a, 0x80, 0xb5, 0x18}; /* username, 400,000 bytes */
	memset(message + 4, 'k', sizeof(message) - 4);
	raw_send_bytes(call, message, sizeof(message));
}

static int leaves_wanted;

static bool has_left(void)
{
	return atomic_load(&fixture.leaves) == leaves_wanted;
}

static void check_kept(struct raw *raw, int messages, grpc_status_code code)
{
	leaves_wanted = fixture.leaves + 1;
	struct raw_call call = raw_open(raw, KEEP, 5000, NULL);
	for (int i = 0; i < messages; i++)
		send_kept(&call);
	raw_half_close(&call);
	raw_receive_headers(&call);
	assert_int_equal(raw_finish(&call), code);
	assert_true(wait_until(has_left, 2000));
}

/* They count for as long as the handler has them, and no longer. */
static void test_bytes_in_flight_of_a_stream(void **state)
{
	(void)state;
	struct raw raw = raw_new("gateway", fixture.address);
	check_kept(&raw, 2, GRPC_STATUS_OK);
	check_kept(&raw, 3, GRPC_STATUS_RESOURCE_EXHAUSTED);
	check_kept(&raw, 2, GRPC_STATUS_OK);
	raw_free(&raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes_in_flight_of_a_stream)};
	return cmocka_run_group_tests(tests, start, fixture_teardown);
}
