#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rt/admin_http.h"
#include "rt/clock.h"
#include "rt/log.h"

/* What the service says of itself in these tests. */
struct service {
	struct rt_admin *admin;
	atomic_bool database_works;
	atomic_bool hangs;
	atomic_int checks;
	atomic_int checks_at_once;
};

static void check(void *context, struct rt_readiness *report)
{
	struct service *service = context;
	assert_int_equal(atomic_fetch_add(&service->checks_at_once, 1), 0);
	atomic_fetch_add(&service->checks, 1);
	while (atomic_load(&service->hangs))
		rt_clock_sleep_us(1000);
	bool works = atomic_load(&service->database_works);
	rt_readiness_add(report, "postgres", works, true, works ? NULL : "no \"answer\"\n\xff");
	rt_readiness_add(report, "redis", false, false, "refused");
	atomic_fetch_sub(&service->checks_at_once, 1);
}

static void start(struct service *service)
{
	memset(service, 0, sizeof(*service));
	atomic_store(&service->database_works, true);
	struct rt_status status = rt_admin_start("127.0.0.1:0", check, service, &service->admin);
	assert_true(rt_is_ok(&status));
	assert_int_not_equal(rt_admin_port(service->admin), 0);
}

/* From one of the loopback's addresses, 127.0.0.`host`. */
static int dial_from(const struct service *service, uint32_t host)
{
	int opened = socket(AF_INET, SOCK_STREAM, 0);
	const struct sockaddr_in own = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl((INADDR_LOOPBACK & ~0xFFU) | host),
	};
	assert_int_equal(bind(opened, (const struct sockaddr *)&own, sizeof(own)), 0);
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(rt_admin_port(service->admin)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	/* Less than the time after which an unfinished request is given up. */
	const struct timeval patience = {.tv_sec = 5};
	setsockopt(opened, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(opened, (const struct sockaddr *)&address, sizeof(address)), 0);
	return opened;
}

static int dial(const struct service *service)
{
	return dial_from(service, 1);
}

static void say(int connection, const char *bytes)
{
	assert_int_equal(send(connection, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
}

struct answer {
	int code;
	char bytes[1 << 18];
	const char *body;
};

/* Reads until the server closes. */
static void hear(int connection, struct answer *answer)
{
	size_t length = 0;
	ssize_t got;
	while ((got = recv(connection, answer->bytes + length, sizeof(answer->bytes) - 1 - length,
			   0)) > 0)
		length += (size_t)got;
	assert_true(got == 0);
	answer->bytes[length] = '\0';
	close(connection);
	assert_memory_equal(answer->bytes, "HTTP/1.1 ", 9);
	answer->code = (int)strtol(answer->bytes + 9, NULL, 10);
	const char *end = strstr(answer->bytes, "\r\n\r\n");
	assert_non_null(end);
	answer->body = end + 4;
}

static struct answer answer;

static void ask(const struct service *service, const char *method, const char *path)
{
	char request[256];
	snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		 method, path);
	int connection = dial(service);
	say(connection, request);
	hear(connection, &answer);
}

static void test_livez(void **state)
{
	(void)state;
	struct service service;
	start(&service);
	ask(&service, "GET", "/livez");
	assert_int_equal(answer.code, 200);
	assert_string_equal(answer.body, "ok\n");
	ask(&service, "HEAD", "/livez");
	assert_int_equal(answer.code, 200);
	assert_string_equal(answer.body, "");
	assert_int_equal(atomic_load(&service.checks), 0);
	rt_admin_stop(service.admin);
}

static json_t *readiness(void)
{
	json_error_t error;
	json_t *report = json_loads(answer.body, JSON_REJECT_DUPLICATES, &error);
	if (report == NULL)
		fail_msg("%s in %s", error.text, answer.body);
	assert_non_null(strstr(answer.bytes, "application/json"));
	assert_non_null(strstr(answer.bytes, "no-store"));
	return report;
}

static void test_ready(void **state)
{
	(void)state;
	struct service service;
	start(&service);
	ask(&service, "GET", "/readyz");
	assert_int_equal(answer.code, 200); /* Redis is down, but optional */
	json_t *report = readiness();
	assert_true(json_is_true(json_object_get(report, "ready")));
	const json_t *components = json_object_get(report, "components");
	assert_int_equal(json_array_size(components), 2);
	const json_t *postgres = json_array_get(components, 0);
	assert_string_equal(json_string_value(json_object_get(postgres, "name")), "postgres");
	assert_true(json_is_true(json_object_get(postgres, "ok")));
	assert_true(json_is_true(json_object_get(postgres, "required")));
	assert_null(json_object_get(postgres, "why"));
	const json_t *redis = json_array_get(components, 1);
	assert_true(json_is_false(json_object_get(redis, "ok")));
	assert_true(json_is_false(json_object_get(redis, "required")));
	assert_string_equal(json_string_value(json_object_get(redis, "why")), "refused");
	json_decref(report);
	rt_admin_stop(service.admin);
}

static void test_not_ready(void **state)
{
	(void)state;
	struct service service;
	start(&service);
	atomic_store(&service.database_works, false);
	ask(&service, "GET", "/readyz");
	assert_int_equal(answer.code, 503);
	json_t *report = readiness();
	assert_true(json_is_false(json_object_get(report, "ready")));
	const json_t *postgres = json_array_get(json_object_get(report, "components"), 0);
	assert_string_equal(json_string_value(json_object_get(postgres, "why")), "no \"answer\"??");
	json_decref(report);
	/* It is asked again each time. */
	atomic_store(&service.database_works, true);
	ask(&service, "HEAD", "/readyz");
	assert_int_equal(answer.code, 200);
	assert_int_equal(atomic_load(&service.checks), 2);
	rt_admin_stop(service.admin);
}

static void test_metrics(void **state)
{
	(void)state;
	struct service service;
	start(&service);
	ask(&service, "GET", "/metrics");
	assert_int_equal(answer.code, 200);
	assert_non_null(strstr(answer.bytes, "Content-Type: text/plain; version=0.0.4"));
	assert_non_null(strstr(answer.body, "process_resident_memory_bytes "));
	rt_admin_stop(service.admin);
}

static void test_what_is_not_there(void **state)
{
	(void)state;
	struct service service;
	start(&service);
	const char *const paths[] = {"/", "/livez/", "/Livez", "//livez", "/metrics/../etc/passwd",
				     "/x"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		ask(&service, "GET", paths[i]);
		assert_int_equal(answer.code, 404);
	}
	const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "get", "BREW"};
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		ask(&service, methods[i], "/livez");
		assert_int_equal(answer.code, 405);
		assert_non_null(strstr(answer.bytes, "Allow: GET, HEAD"));
	}
	int connection = dial(&service);
	say(connection, "POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: "
			"close\r\n\r\nhello");
	hear(connection, &answer);
	assert_int_equal(answer.code, 405);
	ask(&service, "GET", "/livez?verbose=1");
	assert_int_equal(answer.code, 200);
	rt_admin_stop(service.admin);
}

static void await_checks(const struct service *service, int count)
{
	int64_t deadline_us = rt_clock_mono_us() + 10 * RT_US_PER_S;
	while (atomic_load(&service->checks) < count) {
		assert_true(rt_clock_mono_us() < deadline_us);
		rt_clock_sleep_us(1000);
	}
}

static const char ready_request[] = "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/* All dependencies work, but who drains wants no new calls. */
static void test_readyz_drains(void **state)
{
	(void)state;
	struct service service;
	start(&service);
	ask(&service, "GET", "/readyz");
	assert_int_equal(answer.code, 200);
	rt_admin_drain(service.admin);
	ask(&service, "GET", "/readyz");
	assert_int_equal(answer.code, 503);
	assert_non_null(strstr(answer.body, "\"why\":\"draining\""));
	ask(&service, "GET", "/livez");
	assert_int_equal(answer.code, 200);
	rt_admin_stop(service.admin);
}

/* A dependency that hangs holds up /readyz, but neither /livez nor /metrics, and only so many
 * connections. */
static void test_hanging_check(void **state)
{
	(void)state;
	struct service service;
	start(&service);
	atomic_store(&service.hangs, true);
	int waiting[8];
	waiting[0] = dial(&service);
	say(waiting[0], ready_request);
	await_checks(&service, 1);
	for (int i = 1; i < 8; i++) {
		waiting[i] = dial(&service);
		say(waiting[i], ready_request);
	}
	/* One that says no more than "busy" shows that all the others are waiting. */
	int64_t deadline_us = rt_clock_mono_us() + 10 * RT_US_PER_S;
	rt_clock_sleep_us(200000);
	ask(&service, "GET", "/readyz");
	assert_int_equal(answer.code, 503);
	assert_non_null(strstr(answer.body, "still running"));
	ask(&service, "GET", "/livez");
	assert_int_equal(answer.code, 200);
	ask(&service, "GET", "/metrics");
	assert_int_equal(answer.code, 200);
	assert_true(rt_clock_mono_us() < deadline_us);
	atomic_store(&service.hangs, false);
	for (int i = 0; i < 8; i++) {
		hear(waiting[i], &answer);
		assert_int_equal(answer.code, 200);
	}
	assert_int_equal(atomic_load(&service.checks), 2); /* the seven shared one */
	rt_admin_stop(service.admin);
}

static void *stop(void *argument)
{
	rt_admin_stop(argument);
	return NULL;
}

static void test_stop_while_checking(void **state)
{
	(void)state;
	struct service service;
	pthread_t thread;
	start(&service);
	atomic_store(&service.hangs, true);
	int first = dial(&service), second = dial(&service);
	say(first, ready_request);
	await_checks(&service, 1);
	say(second, ready_request);
	rt_clock_sleep_us(50000);
	assert_int_equal(pthread_create(&thread, NULL, stop, service.admin), 0);
	rt_clock_sleep_us(50000);
	atomic_store(&service.hangs, false);
	pthread_join(thread, NULL);
	close(first);
	close(second);
}

/* Clients that go away while they wait, and those that never finish their request. */
static void test_rude_clients(void **state)
{
	(void)state;
	struct service service;
	start(&service);
	/* Less than the timeout of a connection: those that left must not have to wait for it. */
	int64_t deadline_us = rt_clock_mono_us() + 8 * RT_US_PER_S;
	for (int i = 0; i < 200; i++) {
		int connection = dial(&service);
		say(connection, i % 2 == 0 ? ready_request : "GET /rea");
		close(connection);
	}
	int connection = dial(&service);
	say(connection, "\x16\x03\x01 what \xff\xfe\r\n\r\n");
	char bytes[512];
	recv(connection, bytes, sizeof(bytes), 0);
	close(connection);
	do { /* those that left may still be in line */
		ask(&service, "GET", "/readyz");
		assert_true(rt_clock_mono_us() < deadline_us);
	} while (answer.code != 200);
	rt_admin_stop(service.admin);
}

/* From wherever half requests come, probes from elsewhere are answered. */
static void test_half_requests_without_end(void **state)
{
	(void)state;
	enum { STRANGERS = 3, EACH = 60 };
	struct service service;
	int half[STRANGERS * EACH];
	start(&service);
	for (uint32_t i = 0; i < STRANGERS * EACH; i++) {
		half[i] = dial_from(&service, 2 + i / EACH);
		(void)send(half[i], "GET /li", 7, MSG_NOSIGNAL);
	}
	ask(&service, "GET", "/livez");
	assert_int_equal(answer.code, 200);
	ask(&service, "GET", "/readyz");
	assert_int_equal(answer.code, 200);
	for (int i = 0; i < STRANGERS * EACH; i++)
		close(half[i]);
	rt_admin_stop(service.admin);
}

static void test_addresses(void **state)
{
	(void)state;
	struct service service;
	start(&service);
	char taken[32];
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", rt_admin_port(service.admin));
	struct rt_admin *second = NULL;
	struct rt_status status = rt_admin_start(taken, check, &service, &second);
	assert_int_equal(status.code, RT_FAILED_PRECONDITION);
	assert_string_equal(status.reason, "LISTEN_FAILED");
	rt_admin_stop(service.admin);
	/* Free again at once. */
	status = rt_admin_start(taken, check, &service, &second);
	assert_true(rt_is_ok(&status));
	rt_admin_stop(second);

	const char *const malformed[] = {"",
					 "localhost",
					 "127.0.0.1:",
					 "127.0.0.1:http",
					 "::1:80",
					 "[::1]",
					 "127.0.0.1:99999999999",
					 "127.0.0.1:65536",
					 "127.0.0.1:-1",
					 "no.such.invalid:1"};
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		status = rt_admin_start(malformed[i], check, &service, &second);
		if (status.code != RT_INVALID_ARGUMENT)
			fail_msg("%s: %s", malformed[i], rt_code_name(status.code));
		assert_string_equal(status.reason, "INVALID_SETTING");
	}
	status = rt_admin_start(":0", check, &service, &second);
	assert_true(rt_is_ok(&status));
	rt_admin_stop(second);
	rt_admin_stop(NULL);
}

static int quieten(void **state)
{
	(void)state;
	rt_log_init("test", "error");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_livez),
		cmocka_unit_test(test_ready),
		cmocka_unit_test(test_not_ready),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_what_is_not_there),
		cmocka_unit_test(test_readyz_drains),
		cmocka_unit_test(test_hanging_check),
		cmocka_unit_test(test_stop_while_checking),
		cmocka_unit_test(test_rude_clients),
		cmocka_unit_test(test_half_requests_without_end),
		cmocka_unit_test(test_addresses),
	};
	return cmocka_run_group_tests(tests, quieten, NULL);
}
