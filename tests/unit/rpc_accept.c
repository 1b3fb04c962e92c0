/* More connections than the process may have files: whoever opens them gets nothing out of it. */
#include <arpa/inet.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rpc_fixture.h"

#define FILES 256 /* for both ends of every connection, in this one process */

static void echo(struct rt_call *call)
{
	Daler__Auth__V1__LogInResponse reply = DALER__AUTH__V1__LOG_IN_RESPONSE__INIT;
	rt_call_end(call, rt_ok(), &reply.base);
}

static const struct rt_method methods[] = {
	RT_METHOD(TEST_SERVICE, Inline, UNARY, INLINE, daler__auth__v1__log_in_request,
		  daler__auth__v1__log_in_response, echo, RT_ALLOW(GATEWAY, RT_ROLE_NONE), 5000)};

static int start(void **state)
{
	(void)state;
	fixture_init();
	fixture.config = (struct rt_server_config){
		.common = &fixture.common, .methods = methods, .method_count = 1};
	fixture_start();
	return 0;
}

static void set_files_max(rlim_t most)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = most == 0 ? limit.rlim_max : most;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Until no more can be had. Returns how many. */
static size_t connect_many(int files[FILES])
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)rt_server_port(fixture.server)),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	size_t count = 0;
	for (; count < FILES; count++) {
		files[count] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (files[count] < 0)
			break;
		if (connect(files[count], (struct sockaddr *)&address, sizeof(address)) != 0) {
			close(files[count]);
			break;
		}
	}
	return count;
}

static void test_connections_do_not_use_up_the_files(void **state)
{
	(void)state;
	int files[FILES];
	for (int round = 0; round < 3; round++) {
		set_files_max(FILES);
		size_t count = connect_many(files);
		assert_true(count > FILES / 4);
		rt_clock_sleep_us(200 * RT_US_PER_MS);
		while (count > 0)
			close(files[--count]);
		set_files_max(0);
		struct peer peer = peer_new("gateway");
		/* Repeatable: that it listens still, not that no attempt is lost to the crowd. */
		struct asking asking = {.method = "Inline", .repeatable = true};
		struct rt_status status = ask(&peer, &asking, NULL);
		if (!rt_is_ok(&status))
			fail_msg("round %d: %s: %s", round, status.reason, status.detail);
		peer_free(&peer);
	}
}

static void test_as_many_files_as_may_be(void **state)
{
	(void)state;
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(limit.rlim_cur, limit.rlim_max);
}

int main(void)
{
	set_files_max(FILES);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_many_files_as_may_be),
		cmocka_unit_test(test_connections_do_not_use_up_the_files),
	};
	return cmocka_run_group_tests(tests, start, fixture_teardown);
}
