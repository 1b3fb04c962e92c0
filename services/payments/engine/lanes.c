/* What the lanes do: a batch of items of all kinds becomes one transaction; then each is told. */
#include <string.h>

#include "engine/calls.h"
#include "engine/executor_internal.h"
#include "engine/fail_point.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/log.h"

/* How long one transaction may take. */
#define BATCH_US_MAX (10 * RT_US_PER_S)

#define OWNER(lane_item, type, member)                                                             \
	((type *)(void *)((char *)(lane_item)-offsetof(type, member)))

static struct saga *saga_of(struct lane_item *lane)
{
	return OWNER(lane, struct saga, lane);
}

static struct payment_creation *creation_of(struct lane_item *lane)
{
	return OWNER(lane, struct payment_creation, lane);
}

static struct payment_notification *notification_of(struct lane_item *lane)
{
	return OWNER(lane, struct payment_notification, lane);
}

static bool batch_init(struct payment_batch *batch, size_t count, struct rt_arena *arena)
{
	batch->entries = rt_arena_array(arena, count * 2, sizeof(struct payment_entry *));
	batch->advances = rt_arena_array(arena, count, sizeof(struct payment_advance *));
	batch->probes = rt_arena_array(arena, count, sizeof(struct payment_probe *));
	batch->notices = rt_arena_array(arena, count, sizeof(struct payment_notice *));
	batch->calls = rt_arena_array(arena, count, sizeof(struct payment_call *));
	batch->tries = rt_arena_array(arena, count, sizeof(struct payment_try *));
	return !arena->overflowed;
}

static struct payment_advance *make_advance(const struct saga *saga, int64_t now_us,
					    struct rt_arena *arena)
{
	struct payment_advance *advance = rt_arena_alloc(arena, sizeof(*advance));

	if (advance == NULL)
		return NULL;
	*advance = (struct payment_advance){
		.kind = saga->plan->kind,
		.ledger_id = saga->ledger_id,
		.payment_id = saga->standing.payment_id,
		.version = saga->standing.version,
		.fence = saga->fence,
		.state = saga->standing.state,
		.parent_id = saga->parent_id,
		.amount_minor = saga->amount_minor,
		.change_count = saga->decision.change_count,
		.time_us = now_us,
	};
	for (size_t i = 0; i < advance->change_count; i++)
		advance->changes[i] = saga->decision.changes[i];
	if (saga->action != NULL &&
	    advance->changes[advance->change_count - 1].state == PAYMENT_REQUIRES_ACTION) {
		advance->action_url = saga->action;
		advance->action_data = saga->action + strlen(saga->action) + 1;
	}
	return advance;
}

static struct payment_probe *make_probe(const struct saga *saga, struct rt_arena *arena)
{
	struct payment_probe *probe = rt_arena_alloc(arena, sizeof(*probe));

	if (probe == NULL)
		return NULL;
	*probe = (struct payment_probe){.ledger_id = saga->ledger_id,
					.payment_id = saga->standing.payment_id,
					.state = saga->standing.state};
	return probe;
}

static struct payment_try *make_try(const struct saga *saga, int64_t now_us, struct rt_arena *arena)
{
	struct payment_try *try = rt_arena_alloc(arena, sizeof(*try));

	if (try == NULL)
		return NULL;
	*try = (struct payment_try){.ledger_id = saga->ledger_id,
				    .payment_id = saga->standing.payment_id,
				    .attempts = saga->attempts,
				    .reason = saga->next_reason,
				    .time_us = now_us,
				    .next_us = now_us + saga->pause_us};
	return try;
}

/* The saga's last call is written with whatever is written of the saga. */
static void add_call(struct payment_batch *batch, const struct saga *saga, struct rt_arena *arena)
{
	if (call_ended(saga))
		batch->calls[batch->call_count++] = call_to_write(saga, arena);
}

static void add(struct payment_batch *batch, struct lane_item *lane, int64_t now_us,
		struct rt_arena *arena)
{
	switch (lane->kind) {
	case LANE_FIND:
	case LANE_INSERT:
		creation_of(lane)->attempted = lane->kind == LANE_INSERT;
		batch->entries[batch->entry_count++] = &creation_of(lane)->entry;
		if (lane->kind == LANE_INSERT && creation_of(lane)->entry.pair != NULL)
			batch->entries[batch->entry_count++] = creation_of(lane)->entry.pair;
		return;
	case LANE_ADVANCE:
		batch->advances[batch->advance_count++] =
			make_advance(saga_of(lane), now_us, arena);
		add_call(batch, saga_of(lane), arena);
		return;
	case LANE_TRY:
		batch->tries[batch->try_count++] = make_try(saga_of(lane), now_us, arena);
		add_call(batch, saga_of(lane), arena);
		return;
	case LANE_PROBE:
		batch->probes[batch->probe_count++] = make_probe(saga_of(lane), arena);
		return;
	case LANE_NOTICE:
		batch->notices[batch->notice_count++] = &notification_of(lane)->notice;
		return;
	}
}

/* The batch's lists are in the order of the items. */
struct cursor {
	size_t advance;
	size_t probe;
};

/* Another process that has the payment hears of it through the database. */
static void notice_kept(struct executor *executor, struct payment_notification *notification)
{
	struct rt_uuid payment_id;

	if (notification->notice.other) {
		notification->done(notification,
				   RT_FAIL(FAILED_PRECONDITION, "IDEMPOTENCY_PAYLOAD_MISMATCH",
					   "another notification has this id"));
		return;
	}
	if (rt_uuid_parse(notification->notice.reference, &payment_id))
		executor_wake(executor, &payment_id);
	notification->done(notification, rt_ok());
}

static void answer(struct executor *executor, struct lane_item *lane,
		   const struct payment_batch *batch, struct cursor *cursor)
{
	const struct payment_advance *advance = NULL;

	switch (lane->kind) {
	case LANE_FIND:
		creation_looked_up(creation_of(lane));
		return;
	case LANE_INSERT:
		creation_recorded(creation_of(lane));
		return;
	case LANE_ADVANCE:
		advance = batch->advances[cursor->advance++];
		saga_written(executor, saga_of(lane), advance->written, advance->time_us);
		return;
	case LANE_TRY:
		saga_tried(executor, saga_of(lane));
		return;
	case LANE_PROBE:
		saga_probed(executor, saga_of(lane), batch->probes[cursor->probe++]);
		return;
	case LANE_NOTICE:
		notice_kept(executor, notification_of(lane));
		return;
	}
}

/* The step boundaries of a transaction, for test builds. */
static void reach(struct rt_commit_item *const *items, size_t count, enum fail_point record,
		  enum fail_point write)
{
	for (size_t i = 0; i < count; i++) {
		struct lane_item *lane = (struct lane_item *)items[i];

		if (lane->kind == LANE_INSERT) {
			const struct payment_creation *creation = creation_of(lane);

			fail_point_reach(record, creation->standing.state,
					 creation->request.amount_minor);
		} else if (lane->kind == LANE_ADVANCE) {
			const struct saga *saga = saga_of(lane);
			const struct saga_decision *decision = &saga->decision;

			fail_point_reach(write, decision->changes[decision->change_count - 1].state,
					 saga->amount_minor);
		}
	}
}

struct rt_status lanes_batch(void *context, struct rt_pg *pg, struct rt_commit_item **items,
			     size_t count, struct rt_arena *arena)
{
	struct executor *executor = context;
	struct payment_batch batch = {.worker_id = executor->worker_id};
	struct cursor cursor = {0};
	int64_t now_us = rt_clock_wall_us();

	if (!batch_init(&batch, count, arena))
		return RT_FAIL(INTERNAL, "OUT_OF_MEMORY", "the batch does not fit");
	for (size_t i = 0; i < count; i++)
		add(&batch, (struct lane_item *)items[i], now_us, arena);
	if (arena->overflowed)
		return RT_FAIL(INTERNAL, "OUT_OF_MEMORY", "the batch does not fit");
	reach(items, count, FAIL_RECORD_BEFORE, FAIL_WRITE_BEFORE);
	RT_TRY(payment_batch_run(pg, &batch, arena, rt_clock_mono_us() + BATCH_US_MAX));
	reach(items, count, FAIL_RECORD_AFTER, FAIL_WRITE_AFTER);
	for (size_t i = 0; i < count; i++)
		answer(executor, (struct lane_item *)items[i], &batch, &cursor);
	executor_pump(executor);
	return rt_ok();
}

void lanes_fail(void *context, struct rt_commit_item *item, struct rt_status status)
{
	struct executor *executor = context;
	struct lane_item *lane = (struct lane_item *)item;

	switch (lane->kind) {
	case LANE_FIND:
	case LANE_INSERT:
		creation_failed(creation_of(lane), status);
		return;
	case LANE_TRY:
		saga_tried(executor, saga_of(lane));
		return;
	case LANE_ADVANCE:
	case LANE_PROBE:
		saga_write_failed(executor, saga_of(lane), status);
		return;
	case LANE_NOTICE:
		notification_of(lane)->done(notification_of(lane), status);
		return;
	}
}

void executor_notify(struct executor *executor, struct payment_notification *notification)
{
	uint64_t hash = 0;

	for (const char *c = notification->notice.notification_id; *c != '\0'; c++)
		hash = hash * 31 + (uint8_t)*c;
	notification->executor = executor;
	notification->lane = (struct lane_item){
		.item = {.key = executor_shard_key(executor, hash),
			 .weight = 1,
			 .deadline_mono_us = notification->deadline_mono_us},
		.kind = LANE_NOTICE,
	};
	struct rt_status status = rt_commit_submit(executor->commit, &notification->lane.item);

	if (!rt_is_ok(&status))
		notification->done(notification, status);
}
