#include "load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/lock.h"

struct load {
	const struct load_case *load_case;
	struct rt_channel *channel;
	const char *bearer;
	const struct load_limits *limits;
	struct rt_lock lock;
	pthread_cond_t idle;
	size_t running;
	uint64_t started;
	int64_t count_from_us;
	int64_t stop_us;
	struct load_result *result;
};

static void done(void *context, struct rt_status status, const ProtobufCMessage *reply);

const struct load_world *load_world_of(const struct slot *slot)
{
	return slot->world;
}

uint64_t load_random(struct slot *slot, uint64_t bound)
{
	/* xorshift64*: spread, not secrecy */
	slot->random_state ^= slot->random_state >> 12;
	slot->random_state ^= slot->random_state << 25;
	slot->random_state ^= slot->random_state >> 27;
	return (slot->random_state * UINT64_C(0x2545F4914F6CDD1D)) % bound;
}

/* The number of the next call; false when there are to be no more. */
static bool take_serial(struct load *load, uint64_t *serial)
{
	RT_LOCKED(&load->lock);
	if (load->limits->calls_max > 0 && load->started >= load->limits->calls_max)
		return false;
	*serial = load->started++;
	return true;
}

static void slot_rest(struct load *load)
{
	RT_LOCKED(&load->lock);
	load->running--;
	if (load->running == 0)
		pthread_cond_signal(&load->idle);
}

static void start_next(struct slot *slot)
{
	struct load *load = slot->load;
	if (!take_serial(load, &slot->serial)) {
		slot_rest(load);
		return;
	}
	rt_arena_deinit(&slot->arena);
	const ProtobufCMessage *request = load->load_case->build(slot);
	slot->begun_us = rt_clock_mono_us();
	struct rt_call_options options = {
		.deadline_mono_us = slot->begun_us + load->limits->call_us_max,
		.bearer = load->bearer,
		.wait_for_ready = true,
	};
	rt_channel_start(load->channel, slot->remote, request, &options, done, slot);
}

static bool was_late(const struct rt_status *status)
{
	return status->code == RT_DEADLINE_EXCEEDED || status->code == RT_OUTCOME_UNKNOWN;
}

/* Counts an answer; false when the slot must stop. */
static bool account_for(struct slot *slot, const struct rt_status *status,
			const ProtobufCMessage *reply, int64_t now_us)
{
	struct load *load = slot->load;
	uint64_t units = 0;
	bool right = rt_is_ok(status) ? load->load_case->check(slot, reply, &units)
				      : load->limits->gives_up && was_late(status);
	RT_LOCKED(&load->lock);
	if (!right) {
		if (load->result->wrong++ == 0)
			(void)snprintf(load->result->first_error, sizeof(load->result->first_error),
				       "%s %s %s", rt_code_name(status->code),
				       status->reason ? status->reason : "", status->detail);
		return false;
	}
	if (now_us >= load->count_from_us && now_us <= load->stop_us) {
		load->result->calls++;
		load->result->units += units;
		histogram_add(&load->result->latency, now_us - slot->begun_us);
	}
	return now_us < load->stop_us;
}

static void done(void *context, struct rt_status status, const ProtobufCMessage *reply)
{
	struct slot *slot = context;
	if (account_for(slot, &status, reply, rt_clock_mono_us()))
		start_next(slot);
	else
		slot_rest(slot->load);
}

void load_slot_init(struct slot *slot, const struct load_world *world, size_t index)
{
	slot->world = world;
	slot->index = index;
	rt_random_bytes(&slot->random_state, sizeof(slot->random_state));
	slot->random_state |= 1;
	rt_arena_init(&slot->arena, (size_t)64 << 20);
}

static struct slot *slots_new(struct load *load, const struct load_world *world, size_t count)
{
	struct slot *slots = calloc(count, sizeof(*slots));
	RT_ASSERT(slots);
	for (size_t i = 0; i < count; i++) {
		slots[i].load = load;
		load_slot_init(&slots[i], world, i);
	}
	return slots;
}

void load_run(const struct load_case *load_case, struct rt_channel *channel, const char *bearer,
	      const struct load_world *world, const struct load_limits *limits,
	      struct load_result *result)
{
	memset(result, 0, sizeof(*result));
	int64_t now_us = rt_clock_mono_us();
	int64_t duration_us = limits->duration_us;
	struct load load = {
		.load_case = load_case,
		.channel = channel,
		.bearer = bearer,
		.limits = limits,
		.running = load_case->in_flight,
		.count_from_us = limits->calls_max > 0 ? now_us : now_us + duration_us / 10,
		.stop_us = limits->calls_max > 0 ? RT_NO_DEADLINE
						 : now_us + duration_us / 10 + duration_us,
		.result = result,
	};
	rt_lock_init(&load.lock, RT_RANK_SERVICE);
	rt_condition_init(&load.idle);
	struct slot *slots = slots_new(&load, world, load_case->in_flight);
	for (size_t i = 0; i < load_case->in_flight; i++)
		start_next(&slots[i]);
	rt_lock_take(&load.lock);
	while (load.running > 0)
		(void)rt_lock_wait(&load.lock, &load.idle, RT_NO_DEADLINE);
	rt_lock_give(&load.lock);
	result->duration_us = limits->calls_max > 0 ? rt_clock_mono_us() - now_us : duration_us;
	for (size_t i = 0; i < load_case->in_flight; i++)
		rt_arena_deinit(&slots[i].arena);
	free(slots);
	pthread_cond_destroy(&load.idle);
	rt_lock_deinit(&load.lock);
}
