/* UpdateAccount: changed by the worker; answered by it, or by the invalidator when the cache could
 * not be told. */
#include "daler/accounts/v1/accounts.pb-c.h"
#include "engine/amending.h"
#include "engine/invalidator.h"
#include "rpc/handlers.h"
#include "rpc/map.h"
#include "rpc/reply.h"
#include "rpc/service.h"
#include "rt/clock.h"

/* The rest of a call's time is for the cache. */
#define CHANGE_US_MAX (10 * RT_US_PER_S)

static struct rt_status take_mask(const Google__Protobuf__FieldMask *mask, unsigned *fields)
{
	*fields = 0;
	for (size_t i = 0; mask != NULL && i < mask->n_paths; i++) {
		unsigned field = amendment_field_of(mask->paths[i]);
		if (field == 0)
			return RT_BAD_FIELD("INVALID_FIELD", "update_mask",
					    "paths[%zu] is not label, status, lower_limit, "
					    "upper_limit or credit_line_minor",
					    i);
		*fields |= field;
	}
	return rt_ok();
}

static struct rt_status take_amendment(const Daler__Accounts__V1__UpdateAccountRequest *asked,
				       struct amendment *amendment)
{
	*amendment = (struct amendment){
		.expected_version = asked->expected_version,
		.label = asked->label,
		.lower = map_limit_from(asked->lower_limit),
		.upper = map_limit_from(asked->upper_limit),
		.credit_line_minor = asked->credit_line_minor,
		.status = map_status_from(asked->status),
	};
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &amendment->ledger_id));
	RT_TRY(rt_uuid_field("account_id", asked->account_id, &amendment->account_id));
	return take_mask(asked->update_mask, &amendment->fields);
}

/* A call that waits until the cache can't hold anything older. */
struct waiting {
	struct rt_call *call;
	Daler__Accounts__V1__UpdateAccountResponse reply;
};

static void acknowledge(void *context, struct rt_status status)
{
	struct waiting *waiting = context;
	reply_end(waiting->call, status, &waiting->reply.base);
}

static bool has_gone(void *context)
{
	const struct waiting *waiting = context;
	return rt_call_cancelled(waiting->call);
}

static struct rt_status wait_for_cache(struct rt_call *call, const struct account_record *record,
				       const Daler__Accounts__V1__UpdateAccountResponse *reply)
{
	const struct accounts_service *service = rt_call_service(call);
	struct waiting *waiting = rt_arena_alloc(rt_call_arena(call), sizeof(*waiting));
	if (waiting == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "ANSWER_TOO_LARGE",
			       "the answer needs too much memory");
	*waiting = (struct waiting){.call = call, .reply = *reply};
	const struct invalidation invalidation = {
		.ledger_id = record->ledger_id,
		.account_id = record->account.id,
		.version = record->version,
		.done = acknowledge,
		.gone = has_gone,
		.context = waiting,
	};
	return invalidator_take(service->invalidator, &invalidation);
}

static struct rt_status update(const struct request *request,
			       Daler__Accounts__V1__UpdateAccountResponse *reply,
			       struct account_record *record, bool *told)
{
	const Daler__Accounts__V1__UpdateAccountRequest *asked =
		(const Daler__Accounts__V1__UpdateAccountRequest *)rt_call_request(request->call);
	const struct rt_caller *caller = rt_call_caller(request->call);
	const struct amendment_author author = {.identity = rt_identity_name(caller->identity),
						.user_id = caller->user_id};
	struct amendment amendment;
	bool replayed;
	int64_t latest_us = rt_clock_mono_us() + CHANGE_US_MAX;
	RT_TRY(take_amendment(asked, &amendment));
	RT_TRY(amending_run(request->pg, request->cache, &amendment, &author, request->arena,
			    request->deadline_us < latest_us ? request->deadline_us : latest_us,
			    record, &replayed, told));
	reply->metadata = map_metadata(record, request->arena);
	reply->replayed = replayed;
	return rt_ok();
}

void accounts_update_account(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__UpdateAccountResponse reply;
	struct account_record record;
	bool told = false;
	daler__accounts__v1__update_account_response__init(&reply);
	struct rt_status status = update(&request, &reply, &record, &told);
	if (rt_is_ok(&status) && !told) {
		status = wait_for_cache(call, &record, &reply);
		if (rt_is_ok(&status))
			return;
	}
	reply_end(call, status, &reply.base);
}
