/* Random histories of every kind of payment: a ledger and a connector that do what they are asked
 * exactly once and may or may not say so, workers that die at any moment, callers who change their
 * mind. In two thirds of them there is trouble that only a person ends - accounts that are blocked,
 * ids and references that somebody else has used - and operators who end it: those who look first,
 * and in half of these those who say whatever comes to their mind. A million events; the seed is
 * printed, and DALER_SEED replays it. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/resolution.h"
#include "rt/clock.h"

#define EVENTS            1000000
#define HISTORY_STEPS_MAX 120

/* An operation in the connector's book. */
struct booked {
	bool arrived, waits, authorized, succeeded, declined, canceled;
	bool foreign; /* its reference is somebody else's */
};

/* A step in a ledger's book: how many of its tries are on record as declined, and whether the next
 * one is posted. */
struct posting {
	uint32_t declines;
	bool posted;
	bool foreign; /* its first id is somebody else's */
};

/* Who ends what needs a person. Nobody: nothing does. */
enum operators { NOBODY, LOOKS_FIRST, GUESSES };

struct world {
	const struct saga_plan *plan;
	enum operators operators;
	enum payment_state state;
	enum payment_state from; /* the state before it */
	bool canceled;           /* its reason says so */
	struct saga_decision decision;
	bool wants_cancel;
	bool blocked;            /* the account takes no posts that follow the other side's word */
	uint32_t take, take_max; /* of the worker that has it: see struct saga */
	uint32_t given_up[PAYMENT_STATE_MAX + 1]; /* by state: its step was declined in it */
	struct posting prepared, remote, settled, released;
	struct booked operation;
	struct booked give_back;
};

/* What has been seen at all. */
static struct {
	size_t words[3], refused_words, asked_again, anew;
	size_t ends[PAYMENT_STATE_MAX + 1]; /* of payments that were in review */
} seen;

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

static struct posting *posting_of(struct world *world, const struct saga_step *step)
{
	if (step == world->plan->prepare)
		return &world->prepared;
	if (step == world->plan->submit)
		return &world->remote;
	return step == world->plan->settle ? &world->settled : &world->released;
}

/* What a ledger may refuse: the first step and the other ledger's; the last only where there is a
 * way back, or a person. */
static bool may_refuse(const struct world *world, const struct saga_step *step)
{
	if (step == world->plan->prepare || step == world->plan->submit)
		return any(6) == 0;
	if (world->operators != NOBODY)
		return world->blocked;
	return step == world->plan->settle && world->plan->undoes == UNDOES_SUBMIT && any(6) == 0;
}

/* A try that is on record as declined says so for ever; one that is not is never passed over. */
static struct saga_event ledger_does(struct world *world)
{
	const struct saga_step *step = world->decision.step;
	struct posting *posting = posting_of(world, step);
	const struct saga_event declined = {
		.kind = SAGA_LEDGER_DECLINED, .reason = "ACCOUNT_BLOCKED", .on_record = true};
	const struct saga_event silent = event_of(SAGA_LEDGER_SILENT, "LEDGER_UNAVAILABLE");

	assert_true(world->take <= posting->declines);
	if (!posting->posted && any(8) == 0)
		return silent;
	if (world->take < posting->declines)
		return declined;
	if (posting->foreign && world->take == 0)
		return event_of(SAGA_LEDGER_CONFLICT, "IDEMPOTENCY_PAYLOAD_MISMATCH");
	if (!posting->posted && may_refuse(world, step)) {
		posting->declines++;
		return any(4) == 0 ? silent : declined;
	}
	posting->posted = true;
	return any(6) == 0 ? silent : event_of(SAGA_LEDGER_POSTED, NULL);
}

/* ---- the connector ---- */

static bool is_final(const struct booked *operation)
{
	return operation->succeeded || operation->declined || operation->canceled;
}

/* What is given back is neither authorized first, nor does anybody have to do anything for it. */
static void connector_decides(struct booked *operation, bool gives_back, bool may_decline)
{
	if (!operation->arrived || is_final(operation) || operation->authorized)
		return;
	if (operation->waits && any(3) != 0)
		return;
	operation->waits = false;
	switch (any(6)) {
	case 0:
		operation->succeeded = true;
		return;
	case 1:
		operation->authorized = !gives_back;
		return;
	case 3:
		operation->declined = may_decline;
		return;
	case 4:
		operation->waits = !gives_back;
		return;
	default:
		return; /* pending */
	}
}

static struct saga_event connector_says(const struct booked *operation)
{
	if (any(4) == 0)
		return event_of(SAGA_PROVIDER_SILENT, "CONNECTOR_TIMEOUT");
	if (operation->foreign)
		return event_of(SAGA_PROVIDER_CONFLICT, "OPERATION_MISMATCH");
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

	if (world->decision.action == SAGA_SUBMIT && !operation->arrived && !operation->foreign) {
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
	connector_decides(operation, gives_back, !gives_back || world->operators != NOBODY);
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
	return world->operation.succeeded || world->remote.posted;
}

/* In our ledgers it holds whatever operators say: nothing is skipped that undoes something, and
 * nothing both done and undone. */
static void check_ledgers(const struct world *world)
{
	const struct saga_plan *plan = world->plan;
	enum payment_state state = world->state;

	assert_false(world->settled.posted && world->released.posted);
	if (state == PAYMENT_SUCCEEDED) {
		assert_int_equal(world->prepared.posted, plan->prepare != NULL);
		assert_int_equal(world->settled.posted, plan->settle != NULL);
	}
	if (state == PAYMENT_DECLINED || state == PAYMENT_CANCELED) {
		assert_int_equal(world->released.posted, world->prepared.posted);
		assert_false(world->settled.posted);
	}
	if (state == PAYMENT_COMPENSATED)
		assert_false(world->settled.posted);
	/* What another ledger of ours has on record of it is contradicted by nobody. */
	if (plan->submit != NULL && plan->submit->party == PARTY_REMOTE_LEDGER &&
	    !world->remote.foreign) {
		assert_false(world->settled.posted && !world->remote.posted);
		assert_false(world->released.posted && world->remote.posted);
	}
}

static void check_end(const struct world *world)
{
	enum payment_state state = world->state;

	if (state == PAYMENT_SUCCEEDED)
		assert_int_equal(other_side_did_it(world), world->plan->submit != NULL);
	if (state == PAYMENT_DECLINED || state == PAYMENT_CANCELED)
		assert_false(other_side_did_it(world));
	if (state == PAYMENT_COMPENSATED)
		assert_true(world->operation.succeeded && world->give_back.succeeded);
}

static void check_world(const struct world *world)
{
	check_ledgers(world);
	/* A hold that the ledger made without saying so, and then a no: never. */
	if (world->operators == NOBODY)
		assert_int_not_equal(world->state, PAYMENT_MANUAL_REVIEW);
	if (world->operators == GUESSES)
		return;
	assert_false(world->settled.posted && world->give_back.succeeded);
	assert_false(world->settled.posted && !other_side_did_it(world));
	assert_false(world->released.posted && other_side_did_it(world));
	assert_false(world->give_back.arrived && !world->operation.succeeded);
	assert_false((world->operation.arrived || world->remote.posted) &&
		     world->plan->prepare != NULL && !world->prepared.posted);
	check_end(world);
}

/* ---- what is written ---- */

/* Whether the change gives up the step of the state before: see lock_lapsed.sql. */
static bool gives_up(enum payment_state from, enum payment_state state)
{
	return (from == PAYMENT_SETTLING || from == PAYMENT_COMPENSATING) &&
	       (state == PAYMENT_MANUAL_REVIEW || state == PAYMENT_COMPENSATING);
}

/* A crash before the commit loses the decision, one after it only the action. */
static void commit(struct world *world)
{
	const struct saga_decision *decision = &world->decision;

	assert_true(decision->legal);
	for (size_t i = 0; i < decision->change_count; i++) {
		const struct saga_change *change = &decision->changes[i];

		assert_true(payment_edge_allowed(world->state, change->state));
		world->given_up[world->state] += gives_up(world->state, change->state);
		world->from = world->state;
		world->state = change->state;
		world->take = 0;
		world->take_max = 0;
		if (change->reason != NULL)
			world->canceled = strcmp(change->reason, SAGA_REASON_CANCELED) == 0;
		seen.anew +=
			change->reason != NULL && strcmp(change->reason, SAGA_REASON_ANEW) == 0;
	}
	check_world(world);
}

/* ---- one history ---- */

static void feed(struct world *world, struct saga_event event)
{
	events++;
	event.canceled = world->canceled || world->wants_cancel;
	event.anew = world->take > 0;
	event.again = event.on_record && world->take < world->take_max;
	world->take += event.again;
	world->decision = saga_decide(world->plan, world->state, event);
	assert_true(world->decision.legal);
	if (any(10) != 0)
		commit(world);
}

/* By another worker, which knows what is written alone; nobody's wish is. */
static void take_over(struct world *world)
{
	world->wants_cancel = false;
	world->take = 0;
	world->take_max = world->state == PAYMENT_SETTLING || world->state == PAYMENT_COMPENSATING
				  ? world->given_up[world->state]
				  : 0;
	feed(world, event_of(SAGA_BEGIN, NULL));
}

static enum payment_state decided_state(const struct world *world)
{
	size_t count = world->decision.change_count;

	return count == 0 ? world->state : world->decision.changes[count - 1].state;
}

static void step(struct world *world)
{
	if (decided_state(world) != world->state || world->decision.action == SAGA_REST ||
	    any(12) == 0) {
		take_over(world);
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

/* ---- operators ---- */

/* Their word is written like any change, and whoever goes on begins with what is written. */
static void say(struct world *world, enum resolution_outcome outcome)
{
	struct saga_decision decision =
		resolution_decide(world->plan, world->state, world->from, outcome);

	if (!decision.legal) {
		seen.refused_words++;
		return;
	}
	seen.words[outcome]++;
	world->decision = decision;
	commit(world);
	if (payment_state_open(world->state))
		take_over(world);
}

static void ask_again(struct world *world)
{
	struct saga_decision decision =
		resolution_ask_again(world->plan, world->state, world->from);

	if (!decision.legal)
		return;
	seen.asked_again++;
	world->decision = decision;
	commit(world);
	take_over(world);
}

/* Sees to it at the provider that what has not happened never will, and what has is taken back. */
static void undo_by_hand(struct booked *operation)
{
	*operation = (struct booked){.arrived = true, .canceled = true};
}

/* The other side was asked, and nobody knows what it did, or it has another's operation. */
static void look_there(struct world *world)
{
	struct booked *operation = &world->operation;

	if (any(2) == 0)
		operation->foreign = false; /* mended there */
	if (any(2) == 0) {
		ask_again(world);
		return;
	}
	if (!operation->succeeded && !operation->declined)
		undo_by_hand(operation);
	say(world, operation->succeeded ? RESOLUTION_DONE : RESOLUTION_NOT_DONE);
}

/* The other side did it, and our ledger would not follow. */
static void look_at_settling(struct world *world)
{
	bool ledgers = world->plan->submit->party == PARTY_REMOTE_LEDGER;

	if (ledgers || any(2) == 0) {
		say(world, RESOLUTION_DONE);
		return;
	}
	if (world->plan->undoes == UNDOES_PREPARE)
		undo_by_hand(&world->operation);
	say(world, RESOLUTION_NOT_DONE);
}

/* What was to be undone could not be. */
static void look_at_compensating(struct world *world)
{
	if (world->plan->undoes == UNDOES_PREPARE) {
		say(world, RESOLUTION_NOT_DONE);
		return;
	}
	if (any(2) == 0) {
		say(world, RESOLUTION_DONE);
		return;
	}
	world->give_back.succeeded = true; /* by hand */
	say(world, RESOLUTION_NOT_DONE);
}

static void look(struct world *world)
{
	world->blocked = world->blocked && any(3) == 0;
	bool open = world->state == PAYMENT_UNKNOWN;
	bool submits = world->plan->submit != NULL;
	if (!open && submits && world->from == PAYMENT_SETTLING)
		look_at_settling(world);
	else if (!open && submits && world->from == PAYMENT_COMPENSATING)
		look_at_compensating(world);
	else if (!open && (!submits || world->from == PAYMENT_CREATED ||
			   world->plan->submit->party == PARTY_REMOTE_LEDGER))
		say(world, RESOLUTION_NOT_DONE);
	else
		look_there(world);
}

static void guess(struct world *world)
{
	world->blocked = world->blocked && any(3) == 0;
	if (any(3) == 0)
		ask_again(world);
	else
		say(world, any(2) == 0 ? RESOLUTION_DONE : RESOLUTION_NOT_DONE);
}

/* They may say something about whatever nobody knows. That a payment is to be tried now takes a
 * pause away, and here there is none. */
static bool operators_act(struct world *world)
{
	bool in_review = world->state == PAYMENT_MANUAL_REVIEW;

	if (world->operators == NOBODY ||
	    !(in_review || (world->state == PAYMENT_UNKNOWN && any(8) == 0)))
		return false;
	if (world->operators == LOOKS_FIRST)
		look(world);
	else
		guess(world);
	return true;
}

static struct world begin(const struct saga_plan *plan)
{
	struct world world = {
		.plan = plan, .operators = (enum operators)any(3), .state = PAYMENT_CREATED};

	if (world.operators == NOBODY)
		return world;
	world.blocked = any(2) == 0;
	world.prepared.foreign = any(16) == 0;
	world.remote.foreign = any(8) == 0;
	world.settled.foreign = plan->undoes == UNDOES_SUBMIT && any(8) == 0;
	world.operation.foreign = any(8) == 0;
	world.give_back.foreign = any(8) == 0;
	return world;
}

/* Nothing happens to it any more, and nobody's word about it counts. */
static void check_rest(const struct world *world)
{
	for (int kind = 0; kind < SAGA_EVENT_COUNT; kind++)
		assert_false(saga_decide(world->plan, world->state,
					 event_of((enum saga_event_kind)kind, NULL))
				     .legal);
	if (world->state == PAYMENT_MANUAL_REVIEW)
		return;
	for (int outcome = RESOLUTION_DONE; outcome <= RESOLUTION_NOT_DONE; outcome++)
		assert_false(resolution_decide(world->plan, world->state, world->from,
					       (enum resolution_outcome)outcome)
				     .legal);
	assert_false(resolution_ask_again(world->plan, world->state, world->from).legal);
}

static void run_history(const struct saga_plan *plan)
{
	struct world world = begin(plan);
	bool reviewed = false;

	feed(&world, event_of(SAGA_BEGIN, NULL));
	for (int i = 0; i < HISTORY_STEPS_MAX; i++) {
		reviewed = reviewed || world.state == PAYMENT_MANUAL_REVIEW;
		if (operators_act(&world))
			continue;
		if (!payment_state_open(world.state))
			break;
		step(&world);
	}
	if (payment_state_open(world.state))
		return;
	seen.ends[world.state] += reviewed;
	check_rest(&world);
}

/* Operators were there, and were needed: every way out of review was gone. */
static void check_seen(void)
{
	print_message("done %zu, not done %zu, refused %zu, asked again %zu, anew %zu\n",
		      seen.words[RESOLUTION_DONE], seen.words[RESOLUTION_NOT_DONE],
		      seen.refused_words, seen.asked_again, seen.anew);
	assert_true(seen.words[RESOLUTION_DONE] > 1000 && seen.words[RESOLUTION_NOT_DONE] > 1000);
	assert_true(seen.refused_words > 100 && seen.asked_again > 1000 && seen.anew > 1000);
	assert_true(seen.ends[PAYMENT_SUCCEEDED] > 1000 && seen.ends[PAYMENT_DECLINED] > 1000 &&
		    seen.ends[PAYMENT_COMPENSATED] > 100);
}

static void random_histories(void **state)
{
	const char *seed = getenv("DALER_SEED");

	(void)state;
	random_state = seed == NULL ? (uint64_t)rt_clock_wall_us() : strtoull(seed, NULL, 10);
	print_message("DALER_SEED=%" PRIu64 "\n", random_state);
	for (int i = 0; events < EVENTS; i++)
		run_history(saga_plan_of((enum payment_kind)(1 + i % PAYMENT_KIND_MAX)));
	check_seen();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
