#include "rpc/health.h"

#include <stdlib.h>
#include <string.h>

#include "grpc/health/v1/health.pb-c.h"
#include "rpc/server_internal.h"
#include "rt/assert.h"

#define WATCHERS_MAX 256
#define DEADLINE_MS  5000

typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus serving_status;

/* In its call's arena. */
struct watcher {
	struct watcher *next;
	struct rt_call *call;
	bool known; /* whether the service it asks for is served */
	bool listed;
	bool sending; /* some thread is telling it */
	serving_status told;
};

struct rt_health {
	struct rt_server *server;
	struct rt_lock lock; /* guards the rest, and the watchers */
	bool serving;
	struct watcher *watchers;
	size_t watcher_count;
};

#define SERVING         GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
#define SERVICE_UNKNOWN GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN
#define UNKNOWN         GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__UNKNOWN

static bool is_served(const struct rt_server *server, const char *service)
{
	if (service[0] == '\0')
		return true;
	for (size_t i = 0; i < server->served_count; i++) {
		if (strcmp(server->served[i].method->service, service) == 0)
			return true;
	}
	return false;
}

static const char *asked_service(const struct rt_call *call)
{
	const Grpc__Health__V1__HealthCheckRequest *request =
		(const Grpc__Health__V1__HealthCheckRequest *)rt_call_request(call);
	return request->service;
}

static void check(struct rt_call *call)
{
	struct rt_health *health = call->server->health;
	if (!is_served(call->server, asked_service(call))) {
		rt_call_end(
			call,
			RT_FAIL(NOT_FOUND, "SERVICE_NOT_FOUND", "no such service is served here"),
			NULL);
		return;
	}
	rt_lock_take(&health->lock);
	bool serving = health->serving;
	rt_lock_give(&health->lock);
	Grpc__Health__V1__HealthCheckResponse reply = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
	reply.status = serving ? SERVING : NOT_SERVING;
	rt_call_end(call, rt_ok(), &reply.base);
}

static serving_status current_status(const struct rt_health *health, const struct watcher *watcher)
{
	if (!watcher->known)
		return SERVICE_UNKNOWN;
	return health->serving ? SERVING : NOT_SERVING;
}

/* Tells the watcher until it knows the present state: one thread at a time, so that an older state
 * never comes last. The caller holds the call. */
static void tell(struct rt_health *health, struct watcher *watcher)
{
	rt_lock_take(&health->lock);
	bool mine = !watcher->sending;
	while (mine && watcher->told != current_status(health, watcher)) {
		watcher->sending = true;
		watcher->told = current_status(health, watcher);
		Grpc__Health__V1__HealthCheckResponse reply =
			GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
		reply.status = watcher->told;
		rt_lock_give(&health->lock);
		struct rt_status sent = rt_call_send(watcher->call, &reply.base);
		(void)sent; /* a watcher that has gone is told so by its leave */
		rt_lock_take(&health->lock);
		watcher->sending = false;
	}
	rt_lock_give(&health->lock);
}

static bool unlist(struct rt_health *health, struct watcher *watcher)
{
	RT_LOCKED(&health->lock);
	if (!watcher->listed)
		return false;
	struct watcher **place = &health->watchers;
	while (*place != watcher)
		place = &(*place)->next;
	*place = watcher->next;
	watcher->listed = false;
	health->watcher_count--;
	return true;
}

static void leave(struct rt_call *call, void *context)
{
	if (!unlist(call->server->health, context))
		return;
	struct rt_status status =
		RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "the server is shutting down");
	if (rt_call_cancelled(call))
		status = RT_FAIL(CANCELLED, "CANCELLED", "the caller has gone");
	rt_call_end(call, status, NULL);
}

static bool enlist(struct rt_health *health, struct watcher *watcher)
{
	RT_LOCKED(&health->lock);
	if (health->watcher_count == WATCHERS_MAX)
		return false;
	watcher->next = health->watchers;
	watcher->listed = true;
	health->watchers = watcher;
	health->watcher_count++;
	return true;
}

static void watch(struct rt_call *call)
{
	struct rt_health *health = call->server->health;
	struct watcher *watcher = rt_arena_alloc(rt_call_arena(call), sizeof(*watcher));
	if (watcher == NULL) {
		rt_call_end(call,
			    RT_FAIL(RESOURCE_EXHAUSTED, "OVERLOADED", "no memory for the call"),
			    NULL);
		return;
	}
	watcher->call = call;
	watcher->known = is_served(call->server, asked_service(call));
	watcher->told = UNKNOWN;
	if (!enlist(health, watcher)) {
		rt_call_end(call,
			    RT_FAIL(RESOURCE_EXHAUSTED, "OVERLOADED", "too many watch already"),
			    NULL);
		return;
	}
	rt_call_hold(call); /* it may leave meanwhile */
	rt_call_on_leave(call, leave, watcher);
	tell(health, watcher);
	rt_call_drop(call);
}

void rt_health_set(struct rt_health *health, bool serving)
{
	struct watcher *watchers[WATCHERS_MAX];
	size_t count = 0;
	rt_lock_take(&health->lock);
	health->serving = serving;
	for (struct watcher *watcher = health->watchers; watcher != NULL; watcher = watcher->next) {
		rt_call_hold(watcher->call); /* listed: its owner has not ended it */
		watchers[count++] = watcher;
	}
	rt_lock_give(&health->lock);
	for (size_t i = 0; i < count; i++) {
		struct rt_call *call = watchers[i]->call;
		tell(health, watchers[i]);
		rt_call_drop(call);
	}
}

const struct rt_method *rt_health_methods(size_t *count)
{
	static const struct rt_method methods[] = {
		{.service = "grpc.health.v1.Health",
		 .name = "Check",
		 .kind = RT_UNARY,
		 .run = RT_RUN_INLINE,
		 .request = &grpc__health__v1__health_check_request__descriptor,
		 .reply = &grpc__health__v1__health_check_response__descriptor,
		 .handler = check,
		 .callers = RT_ALLOW_ANY_IDENTITY,
		 .deadline_ms_max = DEADLINE_MS},
		{.service = "grpc.health.v1.Health",
		 .name = "Watch",
		 .kind = RT_SERVER_STREAM,
		 .run = RT_RUN_INLINE,
		 .request = &grpc__health__v1__health_check_request__descriptor,
		 .reply = &grpc__health__v1__health_check_response__descriptor,
		 .handler = watch,
		 .callers = RT_ALLOW_ANY_IDENTITY,
		 .deadline_ms_max = RT_STREAM_FOREVER},
	};
	*count = sizeof(methods) / sizeof(methods[0]);
	return methods;
}

struct rt_health *rt_health_new(struct rt_server *server)
{
	struct rt_health *health = calloc(1, sizeof(*health));
	RT_ASSERT(health != NULL);
	health->server = server;
	rt_lock_init(&health->lock, RT_RANK_REGISTRY);
	return health;
}

void rt_health_destroy(struct rt_health *health)
{
	RT_ASSERT(health->watchers == NULL);
	rt_lock_deinit(&health->lock);
	free(health);
}
