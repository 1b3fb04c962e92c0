/* The clients: each asks, waits for the answer, rests a little, and asks again: for something new,
 * for what it got no answer about, for what somebody asked before, or with an old id for something
 * else. */
#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "rt/assert.h"
#include "rt/clock.h"

#define CALL_US_MAX      (4 * RT_US_PER_S)
#define POLL_US          (2 * RT_US_PER_MS)
#define SLOT_ARENA_BYTES ((size_t)4 << 20)
#define LATEST           256 /* groups of which one is repeated */

enum slot_state { SLOT_IDLE, SLOT_BUSY };

/* A client. */
struct slot {
	struct storm *storm;
	struct rt_arena arena;
	enum slot_state state;
	size_t numbers[BATCH_MAX];
	size_t count;
	bool batch, other_body;
	bool again; /* no answer came: ask once more */
	int64_t sent_us, due_us;
	int64_t pause_us; /* after this call */
};

struct storm {
	const struct storm_config *config;
	struct slot *slots;
	size_t busy;
};

static void hear_outcome(struct slot *slot, size_t index,
			 const Daler__Accounts__V1__Outcome *outcome)
{
	struct record *record = slot->storm->config->record;
	size_t number = slot->numbers[index];
	if (outcome == NULL)
		record_wrong(record, &record->entries[number], "an answer without an outcome");
	else if (outcome->result_case == DALER__ACCOUNTS__V1__OUTCOME__RESULT_REFUSAL)
		record_refusal(record, number, outcome->refusal->reason, slot->other_body);
	else if (slot->other_body)
		record_wrong(record, &record->entries[number], "another body was not refused");
	else
		record_outcome(record, number, outcome, slot->sent_us);
}

static void hear_reply(struct slot *slot, const ProtobufCMessage *reply)
{
	struct record *record = slot->storm->config->record;
	if (!slot->batch) {
		hear_outcome(slot, 0, ((const Daler__Accounts__V1__PostResponse *)reply)->outcome);
		return;
	}
	const Daler__Accounts__V1__PostBatchResponse *batch =
		(const Daler__Accounts__V1__PostBatchResponse *)reply;
	if (batch->n_outcomes != slot->count) {
		record_wrong(record, NULL, "%zu outcomes for %zu groups", batch->n_outcomes,
			     slot->count);
		return;
	}
	for (size_t i = 0; i < slot->count; i++)
		hear_outcome(slot, i, batch->outcomes[i]);
}

static void hear_status(struct slot *slot, const struct rt_status *status)
{
	struct record *record = slot->storm->config->record;
	if (record_is_no_answer(status->code)) {
		record->unanswered++;
		slot->again = !slot->other_body;
	} else if (!slot->batch && status->reason != NULL && status->code != RT_INTERNAL) {
		record_refusal(record, slot->numbers[0], status->reason, slot->other_body);
	} else {
		record_wrong(record, &record->entries[slot->numbers[0]], "%s %s: %s",
			     rt_code_name(status->code),
			     status->reason == NULL ? "" : status->reason, status->detail);
	}
}

/* The end of a call, on the client library's thread. */
static void done(void *context, struct rt_status status, const ProtobufCMessage *reply)
{
	struct slot *slot = context;
	RT_LOCKED(&slot->storm->config->record->lock);
	slot->again = false;
	if (rt_is_ok(&status))
		hear_reply(slot, reply);
	else
		hear_status(slot, &status);
	slot->due_us = rt_clock_mono_us() + slot->pause_us;
	slot->state = SLOT_IDLE;
	slot->storm->busy--;
}

static void take_new(struct slot *slot, struct world *world, struct record *record)
{
	size_t place, count, wanted = slot->batch ? 1 + world_pick(world, BATCH_MAX) : 1;
	RT_LOCKED(&record->lock);
	for (slot->count = 0; slot->count < wanted;) {
		struct wish *wishes = world_wish(world, &place, &count);
		/* One call is of one ledger. */
		if (slot->count > 0 && place != record->entries[slot->numbers[0]].place) {
			free(wishes);
			continue;
		}
		slot->numbers[slot->count++] = record_add(record, place, wishes, count);
	}
}

static void take_old(struct slot *slot, struct world *world, struct record *record)
{
	size_t latest = record->count < LATEST ? record->count : LATEST;
	slot->numbers[0] = record->count - 1 - world_pick(world, latest);
	slot->count = 1;
	RT_LOCKED(&record->lock);
	enum answer answer = record->entries[slot->numbers[0]].answer;
	slot->other_body =
		world_chance(world, 40) && (answer == ANSWER_POSTED || answer == ANSWER_DECLINED);
}

static void choose(struct slot *slot, struct world *world, struct record *record)
{
	if (slot->again && world_chance(world, 75))
		return;
	slot->other_body = false;
	slot->batch = world_chance(world, 25);
	if (record->count > 0 && world_chance(world, 12))
		take_old(slot, world, record);
	else
		take_new(slot, world, record);
}

static void send(struct slot *slot)
{
	const struct storm_config *config = slot->storm->config;
	rt_arena_deinit(&slot->arena);
	const ProtobufCMessage *request =
		message_of(config->world, config->record, slot->numbers, slot->count, slot->batch,
			   slot->other_body, &slot->arena);
	slot->pause_us = (int64_t)world_pick(config->world, (size_t)config->pause_us_max + 1);
	slot->sent_us = rt_clock_mono_us();
	const struct rt_call_options options = {
		.deadline_mono_us = slot->sent_us + CALL_US_MAX,
		.wait_for_ready = world_chance(config->world, 50),
	};
	rt_channel_start(config->channels[world_pick(config->world, REPLICAS)],
			 slot->batch ? &message_post_batch : &message_post, request, &options, done,
			 slot);
}

/* Whether it is this client's turn; then it counts as busy. */
static bool claim(struct slot *slot, int64_t now_us)
{
	RT_LOCKED(&slot->storm->config->record->lock);
	if (slot->state == SLOT_BUSY || slot->due_us > now_us)
		return false;
	slot->state = SLOT_BUSY;
	slot->storm->busy++;
	slot->storm->config->record->calls++;
	return true;
}

static bool is_busy(struct storm *storm)
{
	RT_LOCKED(&storm->config->record->lock);
	return storm->busy > 0;
}

void storm_run(const struct storm_config *config, const _Atomic bool *stop)
{
	struct storm storm = {.config = config,
			      .slots = calloc(config->clients, sizeof(struct slot))};
	RT_ASSERT(storm.slots != NULL);
	for (size_t i = 0; i < config->clients; i++) {
		storm.slots[i].storm = &storm;
		rt_arena_init(&storm.slots[i].arena, SLOT_ARENA_BYTES);
	}
	while (!*stop) {
		for (size_t i = 0; i < config->clients; i++) {
			struct slot *slot = &storm.slots[i];
			if (!claim(slot, rt_clock_mono_us()))
				continue;
			choose(slot, config->world, config->record);
			send(slot);
		}
		rt_clock_sleep_us(POLL_US);
	}
	while (is_busy(&storm))
		rt_clock_sleep_us(POLL_US);
	for (size_t i = 0; i < config->clients; i++)
		rt_arena_deinit(&storm.slots[i].arena);
	free(storm.slots);
}
