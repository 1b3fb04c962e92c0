/* What was asked and answered, and what of it contradicts itself. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "rt/assert.h"
#include "rt/clock.h"

#define WRONG_SHOWN_MAX 20

void record_init(struct record *record, struct world *world)
{
	*record = (struct record){.world = world};
	rt_lock_init(&record->lock, RT_RANK_SERVICE);
}

void record_deinit(struct record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		free(record->entries[i].wishes);
		free(record->entries[i].outcome);
	}
	free(record->entries);
	rt_lock_deinit(&record->lock);
}

size_t record_add(struct record *record, size_t place, struct wish *wishes, size_t count)
{
	if (record->count == record->capacity) {
		record->capacity = record->capacity == 0 ? 4096 : 2 * record->capacity;
		record->entries =
			realloc(record->entries, record->capacity * sizeof(record->entries[0]));
		RT_ASSERT(record->entries != NULL);
	}
	struct entry *entry = &record->entries[record->count];
	*entry = (struct entry){
		.place = place, .wishes = wishes, .count = count, .sent_us = rt_clock_mono_us()};
	for (size_t i = 0; i < count; i++)
		entry->expires |= wishes[i].expires_us != 0;
	return record->count++;
}

void record_wrong(struct record *record, const struct entry *entry, const char *format, ...)
{
	va_list arguments;
	if (record->wrong++ >= WRONG_SHOWN_MAX)
		return;
	char id[RT_UUID_TEXT_BYTES] = "-";
	if (entry != NULL)
		rt_uuid_format(&entry->wishes[0].id, id);
	(void)fprintf(stderr, "daler-history: group %s: ", id);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
}

bool record_is_no_answer(enum rt_code code)
{
	return code == RT_UNAVAILABLE || code == RT_DEADLINE_EXCEEDED ||
	       code == RT_OUTCOME_UNKNOWN || code == RT_RESOURCE_EXHAUSTED || code == RT_ABORTED;
}

static enum answer answer_of(const Daler__Accounts__V1__Outcome *outcome)
{
	if (outcome->result_case == DALER__ACCOUNTS__V1__OUTCOME__RESULT_POSTED)
		return ANSWER_POSTED;
	if (outcome->result_case == DALER__ACCOUNTS__V1__OUTCOME__RESULT_DECLINE)
		return ANSWER_DECLINED;
	return ANSWER_NONE;
}

/* The same outcome has the same bytes, whether it is told the first time or again. */
static uint8_t *pack(const Daler__Accounts__V1__Outcome *outcome, size_t *length)
{
	Daler__Accounts__V1__Outcome plain = *outcome;
	plain.replayed = false;
	*length = daler__accounts__v1__outcome__get_packed_size(&plain);
	uint8_t *bytes = malloc(*length + 1);
	RT_ASSERT(bytes != NULL);
	daler__accounts__v1__outcome__pack(&plain, bytes);
	return bytes;
}

static void keep_first(struct entry *entry, enum answer answer, uint8_t *bytes, size_t length)
{
	entry->answer = answer;
	entry->outcome = bytes;
	entry->outcome_bytes = length;
	entry->answered_us = rt_clock_mono_us();
}

/* Whether it is about this group, and as large. */
static bool fits(const struct entry *entry, const Daler__Accounts__V1__Outcome *outcome)
{
	struct rt_uuid id;
	if (!rt_uuid_parse(outcome->group_id, &id) || !rt_uuid_equal(&id, &entry->wishes[0].id))
		return false;
	if (outcome->result_case != DALER__ACCOUNTS__V1__OUTCOME__RESULT_POSTED)
		return true;
	if (outcome->posted->n_transfers != entry->count)
		return false;
	for (size_t i = 0; i < entry->count; i++)
		if (!rt_uuid_parse(outcome->posted->transfers[i]->transfer->transfer_id, &id) ||
		    !rt_uuid_equal(&id, &entry->wishes[i].id))
			return false;
	return true;
}

void record_outcome(struct record *record, size_t number,
		    const Daler__Accounts__V1__Outcome *outcome, int64_t sent_us)
{
	struct entry *entry = &record->entries[number];
	enum answer answer = answer_of(outcome);
	record->answers++;
	record->repeated += outcome->replayed ? 1 : 0;
	if (answer == ANSWER_NONE) {
		record_wrong(record, entry, "an outcome without a result");
		return;
	}
	if (!fits(entry, outcome))
		record_wrong(record, entry, "the outcome is of another group: %s",
			     outcome->group_id);
	if (!outcome->replayed && ++entry->fresh > 1)
		record_wrong(record, entry, "carried out for the first time, twice");
	if (entry->answered_us != 0 && entry->answered_us < sent_us && !outcome->replayed)
		record_wrong(record, entry, "was answered before, and is not called a repetition");
	size_t length;
	uint8_t *bytes = pack(outcome, &length);
	if (entry->answer == ANSWER_NONE) {
		keep_first(entry, answer, bytes, length);
		if (answer == ANSWER_POSTED)
			world_posted(record->world, entry);
		return;
	}
	if (entry->answer == ANSWER_REFUSED)
		record_wrong(record, entry, "is on record, and was refused before");
	else if (entry->outcome_bytes != length || memcmp(entry->outcome, bytes, length) != 0)
		record_wrong(record, entry, "the outcome differs from the first one: %s",
			     answer == ANSWER_DECLINED ? outcome->decline->reason : "posted");
	free(bytes);
}

void record_refusal(struct record *record, size_t number, const char *reason, bool other_body)
{
	struct entry *entry = &record->entries[number];
	record->answers++;
	if (other_body) {
		record->mismatches++;
		if (strcmp(reason, "IDEMPOTENCY_PAYLOAD_MISMATCH") != 0)
			record_wrong(record, entry, "another body was refused with %s", reason);
		return;
	}
	if (!entry->expires || strcmp(reason, "INVALID_FIELD") != 0) {
		record_wrong(record, entry, "was refused: %s", reason);
		return;
	}
	if (entry->answer != ANSWER_NONE && entry->answer != ANSWER_REFUSED)
		record_wrong(record, entry, "is refused, and was on record before");
	if (entry->answer == ANSWER_NONE)
		keep_first(entry, ANSWER_REFUSED, NULL, 0);
}

bool record_write(const struct record *record, const struct world *world, const char *path)
{
	static const char *const names[ANSWERS] = {"none", "posted", "declined", "refused"};
	FILE *file = fopen(path, "w");
	if (file == NULL)
		return false;
	for (size_t i = 0; i < record->count; i++) {
		const struct entry *entry = &record->entries[i];
		char ledger[RT_UUID_TEXT_BYTES], group[RT_UUID_TEXT_BYTES];
		rt_uuid_format(&world->places[entry->place].ledger_id, ledger);
		rt_uuid_format(&entry->wishes[0].id, group);
		(void)fprintf(file, "%s,%s,%zu,%s,%" PRId64 ",%" PRId64 "\n", ledger, group,
			      entry->count, names[entry->answer], entry->sent_us,
			      entry->answered_us);
	}
	return fclose(file) == 0;
}
