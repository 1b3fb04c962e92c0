/* GetTransfer, GetGroup, GetTrialBalance. */
#include "daler/accounts/v1/accounts.pb-c.h"
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
	case HOLD_EXPIRED:
		return DALER__ACCOUNTS__V1__HOLD_STATE__HOLD_STATE_EXPIRED;
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
	reply->transfer =
		map_posted(&stored.posted, stored.posted.transfer.reference, request->arena);
	reply->hold_state = map_hold_state(&stored);
	reply->captured_minor = stored.captured_minor;
	reply->reversed_minor = stored.reversed_minor;
	return rt_ok();
}

void accounts_get_transfer(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__GetTransferResponse reply =
		DALER__ACCOUNTS__V1__GET_TRANSFER_RESPONSE__INIT;
	reply_end(call, get_transfer(&request, &reply), &reply.base);
}

static struct rt_status get_group(const struct request *request,
				  Daler__Accounts__V1__GetGroupResponse *reply)
{
	const Daler__Accounts__V1__GetGroupRequest *asked =
		(const Daler__Accounts__V1__GetGroupRequest *)rt_call_request(request->call);
	struct rt_uuid ledger_id, transfer_id;
	struct group_record record;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	RT_TRY(rt_uuid_field("transfer_id", asked->transfer_id, &transfer_id));
	RT_TRY(statement_store_group(request->pg, &ledger_id, &transfer_id, request->arena,
				     request->deadline_us, &record));
	reply->outcome = map_recorded(&record, request->arena);
	return rt_ok();
}

void accounts_get_group(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__GetGroupResponse reply;
	daler__accounts__v1__get_group_response__init(&reply);
	reply_end(call, get_group(&request, &reply), &reply.base);
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
	reply->lines = rt_arena_array(request->arena, balance.count, sizeof(reply->lines[0]));
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
