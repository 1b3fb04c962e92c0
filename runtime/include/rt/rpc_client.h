/* gRPC channels to other services, over mutual TLS, the server's SPIFFE identity verified. Deadline
 * and trace context are handed on. For a service's client/ and for tools. */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "rt/arena.h"
#include "rt/identity.h"
#include "rt/status.h"
#include "rt/tls.h"
#include "rt/trace.h"

struct rt_client;  /* completion queue and thread, shared by the channels of a process */
struct rt_channel; /* to one target */

/* A method of another service. */
struct rt_remote {
	const char *service; /* "daler.accounts.v1.AccountsService" */
	const char *name;    /* "Post" */
	const ProtobufCMessageDescriptor *reply;
	bool repeatable; /* safe to repeat: idempotent by an id in its request, or a read */
	/* What its caller tells errors apart by; ends with NULL; NULL: nothing. A reason that is
	 * not named here may arrive as REMOTE_ERROR, when peers have made up too many. */
	const char *const *reasons;
};

struct rt_status rt_client_new(const struct rt_tls *tls, struct rt_client **client);
/* Cancels what is in flight and waits for it. Channels must be destroyed afterwards, not before. */
void rt_client_stop(struct rt_client *client);
void rt_client_destroy(struct rt_client *client);

/* `address` is host:port, or any gRPC target; `expected` is the identity that the server must
 * prove. */
struct rt_status rt_channel_new(struct rt_client *client, const char *address,
				enum rt_identity expected, struct rt_channel **channel);
void rt_channel_destroy(struct rt_channel *channel);

struct rt_call_options {
	int64_t deadline_mono_us;
	const struct rt_trace *trace; /* the caller's span; NULL begins a new trace */
	const char *bearer;           /* token, or NULL */
	bool repeat;         /* of a call that was not answered; see rt_channel_may_repeat */
	bool wait_for_ready; /* wait for the connection instead of failing at once */
};

/* One call, waited for. A repeatable method is tried again with jittered backoff while that can
 * help and the deadline allows. Owns: *reply is in `arena`. Errors: the remote's status with its
 * reason, field and detail; UNAVAILABLE BREAKER_OPEN at once while the target is known to be down;
 * UNAVAILABLE when it was certainly not processed; OUTCOME_UNKNOWN when a deadline or a broken
 * connection leaves open whether it was. Thread: any. */
struct rt_status rt_channel_call(struct rt_channel *channel, const struct rt_remote *remote,
				 const ProtobufCMessage *request,
				 const struct rt_call_options *options, struct rt_arena *arena,
				 const ProtobufCMessage **reply);

/* One message of a stream: on the client's thread. Lent. */
typedef void (*rt_call_message)(void *context, const ProtobufCMessage *message);
/* One call of a method that streams its replies, waited for to its end; never tried again. Errors:
 * as rt_channel_call's; the messages that came before it stand. Thread: any. */
struct rt_status rt_channel_stream(struct rt_channel *channel, const struct rt_remote *remote,
				   const ProtobufCMessage *request,
				   const struct rt_call_options *options, rt_call_message message,
				   void *context);

/* The end of a started call: on the client's thread, which it must not block. The reply is lent;
 * NULL unless OK. */
typedef void (*rt_call_done)(void *context, struct rt_status status, const ProtobufCMessage *reply);
/* One attempt, not waited for; `done` is called exactly once, perhaps before this returns. */
void rt_channel_start(struct rt_channel *channel, const struct rt_remote *remote,
		      const ProtobufCMessage *request, const struct rt_call_options *options,
		      rt_call_done done, void *context);

/* What follows the message that rt_exchange_next gives. */
enum rt_exchange_then {
	RT_EXCHANGE_WAIT, /* nothing yet: ask again when a reply has come */
	RT_EXCHANGE_MORE, /* another one, at once */
	RT_EXCHANGE_END,  /* nothing any more */
};
/* The next request of a call that streams both ways; NULL: none now. It is packed before the next
 * thing is asked. Thread: the client's, as for all of one exchange. */
typedef const ProtobufCMessage *(*rt_exchange_next)(void *context, enum rt_exchange_then *then);
/* One call that streams both ways, not waited for: requests are asked for whenever one can be sent,
 * `message` gets each reply, and `done`, once, the end, without a reply. */
void rt_channel_exchange(struct rt_channel *channel, const struct rt_remote *remote,
			 const struct rt_call_options *options, rt_exchange_next next,
			 rt_call_message message, rt_call_done done, void *context);

/* How many repeats the target is sent: `percent` of the first attempts, and `per_s` a second
 * besides; 20 and 10 unless this is called. Before the first call. */
void rt_channel_set_retries(struct rt_channel *channel, int64_t percent, int64_t per_s);
/* Whether what was started and not answered may be started once more, with `repeat` in its options:
 * takes a token from the target's budget, which comes back when the call is answered, or not sent.
 * Else there is one after *wait_us at the latest: it is to be put off, not given up. */
bool rt_channel_may_repeat(struct rt_channel *channel, int64_t *wait_us);
/* `recovered` is called, on the client's thread and without locks, whenever the target is reached
 * again for which calls were refused at once. Before the first call. */
void rt_channel_on_recovery(struct rt_channel *channel, void (*recovered)(void *context),
			    void *context);

/* Whether the target serves: asked by grpc.health.v1, connected before when it is not. One that
 * does not know the question is there. For readiness. */
struct rt_status rt_channel_check(struct rt_channel *channel, int64_t deadline_mono_us);
/* The same of up to 8, asked at once; one answer each. */
void rt_channels_check(struct rt_channel *const *channels, size_t count, int64_t deadline_mono_us,
		       struct rt_status *answers);
