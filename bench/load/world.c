#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "daler/accounts/v1/accounts.pb-c.h"
#include "rt/arena.h"
#include "rt/assert.h"
#include "rt/cleanup.h"
#include "rt/clock.h"

#define ACCOUNTS_PER_CALL 1000

static const struct rt_remote create_ledger = {
	.service = "daler.accounts.v1.AccountsService",
	.name = "CreateLedger",
	.reply = &daler__accounts__v1__create_ledger_response__descriptor,
	.repeatable = true,
};

static const struct rt_remote create_accounts = {
	.service = "daler.accounts.v1.AccountsService",
	.name = "CreateAccounts",
	.reply = &daler__accounts__v1__create_accounts_response__descriptor,
	.repeatable = true,
};

void world_init(struct load_world *world, size_t account_count)
{
	world->account_count = account_count;
	world->account_ids = calloc(account_count + 1, sizeof(world->account_ids[0]));
	RT_ASSERT(world->account_ids != NULL);
	for (size_t i = 0; i <= account_count; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "account-%zu", i);
		struct rt_uuid id = rt_uuid_derive(&world->ledger, name);
		rt_uuid_format(&id, world->account_ids[i]);
	}
}

char *world_account_id(const struct load_world *world, size_t index)
{
	return world->account_ids[index];
}

static struct rt_status call(struct rt_channel *channel, const struct rt_remote *remote,
			     const ProtobufCMessage *request, const char *bearer,
			     struct rt_arena *arena)
{
	struct rt_call_options options = {
		.deadline_mono_us = rt_clock_mono_us() + 30 * RT_US_PER_S,
		.bearer = bearer,
		.wait_for_ready = true,
	};
	const ProtobufCMessage *reply = NULL;
	return rt_channel_call(channel, remote, request, &options, arena, &reply);
}

/* Creates the accounts from `first` on, up to one call's worth. */
static struct rt_status create_some(const struct load_world *world, struct rt_channel *channel,
				    const char *bearer, size_t first, struct rt_arena *arena)
{
	Daler__Accounts__V1__NewAccount rows[ACCOUNTS_PER_CALL];
	Daler__Accounts__V1__NewAccount *pointers[ACCOUNTS_PER_CALL];
	Daler__Accounts__V1__Limit zero;
	daler__accounts__v1__limit__init(&zero);
	char owner[] = "bench";
	char currency[] = WORLD_CURRENCY;
	size_t count = 0;
	for (size_t i = first; i <= world->account_count && count < ACCOUNTS_PER_CALL;
	     i++, count++) {
		Daler__Accounts__V1__NewAccount row;
		daler__accounts__v1__new_account__init(&row);
		row.account_id = world_account_id(world, i);
		row.owner = owner;
		row.currency = currency;
		row.normal_side = DALER__ACCOUNTS__V1__NORMAL_SIDE__NORMAL_SIDE_CREDIT;
		row.lower_limit = i == world->account_count ? &zero : NULL;
		rows[count] = row;
		pointers[count] = &rows[count];
	}
	Daler__Accounts__V1__CreateAccountsRequest request;
	daler__accounts__v1__create_accounts_request__init(&request);
	request.ledger_id = rt_arena_strdup(arena, world->ledger_id);
	request.n_accounts = count;
	request.accounts = pointers;
	return call(channel, &create_accounts, &request.base, bearer, arena);
}

struct rt_status world_create(const struct load_world *world, struct rt_channel *channel,
			      const char *bearer)
{
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	rt_arena_init(&arena, (size_t)16 << 20);
	Daler__Accounts__V1__CreateLedgerRequest request;
	daler__accounts__v1__create_ledger_request__init(&request);
	char name[] = "bench";
	request.ledger_id = rt_arena_strdup(&arena, world->ledger_id);
	request.name = name;
	RT_TRY(call(channel, &create_ledger, &request.base, bearer, &arena));
	for (size_t first = 0; first <= world->account_count; first += ACCOUNTS_PER_CALL) {
		rt_arena_deinit(&arena);
		RT_TRY(create_some(world, channel, bearer, first, &arena));
	}
	return rt_ok();
}
