/* Random histories of every kind of payment: a ledger and a connector that do what they are asked
 * exactly once and may or may not say so, workers that die at any moment, callers who change their
 * mind. A million events; the seed is printed, and DALER_SEED replays it. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/saga.h"
#include "rt/clock.h"

#define EVENTS            1000000
#define HISTORY_STEPS_MAX 80

/* An operation in the connector's book. */
struct booked {
	bool arrived, waits, authorized, succeeded, declined, canceled;
};

struct world {
	const struct saga_plan *plan;
	enum payment_state state;
	bool canceled; /* its reason says so */
	struct saga_decision decision;
	bool wants_cancel;
	bool prepared, remote, settled, released; /* the ledgers' books */
	bool settle_refused;
	struct booked operation;
	struct booked give_back;
};

static uint64_t random_state;
static size_t events;

static uint32_t any(uint32_t bound)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % bound;
}

static struct saga_event event_of(enum saga_event_kind kind, const char *reason)
{
	return (struct saga_event){.kind = kind, .reason = reason};
}

/* ---- the ledgers ---- */

static bool *book_of(struct world *world, const struct saga_step *step)
{
	if (step == world->plan->prepare)
		return &world->prepared;
	if (step == world->plan->submit)
		return &world->remote;
	return step == world->plan->settle ? &world->settled : &world->released;
}

/* What a ledger may refuse: the first step and the other ledger's; the last only where there is a
 * way back. */
static bool may_refuse(const struct world *world, const struct saga_step *step)
{
	return step == world->plan->prepare || step == world->plan->submit ||
	       (step == world->plan->settle && world->plan->undoes == UNDOES_SUBMIT);
}

static struct saga_event ledger_does(struct world *world)
{
	const struct saga_step *step = world->decision.step;
	bool *book = book_of(world, step);

	if (!*book && any(8) == 0)
		return event_of(SAGA_LEDGER_SILENT, "LEDGER_UNAVAILABLE");
	if (step == world->plan->settle && world->settle_refused)
		return event_of(SAGA_LEDGER_DECLINED, "ACCOUNT_CLOSED"); /* recorded */
	if (!*book && may_refuse(world, step) && any(6) == 0) {
		world->settle_refused = step == world->plan->settle;
		if (any(4) != 0)
			return event_of(SAGA_LEDGER_DECLINED, "INSUFFICIENT_FUNDS");
		if (world->settle_refused)
			return event_of(SAGA_LEDGER_SILENT, "LEDGER_UNAVAILABLE");
	}
	*book = true;
	return any(6) == 0 ? event_of(SAGA_LEDGER_SILENT, "LEDGER_UNAVAILABLE")
			   : event_of(SAGA_LEDGER_POSTED, NULL);
}

/* ---- the connector ---- */

static bool is_final(const struct booked *operation)
{
	return operation->succeeded || operation->declined || operation->canceled;
}

static void connector_decides(struct booked *operation, bool may_decline)
{
	if (!operation->arrived || is_final(operation) || operation->authorized)
		return;
	if (operation->waits && any(3) != 0)
		return;
	operation->waits = false;
	switch (any(may_decline ? 6 : 3)) {
	case 0:
		operation->succeeded = true;
		return;
	case 1:
		operation->authorized = may_decline;
		return;
	case 3:
		operation->declined = true;
		return;
	case 4:
		operation->waits = true;
		return;
	default:
		return; /* pending */
	}
}

static struct saga_event connector_says(const struct booked *operation)
{
	if (any(4) == 0)
		return event_of(SAGA_PROVIDER_SILENT, "CONNECTOR_TIMEOUT");
	if (!operation->arrived)
		return event_of(SAGA_PROVIDER_ABSENT, NULL);
	if (operation->succeeded)
		return event_of(SAGA_PROVIDER_SUCCEEDED, NULL);
	if (operation->declined)
		return event_of(SAGA_PROVIDER_DECLINED, "CARD_DECLINED");
	if (operation->canceled)
		return event_of(SAGA_PROVIDER_CANCELED, NULL);
	if (operation->authorized)
		return event_of(SAGA_PROVIDER_AUTHORIZED, NULL);
	return event_of(operation->waits ? SAGA_PROVIDER_ACTION : SAGA_PROVIDER_PENDING, NULL);
}

static struct saga_event connector_does(struct world *world)
{
	bool gives_back = world->decision.step == world->plan->undo;
	struct booked *operation = gives_back ? &world->give_back : &world->operation;

	if (world->decision.action == SAGA_SUBMIT && !operation->arrived) {
		if (any(4) == 0)
			return event_of(SAGA_PROVIDER_SILENT, "CONNECTOR_UNAVAILABLE");
		operation->arrived = true;
	}
	if (world->decision.action == SAGA_CAPTURE && operation->authorized && any(4) != 0) {
		operation->authorized = false;
		operation->succeeded = any(5) != 0;
		operation->declined = !operation->succeeded;
	}
	if (world->decision.action == SAGA_CANCEL && !is_final(operation) && any(4) != 0)
		operation->canceled = true;
	connector_decides(operation, !gives_back);
	struct saga_event event = connector_says(operation);

	/* A capture that has not happened is not repeated without a pause: the client says pending.
	 */
	if (world->decision.action == SAGA_CAPTURE && event.kind == SAGA_PROVIDER_AUTHORIZED)
		event.kind = SAGA_PROVIDER_PENDING;
	return event;
}

/* ---- what must hold at every moment ---- */

static bool other_side_did_it(const struct world *world)
{
	return world->operation.succeeded || world->remote;
}

static void check_end(const struct world *world)
{
	const struct saga_plan *plan = world->plan;
	enum payment_state state = world->state;

	if (state == PAYMENT_SUCCEEDED) {
		assert_int_equal(world->prepared, plan->prepare != NULL);
		assert_int_equal(other_side_did_it(world), plan->submit != NULL);
		assert_int_equal(world->settled, plan->settle != NULL);
	}
	if (state == PAYMENT_DECLINED || state == PAYMENT_CANCELED) {
		assert_false(other_side_did_it(world));
		assert_int_equal(world->released, world->prepared);
	}
	if (state == PAYMENT_COMPENSATED)
		assert_true(world->operation.succeeded && world->give_back.succeeded &&
			    !world->settled);
	/* A hold that the ledger made without saying so, and then a no: never. */
	assert_int_not_equal(state, PAYMENT_MANUAL_REVIEW);
}

static void check_world(const struct world *world)
{
	assert_false(world->settled && world->released);
	assert_false(world->settled && world->give_back.arrived);
	assert_false(world->settled && !other_side_did_it(world));
	assert_false(world->released && other_side_did_it(world));
	assert_false(world->give_back.arrived && !world->operation.succeeded);
	assert_false((world->operation.arrived || world->remote) && world->plan->prepare != NULL &&
		     !world->prepared);
	check_end(world);
}

/* ---- one history ---- */

static void feed(struct world *world, struct saga_event event)
{
	enum payment_state at = world->state;
	bool canceled = world->canceled;

	events++;
	event.canceled = world->canceled || world->wants_cancel;
	world->decision = saga_decide(world->plan, world->state, event);
	assert_true(world->decision.legal);
	for (size_t i = 0; i < world->decision.change_count; i++) {
		const struct saga_change *change = &world->decision.changes[i];

		assert_true(payment_edge_allowed(at, change->state));
		at = change->state;
		if (change->reason != NULL)
			canceled = strcmp(change->reason, SAGA_REASON_CANCELED) == 0;
	}
	/* A crash before the commit loses the decision, one after it only the action. */
	if (any(10) == 0)
		return;
	world->state = at;
	world->canceled = canceled;
	check_world(world);
}

static enum payment_state decided_state(const struct world *world)
{
	size_t count = world->decision.change_count;

	return count == 0 ? world->state : world->decision.changes[count - 1].state;
}

static void step(struct world *world)
{
	/* Taken over by another worker, which knows what is written alone; nobody's wish is. */
	if (decided_state(world) != world->state || world->decision.action == SAGA_REST ||
	    any(12) == 0) {
		world->wants_cancel = false;
		feed(world, event_of(SAGA_BEGIN, NULL));
		return;
	}
	if (any(15) == 0)
		world->wants_cancel = world->state == PAYMENT_CREATED;
	if (world->state == PAYMENT_REQUIRES_ACTION && any(6) == 0) {
		feed(world, event_of(SAGA_CANCEL_ASKED, NULL));
		return;
	}
	feed(world,
	     world->decision.action == SAGA_POST ? ledger_does(world) : connector_does(world));
}

static void run_history(const struct saga_plan *plan)
{
	struct world world = {.plan = plan, .state = PAYMENT_CREATED};

	feed(&world, event_of(SAGA_BEGIN, NULL));
	for (int i = 0; i < HISTORY_STEPS_MAX && payment_state_open(world.state); i++)
		step(&world);
	if (payment_state_open(world.state))
		return;
	for (int kind = 0; kind < SAGA_EVENT_COUNT; kind++)
		assert_false(
			saga_decide(plan, world.state, event_of((enum saga_event_kind)kind, NULL))
				.legal);
}

static void random_histories(void **state)
{
	const char *seed = getenv("DALER_SEED");

	(void)state;
	random_state = seed == NULL ? (uint64_t)rt_clock_wall_us() : strtoull(seed, NULL, 10);
	print_message("DALER_SEED=%" PRIu64 "\n", random_state);
	for (int i = 0; events < EVENTS; i++)
		run_history(saga_plan_of((enum payment_kind)(1 + i % PAYMENT_KIND_MAX)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
