/* The gRPC server: calls from a table of methods, over mutual TLS, to handlers. For a service's
 * main.c and rpc/.
 *
 * A call is taken in by a completion-queue thread, which verifies identity, role, size, load and
 * deadline before anything is unpacked. A handler runs there (RT_RUN_INLINE: it must never block,
 * e.g. it queues into group commit) or on a worker (RT_RUN_WORKER, RT_RUN_BULK), which owns what
 * worker_new made, e.g. a database connection. Each call is ended exactly once, by rt_call_end,
 * from any thread, then or later; afterwards it must not be touched. */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/admin_http.h"
#include "rt/arena.h"
#include "rt/identity.h"
#include "rt/status.h"
#include "rt/tls.h"
#include "rt/trace.h"

struct rt_call;
struct rt_server;
struct rt_token_verifier;
struct rt_pace;

/* RT_UNARY_LARGE: unary, for requests of megabytes; they are read when the caller is known, and few
 * at a time. */
enum rt_method_kind { RT_UNARY, RT_UNARY_LARGE, RT_SERVER_STREAM, RT_BIDI_STREAM };
/* RT_RUN_BULK: for reads of many rows; on workers apart, which give way to other work. */
enum rt_method_run { RT_RUN_INLINE, RT_RUN_WORKER, RT_RUN_BULK };

/* Unary and server stream: called once, with the request. Bidirectional: called for each message,
 * one at a time, in order, the next one when the handler has called rt_call_next, and once with a
 * NULL request when the caller has half-closed. */
typedef void (*rt_handler)(struct rt_call *call);

struct rt_method {
	const char *service; /* "daler.accounts.v1.AccountsService" */
	const char *name;    /* "Post" */
	enum rt_method_kind kind;
	enum rt_method_run run;
	const ProtobufCMessageDescriptor *request;
	const ProtobufCMessageDescriptor *reply;
	rt_handler handler;
	uint64_t callers;        /* RT_ALLOW(...) | ...; 0 does not compile */
	int64_t deadline_ms_max; /* a call without a deadline gets this one, a longer one is cut; 0
				  * does not compile; for streams RT_STREAM_FOREVER means none */
};
#define RT_STREAM_FOREVER INT64_MAX

/* A row of a service's methods.def, METHOD(service, method, KIND, RUN, RequestPrefix, ReplyPrefix,
 * handler, callers, deadline_ms_max), is made into a struct rt_method by RT_METHOD, and checked by
 * RT_METHOD_CHECK. The prefixes are those of protobuf-c's descriptors:
 * daler__auth__v1__log_in_request. Handlers are named after their methods, auth_log_in: by that,
 * RT_SERVICE_CHECK finds that each method of a contract has one row. */
#define RT_METHOD(service_name, method, method_kind, method_run, request_prefix, reply_prefix,     \
		  function, who, limit_ms)                                                         \
	{.service = (service_name),                                                                \
	 .name = #method,                                                                          \
	 .kind = RT_##method_kind,                                                                 \
	 .run = RT_RUN_##method_run,                                                               \
	 .request = &request_prefix##__descriptor,                                                 \
	 .reply = &reply_prefix##__descriptor,                                                     \
	 .handler = (function),                                                                    \
	 .callers = (who),                                                                         \
	 .deadline_ms_max = (limit_ms)},
#define RT_METHOD_CHECK(service_name, method, method_kind, method_run, request_prefix,             \
			reply_prefix, function, who, limit_ms)                                     \
	_Static_assert((who) != 0, #method ": no caller is named");                                \
	_Static_assert((limit_ms) > 0, #method ": no deadline is named");                          \
	_Static_assert(_Generic((function), rt_handler : 1, default : 0),                          \
		       #method ": no handler is named");                                           \
	__attribute__((unused)) static void *const row_of_##function = NULL;
/* protobuf-c's type of the service, and the macro with which it is initialised, by a list of all
 * methods. Behind the rows' checks. */
#define RT_SERVICE_CHECK(service_type, service_init, handler_prefix)                               \
	__attribute__((unused)) static inline size_t service_type##_has_its_rows(void)             \
	{                                                                                          \
		return sizeof((service_type)service_init(row_of_##handler_prefix));                \
	}

struct rt_server_config {
	const struct rt_common_config *common;
	const struct rt_method *methods;
	size_t method_count;
	const struct rt_token_verifier *tokens; /* NULL: no method asks for a role */
	void *service;                          /* for rt_call_service */
	void *(*worker_new)(void *service);     /* NULL: none; called on each worker's own thread */
	void (*worker_destroy)(void *worker);
	struct rt_pace *bulk_pace;   /* for RT_RUN_BULK; NULL: they give way to nothing */
	size_t completion_threads;   /* 0 means 1 */
	size_t message_bytes_max;    /* 0 means 4 MiB */
	size_t bytes_in_flight_max;  /* of requests, together; more are refused with
					RESOURCE_EXHAUSTED; 0 means 8 of the largest */
	size_t call_arena_bytes_max; /* for the unpacked request and what the handler makes of it; 0
					means 16 MiB */
};

/* Starts to listen and serve. Errors: FAILED_PRECONDITION TLS_UNREADABLE, TLS_UNTRUSTED,
 * TLS_IDENTITY, LISTEN_FAILED. */
struct rt_status rt_server_start(const struct rt_server_config *config, struct rt_server **server);
/* The port it listens on (for port 0). */
int rt_server_port(const struct rt_server *server);
/* What grpc.health.v1 says of every service, and its Watch callers hear. */
void rt_server_set_serving(struct rt_server *server, bool serving);
/* Says NOT_SERVING, refuses new calls, lets those in flight finish until the deadline, cancels the
 * rest, and returns when all threads have ended. */
void rt_server_stop(struct rt_server *server, int64_t deadline_mono_us);
void rt_server_destroy(struct rt_server *server);

void *rt_call_service(const struct rt_call *call);
void *rt_call_worker(const struct rt_call *call); /* what worker_new made; NULL inline */
/* The unpacked request, in the call's arena; NULL at the half-close of a bidirectional call. */
const ProtobufCMessage *rt_call_request(const struct rt_call *call);
struct rt_arena *rt_call_arena(struct rt_call *call);
/* A message that came as bytes in a field of the request, with the checks that a request has; in
 * the call's arena. Errors: INVALID_ARGUMENT MALFORMED_MESSAGE, INVALID_TEXT; RESOURCE_EXHAUSTED.
 */
struct rt_status rt_call_unpack(struct rt_call *call, const ProtobufCMessageDescriptor *descriptor,
				const ProtobufCBinaryData *bytes, const ProtobufCMessage **message);
const struct rt_caller *rt_call_caller(const struct rt_call *call);
int64_t rt_call_deadline_us(const struct rt_call *call); /* monotonic */
const struct rt_trace *rt_call_trace(const struct rt_call *call);
bool rt_call_cancelled(const struct rt_call *call);

/* Ends the call: with the reply when the status is OK (streams: NULL), else with the status and its
 * details. The reply is packed before this returns. */
void rt_call_end(struct rt_call *call, struct rt_status status, const ProtobufCMessage *reply);
/* Streams, in the handler: from now on it only waits for what there will be to send, for as long as
 * its caller likes, and takes no place among the calls in flight; whoever keeps it bounds how many
 * there are. */
void rt_call_linger(struct rt_call *call);
/* Unary: packs a part of the reply at once, so that a large reply need not be in memory as a
 * message and as bytes. Parts, and the reply that the call is ended with, are one message as
 * protobuf merges them: elements of a repeated field follow each other. */
void rt_call_add(struct rt_call *call, const ProtobufCMessage *part);
/* Streams: packs and queues one message. Errors: RESOURCE_EXHAUSTED SLOW_CALLER when too many wait,
 * CANCELLED. */
struct rt_status rt_call_send(struct rt_call *call, const ProtobufCMessage *message);
/* Bidirectional: the handler is done with this message; frees what the arena held for it and reads
 * the next. Thread: any, for who answers later, but one at a time: not again before the handler has
 * had that message. */
void rt_call_next(struct rt_call *call);
/* Bidirectional, for a handler that reads on before it has answered: takes the message from the
 * call, with all memory of its arena and its part of the bytes in flight. Owns: the caller, until
 * rt_call_drop_message, which may come from any thread while the call is there. */
struct rt_taken {
	struct rt_arena arena;
	size_t bytes; /* as they came */
};
void rt_call_take_message(struct rt_call *call, struct rt_taken *taken);
void rt_call_drop_message(struct rt_call *call, struct rt_taken *taken);
/* Streams: for how many messages there is room now; after the end for any, which rt_call_send
 * refuses. */
size_t rt_call_send_room(struct rt_call *call);
/* Streams: called whenever a message has gone out, on a completion thread, until the call is ended;
 * so there is room. */
void rt_call_on_sent(struct rt_call *call, void (*sent)(struct rt_call *call, void *context),
		     void *context);
/* Something of the handler's that lives as long as the call, to be found by rt_call_context at its
 * next message; once. `destroy` gets it when nothing can touch the call any more. */
void rt_call_set_context(struct rt_call *call, void *context, void (*destroy)(void *context));
void *rt_call_context(const struct rt_call *call); /* NULL: none was set */
/* Long-lived streams: called once, from any thread, when the caller has gone or the server drains;
 * the call must still be ended. Called at once when that was so already. */
void rt_call_on_leave(struct rt_call *call, void (*leave)(struct rt_call *call, void *context),
		      void *context);
