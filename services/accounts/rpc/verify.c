/* VerifyLedger: on a thread of its own; what is found goes out at once, or with the progress of
 * each half second. */
#include <stdatomic.h>
#include <stdlib.h>

#include "daler/accounts/v1/accounts.pb-c.h"
#include "engine/background.h"
#include "engine/verification.h"
#include "rpc/handlers.h"
#include "rpc/map.h"
#include "rpc/service.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/rpc_server.h"

#define TELL_US           (500 * RT_US_PER_MS)
#define DISCREPANCIES_MAX 200 /* of one message */
#define MESSAGE_BYTES     ((size_t)1 << 20)
#define SLOW_PAUSE_US     (20 * RT_US_PER_MS)

struct verifying {
	struct rt_call *call;
	struct rt_uuid ledger_id;
	atomic_bool left;
	int64_t told_us;
	struct verification_progress progress;
	size_t count;
	struct rt_status status; /* of the last message */
	struct discrepancy discrepancies[DISCREPANCIES_MAX];
};

static struct rt_status check_left(struct verifying *verifying)
{
	if (!atomic_load(&verifying->left))
		return rt_ok();
	if (rt_call_cancelled(verifying->call))
		return RT_FAIL(CANCELLED, "CANCELLED", "the caller has gone");
	return RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "the server is shutting down");
}

static Daler__Accounts__V1__Discrepancy *map_discrepancy(const struct discrepancy *from,
							 struct rt_arena *arena)
{
	Daler__Accounts__V1__Discrepancy *to = rt_arena_alloc(arena, sizeof(*to));
	RT_ASSERT(to != NULL);
	daler__accounts__v1__discrepancy__init(to);
	to->reason = rt_arena_strdup(arena, discrepancy_name(from->reason));
	to->detail = rt_arena_strdup(arena, from->detail);
	if (!rt_uuid_is_nil(&from->account_id))
		to->account_id = map_uuid(&from->account_id, arena);
	if (!rt_uuid_is_nil(&from->transfer_id))
		to->transfer_id = map_uuid(&from->transfer_id, arena);
	return to;
}

/* A caller that doesn't read makes the verification wait, until it goes. */
static struct rt_status send_patiently(struct verifying *verifying, const ProtobufCMessage *message)
{
	for (;;) {
		RT_TRY(check_left(verifying));
		struct rt_status status = rt_call_send(verifying->call, message);
		if (status.code != RT_RESOURCE_EXHAUSTED)
			return status;
		rt_clock_sleep_us(SLOW_PAUSE_US);
	}
}

static struct rt_status tell(struct verifying *verifying, bool complete)
{
	struct rt_arena arena;
	Daler__Accounts__V1__VerifyLedgerResponse reply;
	daler__accounts__v1__verify_ledger_response__init(&reply);
	rt_arena_init(&arena, MESSAGE_BYTES);
	reply.account_count = verifying->progress.accounts;
	reply.transfer_count = verifying->progress.transfers;
	reply.complete = complete;
	reply.discrepancies =
		rt_arena_array(&arena, verifying->count, sizeof(reply.discrepancies[0]));
	RT_ASSERT(reply.discrepancies != NULL);
	reply.n_discrepancies = verifying->count;
	for (size_t i = 0; i < verifying->count; i++)
		reply.discrepancies[i] = map_discrepancy(&verifying->discrepancies[i], &arena);
	struct rt_status status = send_patiently(verifying, &reply.base);
	rt_arena_deinit(&arena);
	verifying->count = 0;
	verifying->told_us = rt_clock_mono_us();
	return status;
}

static void found(void *context, const struct discrepancy *discrepancy)
{
	struct verifying *verifying = context;
	if (verifying->count == DISCREPANCIES_MAX && rt_is_ok(&verifying->status))
		verifying->status = tell(verifying, false);
	if (verifying->count < DISCREPANCIES_MAX)
		verifying->discrepancies[verifying->count++] = *discrepancy;
}

static struct rt_status progress(void *context, const struct verification_progress *made)
{
	struct verifying *verifying = context;
	verifying->progress = *made;
	RT_TRY(verifying->status);
	RT_TRY(check_left(verifying));
	if (verifying->count < DISCREPANCIES_MAX / 2 &&
	    rt_clock_mono_us() - verifying->told_us < TELL_US)
		return rt_ok();
	return tell(verifying, false);
}

static void leave(struct rt_call *call, void *context)
{
	struct verifying *verifying = context;
	(void)call;
	atomic_store(&verifying->left, true);
}

static void run(void *context, struct rt_pg *pg)
{
	struct verifying *verifying = context;
	const struct verification_observer observer = {
		.found = found, .progress = progress, .context = verifying};
	verifying->told_us = rt_clock_mono_us();
	const struct accounts_service *service = rt_call_service(verifying->call);
	struct rt_status status = verification_run(pg, service->reads, &verifying->ledger_id,
						   rt_call_deadline_us(verifying->call), &observer);
	if (rt_is_ok(&status))
		status = verifying->status;
	if (rt_is_ok(&status))
		status = tell(verifying, true);
	rt_call_end(verifying->call, status, NULL);
}

static struct rt_status start(struct rt_call *call)
{
	const Daler__Accounts__V1__VerifyLedgerRequest *asked =
		(const Daler__Accounts__V1__VerifyLedgerRequest *)rt_call_request(call);
	const struct accounts_service *service = rt_call_service(call);
	struct rt_uuid ledger_id;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	struct verifying *verifying = calloc(1, sizeof(*verifying));
	RT_ASSERT(verifying != NULL);
	verifying->call = call;
	verifying->ledger_id = ledger_id;
	rt_call_set_context(call, verifying, free);
	rt_call_on_leave(call, leave, verifying);
	return background_start(service->background, run, verifying);
}

void accounts_verify_ledger(struct rt_call *call)
{
	struct rt_status status = start(call);
	if (!rt_is_ok(&status))
		rt_call_end(call, status, NULL);
}
