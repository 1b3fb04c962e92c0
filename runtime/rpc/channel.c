/* Channels: their gRPC arguments, and calls that are waited for. */
#include <grpc/compression.h>
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/byte_buffer.h"
#include "rpc/client_internal.h"
#include "rpc/client_reasons.h"
#include "rpc/handoff.h"
#include "rpc/keepalive.h"
#include "rpc/tls_credentials.h"
#include "rpc/tls_files.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/id.h"

#define REPLY_BYTES_MAX       ((size_t)16 * 1024 * 1024)
#define REPLY_ARENA_BYTES_MAX ((size_t)64 << 20)
#define ATTEMPTS_MAX          5
/* The budget of repeats of who sets none. */
#define RETRY_PERCENT         20
#define RETRY_PER_S           10

static char *mutable_text(const char *text)
{
	union {
		const char *constant;
		char *plain; /* gRPC doesn't write to it */
	} pun = {.constant = text};
	return pun.plain;
}

static grpc_arg integer(const char *key, int value)
{
	return (grpc_arg){
		.type = GRPC_ARG_INTEGER, .key = mutable_text(key), .value.integer = value};
}

static grpc_channel *create_grpc(const char *address, grpc_channel_credentials *credentials)
{
	/* A name that is asked for as dns:/// stands for several replicas: calls go to them in
	 * turn. */
	const char *policy = strncmp(address, "dns:", 4) == 0 ? "round_robin" : "pick_first";
	grpc_arg args[] = {
		integer(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, REPLY_BYTES_MAX),
		/* That limit is looked at when a message has been decompressed. */
		integer(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
		integer(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
			1 << GRPC_COMPRESS_NONE),
		integer(GRPC_ARG_KEEPALIVE_TIME_MS, RT_KEEPALIVE_CLIENT_MS),
		integer(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, RT_KEEPALIVE_TIMEOUT_MS),
		integer(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
		integer(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
		integer(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100),
		integer(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
			2000), /* the time for one try, with its handshake */
		integer(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000),
		integer(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000),
		integer(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1),
		integer(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
		integer(GRPC_ARG_ENABLE_CHANNELZ, 0),
		/* We repeat calls ourselves, by a budget and only what may be repeated. gRPC's own
		 * machinery for it would keep a copy of each message, and never be used. */
		integer(GRPC_ARG_ENABLE_RETRIES, 0),
		integer(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0),
		{.type = GRPC_ARG_STRING,
		 .key = mutable_text(GRPC_ARG_LB_POLICY_NAME),
		 .value.string = mutable_text(policy)},
	};
	grpc_channel_args all = {sizeof(args) / sizeof(args[0]), args};
	return grpc_channel_create(address, credentials, &all);
}

struct rt_status rt_channel_new(struct rt_client *client, const char *address,
				enum rt_identity expected, struct rt_channel **result)
{
	if (address == NULL || address[0] == '\0')
		return RT_FAIL(INVALID_ARGUMENT, "INVALID_SETTING", "no address of %s is set",
			       rt_identity_name(expected));
	struct rt_channel *channel = calloc(1, sizeof(*channel));
	RT_ASSERT(channel != NULL);
	channel->client = client;
	channel->expected = expected;
	rt_lock_init(&channel->lock, RT_RANK_CLIENT);
	grpc_channel_credentials *credentials = rt_tls_channel_credentials(
		rt_tls_files_provider(client->certificates), client->trust_domain, expected);
	channel->grpc = create_grpc(address, credentials);
	grpc_channel_credentials_release(credentials);
	const char *name = rt_identity_name(expected);
	channel->breaker_open = RT_SERIES(CLIENT_BREAKER, name);
	channel->retries = RT_SERIES(CLIENT_RETRIES, name);
	channel->tokens = RT_SERIES(CLIENT_RETRY_BUDGET, name);
	rt_channel_set_retries(channel, RETRY_PERCENT, RETRY_PER_S);
	*result = channel;
	return rt_ok();
}

void rt_channel_destroy(struct rt_channel *channel)
{
	if (channel == NULL)
		return;
	grpc_channel_destroy(channel->grpc);
	for (size_t i = 0; i < channel->remote_count; i++)
		free(channel->remotes[i]);
	rt_lock_deinit(&channel->lock);
	free(channel);
}

static struct rt_known_remote *find_remote(const struct rt_channel *channel,
					   const struct rt_remote *remote)
{
	for (size_t i = 0; i < channel->remote_count; i++) {
		struct rt_known_remote *known = channel->remotes[i];
		if (strcmp(known->name, remote->name) == 0 &&
		    strcmp(known->service, remote->service) == 0)
			return known;
	}
	return NULL;
}

static struct rt_known_remote *remote_new(struct rt_channel *channel,
					  const struct rt_remote *remote)
{
	struct rt_known_remote *known = calloc(1, sizeof(*known));
	RT_ASSERT(known != NULL);
	snprintf(known->service, sizeof(known->service), "%s", remote->service);
	snprintf(known->name, sizeof(known->name), "%s", remote->name);
	snprintf(known->path, sizeof(known->path), "/%s/%s", remote->service, remote->name);
	known->started = RT_SERIES(CLIENT_STARTED, "unary", remote->service, remote->name);
	known->seconds = RT_SERIES(CLIENT_SECONDS, "unary", remote->service, remote->name);
	for (int i = 0; i < RT_CODE_COUNT; i++)
		known->handled[i] = RT_SERIES(CLIENT_HANDLED, "unary", remote->service,
					      remote->name, rt_code_name((enum rt_code)i));
	known->registered = grpc_channel_register_call(channel->grpc, known->path, NULL, NULL);
	return known;
}

const struct rt_known_remote *rt_channel_remote(struct rt_channel *channel,
						const struct rt_remote *remote)
{
	RT_LOCKED(&channel->lock);
	struct rt_known_remote *known = find_remote(channel, remote);
	if (known != NULL)
		return known;
	RT_ASSERT(channel->remote_count < RT_REMOTES_MAX);
	known = remote_new(channel, remote);
	channel->remotes[channel->remote_count++] = known;
	return known;
}

/* A thread that waits for its attempt. */
struct waiter {
	struct rt_lock lock;
	pthread_cond_t ended;
	bool done;
	struct rt_status status;
	const struct rt_remote *remote;
	struct rt_arena *arena;
	const ProtobufCMessage *reply;
};

/* A reply that can't be read came after the fact: whether the call took effect is known, but not
 * what it said. */
static struct rt_status unpack_reply(const struct rt_remote *remote, grpc_byte_buffer *payload,
				     struct rt_arena *arena, const ProtobufCMessage **reply)
{
	struct rt_status status = rt_buffer_unpack(remote->reply, payload, arena, reply);
	if (rt_is_ok(&status))
		return status;
	if (!remote->repeatable)
		return RT_FAIL(OUTCOME_UNKNOWN, "BAD_REPLY", "%s: the reply can't be read",
			       remote->name);
	return RT_FAIL(INTERNAL, "BAD_REPLY", "%s: the reply can't be read", remote->name);
}

/* The waiting thread's arena is used by this thread meanwhile: it touches it only after it has been
 * woken. */
static void wake(void *context, struct rt_status status, grpc_byte_buffer *payload)
{
	struct waiter *waiter = context;
	if (payload != NULL)
		status = unpack_reply(waiter->remote, payload, waiter->arena, &waiter->reply);
	rt_lock_take(&waiter->lock);
	waiter->status = status;
	waiter->done = true;
	pthread_cond_signal(&waiter->ended);
	rt_lock_give(&waiter->lock);
}

static void wait_init(struct waiter *waiter)
{
	rt_lock_init(&waiter->lock, RT_RANK_QUEUE);
	rt_condition_init(&waiter->ended);
}

static void wait_for(struct waiter *waiter)
{
	rt_lock_take(&waiter->lock);
	while (!waiter->done)
		rt_lock_wait(&waiter->lock, &waiter->ended, RT_NO_DEADLINE);
	rt_lock_give(&waiter->lock);
	pthread_cond_destroy(&waiter->ended);
	rt_lock_deinit(&waiter->lock);
}

static struct rt_status call_once(struct rt_channel *channel, const struct rt_remote *remote,
				  const ProtobufCMessage *request,
				  const struct rt_call_options *options, struct rt_arena *arena,
				  const ProtobufCMessage **reply)
{
	struct waiter waiter = {.remote = remote, .arena = arena};
	wait_init(&waiter);
	rt_attempt_start(channel, remote, request, options, wake, &waiter);
	wait_for(&waiter);
	*reply = waiter.reply;
	return waiter.status;
}

/* Whether the same call may be of use a little later. A breaker that is open stays so for longer
 * than that; a server that shuts down has others beside it. */
static bool may_repeat(const struct rt_status *status)
{
	if (status->reason != NULL && (strcmp(status->reason, RT_REASON_BREAKER_OPEN) == 0 ||
				       strcmp(status->reason, RT_REASON_CLIENT_STOPPING) == 0))
		return false;
	return status->code == RT_UNAVAILABLE || status->code == RT_OUTCOME_UNKNOWN ||
	       (status->code == RT_RESOURCE_EXHAUSTED && status->retry_after_ms > 0);
}

/* With the lock, like the next two. */
static void show_budget(const struct rt_channel *channel)
{
	rt_series_set(channel->tokens, channel->budget.micros / RT_US_PER_S);
}

void rt_channel_admitted(struct rt_channel *channel, bool repeat)
{
	if (repeat)
		rt_series_add(channel->retries, 1);
	else
		rt_retry_first(&channel->budget);
	show_budget(channel);
}

void rt_channel_give_back(struct rt_channel *channel)
{
	rt_retry_give_back(&channel->budget);
	show_budget(channel);
}

void rt_channel_set_retries(struct rt_channel *channel, int64_t percent, int64_t per_s)
{
	RT_LOCKED(&channel->lock);
	rt_retry_budget_init(&channel->budget, percent, per_s, rt_clock_mono_us());
	show_budget(channel);
}

bool rt_channel_may_repeat(struct rt_channel *channel, int64_t *wait_us)
{
	RT_LOCKED(&channel->lock);
	bool taken = rt_retry_take(&channel->budget, rt_clock_mono_us(), wait_us);
	show_budget(channel);
	return taken;
}

void rt_channel_on_recovery(struct rt_channel *channel, void (*recovered)(void *context),
			    void *context)
{
	channel->recovered_context = context;
	channel->recovered = recovered;
}

struct rt_status rt_channel_call(struct rt_channel *channel, const struct rt_remote *remote,
				 const ProtobufCMessage *request,
				 const struct rt_call_options *options, struct rt_arena *arena,
				 const ProtobufCMessage **reply)
{
	struct rt_call_options each = *options;
	for (unsigned attempt = 0;; attempt++) {
		struct rt_status status = call_once(channel, remote, request, &each, arena, reply);
		if (!may_repeat(&status) || !remote->repeatable || attempt + 1 == ATTEMPTS_MAX)
			return status;
		uint64_t random = rt_random_below(UINT32_MAX);
		int64_t wait_us = rt_backoff_us(attempt, status.retry_after_ms, random);
		if (options->deadline_mono_us - rt_clock_mono_us() <= wait_us)
			return status;
		int64_t token_us = 0;
		if (!rt_channel_may_repeat(channel, &token_us))
			return status;
		each.repeat = true;
		rt_clock_sleep_us(wait_us);
	}
}

/* What a waiting stream needs besides. */
struct stream_waiter {
	struct waiter waiter; /* first */
	rt_call_message message;
	void *context;
	struct rt_status unreadable; /* a message that can't be read */
};

static void take_message(void *context, grpc_byte_buffer *payload)
{
	struct stream_waiter *stream = context;
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	const ProtobufCMessage *message = NULL;
	rt_arena_init(&arena, REPLY_BYTES_MAX);
	struct rt_status status = unpack_reply(stream->waiter.remote, payload, &arena, &message);
	if (rt_is_ok(&status))
		stream->message(stream->context, message);
	else if (rt_is_ok(&stream->unreadable))
		stream->unreadable = status;
}

struct rt_status rt_channel_stream(struct rt_channel *channel, const struct rt_remote *remote,
				   const ProtobufCMessage *request,
				   const struct rt_call_options *options, rt_call_message message,
				   void *context)
{
	struct stream_waiter stream = {
		.waiter.remote = remote, .message = message, .context = context};
	wait_init(&stream.waiter);
	rt_attempt_stream(channel, remote, request, options, take_message, wake, &stream);
	wait_for(&stream.waiter);
	return rt_is_ok(&stream.waiter.status) ? stream.unreadable : stream.waiter.status;
}

/* A call that is not waited for. */
struct started {
	const ProtobufCMessageDescriptor *reply;
	bool repeatable;
	rt_call_done done;
	void *context;
};

static void finish_started(void *context, struct rt_status status, grpc_byte_buffer *payload)
{
	struct started *started = context;
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	rt_arena_init(&arena, REPLY_ARENA_BYTES_MAX);
	const ProtobufCMessage *reply = NULL;
	struct rt_remote remote = {
		.name = "call", .reply = started->reply, .repeatable = started->repeatable};
	if (payload != NULL)
		status = unpack_reply(&remote, payload, &arena, &reply);
	started->done(started->context, status, rt_is_ok(&status) ? reply : NULL);
	free(started);
}

void rt_channel_start(struct rt_channel *channel, const struct rt_remote *remote,
		      const ProtobufCMessage *request, const struct rt_call_options *options,
		      rt_call_done done, void *context)
{
	struct started *started = calloc(1, sizeof(*started));
	RT_ASSERT(started != NULL);
	started->reply = remote->reply;
	started->repeatable = remote->repeatable;
	started->done = done;
	started->context = context;
	rt_attempt_start(channel, remote, request, options, finish_started, started);
}

/* A call that streams both ways. */
struct exchange {
	const struct rt_remote *remote;
	rt_exchange_next next;
	rt_call_message message;
	rt_call_done done;
	void *context;
	struct rt_status unreadable; /* a message that can't be read */
};

static const ProtobufCMessage *next_of(void *context, enum rt_exchange_then *then)
{
	struct exchange *exchange = context;
	return exchange->next(exchange->context, then);
}

static void take_reply(void *context, grpc_byte_buffer *payload)
{
	struct exchange *exchange = context;
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	const ProtobufCMessage *message = NULL;
	rt_arena_init(&arena, REPLY_BYTES_MAX);
	struct rt_status status = unpack_reply(exchange->remote, payload, &arena, &message);
	if (rt_is_ok(&status))
		exchange->message(exchange->context, message);
	else if (rt_is_ok(&exchange->unreadable))
		exchange->unreadable = status;
}

static void finish_exchange(void *context, struct rt_status status, grpc_byte_buffer *payload)
{
	struct exchange *exchange = context;
	(void)payload;
	exchange->done(exchange->context, rt_is_ok(&status) ? exchange->unreadable : status, NULL);
	free(exchange);
}

void rt_channel_exchange(struct rt_channel *channel, const struct rt_remote *remote,
			 const struct rt_call_options *options, rt_exchange_next next,
			 rt_call_message message, rt_call_done done, void *context)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	RT_ASSERT(exchange != NULL);
	*exchange = (struct exchange){remote, next, message, done, context, {.code = RT_OK}};
	rt_attempt_exchange(channel, remote, options, next_of, take_reply, finish_exchange,
			    exchange);
}
