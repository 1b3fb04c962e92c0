/* GetTransfer, GetStatement, GetTrialBalance. */
#include "daler/accounts/v1/accounts.pb-c.h"
#include "domain/page.h"
#include "engine/statement.h"
#include "rpc/handlers.h"
#include "rpc/map.h"
#include "rpc/reply.h"
#include "store/statement_store.h"

static Daler__Accounts__V1__HoldState map_hold_state(const struct stored_transfer *stored)
{
	if (!stored->is_hold)
		return DALER__ACCOUNTS__V1__HOLD_STATE__HOLD_STATE_UNSPECIFIED;
	switch (stored->hold_state) {
	case HOLD_PENDING:
		return DALER__ACCOUNTS__V1__HOLD_STATE__HOLD_STATE_PENDING;
	case HOLD_CAPTURED:
		return DALER__ACCOUNTS__V1__HOLD_STATE__HOLD_STATE_CAPTURED;
	case HOLD_RELEASED:
		return DALER__ACCOUNTS__V1__HOLD_STATE__HOLD_STATE_RELEASED;
	}
	return DALER__ACCOUNTS__V1__HOLD_STATE__HOLD_STATE_UNSPECIFIED;
}

static struct rt_status get_transfer(const struct request *request,
				     Daler__Accounts__V1__GetTransferResponse *reply)
{
	const Daler__Accounts__V1__GetTransferRequest *asked =
		(const Daler__Accounts__V1__GetTransferRequest *)rt_call_request(request->call);
	struct rt_uuid ledger_id, transfer_id;
	struct stored_transfer stored;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	RT_TRY(rt_uuid_field("transfer_id", asked->transfer_id, &transfer_id));
	RT_TRY(statement_store_transfer(request->pg, &ledger_id, &transfer_id, request->arena,
					request->deadline_us, &stored));
	reply->transfer = map_posted(&stored.posted, request->arena);
	reply->hold_state = map_hold_state(&stored);
	reply->captured_minor = stored.captured_minor;
	return rt_ok();
}

void accounts_get_transfer(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__GetTransferResponse reply =
		DALER__ACCOUNTS__V1__GET_TRANSFER_RESPONSE__INIT;
	reply_end(call, get_transfer(&request, &reply), &reply.base);
}

static struct page_seal statement_seal(const struct rt_uuid *ledger_id,
				       const struct rt_uuid *account_id)
{
	struct page_scope scope = page_scope_begin("statement");
	rt_digest_bytes(&scope.digest, ledger_id->bytes, sizeof(ledger_id->bytes));
	rt_digest_bytes(&scope.digest, account_id->bytes, sizeof(account_id->bytes));
	return page_scope_seal(&scope);
}

static void fill_statement(const struct statement *statement, size_t shown, struct rt_arena *arena,
			   Daler__Accounts__V1__GetStatementResponse *reply)
{
	reply->account = map_metadata(&statement->account, arena);
	reply->entries = map_list(shown, arena);
	reply->n_entries = reply->entries == NULL ? 0 : shown;
	for (size_t i = 0; i < reply->n_entries; i++)
		reply->entries[i] =
			map_entry(&statement->entries[i], statement->account.account.side, arena);
}

static struct rt_status get_statement(const struct request *request,
				      Daler__Accounts__V1__GetStatementResponse *reply,
				      char token[PAGE_TOKEN_BYTES])
{
	const Daler__Accounts__V1__GetStatementRequest *asked =
		(const Daler__Accounts__V1__GetStatementRequest *)rt_call_request(request->call);
	struct rt_uuid ledger_id, account_id;
	struct statement statement;
	size_t size;
	int64_t after;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	RT_TRY(rt_uuid_field("account_id", asked->account_id, &account_id));
	RT_TRY(page_size_check(asked->page_size, &size));
	struct page_seal seal = statement_seal(&ledger_id, &account_id);
	RT_TRY(page_token_to_number(&seal, asked->page_token, &after));
	/* One more than the page shows whether there is a next one. */
	RT_TRY(statement_read(request->pg, &ledger_id, &account_id, after, size + 1, request->arena,
			      request->deadline_us, &statement));
	RT_TRY(reply_check_owner(request->call, statement.account.owner));
	fill_statement(&statement, statement.count > size ? size : statement.count, request->arena,
		       reply);
	if (statement.count > size) {
		page_token_from_number(&seal, statement.entries[size - 1].after.sequence, token);
		reply->next_page_token = token;
	}
	return rt_ok();
}

void accounts_get_statement(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__GetStatementResponse reply;
	char token[PAGE_TOKEN_BYTES];
	daler__accounts__v1__get_statement_response__init(&reply);
	reply_end(call, get_statement(&request, &reply, token), &reply.base);
}

static struct rt_status get_trial_balance(const struct request *request,
					  Daler__Accounts__V1__GetTrialBalanceResponse *reply)
{
	const Daler__Accounts__V1__GetTrialBalanceRequest *asked =
		(const Daler__Accounts__V1__GetTrialBalanceRequest *)rt_call_request(request->call);
	struct rt_uuid ledger_id;
	struct trial_balance balance;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	RT_TRY(statement_trial_balance(request->pg, &ledger_id, request->arena,
				       request->deadline_us, &balance));
	reply->lines = map_list(balance.count, request->arena);
	reply->n_lines = reply->lines == NULL ? 0 : balance.count;
	for (size_t i = 0; i < reply->n_lines; i++)
		reply->lines[i] = map_line(&balance.lines[i], request->arena);
	reply->balanced = balance.balanced;
	return rt_ok();
}

void accounts_get_trial_balance(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__GetTrialBalanceResponse reply =
		DALER__ACCOUNTS__V1__GET_TRIAL_BALANCE_RESPONSE__INIT;
	reply_end(call, get_trial_balance(&request, &reply), &reply.base);
}
