/* Afterwards: every group once more with its own body, to both replicas in turn, and with another.
 */
#include "history.h"
#include "rt/cleanup.h"
#include "rt/clock.h"

#define CHUNK_GROUPS      400
#define CHUNK_US_MAX      (60 * RT_US_PER_S)
#define CHUNK_ARENA_BYTES ((size_t)64 << 20)
#define ALONE_EVERY       97 /* one of so many by a call of its own */

struct round {
	const struct storm_config *config;
	bool other_body;
	uint64_t calls;
};

static void hear(struct round *round, size_t number, const Daler__Accounts__V1__Outcome *outcome,
		 int64_t sent_us)
{
	struct record *record = round->config->record;
	struct entry *entry = &record->entries[number];
	if (outcome->result_case == DALER__ACCOUNTS__V1__OUTCOME__RESULT_REFUSAL)
		record_refusal(record, number, outcome->refusal->reason, round->other_body);
	else if (round->other_body)
		record_wrong(record, entry, "another body was not refused");
	else
		record_outcome(record, number, outcome, sent_us);
}

static void hear_alone(struct round *round, size_t number, struct rt_status status,
		       const ProtobufCMessage *reply, int64_t sent_us)
{
	RT_LOCKED(&round->config->record->lock);
	if (rt_is_ok(&status))
		hear(round, number, ((const Daler__Accounts__V1__PostResponse *)reply)->outcome,
		     sent_us);
	else
		record_refusal(round->config->record, number, status.reason, round->other_body);
}

static void hear_all(struct round *round, const size_t *numbers, size_t count,
		     const ProtobufCMessage *reply, int64_t sent_us)
{
	const Daler__Accounts__V1__PostBatchResponse *batch =
		(const Daler__Accounts__V1__PostBatchResponse *)reply;
	RT_LOCKED(&round->config->record->lock);
	if (batch->n_outcomes != count)
		record_wrong(round->config->record, NULL, "%zu outcomes for %zu groups",
			     batch->n_outcomes, count);
	for (size_t i = 0; i < count && i < batch->n_outcomes; i++)
		hear(round, numbers[i], batch->outcomes[i], sent_us);
}

/* Asks for these groups of one ledger. False: no answer. */
static bool ask(struct round *round, const size_t *numbers, size_t count, bool batch)
{
	const struct storm_config *config = round->config;
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	rt_arena_init(&arena, CHUNK_ARENA_BYTES);
	int64_t sent_us = rt_clock_mono_us();
	const struct rt_call_options options = {.deadline_mono_us = sent_us + CHUNK_US_MAX,
						.wait_for_ready = true};
	const ProtobufCMessage *reply = NULL;
	struct rt_status status =
		rt_channel_call(config->channels[round->calls++ % REPLICAS],
				batch ? &message_post_batch : &message_post,
				message_of(config->world, config->record, numbers, count, batch,
					   round->other_body, &arena),
				&options, &arena, &reply);
	if (record_is_no_answer(status.code) || (batch && !rt_is_ok(&status))) {
		RT_LOCKED(&config->record->lock);
		record_wrong(config->record, NULL, "no answer in peace: %s %s %s",
			     rt_code_name(status.code), status.reason, status.detail);
		return false;
	}
	if (batch)
		hear_all(round, numbers, count, reply, sent_us);
	else
		hear_alone(round, numbers[0], status, reply, sent_us);
	return true;
}

/* What was refused is on record nowhere: asked with another body it might be carried out. */
static bool is_asked(const struct round *round, const struct entry *entry, size_t place)
{
	return entry->place == place && (!round->other_body || entry->answer == ANSWER_POSTED ||
					 entry->answer == ANSWER_DECLINED);
}

static bool ask_place(struct round *round, size_t place)
{
	const struct record *record = round->config->record;
	size_t numbers[CHUNK_GROUPS], count = 0;
	for (size_t i = 0; i < record->count; i++) {
		if (!is_asked(round, &record->entries[i], place))
			continue;
		if (i % ALONE_EVERY == 0) {
			if (!ask(round, &i, 1, false))
				return false;
			continue;
		}
		numbers[count++] = i;
		if (count < CHUNK_GROUPS)
			continue;
		if (!ask(round, numbers, count, true))
			return false;
		count = 0;
	}
	return count == 0 || ask(round, numbers, count, true);
}

bool verify_run(const struct storm_config *config)
{
	for (int bodies = 0; bodies < 2; bodies++) {
		struct round round = {.config = config, .other_body = bodies == 1};
		for (size_t place = 0; place < config->world->place_count; place++)
			if (!ask_place(&round, place))
				return false;
	}
	return true;
}
