#include "lane.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/posting.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/lock.h"

#define CALLS_IN_FLIGHT 2
#define TRANSFERS_MAX   1000

struct lane {
	struct posting *posting;
	const struct load_world *world;
	struct rt_uuid *accounts;
	size_t groups;
	int64_t count_from_us;
	int64_t stop_us;
	struct load_result *result;
	struct rt_lock lock;
	pthread_cond_t idle;
	size_t running;
};

struct lane_call {
	struct posting_request request; /* first */
	struct lane *lane;
	struct group *groups;
	struct transfer *transfers;
	uint64_t random_state;
	int64_t begun_us;
};

static uint64_t next_random(struct lane_call *call, uint64_t bound)
{
	call->random_state ^= call->random_state >> 12;
	call->random_state ^= call->random_state << 25;
	call->random_state ^= call->random_state >> 27;
	return (call->random_state * UINT64_C(0x2545F4914F6CDD1D)) % bound;
}

static void fill(struct lane_call *call, size_t i)
{
	const struct lane *lane = call->lane;
	size_t count = lane->world->account_count;
	size_t debit = next_random(call, count);
	size_t credit = (debit + 1 + next_random(call, count - 1)) % count;

	call->transfers[i] = (struct transfer){
		.id = rt_uuid_v7(),
		.debit_account_id = lane->accounts[debit],
		.credit_account_id = lane->accounts[credit],
		.amount_minor = (int64_t)next_random(call, 1000) + 1,
		.currency = WORLD_CURRENCY,
		.kind = TRANSFER_DIRECT,
		.reference = "",
	};
	call->groups[i] = (struct group){.transfers = &call->transfers[i], .count = 1};
	group_fill_hash(&call->groups[i], &lane->world->ledger);
}

static void answered(struct posting_request *request, struct rt_status status,
		     const struct outcome *outcomes);

static bool send_next(struct lane_call *call)
{
	struct lane *lane = call->lane;

	for (size_t i = 0; i < lane->groups; i++)
		fill(call, i);
	call->request = (struct posting_request){
		.groups = call->groups,
		.group_count = lane->groups,
		.transfer_count = lane->groups,
		.answer = answered,
		.context = call,
	};
	call->begun_us = rt_clock_mono_us();
	struct rt_status status =
		posting_submit(lane->posting, &call->request, &lane->world->ledger, 1,
			       call->begun_us + 30 * RT_US_PER_S);
	return rt_is_ok(&status);
}

static bool account_for(const struct lane_call *call, const struct rt_status *status,
			const struct outcome *outcomes)
{
	struct lane *lane = call->lane;
	int64_t now_us = rt_clock_mono_us();
	size_t wrong = rt_is_ok(status) ? 0 : 1;

	for (size_t i = 0; wrong == 0 && i < lane->groups; i++)
		wrong += outcomes[i].record == NULL || outcomes[i].record->decline != DECLINE_NONE;
	if (wrong > 0 && lane->result->wrong++ == 0)
		(void)snprintf(lane->result->first_error, sizeof(lane->result->first_error),
			       "%s %s", rt_code_name(status->code), status->detail);
	if (wrong == 0 && now_us >= lane->count_from_us && now_us <= lane->stop_us) {
		lane->result->calls++;
		lane->result->units += lane->groups;
		histogram_add(&lane->result->latency, now_us - call->begun_us);
	}
	return wrong == 0 && now_us < lane->stop_us;
}

static void answered(struct posting_request *request, struct rt_status status,
		     const struct outcome *outcomes)
{
	struct lane_call *call = request->context;
	struct lane *lane = call->lane;

	rt_lock_take(&lane->lock);
	bool more = account_for(call, &status, outcomes);
	rt_lock_give(&lane->lock);
	if (more && send_next(call))
		return;
	RT_LOCKED(&lane->lock);
	lane->running--;
	if (lane->running == 0)
		pthread_cond_signal(&lane->idle);
}

static void fill_accounts(struct lane *lane)
{
	lane->accounts = calloc(lane->world->account_count, sizeof(*lane->accounts));
	RT_ASSERT(lane->accounts != NULL);
	for (size_t i = 0; i < lane->world->account_count; i++)
		RT_ASSERT(rt_uuid_parse(world_account_id(lane->world, i), &lane->accounts[i]));
}

static void call_begin(struct lane *lane, struct lane_call *call)
{
	call->lane = lane;
	call->groups = calloc(lane->groups, sizeof(*call->groups));
	call->transfers = calloc(lane->groups, sizeof(*call->transfers));
	RT_ASSERT(call->groups != NULL && call->transfers != NULL);
	rt_random_bytes(&call->random_state, sizeof(call->random_state));
	call->random_state |= 1;
	RT_ASSERT(send_next(call));
}

void lane_run(const char *conninfo, const struct load_world *world, size_t groups,
	      int64_t duration_us, struct load_result *result)
{
	const struct posting_config config = {
		.pg = {.conninfo = conninfo, .application = "daler-load"},
		.lanes = 1,
		/* Room: no caller may have all of a queue. */
		.queue_max = (size_t)16 * CALLS_IN_FLIGHT,
		.transfers_max = TRANSFERS_MAX,
		.reads_percent = 100,
	};
	int64_t now_us = rt_clock_mono_us();
	struct lane lane = {
		.posting = posting_new(&config),
		.world = world,
		.groups = groups,
		.count_from_us = now_us + duration_us / 10,
		.stop_us = now_us + duration_us / 10 + duration_us,
		.result = result,
		.running = CALLS_IN_FLIGHT,
	};
	struct lane_call calls[CALLS_IN_FLIGHT] = {0};

	memset(result, 0, sizeof(*result));
	result->duration_us = duration_us;
	rt_lock_init(&lane.lock, RT_RANK_SERVICE);
	rt_condition_init(&lane.idle);
	fill_accounts(&lane);
	for (size_t i = 0; i < CALLS_IN_FLIGHT; i++)
		call_begin(&lane, &calls[i]);
	rt_lock_take(&lane.lock);
	while (lane.running > 0)
		(void)rt_lock_wait(&lane.lock, &lane.idle, RT_NO_DEADLINE);
	rt_lock_give(&lane.lock);
	posting_stop(lane.posting, rt_clock_mono_us() + RT_US_PER_S);
	posting_destroy(lane.posting);
	for (size_t i = 0; i < CALLS_IN_FLIGHT; i++) {
		free(calls[i].groups);
		free(calls[i].transfers);
	}
	free(lane.accounts);
	pthread_cond_destroy(&lane.idle);
	rt_lock_deinit(&lane.lock);
}
