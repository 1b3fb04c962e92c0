#include "accounts_cases.h"

#include <string.h>

#include "daler/accounts/v1/accounts.pb-c.h"
#include "rt/assert.h"
#include "world.h"

#define BATCH_GROUPS     1000
#define DECLINED_PERCENT 5
#define AMOUNT_MINOR_MAX 1000
#define HOT_ACCOUNT      0
#define PAGE_ENTRIES     1000
#define PAGES_A_BALANCE  4

static const struct rt_remote post = {
	.service = "daler.accounts.v1.AccountsService",
	.name = "Post",
	.reply = &daler__accounts__v1__post_response__descriptor,
	.repeatable = true,
};

static const struct rt_remote post_batch = {
	.service = "daler.accounts.v1.AccountsService",
	.name = "PostBatch",
	.reply = &daler__accounts__v1__post_batch_response__descriptor,
	.repeatable = true,
};

static const struct rt_remote get_statement = {
	.service = "daler.accounts.v1.AccountsService",
	.name = "GetStatement",
	.reply = &daler__accounts__v1__get_statement_response__descriptor,
	.repeatable = true,
};

static const struct rt_remote get_trial_balance = {
	.service = "daler.accounts.v1.AccountsService",
	.name = "GetTrialBalance",
	.reply = &daler__accounts__v1__get_trial_balance_response__descriptor,
	.repeatable = true,
};

static char empty_text[] = "";
static char currency[] = WORLD_CURRENCY;

static char *uuid_text(struct slot *slot, const struct rt_uuid *id)
{
	char *text = rt_arena_alloc(&slot->arena, RT_UUID_TEXT_BYTES);
	RT_ASSERT(text);
	rt_uuid_format(id, text);
	return text;
}

/* A direct transfer with a new id between the two accounts. */
static Daler__Accounts__V1__Transfer *transfer_new(struct slot *slot, size_t debit, size_t credit)
{
	Daler__Accounts__V1__Transfer *transfer = rt_arena_alloc(&slot->arena, sizeof(*transfer));
	Daler__Accounts__V1__Direct *direct = rt_arena_alloc(&slot->arena, sizeof(*direct));
	RT_ASSERT(transfer && direct);
	daler__accounts__v1__transfer__init(transfer);
	daler__accounts__v1__direct__init(direct);
	struct rt_uuid id = rt_uuid_v7();
	transfer->transfer_id = uuid_text(slot, &id);
	transfer->debit_account_id = world_account_id(load_world_of(slot), debit);
	transfer->credit_account_id = world_account_id(load_world_of(slot), credit);
	transfer->amount_minor = (int64_t)load_random(slot, AMOUNT_MINOR_MAX) + 1;
	transfer->currency = currency;
	transfer->reference = empty_text;
	transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_DIRECT;
	transfer->direct = direct;
	return transfer;
}

static Daler__Accounts__V1__Transfer *transfer_uniform(struct slot *slot)
{
	size_t count = load_world_of(slot)->account_count;
	size_t debit = load_random(slot, count);
	size_t credit = (debit + 1 + load_random(slot, count - 1)) % count;
	return transfer_new(slot, debit, credit);
}

static Daler__Accounts__V1__Group *group_of(struct slot *slot,
					    Daler__Accounts__V1__Transfer *transfer)
{
	Daler__Accounts__V1__Group *group = rt_arena_alloc(&slot->arena, sizeof(*group));
	Daler__Accounts__V1__Transfer **list =
		rt_arena_alloc(&slot->arena, sizeof(Daler__Accounts__V1__Transfer *));
	RT_ASSERT(group && list);
	daler__accounts__v1__group__init(group);
	*list = transfer;
	group->n_transfers = 1;
	group->transfers = list;
	return group;
}

struct Daler__Accounts__V1__Group *accounts_group(struct slot *slot)
{
	return group_of(slot, transfer_uniform(slot));
}

static const ProtobufCMessage *post_of(struct slot *slot, Daler__Accounts__V1__Transfer *transfer)
{
	Daler__Accounts__V1__PostRequest *request = rt_arena_alloc(&slot->arena, sizeof(*request));
	RT_ASSERT(request);
	daler__accounts__v1__post_request__init(request);
	request->ledger_id = rt_arena_strdup(&slot->arena, load_world_of(slot)->ledger_id);
	request->group = group_of(slot, transfer);
	slot->remote = &post;
	RT_ASSERT(rt_uuid_parse(transfer->transfer_id, &slot->memory));
	return &request->base;
}

static bool outcome_is(const struct slot *slot, const ProtobufCMessage *reply, bool declined)
{
	const Daler__Accounts__V1__Outcome *outcome =
		((const Daler__Accounts__V1__PostResponse *)reply)->outcome;
	struct rt_uuid id;
	if (!outcome || outcome->replayed || !rt_uuid_parse(outcome->group_id, &id) ||
	    !rt_uuid_equal(&id, &slot->memory))
		return false;
	if (declined)
		return outcome->result_case == DALER__ACCOUNTS__V1__OUTCOME__RESULT_DECLINE &&
		       strcmp(outcome->decline->reason, "INSUFFICIENT_FUNDS") == 0;
	return outcome->result_case == DALER__ACCOUNTS__V1__OUTCOME__RESULT_POSTED &&
	       outcome->posted->n_transfers == 1;
}

static bool check_posted(struct slot *slot, const ProtobufCMessage *reply, uint64_t *units)
{
	*units = 1;
	return outcome_is(slot, reply, false);
}

static const ProtobufCMessage *build_uniform(struct slot *slot)
{
	return post_of(slot, transfer_uniform(slot));
}

static const ProtobufCMessage *build_hot(struct slot *slot)
{
	size_t other = 1 + load_random(slot, load_world_of(slot)->account_count - 1);
	bool debit = load_random(slot, 2) == 0;
	return post_of(slot, debit ? transfer_new(slot, HOT_ACCOUNT, other)
				   : transfer_new(slot, other, HOT_ACCOUNT));
}

static const ProtobufCMessage *build_declined(struct slot *slot)
{
	slot->phase = load_random(slot, 100) < DECLINED_PERCENT;
	if (slot->phase == 0)
		return build_uniform(slot);
	size_t count = load_world_of(slot)->account_count;
	return post_of(slot, transfer_new(slot, count, load_random(slot, count)));
}

static bool check_declined(struct slot *slot, const ProtobufCMessage *reply, uint64_t *units)
{
	*units = 1;
	return outcome_is(slot, reply, slot->phase == 1);
}

/* Phase 0 draws the accounts and sends the hold, phase 1 its capture. */
static const ProtobufCMessage *build_pair(struct slot *slot)
{
	size_t count = load_world_of(slot)->account_count;
	struct rt_uuid hold_id = slot->memory;
	if (slot->phase == 0)
		slot->player = load_random(slot, count);
	Daler__Accounts__V1__Transfer *transfer =
		transfer_new(slot, slot->player, (slot->player + count / 2) % count);
	transfer->amount_minor = AMOUNT_MINOR_MAX;
	if (slot->phase == 0) {
		Daler__Accounts__V1__Hold *hold = rt_arena_alloc(&slot->arena, sizeof(*hold));
		RT_ASSERT(hold);
		daler__accounts__v1__hold__init(hold);
		transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_HOLD;
		transfer->hold = hold;
	} else {
		Daler__Accounts__V1__Capture *capture =
			rt_arena_alloc(&slot->arena, sizeof(*capture));
		RT_ASSERT(capture);
		daler__accounts__v1__capture__init(capture);
		capture->hold_id = uuid_text(slot, &hold_id);
		transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_CAPTURE;
		transfer->capture = capture;
	}
	return post_of(slot, transfer);
}

static bool check_pair(struct slot *slot, const ProtobufCMessage *reply, uint64_t *units)
{
	*units = slot->phase;
	slot->phase = 1 - slot->phase;
	return outcome_is(slot, reply, false);
}

static const ProtobufCMessage *build_batch(struct slot *slot)
{
	Daler__Accounts__V1__PostBatchRequest *request =
		rt_arena_alloc(&slot->arena, sizeof(*request));
	Daler__Accounts__V1__Group **groups =
		rt_arena_array(&slot->arena, BATCH_GROUPS, sizeof(*groups));
	RT_ASSERT(request && groups);
	daler__accounts__v1__post_batch_request__init(request);
	for (size_t i = 0; i < BATCH_GROUPS; i++)
		groups[i] = group_of(slot, transfer_uniform(slot));
	request->ledger_id = rt_arena_strdup(&slot->arena, load_world_of(slot)->ledger_id);
	request->n_groups = BATCH_GROUPS;
	request->groups = groups;
	slot->remote = &post_batch;
	return &request->base;
}

static bool check_batch(struct slot *slot, const ProtobufCMessage *reply, uint64_t *units)
{
	(void)slot;
	const Daler__Accounts__V1__PostBatchResponse *response =
		(const Daler__Accounts__V1__PostBatchResponse *)reply;
	*units = BATCH_GROUPS;
	if (response->n_outcomes != BATCH_GROUPS)
		return false;
	for (size_t i = 0; i < BATCH_GROUPS; i++)
		if (response->outcomes[i]->replayed ||
		    response->outcomes[i]->result_case !=
			    DALER__ACCOUNTS__V1__OUTCOME__RESULT_POSTED)
			return false;
	return true;
}

/* A page of the hot account's statement from any of its first entries; phase counts them. */
static const ProtobufCMessage *build_statement(struct slot *slot)
{
	Daler__Accounts__V1__GetStatementRequest *request =
		rt_arena_alloc(&slot->arena, sizeof(*request));
	RT_ASSERT(request);
	daler__accounts__v1__get_statement_request__init(request);
	request->ledger_id = rt_arena_strdup(&slot->arena, load_world_of(slot)->ledger_id);
	request->account_id = world_account_id(load_world_of(slot), HOT_ACCOUNT);
	request->page_size = PAGE_ENTRIES;
	request->from_sequence =
		1 + (int64_t)load_random(slot, (uint64_t)PAGE_ENTRIES * PAGES_A_BALANCE);
	slot->remote = &get_statement;
	return &request->base;
}

static const ProtobufCMessage *build_trial_balance(struct slot *slot)
{
	Daler__Accounts__V1__GetTrialBalanceRequest *request =
		rt_arena_alloc(&slot->arena, sizeof(*request));
	RT_ASSERT(request);
	daler__accounts__v1__get_trial_balance_request__init(request);
	request->ledger_id = rt_arena_strdup(&slot->arena, load_world_of(slot)->ledger_id);
	slot->remote = &get_trial_balance;
	return &request->base;
}

static const ProtobufCMessage *build_read(struct slot *slot)
{
	slot->phase = (slot->phase + 1) % (PAGES_A_BALANCE + 1);
	return slot->phase == 0 ? build_trial_balance(slot) : build_statement(slot);
}

static bool check_read(struct slot *slot, const ProtobufCMessage *reply, uint64_t *units)
{
	*units = 1;
	if (slot->phase == 0)
		return ((const Daler__Accounts__V1__GetTrialBalanceResponse *)reply)->balanced;
	return ((const Daler__Accounts__V1__GetStatementResponse *)reply)->n_entries > 0;
}

const struct load_case accounts_cases[] = {
	{"post", 256, build_uniform, check_posted},
	{"post-hot", 256, build_hot, check_posted},
	{"post-declined", 256, build_declined, check_declined},
	{"hold-capture", 256, build_pair, check_pair},
	{"batch", 4, build_batch, check_batch},
	{"post-32", 32, build_uniform, check_posted},
	{"post-single", 1, build_uniform, check_posted},
};
const size_t accounts_case_count = sizeof(accounts_cases) / sizeof(accounts_cases[0]);

const struct load_case accounts_reads[] = {
	{"read", 8, build_read, check_read},
};
const size_t accounts_read_count = sizeof(accounts_reads) / sizeof(accounts_reads[0]);
