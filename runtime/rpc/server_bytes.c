/* How many bytes of messages the server holds at once. What is more is refused, as too many calls
 * are; and since gRPC tells the size of a message only when all of it is in memory, those of
 * RT_UNARY_LARGE methods are asked for one at a time of each identity. */
#include "rpc/byte_buffer.h"
#include "rpc/server_internal.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/id.h"

/* Messages of one identity that are being read at once. Whoever is slow keeps others of their own
 * kind from their turn, but not for long; and nobody else: else a few who send nothing would keep
 * payments from posting. */
#define READING_MAX 1
#define READ_US_MAX (2 * RT_US_PER_S)

struct rt_status rt_shed(struct rt_call *call, const char *what)
{
	rt_series_add(call->served->shed, 1);
	struct rt_status status =
		RT_FAIL(RESOURCE_EXHAUSTED, "OVERLOADED", "too many %s are in flight", what);
	status.retry_after_ms =
		100 + (int64_t)rt_random_below(200); /* so that they don't all come back at once */
	return status;
}

struct rt_status rt_admit_bytes(struct rt_call *call, grpc_byte_buffer **message)
{
	struct rt_server *server = call->server;
	if (*message == NULL || call->served->internal)
		return rt_ok();
	size_t bytes = grpc_byte_buffer_length(*message);
	if (bytes > server->message_bytes_max)
		return RT_FAIL(RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE",
			       "the request has more than %zu bytes", server->message_bytes_max);
	/* One may be as large as a message may be, when it is alone. */
	if (rt_share_take(&server->bytes, call->caller.identity, (int64_t)bytes,
			  (int64_t)server->bytes_in_flight_max)) {
		call->bytes = bytes;
		return rt_ok();
	}
	/* Before the caller has read why, others may come. */
	grpc_byte_buffer_destroy(*message);
	*message = NULL;
	rt_buffer_freed(bytes);
	return rt_shed(call, "bytes of requests");
}

void rt_give_back_bytes(struct rt_call *call)
{
	rt_share_give(&call->server->bytes, call->caller.identity, (int64_t)call->bytes);
	call->bytes = 0;
}

static void read_large(struct rt_call *call)
{
	call->reading_since_us = rt_clock_mono_us();
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
	op.data.recv_message.recv_message = &call->payload;
	rt_call_batch(call, &op, 1, RT_TAG_RECEIVED);
}

void rt_large_init(struct rt_large *large)
{
	rt_lock_init(&large->lock, RT_RANK_QUEUE);
	for (size_t i = 0; i < RT_ID_COUNT; i++)
		large->turns[i] = (struct rt_turns){.last = &large->turns[i].first};
}

static struct rt_turns *turns_of(const struct rt_call *call)
{
	return &call->server->large.turns[call->caller.identity];
}

/* Another message of an identity is asked for when the one before has come, and not while the
 * identity's calls take more than half of what there is: it would be read in order to be refused.
 */
static struct rt_call *take_turn(struct rt_server *server, struct rt_turns *turns)
{
	RT_LOCKED(&server->large.lock);
	struct rt_call *next = turns->first;
	if (next == NULL || turns->reading == READING_MAX ||
	    turns->bytes > server->bytes_in_flight_max / 2)
		return NULL;
	turns->reading++;
	turns->first = next->waiting_next;
	if (turns->first == NULL)
		turns->last = &turns->first;
	return next;
}

static void read_next(struct rt_server *server, struct rt_turns *turns)
{
	struct rt_call *next = take_turn(server, turns);
	if (next != NULL)
		read_large(next);
}

void rt_large_arrived(struct rt_call *call)
{
	struct rt_server *server = call->server; /* the call may be gone when it is in the list */
	struct rt_turns *turns = turns_of(call);
	rt_lock_take(&server->large.lock);
	call->waiting_next = NULL;
	*turns->last = call;
	turns->last = &call->waiting_next;
	rt_lock_give(&server->large.lock);
	read_next(server, turns);
}

static void count_read(struct rt_call *call, struct rt_turns *turns)
{
	RT_LOCKED(&call->server->large.lock);
	turns->reading--;
	turns->bytes += call->bytes;
}

void rt_large_received(struct rt_call *call, bool success)
{
	struct rt_turns *turns = turns_of(call);
	call->reading_since_us = 0;
	struct rt_status status = rt_admit_bytes(call, &call->payload);
	count_read(call, turns);
	read_next(call->server, turns);
	if (!success)
		status = RT_FAIL(CANCELLED, "CANCELLED", "the message did not come");
	if (rt_is_ok(&status))
		rt_server_dispatch(call);
	else
		rt_call_end(call, status, NULL);
}

static void count_finished(struct rt_call *call, struct rt_turns *turns)
{
	RT_LOCKED(&call->server->large.lock);
	turns->bytes -= call->bytes;
}

void rt_large_finished(struct rt_call *call)
{
	const struct rt_method *method = call->served->method;
	if (method == NULL || method->kind != RT_UNARY_LARGE || call->bytes == 0)
		return; /* another method's; or it never had its turn, or was refused */
	struct rt_turns *turns = turns_of(call);
	count_finished(call, turns);
	read_next(call->server, turns);
}

bool rt_large_is_slow(const struct rt_call *call, int64_t now_us)
{
	return call->reading_since_us != 0 && now_us - call->reading_since_us > READ_US_MAX;
}
