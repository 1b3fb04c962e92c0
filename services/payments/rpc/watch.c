/* Watch: a ledger's changes of payments, as they are committed, from a position. */
#include <stdlib.h>
#include <string.h>

#include "domain/page.h"
#include "domain/request.h"
#include "engine/feed.h"
#include "rpc/map.h"
#include "rpc/service.h"
#include "rt/assert.h"
#include "rt/text.h"

#define MESSAGE_BYTES ((size_t)64 << 10)
#define ROOM_AGAIN    32

struct watching {
	struct feed_watcher watcher;
	struct feed *feed;
	struct rt_call *call;
	struct rt_page_seal seal;
};

static size_t room(void *context)
{
	const struct watching *watching = context;

	return rt_call_send_room(watching->call);
}

static bool deliver(void *context, const struct feed_change *change, const struct page_place *place)
{
	struct watching *watching = context;
	char position[PAGE_TOKEN_BYTES];
	Daler__Payments__V1__WatchResponse message;
	CLEANUP(rt_arena_deinit) struct rt_arena arena;

	rt_arena_init(&arena, MESSAGE_BYTES);
	daler__payments__v1__watch_response__init(&message);
	page_token_make(&watching->seal, place, position);
	message.position = position;
	if (change != NULL) {
		message.payment = map_record(&change->record, &arena);
		bool whole = map_refusal(message.payment, &change->record.standing,
					 &change->refusal, &arena);

		RT_ASSERT(whole);
	}
	struct rt_status status = rt_call_send(watching->call, &message.base);

	return rt_is_ok(&status);
}

/* One that could take nothing more is looked after when half of what waited has gone out. */
static void sent(struct rt_call *call, void *context)
{
	struct watching *watching = context;

	if (atomic_load(&watching->watcher.stalled) && rt_call_send_room(call) >= ROOM_AGAIN)
		feed_wake(watching->feed);
}

static void ended(void *context, struct rt_status status)
{
	struct watching *watching = context;

	/* The feed knows that it was left, and not by whom: a caller that is there goes on
	 * elsewhere. */
	if (status.code == RT_CANCELLED && !rt_call_cancelled(watching->call))
		status = RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "the server is shutting down");
	rt_call_end(watching->call, status, NULL);
}

static void leave(struct rt_call *call, void *context)
{
	struct watching *watching = context;

	(void)call;
	atomic_store(&watching->watcher.left, true);
	feed_wake(watching->feed);
}

static struct rt_page_seal seal_of(const struct feed_watcher *watcher)
{
	struct rt_digest digest = page_seal_begin("Watch");

	rt_digest_bytes(&digest, watcher->ledger_id.bytes, sizeof(watcher->ledger_id.bytes));
	rt_digest_text(&digest, watcher->caller);
	return rt_page_seal_end(&digest);
}

static struct rt_status read_request(struct rt_call *call, struct watching *watching)
{
	const Daler__Payments__V1__WatchRequest *request = (const void *)rt_call_request(call);
	const struct rt_caller *caller = rt_call_caller(call);
	struct feed_watcher *watcher = &watching->watcher;

	RT_TRY(rt_uuid_field("ledger_id", request->ledger_id, &watcher->ledger_id));
	RT_TRY(rt_ascii_field("caller", request->caller, 0, PAYMENT_CALLER_BYTES - 1, NULL));
	RT_TRY(payment_name_check("caller", request->caller));
	memcpy(watcher->caller, request->caller, strlen(request->caller) + 1);
	if (caller->role == RT_ROLE_PLAYER)
		map_caller(caller, watcher->caller);
	watcher->from_now = request->from_now;
	watcher->at = feed_place_first();
	watching->seal = seal_of(watcher);
	if (request->position[0] == '\0')
		return rt_ok();
	if (request->from_now)
		return RT_BAD_FIELD("INVALID_FIELD", "from_now", "can't be with a position");
	return page_token_read(&watching->seal, "position", request->position, &watcher->at);
}

static struct rt_status start(struct rt_call *call)
{
	const struct payments_service *service = rt_call_service(call);
	struct watching *watching = calloc(1, sizeof(*watching));

	RT_ASSERT(watching != NULL);
	*watching = (struct watching){
		.feed = service->feed,
		.call = call,
		.watcher = {.room = room, .deliver = deliver, .ended = ended, .context = watching}};
	rt_call_set_context(call, watching, free);
	RT_TRY(read_request(call, watching));
	rt_call_linger(call);
	rt_call_on_sent(call, sent, watching);
	rt_call_on_leave(call, leave, watching);
	return feed_watch(service->feed, &watching->watcher);
}

void payments_watch(struct rt_call *call)
{
	struct rt_status status = start(call);

	if (!rt_is_ok(&status))
		rt_call_end(call, status, NULL);
}
