/* PostStream: a window of one stream's groups is in flight at a time, so that they share
 * transactions; their outcomes go out in the order of the requests. Each message keeps its own
 * memory until its outcomes are sent. */
#include <stdlib.h>
#include <string.h>

#include "daler/accounts/v1/accounts.pb-c.h"
#include "engine/posting.h"
#include "rpc/handlers.h"
#include "rpc/map.h"
#include "rpc/reply.h"
#include "rpc/service.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/lock.h"
#include "rt/rpc_server.h"

/* Together they bound what a stream takes of memory. */
#define WINDOW_GROUPS_MAX    1000
#define WINDOW_TRANSFERS_MAX 4000
/* Reading goes on when so much of the window is free again: not for each message by itself. */
#define WINDOW_GROUPS_FREE   (WINDOW_GROUPS_MAX / 4)
#define GROUP_US_MAX         (15 * RT_US_PER_S)

/* Of one message: small against the window, so that it is filled by several. */
static const struct map_bounds message_bounds = {.groups_max = 100, .transfers_max = 1000};

struct stream;

/* One message: its groups are in flight, or answered and not sent yet. */
struct entry {
	struct posting_request request; /* first */
	struct entry *next;
	struct stream *stream;
	struct rt_taken taken; /* the message, whose arena holds the entry too */
	struct rt_status status;
	Daler__Accounts__V1__Outcome **outcomes; /* NULL until it is answered with them */
	bool answered;
};

/* Owned by the call. What follows the lock is guarded by it. */
struct stream {
	struct rt_call *call;
	struct rt_uuid ledger_id;
	bool has_ledger;
	struct rt_lock lock;
	struct entry *first, **last;
	size_t groups, transfers; /* of the list */
	bool reading;             /* a message is awaited, or with the handler */
	bool closed;              /* no more will come, or be taken */
	bool broken;              /* an outcome could not be sent: no later one is */
	bool ended;
	struct rt_status end; /* what the call is to end with */
};

static void destroy_stream(void *context)
{
	struct stream *stream = context;
	RT_ASSERT(stream->first == NULL);
	rt_lock_deinit(&stream->lock);
	free(stream);
}

static void drop_entry(struct entry *entry)
{
	struct rt_taken taken = entry->taken;
	rt_call_drop_message(entry->stream->call, &taken);
}

/* What is said first stands. */
static void close_stream(struct stream *stream, struct rt_status status)
{
	if (!rt_is_ok(&status) && rt_is_ok(&stream->end))
		stream->end = status;
	stream->closed = true;
}

static void remove_first(struct stream *stream)
{
	struct entry *entry = stream->first;
	stream->first = entry->next;
	if (stream->first == NULL)
		stream->last = &stream->first;
	stream->groups -= entry->request.group_count;
	stream->transfers -= entry->request.transfer_count;
	drop_entry(entry);
}

static void send_first(struct stream *stream)
{
	struct entry *entry = stream->first;
	Daler__Accounts__V1__PostStreamResponse reply;
	daler__accounts__v1__post_stream_response__init(&reply);
	reply.outcomes = entry->outcomes;
	reply.n_outcomes = entry->outcomes == NULL ? 0 : entry->request.group_count;
	if (!stream->broken && rt_is_ok(&entry->status))
		entry->status = rt_call_send(stream->call, &reply.base);
	if (!stream->broken && !rt_is_ok(&entry->status)) {
		stream->broken =
			true; /* and that is what the call ends with, whatever came after it */
		stream->closed = true;
		stream->end = entry->status;
	}
	remove_first(stream);
}

/* Sends what can be sent, and reads on when the window has room. Returns whether the call is to be
 * ended, once the lock is given back: whoever is told so ends it, and then nobody touches the
 * stream. */
static bool advance(struct stream *stream)
{
	if (stream->ended)
		return false;
	while (stream->first != NULL && stream->first->answered &&
	       rt_call_send_room(stream->call) > 0)
		send_first(stream);
	stream->ended = stream->closed && stream->first == NULL;
	if (!stream->closed && !stream->reading &&
	    stream->groups <= WINDOW_GROUPS_MAX - WINDOW_GROUPS_FREE &&
	    stream->transfers <= WINDOW_TRANSFERS_MAX / 2) {
		stream->reading = true;
		rt_call_next(stream->call);
	}
	return stream->ended;
}

static void answer(struct posting_request *request, struct rt_status status,
		   const struct outcome *outcomes)
{
	struct entry *entry = (struct entry *)(void *)request;
	struct stream *stream = entry->stream;
	if (rt_is_ok(&status)) {
		entry->outcomes = map_outcomes(request->groups, outcomes, request->group_count,
					       &entry->taken.arena);
		if (entry->taken.arena.overflowed)
			status = RT_FAIL(RESOURCE_EXHAUSTED, "ANSWER_TOO_LARGE",
					 "the answer needs too much memory");
	}
	rt_lock_take(&stream->lock);
	entry->status = status;
	entry->answered = true;
	/* Those behind an unanswered one wait for it: then there is nothing to do. */
	bool end = stream->first == entry && advance(stream);
	rt_lock_give(&stream->lock);
	if (end)
		rt_call_end(stream->call, stream->end, NULL);
}

static void sent(struct rt_call *call, void *context)
{
	struct stream *stream = context;
	(void)call;
	rt_lock_take(&stream->lock);
	bool end = advance(stream);
	rt_lock_give(&stream->lock);
	if (end)
		rt_call_end(stream->call, stream->end, NULL);
}

static void stop_reading(struct stream *stream, struct rt_status status)
{
	rt_lock_take(&stream->lock);
	if (!stream->ended)
		close_stream(stream, status);
	bool end = advance(stream);
	rt_lock_give(&stream->lock);
	if (end)
		rt_call_end(stream->call, stream->end, NULL);
}

static void leave(struct rt_call *call, void *context)
{
	if (rt_call_cancelled(call))
		stop_reading(context, RT_FAIL(CANCELLED, "CANCELLED", "the caller has gone"));
	else
		stop_reading(context,
			     RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "the server is shutting down"));
}

static struct stream *stream_of(struct rt_call *call)
{
	struct stream *stream = rt_call_context(call);
	if (stream != NULL)
		return stream;
	stream = calloc(1, sizeof(*stream));
	RT_ASSERT(stream != NULL);
	stream->call = call;
	stream->last = &stream->first;
	stream->reading = true;
	rt_lock_init(&stream->lock, RT_RANK_SERVICE);
	rt_call_set_context(call, stream, destroy_stream);
	rt_call_on_sent(call, sent, stream);
	return stream;
}

static struct rt_status read_groups(struct stream *stream,
				    const Daler__Accounts__V1__PostStreamRequest *asked,
				    struct entry *entry)
{
	struct rt_uuid ledger_id;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	if (stream->has_ledger && !rt_uuid_equal(&stream->ledger_id, &ledger_id))
		return RT_BAD_FIELD("INVALID_FIELD", "ledger_id",
				    "must be the same in all requests of a stream");
	stream->ledger_id = ledger_id;
	stream->has_ledger = true;
	return map_groups(asked->groups, asked->n_groups, &message_bounds, &ledger_id,
			  &entry->taken.arena, &entry->request.groups,
			  &entry->request.transfer_count);
}

/* Makes the entry of the message that has come. Errors: then there is none. */
static struct rt_status make_entry(struct stream *stream, struct entry **made)
{
	const Daler__Accounts__V1__PostStreamRequest *asked =
		(const Daler__Accounts__V1__PostStreamRequest *)rt_call_request(stream->call);
	struct rt_taken taken;
	rt_call_take_message(stream->call, &taken);
	struct entry *entry = rt_arena_alloc(&taken.arena, sizeof(*entry));
	if (entry == NULL) {
		rt_call_drop_message(stream->call, &taken);
		return RT_FAIL(RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE",
			       "the request needs too much memory");
	}
	*entry = (struct entry){
		.taken = taken,
		.stream = stream,
		.request = {.group_count = asked->n_groups, .answer = answer},
	};
	struct rt_status status = read_groups(stream, asked, entry);
	if (!rt_is_ok(&status)) {
		drop_entry(entry);
		return status;
	}
	*made = entry;
	return rt_ok();
}

/* Puts it at the end of the list. False when the call has ended meanwhile. */
static bool enlist(struct stream *stream, struct entry *entry)
{
	RT_LOCKED(&stream->lock);
	if (stream->closed)
		return false;
	*stream->last = entry;
	stream->last = &entry->next;
	stream->groups += entry->request.group_count;
	stream->transfers += entry->request.transfer_count;
	return true;
}

static int64_t group_deadline_us(const struct rt_call *call)
{
	int64_t latest_us = rt_clock_mono_us() + GROUP_US_MAX;
	int64_t deadline_us = rt_call_deadline_us(call);
	return deadline_us < latest_us ? deadline_us : latest_us;
}

static void submit(struct stream *stream, struct entry *entry)
{
	const struct accounts_service *service = rt_call_service(stream->call);
	struct rt_status status =
		posting_submit(service->posting, &entry->request, &stream->ledger_id,
			       reply_caller(stream->call), group_deadline_us(stream->call));
	if (!rt_is_ok(&status))
		answer(&entry->request, status, NULL);
}

/* The handler is done with a message: reads on while the window has room. */
static void read_on(struct stream *stream)
{
	RT_LOCKED(&stream->lock);
	stream->reading = !stream->closed && stream->groups < WINDOW_GROUPS_MAX &&
			  stream->transfers < WINDOW_TRANSFERS_MAX;
	if (stream->reading)
		rt_call_next(stream->call);
}

void accounts_post_stream(struct rt_call *call)
{
	bool first = rt_call_context(call) == NULL;
	struct stream *stream = stream_of(call);
	if (first)
		rt_call_on_leave(call, leave, stream);
	if (rt_call_request(call) == NULL) { /* half-closed, or broken off */
		stop_reading(stream, rt_ok());
		return;
	}
	struct entry *entry = NULL;
	struct rt_status status = make_entry(stream, &entry);
	if (!rt_is_ok(&status)) {
		stop_reading(stream, status);
		return;
	}
	if (!enlist(stream, entry)) {
		drop_entry(entry);
		return;
	}
	submit(stream, entry);
	read_on(stream);
}
