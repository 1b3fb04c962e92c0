/* From wishes to requests. */
#include <string.h>

#include "history.h"
#include "rt/assert.h"
#include "rt/clock.h"

const struct rt_remote message_post = {
	.service = "daler.accounts.v1.AccountsService",
	.name = "Post",
	.reply = &daler__accounts__v1__post_response__descriptor,
	.repeatable = true,
};

const struct rt_remote message_post_batch = {
	.service = "daler.accounts.v1.AccountsService",
	.name = "PostBatch",
	.reply = &daler__accounts__v1__post_batch_response__descriptor,
	.repeatable = true,
};

static char empty_text[] = "";
static char other_text[] = "another body";

static void *make(struct rt_arena *arena, size_t size)
{
	void *made = rt_arena_alloc(arena, size);
	RT_ASSERT(made != NULL);
	return made;
}

static char *uuid_text(struct rt_arena *arena, const struct rt_uuid *id)
{
	char *text = make(arena, RT_UUID_TEXT_BYTES);
	rt_uuid_format(id, text);
	return text;
}

static Google__Protobuf__Timestamp *time_of(struct rt_arena *arena, int64_t wall_us)
{
	Google__Protobuf__Timestamp *time = make(arena, sizeof(*time));
	google__protobuf__timestamp__init(time);
	time->seconds = wall_us / RT_US_PER_S;
	time->nanos = (int32_t)(wall_us % RT_US_PER_S * 1000);
	return time;
}

static void set_hold(const struct wish *wish, struct rt_arena *arena,
		     Daler__Accounts__V1__Transfer *transfer)
{
	transfer->hold = make(arena, sizeof(*transfer->hold));
	daler__accounts__v1__hold__init(transfer->hold);
	if (wish->expires_us != 0)
		transfer->hold->expire_time = time_of(arena, wish->expires_us);
	transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_HOLD;
}

static void set_capture(const struct wish *wish, struct rt_arena *arena,
			Daler__Accounts__V1__Transfer *transfer)
{
	transfer->capture = make(arena, sizeof(*transfer->capture));
	daler__accounts__v1__capture__init(transfer->capture);
	transfer->capture->hold_id = uuid_text(arena, &wish->target_id);
	transfer->capture->keep_open = wish->keep_open;
	transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_CAPTURE;
}

static void set_kind(const struct wish *wish, struct rt_arena *arena,
		     Daler__Accounts__V1__Transfer *transfer)
{
	switch (wish->kind) {
	case WISH_DIRECT:
		transfer->direct = make(arena, sizeof(*transfer->direct));
		daler__accounts__v1__direct__init(transfer->direct);
		transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_DIRECT;
		return;
	case WISH_HOLD:
		set_hold(wish, arena, transfer);
		return;
	case WISH_CAPTURE:
		set_capture(wish, arena, transfer);
		return;
	case WISH_RELEASE:
		transfer->release = make(arena, sizeof(*transfer->release));
		daler__accounts__v1__release__init(transfer->release);
		transfer->release->hold_id = uuid_text(arena, &wish->target_id);
		transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_RELEASE;
		return;
	case WISH_BALANCING:
		transfer->balancing = make(arena, sizeof(*transfer->balancing));
		daler__accounts__v1__balancing__init(transfer->balancing);
		transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_BALANCING;
		return;
	case WISH_REVERSAL:
		transfer->reversal = make(arena, sizeof(*transfer->reversal));
		daler__accounts__v1__reversal__init(transfer->reversal);
		transfer->reversal->original_id = uuid_text(arena, &wish->target_id);
		transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_REVERSAL;
		return;
	}
}

static Daler__Accounts__V1__Transfer *transfer_of(const struct place *place,
						  const struct wish *wish, bool other_body,
						  struct rt_arena *arena)
{
	Daler__Accounts__V1__Transfer *transfer = make(arena, sizeof(*transfer));
	daler__accounts__v1__transfer__init(transfer);
	transfer->transfer_id = uuid_text(arena, &wish->id);
	transfer->debit_account_id = uuid_text(arena, &place->accounts[wish->debit].id);
	transfer->credit_account_id = uuid_text(arena, &place->accounts[wish->credit].id);
	transfer->amount_minor = wish->amount_minor;
	transfer->currency = rt_arena_strdup(arena, place->accounts[wish->debit].currency);
	transfer->reference = other_body ? other_text : empty_text;
	set_kind(wish, arena, transfer);
	return transfer;
}

static Daler__Accounts__V1__Group *group_of(const struct place *place, const struct entry *entry,
					    bool other_body, struct rt_arena *arena)
{
	Daler__Accounts__V1__Group *group = make(arena, sizeof(*group));
	daler__accounts__v1__group__init(group);
	group->n_transfers = entry->count;
	group->transfers = make(arena, entry->count * sizeof(group->transfers[0]));
	for (size_t i = 0; i < entry->count; i++)
		/* The last one alone is another: it is the whole group that has one body. */
		group->transfers[i] = transfer_of(place, &entry->wishes[i],
						  other_body && i + 1 == entry->count, arena);
	return group;
}

const ProtobufCMessage *message_of(const struct world *world, const struct record *record,
				   const size_t *numbers, size_t count, bool batch, bool other_body,
				   struct rt_arena *arena)
{
	const struct place *place = &world->places[record->entries[numbers[0]].place];
	if (!batch) {
		Daler__Accounts__V1__PostRequest *post = make(arena, sizeof(*post));
		daler__accounts__v1__post_request__init(post);
		post->ledger_id = uuid_text(arena, &place->ledger_id);
		post->group = group_of(place, &record->entries[numbers[0]], other_body, arena);
		return &post->base;
	}
	Daler__Accounts__V1__PostBatchRequest *request = make(arena, sizeof(*request));
	daler__accounts__v1__post_batch_request__init(request);
	request->ledger_id = uuid_text(arena, &place->ledger_id);
	request->n_groups = count;
	request->groups = make(arena, count * sizeof(request->groups[0]));
	for (size_t i = 0; i < count; i++)
		request->groups[i] =
			group_of(place, &record->entries[numbers[i]], other_body, arena);
	return &request->base;
}
