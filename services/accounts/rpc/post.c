/* Post, PostBatch: checked here, on the completion thread; carried out and answered by a lane of
 * the posting engine. */
#include "daler/accounts/v1/accounts.pb-c.h"
#include "engine/posting.h"
#include "rpc/handlers.h"
#include "rpc/map.h"
#include "rpc/reply.h"
#include "rpc/service.h"

#define BATCH_GROUPS_MAX    1000
#define BATCH_TRANSFERS_MAX 10000

static struct rt_status no_memory(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE",
		       "the request needs too much memory");
}

/* Makes a request of so many groups in the call's arena. */
static struct rt_status make_request(struct rt_call *call, size_t group_count,
				     posting_answer answer, struct posting_request **request)
{
	struct rt_arena *arena = rt_call_arena(call);
	struct posting_request *made = rt_arena_alloc(arena, sizeof(*made));
	struct group *groups = rt_arena_array(arena, group_count, sizeof(groups[0]));
	if (made == NULL || groups == NULL)
		return no_memory();
	*made = (struct posting_request){
		.groups = groups,
		.group_count = group_count,
		.answer = answer,
		.context = call,
	};
	*request = made;
	return rt_ok();
}

static struct rt_status submit(struct rt_call *call, struct posting_request *request,
			       const struct rt_uuid *ledger_id)
{
	const struct accounts_service *service = rt_call_service(call);
	for (size_t i = 0; i < request->group_count; i++)
		request->transfer_count += request->groups[i].count;
	return posting_submit(service->posting, request, ledger_id, rt_call_deadline_us(call));
}

static void answer_post(struct posting_request *request, struct rt_status status,
			const struct outcome *outcomes)
{
	struct rt_call *call = request->context;
	Daler__Accounts__V1__PostResponse reply = DALER__ACCOUNTS__V1__POST_RESPONSE__INIT;
	if (rt_is_ok(&status) && outcomes[0].record == NULL)
		status = rt_status_in(map_refused(&outcomes[0]), "group.");
	if (rt_is_ok(&status))
		reply.outcome = map_outcome(&request->groups[0], &outcomes[0], rt_call_arena(call));
	reply_end(call, status, &reply.base);
}

static struct rt_status post(struct rt_call *call)
{
	const Daler__Accounts__V1__PostRequest *asked =
		(const Daler__Accounts__V1__PostRequest *)rt_call_request(call);
	struct rt_uuid ledger_id;
	struct posting_request *request;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	RT_TRY(make_request(call, 1, answer_post, &request));
	RT_TRY(rt_status_in(
		map_group(asked->group, &ledger_id, rt_call_arena(call), &request->groups[0]),
		"group."));
	return submit(call, request, &ledger_id);
}

void accounts_post(struct rt_call *call)
{
	struct rt_status status = post(call);
	if (!rt_is_ok(&status))
		reply_end(call, status, NULL);
}

static void answer_batch(struct posting_request *request, struct rt_status status,
			 const struct outcome *outcomes)
{
	struct rt_call *call = request->context;
	struct rt_arena *arena = rt_call_arena(call);
	Daler__Accounts__V1__PostBatchResponse reply =
		DALER__ACCOUNTS__V1__POST_BATCH_RESPONSE__INIT;
	if (rt_is_ok(&status))
		reply.outcomes = map_list(request->group_count, arena);
	if (reply.outcomes != NULL)
		reply.n_outcomes = request->group_count;
	for (size_t i = 0; i < reply.n_outcomes; i++)
		reply.outcomes[i] = map_outcome(&request->groups[i], &outcomes[i], arena);
	reply_end(call, status, &reply.base);
}

static struct rt_status check_size(const Daler__Accounts__V1__PostBatchRequest *asked)
{
	if (asked->n_groups == 0 || asked->n_groups > BATCH_GROUPS_MAX)
		return RT_BAD_FIELD("INVALID_LENGTH", "groups", "must be 1 to %d, are %zu",
				    BATCH_GROUPS_MAX, asked->n_groups);
	size_t transfers = 0;
	for (size_t i = 0; i < asked->n_groups; i++)
		transfers += asked->groups[i]->n_transfers;
	if (transfers > BATCH_TRANSFERS_MAX)
		return RT_BAD_FIELD("INVALID_LENGTH", "groups",
				    "must have %d transfers at most, have %zu", BATCH_TRANSFERS_MAX,
				    transfers);
	return rt_ok();
}

static struct rt_status post_batch(struct rt_call *call)
{
	const Daler__Accounts__V1__PostBatchRequest *asked =
		(const Daler__Accounts__V1__PostBatchRequest *)rt_call_request(call);
	struct rt_uuid ledger_id;
	struct posting_request *request;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	RT_TRY(check_size(asked));
	RT_TRY(make_request(call, asked->n_groups, answer_batch, &request));
	for (size_t i = 0; i < asked->n_groups; i++)
		RT_TRY(rt_status_in(map_group(asked->groups[i], &ledger_id, rt_call_arena(call),
					      &request->groups[i]),
				    "groups[%zu].", i));
	return submit(call, request, &ledger_id);
}

void accounts_post_batch(struct rt_call *call)
{
	struct rt_status status = post_batch(call);
	if (!rt_is_ok(&status))
		reply_end(call, status, NULL);
}
