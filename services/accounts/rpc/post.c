/* Post, PostBatch: checked here, on the completion thread; carried out and answered by a lane of
 * the posting engine. */
#include "daler/accounts/v1/accounts.pb-c.h"
#include "engine/posting.h"
#include "rpc/handlers.h"
#include "rpc/map.h"
#include "rpc/reply.h"
#include "rpc/service.h"

static const struct map_bounds batch_bounds = {.groups_max = 1000, .transfers_max = 10000};

/* A group of 100 transfers with the longest texts takes a tenth of it. */
#define OUTCOME_ARENA_BYTES_MAX ((size_t)1 << 20)

static struct rt_status no_memory(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE",
		       "the request needs too much memory");
}

/* Hands groups of the call's to the engine. */
static struct rt_status submit(struct rt_call *call, const struct rt_uuid *ledger_id,
			       struct group *groups, size_t group_count, size_t transfer_count,
			       posting_answer answer)
{
	const struct accounts_service *service = rt_call_service(call);
	struct posting_request *request = rt_arena_alloc(rt_call_arena(call), sizeof(*request));
	if (request == NULL)
		return no_memory();
	*request = (struct posting_request){
		.groups = groups,
		.group_count = group_count,
		.transfer_count = transfer_count,
		.answer = answer,
		.context = call,
	};
	return posting_submit(service->posting, request, ledger_id, reply_caller(call),
			      rt_call_deadline_us(call));
}

static void answer_post(struct posting_request *request, struct rt_status status,
			const struct outcome *outcomes)
{
	struct rt_call *call = request->context;
	Daler__Accounts__V1__PostResponse reply = DALER__ACCOUNTS__V1__POST_RESPONSE__INIT;
	if (rt_is_ok(&status) && outcomes[0].record == NULL)
		status = rt_status_in(map_refused(&outcomes[0]), "group.");
	if (rt_is_ok(&status))
		reply.outcome =
			map_outcome(&request->groups[0], &outcomes[0], 0, rt_call_arena(call));
	reply_end(call, status, &reply.base);
}

static struct rt_status post(struct rt_call *call)
{
	const Daler__Accounts__V1__PostRequest *asked =
		(const Daler__Accounts__V1__PostRequest *)rt_call_request(call);
	struct rt_uuid ledger_id;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	struct group *group = rt_arena_alloc(rt_call_arena(call), sizeof(*group));
	if (group == NULL)
		return no_memory();
	RT_TRY(rt_status_in(map_group(asked->group, &ledger_id, rt_call_arena(call), group),
			    "group."));
	return submit(call, &ledger_id, group, 1, group->count, answer_post);
}

void accounts_post(struct rt_call *call)
{
	struct rt_status status = post(call);
	if (!rt_is_ok(&status))
		reply_end(call, status, NULL);
}

/* Adds one outcome to the reply: all of them as messages would take more memory than the request.
 */
static struct rt_status add_outcome(struct rt_call *call, const struct group *group,
				    const struct outcome *outcome, size_t place)
{
	CLEANUP(rt_arena_deinit) struct rt_arena scratch;
	rt_arena_init(&scratch, OUTCOME_ARENA_BYTES_MAX);
	Daler__Accounts__V1__Outcome *mapped = map_outcome(group, outcome, place, &scratch);
	if (scratch.overflowed)
		return no_memory();
	Daler__Accounts__V1__PostBatchResponse part =
		DALER__ACCOUNTS__V1__POST_BATCH_RESPONSE__INIT;
	part.outcomes = &mapped;
	part.n_outcomes = 1;
	rt_call_add(call, &part.base);
	return rt_ok();
}

static void answer_batch(struct posting_request *request, struct rt_status status,
			 const struct outcome *outcomes)
{
	Daler__Accounts__V1__PostBatchResponse end = DALER__ACCOUNTS__V1__POST_BATCH_RESPONSE__INIT;
	for (size_t i = 0; rt_is_ok(&status) && i < request->group_count; i++)
		status = add_outcome(request->context, &request->groups[i], &outcomes[i], i);
	reply_end(request->context, status, &end.base);
}

static struct rt_status post_batch(struct rt_call *call)
{
	const Daler__Accounts__V1__PostBatchRequest *asked =
		(const Daler__Accounts__V1__PostBatchRequest *)rt_call_request(call);
	struct rt_uuid ledger_id;
	struct group *groups = NULL;
	size_t transfer_count = 0;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	RT_TRY(map_groups(asked->groups, asked->n_groups, &batch_bounds, &ledger_id,
			  rt_call_arena(call), &groups, &transfer_count));
	return submit(call, &ledger_id, groups, asked->n_groups, transfer_count, answer_batch);
}

void accounts_post_batch(struct rt_call *call)
{
	struct rt_status status = post_batch(call);
	if (!rt_is_ok(&status))
		reply_end(call, status, NULL);
}
