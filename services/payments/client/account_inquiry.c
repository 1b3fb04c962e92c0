#include "client/account_inquiry.h"

#include <stdlib.h>
#include <string.h>

#include "daler/accounts/v1/accounts.pb-c.h"
#include "rt/assert.h"
#include "rt/lock.h"

#define CALLS_IN_FLIGHT_MAX 2
#define BATCH_MAX           256
#define SERVICE             "daler.accounts.v1.AccountsService"

/* A payment that is declined for it is on record with it. */
static const char *const reasons[] = {"ACCOUNT_NOT_FOUND", NULL};

static const struct rt_remote get_metadata = {
	.service = SERVICE,
	.name = "GetAccountMetadata",
	.reply = &daler__accounts__v1__get_account_metadata_response__descriptor,
	.repeatable = true,
	.reasons = reasons,
};

static const struct rt_remote get_accounts = {
	.service = SERVICE,
	.name = "GetAccounts",
	.reply = &daler__accounts__v1__get_accounts_response__descriptor,
	.repeatable = true,
	.reasons = reasons,
};

/* One question. */
struct inquiry {
	struct inquiry *next;
	struct account_inquiries *all;
	struct rt_uuid ledger_id;
	struct rt_uuid account_id;
	int64_t deadline_mono_us;
	struct rt_trace trace;
	accounts_looked_up done;
	void *context;
};

/* A call in flight; a question that goes alone is one, too. */
struct inquiry_call {
	struct account_inquiries *all;
	size_t count;
	struct inquiry *inquiries[];
};

struct account_inquiries {
	struct rt_channel *channel;
	struct account_memory *memory;
	struct rt_lock lock; /* guards what follows */
	struct inquiry *first, *last;
	size_t in_flight;
};

/* Starting a call may end it at once, on this thread; then the loop below goes on. */
static _Thread_local bool pumping;

struct account_inquiries *account_inquiries_new(struct rt_channel *channel,
						struct account_memory *memory)
{
	struct account_inquiries *inquiries = calloc(1, sizeof(*inquiries));

	RT_ASSERT(inquiries != NULL);
	inquiries->channel = channel;
	inquiries->memory = memory;
	rt_lock_init(&inquiries->lock, RT_RANK_CLIENT);
	return inquiries;
}

void account_inquiries_destroy(struct account_inquiries *inquiries)
{
	RT_ASSERT(inquiries->first == NULL);
	RT_ASSERT(inquiries->in_flight == 0);
	rt_lock_deinit(&inquiries->lock);
	free(inquiries);
}

static void pump(struct account_inquiries *all);

/* An owner who is a user is named as tokens and limits name them, whoever opened the account, and
 * however they wrote it. */
static const char *owner_of(const Daler__Accounts__V1__AccountMetadata *metadata,
			    char user_id[RT_UUID_TEXT_BYTES])
{
	struct rt_uuid id;

	if (!rt_uuid_parse(metadata->owner, &id))
		return metadata->owner;
	rt_uuid_format(&id, user_id);
	return user_id;
}

static void answer(struct inquiry *inquiry, struct rt_status status,
		   const Daler__Accounts__V1__AccountMetadata *metadata)
{
	char user_id[RT_UUID_TEXT_BYTES];

	if (rt_is_ok(&status) && metadata == NULL)
		status = RT_FAIL(UNAVAILABLE, "LEDGER_UNCLEAR",
				 "accounts answered without the account");
	if (rt_is_ok(&status)) {
		const char *owner = owner_of(metadata, user_id);

		account_memory_keep(inquiry->all->memory, &inquiry->ledger_id, &inquiry->account_id,
				    owner, metadata->currency);
		inquiry->done(inquiry->context, status, owner, metadata->currency);
	} else {
		inquiry->done(inquiry->context, status, NULL, NULL);
	}
	free(inquiry);
}

static void call_ended(struct inquiry_call *call)
{
	struct account_inquiries *all = call->all;

	rt_lock_take(&all->lock);
	RT_ASSERT(all->in_flight > 0);
	all->in_flight--;
	rt_lock_give(&all->lock);
	free(call);
	pump(all);
}

static void on_metadata(void *context, struct rt_status status, const ProtobufCMessage *message)
{
	const Daler__Accounts__V1__GetAccountMetadataResponse *reply = (const void *)message;

	answer(context, status, reply == NULL ? NULL : reply->metadata);
}

/* With its own deadline, and so that accounts may answer from its cache. */
static void ask_alone(struct inquiry *inquiry, rt_call_done done, void *context)
{
	Daler__Accounts__V1__GetAccountMetadataRequest request;
	char ledger[RT_UUID_TEXT_BYTES];
	char account[RT_UUID_TEXT_BYTES];
	struct rt_call_options options = {.deadline_mono_us = inquiry->deadline_mono_us,
					  .trace = &inquiry->trace};

	daler__accounts__v1__get_account_metadata_request__init(&request);
	rt_uuid_format(&inquiry->ledger_id, ledger);
	rt_uuid_format(&inquiry->account_id, account);
	request.ledger_id = ledger;
	request.account_id = account;
	rt_channel_start(inquiry->all->channel, &get_metadata, &request.base, &options, done,
			 context);
}

static void on_one(void *context, struct rt_status status, const ProtobufCMessage *message)
{
	struct inquiry_call *call = context;

	on_metadata(call->inquiries[0], status, message);
	call_ended(call);
}

static bool is_of(const Daler__Accounts__V1__Account *account, const struct inquiry *inquiry)
{
	struct rt_uuid id;

	return account->metadata != NULL && rt_uuid_parse(account->metadata->account_id, &id) &&
	       rt_uuid_equal(&id, &inquiry->account_id);
}

/* One account that isn't there fails the whole call, and so does the earliest deadline: what has no
 * answer then is asked by itself. */
static void on_many(void *context, struct rt_status status, const ProtobufCMessage *message)
{
	struct inquiry_call *call = context;
	const Daler__Accounts__V1__GetAccountsResponse *reply = (const void *)message;
	bool answered = rt_is_ok(&status) && reply != NULL && reply->n_accounts == call->count;

	for (size_t i = 0; i < call->count; i++) {
		struct inquiry *inquiry = call->inquiries[i];

		if (answered && is_of(reply->accounts[i], inquiry))
			answer(inquiry, status, reply->accounts[i]->metadata);
		else
			ask_alone(inquiry, on_metadata, inquiry);
	}
	call_ended(call);
}

static void ask_many(struct inquiry_call *call)
{
	Daler__Accounts__V1__GetAccountsRequest request;
	char ledger[RT_UUID_TEXT_BYTES];
	char texts[BATCH_MAX][RT_UUID_TEXT_BYTES];
	char *account_ids[BATCH_MAX];
	struct rt_trace trace = rt_trace_new();
	struct rt_call_options options = {.deadline_mono_us = call->inquiries[0]->deadline_mono_us,
					  .trace = &trace};

	daler__accounts__v1__get_accounts_request__init(&request);
	rt_uuid_format(&call->inquiries[0]->ledger_id, ledger);
	request.ledger_id = ledger;
	request.n_account_ids = call->count;
	request.account_ids = account_ids;
	for (size_t i = 0; i < call->count; i++) {
		rt_uuid_format(&call->inquiries[i]->account_id, texts[i]);
		account_ids[i] = texts[i];
		if (call->inquiries[i]->deadline_mono_us < options.deadline_mono_us)
			options.deadline_mono_us = call->inquiries[i]->deadline_mono_us;
	}
	rt_channel_start(call->all->channel, &get_accounts, &request.base, &options, on_many, call);
}

/* The next call's worth: what waits for the ledger of the first; NULL when nothing may go now. */
static struct inquiry_call *take_call(struct account_inquiries *all)
{
	RT_LOCKED(&all->lock);
	if (all->first == NULL || all->in_flight >= CALLS_IN_FLIGHT_MAX)
		return NULL;
	struct inquiry_call *call = malloc(sizeof(*call) + BATCH_MAX * sizeof(struct inquiry *));
	struct rt_uuid ledger_id = all->first->ledger_id;
	struct inquiry **link = &all->first;

	RT_ASSERT(call != NULL);
	*call = (struct inquiry_call){.all = all};
	all->last = NULL;
	while (*link != NULL) {
		struct inquiry *inquiry = *link;

		if (call->count < BATCH_MAX && rt_uuid_equal(&inquiry->ledger_id, &ledger_id)) {
			call->inquiries[call->count++] = inquiry;
			*link = inquiry->next;
		} else {
			all->last = inquiry;
			link = &inquiry->next;
		}
	}
	all->in_flight++;
	return call;
}

static void pump(struct account_inquiries *all)
{
	struct inquiry_call *call = NULL;

	if (pumping)
		return;
	pumping = true;
	while ((call = take_call(all)) != NULL) {
		if (call->count == 1)
			ask_alone(call->inquiries[0], on_one, call);
		else
			ask_many(call);
	}
	pumping = false;
}

void account_inquiries_ask(struct account_inquiries *inquiries, const struct rt_uuid *ledger_id,
			   const struct rt_uuid *account_id, const struct rt_call_options *options,
			   accounts_looked_up done, void *context)
{
	struct inquiry *inquiry = malloc(sizeof(*inquiry));

	RT_ASSERT(inquiry != NULL);
	*inquiry = (struct inquiry){
		.all = inquiries,
		.ledger_id = *ledger_id,
		.account_id = *account_id,
		.deadline_mono_us = options->deadline_mono_us,
		.trace = *options->trace,
		.done = done,
		.context = context,
	};
	rt_lock_take(&inquiries->lock);
	if (inquiries->last == NULL)
		inquiries->first = inquiry;
	else
		inquiries->last->next = inquiry;
	inquiries->last = inquiry;
	rt_lock_give(&inquiries->lock);
	pump(inquiries);
}
