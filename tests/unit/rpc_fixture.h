/* A server with a few methods over real mutual TLS on loopback, for the tests of the RPC runtime.
 */
#pragma once

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>

#include "daler/auth/v1/auth.pb-c.h"
#include "rpc_pki.h"
#include "rt/clock.h"
#include "rt/log.h"
#include "rt/rpc_client.h"
#include "rt/rpc_server.h"

#define TEST_SERVICE     "daler.test.v1.TestService"
#define DOMAIN           "daler.test"
#define SPIFFE(identity) "URI:spiffe://" DOMAIN "/" identity ",DNS:localhost,IP:127.0.0.1"
#define A_DAY            86400

/* What a handler saw of its call. */
struct seen {
	struct rt_trace trace;
	struct rt_caller caller;
};

struct fixture {
	char home[64];
	struct pki_authority authority;
	struct pki_authority stranger;
	struct rt_common_config common;
	char paths[3][PKI_PATH];
	struct rt_server_config config;
	struct rt_server *server;
	char address[64];
	pthread_mutex_t mutex;
	struct rt_call *held; /* by the handler Hold */
	atomic_int runs;
	atomic_int workers;
	atomic_bool release; /* lets Block go on */
	struct seen seen;
	atomic_int leaves;
};

static struct fixture fixture;

static inline void note_seen(const struct rt_call *call)
{
	pthread_mutex_lock(&fixture.mutex);
	fixture.seen = (struct seen){*rt_call_trace(call), *rt_call_caller(call)};
	pthread_mutex_unlock(&fixture.mutex);
}

static inline struct seen last_seen(void)
{
	pthread_mutex_lock(&fixture.mutex);
	struct seen seen = fixture.seen;
	pthread_mutex_unlock(&fixture.mutex);
	return seen;
}

static inline const char *fixture_path(const char *name, char path[PKI_PATH])
{
	return pki_path(path, fixture.home, name);
}

static inline void fixture_issue(const char *name, const char *names)
{
	char folder[PKI_PATH];
	const struct pki_leaf leaf = {.names = names, .from_s = -60, .until_s = A_DAY};
	pki_issue(fixture_path(name, folder), &fixture.authority, &fixture.authority, &leaf);
}

static inline struct rt_tls fixture_tls(const char *name, char paths[3][PKI_PATH])
{
	static const char *const files[3] = {"tls.crt", "tls.key", "ca.crt"};
	char folder[PKI_PATH];
	fixture_path(name, folder);
	for (size_t i = 0; i < 3; i++)
		pki_path(paths[i], folder, files[i]);
	return (struct rt_tls){.cert = paths[0],
			       .key = paths[1],
			       .ca = paths[2],
			       .trust_domain = DOMAIN,
			       .reload_ms = 1000};
}

static inline void fixture_init(void)
{
	rt_log_init("test", getenv("TEST_LOG") != NULL ? getenv("TEST_LOG") : "error");
	snprintf(fixture.home, sizeof(fixture.home), "/tmp/rpc-test-XXXXXX");
	RT_ASSERT(mkdtemp(fixture.home) != NULL);
	pthread_mutex_init(&fixture.mutex, NULL);
	fixture.authority = pki_authority_new("test authority");
	fixture.stranger = pki_authority_new("another authority");
	fixture_issue("accounts", SPIFFE("accounts"));
	fixture_issue("gateway", SPIFFE("gateway"));
	fixture_issue("operator", SPIFFE("operator"));
	fixture_issue("monitor", SPIFFE("monitor"));
	struct rt_tls tls = fixture_tls("accounts", fixture.paths);
	fixture.common = (struct rt_common_config){
		.listen = "127.0.0.1:0",
		.tls_cert = tls.cert,
		.tls_key = tls.key,
		.tls_ca = tls.ca,
		.trust_domain = DOMAIN,
		.workers = 2,
		.queue_max = 64,
		.streams_per_caller_max = 1000,
		.tls_reload_ms = 1000,
	};
}

static inline int fixture_unlink(const char *path, const struct stat *status, int kind,
				 struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

static inline void fixture_deinit(void)
{
	nftw(fixture.home, fixture_unlink, 8, FTW_DEPTH | FTW_PHYS);
	pki_authority_free(&fixture.authority);
	pki_authority_free(&fixture.stranger);
	pthread_mutex_destroy(&fixture.mutex);
}

static inline void fixture_start(void)
{
	struct rt_status status = rt_server_start(&fixture.config, &fixture.server);
	assert_int_equal(status.code, RT_OK);
	rt_server_set_serving(fixture.server, true);
	snprintf(fixture.address, sizeof(fixture.address), "127.0.0.1:%d",
		 rt_server_port(fixture.server));
}

static inline void fixture_stop(int64_t drain_ms)
{
	rt_server_stop(fixture.server, rt_clock_mono_us() + drain_ms * RT_US_PER_MS);
	rt_server_destroy(fixture.server);
	fixture.server = NULL;
}

/* Of a group of tests that leaves the server running. */
static inline int fixture_teardown(void **state)
{
	(void)state;
	fixture_stop(1000);
	fixture_deinit();
	return 0;
}

/* What a test waits for, it waits for longer in sanitizer builds and on slow machines. */
static inline int64_t patient(int64_t ms)
{
	const char *times = getenv("DALER_TEST_PATIENCE");
	return times != NULL ? ms * strtoll(times, NULL, 10) : ms;
}

static inline bool wait_until(bool (*condition)(void), int64_t most_ms)
{
	int64_t deadline_us = rt_clock_mono_us() + patient(most_ms) * RT_US_PER_MS;
	while (!condition()) {
		if (rt_clock_mono_us() > deadline_us)
			return false;
		rt_clock_sleep_us(2000);
	}
	return true;
}

/* A client of ours. */
struct peer {
	struct rt_client *client;
	struct rt_channel *channel;
	struct rt_arena arena;
};

static inline struct peer peer_to(const char *identity, const char *address,
				  enum rt_identity expected)
{
	struct peer peer = {0};
	char paths[3][PKI_PATH];
	struct rt_tls tls = fixture_tls(identity, paths);
	struct rt_status status = rt_client_new(&tls, &peer.client);
	assert_int_equal(status.code, RT_OK);
	status = rt_channel_new(peer.client, address, expected, &peer.channel);
	assert_int_equal(status.code, RT_OK);
	rt_arena_init(&peer.arena, 1 << 20);
	return peer;
}

static inline struct peer peer_new(const char *identity)
{
	return peer_to(identity, fixture.address, RT_ID_ACCOUNTS);
}

static inline bool peer_serves(const struct peer *peer, int64_t most_ms)
{
	int64_t deadline_us = rt_clock_mono_us() + most_ms * RT_US_PER_MS;
	struct rt_status status = rt_channel_check(peer->channel, deadline_us);
	return rt_is_ok(&status);
}

static inline void peer_free(struct peer *peer)
{
	rt_client_stop(peer->client);
	rt_channel_destroy(peer->channel);
	rt_client_destroy(peer->client);
	rt_arena_deinit(&peer->arena);
}

struct asking {
	const char *method;
	const char *text;
	int64_t deadline_ms;
	const char *bearer;
	const struct rt_trace *trace;
	bool repeatable;
	const char *const *reasons;
};

/* Calls a method whose reply's access_token is what comes back. */
static inline struct rt_status ask(struct peer *peer, const struct asking *asking,
				   const char **answer)
{
	struct rt_remote remote = {
		.service = TEST_SERVICE,
		.name = asking->method,
		.reply = &daler__auth__v1__log_in_response__descriptor,
		.repeatable = asking->repeatable,
		.reasons = asking->reasons,
	};
	char text[64];
	snprintf(text, sizeof(text), "%s", asking->text != NULL ? asking->text : "");
	Daler__Auth__V1__LogInRequest request = DALER__AUTH__V1__LOG_IN_REQUEST__INIT;
	request.username = text;
	int64_t deadline_ms = asking->deadline_ms != 0 ? asking->deadline_ms : patient(5000);
	struct rt_call_options options = {
		.deadline_mono_us = rt_clock_mono_us() + deadline_ms * RT_US_PER_MS,
		.bearer = asking->bearer,
		.trace = asking->trace,
	};
	const ProtobufCMessage *reply = NULL;
	struct rt_status status = rt_channel_call(peer->channel, &remote, &request.base, &options,
						  &peer->arena, &reply);
	if (rt_is_ok(&status) && answer != NULL)
		*answer = ((const Daler__Auth__V1__LogInResponse *)reply)->access_token;
	return status;
}
