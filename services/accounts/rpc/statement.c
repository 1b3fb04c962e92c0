/* GetStatement, GetBalanceAt. */
#include "engine/statement.h"

#include "daler/accounts/v1/accounts.pb-c.h"
#include "domain/page.h"
#include "rpc/handlers.h"
#include "rpc/map.h"
#include "rpc/reply.h"

typedef const Daler__Accounts__V1__GetStatementRequest asked_statement;

/* Entries have times of whole microseconds: at or after a time between two of them, or before it,
 * is at or after the later one, or before that. */
static struct rt_status take_bound(const char *field, const Google__Protobuf__Timestamp *asked,
				   int64_t *bound_us)
{
	if (asked == NULL)
		return rt_ok();
	RT_TRY(map_time_from(field, asked, bound_us));
	*bound_us += asked->nanos % 1000 != 0;
	return rt_ok();
}

static struct rt_status take_range(asked_statement *asked, struct statement_query *query)
{
	query->from_sequence = asked->from_sequence;
	query->to_sequence = asked->to_sequence;
	query->from_us = INT64_MIN;
	query->to_us = INT64_MAX;
	if (asked->from_sequence < 0)
		return RT_BAD_FIELD("INVALID_FIELD", "from_sequence", "must be 0 or more");
	if (asked->to_sequence < 0)
		return RT_BAD_FIELD("INVALID_FIELD", "to_sequence", "must be 0 or more");
	if (asked->to_sequence != 0 && asked->to_sequence < asked->from_sequence)
		return RT_BAD_FIELD("INVALID_FIELD", "to_sequence",
				    "must not be before from_sequence");
	RT_TRY(take_bound("from_time", asked->from_time, &query->from_us));
	RT_TRY(take_bound("to_time", asked->to_time, &query->to_us));
	if (query->to_us < query->from_us)
		return RT_BAD_FIELD("INVALID_FIELD", "to_time", "must not be before from_time");
	return rt_ok();
}

static struct rt_page_seal statement_seal(const struct statement_query *query)
{
	struct rt_digest digest = page_seal_begin("statement");
	rt_digest_bytes(&digest, query->ledger_id.bytes, sizeof(query->ledger_id.bytes));
	rt_digest_bytes(&digest, query->account_id.bytes, sizeof(query->account_id.bytes));
	rt_digest_int(&digest, query->from_sequence);
	rt_digest_int(&digest, query->to_sequence);
	rt_digest_int(&digest, query->from_us);
	rt_digest_int(&digest, query->to_us);
	rt_digest_int(&digest, query->descending ? 1 : 0);
	return rt_page_seal_end(&digest);
}

static struct rt_status take_query(asked_statement *asked, struct statement_query *query,
				   struct rt_page_seal *seal)
{
	*query = (struct statement_query){.descending = asked->descending};
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &query->ledger_id));
	RT_TRY(rt_uuid_field("account_id", asked->account_id, &query->account_id));
	RT_TRY(rt_page_size_check(asked->page_size, &query->most));
	RT_TRY(take_range(asked, query));
	*seal = statement_seal(query);
	return page_token_to_numbers(seal, asked->page_token, &query->place, &query->last_sequence);
}

static void fill_statement(const struct statement *statement, size_t shown, struct rt_arena *arena,
			   Daler__Accounts__V1__GetStatementResponse *reply)
{
	enum account_side side = statement->account.account.side;
	reply->account = map_metadata(&statement->account, arena);
	reply->opening_balances = map_balances(side, &statement->opening, arena);
	reply->closing_balances = map_balances(side, &statement->closing, arena);
	reply->entries = rt_arena_array(arena, shown, sizeof(reply->entries[0]));
	reply->n_entries = reply->entries == NULL ? 0 : shown;
	for (size_t i = 0; i < reply->n_entries; i++)
		reply->entries[i] = map_entry(&statement->entries[i], side, arena);
}

static struct rt_status get_statement(const struct request *request,
				      Daler__Accounts__V1__GetStatementResponse *reply,
				      char token[PAGE_TOKEN_BYTES])
{
	struct statement_query query;
	struct rt_page_seal seal;
	struct statement statement;
	RT_TRY(take_query((asked_statement *)rt_call_request(request->call), &query, &seal));
	size_t size = query.most++; /* one more than the page shows whether there is a next one */
	RT_TRY(statement_read(request->pg, &query, request->arena, request->deadline_us,
			      &statement));
	RT_TRY(reply_check_owner(request->call, statement.account.owner));
	fill_statement(&statement, statement.count > size ? size : statement.count, request->arena,
		       reply);
	if (statement.count > size) {
		page_token_from_numbers(&seal, statement.entries[size - 1].after.sequence,
					statement.last_sequence, token);
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

static struct rt_status take_moment(const Google__Protobuf__Timestamp *asked, int64_t *wall_us)
{
	if (asked == NULL)
		return RT_BAD_FIELD("INVALID_FIELD", "time", "must be given");
	return map_time_from("time", asked, wall_us);
}

static struct rt_status get_balance_at(const struct request *request,
				       Daler__Accounts__V1__GetBalanceAtResponse *reply)
{
	const Daler__Accounts__V1__GetBalanceAtRequest *asked =
		(const Daler__Accounts__V1__GetBalanceAtRequest *)rt_call_request(request->call);
	struct rt_uuid ledger_id, account_id;
	struct account_record account;
	struct account_state state;
	int64_t wall_us;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	RT_TRY(rt_uuid_field("account_id", asked->account_id, &account_id));
	RT_TRY(take_moment(asked->time, &wall_us));
	RT_TRY(statement_state_at(request->pg, &ledger_id, &account_id, wall_us, request->arena,
				  request->deadline_us, &account, &state));
	RT_TRY(reply_check_owner(request->call, account.owner));
	reply->balances = map_balances(account.account.side, &state, request->arena);
	return rt_ok();
}

void accounts_get_balance_at(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__GetBalanceAtResponse reply;
	daler__accounts__v1__get_balance_at_response__init(&reply);
	reply_end(call, get_balance_at(&request, &reply), &reply.base);
}
