/* What the files of the server share. For runtime/rpc alone.
 *
 * A call's life: a struct rt_call waits in gRPC until a call of its method arrives (server.c), is
 * admitted (server_admission.c), runs inline or on a worker, and is answered (server_call.c,
 * server_stream.c). It is counted by references: one is the owner's, who must call rt_call_end; one
 * is for each batch that gRPC still works on. The last one puts it back among the idle ones. */
#pragma once

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdatomic.h>

#include "rpc/admission.h"
#include "rpc/byte_buffer.h"
#include "rpc/server_share.h"
#include "rt/config.h"
#include "rt/lock.h"
#include "rt/metrics.h"
#include "rt/queue.h"
#include "rt/rpc_server.h"

#define RT_CODE_COUNT       (RT_OUTCOME_UNKNOWN + 1)

/* Messages of one stream that wait to be sent. */
#define RT_STREAM_QUEUE_MAX 64

enum rt_tag_kind {
	RT_TAG_ARRIVED,  /* a call has come in */
	RT_TAG_CLOSED,   /* the call is over: answered, or the caller has gone */
	RT_TAG_ANSWERED, /* the final batch is done */
	RT_TAG_SENT,     /* one message of a stream is sent */
	RT_TAG_RECEIVED, /* one message of a bidirectional stream, or its half-close; a large
			    message of a unary call */
	RT_TAG_ENDED,    /* calls have been ended by other threads: their answers are to be sent */
	RT_TAG_COUNT,
	RT_TAG_SHUTDOWN, /* the server's own: no connection is left */
};

struct rt_tag {
	enum rt_tag_kind kind;
	struct rt_call *call; /* of RT_TAG_SHUTDOWN: NULL */
};

/* A method as it is served. */
struct rt_served {
	const struct rt_method *method;
	void *registered;
	bool internal; /* health and reflection: not counted as load */
	char path[192];
	struct rt_series *started;
	struct rt_series *seconds;
	struct rt_series *shed;
	struct rt_series *handled[RT_CODE_COUNT];
};

/* A completion queue, its thread, and the calls bound to it. */
struct rt_intake {
	struct rt_server *server;
	grpc_completion_queue *queue;
	pthread_t thread;
	_Atomic(struct rt_call *) ended; /* by other threads; the latest first */
	struct rt_lock lock;             /* guards what follows */
	struct rt_call *idle;
	struct rt_call *active; /* those that have arrived and are not idle yet */
	_Atomic size_t active_count;
};

enum rt_server_phase {
	RT_SERVER_SERVING,
	RT_SERVER_DRAINING,   /* new calls are refused */
	RT_SERVER_CANCELLING, /* nothing more is begun */
};

/* Calls of one identity with large messages: who waits for a turn to be read, the longest first. */
struct rt_turns {
	size_t reading;
	size_t bytes; /* of those that were read and are not answered yet */
	struct rt_call *first, **last;
};

struct rt_large {
	struct rt_lock lock;
	struct rt_turns turns[RT_ID_COUNT];
};

#define RT_STREAM_BUCKETS 256

/* Streams by who has them open; see server_streams.c. */
struct rt_streams {
	struct rt_lock lock;
	struct rt_stream_caller *callers[RT_STREAM_BUCKETS];
};

/* Threads that carry out calls, each with what worker_new made, and what waits for them. */
struct rt_crew {
	struct rt_server *server;
	struct rt_queue *queue;
	struct rt_pace *pace; /* NULL: gives way to nothing */
	pthread_t *threads;
	size_t count;
};

enum rt_crew_kind { RT_CREW_WORKERS, RT_CREW_BULK, RT_CREW_COUNT };

struct rt_health;
struct rt_reflection;

struct rt_server {
	const struct rt_common_config *common;
	const struct rt_token_verifier *tokens;
	void *service;
	void *(*worker_new)(void *service);
	void (*worker_destroy)(void *worker);
	size_t message_bytes_max;
	size_t bytes_in_flight_max;
	size_t arena_bytes_max;

	grpc_server *grpc;
	struct rt_tls_files *certificates;
	int port;
	struct rt_served *served;
	size_t served_count;
	struct rt_served unknown; /* whatever no method is registered for */
	struct rt_intake *intakes;
	size_t intake_count;
	struct rt_crew crews[RT_CREW_COUNT];

	_Atomic enum rt_server_phase phase;
	struct rt_share load;  /* calls that count towards queue_max */
	struct rt_share bytes; /* of the messages of calls in flight */
	struct rt_large large;
	struct rt_streams streams;
	struct rt_tag shutdown_tag;
	atomic_bool shutdown_seen; /* no connection is left */
	bool abandoned;

	struct rt_health *health;
	struct rt_reflection *reflection;
	struct rt_series *in_flight;
	struct rt_series *queue_length;
	struct rt_series *denied_identity;
	struct rt_series *denied_token;
	struct rt_series *denied_role;
};

/* What a stream needs besides; guarded by `lock`. */
struct rt_stream {
	struct rt_lock lock;
	grpc_byte_buffer *waiting[RT_STREAM_QUEUE_MAX];
	size_t waiting_first;
	size_t waiting_count;
	grpc_byte_buffer *received;
	bool sending; /* a batch with a message is under way */
	bool metadata_sent;
	bool reading_later; /* the next message is read when what was said is on its way */
	bool closed;        /* no further message is read: half-closed, broken or ended */
	bool ending;        /* rt_call_end was called: the status goes out after the last message */
	bool left;          /* the caller has gone, or the server drains */
	void (*leave)(struct rt_call *call, void *context);
	void *leave_context;
	void (*sent)(struct rt_call *call, void *context);
	void *sent_context;
	struct rt_status status;
};

struct rt_call {
	struct rt_server *server;
	struct rt_intake *intake;
	struct rt_served *served;
	struct rt_call *next; /* idle or active */
	struct rt_call *previous;
	grpc_call *grpc;
	gpr_timespec grpc_deadline;
	grpc_call_details details; /* of unknown methods */
	grpc_metadata_array metadata;
	grpc_byte_buffer *payload;
	struct rt_tag tags[RT_TAG_COUNT];
	_Atomic int references;
	atomic_bool answered; /* the outcome is decided, logged and on its way */
	atomic_bool cancelled;
	atomic_bool asked_to_leave;
	int closed_early; /* gRPC's: the caller has gone, or its deadline has passed */
	bool loaded;      /* counted in the server's load, until it is ended */
	bool has_place;   /* a stream: counted among its caller's, until it is ended */
	size_t bytes;     /* of its message, counted in the server's until nothing of it is left */
	_Atomic int64_t reading_since_us; /* its large message; 0: not now */
	struct rt_call *waiting_next;     /* for its turn to read */
	int64_t arrived_us;
	int64_t deadline_us;
	bool ends_with_token; /* a stream: its deadline is its token's end */
	bool given_up;        /* it was late and has been cancelled; its handler may not know */
	struct rt_trace trace;
	struct rt_caller caller;
	struct rt_peer peer;
	bool caller_known;
	struct rt_arena arena;
	const ProtobufCMessage *request;
	void *worker;
	struct rt_call *ended_next; /* in the intake's list of those that other threads ended */
	struct rt_status outcome;   /* what it was ended with, and the packed reply */
	grpc_byte_buffer *reply;
	struct rt_pieces *pieces; /* of the reply, packed before the end */
	void *context;            /* the handler's own */
	void (*context_destroy)(void *context);
	struct rt_stream stream;
};

/* server_admission.c: fills caller, trace and deadline from what came with the call; says whether
 * it may go on. */
struct rt_status rt_call_admit(struct rt_call *call);

/* server_streams.c. Errors: RESOURCE_EXHAUSTED TOO_MANY_STREAMS. */
struct rt_status rt_admit_stream(struct rt_call *call);
void rt_give_back_stream(struct rt_call *call);

/* server_call.c */
void rt_call_arrived(struct rt_call *call); /* on an intake's thread */
void rt_call_run(struct rt_call *call,
		 void *worker); /* the handler's turn: checks deadline, unpacks, runs */
void rt_call_event(struct rt_tag *tag, bool success);
void rt_call_answer(struct rt_call *call, struct rt_status status);
/* Starts a batch, which keeps a reference until its event. */
void rt_call_batch(struct rt_call *call, const grpc_op *ops, size_t count, enum rt_tag_kind kind);
void rt_call_hold(struct rt_call *call);
/* The same, for who has found the call in a list: false when it is on its way to the idle ones. */
bool rt_call_try_hold(struct rt_call *call);
void rt_call_drop(struct rt_call *call);
/* Answers or cancels those whose deadline has passed though a handler still has them, and cancels
 * those whose answer nobody reads. */
void rt_intake_expire(struct rt_intake *intake, int64_t now_us);

/* Sends the answers of the calls that other threads have ended. On the intake's thread. */
void rt_intake_send_ended(struct rt_intake *intake);

/* server_bytes.c: whether there is room for a message of the call; counts the call as shed when
 * there is none. */
struct rt_status rt_admit_bytes(struct rt_call *call, grpc_byte_buffer **message);
void rt_give_back_bytes(struct rt_call *call);
/* RESOURCE_EXHAUSTED, and when to try again; `what` there is too much of. */
struct rt_status rt_shed(struct rt_call *call, const char *what);
/* Reads the message of an RT_UNARY_LARGE call when its turn has come, and lets it run. */
void rt_large_init(struct rt_large *large);
void rt_large_arrived(struct rt_call *call);
void rt_large_received(struct rt_call *call, bool success);
/* Its answer is with gRPC: it keeps nobody else from their turn. */
void rt_large_finished(struct rt_call *call);
/* Whether its message takes too long to come. */
bool rt_large_is_slow(const struct rt_call *call, int64_t now_us);

/* server_stream.c */
void rt_stream_init(struct rt_call *call);
bool rt_call_is_stream(const struct rt_call *call);
void rt_stream_receive(struct rt_call *call); /* asks for the next message */
void rt_stream_received(struct rt_call *call, bool success);
void rt_stream_sent(struct rt_call *call, bool success);
void rt_stream_end(struct rt_call *call, struct rt_status status);
void rt_stream_leave(struct rt_call *call);
/* What a stream ends with that has outlived its token. */
struct rt_status rt_stream_token_expired(void);
/* Ends it whatever its handler is at, which hears of it as if the caller had gone. False when it
 * had to be cancelled, because an answer was on its way. */
bool rt_stream_break(struct rt_call *call, struct rt_status status);
void rt_stream_clear(struct rt_call *call);

/* server.c: an idle call waits for the next one of its method. */
void rt_intake_request(struct rt_intake *intake, struct rt_served *served);
void rt_intake_add_active(struct rt_call *call);
void rt_intake_put_idle(struct rt_call *call);
/* Runs it inline or queues it for a worker; refuses it when too many reads of many rows wait. */
void rt_server_dispatch(struct rt_call *call);
