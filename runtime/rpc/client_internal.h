/* What the files of the client share. For runtime/rpc alone. */
#pragma once

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdatomic.h>

#include "rpc/breaker.h"
#include "rpc/retry_budget.h"
#include "rt/lock.h"
#include "rt/metrics.h"
#include "rt/rpc_client.h"

#define RT_CODE_COUNT  (RT_OUTCOME_UNKNOWN + 1)
#define RT_REMOTES_MAX 64

struct rt_attempt;

struct rt_client {
	char *trust_domain;
	struct rt_tls_files *certificates;
	grpc_completion_queue *queue;
	pthread_t thread;
	struct rt_lock lock; /* guards the rest */
	pthread_cond_t changed;
	bool stopping;
	bool resting;                /* its thread waits for something to be in flight */
	struct rt_attempt *attempts; /* in flight */
};

/* A method as it is called over one channel; made when it is first called. */
struct rt_known_remote {
	char service[96];
	char name[64];
	char path[192];
	void *registered;
	struct rt_series *started;
	struct rt_series *seconds;
	struct rt_series *handled[RT_CODE_COUNT];
};

struct rt_channel {
	struct rt_client *client;
	enum rt_identity expected;
	grpc_channel *grpc;
	struct rt_series *breaker_open;
	struct rt_series *retries;
	struct rt_series *tokens;
	void (*recovered)(void *context); /* NULL: nobody wants to know */
	void *recovered_context;
	struct rt_lock lock; /* guards the rest */
	struct rt_breaker breaker;
	struct rt_retry_budget budget;
	struct rt_known_remote *remotes[RT_REMOTES_MAX];
	size_t remote_count;
};

/* client.c: under the client's lock, when something has been put in flight. */
void rt_client_busy(struct rt_client *client);

/* Called on the client's thread, or at once when the attempt can't be made; `payload` is lent and
 * NULL unless OK. */
typedef void (*rt_attempt_done)(void *context, struct rt_status status, grpc_byte_buffer *payload);
/* One message of a stream; lent. */
typedef void (*rt_attempt_message)(void *context, grpc_byte_buffer *payload);

/* attempt.c: makes one attempt. */
void rt_attempt_start(struct rt_channel *channel, const struct rt_remote *remote,
		      const ProtobufCMessage *request, const struct rt_call_options *options,
		      rt_attempt_done done, void *context);
/* The same of a method that streams its replies: `done` has no payload. */
void rt_attempt_stream(struct rt_channel *channel, const struct rt_remote *remote,
		       const ProtobufCMessage *request, const struct rt_call_options *options,
		       rt_attempt_message message, rt_attempt_done done, void *context);
/* The same of a method that streams both ways. */
void rt_attempt_exchange(struct rt_channel *channel, const struct rt_remote *remote,
			 const struct rt_call_options *options, rt_exchange_next next,
			 rt_attempt_message message, rt_attempt_done done, void *context);
/* On the client's thread. */
struct rt_client_tag;
void rt_attempt_event(struct rt_attempt *attempt);
void rt_attempt_message_event(struct rt_client_tag *tag);
void rt_attempt_sent_event(struct rt_client_tag *tag);
/* Under the client's lock. */
void rt_attempts_cancel(struct rt_client *client);

/* What a completion queue of a client gives back. */
enum rt_client_tag_kind { RT_CLIENT_ATTEMPT, RT_CLIENT_MESSAGE, RT_CLIENT_SENT };
struct rt_client_tag {
	enum rt_client_tag_kind kind;
};

/* channel.c */
/* An attempt is made; a repeat was answered, or not sent. With the channel's lock. */
void rt_channel_admitted(struct rt_channel *channel, bool repeat);
void rt_channel_give_back(struct rt_channel *channel);
const struct rt_known_remote *rt_channel_remote(struct rt_channel *channel,
						const struct rt_remote *remote);
