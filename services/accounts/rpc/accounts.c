/* CreateAccounts, GetAccount, GetAccountMetadata, GetAccounts, ListAccounts. */
#include <stdio.h>
#include <string.h>

#include "daler/accounts/v1/accounts.pb-c.h"
#include "domain/page.h"
#include "domain/uuid_table.h"
#include "engine/metadata.h"
#include "engine/opening.h"
#include "rpc/handlers.h"
#include "rpc/map.h"
#include "rpc/reply.h"
#include "rt/text.h"
#include "store/account_store.h"

#define ACCOUNTS_MAX 1000

static Daler__Accounts__V1__Account **map_accounts(const struct account_record *records,
						   size_t count, struct rt_arena *arena)
{
	Daler__Accounts__V1__Account **accounts = rt_arena_array(arena, count, sizeof(accounts[0]));
	for (size_t i = 0; accounts != NULL && i < count; i++)
		accounts[i] = map_account(&records[i], arena);
	return accounts;
}

static struct rt_status create(const struct request *request,
			       Daler__Accounts__V1__CreateAccountsResponse *reply)
{
	const Daler__Accounts__V1__CreateAccountsRequest *asked =
		(const Daler__Accounts__V1__CreateAccountsRequest *)rt_call_request(request->call);
	struct rt_uuid ledger_id;
	bool replayed;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	if (asked->n_accounts == 0 || asked->n_accounts > OPENING_ACCOUNTS_MAX)
		return RT_BAD_FIELD("INVALID_LENGTH", "accounts", "must be 1 to %d, are %zu",
				    OPENING_ACCOUNTS_MAX, asked->n_accounts);
	struct account_record *records =
		rt_arena_array(request->arena, asked->n_accounts, sizeof(records[0]));
	if (records == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE",
			       "the request needs too much memory");
	for (size_t i = 0; i < asked->n_accounts; i++)
		RT_TRY(rt_status_in(map_new_account(asked->accounts[i], &ledger_id, request->arena,
						    &records[i]),
				    "accounts[%zu].", i));
	RT_TRY(opening_accounts(request->pg, records, asked->n_accounts, request->arena,
				request->deadline_us, &replayed));
	reply->accounts = map_accounts(records, asked->n_accounts, request->arena);
	reply->n_accounts = reply->accounts == NULL ? 0 : asked->n_accounts;
	reply->replayed = replayed;
	return rt_ok();
}

void accounts_create_accounts(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__CreateAccountsResponse reply;
	daler__accounts__v1__create_accounts_response__init(&reply);
	reply_end(call, create(&request, &reply), &reply.base);
}

static struct rt_status get(const struct request *request,
			    Daler__Accounts__V1__GetAccountResponse *reply)
{
	const Daler__Accounts__V1__GetAccountRequest *asked =
		(const Daler__Accounts__V1__GetAccountRequest *)rt_call_request(request->call);
	struct rt_uuid ledger_id, account_id;
	struct account_record record;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	RT_TRY(rt_uuid_field("account_id", asked->account_id, &account_id));
	RT_TRY(account_store_get(request->pg, &ledger_id, &account_id, request->arena,
				 request->deadline_us, &record));
	RT_TRY(reply_check_owner(request->call, record.owner));
	reply->account = map_account(&record, request->arena);
	return rt_ok();
}

void accounts_get_account(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__GetAccountResponse reply;
	daler__accounts__v1__get_account_response__init(&reply);
	reply_end(call, get(&request, &reply), &reply.base);
}

static struct rt_status get_metadata(const struct request *request,
				     Daler__Accounts__V1__GetAccountMetadataResponse *reply)
{
	const Daler__Accounts__V1__GetAccountMetadataRequest *asked =
		(const Daler__Accounts__V1__GetAccountMetadataRequest *)rt_call_request(
			request->call);
	struct rt_uuid ledger_id, account_id;
	struct account_record record;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	RT_TRY(rt_uuid_field("account_id", asked->account_id, &account_id));
	RT_TRY(metadata_get(request->pg, request->cache, &ledger_id, &account_id, request->arena,
			    request->deadline_us, &record));
	reply->metadata = map_metadata(&record, request->arena);
	return rt_ok();
}

void accounts_get_account_metadata(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__GetAccountMetadataResponse reply;
	daler__accounts__v1__get_account_metadata_response__init(&reply);
	reply_end(call, get_metadata(&request, &reply), &reply.base);
}

static struct rt_status account_missing(size_t index)
{
	char field[48];
	snprintf(field, sizeof(field), "account_ids[%zu]", index);
	return rt_status_about(account_store_not_found(), field);
}

/* Puts the accounts in the order of their ids in the request. */
static struct rt_status put_in_order(const struct request *request,
				     const struct stored_account *stored, size_t count,
				     const struct rt_uuid *ids,
				     Daler__Accounts__V1__GetAccountsResponse *reply)
{
	struct uuid_table by_id;
	if (!uuid_table_init(&by_id, request->arena, count))
		return RT_FAIL(RESOURCE_EXHAUSTED, "ANSWER_TOO_LARGE",
			       "the answer needs too much memory");
	for (size_t i = 0; i < count; i++) {
		/* One that the caller may not see is as if it were not there. */
		struct rt_status status = reply_check_owner(request->call, stored[i].record.owner);
		if (rt_is_ok(&status))
			uuid_table_put(&by_id, &stored[i].record.account.id,
				       map_account(&stored[i].record, request->arena));
	}
	for (size_t i = 0; i < reply->n_accounts; i++) {
		reply->accounts[i] = uuid_table_get(&by_id, &ids[i]);
		if (reply->accounts[i] == NULL)
			return account_missing(i);
	}
	return rt_ok();
}

static struct rt_status get_many(const struct request *request,
				 Daler__Accounts__V1__GetAccountsResponse *reply)
{
	const Daler__Accounts__V1__GetAccountsRequest *asked =
		(const Daler__Accounts__V1__GetAccountsRequest *)rt_call_request(request->call);
	struct rt_uuid ledger_id;
	struct stored_account *stored;
	size_t count, wanted = asked->n_account_ids;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	if (wanted == 0 || wanted > ACCOUNTS_MAX)
		return RT_BAD_FIELD("INVALID_LENGTH", "account_ids", "must be 1 to %d, are %zu",
				    ACCOUNTS_MAX, wanted);
	struct rt_uuid *ids = rt_arena_array(request->arena, wanted, sizeof(ids[0]));
	reply->accounts = rt_arena_array(request->arena, wanted, sizeof(reply->accounts[0]));
	if (ids == NULL || reply->accounts == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE",
			       "the request needs too much memory");
	for (size_t i = 0; i < wanted; i++) {
		char field[32];
		snprintf(field, sizeof(field), "account_ids[%zu]", i);
		RT_TRY(rt_uuid_field(field, asked->account_ids[i], &ids[i]));
	}
	RT_TRY(account_store_get_many(request->pg, &ledger_id, ids, wanted, request->arena,
				      request->deadline_us, &stored, &count));
	reply->n_accounts = wanted;
	return put_in_order(request, stored, count, ids, reply);
}

void accounts_get_accounts(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__GetAccountsResponse reply;
	daler__accounts__v1__get_accounts_response__init(&reply);
	reply_end(call, get_many(&request, &reply), &reply.base);
}

/* A player's list is of its own accounts, whether it says so or not. */
static struct rt_status take_owner(const struct request *request, const char *asked,
				   const char **owner)
{
	const struct rt_caller *caller = rt_call_caller(request->call);
	RT_TRY(rt_text_field("owner", asked, 0, ACCOUNT_TEXT_CHARACTERS_MAX));
	RT_TRY(map_owner(asked, request->arena, owner));
	if (caller->role != RT_ROLE_PLAYER)
		return rt_ok();
	char *user_id = map_uuid(&caller->user_id, request->arena);
	if (user_id == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE",
			       "the request needs too much memory");
	if (asked[0] != '\0' && strcmp(*owner, user_id) != 0)
		return RT_FAIL(PERMISSION_DENIED, "PERMISSION_DENIED",
			       "players see their own accounts alone");
	*owner = user_id;
	return rt_ok();
}

static struct rt_status take_filter(const struct request *request,
				    const Daler__Accounts__V1__ListAccountsRequest *asked,
				    struct account_filter *filter, struct rt_page_seal *seal)
{
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &filter->ledger_id));
	RT_TRY(take_owner(request, asked->owner, &filter->owner));
	if (asked->currency[0] != '\0')
		RT_TRY(currency_field("currency", asked->currency));
	RT_TRY(rt_text_field("label", asked->label, 0, ACCOUNT_TEXT_CHARACTERS_MAX));
	filter->currency = asked->currency;
	filter->label = asked->label;
	filter->status = (int64_t)map_status_from(asked->status);
	if (filter->status == 0 &&
	    asked->status != DALER__ACCOUNTS__V1__ACCOUNT_STATUS__ACCOUNT_STATUS_UNSPECIFIED)
		return RT_BAD_FIELD("INVALID_FIELD", "status",
				    "must be active, frozen, blocked or closed");
	RT_TRY(rt_page_size_check(asked->page_size, &filter->most));
	struct rt_digest digest = page_seal_begin("accounts");
	rt_digest_bytes(&digest, filter->ledger_id.bytes, sizeof(filter->ledger_id.bytes));
	rt_digest_text(&digest, filter->owner);
	rt_digest_text(&digest, filter->currency);
	rt_digest_text(&digest, filter->label);
	rt_digest_int(&digest, filter->status);
	*seal = rt_page_seal_end(&digest);
	return page_token_to_id(seal, asked->page_token, &filter->after);
}

static struct rt_status list(const struct request *request,
			     Daler__Accounts__V1__ListAccountsResponse *reply,
			     char token[PAGE_TOKEN_BYTES])
{
	const Daler__Accounts__V1__ListAccountsRequest *asked =
		(const Daler__Accounts__V1__ListAccountsRequest *)rt_call_request(request->call);
	struct account_filter filter = {0};
	struct rt_page_seal seal;
	struct account_record *records;
	size_t count;
	RT_TRY(take_filter(request, asked, &filter, &seal));
	size_t size = filter.most++; /* one more than the page shows whether there is a next one */
	RT_TRY(account_store_list(request->pg, &filter, request->arena, request->deadline_us,
				  &records, &count));
	size_t shown = count > size ? size : count;
	reply->accounts = map_accounts(records, shown, request->arena);
	reply->n_accounts = reply->accounts == NULL ? 0 : shown;
	if (count > size) {
		page_token_from_id(&seal, &records[size - 1].account.id, token);
		reply->next_page_token = token;
	}
	return rt_ok();
}

void accounts_list_accounts(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__ListAccountsResponse reply;
	daler__accounts__v1__list_accounts_response__init(&reply);
	char token[PAGE_TOKEN_BYTES];
	reply_end(call, list(&request, &reply, token), &reply.base);
}
