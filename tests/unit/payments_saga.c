/* The saga machine of payments: every state with every event, and random histories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/saga.h"

#define HISTORIES         200000
#define HISTORY_STEPS_MAX 60

static const struct saga_plan *const plans[] = {&payment_deposit_plan, &payment_withdrawal_plan,
						&payment_transfer_plan};
#define PLAN_COUNT (sizeof(plans) / sizeof(plans[0]))

/* A row: in this state, this event leads to this state with this action; everything that is not a
 * row is illegal. */
struct row {
	enum payment_state state;
	enum saga_event_kind event;
	enum payment_state next;
	enum saga_action action;
	const char *step;
	bool pause;
};

#define STAY(state, event, action, step, pause)                                                    \
	{                                                                                          \
		PAYMENT_##state, SAGA_##event, PAYMENT_##state, SAGA_##action, step, pause         \
	}
#define GO(state, event, next, action, step)                                                       \
	{                                                                                          \
		PAYMENT_##state, SAGA_##event, PAYMENT_##next, SAGA_##action, step, false          \
	}

static const struct row deposit_rows[] = {
	GO(CREATED, BEGIN, SUBMITTED, SUBMIT, NULL),
	GO(CREATED, REFUSED_AT_ONCE, DECLINED, REST, NULL),
	STAY(SUBMITTED, BEGIN, ASK, NULL, false),
	GO(SUBMITTED, PROVIDER_SUCCEEDED, SETTLING, POST, "credit"),
	GO(SUBMITTED, PROVIDER_DECLINED, DECLINED, REST, NULL),
	STAY(SUBMITTED, PROVIDER_PENDING, ASK, NULL, true),
	STAY(SUBMITTED, PROVIDER_ABSENT, SUBMIT, NULL, true),
	GO(SUBMITTED, PROVIDER_CONFLICT, MANUAL_REVIEW, REST, NULL),
	GO(SUBMITTED, PROVIDER_SILENT, UNKNOWN, ASK, NULL),
	STAY(UNKNOWN, BEGIN, ASK, NULL, false),
	GO(UNKNOWN, PROVIDER_SUCCEEDED, SETTLING, POST, "credit"),
	GO(UNKNOWN, PROVIDER_DECLINED, DECLINED, REST, NULL),
	STAY(UNKNOWN, PROVIDER_PENDING, ASK, NULL, true),
	{PAYMENT_UNKNOWN, SAGA_PROVIDER_ABSENT, PAYMENT_SUBMITTED, SAGA_SUBMIT, NULL, true},
	GO(UNKNOWN, PROVIDER_CONFLICT, MANUAL_REVIEW, REST, NULL),
	STAY(UNKNOWN, PROVIDER_SILENT, ASK, NULL, true),
	STAY(SETTLING, BEGIN, POST, "credit", false),
	STAY(SETTLING, LEDGER_SILENT, POST, "credit", true),
	GO(SETTLING, LEDGER_POSTED, SUCCEEDED, REST, NULL),
	GO(SETTLING, LEDGER_DECLINED, MANUAL_REVIEW, REST, NULL),
	GO(SETTLING, LEDGER_CONFLICT, MANUAL_REVIEW, REST, NULL),
};

static const struct row withdrawal_rows[] = {
	STAY(CREATED, BEGIN, POST, "hold", false),
	STAY(CREATED, LEDGER_SILENT, POST, "hold", true),
	GO(CREATED, REFUSED_AT_ONCE, DECLINED, REST, NULL),
	GO(CREATED, LEDGER_POSTED, SUBMITTED, SUBMIT, NULL), /* by way of held */
	GO(CREATED, LEDGER_DECLINED, DECLINED, REST, NULL),
	GO(CREATED, LEDGER_CONFLICT, MANUAL_REVIEW, REST, NULL),
	GO(HELD, BEGIN, SUBMITTED, SUBMIT, NULL),
	STAY(SUBMITTED, BEGIN, ASK, NULL, false),
	GO(SUBMITTED, PROVIDER_SUCCEEDED, SETTLING, POST, "capture"),
	GO(SUBMITTED, PROVIDER_DECLINED, RELEASING, POST, "release"),
	STAY(SUBMITTED, PROVIDER_PENDING, ASK, NULL, true),
	STAY(SUBMITTED, PROVIDER_ABSENT, SUBMIT, NULL, true),
	GO(SUBMITTED, PROVIDER_CONFLICT, MANUAL_REVIEW, REST, NULL),
	GO(SUBMITTED, PROVIDER_SILENT, UNKNOWN, ASK, NULL),
	STAY(UNKNOWN, BEGIN, ASK, NULL, false),
	GO(UNKNOWN, PROVIDER_SUCCEEDED, SETTLING, POST, "capture"),
	GO(UNKNOWN, PROVIDER_DECLINED, RELEASING, POST, "release"),
	STAY(UNKNOWN, PROVIDER_PENDING, ASK, NULL, true),
	{PAYMENT_UNKNOWN, SAGA_PROVIDER_ABSENT, PAYMENT_SUBMITTED, SAGA_SUBMIT, NULL, true},
	GO(UNKNOWN, PROVIDER_CONFLICT, MANUAL_REVIEW, REST, NULL),
	STAY(UNKNOWN, PROVIDER_SILENT, ASK, NULL, true),
	STAY(SETTLING, BEGIN, POST, "capture", false),
	STAY(SETTLING, LEDGER_SILENT, POST, "capture", true),
	GO(SETTLING, LEDGER_POSTED, SUCCEEDED, REST, NULL),
	GO(SETTLING, LEDGER_DECLINED, MANUAL_REVIEW, REST, NULL),
	GO(SETTLING, LEDGER_CONFLICT, MANUAL_REVIEW, REST, NULL),
	STAY(RELEASING, BEGIN, POST, "release", false),
	STAY(RELEASING, LEDGER_SILENT, POST, "release", true),
	GO(RELEASING, LEDGER_POSTED, DECLINED, REST, NULL),
	GO(RELEASING, LEDGER_DECLINED, MANUAL_REVIEW, REST, NULL),
	GO(RELEASING, LEDGER_CONFLICT, MANUAL_REVIEW, REST, NULL),
};

static const struct row transfer_rows[] = {
	STAY(CREATED, BEGIN, POST, "transfer", false),
	STAY(CREATED, LEDGER_SILENT, POST, "transfer", true),
	GO(CREATED, REFUSED_AT_ONCE, DECLINED, REST, NULL),
	GO(CREATED, LEDGER_POSTED, SUCCEEDED, REST, NULL),
	GO(CREATED, LEDGER_DECLINED, DECLINED, REST, NULL),
	GO(CREATED, LEDGER_CONFLICT, MANUAL_REVIEW, REST, NULL),
};

static enum payment_state last_state(enum payment_state state, const struct saga_decision *decision)
{
	return decision->change_count == 0 ? state
					   : decision->changes[decision->change_count - 1].state;
}

static void check_row(const struct row *row, const struct saga_decision *decision)
{
	assert_true(decision->legal);
	assert_int_equal(last_state(row->state, decision), row->next);
	assert_int_equal(decision->action, row->action);
	assert_int_equal(decision->pause, row->pause);
	if (row->step == NULL)
		assert_null(decision->step);
	else
		assert_string_equal(decision->step->name, row->step);
}

static void check_pair(const struct saga_plan *plan, const struct row *rows, size_t count,
		       enum payment_state state, enum saga_event_kind kind)
{
	struct saga_decision decision =
		saga_decide(plan, state, (struct saga_event){kind, "SOME_REASON"});

	for (size_t i = 0; i < count; i++) {
		if (rows[i].state == state && rows[i].event == kind) {
			check_row(&rows[i], &decision);
			return;
		}
	}
	if (decision.legal)
		fail_msg("%s: %s with event %d is legal and should not be", plan->name,
			 payment_state_name(state), kind);
}

static void check_plan(const struct saga_plan *plan, const struct row *rows, size_t count)
{
	for (int state = 0; state <= PAYMENT_STATE_MAX; state++) {
		for (int kind = 0; kind < SAGA_EVENT_COUNT; kind++)
			check_pair(plan, rows, count, (enum payment_state)state,
				   (enum saga_event_kind)kind);
	}
}

static void every_state_and_event(void **state)
{
	(void)state;
	check_plan(&payment_deposit_plan, deposit_rows,
		   sizeof(deposit_rows) / sizeof(deposit_rows[0]));
	check_plan(&payment_withdrawal_plan, withdrawal_rows,
		   sizeof(withdrawal_rows) / sizeof(withdrawal_rows[0]));
	check_plan(&payment_transfer_plan, transfer_rows,
		   sizeof(transfer_rows) / sizeof(transfer_rows[0]));
}

static void reasons(void **state)
{
	struct saga_event no = {SAGA_PROVIDER_DECLINED, "CARD_STOLEN"};
	struct saga_decision decision =
		saga_decide(&payment_withdrawal_plan, PAYMENT_SUBMITTED, no);

	(void)state;
	assert_string_equal(decision.changes[0].reason, "CARD_STOLEN");
	decision = saga_decide(&payment_withdrawal_plan, PAYMENT_RELEASING,
			       (struct saga_event){SAGA_LEDGER_POSTED, NULL});
	assert_int_equal(decision.changes[0].state, PAYMENT_DECLINED);
	assert_null(decision.changes[0].reason); /* keeps the connector's */
	decision = saga_decide(&payment_withdrawal_plan, PAYMENT_CREATED,
			       (struct saga_event){SAGA_LEDGER_POSTED, NULL});
	assert_int_equal(decision.change_count, 2);
	assert_int_equal(decision.changes[0].state, PAYMENT_HELD);
	assert_int_equal(decision.changes[1].state, PAYMENT_SUBMITTED);
}

/* A world with a ledger and a connector that do what they are asked exactly once, and may or may
 * not say so. */
struct world {
	const struct saga_plan *plan;
	enum payment_state state;
	struct saga_decision decision;
	bool posted_prepare, posted_settle, posted_release; /* the ledger's book */
	bool arrived, succeeded, declined;                  /* the connector's book */
};

static uint64_t random_state;

static uint32_t any(uint32_t bound)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % bound;
}

static bool *book_of(struct world *world, const struct ledger_step *step)
{
	if (step == world->plan->prepare)
		return &world->posted_prepare;
	return step == world->plan->settle ? &world->posted_settle : &world->posted_release;
}

static struct saga_event ledger_does(struct world *world)
{
	bool *book = book_of(world, world->decision.step);

	if (!*book && any(8) == 0)
		return (struct saga_event){SAGA_LEDGER_SILENT, "LEDGER_UNAVAILABLE"};
	if (!*book && world->decision.step == world->plan->prepare && any(6) == 0)
		return (struct saga_event){SAGA_LEDGER_DECLINED, "INSUFFICIENT_FUNDS"};
	*book = true;
	return any(6) == 0 ? (struct saga_event){SAGA_LEDGER_SILENT, "LEDGER_UNAVAILABLE"}
			   : (struct saga_event){SAGA_LEDGER_POSTED, NULL};
}

static void connector_decides(struct world *world)
{
	if (!world->arrived || world->succeeded || world->declined)
		return;
	world->succeeded = any(2) == 0;
	world->declined = !world->succeeded && any(2) == 0;
}

static struct saga_event connector_says(const struct world *world)
{
	if (any(4) == 0)
		return (struct saga_event){SAGA_PROVIDER_SILENT, "CONNECTOR_TIMEOUT"};
	if (!world->arrived)
		return (struct saga_event){SAGA_PROVIDER_ABSENT, NULL};
	if (world->succeeded)
		return (struct saga_event){SAGA_PROVIDER_SUCCEEDED, NULL};
	if (world->declined)
		return (struct saga_event){SAGA_PROVIDER_DECLINED, "CARD_DECLINED"};
	return (struct saga_event){SAGA_PROVIDER_PENDING, NULL};
}

static struct saga_event connector_does(struct world *world)
{
	if (world->decision.action == SAGA_SUBMIT && !world->arrived) {
		if (any(4) == 0)
			return (struct saga_event){SAGA_PROVIDER_SILENT, "CONNECTOR_UNAVAILABLE"};
		world->arrived = true;
	}
	connector_decides(world);
	return connector_says(world);
}

/* What must hold at every moment. */
static void check_world(const struct world *world)
{
	assert_false(world->posted_settle && world->posted_release);
	assert_false(world->posted_settle && !world->succeeded);
	assert_false(world->posted_release && !world->declined);
	assert_false(world->arrived && world->plan->prepare != NULL && !world->posted_prepare);
	if (world->state == PAYMENT_DECLINED)
		assert_false(world->succeeded);
	if (world->state == PAYMENT_SUCCEEDED && world->plan->operation != PROVIDER_NONE)
		assert_true(world->succeeded && world->posted_settle);
	if (world->state == PAYMENT_DECLINED && world->posted_prepare)
		assert_true(world->posted_release);
	assert_int_not_equal(world->state, PAYMENT_MANUAL_REVIEW);
}

static void feed(struct world *world, struct saga_event event)
{
	enum payment_state at = world->state;

	world->decision = saga_decide(world->plan, world->state, event);
	assert_true(world->decision.legal);
	for (size_t i = 0; i < world->decision.change_count; i++) {
		assert_true(payment_edge_allowed(at, world->decision.changes[i].state));
		at = world->decision.changes[i].state;
	}
	/* A crash before the commit loses the decision, one after it only the action. */
	if (any(10) == 0)
		at = world->state;
	world->state = at;
	check_world(world);
}

static void run_history(const struct saga_plan *plan)
{
	struct world world = {.plan = plan, .state = PAYMENT_CREATED};

	feed(&world, (struct saga_event){SAGA_BEGIN, NULL});
	for (int i = 0; i < HISTORY_STEPS_MAX && payment_state_open(world.state); i++) {
		enum payment_state written = last_state(world.state, &world.decision);

		/* Taken over by another worker, which knows the state alone. */
		if (written != world.state || any(12) == 0 || world.decision.action == SAGA_REST) {
			feed(&world, (struct saga_event){SAGA_BEGIN, NULL});
			continue;
		}
		feed(&world, world.decision.action == SAGA_POST ? ledger_does(&world)
								: connector_does(&world));
	}
	if (payment_state_open(world.state))
		return;
	for (int kind = 0; kind < SAGA_EVENT_COUNT; kind++)
		assert_false(saga_decide(plan, world.state,
					 (struct saga_event){(enum saga_event_kind)kind, NULL})
				     .legal);
}

static void random_histories(void **state)
{
	const char *seed = getenv("DALER_SEED");

	(void)state;
	random_state = seed == NULL ? UINT64_C(20240229) : strtoull(seed, NULL, 10);
	print_message("seed %llu\n", (unsigned long long)random_state);
	for (int i = 0; i < HISTORIES; i++)
		run_history(plans[(size_t)i % PLAN_COUNT]);
}

/* No event but the connector's own word, or the ledger's, leads to a decline. */
static void unknown_is_never_declined_by_time(void **state)
{
	(void)state;
	for (size_t p = 0; p < 2; p++) {
		for (int kind = 0; kind < SAGA_EVENT_COUNT; kind++) {
			struct saga_event event = {(enum saga_event_kind)kind, "REASON"};
			struct saga_decision decision =
				saga_decide(plans[p], PAYMENT_UNKNOWN, event);
			enum payment_state next = last_state(PAYMENT_UNKNOWN, &decision);

			if (next == PAYMENT_DECLINED || next == PAYMENT_RELEASING)
				assert_int_equal(kind, SAGA_PROVIDER_DECLINED);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_and_event),
		cmocka_unit_test(reasons),
		cmocka_unit_test(random_histories),
		cmocka_unit_test(unknown_is_never_declined_by_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
