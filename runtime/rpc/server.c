/* The server's life: methods, threads, drain and end. */
#include "rt/rpc_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/grpc_library.h"
#include "rpc/handoff.h"
#include "rpc/health.h"
#include "rpc/reflection.h"
#include "rpc/server_arguments.h"
#include "rpc/server_internal.h"
#include "rpc/tls_credentials.h"
#include "rpc/tls_files.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/log.h"
#include "rt/pace.h"

/* Calls that wait in gRPC for each method, so that a burst is taken in without a round through a
 * thread. */
#define REQUESTED_PER_METHOD 8
#define SWEEP_MS             20
#define IDLE_SWEEP_MS        1000
/* How long handlers may take to notice that their call was cancelled. */
#define ABANDON_US           (10 * RT_US_PER_S)
#define STOP_POLL_US         (2 * RT_US_PER_MS)
/* For reads of many rows: how many are carried out at a time when nothing else is to be done, and
 * what part of all calls may wait, so that they don't take the place of the others. */
#define BULK_WORKERS         2
#define BULK_QUEUE_PART      16

static struct rt_call *take_idle(struct rt_intake *intake)
{
	rt_lock_take(&intake->lock);
	struct rt_call *call = intake->idle;
	if (call != NULL)
		intake->idle = call->next;
	rt_lock_give(&intake->lock);
	if (call != NULL)
		return call;
	call = calloc(1, sizeof(*call));
	RT_ASSERT(call != NULL);
	call->server = intake->server;
	call->intake = intake;
	grpc_metadata_array_init(&call->metadata);
	grpc_call_details_init(&call->details);
	rt_lock_init(&call->stream.lock, RT_RANK_CALL);
	for (size_t i = 0; i < RT_TAG_COUNT; i++)
		call->tags[i] = (struct rt_tag){(enum rt_tag_kind)i, call};
	return call;
}

static void free_call(struct rt_call *call)
{
	grpc_metadata_array_destroy(&call->metadata);
	grpc_call_details_destroy(&call->details);
	rt_lock_deinit(&call->stream.lock);
	free(call);
}

static void put_back(struct rt_call *call)
{
	struct rt_intake *intake = call->intake;
	rt_lock_take(&intake->lock);
	call->next = intake->idle;
	intake->idle = call;
	rt_lock_give(&intake->lock);
}

void rt_intake_add_active(struct rt_call *call)
{
	struct rt_intake *intake = call->intake;
	rt_series_add(intake->server->in_flight, 1);
	rt_lock_take(&intake->lock);
	call->previous = NULL;
	call->next = intake->active;
	if (call->next != NULL)
		call->next->previous = call;
	intake->active = call;
	atomic_fetch_add(&intake->active_count, 1);
	rt_lock_give(&intake->lock);
}

/* Whoever waits for the last call may free everything as soon as the lock is given back: it is the
 * last thing touched. */
void rt_intake_put_idle(struct rt_call *call)
{
	struct rt_intake *intake = call->intake;
	rt_series_add(intake->server->in_flight, -1);
	rt_lock_take(&intake->lock);
	if (call->previous != NULL)
		call->previous->next = call->next;
	else
		intake->active = call->next;
	if (call->next != NULL)
		call->next->previous = call->previous;
	call->next = intake->idle;
	intake->idle = call;
	atomic_fetch_sub(&intake->active_count, 1);
	rt_lock_give(&intake->lock);
}

/* Whether gRPC is to announce the call before its message is there. */
static bool reads_later(const struct rt_method *method)
{
	return method->kind == RT_BIDI_STREAM || method->kind == RT_UNARY_LARGE;
}

void rt_intake_request(struct rt_intake *intake, struct rt_served *served)
{
	struct rt_call *call = take_idle(intake);
	grpc_server *grpc = intake->server->grpc;
	call->served = served;
	call->grpc = NULL;
	call->metadata.count = 0;
	void *tag = &call->tags[RT_TAG_ARRIVED];
	rt_handoff_give(tag);
	grpc_call_error error;
	if (served->method == NULL)
		error = grpc_server_request_call(grpc, &call->grpc, &call->details, &call->metadata,
						 intake->queue, intake->queue, tag);
	else
		error = grpc_server_request_registered_call(
			grpc, served->registered, &call->grpc, &call->grpc_deadline,
			&call->metadata, reads_later(served->method) ? NULL : &call->payload,
			intake->queue, intake->queue, tag);
	RT_ASSERT(error == GRPC_CALL_OK);
}

void rt_server_dispatch(struct rt_call *call)
{
	if (call->served->method->run == RT_RUN_INLINE) {
		rt_call_run(call, NULL);
		return;
	}
	bool bulk = call->served->method->run == RT_RUN_BULK;
	struct rt_server *server = call->server;
	rt_series_add(server->queue_length, 1);
	if (rt_queue_push(server->crews[bulk ? RT_CREW_BULK : RT_CREW_WORKERS].queue, call))
		return;
	/* The workers' queue has room for as many calls as are admitted, and is closed after the
	 * last of them. */
	RT_ASSERT(bulk);
	rt_series_add(server->queue_length, -1);
	rt_call_end(call, rt_shed(call, "reads of many rows"), NULL);
}

static void arrived(struct rt_call *call, bool success)
{
	struct rt_intake *intake = call->intake;
	if (!success) { /* the server shuts down */
		put_back(call);
		return;
	}
	if (atomic_load(&intake->server->phase) == RT_SERVER_SERVING)
		rt_intake_request(intake, call->served);
	if (call->served->method == NULL)
		call->grpc_deadline = call->details.deadline;
	rt_call_arrived(call);
}

static void handle_event(struct rt_intake *intake, const grpc_event *event)
{
	struct rt_tag *tag = event->tag;
	rt_handoff_take(tag);
	if (tag->kind == RT_TAG_SHUTDOWN)
		atomic_store(&intake->server->shutdown_seen, true);
	else if (tag->kind == RT_TAG_ARRIVED)
		arrived(tag->call, event->success != 0);
	else
		rt_call_event(tag, event->success != 0);
}

static gpr_timespec in_ms(int64_t ms)
{
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN));
}

static void *serve_queue(void *argument)
{
	struct rt_intake *intake = argument;
	int64_t sweep_us = rt_clock_mono_us();
	for (;;) {
		bool busy = atomic_load(&intake->active_count) > 0;
		grpc_event event = grpc_completion_queue_next(
			intake->queue, in_ms(busy ? SWEEP_MS : IDLE_SWEEP_MS), NULL);
		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (event.type == GRPC_OP_COMPLETE)
			handle_event(intake, &event);
		int64_t now_us = rt_clock_mono_us();
		if (now_us - sweep_us >= SWEEP_MS * RT_US_PER_MS) {
			sweep_us = now_us;
			rt_intake_expire(intake, now_us);
		}
	}
}

/* It may be answered already when it comes to its turn: its deadline holds while it waits. */
static void run_at_pace(struct rt_crew *crew, struct rt_call *call, void *worker)
{
	if (crew->pace == NULL) {
		rt_call_run(call, worker);
		return;
	}
	int64_t began_us = rt_pace_begin(crew->pace, call->deadline_us);
	rt_call_run(call, worker);
	rt_pace_end(crew->pace, began_us);
}

static void *work(void *argument)
{
	struct rt_crew *crew = argument;
	struct rt_server *server = crew->server;
	void *worker = server->worker_new != NULL ? server->worker_new(server->service) : NULL;
	for (struct rt_call *call = rt_queue_pop(crew->queue, RT_NO_DEADLINE); call != NULL;
	     call = rt_queue_pop(crew->queue, RT_NO_DEADLINE)) {
		rt_series_add(server->queue_length, -1);
		run_at_pace(crew, call, worker);
	}
	if (server->worker_destroy != NULL)
		server->worker_destroy(worker);
	return NULL;
}

static void name_thread(pthread_t thread, const char *role, size_t number)
{
	char name[32];
	snprintf(name, sizeof(name), "%.8s-%zu", role, number);
	name[15] = '\0'; /* longer names are refused */
	pthread_setname_np(thread, name);
}

static void start_crew(struct rt_crew *crew, const char *role)
{
	for (size_t i = 0; i < crew->count; i++) {
		int failed = pthread_create(&crew->threads[i], NULL, work, crew);
		RT_ASSERT(failed == 0);
		name_thread(crew->threads[i], role, i);
	}
}

static void start_threads(struct rt_server *server)
{
	start_crew(&server->crews[RT_CREW_WORKERS], "rt-worker");
	start_crew(&server->crews[RT_CREW_BULK], "rt-bulk");
	for (size_t i = 0; i < server->intake_count; i++) {
		int failed = pthread_create(&server->intakes[i].thread, NULL, serve_queue,
					    &server->intakes[i]);
		RT_ASSERT(failed == 0);
		name_thread(server->intakes[i].thread, "rt-intake", i);
	}
}

static void request_all(struct rt_server *server)
{
	for (size_t i = 0; i < server->intake_count; i++) {
		for (size_t j = 0; j < server->served_count; j++) {
			for (size_t k = 0; k < REQUESTED_PER_METHOD; k++)
				rt_intake_request(&server->intakes[i], &server->served[j]);
		}
		rt_intake_request(&server->intakes[i], &server->unknown);
	}
}

static const char *type_of(const struct rt_method *method)
{
	static const char *const types[] = {[RT_UNARY] = "unary",
					    [RT_UNARY_LARGE] = "unary",
					    [RT_SERVER_STREAM] = "server_stream",
					    [RT_BIDI_STREAM] = "bidi_stream"};
	return types[method->kind];
}

static void make_series(struct rt_served *served, const char *type, const char *service,
			const char *name)
{
	served->started = RT_SERIES(SERVER_STARTED, type, service, name);
	served->seconds = RT_SERIES(SERVER_SECONDS, type, service, name);
	served->shed = RT_SERIES(SERVER_SHED, service, name);
	for (int i = 0; i < RT_CODE_COUNT; i++)
		served->handled[i] = RT_SERIES(SERVER_HANDLED, type, service, name,
					       rt_code_name((enum rt_code)i));
}

static void serve_method(struct rt_server *server, const struct rt_method *method, bool internal)
{
	RT_ASSERT(method->callers != 0);
	RT_ASSERT(method->deadline_ms_max > 0);
	struct rt_served *served = &server->served[server->served_count++];
	served->method = method;
	served->internal = internal;
	int length = snprintf(served->path, sizeof(served->path), "/%s/%s", method->service,
			      method->name);
	RT_ASSERT(length > 0 && (size_t)length < sizeof(served->path));
	make_series(served, type_of(method), method->service, method->name);
	served->registered = grpc_server_register_method(
		server->grpc, served->path, NULL,
		reads_later(method) ? GRPC_SRM_PAYLOAD_NONE
				    : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER,
		0);
	RT_ASSERT(served->registered != NULL);
}

static void serve_methods(struct rt_server *server, const struct rt_server_config *config)
{
	size_t health_count = 0;
	size_t reflection_count = 0;
	const struct rt_method *health = rt_health_methods(&health_count);
	const struct rt_method *reflection = rt_reflection_methods(&reflection_count);
	server->served = calloc(config->method_count + health_count + reflection_count,
				sizeof(*server->served));
	RT_ASSERT(server->served != NULL);
	for (size_t i = 0; i < config->method_count; i++)
		serve_method(server, &config->methods[i], false);
	for (size_t i = 0; i < health_count; i++)
		serve_method(server, &health[i], true);
	for (size_t i = 0; i < reflection_count; i++)
		serve_method(server, &reflection[i], true);
	make_series(&server->unknown, "unary", "unknown", "unknown");
	server->health = rt_health_new(server);
	server->reflection = rt_reflection_new(server);
}

static void make_intakes(struct rt_server *server, size_t count)
{
	server->intake_count = count == 0 ? 1 : count;
	server->intakes = calloc(server->intake_count, sizeof(*server->intakes));
	RT_ASSERT(server->intakes != NULL);
	for (size_t i = 0; i < server->intake_count; i++) {
		struct rt_intake *intake = &server->intakes[i];
		intake->server = server;
		rt_lock_init(&intake->lock, RT_RANK_CLIENT);
		intake->queue = grpc_completion_queue_create_for_next(NULL);
		grpc_server_register_completion_queue(server->grpc, intake->queue, NULL);
	}
}

static void make_metrics(struct rt_server *server)
{
	server->in_flight = RT_SERIES(SERVER_IN_FLIGHT);
	server->queue_length = RT_SERIES(SERVER_QUEUE);
	server->denied_identity = RT_SERIES(SERVER_DENIED, "identity");
	server->denied_token = RT_SERIES(SERVER_DENIED, "token");
	server->denied_role = RT_SERIES(SERVER_DENIED, "role");
}

static void make_crew(struct rt_server *server, enum rt_crew_kind kind, size_t count,
		      size_t queue_max)
{
	struct rt_crew *crew = &server->crews[kind];
	crew->server = server;
	crew->count = count;
	crew->threads = calloc(count + 1, sizeof(*crew->threads));
	RT_ASSERT(crew->threads != NULL);
	crew->queue = rt_queue_new(queue_max);
}

static void make_crews(struct rt_server *server, const struct rt_server_config *config)
{
	size_t bulk = 0;
	for (size_t i = 0; i < config->method_count && bulk == 0; i++)
		bulk = config->methods[i].run == RT_RUN_BULK ? BULK_WORKERS : 0;
	make_crew(server, RT_CREW_WORKERS, (size_t)config->common->workers,
		  (size_t)config->common->queue_max);
	make_crew(server, RT_CREW_BULK, bulk,
		  (size_t)config->common->queue_max / BULK_QUEUE_PART + 1);
	server->crews[RT_CREW_BULK].pace = config->bulk_pace;
}

static struct rt_server *server_new(const struct rt_server_config *config)
{
	struct rt_server *server = calloc(1, sizeof(*server));
	RT_ASSERT(server != NULL);
	server->common = config->common;
	server->tokens = config->tokens;
	server->service = config->service;
	server->worker_new = config->worker_new;
	server->worker_destroy = config->worker_destroy;
	server->message_bytes_max =
		config->message_bytes_max != 0 ? config->message_bytes_max : (size_t)4 << 20;
	server->bytes_in_flight_max = config->bytes_in_flight_max != 0
					      ? config->bytes_in_flight_max
					      : 8 * server->message_bytes_max;
	server->arena_bytes_max =
		config->call_arena_bytes_max != 0 ? config->call_arena_bytes_max : (size_t)16 << 20;
	server->shutdown_tag.kind = RT_TAG_SHUTDOWN;
	make_crews(server, config);
	rt_large_init(&server->large);
	rt_lock_init(&server->streams.lock, RT_RANK_REGISTRY);
	make_metrics(server);
	return server;
}

static struct rt_status listen_on(struct rt_server *server, const struct rt_tls *tls)
{
	RT_TRY(rt_tls_files_new(tls, RT_TLS_SERVER, &server->certificates));
	grpc_server_credentials *credentials =
		rt_tls_server_credentials(rt_tls_files_provider(server->certificates));
	server->port =
		grpc_server_add_http2_port(server->grpc, server->common->listen, credentials);
	grpc_server_credentials_release(credentials);
	if (server->port == 0)
		return RT_FAIL(FAILED_PRECONDITION, "LISTEN_FAILED", "%s can't be listened on",
			       server->common->listen);
	return rt_ok();
}

struct rt_status rt_server_start(const struct rt_server_config *config, struct rt_server **result)
{
	struct rt_tls tls = rt_tls_from(config->common);
	rt_grpc_start();
	struct rt_server *server = server_new(config);
	server->grpc = rt_server_create_grpc(server->message_bytes_max, config->common->queue_max);
	make_intakes(server, config->completion_threads);
	serve_methods(server, config);
	struct rt_status status = listen_on(server, &tls);
	grpc_server_start(server->grpc);
	start_threads(server);
	if (!rt_is_ok(&status)) {
		rt_server_stop(server, 0);
		rt_server_destroy(server);
		return status;
	}
	request_all(server);
	RT_LOG(INFO, "listening", RT_TEXT("address", config->common->listen),
	       RT_INT("port", server->port));
	*result = server;
	return status;
}

int rt_server_port(const struct rt_server *server)
{
	return server->port;
}

void rt_server_set_serving(struct rt_server *server, bool serving)
{
	rt_health_set(server->health, serving);
}

#define STREAMS_AT_ONCE 64

static size_t leave_some(struct rt_intake *intake)
{
	struct rt_call *streams[STREAMS_AT_ONCE];
	size_t count = 0;
	rt_lock_take(&intake->lock);
	for (struct rt_call *call = intake->active; call != NULL && count < STREAMS_AT_ONCE;
	     call = call->next) {
		bool due = rt_call_is_stream(call) && !atomic_exchange(&call->asked_to_leave, true);
		if (due && rt_call_try_hold(call))
			streams[count++] = call;
	}
	rt_lock_give(&intake->lock);
	for (size_t i = 0; i < count; i++) {
		rt_stream_leave(streams[i]);
		rt_call_drop(streams[i]);
	}
	return count;
}

/* Streams that would go on for ever are asked to end. */
static void leave_streams(struct rt_server *server)
{
	for (size_t i = 0; i < server->intake_count; i++) {
		while (leave_some(&server->intakes[i]) == STREAMS_AT_ONCE)
			;
	}
}

static size_t count_calls(struct rt_server *server)
{
	size_t count = 0;
	for (size_t i = 0; i < server->intake_count; i++) {
		rt_lock_take(&server->intakes[i].lock);
		count += atomic_load(&server->intakes[i].active_count);
		rt_lock_give(&server->intakes[i].lock);
	}
	return count;
}

/* True when no connection and no call is left. */
static bool wait_until_empty(struct rt_server *server, int64_t deadline_us)
{
	while (!atomic_load(&server->shutdown_seen) || count_calls(server) > 0) {
		if (rt_clock_mono_us() >= deadline_us)
			return false;
		rt_clock_sleep_us(STOP_POLL_US);
	}
	return true;
}

static void join_crew(struct rt_crew *crew)
{
	rt_queue_close(crew->queue);
	for (size_t i = 0; i < crew->count; i++)
		pthread_join(crew->threads[i], NULL);
}

static void join_threads(struct rt_server *server)
{
	for (size_t i = 0; i < RT_CREW_COUNT; i++)
		join_crew(&server->crews[i]);
	for (size_t i = 0; i < server->intake_count; i++)
		grpc_completion_queue_shutdown(server->intakes[i].queue);
	for (size_t i = 0; i < server->intake_count; i++)
		pthread_join(server->intakes[i].thread, NULL);
}

void rt_server_stop(struct rt_server *server, int64_t deadline_mono_us)
{
	rt_health_set(server->health, false);
	atomic_store(&server->phase, RT_SERVER_DRAINING);
	grpc_server_shutdown_and_notify(server->grpc, server->intakes[0].queue,
					&server->shutdown_tag);
	leave_streams(server);
	if (!wait_until_empty(server, deadline_mono_us)) {
		RT_LOG(WARN, "drain_cut", RT_INT("calls", (int64_t)count_calls(server)));
		atomic_store(&server->phase, RT_SERVER_CANCELLING);
		grpc_server_cancel_all_calls(server->grpc);
		server->abandoned = !wait_until_empty(server, rt_clock_mono_us() + ABANDON_US);
	}
	if (server->abandoned)
		RT_LOG(ERROR, "calls_abandoned", RT_INT("calls", (int64_t)count_calls(server)));
	else
		join_threads(server);
}

static void destroy_intake(struct rt_intake *intake)
{
	grpc_completion_queue_destroy(intake->queue);
	RT_ASSERT(intake->active == NULL);
	for (struct rt_call *call = intake->idle; call != NULL;) {
		struct rt_call *next = call->next;
		free_call(call);
		call = next;
	}
	rt_lock_deinit(&intake->lock);
}

void rt_server_destroy(struct rt_server *server)
{
	if (server == NULL ||
	    server->abandoned) /* a handler still has a call: its memory must stay */
		return;
	grpc_server_destroy(server->grpc);
	rt_tls_files_destroy(server->certificates);
	for (size_t i = 0; i < server->intake_count; i++)
		destroy_intake(&server->intakes[i]);
	free(server->intakes);
	rt_health_destroy(server->health);
	rt_reflection_destroy(server->reflection);
	for (size_t i = 0; i < RT_CREW_COUNT; i++) {
		rt_queue_destroy(server->crews[i].queue);
		free(server->crews[i].threads);
	}
	free(server->served);
	free(server);
	rt_grpc_stop();
}
