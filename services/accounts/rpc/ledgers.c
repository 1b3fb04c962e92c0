/* CreateLedger, GetLedger, ListLedgers. */
#include "daler/accounts/v1/accounts.pb-c.h"
#include "domain/page.h"
#include "engine/opening.h"
#include "rpc/handlers.h"
#include "rpc/map.h"
#include "rpc/reply.h"
#include "store/ledger_store.h"

static struct rt_status create(const struct request *request,
			       Daler__Accounts__V1__CreateLedgerResponse *reply)
{
	const Daler__Accounts__V1__CreateLedgerRequest *asked =
		(const Daler__Accounts__V1__CreateLedgerRequest *)rt_call_request(request->call);
	struct ledger ledger = {.name = asked->name};
	bool replayed;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger.id));
	RT_TRY(opening_ledger(request->pg, &ledger, request->arena, request->deadline_us,
			      &replayed));
	reply->ledger = map_ledger(&ledger, request->arena);
	reply->replayed = replayed;
	return rt_ok();
}

void accounts_create_ledger(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__CreateLedgerResponse reply =
		DALER__ACCOUNTS__V1__CREATE_LEDGER_RESPONSE__INIT;
	reply_end(call, create(&request, &reply), &reply.base);
}

static struct rt_status get(const struct request *request,
			    Daler__Accounts__V1__GetLedgerResponse *reply)
{
	const Daler__Accounts__V1__GetLedgerRequest *asked =
		(const Daler__Accounts__V1__GetLedgerRequest *)rt_call_request(request->call);
	struct rt_uuid id;
	struct ledger ledger;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &id));
	RT_TRY(ledger_store_get(request->pg, &id, request->arena, request->deadline_us, &ledger));
	reply->ledger = map_ledger(&ledger, request->arena);
	return rt_ok();
}

void accounts_get_ledger(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__GetLedgerResponse reply =
		DALER__ACCOUNTS__V1__GET_LEDGER_RESPONSE__INIT;
	reply_end(call, get(&request, &reply), &reply.base);
}

static struct rt_status list(const struct request *request,
			     Daler__Accounts__V1__ListLedgersResponse *reply,
			     char token[PAGE_TOKEN_BYTES])
{
	const Daler__Accounts__V1__ListLedgersRequest *asked =
		(const Daler__Accounts__V1__ListLedgersRequest *)rt_call_request(request->call);
	struct rt_digest digest = page_seal_begin("ledgers");
	struct rt_page_seal seal = rt_page_seal_end(&digest);
	struct rt_uuid after;
	struct ledger *ledgers;
	size_t size, count;
	RT_TRY(rt_page_size_check(asked->page_size, &size));
	RT_TRY(page_token_to_id(&seal, asked->page_token, &after));
	/* One more than the page shows whether there is a next one. */
	RT_TRY(ledger_store_list(request->pg, &after, size + 1, request->arena,
				 request->deadline_us, &ledgers, &count));
	reply->n_ledgers = count > size ? size : count;
	reply->ledgers = map_list(reply->n_ledgers, request->arena);
	for (size_t i = 0; reply->ledgers != NULL && i < reply->n_ledgers; i++)
		reply->ledgers[i] = map_ledger(&ledgers[i], request->arena);
	if (count > size) {
		page_token_from_id(&seal, &ledgers[size - 1].id, token);
		reply->next_page_token = token;
	}
	return rt_ok();
}

void accounts_list_ledgers(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__ListLedgersResponse reply;
	char token[PAGE_TOKEN_BYTES];
	daler__accounts__v1__list_ledgers_response__init(&reply);
	reply_end(call, list(&request, &reply, token), &reply.base);
}
