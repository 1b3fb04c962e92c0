/* Messages to and from accounts; see accounts.h. */
#include "client/accounts.h"

#include <stdlib.h>
#include <string.h>

#include "client/account_inquiry.h"
#include "daler/accounts/v1/accounts.pb-c.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/log.h"

#define SERVICE        "daler.accounts.v1.AccountsService"
/* A group of two transfers with their ids takes well under this. */
#define POST_BYTES_MAX 4096

static const struct rt_remote post_batch = {
	SERVICE, "PostBatch", &daler__accounts__v1__post_batch_response__descriptor, true, NULL};
static const struct rt_remote get_metadata = {
	SERVICE, "GetAccountMetadata",
	&daler__accounts__v1__get_account_metadata_response__descriptor, true, NULL};

/* A call in flight. */
struct posting {
	accounts_posted done;
	void *context;
	size_t count;
	struct saga_event *events;
	struct rt_uuid *transfer_ids; /* of the first of each post, which name its group */
};

static char *uuid_text(struct rt_arena *arena, const struct rt_uuid *uuid)
{
	char *text = rt_arena_alloc(arena, RT_UUID_TEXT_BYTES);

	RT_ASSERT(text != NULL);
	rt_uuid_format(uuid, text);
	return text;
}

/* protobuf-c's strings are not const, though it never writes to them. */
static char *lent(const char *text)
{
	union {
		const char *in;
		char *out;
	} cast = {.in = text};

	return cast.out;
}

static char *hold_id(const struct ledger_post *post, const struct ledger_transfer *step,
		     struct rt_arena *arena)
{
	struct rt_uuid id = ledger_transfer_id(&post->payment_id, step->hold, 0);

	return uuid_text(arena, &id);
}

static void set_kind(Daler__Accounts__V1__Transfer *transfer, const struct ledger_post *post,
		     const struct ledger_transfer *step, struct rt_arena *arena)
{
	static Daler__Accounts__V1__Direct direct = DALER__ACCOUNTS__V1__DIRECT__INIT;
	static Daler__Accounts__V1__Hold hold = DALER__ACCOUNTS__V1__HOLD__INIT;

	switch (step->move) {
	case LEDGER_DIRECT:
		transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_DIRECT;
		transfer->direct = &direct;
		return;
	case LEDGER_HOLD:
		transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_HOLD;
		transfer->hold = &hold;
		return;
	case LEDGER_CAPTURE:
		transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_CAPTURE;
		transfer->capture = rt_arena_alloc(arena, sizeof(*transfer->capture));
		RT_ASSERT(transfer->capture != NULL);
		daler__accounts__v1__capture__init(transfer->capture);
		transfer->capture->hold_id = hold_id(post, step, arena);
		return;
	case LEDGER_RELEASE:
		transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_RELEASE;
		transfer->release = rt_arena_alloc(arena, sizeof(*transfer->release));
		RT_ASSERT(transfer->release != NULL);
		daler__accounts__v1__release__init(transfer->release);
		transfer->release->hold_id = hold_id(post, step, arena);
		return;
	}
}

static Daler__Accounts__V1__Transfer *make_transfer(const struct ledger_post *post,
						    const struct ledger_transfer *step,
						    struct rt_arena *arena)
{
	Daler__Accounts__V1__Transfer *transfer = rt_arena_alloc(arena, sizeof(*transfer));
	struct rt_uuid id = ledger_transfer_id(&post->payment_id, step->name, post->take);

	RT_ASSERT(transfer != NULL);
	daler__accounts__v1__transfer__init(transfer);
	transfer->transfer_id = uuid_text(arena, &id);
	transfer->debit_account_id = uuid_text(arena, &post->sides[step->debit]);
	transfer->credit_account_id = uuid_text(arena, &post->sides[step->credit]);
	transfer->amount_minor = step->move == LEDGER_RELEASE ? 0 : post->amounts[step->amount];
	transfer->currency = lent(post->currency);
	transfer->reference = uuid_text(arena, &post->payment_id);
	set_kind(transfer, post, step, arena);
	return transfer;
}

static Daler__Accounts__V1__Group *make_group(const struct ledger_post *post,
					      struct rt_arena *arena)
{
	Daler__Accounts__V1__Group *group = rt_arena_alloc(arena, sizeof(*group));

	RT_ASSERT(group != NULL);
	daler__accounts__v1__group__init(group);
	group->transfers = rt_arena_array(arena, SAGA_TRANSFERS_MAX,
					  sizeof(struct Daler__Accounts__V1__Transfer *));
	RT_ASSERT(group->transfers != NULL);
	for (size_t i = 0; i < SAGA_TRANSFERS_MAX; i++) {
		const struct ledger_transfer *step = &post->step->transfers[i];

		if (step->name != NULL && post->amounts[step->amount] > 0)
			group->transfers[group->n_transfers++] = make_transfer(post, step, arena);
	}
	return group;
}

/* Tells the saga's events of a ledger that can't be reached, or does not speak clearly: tried
 * again. */
static void all_events(struct posting *posting, enum saga_event_kind kind, const char *reason)
{
	for (size_t i = 0; i < posting->count; i++)
		posting->events[i] = (struct saga_event){.kind = kind, .reason = reason};
}

static struct saga_event outcome_event(const Daler__Accounts__V1__Outcome *outcome,
				       const struct rt_uuid *transfer_id)
{
	struct rt_uuid group_id;

	if (!rt_uuid_parse(outcome->group_id, &group_id) || !rt_uuid_equal(&group_id, transfer_id))
		return (struct saga_event){.kind = SAGA_LEDGER_SILENT, .reason = "LEDGER_UNCLEAR"};
	switch ((int)outcome->result_case) {
	case DALER__ACCOUNTS__V1__OUTCOME__RESULT_POSTED:
		return (struct saga_event){.kind = SAGA_LEDGER_POSTED, .reason = NULL};
	case DALER__ACCOUNTS__V1__OUTCOME__RESULT_DECLINE:
		return (struct saga_event){.kind = SAGA_LEDGER_DECLINED,
					   .reason = outcome->decline->reason,
					   .on_record = true};
	case DALER__ACCOUNTS__V1__OUTCOME__RESULT_REFUSAL:
		return (struct saga_event){.kind = SAGA_LEDGER_CONFLICT,
					   .reason = outcome->refusal->reason};
	case DALER__ACCOUNTS__V1__OUTCOME__RESULT__NOT_SET:
	case _DALER__ACCOUNTS__V1__OUTCOME__RESULT__CASE_IS_INT_SIZE:
	default:
		return (struct saga_event){.kind = SAGA_LEDGER_SILENT, .reason = "LEDGER_UNCLEAR"};
	}
}

/* What a call that did not answer OK means for its posts. Only what the content alone decides is a
 * no; the rest passes. */
static bool failed_events(struct posting *posting, const struct rt_status *status)
{
	bool content = status->code == RT_INVALID_ARGUMENT || status->code == RT_NOT_FOUND ||
		       status->code == RT_FAILED_PRECONDITION;

	if (!content) {
		all_events(posting, SAGA_LEDGER_SILENT, "LEDGER_UNAVAILABLE");
		return false;
	}
	all_events(posting, SAGA_LEDGER_DECLINED,
		   status->reason != NULL ? status->reason : "LEDGER_REFUSED");
	return posting->count > 1;
}

static void on_posted(void *context, struct rt_status status, const ProtobufCMessage *message)
{
	struct posting *posting = context;
	bool refused = false;

	if (!rt_is_ok(&status)) {
		RT_LOG(WARN, "post_batch_failed", RT_STATUS(&status),
		       RT_INT("posts", (int64_t)posting->count));
		refused = failed_events(posting, &status);
	} else {
		const Daler__Accounts__V1__PostBatchResponse *reply = (const void *)message;

		all_events(posting, SAGA_LEDGER_SILENT, "LEDGER_UNCLEAR");
		for (size_t i = 0;
		     reply != NULL && i < posting->count && reply->n_outcomes == posting->count;
		     i++)
			posting->events[i] =
				outcome_event(reply->outcomes[i], &posting->transfer_ids[i]);
	}
	posting->done(posting->context, posting->events, refused);
	free(posting);
}

static struct posting *posting_new(size_t count, accounts_posted done, void *context)
{
	struct posting *posting = malloc(
		sizeof(*posting) + count * (sizeof(struct saga_event) + sizeof(struct rt_uuid)));

	RT_ASSERT(posting != NULL);
	*posting = (struct posting){.done = done, .context = context, .count = count};
	posting->events = (struct saga_event *)(posting + 1);
	posting->transfer_ids = (struct rt_uuid *)(posting->events + count);
	return posting;
}

void accounts_post(const struct accounts_client *client, const struct rt_uuid *ledger_id,
		   const struct ledger_post *posts, size_t count, bool repeat,
		   const struct rt_trace *trace, accounts_posted done, void *context)
{
	Daler__Accounts__V1__PostBatchRequest request;
	daler__accounts__v1__post_batch_request__init(&request);
	struct posting *posting = posting_new(count, done, context);
	struct rt_arena arena;

	RT_ASSERT(count > 0 && count <= ACCOUNTS_BATCH_MAX);
	rt_arena_init(&arena, (count + 1) * POST_BYTES_MAX + 65536);
	request.ledger_id = uuid_text(&arena, ledger_id);
	request.n_groups = count;
	request.groups = rt_arena_array(&arena, count, sizeof(struct Daler__Accounts__V1__Group *));
	RT_ASSERT(request.groups != NULL);
	for (size_t i = 0; i < count; i++) {
		posting->transfer_ids[i] = ledger_transfer_id(
			&posts[i].payment_id, posts[i].step->transfers[0].name, posts[i].take);
		request.groups[i] = make_group(&posts[i], &arena);
	}
	struct rt_call_options options = {.deadline_mono_us = rt_clock_mono_us() +
							      client->timeout_ms * RT_US_PER_MS,
					  .trace = trace,
					  .repeat = repeat};

	rt_channel_start(client->channel, &post_batch, &request.base, &options, on_posted, posting);
	rt_arena_deinit(&arena);
}

void accounts_look_up(const struct accounts_client *client, const struct rt_uuid *ledger_id,
		      const struct rt_uuid *account_id, const struct rt_call_options *options,
		      accounts_looked_up done, void *context)
{
	account_inquiries_ask(client->inquiries, ledger_id, account_id, options, done, context);
}

struct rt_status accounts_get(const struct accounts_client *client, const struct rt_uuid *ledger_id,
			      const struct rt_uuid *account_id,
			      const struct rt_call_options *options, struct rt_arena *arena,
			      const char **owner, const char **currency)
{
	Daler__Accounts__V1__GetAccountMetadataRequest request;
	daler__accounts__v1__get_account_metadata_request__init(&request);
	const ProtobufCMessage *message = NULL;
	char ledger[RT_UUID_TEXT_BYTES];
	char account[RT_UUID_TEXT_BYTES];

	rt_uuid_format(ledger_id, ledger);
	rt_uuid_format(account_id, account);
	request.ledger_id = ledger;
	request.account_id = account;
	RT_TRY(rt_channel_call(client->channel, &get_metadata, &request.base, options, arena,
			       &message));
	const Daler__Accounts__V1__GetAccountMetadataResponse *reply = (const void *)message;

	if (reply == NULL || reply->metadata == NULL)
		return RT_FAIL(UNAVAILABLE, "LEDGER_UNCLEAR",
			       "accounts answered without the account");
	*owner = reply->metadata->owner;
	*currency = reply->metadata->currency;
	return rt_ok();
}
