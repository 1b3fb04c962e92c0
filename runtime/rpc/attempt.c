/* One attempt at a call: its batch, and what its end says about the outcome. */
#include <grpc/support/alloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/byte_buffer.h"
#include "rpc/client_internal.h"
#include "rpc/client_reasons.h"
#include "rpc/handoff.h"
#include "rpc/wire_status.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/log.h"

#define MESSAGE_BYTES 256

struct rt_attempt {
	struct rt_client_tag tag; /* first */
	struct rt_attempt *next;
	struct rt_attempt *previous;
	struct rt_channel *channel;
	const struct rt_known_remote *remote;
	bool repeatable;
	const char *const *reasons;
	bool repeat;
	uint32_t probe; /* the breaker's number; 0: it is none */
	grpc_call *grpc;
	grpc_metadata_array initial;
	grpc_metadata_array trailing;
	grpc_byte_buffer *payload;
	grpc_status_code code;
	grpc_slice details;
	int64_t started_us;
	int64_t deadline_us;
	rt_attempt_done done;
	rt_attempt_message message; /* of a stream; NULL: a single reply */
	void *context;
	struct rt_client_tag message_tag;
	rt_exchange_next ask; /* of an exchange; NULL: one request */
	struct rt_client_tag send_tag;
	bool sending; /* a batch of an exchange's is under way */
	bool half_closed;
	bool reading;    /* a stream's message is awaited */
	bool has_status; /* and nothing more comes, once nothing is awaited */
};

/* False when the client stops. */
static bool enlist(struct rt_attempt *attempt)
{
	struct rt_client *client = attempt->channel->client;
	RT_LOCKED(&client->lock);
	if (client->stopping)
		return false;
	attempt->next = client->attempts;
	if (attempt->next != NULL)
		attempt->next->previous = attempt;
	client->attempts = attempt;
	rt_client_busy(client);
	return true;
}

static void unlist(struct rt_attempt *attempt)
{
	struct rt_client *client = attempt->channel->client;
	RT_LOCKED(&client->lock);
	if (attempt->previous != NULL)
		attempt->previous->next = attempt->next;
	else
		client->attempts = attempt->next;
	if (attempt->next != NULL)
		attempt->next->previous = attempt->previous;
	if (client->attempts == NULL)
		pthread_cond_broadcast(&client->changed);
}

void rt_attempts_cancel(struct rt_client *client)
{
	for (struct rt_attempt *attempt = client->attempts; attempt != NULL;
	     attempt = attempt->next)
		grpc_call_cancel(attempt->grpc, NULL);
}

static void free_attempt(struct rt_attempt *attempt)
{
	if (attempt->grpc != NULL)
		grpc_call_unref(attempt->grpc);
	grpc_metadata_array_destroy(&attempt->initial);
	grpc_metadata_array_destroy(&attempt->trailing);
	grpc_byte_buffer_destroy(attempt->payload);
	grpc_slice_unref(attempt->details);
	free(attempt);
}

static struct rt_status admit(struct rt_channel *channel, const struct rt_call_options *options,
			      int64_t now_us, uint32_t *probe)
{
	RT_LOCKED(&channel->lock);
	bool late = options->deadline_mono_us <= now_us;
	if (!late &&
	    (options->wait_for_ready || rt_breaker_admit(&channel->breaker, now_us, probe))) {
		rt_channel_admitted(channel, options->repeat);
		return rt_ok();
	}
	if (options->repeat)
		rt_channel_give_back(channel);
	if (late)
		return RT_FAIL(UNAVAILABLE, "DEADLINE_PASSED",
			       "the deadline had passed before the call was made");
	return RT_FAIL(UNAVAILABLE, RT_REASON_BREAKER_OPEN, "%s can't be reached at the moment",
		       rt_identity_name(channel->expected));
}

static gpr_timespec deadline_of(const struct rt_call_options *options, int64_t now_us)
{
	if (options->deadline_mono_us == RT_NO_DEADLINE)
		return gpr_inf_future(GPR_CLOCK_MONOTONIC);
	int64_t left_us = options->deadline_mono_us - now_us;
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
			    gpr_time_from_micros(left_us, GPR_TIMESPAN));
}

struct outgoing {
	grpc_metadata entries[2];
	size_t count;
};

static void add_metadata(struct outgoing *outgoing, const char *key, const char *text)
{
	grpc_metadata *entry = &outgoing->entries[outgoing->count++];
	entry->key = grpc_slice_from_static_string(key);
	entry->value = grpc_slice_from_copied_string(text);
}

static void add_bearer(struct outgoing *outgoing, const char *bearer)
{
	static const char scheme[] = "Bearer ";
	size_t scheme_length = sizeof(scheme) - 1;
	size_t length = strlen(bearer);
	grpc_metadata *entry = &outgoing->entries[outgoing->count++];
	entry->key = grpc_slice_from_static_string("authorization");
	entry->value = grpc_slice_malloc(scheme_length + length);
	memcpy(GRPC_SLICE_START_PTR(entry->value), scheme, scheme_length);
	memcpy(GRPC_SLICE_START_PTR(entry->value) + scheme_length, bearer, length);
}

static void make_metadata(struct outgoing *outgoing, const struct rt_call_options *options)
{
	outgoing->count = 0;
	struct rt_trace trace =
		options->trace != NULL ? rt_trace_child(options->trace) : rt_trace_new();
	char traceparent[RT_TRACEPARENT_BYTES];
	rt_trace_format(&trace, traceparent);
	add_metadata(outgoing, "traceparent", traceparent);
	if (options->bearer != NULL)
		add_bearer(outgoing, options->bearer);
}

static void start_batch(struct rt_attempt *attempt, const ProtobufCMessage *request,
			const struct rt_call_options *options)
{
	struct outgoing outgoing;
	make_metadata(&outgoing, options);
	grpc_byte_buffer *payload = rt_buffer_pack(request);
	/* A stream's messages have batches of their own. */
	size_t count = attempt->message == NULL ? 6 : 5;
	grpc_op ops[6] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},  {.op = GRPC_OP_SEND_MESSAGE},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, {.op = GRPC_OP_RECV_INITIAL_METADATA},
		{.op = GRPC_OP_RECV_STATUS_ON_CLIENT},  {.op = GRPC_OP_RECV_MESSAGE},
	};
	ops[0].data.send_initial_metadata.metadata = outgoing.entries;
	ops[0].data.send_initial_metadata.count = outgoing.count;
	if (options->wait_for_ready)
		ops[0].flags = GRPC_INITIAL_METADATA_WAIT_FOR_READY |
			       GRPC_INITIAL_METADATA_WAIT_FOR_READY_EXPLICITLY_SET;
	ops[1].data.send_message.send_message = payload;
	ops[3].data.recv_initial_metadata.recv_initial_metadata = &attempt->initial;
	ops[4].data.recv_status_on_client.trailing_metadata = &attempt->trailing;
	ops[4].data.recv_status_on_client.status = &attempt->code;
	ops[4].data.recv_status_on_client.status_details = &attempt->details;
	ops[5].data.recv_message.recv_message = &attempt->payload;
	grpc_call *grpc = attempt->grpc;
	rt_handoff_give(&attempt->tag);
	grpc_call_error error = grpc_call_start_batch(grpc, ops, count, &attempt->tag, NULL);
	RT_ASSERT(error == GRPC_CALL_OK);
	grpc_byte_buffer_destroy(payload);
	for (size_t i = 0; i < outgoing.count; i++)
		grpc_slice_unref(outgoing.entries[i].value);
}

static struct rt_attempt *attempt_new(struct rt_channel *channel, const struct rt_remote *remote,
				      const struct rt_call_options *options, int64_t now_us)
{
	struct rt_attempt *attempt = calloc(1, sizeof(*attempt));
	RT_ASSERT(attempt != NULL);
	attempt->tag.kind = RT_CLIENT_ATTEMPT;
	attempt->message_tag.kind = RT_CLIENT_MESSAGE;
	attempt->send_tag.kind = RT_CLIENT_SENT;
	attempt->channel = channel;
	attempt->remote = rt_channel_remote(channel, remote);
	attempt->repeatable = remote->repeatable;
	attempt->reasons = remote->reasons;
	attempt->repeat = options->repeat;
	attempt->started_us = now_us;
	attempt->deadline_us = options->deadline_mono_us;
	grpc_metadata_array_init(&attempt->initial);
	grpc_metadata_array_init(&attempt->trailing);
	attempt->details = grpc_empty_slice();
	attempt->grpc = grpc_channel_create_registered_call(
		channel->grpc, NULL, GRPC_PROPAGATE_DEFAULTS, channel->client->queue,
		attempt->remote->registered, deadline_of(options, now_us), NULL);
	return attempt;
}

/* Asks for a stream's next message. */
static void receive_message(struct rt_attempt *attempt)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
	op.data.recv_message.recv_message = &attempt->payload;
	grpc_call *grpc = attempt->grpc;
	rt_handoff_give(&attempt->message_tag);
	grpc_call_error error = grpc_call_start_batch(grpc, &op, 1, &attempt->message_tag, NULL);
	RT_ASSERT(error == GRPC_CALL_OK);
}

static void begin_batch(struct rt_attempt *attempt, const grpc_op *ops, size_t count,
			struct rt_client_tag *tag)
{
	grpc_call *grpc = attempt->grpc;
	rt_handoff_give(tag);
	grpc_call_error error = grpc_call_start_batch(grpc, ops, count, tag, NULL);
	RT_ASSERT(error == GRPC_CALL_OK);
}

/* An exchange begins with metadata alone: when they are out, its messages follow. */
static void start_exchange(struct rt_attempt *attempt, const struct rt_call_options *options)
{
	struct outgoing outgoing;
	make_metadata(&outgoing, options);
	grpc_op status[2] = {{.op = GRPC_OP_RECV_INITIAL_METADATA},
			     {.op = GRPC_OP_RECV_STATUS_ON_CLIENT}};
	status[0].data.recv_initial_metadata.recv_initial_metadata = &attempt->initial;
	status[1].data.recv_status_on_client.trailing_metadata = &attempt->trailing;
	status[1].data.recv_status_on_client.status = &attempt->code;
	status[1].data.recv_status_on_client.status_details = &attempt->details;
	grpc_op first = {.op = GRPC_OP_SEND_INITIAL_METADATA};
	first.data.send_initial_metadata.metadata = outgoing.entries;
	first.data.send_initial_metadata.count = outgoing.count;
	if (options->wait_for_ready)
		first.flags = GRPC_INITIAL_METADATA_WAIT_FOR_READY |
			      GRPC_INITIAL_METADATA_WAIT_FOR_READY_EXPLICITLY_SET;
	attempt->sending = true;
	begin_batch(attempt, status, 2, &attempt->tag);
	receive_message(attempt);
	begin_batch(attempt, &first, 1, &attempt->send_tag);
	for (size_t i = 0; i < outgoing.count; i++)
		grpc_slice_unref(outgoing.entries[i].value);
}

/* Sends an exchange's next message, or its half-close, when there is one to send. */
static void send_next(struct rt_attempt *attempt)
{
	if (attempt->ask == NULL || attempt->sending || attempt->half_closed || attempt->has_status)
		return;
	enum rt_exchange_then then = RT_EXCHANGE_WAIT;
	const ProtobufCMessage *message = attempt->ask(attempt->context, &then);
	grpc_op ops[2];
	size_t count = 0;
	grpc_byte_buffer *payload = NULL;
	if (message != NULL) {
		payload = rt_buffer_pack(message);
		ops[count] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
		/* When more follows at once, the transport need not write yet. */
		ops[count].flags = then == RT_EXCHANGE_MORE ? GRPC_WRITE_BUFFER_HINT : 0;
		ops[count++].data.send_message.send_message = payload;
	}
	attempt->half_closed = then == RT_EXCHANGE_END;
	if (attempt->half_closed)
		ops[count++] = (grpc_op){.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
	attempt->sending = count > 0;
	if (count > 0)
		begin_batch(attempt, ops, count, &attempt->send_tag);
	grpc_byte_buffer_destroy(payload);
}

static void start_attempt(struct rt_channel *channel, const struct rt_remote *remote,
			  const ProtobufCMessage *request, const struct rt_call_options *options,
			  rt_attempt_message message, rt_exchange_next next, rt_attempt_done done,
			  void *context)
{
	int64_t now_us = rt_clock_mono_us();
	uint32_t probe = 0;
	struct rt_status status = admit(channel, options, now_us, &probe);
	if (!rt_is_ok(&status)) {
		done(context, status, NULL);
		return;
	}
	struct rt_attempt *attempt = attempt_new(channel, remote, options, now_us);
	attempt->probe = probe;
	attempt->done = done;
	attempt->message = message;
	attempt->ask = next;
	attempt->reading = message != NULL;
	attempt->context = context;
	/* Held by two until the batch is begun: the list's cancel may come first, which gRPC
	 * remembers. */
	grpc_call_ref(attempt->grpc);
	grpc_call *grpc = attempt->grpc;
	if (enlist(attempt)) {
		rt_series_add(attempt->remote->started, 1);
		bool reading =
			attempt->reading; /* the attempt may be over as soon as it is begun */
		if (next != NULL)
			start_exchange(attempt, options);
		else
			start_batch(attempt, request, options);
		if (reading && next == NULL)
			receive_message(attempt);
	} else {
		free_attempt(attempt);
		done(context,
		     RT_FAIL(UNAVAILABLE, RT_REASON_CLIENT_STOPPING, "the client is stopping"),
		     NULL);
	}
	grpc_call_unref(grpc);
}

void rt_attempt_start(struct rt_channel *channel, const struct rt_remote *remote,
		      const ProtobufCMessage *request, const struct rt_call_options *options,
		      rt_attempt_done done, void *context)
{
	start_attempt(channel, remote, request, options, NULL, NULL, done, context);
}

void rt_attempt_stream(struct rt_channel *channel, const struct rt_remote *remote,
		       const ProtobufCMessage *request, const struct rt_call_options *options,
		       rt_attempt_message message, rt_attempt_done done, void *context)
{
	start_attempt(channel, remote, request, options, message, NULL, done, context);
}

void rt_attempt_exchange(struct rt_channel *channel, const struct rt_remote *remote,
			 const struct rt_call_options *options, rt_exchange_next next,
			 rt_attempt_message message, rt_attempt_done done, void *context)
{
	start_attempt(channel, remote, NULL, options, message, next, done, context);
}

/* Whether anything came back: only then does the call know its peer's address, and not the
 * channel's target alone. */
static bool has_peer(const struct rt_attempt *attempt)
{
	char *peer = grpc_call_get_peer(attempt->grpc);
	bool known = strncmp(peer, "ipv4:", 5) == 0 || strncmp(peer, "ipv6:", 5) == 0 ||
		     strncmp(peer, "unix:", 5) == 0;
	gpr_free(peer);
	return known;
}

/* Whether the call certainly never left this process. gRPC has no better word for it than what its
 * load balancing says when there was no connection to give the call to; whatever it does not say so
 * of may have been sent. A server that hands on such words of its own is known by its address. */
static bool never_sent(const struct rt_attempt *attempt, const char *message)
{
	static const char *const words[] = {"failed to connect to all addresses",
					    "connections to all backends failing",
					    "DNS resolution failed", "empty address list"};
	if (attempt->code != GRPC_STATUS_UNAVAILABLE || has_peer(attempt))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncmp(message, words[i], strlen(words[i])) == 0)
			return true;
	}
	return false;
}

static struct rt_status read_status(const struct rt_attempt *attempt, bool *from_service)
{
	char message[MESSAGE_BYTES];
	rt_slice_text(&attempt->details, message, sizeof(message));
	const grpc_slice *details = NULL;
	for (size_t i = 0; i < attempt->trailing.count; i++) {
		const grpc_metadata *entry = &attempt->trailing.metadata[i];
		if (rt_slice_is(&entry->key, "grpc-status-details-bin"))
			details = &entry->value;
	}
	if (details == NULL)
		return rt_wire_status_unpack((int)attempt->code, message, NULL, 0, NULL,
					     from_service);
	return rt_wire_status_unpack((int)attempt->code, message, GRPC_SLICE_START_PTR(*details),
				     GRPC_SLICE_LENGTH(*details), attempt->reasons, from_service);
}

/* Codes that gRPC itself makes up when a connection, a deadline or the size of a reply ends a call.
 */
static bool is_ambiguous(grpc_status_code code)
{
	return code == GRPC_STATUS_UNAVAILABLE || code == GRPC_STATUS_DEADLINE_EXCEEDED ||
	       code == GRPC_STATUS_CANCELLED || code == GRPC_STATUS_UNKNOWN ||
	       code == GRPC_STATUS_INTERNAL || code == GRPC_STATUS_RESOURCE_EXHAUSTED;
}

/* Whether the service's own words leave open what it did: it answered because it was late or was
 * told to stop, while a handler may still have been at it. */
static bool is_open(const struct rt_status *status)
{
	return status->code == RT_DEADLINE_EXCEEDED || status->code == RT_CANCELLED;
}

enum reach { REACHED, MISSED, NOT_KNOWN };

static struct rt_status left_open(const struct rt_attempt *attempt, const struct rt_status *status)
{
	const char *who = rt_identity_name(attempt->channel->expected);
	bool late = attempt->code == GRPC_STATUS_DEADLINE_EXCEEDED;
	if (!attempt->repeatable)
		return RT_FAIL(OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN", "%s: %s", who, status->detail);
	if (late)
		return RT_FAIL(DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "%s did not answer in time",
			       who);
	if (attempt->code == GRPC_STATUS_CANCELLED)
		return RT_FAIL(CANCELLED, "CANCELLED", "%s: %s", who, status->detail);
	if (attempt->code == GRPC_STATUS_RESOURCE_EXHAUSTED)
		return *status;
	return RT_FAIL(UNAVAILABLE, "CONNECTION_LOST", "%s: %s", who, status->detail);
}

static bool is_connected(const struct rt_attempt *attempt)
{
	return grpc_channel_check_connectivity_state(attempt->channel->grpc, 0) ==
	       GRPC_CHANNEL_READY;
}

static struct rt_status classify(const struct rt_attempt *attempt, enum reach *reach)
{
	*reach = REACHED;
	if (attempt->code == GRPC_STATUS_OK)
		return rt_ok();
	bool from_service = false;
	struct rt_status status = read_status(attempt, &from_service);
	if (from_service)
		return is_open(&status) ? left_open(attempt, &status) : status;
	if (!is_ambiguous(attempt->code))
		return status;
	bool late = attempt->code == GRPC_STATUS_DEADLINE_EXCEEDED && !is_connected(attempt);
	*reach = late || attempt->code == GRPC_STATUS_UNAVAILABLE ? MISSED : NOT_KNOWN;
	if (never_sent(attempt, status.detail))
		return RT_FAIL(UNAVAILABLE, "UNREACHABLE", "%s: %s",
			       rt_identity_name(attempt->channel->expected), status.detail);
	return left_open(attempt, &status);
}

/* Whether the target has said all that there is to say: then its repeats are worth their load. */
static bool is_answer(const struct rt_status *status)
{
	return !rt_code_retryable(status->code) && status->code != RT_INTERNAL &&
	       status->code != RT_CANCELLED;
}

/* True: the target is reached again. */
static bool note_end(const struct rt_attempt *attempt, enum reach reach,
		     const struct rt_status *status)
{
	struct rt_channel *channel = attempt->channel;
	RT_LOCKED(&channel->lock);
	bool was_open = channel->breaker.open;
	if (attempt->repeat && is_answer(status))
		rt_channel_give_back(channel);
	if (reach == REACHED)
		rt_breaker_reached(&channel->breaker);
	else if (reach == MISSED)
		rt_breaker_missed(&channel->breaker, rt_clock_mono_us(), attempt->probe);
	else
		rt_breaker_unknown(&channel->breaker, attempt->probe);
	if (channel->breaker.open != was_open)
		rt_series_set(channel->breaker_open, channel->breaker.open);
	return was_open && !channel->breaker.open;
}

static void record(const struct rt_attempt *attempt, const struct rt_status *status)
{
	int64_t duration_us = rt_clock_mono_us() - attempt->started_us;
	rt_series_add(attempt->remote->handled[status->code], 1);
	rt_series_observe_us(attempt->remote->seconds, duration_us);
	RT_LOG(DEBUG, "called", RT_TEXT("method", attempt->remote->path),
	       RT_INT("duration_us", duration_us), RT_STATUS(status));
}

static void finish(struct rt_attempt *attempt)
{
	enum reach reach = NOT_KNOWN;
	struct rt_status status = classify(attempt, &reach);
	if (rt_is_ok(&status) && attempt->message == NULL && attempt->payload == NULL)
		status = RT_FAIL(INTERNAL, "NO_REPLY", "%s answered without a message",
				 rt_identity_name(attempt->channel->expected));
	bool recovered = note_end(attempt, reach, &status);
	record(attempt, &status);
	attempt->done(attempt->context, status, rt_is_ok(&status) ? attempt->payload : NULL);
	if (recovered && attempt->channel->recovered != NULL)
		attempt->channel->recovered(attempt->channel->recovered_context);
	unlist(attempt);
	free_attempt(attempt);
}

/* A stream is over when its status is there, its last message was taken and nothing is being sent,
 * whichever comes last. */
static void finish_if_over(struct rt_attempt *attempt)
{
	if (attempt->has_status && !attempt->reading && !attempt->sending)
		finish(attempt);
}

void rt_attempt_event(struct rt_attempt *attempt)
{
	attempt->has_status = true;
	finish_if_over(attempt);
}

void rt_attempt_message_event(struct rt_client_tag *tag)
{
	struct rt_attempt *attempt =
		(struct rt_attempt *)(void *)((char *)tag -
					      offsetof(struct rt_attempt, message_tag));
	if (attempt->payload != NULL) {
		attempt->message(attempt->context, attempt->payload);
		grpc_byte_buffer_destroy(attempt->payload);
		attempt->payload = NULL;
		receive_message(attempt);
		send_next(attempt);
		return;
	}
	attempt->reading = false;
	finish_if_over(attempt);
}

void rt_attempt_sent_event(struct rt_client_tag *tag)
{
	struct rt_attempt *attempt =
		(struct rt_attempt *)(void *)((char *)tag - offsetof(struct rt_attempt, send_tag));
	attempt->sending = false;
	send_next(attempt);
	finish_if_over(attempt);
}
