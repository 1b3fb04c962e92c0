/* RegisterClearingAccount and RegisterTransitAccount. */
#include <string.h>

#include "rpc/map.h"
#include "rpc/service.h"
#include "rt/clock.h"
#include "rt/money.h"

static struct rt_status check_account(struct rt_call *call, const struct rt_uuid *ledger_id,
				      const struct rt_uuid *account_id, const char *currency)
{
	struct payments_service *service = rt_call_service(call);
	struct rt_call_options options = {.deadline_mono_us = rt_call_deadline_us(call),
					  .trace = rt_call_trace(call)};
	const char *owner = NULL;
	const char *account_currency = NULL;
	struct rt_status status = accounts_get(&service->accounts, ledger_id, account_id, &options,
					       rt_call_arena(call), &owner, &account_currency);

	if (status.code == RT_NOT_FOUND || rt_is_ok(&status)) {
		RT_TRY(status);
	} else {
		return RT_FAIL(UNAVAILABLE, "ACCOUNTS_UNAVAILABLE",
			       "the account could not be checked");
	}
	if (strcmp(account_currency, currency) != 0)
		return RT_FAIL(FAILED_PRECONDITION, "CURRENCY_MISMATCH",
			       "the account is in another currency");
	return rt_ok();
}

/* Names the account once, for ever. */
static struct rt_status name_account(struct rt_call *call, const struct clearing_key *key,
				     const char *account_text)
{
	struct rt_uuid account_id;
	struct rt_uuid named;

	RT_TRY(rt_uuid_field("account_id", account_text, &account_id));
	RT_TRY(check_account(call, &key->ledger_id, &account_id, key->currency));
	named = account_id;
	RT_TRY(payment_store_register(rt_call_worker(call), key, rt_clock_wall_us(),
				      rt_call_deadline_us(call), &named));
	if (rt_uuid_equal(&named, &account_id))
		return rt_ok();
	if (key->connector == NULL)
		return RT_FAIL(ALREADY_EXISTS, "TRANSIT_ACCOUNT_EXISTS",
			       "another account is named for this currency");
	return RT_FAIL(ALREADY_EXISTS, "CLEARING_ACCOUNT_EXISTS",
		       "another account is named for this connector and currency");
}

static struct rt_status register_clearing(struct rt_call *call)
{
	const Daler__Payments__V1__RegisterClearingAccountRequest *request =
		(const void *)rt_call_request(call);
	const struct rt_currency *currency = NULL;
	struct clearing_key key = {.connector = request->connector};

	RT_TRY(rt_uuid_field("ledger_id", request->ledger_id, &key.ledger_id));
	RT_TRY(payment_connector_check("connector", request->connector));
	RT_TRY(rt_currency_field("currency", request->currency, &currency));
	key.currency = currency->code;
	return name_account(call, &key, request->account_id);
}

static struct rt_status register_transit(struct rt_call *call)
{
	const Daler__Payments__V1__RegisterTransitAccountRequest *request =
		(const void *)rt_call_request(call);
	const struct rt_currency *currency = NULL;
	struct clearing_key key = {.connector = NULL};

	RT_TRY(rt_uuid_field("ledger_id", request->ledger_id, &key.ledger_id));
	RT_TRY(rt_currency_field("currency", request->currency, &currency));
	key.currency = currency->code;
	return name_account(call, &key, request->account_id);
}

void payments_register_clearing_account(struct rt_call *call)
{
	Daler__Payments__V1__RegisterClearingAccountResponse reply;
	daler__payments__v1__register_clearing_account_response__init(&reply);
	struct rt_status status = register_clearing(call);

	rt_call_end(call, status, &reply.base);
}

void payments_register_transit_account(struct rt_call *call)
{
	Daler__Payments__V1__RegisterTransitAccountResponse reply;
	daler__payments__v1__register_transit_account_response__init(&reply);
	struct rt_status status = register_transit(call);

	rt_call_end(call, status, &reply.base);
}
