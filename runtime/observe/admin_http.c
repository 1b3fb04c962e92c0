#include "rt/admin_http.h"

#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin_listen.h"
#include "readiness.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/lock.h"
#include "rt/log.h"
#include "rt/metrics.h"

/* Of one address fewer than of all, so that whoever leaves requests unfinished does not keep a
 * probe from elsewhere from being answered. */
#define CONNECTIONS_MAX      128U
#define ADDRESS_MAX          16U
#define CONNECTION_TIMEOUT_S 10U
#define CONNECTION_BYTES_MAX ((size_t)16 * 1024)
/* Probes that wait for a check. A check that hangs must leave connections for /livez. */
#define WAITING_MAX          8

static const char json_type[] = "application/json";

/* One HTTP request. One for /readyz is suspended, and belongs to the checker until that resumes it.
 */
struct request {
	struct MHD_Connection *connection;
	struct request *next;
	bool answered;
	unsigned status;
	size_t length;
	char *body; /* NULL unless answered */
};

enum readiness { READINESS_UNKNOWN, READY, NOT_READY };

struct rt_admin {
	struct MHD_Daemon *daemon;
	uint16_t port;
	rt_readiness_check check;
	void *context;
	pthread_t checker;
	enum readiness last; /* the checker's own */

	struct rt_lock lock;
	pthread_cond_t changed;
	struct request *waiting; /* for the next check */
	size_t waiting_count;    /* also those of the check that runs */
	bool stopping;
	atomic_bool draining; /* the service takes nothing new any more */
};

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, const char *type,
			       const void *body, size_t length, enum MHD_ResponseMemoryMode mode)
{
	/* The library does not write to the body, although its type says so. */
	union {
		const void *read;
		void *given;
	} bytes = {.read = body};
	struct MHD_Response *response = MHD_create_response_from_buffer(length, bytes.given, mode);
	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	enum MHD_Result result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result respond_fixed(struct MHD_Connection *connection, unsigned status,
				     const char *type, const char *text)
{
	return respond(connection, status, type, text, strlen(text), MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result respond_metrics(struct MHD_Connection *connection)
{
	size_t length;
	char *text = rt_metrics_text(&length);
	return respond(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text,
		       length, MHD_RESPMEM_MUST_FREE);
}

/* Hands the request to the checker; false when too many wait already. */
static bool await_check(struct rt_admin *admin, struct request *request)
{
	RT_LOCKED(&admin->lock);
	if (admin->stopping || admin->waiting_count >= WAITING_MAX)
		return false;
	MHD_suspend_connection(request->connection);
	request->next = admin->waiting;
	admin->waiting = request;
	admin->waiting_count++;
	pthread_cond_signal(&admin->changed);
	return true;
}

static enum MHD_Result respond_readiness(struct rt_admin *admin, struct request *request)
{
	if (request->answered)
		return respond(request->connection, request->status, json_type, request->body,
			       request->length, MHD_RESPMEM_MUST_COPY);
	if (await_check(admin, request))
		return MHD_YES;
	return respond_fixed(
		request->connection, MHD_HTTP_SERVICE_UNAVAILABLE, json_type,
		"{\"ready\":false,\"why\":\"a check is still running\",\"components\":[]}\n");
}

static enum MHD_Result route(struct rt_admin *admin, struct request *request, const char *path)
{
	if (strcmp(path, "/livez") == 0)
		return respond_fixed(request->connection, MHD_HTTP_OK, "text/plain", "ok\n");
	if (strcmp(path, "/readyz") == 0)
		return respond_readiness(admin, request);
	if (strcmp(path, "/metrics") == 0)
		return respond_metrics(request->connection);
	return respond_fixed(request->connection, MHD_HTTP_NOT_FOUND, "text/plain",
			     "there is /livez, /readyz and /metrics\n");
}

/* Called first with the headers, then for each piece of a body, and then to answer. */
static enum MHD_Result handle(void *closure, struct MHD_Connection *connection, const char *path,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_bytes, void **state)
{
	(void)version;
	(void)upload;
	if (*state == NULL) {
		struct request *request = calloc(1, sizeof(*request));
		if (request == NULL)
			return MHD_NO;
		request->connection = connection;
		*state = request;
		if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
		    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
			return respond_fixed(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain",
					     "GET and HEAD only\n");
		return MHD_YES;
	}
	if (*upload_bytes > 0) {
		*upload_bytes = 0;
		return MHD_YES;
	}
	return route(closure, *state, path);
}

static void forget(void *closure, struct MHD_Connection *connection, void **state,
		   enum MHD_RequestTerminationCode how)
{
	(void)closure;
	(void)connection;
	(void)how;
	struct request *request = *state;
	if (request == NULL)
		return;
	free(request->body);
	free(request);
	*state = NULL;
}

/* Says what has changed, once. */
static void log_change(struct rt_admin *admin, const struct rt_readiness *report)
{
	enum readiness now = readiness_ready(report) ? READY : NOT_READY;
	if (now == admin->last)
		return;
	admin->last = now;
	if (now == READY) {
		RT_LOG(INFO, "ready");
		return;
	}
	for (size_t i = 0; i < report->count; i++) {
		const struct component *component = &report->components[i];
		if (component->required && !component->works)
			RT_LOG(WARN, "not_ready", RT_TEXT("component", component->name),
			       RT_TEXT("why", component->why));
	}
}

/* Each request gets a copy, because the library frees them whenever their clients go. */
static void answer_all(struct rt_admin *admin, struct request *requests, unsigned status,
		       const char *body, size_t length)
{
	size_t count = 0;
	while (requests != NULL) {
		struct request *request = requests;
		requests = request->next;
		request->body = malloc(length + 1);
		RT_ASSERT(request->body != NULL);
		memcpy(request->body, body, length);
		request->length = length;
		request->status = status;
		request->answered = true;
		MHD_resume_connection(request->connection); /* from here on it is the library's */
		count++;
	}
	RT_LOCKED(&admin->lock);
	admin->waiting_count -= count;
}

/* Waits for requests and takes them all; NULL when the port is to stop and none is left. */
static struct request *take_waiting(struct rt_admin *admin, bool *stopping)
{
	RT_LOCKED(&admin->lock);
	while (admin->waiting == NULL && !admin->stopping)
		rt_lock_wait(&admin->lock, &admin->changed, RT_NO_DEADLINE);
	struct request *taken = admin->waiting;
	admin->waiting = NULL;
	*stopping = admin->stopping;
	return taken;
}

static void check_for(struct rt_admin *admin, struct request *requests)
{
	struct rt_readiness report = {0};
	char body[READINESS_JSON_BYTES];
	admin->check(admin->context, &report);
	if (atomic_load(&admin->draining))
		rt_readiness_add(&report, "serving", false, true, "draining");
	log_change(admin, &report);
	size_t length = readiness_json(&report, body);
	unsigned status = readiness_ready(&report) ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
	answer_all(admin, requests, status, body, length);
}

static void *run_checker(void *argument)
{
	static const char stopping_text[] =
		"{\"ready\":false,\"why\":\"stopping\",\"components\":[]}\n";
	struct rt_admin *admin = argument;
	for (;;) {
		bool stopping;
		struct request *requests = take_waiting(admin, &stopping);
		if (stopping) {
			answer_all(admin, requests, MHD_HTTP_SERVICE_UNAVAILABLE, stopping_text,
				   sizeof(stopping_text) - 1);
			return NULL;
		}
		check_for(admin, requests);
	}
}

static struct MHD_Daemon *start_daemon(struct rt_admin *admin, int listening)
{
	/* Not epoll: the library uses it by edges, and then does not see that a client went away
	 * when the end came together with half a request. Such a connection would count until its
	 * timeout. */
	const unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
	return MHD_start_daemon(
		flags, 0, NULL, NULL, handle, admin, MHD_OPTION_LISTEN_SOCKET, listening,
		MHD_OPTION_NOTIFY_COMPLETED, forget, admin, MHD_OPTION_CONNECTION_LIMIT,
		CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT, ADDRESS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES_MAX, MHD_OPTION_END);
}

static void stop_checker(struct rt_admin *admin)
{
	rt_lock_take(&admin->lock);
	admin->stopping = true;
	pthread_cond_signal(&admin->changed);
	rt_lock_give(&admin->lock);
	pthread_join(admin->checker, NULL);
}

static void free_admin(struct rt_admin *admin)
{
	pthread_cond_destroy(&admin->changed);
	rt_lock_deinit(&admin->lock);
	free(admin);
}

/* Signals are for the thread of main: the threads that are started here are born without them. */
static bool start_threads(struct rt_admin *admin, int listening)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = pthread_create(&admin->checker, NULL, run_checker, admin) == 0;
	if (started) {
		admin->daemon = start_daemon(admin, listening);
		if (admin->daemon == NULL)
			stop_checker(admin);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started && admin->daemon != NULL;
}

struct rt_status rt_admin_start(const char *listen, rt_readiness_check check, void *context,
				struct rt_admin **admin)
{
	int listening;
	RT_TRY(admin_listen(listen, &listening));
	struct rt_admin *started = calloc(1, sizeof(*started));
	RT_ASSERT(started != NULL);
	started->check = check;
	started->context = context;
	started->port = admin_listen_port(listening);
	rt_lock_init(&started->lock, RT_RANK_REGISTRY);
	rt_condition_init(&started->changed);
	if (!start_threads(started, listening)) {
		free_admin(started);
		return RT_FAIL(FAILED_PRECONDITION, "LISTEN_FAILED",
			       "the admin port's threads can't be started");
	}
	*admin = started;
	return rt_ok();
}

void rt_admin_drain(struct rt_admin *admin)
{
	atomic_store(&admin->draining, true);
}

uint16_t rt_admin_port(const struct rt_admin *admin)
{
	return admin->port;
}

void rt_admin_stop(struct rt_admin *admin)
{
	if (admin == NULL)
		return;
	stop_checker(admin);
	MHD_stop_daemon(admin->daemon);
	free_admin(admin);
}
