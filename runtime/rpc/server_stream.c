/* Streams: one message is on its way at a time, a bounded number waits, and the status goes out
 * after the last one. */
#include <string.h>

#include "rpc/server_internal.h"
#include "rt/assert.h"
#include "rt/clock.h"

bool rt_call_is_stream(const struct rt_call *call)
{
	const struct rt_method *method = call->served->method;
	return method != NULL && method->kind != RT_UNARY && method->kind != RT_UNARY_LARGE;
}

void rt_stream_init(struct rt_call *call)
{
	struct rt_stream *stream = &call->stream;
	stream->waiting_first = 0;
	stream->waiting_count = 0;
	stream->received = NULL;
	stream->sending = false;
	stream->metadata_sent = false;
	stream->reading_later = false;
	stream->closed = false;
	stream->ending = false;
	stream->left = false;
	stream->leave = NULL;
	stream->sent = NULL;
}

static grpc_byte_buffer *take_waiting(struct rt_stream *stream)
{
	if (stream->waiting_count == 0)
		return NULL;
	grpc_byte_buffer *buffer = stream->waiting[stream->waiting_first];
	stream->waiting_first = (stream->waiting_first + 1) % RT_STREAM_QUEUE_MAX;
	stream->waiting_count--;
	return buffer;
}

static void drop_waiting(struct rt_stream *stream)
{
	for (grpc_byte_buffer *buffer = take_waiting(stream); buffer != NULL;
	     buffer = take_waiting(stream))
		grpc_byte_buffer_destroy(buffer);
}

void rt_stream_clear(struct rt_call *call)
{
	struct rt_stream *stream = &call->stream;
	drop_waiting(stream);
	grpc_byte_buffer_destroy(stream->received);
	stream->received = NULL;
}

/* Only for who has set `sending`. When more is waiting, the transport need not write at once. */
static void send_one(struct rt_call *call, grpc_byte_buffer *buffer, bool more)
{
	grpc_op ops[2] = {{.op = GRPC_OP_SEND_MESSAGE}, {.op = GRPC_OP_SEND_INITIAL_METADATA}};
	ops[0].data.send_message.send_message = buffer;
	ops[0].flags = more ? GRPC_WRITE_BUFFER_HINT : 0;
	size_t count = call->stream.metadata_sent ? 1 : 2;
	call->stream.metadata_sent = true;
	rt_call_batch(call, ops, count, RT_TAG_SENT);
	grpc_byte_buffer_destroy(buffer);
}

struct rt_status rt_call_send(struct rt_call *call, const ProtobufCMessage *message)
{
	RT_ASSERT(rt_call_is_stream(call));
	RT_ASSERT(message->descriptor == call->served->method->reply);
	if (rt_call_cancelled(call))
		return RT_FAIL(CANCELLED, "CANCELLED", "the caller has gone");
	grpc_byte_buffer *buffer = rt_buffer_pack(message);
	struct rt_stream *stream = &call->stream;
	rt_lock_take(&stream->lock);
	bool refused = stream->ending || stream->waiting_count == RT_STREAM_QUEUE_MAX;
	bool at_once = !refused && !stream->sending;
	if (at_once)
		stream->sending = true;
	else if (!refused)
		stream->waiting[(stream->waiting_first + stream->waiting_count++) %
				RT_STREAM_QUEUE_MAX] = buffer;
	bool ending = stream->ending;
	rt_lock_give(&stream->lock);
	if (at_once)
		send_one(call, buffer, false);
	if (!refused)
		return rt_ok();
	grpc_byte_buffer_destroy(buffer);
	if (ending)
		return RT_FAIL(CANCELLED, "CANCELLED", "the stream has ended");
	return RT_FAIL(RESOURCE_EXHAUSTED, "SLOW_CALLER",
		       "too many messages wait for the caller to read");
}

/* What has been received is not touched here: gRPC may be writing it, or a worker reading. */
void rt_stream_sent(struct rt_call *call, bool success)
{
	struct rt_stream *stream = &call->stream;
	if (!success)
		atomic_store(&call->cancelled, true);
	rt_lock_take(&stream->lock);
	if (!success)
		drop_waiting(stream);
	grpc_byte_buffer *next = take_waiting(stream);
	stream->sending = next != NULL;
	bool more = stream->waiting_count > 0;
	bool end = next == NULL && stream->ending;
	bool read = next == NULL && stream->reading_later;
	if (read)
		stream->reading_later = false;
	void (*sent)(struct rt_call *, void *) = stream->ending ? NULL : stream->sent;
	void *context = stream->sent_context;
	rt_lock_give(&stream->lock);
	if (next != NULL)
		send_one(call, next, more);
	else if (read)
		rt_stream_receive(call);
	else if (end)
		rt_call_answer(call, stream->status);
	if (sent != NULL)
		sent(call, context);
}

size_t rt_call_send_room(struct rt_call *call)
{
	struct rt_stream *stream = &call->stream;
	RT_LOCKED(&stream->lock);
	return stream->ending ? RT_STREAM_QUEUE_MAX : RT_STREAM_QUEUE_MAX - stream->waiting_count;
}

void rt_call_on_sent(struct rt_call *call, void (*sent)(struct rt_call *call, void *context),
		     void *context)
{
	struct rt_stream *stream = &call->stream;
	RT_LOCKED(&stream->lock);
	stream->sent_context = context;
	stream->sent = sent;
}

struct rt_status rt_stream_token_expired(void)
{
	return RT_FAIL(UNAUTHENTICATED, "TOKEN_EXPIRED",
		       "the token has expired; go on with another");
}

/* What a call waits for is told its deadline too, and may miss it first. */
static bool is_end_of_token(const struct rt_call *call, const struct rt_status *status)
{
	return call->ends_with_token && status->code == RT_DEADLINE_EXCEEDED &&
	       rt_clock_mono_us() >= call->deadline_us;
}

void rt_stream_end(struct rt_call *call, struct rt_status status)
{
	struct rt_stream *stream = &call->stream;
	if (is_end_of_token(call, &status))
		status = rt_stream_token_expired();
	rt_lock_take(&stream->lock);
	bool first = !stream->ending;
	if (first)
		stream->status = status;
	stream->ending = true;
	stream->closed = true;
	stream->leave = NULL;
	stream->sent = NULL;
	bool idle = !stream->sending;
	rt_lock_give(&stream->lock);
	if (first && idle)
		rt_call_answer(call, status);
}

/* What nobody reads is not waited for, and a handler that reads hears of the end by itself. */
bool rt_stream_break(struct rt_call *call, struct rt_status status)
{
	struct rt_stream *stream = &call->stream;
	rt_lock_take(&stream->lock);
	bool idle = !stream->sending && !stream->ending &&
		    call->served->method->kind == RT_SERVER_STREAM;
	if (idle) {
		stream->status = status;
		stream->ending = true;
		stream->closed = true;
		stream->sent = NULL;
	}
	rt_lock_give(&stream->lock);
	if (!idle) {
		grpc_call_cancel_with_status(call->grpc,
					     (grpc_status_code)rt_code_grpc(status.code),
					     status.detail, NULL);
		return false;
	}
	rt_call_answer(call, status);
	rt_stream_leave(call);
	return true;
}

void rt_stream_receive(struct rt_call *call)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
	op.data.recv_message.recv_message = &call->stream.received;
	rt_call_batch(call, &op, 1, RT_TAG_RECEIVED);
}

void rt_stream_received(struct rt_call *call, bool success)
{
	struct rt_stream *stream = &call->stream;
	rt_lock_take(&stream->lock);
	if (!success || stream->received == NULL)
		stream->closed = true;
	bool ended = stream->ending;
	rt_lock_give(&stream->lock);
	if (!ended)
		rt_server_dispatch(call);
}

void rt_call_take_message(struct rt_call *call, struct rt_taken *taken)
{
	RT_ASSERT(call->served->method->kind == RT_BIDI_STREAM);
	*taken = (struct rt_taken){.arena = call->arena, .bytes = call->bytes};
	rt_arena_init(&call->arena, taken->arena.limit_bytes);
	call->bytes = 0;
	call->request = NULL;
}

void rt_call_drop_message(struct rt_call *call, struct rt_taken *taken)
{
	rt_arena_deinit(&taken->arena);
	rt_share_give(&call->server->bytes, call->caller.identity, (int64_t)taken->bytes);
	taken->bytes = 0;
}

/* Who asks without reading the answers is not asked for more; a handler that hears what was sent
 * keeps a window of its own instead. */
void rt_call_next(struct rt_call *call)
{
	RT_ASSERT(call->served->method->kind == RT_BIDI_STREAM);
	rt_arena_deinit(&call->arena);
	rt_give_back_bytes(call);
	call->request = NULL;
	rt_lock_take(&call->stream.lock);
	bool open = !call->stream.closed;
	bool now = open && (!call->stream.sending || call->stream.sent != NULL);
	call->stream.reading_later = open && !now;
	rt_lock_give(&call->stream.lock);
	if (now)
		rt_stream_receive(call);
}

void rt_call_on_leave(struct rt_call *call, void (*leave)(struct rt_call *call, void *context),
		      void *context)
{
	struct rt_stream *stream = &call->stream;
	rt_lock_take(&stream->lock);
	bool left = stream->left;
	if (!left) {
		stream->leave = leave;
		stream->leave_context = context;
	}
	rt_lock_give(&stream->lock);
	if (left)
		leave(call, context);
}

/* A bidirectional stream whose handler doesn't care to be told is broken off: its handler then
 * hears of the end. */
void rt_stream_leave(struct rt_call *call)
{
	if (!rt_call_is_stream(call))
		return;
	struct rt_stream *stream = &call->stream;
	rt_lock_take(&stream->lock);
	bool first = !stream->left;
	stream->left = true;
	void (*leave)(struct rt_call *, void *) = stream->leave;
	void *context = stream->leave_context;
	stream->leave = NULL;
	bool open = !stream->ending;
	rt_lock_give(&stream->lock);
	if (leave != NULL)
		leave(call, context);
	else if (first && open && call->served->method->kind == RT_BIDI_STREAM)
		grpc_call_cancel_with_status(call->grpc, GRPC_STATUS_UNAVAILABLE, "shutting down",
					     NULL);
}
