/* How many streams each caller has open. A stream waits for as long as it likes and counts among no
 * other bound for long, so that one caller could take all there are. Who calls is the identity of
 * the certificate, and with a token the user: what is behind one gateway has one identity. */
#include <stdlib.h>
#include <string.h>

#include "rpc/server_internal.h"
#include "rt/assert.h"

/* Exists while the caller has a stream. */
struct rt_stream_caller {
	struct rt_stream_caller *next;
	enum rt_identity identity;
	struct rt_uuid user_id;
	int64_t open;
};

/* The last bytes of an id are random. */
static struct rt_stream_caller **find(struct rt_streams *streams, const struct rt_caller *caller)
{
	uint64_t tail = 0;
	memcpy(&tail, caller->user_id.bytes + 8, sizeof(tail));
	struct rt_stream_caller **link = &streams->callers[tail % RT_STREAM_BUCKETS];
	while (*link != NULL && ((*link)->identity != caller->identity ||
				 !rt_uuid_equal(&(*link)->user_id, &caller->user_id)))
		link = &(*link)->next;
	return link;
}

static bool take_place(struct rt_server *server, const struct rt_caller *caller)
{
	RT_LOCKED(&server->streams.lock);
	struct rt_stream_caller **link = find(&server->streams, caller);
	if (*link == NULL) {
		*link = calloc(1, sizeof(**link));
		RT_ASSERT(*link != NULL);
		(*link)->identity = caller->identity;
		(*link)->user_id = caller->user_id;
	}
	if ((*link)->open == server->common->streams_per_caller_max)
		return false;
	(*link)->open++;
	return true;
}

struct rt_status rt_admit_stream(struct rt_call *call)
{
	if (!rt_call_is_stream(call) || call->served->internal)
		return rt_ok();
	call->has_place = take_place(call->server, &call->caller);
	if (call->has_place)
		return rt_ok();
	rt_series_add(call->served->shed, 1);
	return RT_FAIL(RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS",
		       "this caller has as many streams open as one may have");
}

void rt_give_back_stream(struct rt_call *call)
{
	if (!call->has_place)
		return;
	call->has_place = false;
	struct rt_streams *streams = &call->server->streams;
	RT_LOCKED(&streams->lock);
	struct rt_stream_caller **link = find(streams, &call->caller);
	RT_ASSERT(*link != NULL && (*link)->open > 0);
	if (--(*link)->open > 0)
		return;
	struct rt_stream_caller *gone = *link;
	*link = gone->next;
	free(gone);
}
