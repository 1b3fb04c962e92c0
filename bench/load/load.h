/* A closed load: a fixed number of calls in flight, each answered call starting the next, every
 * answer checked. */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"
#include "rt/arena.h"
#include "rt/id.h"
#include "rt/rpc_client.h"

struct load;
struct load_world; /* what a case knows: ledger, accounts, ids */

/* One of the calls in flight. `arena` is emptied before each build. */
struct slot {
	struct load *load;
	const struct load_world *world;
	struct rt_arena arena;
	size_t index;
	uint64_t serial; /* of the call, over all slots, from 0 */
	uint64_t random_state;
	unsigned phase;        /* the case's own: e.g. 0 hold, 1 capture */
	struct rt_uuid memory; /* the case's own: e.g. the hold's id */
	struct rt_uuid round;  /* likewise */
	size_t player;         /* likewise */
	int64_t begun_us;
	const struct rt_remote *remote;
};

struct load_case {
	const char *name;
	size_t in_flight;
	/* Makes the next request in the slot's arena and sets slot->remote. */
	const ProtobufCMessage *(*build)(struct slot *slot);
	/* Whether the answer is what this request must get; how many units of work it was (0: half
	 * of a pair). */
	bool (*check)(struct slot *slot, const ProtobufCMessage *reply, uint64_t *units);
};

struct load_result {
	uint64_t units;
	uint64_t calls;
	uint64_t wrong; /* answers that were not what they must be, and errors */
	int64_t duration_us;
	struct histogram latency;
	char first_error[256];
};

/* How long, and how much. */
struct load_limits {
	int64_t duration_us; /* after warming up for a tenth of it */
	uint64_t calls_max;  /* end after so many calls, all of which count; 0: by time */
	int64_t call_us_max; /* deadline of a call */
	bool gives_up;       /* a call that is not answered in time counts as made */
};

/* Runs the case as far as the limits say. */
void load_run(const struct load_case *load_case, struct rt_channel *channel, const char *bearer,
	      const struct load_world *world, const struct load_limits *limits,
	      struct load_result *result);
/* A slot's own memory and randomness. */
void load_slot_init(struct slot *slot, const struct load_world *world, size_t index);
const struct load_world *load_world_of(const struct slot *slot);
/* Uniform in 0 .. bound-1, from the slot's own generator. */
uint64_t load_random(struct slot *slot, uint64_t bound);
