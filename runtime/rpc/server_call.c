/* One call: its arrival, its handler's turn, its answer, and the references that keep it. */
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <string.h>

#include "rpc/byte_buffer.h"
#include "rpc/handoff.h"
#include "rpc/message.h"
#include "rpc/server_internal.h"
#include "rpc/wire_status.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/log.h"

/* How long after the deadline an answer may still wait for its caller to read it. */
#define UNREAD_US (5 * RT_US_PER_S)

void rt_call_hold(struct rt_call *call)
{
	atomic_fetch_add(&call->references, 1);
}

bool rt_call_try_hold(struct rt_call *call)
{
	int references = atomic_load(&call->references);
	while (references > 0) {
		if (atomic_compare_exchange_weak(&call->references, &references, references + 1))
			return true;
	}
	return false;
}

static void clear(struct rt_call *call)
{
	rt_stream_clear(call);
	if (call->context != NULL)
		call->context_destroy(call->context);
	call->context = NULL;
	rt_arena_deinit(&call->arena);
	grpc_byte_buffer_destroy(call->payload);
	rt_pieces_destroy(call->pieces);
	rt_buffer_freed(call->bytes);
	rt_give_back_bytes(call);
	grpc_call_unref(call->grpc);
	call->payload = NULL;
	call->pieces = NULL;
	call->grpc = NULL;
	call->request = NULL;
	if (call->served->method == NULL) {
		grpc_call_details_destroy(&call->details);
		grpc_call_details_init(&call->details);
	}
	rt_intake_put_idle(call);
}

void rt_call_drop(struct rt_call *call)
{
	int before = atomic_fetch_sub(&call->references, 1);
	RT_ASSERT(before > 0);
	if (before == 1)
		clear(call);
}

static void reset(struct rt_call *call)
{
	atomic_store(&call->references, 1);
	atomic_store(&call->answered, false);
	atomic_store(&call->cancelled, false);
	atomic_store(&call->asked_to_leave, false);
	call->closed_early = 0;
	call->loaded = false;
	call->has_place = false;
	call->ends_with_token = false;
	call->given_up = false;
	call->caller = (struct rt_caller){.role = RT_ROLE_NONE};
	call->caller_known = false;
	call->request = NULL;
	call->worker = NULL;
	call->reply = NULL;
	call->context = NULL;
	call->arrived_us = rt_clock_mono_us();
	rt_arena_init(&call->arena, call->server->arena_bytes_max);
	rt_stream_init(call);
}

/* A batch can only be refused for a mistake of ours, or because the call was not made for it. */
void rt_call_batch(struct rt_call *call, const grpc_op *ops, size_t count, enum rt_tag_kind kind)
{
	rt_call_hold(call);
	grpc_call *grpc = call->grpc;
	rt_handoff_give(&call->tags[kind]);
	grpc_call_error error = grpc_call_start_batch(grpc, ops, count, &call->tags[kind], NULL);
	RT_ASSERT(error == GRPC_CALL_OK);
}

static void watch_close(struct rt_call *call)
{
	grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
	op.data.recv_close_on_server.cancelled = &call->closed_early;
	rt_call_batch(call, &op, 1, RT_TAG_CLOSED);
}

void rt_call_arrived(struct rt_call *call)
{
	reset(call);
	rt_intake_add_active(call);
	rt_series_add(call->served->started, 1);
	watch_close(call);
	struct rt_status status = rt_call_admit(call);
	if (!rt_is_ok(&status))
		rt_call_end(call, status, NULL);
	else if (call->served->method->kind == RT_BIDI_STREAM)
		rt_stream_receive(call);
	else if (call->served->method->kind == RT_UNARY_LARGE)
		rt_large_arrived(call);
	else
		rt_server_dispatch(call);
}

/* Whether it is worth running at all. */
static struct rt_status check_turn(struct rt_call *call)
{
	if (rt_call_cancelled(call) || atomic_load(&call->server->phase) == RT_SERVER_CANCELLING)
		return RT_FAIL(CANCELLED, "CANCELLED", "cancelled before it was begun");
	if (rt_clock_mono_us() >= call->deadline_us)
		return RT_FAIL(DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
			       "the deadline passed before it was begun");
	return rt_ok();
}

static struct rt_status unpack_request(struct rt_call *call)
{
	bool bidi = call->served->method->kind == RT_BIDI_STREAM;
	grpc_byte_buffer **payload = bidi ? &call->stream.received : &call->payload;
	if (*payload == NULL && bidi)
		return rt_ok(); /* the half-close */
	if (*payload == NULL)
		return RT_FAIL(INVALID_ARGUMENT, "MALFORMED_MESSAGE", "the call has no message");
	if (bidi) /* others were asked on arrival */
		RT_TRY(rt_admit_bytes(call, payload));
	struct rt_status status = rt_buffer_unpack(call->served->method->request, *payload,
						   &call->arena, &call->request);
	grpc_byte_buffer_destroy(*payload);
	*payload = NULL;
	return status;
}

void rt_call_run(struct rt_call *call, void *worker)
{
	call->worker = worker;
	struct rt_status status = check_turn(call);
	if (rt_is_ok(&status))
		status = unpack_request(call);
	if (rt_is_ok(&status)) {
		call->served->method->handler(call);
	} else if (call->served->method->kind == RT_BIDI_STREAM) {
		/* The handler has something of its own for this stream, perhaps: it is told, and
		 * ends the call. */
		rt_stream_end(call, status);
		call->request = NULL;
		call->served->method->handler(call);
	} else {
		rt_call_end(call, status, NULL);
	}
}

static enum rt_log_level level_of(enum rt_code code)
{
	static const enum rt_log_level levels[] = {
#define CODE_LEVEL(name, grpc, level, retry) [RT_##name] = RT_LOG_##level,
		RT_CODES(CODE_LEVEL)
#undef CODE_LEVEL
	};
	return levels[code];
}

static const char *path_of(const struct rt_call *call, char text[192])
{
	if (call->served->method != NULL)
		return call->served->path;
	rt_slice_text(&call->details.method, text, 192);
	return text;
}

static void log_outcome(const struct rt_call *call, const struct rt_status *status,
			int64_t duration_us)
{
	enum rt_log_level level = level_of(status->code);
	if (!rt_log_enabled(level))
		return;
	char text[192];
	struct rt_field fields[8] = {
		RT_TEXT("method", path_of(call, text)),
		RT_TEXT("caller", call->caller_known ? rt_identity_name(call->caller.identity)
						     : call->peer.spiffe_id),
		RT_INT("duration_us", duration_us),
		RT_TRACE(&call->trace),
		RT_STATUS(status),
	};
	size_t count = 5;
	if (!rt_uuid_is_nil(&call->caller.user_id))
		fields[count++] = RT_UUID("user_id", &call->caller.user_id);
	char *address = NULL;
	if (status->code == RT_UNAUTHENTICATED || status->code == RT_PERMISSION_DENIED) {
		address = grpc_call_get_peer(call->grpc);
		fields[count++] = RT_TEXT("peer", address);
	}
	rt_log_write(level, "call", fields, count);
	gpr_free(address);
}

static void record(const struct rt_call *call, const struct rt_status *status)
{
	int64_t duration_us = rt_clock_mono_us() - call->arrived_us;
	rt_series_add(call->served->handled[status->code], 1);
	rt_series_observe_us(call->served->seconds, duration_us);
	log_outcome(call, status, duration_us);
}

struct answer {
	grpc_op ops[3];
	size_t count;
	grpc_metadata trailer;
	grpc_slice message;
};

static void add_status(struct rt_call *call, struct answer *answer, const struct rt_status *status)
{
	grpc_op *op = &answer->ops[answer->count++];
	*op = (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
	op->data.send_status_from_server.status = (grpc_status_code)rt_code_grpc(status->code);
	answer->message = grpc_empty_slice();
	answer->trailer.value = grpc_empty_slice();
	if (rt_is_ok(status))
		return;
	char text[RT_WIRE_MESSAGE_BYTES];
	rt_wire_message(status, &call->trace, text);
	answer->message = grpc_slice_from_copied_string(text);
	op->data.send_status_from_server.status_details = &answer->message;
	uint8_t bytes[RT_WIRE_STATUS_BYTES_MAX];
	size_t length = rt_wire_status_pack(status, text, bytes);
	answer->trailer.key = grpc_slice_from_static_string("grpc-status-details-bin");
	answer->trailer.value = grpc_slice_from_copied_buffer((const char *)bytes, length);
	op->data.send_status_from_server.trailing_metadata = &answer->trailer;
	op->data.send_status_from_server.trailing_metadata_count = length > 0;
}

/* Takes the reply. */
static void send_answer(struct rt_call *call, const struct rt_status *status,
			grpc_byte_buffer *reply)
{
	struct answer answer = {.count = 0};
	if (!call->stream.metadata_sent)
		answer.ops[answer.count++] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
	if (reply != NULL) {
		answer.ops[answer.count] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
		answer.ops[answer.count++].data.send_message.send_message = reply;
	}
	add_status(call, &answer, status);
	rt_call_batch(call, answer.ops, answer.count, RT_TAG_ANSWERED);
	/* gRPC has references of its own by now. */
	grpc_byte_buffer_destroy(reply);
	grpc_slice_unref(answer.message);
	grpc_slice_unref(answer.trailer.value);
}

void rt_call_answer(struct rt_call *call, struct rt_status status)
{
	if (atomic_exchange(&call->answered, true))
		return;
	record(call, &status);
	send_answer(call, &status, NULL);
}

/* A reply that the contract can't carry is a mistake of ours, and must not leave as a success. */
static struct rt_status check_reply(const struct rt_call *call, const ProtobufCMessage *reply)
{
	if (reply == NULL)
		return RT_FAIL(INTERNAL, "NO_REPLY", "the handler ended without a reply");
	RT_ASSERT(reply->descriptor == call->served->method->reply);
	return rt_ok();
}

/* Who does not read the answer takes nobody else's place. */
static void give_back_load(struct rt_call *call)
{
	if (call->loaded)
		rt_share_give(&call->server->load, call->caller.identity, 1);
	call->loaded = false;
}

void rt_call_linger(struct rt_call *call)
{
	RT_ASSERT(rt_call_is_stream(call));
	give_back_load(call);
}

static void finish(struct rt_call *call)
{
	give_back_load(call);
	rt_give_back_stream(call);
	/* The reply is packed: what it was made of need not wait for who reads it. */
	if (!rt_call_is_stream(call))
		rt_arena_deinit(&call->arena);
	rt_large_finished(call);
	rt_call_drop(call);
}

/* A thread that writes to a connection which another one reads contends with it in gRPC for every
 * frame, and wakes it for every answer. So all answers are sent by the thread that reads; the first
 * of a burst wakes it. */
static void leave_to_intake(struct rt_call *call)
{
	struct rt_intake *intake = call->intake;
	rt_call_hold(call); /* as soon as it is in the list, it may be sent and be gone */
	struct rt_call *latest = atomic_load(&intake->ended);
	do {
		call->ended_next = latest;
	} while (!atomic_compare_exchange_weak(&intake->ended, &latest, call));
	if (latest == NULL)
		rt_call_batch(call, NULL, 0, RT_TAG_ENDED);
	rt_call_drop(call);
}

static struct rt_call *take_ended(struct rt_intake *intake)
{
	struct rt_call *call = atomic_exchange(&intake->ended, NULL);
	struct rt_call *first = NULL;
	while (call != NULL) {
		struct rt_call *earlier = call->ended_next;
		call->ended_next = first;
		first = call;
		call = earlier;
	}
	return first;
}

void rt_intake_send_ended(struct rt_intake *intake)
{
	for (struct rt_call *call = take_ended(intake), *next; call != NULL; call = next) {
		next = call->ended_next;
		send_answer(call, &call->outcome, call->reply);
		finish(call);
	}
}

void rt_call_add(struct rt_call *call, const ProtobufCMessage *part)
{
	RT_ASSERT(!rt_call_is_stream(call));
	RT_ASSERT(part->descriptor == call->served->method->reply);
	if (call->pieces == NULL)
		call->pieces = rt_pieces_new();
	rt_pieces_add(call->pieces, part);
}

static grpc_byte_buffer *pack_reply(struct rt_call *call, const ProtobufCMessage *reply)
{
	if (call->pieces == NULL)
		return rt_buffer_pack(reply);
	rt_pieces_add(call->pieces, reply);
	return rt_pieces_take(call->pieces);
}

static void end_unary(struct rt_call *call, struct rt_status status, const ProtobufCMessage *reply)
{
	if (rt_is_ok(&status))
		status = check_reply(call, reply);
	if (atomic_exchange(&call->answered, true)) {
		finish(call);
		return;
	}
	record(call, &status);
	call->outcome = status;
	call->reply = rt_is_ok(&status) ? pack_reply(call, reply) : NULL;
	if (pthread_equal(pthread_self(), call->intake->thread)) {
		send_answer(call, &call->outcome, call->reply);
		finish(call);
	} else {
		leave_to_intake(call);
	}
}

void rt_call_end(struct rt_call *call, struct rt_status status, const ProtobufCMessage *reply)
{
	if (rt_call_is_stream(call)) {
		rt_stream_end(call, status);
		finish(call);
	} else {
		end_unary(call, status, reply);
	}
}

/* The caller has gone, or has had its answer. */
static void closed(struct rt_call *call)
{
	if (call->closed_early == 0)
		return;
	atomic_store(&call->cancelled, true);
	rt_stream_leave(call);
}

void rt_call_event(struct rt_tag *tag, bool success)
{
	struct rt_call *call = tag->call;
	RT_ASSERT(tag->kind != RT_TAG_ARRIVED && tag->kind < RT_TAG_COUNT);
	switch (tag->kind) {
	case RT_TAG_CLOSED:
		closed(call);
		break;
	case RT_TAG_SENT:
		rt_stream_sent(call, success);
		break;
	case RT_TAG_RECEIVED:
		if (rt_call_is_stream(call))
			rt_stream_received(call, success);
		else
			rt_large_received(call, success);
		break;
	case RT_TAG_ENDED:
		rt_intake_send_ended(call->intake);
		break;
	case RT_TAG_ANSWERED:
	case RT_TAG_ARRIVED:
	case RT_TAG_COUNT:
	case RT_TAG_SHUTDOWN:
		break;
	}
	rt_call_drop(call);
}

static void give_up(struct rt_call *call)
{
	call->given_up = true;
	grpc_call_cancel_with_status(call->grpc, GRPC_STATUS_DEADLINE_EXCEEDED, "deadline", NULL);
}

static void expire(struct rt_call *call)
{
	if (call->ends_with_token && !atomic_load(&call->answered)) {
		call->given_up = !rt_stream_break(call, rt_stream_token_expired());
		return;
	}
	struct rt_status status = RT_FAIL(DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
					  "the deadline passed; it may have taken effect");
	if (rt_call_is_stream(call) || atomic_load(&call->answered)) {
		give_up(call);
		return;
	}
	if (rt_large_is_slow(call, rt_clock_mono_us()))
		status = RT_FAIL(RESOURCE_EXHAUSTED, "SLOW_CALLER",
				 "the request takes too long to come");
	rt_call_answer(call, status);
}

/* Once is enough: those whose handlers don't come back would be all that is ever looked after. */
static bool is_late(const struct rt_call *call, int64_t now_us)
{
	if (call->given_up)
		return false;
	int64_t unread_us = atomic_load(&call->answered) ? UNREAD_US : 0;
	return call->deadline_us <= now_us - unread_us || rt_large_is_slow(call, now_us);
}

void rt_intake_expire(struct rt_intake *intake, int64_t now_us)
{
	enum { AT_ONCE = 64 };
	struct rt_call *late[AT_ONCE];
	size_t count = 0;
	rt_lock_take(&intake->lock);
	for (struct rt_call *call = intake->active; call != NULL && count < AT_ONCE;
	     call = call->next) {
		if (is_late(call, now_us) && rt_call_try_hold(call))
			late[count++] = call;
	}
	rt_lock_give(&intake->lock);
	for (size_t i = 0; i < count; i++) {
		expire(late[i]);
		rt_call_drop(late[i]);
	}
}

void *rt_call_service(const struct rt_call *call)
{
	return call->server->service;
}

void *rt_call_worker(const struct rt_call *call)
{
	return call->worker;
}

const ProtobufCMessage *rt_call_request(const struct rt_call *call)
{
	return call->request;
}

struct rt_arena *rt_call_arena(struct rt_call *call)
{
	return &call->arena;
}

struct rt_status rt_call_unpack(struct rt_call *call, const ProtobufCMessageDescriptor *descriptor,
				const ProtobufCBinaryData *bytes, const ProtobufCMessage **message)
{
	return rt_message_unpack(descriptor, bytes->data, bytes->len, rt_call_arena(call), message);
}

void rt_call_set_context(struct rt_call *call, void *context, void (*destroy)(void *context))
{
	RT_ASSERT(call->context == NULL);
	call->context_destroy = destroy;
	call->context = context;
}

void *rt_call_context(const struct rt_call *call)
{
	return call->context;
}

const struct rt_caller *rt_call_caller(const struct rt_call *call)
{
	return &call->caller;
}

int64_t rt_call_deadline_us(const struct rt_call *call)
{
	return call->deadline_us;
}

const struct rt_trace *rt_call_trace(const struct rt_call *call)
{
	return &call->trace;
}

bool rt_call_cancelled(const struct rt_call *call)
{
	return atomic_load(&call->cancelled);
}
