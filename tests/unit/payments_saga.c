/* The saga machine of payments: every plan in every state with every event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/saga.h"

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
#define GO_LATER(state, event, next, action, step)                                                 \
	{                                                                                          \
		PAYMENT_##state, SAGA_##event, PAYMENT_##next, SAGA_##action, step, true           \
	}

/* Before anything is done. */
#define AT_ONCE                                                                                    \
	GO(CREATED, REFUSED_AT_ONCE, DECLINED, REST, NULL),                                        \
		GO(CREATED, NOTHING_TO_DO, SUCCEEDED, REST, NULL)

/* The ledger's first step, which leads to `next`. */
#define PREPARE(prepare, next, action, step)                                                       \
	STAY(CREATED, BEGIN, POST, prepare, false),                                                \
		STAY(CREATED, LEDGER_SILENT, POST, prepare, true),                                 \
		GO(CREATED, LEDGER_POSTED, next, action, step),                                    \
		GO(CREATED, LEDGER_DECLINED, DECLINED, REST, NULL),                                \
		GO(CREATED, LEDGER_CONFLICT, MANUAL_REVIEW, REST, NULL)

/* The connector's step: `no` and `off` are the states after its no and its calling off. */
#define AT_CONNECTOR(submit, settle, no, off, action, undo)                                        \
	STAY(SUBMITTED, BEGIN, ASK, submit, false),                                                \
		GO(SUBMITTED, PROVIDER_SUCCEEDED, SETTLING, POST, settle),                         \
		GO(SUBMITTED, PROVIDER_DECLINED, no, action, undo),                                \
		GO(SUBMITTED, PROVIDER_CANCELED, off, action, undo),                               \
		STAY(SUBMITTED, PROVIDER_PENDING, ASK, submit, true),                              \
		STAY(SUBMITTED, PROVIDER_AUTHORIZED, CAPTURE, submit, false),                      \
		GO_LATER(SUBMITTED, PROVIDER_ACTION, REQUIRES_ACTION, ASK, submit),                \
		STAY(SUBMITTED, PROVIDER_ABSENT, SUBMIT, submit, true),                            \
		GO(SUBMITTED, PROVIDER_CONFLICT, MANUAL_REVIEW, REST, NULL),                       \
		GO(SUBMITTED, PROVIDER_SILENT, UNKNOWN, ASK, submit),                              \
		STAY(REQUIRES_ACTION, BEGIN, ASK, submit, false),                                  \
		STAY(REQUIRES_ACTION, CANCEL_ASKED, CANCEL, submit, false),                        \
		STAY(REQUIRES_ACTION, PROVIDER_ACTION, ASK, submit, true),                         \
		STAY(REQUIRES_ACTION, PROVIDER_SILENT, ASK, submit, true),                         \
		GO(REQUIRES_ACTION, PROVIDER_AUTHORIZED, SUBMITTED, CAPTURE, submit),              \
		GO_LATER(REQUIRES_ACTION, PROVIDER_PENDING, SUBMITTED, ASK, submit),               \
		GO_LATER(REQUIRES_ACTION, PROVIDER_ABSENT, SUBMITTED, SUBMIT, submit),             \
		GO(REQUIRES_ACTION, PROVIDER_SUCCEEDED, SETTLING, POST, settle),                   \
		GO(REQUIRES_ACTION, PROVIDER_DECLINED, no, action, undo),                          \
		GO(REQUIRES_ACTION, PROVIDER_CANCELED, off, action, undo),                         \
		GO(REQUIRES_ACTION, PROVIDER_CONFLICT, MANUAL_REVIEW, REST, NULL),                 \
		STAY(UNKNOWN, BEGIN, ASK, submit, false),                                          \
		GO(UNKNOWN, PROVIDER_SUCCEEDED, SETTLING, POST, settle),                           \
		GO(UNKNOWN, PROVIDER_DECLINED, no, action, undo),                                  \
		GO(UNKNOWN, PROVIDER_CANCELED, off, action, undo),                                 \
		STAY(UNKNOWN, PROVIDER_PENDING, ASK, submit, true),                                \
		GO_LATER(UNKNOWN, PROVIDER_AUTHORIZED, SUBMITTED, CAPTURE, submit),                \
		GO_LATER(UNKNOWN, PROVIDER_ACTION, REQUIRES_ACTION, ASK, submit),                  \
		GO_LATER(UNKNOWN, PROVIDER_ABSENT, SUBMITTED, SUBMIT, submit),                     \
		GO(UNKNOWN, PROVIDER_CONFLICT, MANUAL_REVIEW, REST, NULL),                         \
		STAY(UNKNOWN, PROVIDER_SILENT, ASK, submit, true)

/* The ledger follows. */
#define SETTLE(settle)                                                                             \
	STAY(SETTLING, BEGIN, POST, settle, false),                                                \
		STAY(SETTLING, LEDGER_SILENT, POST, settle, true),                                 \
		GO(SETTLING, LEDGER_POSTED, SUCCEEDED, REST, NULL),                                \
		GO(SETTLING, LEDGER_CONFLICT, MANUAL_REVIEW, REST, NULL)

/* The hold goes. */
#define RELEASE                                                                                    \
	STAY(COMPENSATING, BEGIN, POST, "release", false),                                         \
		STAY(COMPENSATING, LEDGER_SILENT, POST, "release", true),                          \
		GO(COMPENSATING, LEDGER_POSTED, DECLINED, REST, NULL),                             \
		GO(COMPENSATING, LEDGER_DECLINED, MANUAL_REVIEW, REST, NULL),                      \
		GO(COMPENSATING, LEDGER_CONFLICT, MANUAL_REVIEW, REST, NULL)

#define HELD_AND_PAID(submit)                                                                      \
	AT_ONCE, PREPARE("hold", SUBMITTED, SUBMIT, submit), /* by way of held */                  \
		GO(HELD, BEGIN, SUBMITTED, SUBMIT, submit),                                        \
		AT_CONNECTOR(submit, "capture", COMPENSATING, COMPENSATING, POST, "release"),      \
		SETTLE("capture"), GO(SETTLING, LEDGER_DECLINED, MANUAL_REVIEW, REST, NULL),       \
		RELEASE

static const struct row deposit_rows[] = {
	AT_ONCE,
	GO(CREATED, BEGIN, SUBMITTED, SUBMIT, "charge"),
	AT_CONNECTOR("charge", "credit", DECLINED, CANCELED, REST, NULL),
	SETTLE("credit"),
	GO(SETTLING, LEDGER_DECLINED, COMPENSATING, SUBMIT, "give_back"),
	STAY(COMPENSATING, BEGIN, ASK, "give_back", false),
	STAY(COMPENSATING, PROVIDER_PENDING, ASK, "give_back", true),
	STAY(COMPENSATING, PROVIDER_SILENT, ASK, "give_back", true),
	STAY(COMPENSATING, PROVIDER_ABSENT, SUBMIT, "give_back", true),
	GO(COMPENSATING, PROVIDER_SUCCEEDED, COMPENSATED, REST, NULL),
	GO(COMPENSATING, PROVIDER_DECLINED, MANUAL_REVIEW, REST, NULL),
	GO(COMPENSATING, PROVIDER_CONFLICT, MANUAL_REVIEW, REST, NULL),
};

static const struct row withdrawal_rows[] = {HELD_AND_PAID("payout")};
static const struct row refund_rows[] = {HELD_AND_PAID("refund")};

static const struct row remote_rows[] = {
	AT_ONCE,
	PREPARE("hold", SUBMITTED, POST, "credit"),
	GO(HELD, BEGIN, SUBMITTED, POST, "credit"),
	STAY(SUBMITTED, BEGIN, POST, "credit", false),
	STAY(SUBMITTED, LEDGER_SILENT, POST, "credit", true),
	GO(SUBMITTED, LEDGER_POSTED, SETTLING, POST, "capture"),
	GO(SUBMITTED, LEDGER_DECLINED, COMPENSATING, POST, "release"),
	GO(SUBMITTED, LEDGER_CONFLICT, MANUAL_REVIEW, REST, NULL),
	SETTLE("capture"),
	GO(SETTLING, LEDGER_DECLINED, MANUAL_REVIEW, REST, NULL),
	RELEASE,
};

static const struct row transfer_rows[] = {AT_ONCE, PREPARE("transfer", SUCCEEDED, REST, NULL)};
static const struct row wager_rows[] = {AT_ONCE, PREPARE("wager", SUCCEEDED, REST, NULL)};
static const struct row settle_rows[] = {AT_ONCE, PREPARE("settle", SUCCEEDED, REST, NULL)};
static const struct row rollback_rows[] = {AT_ONCE, PREPARE("rollback", SUCCEEDED, REST, NULL)};

static const struct plan_rows {
	const struct row *rows;
	size_t count;
} tables[PAYMENT_KIND_MAX + 1] = {
#define ROWS(kind, table) [PAYMENT_##kind] = {(table), sizeof(table) / sizeof((table)[0])}
	ROWS(DEPOSIT, deposit_rows),
	ROWS(WITHDRAWAL, withdrawal_rows),
	ROWS(TRANSFER, transfer_rows),
	ROWS(REMOTE_TRANSFER, remote_rows),
	ROWS(REFUND, refund_rows),
	ROWS(WAGER, wager_rows),
	ROWS(SETTLE, settle_rows),
	ROWS(WAGER_ROLLBACK, rollback_rows),
	ROWS(SETTLE_ROLLBACK, rollback_rows),
#undef ROWS
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

static void check_pair(const struct saga_plan *plan, enum payment_state state,
		       enum saga_event_kind kind)
{
	const struct plan_rows *table = &tables[plan->kind];
	struct saga_decision decision = saga_decide(
		plan, state, (struct saga_event){.kind = kind, .reason = "SOME_REASON"});

	for (size_t i = 0; i < table->count; i++) {
		if (table->rows[i].state == state && table->rows[i].event == kind) {
			check_row(&table->rows[i], &decision);
			return;
		}
	}
	if (decision.legal)
		fail_msg("%s: %s with event %d is legal and should not be", plan->name,
			 payment_state_name(state), kind);
}

static void every_state_and_event(void **state)
{
	(void)state;
	for (int kind = 1; kind <= PAYMENT_KIND_MAX; kind++) {
		assert_true(tables[kind].count > 0);
		for (int at = 0; at <= PAYMENT_STATE_MAX; at++) {
			for (int event = 0; event < SAGA_EVENT_COUNT; event++)
				check_pair(saga_plan_of((enum payment_kind)kind),
					   (enum payment_state)at, (enum saga_event_kind)event);
		}
	}
}

static void reasons(void **state)
{
	const struct saga_plan *plan = &payment_withdrawal_plan;
	struct saga_decision decision = saga_decide(
		plan, PAYMENT_SUBMITTED,
		(struct saga_event){.kind = SAGA_PROVIDER_DECLINED, .reason = "STOLEN"});

	(void)state;
	assert_string_equal(decision.changes[0].reason, "STOLEN");
	decision = saga_decide(plan, PAYMENT_COMPENSATING,
			       (struct saga_event){.kind = SAGA_LEDGER_POSTED});
	assert_int_equal(decision.changes[0].state, PAYMENT_DECLINED);
	assert_null(decision.changes[0].reason); /* keeps the connector's */
	decision =
		saga_decide(plan, PAYMENT_CREATED, (struct saga_event){.kind = SAGA_LEDGER_POSTED});
	assert_int_equal(decision.change_count, 2);
	assert_int_equal(decision.changes[0].state, PAYMENT_HELD);
	assert_int_equal(decision.changes[1].state, PAYMENT_SUBMITTED);
}

/* Called off before it was submitted: the hold goes, and the payment ends canceled. */
static void called_off(void **state)
{
	const struct saga_plan *plan = &payment_withdrawal_plan;
	struct saga_event posted = {.kind = SAGA_LEDGER_POSTED, .canceled = true};
	struct saga_decision decision = saga_decide(plan, PAYMENT_CREATED, posted);

	(void)state;
	assert_int_equal(decision.changes[0].state, PAYMENT_HELD);
	assert_int_equal(decision.changes[1].state, PAYMENT_COMPENSATING);
	assert_string_equal(decision.changes[1].reason, SAGA_REASON_CANCELED);
	assert_string_equal(decision.step->name, "release");
	decision = saga_decide(plan, PAYMENT_HELD,
			       (struct saga_event){.kind = SAGA_BEGIN, .canceled = true});
	assert_int_equal(decision.changes[0].state, PAYMENT_COMPENSATING);
	assert_int_equal(decision.action, SAGA_POST);
	decision = saga_decide(plan, PAYMENT_COMPENSATING, posted);
	assert_int_equal(decision.changes[0].state, PAYMENT_CANCELED);
	/* What the ledger alone does is done when it answers. */
	decision = saga_decide(&payment_transfer_plan, PAYMENT_CREATED, posted);
	assert_int_equal(decision.changes[0].state, PAYMENT_SUCCEEDED);
}

/* A step in the ledger that was declined before, and that an operator wants taken again, is: what
 * follows the other side's yes, and what undoes a hold. No other decline is, and none is taken
 * again without an operator. */
static void taken_again(void **state)
{
	struct saga_event declined = {.kind = SAGA_LEDGER_DECLINED, .reason = "ACCOUNT_BLOCKED"};

	(void)state;
	for (int kind = 1; kind <= PAYMENT_KIND_MAX; kind++) {
		for (int at = 1; at <= PAYMENT_STATE_MAX; at++) {
			const struct saga_plan *plan = saga_plan_of((enum payment_kind)kind);
			const struct saga_step *step = at == PAYMENT_SETTLING       ? plan->settle
						       : at == PAYMENT_COMPENSATING ? plan->undo
										    : NULL;

			declined.again = false;
			struct saga_decision once =
				saga_decide(plan, (enum payment_state)at, declined);

			declined.again = true;
			struct saga_decision again =
				saga_decide(plan, (enum payment_state)at, declined);

			assert_int_equal(once.legal, again.legal);
			if (!once.legal)
				continue;
			assert_true(once.change_count > 0);
			if (step == NULL) {
				assert_int_equal(again.changes[0].state, once.changes[0].state);
				continue;
			}
			assert_int_equal(again.change_count, 0);
			assert_int_equal(again.action, SAGA_POST);
			assert_ptr_equal(again.step, step);
			assert_false(again.pause);
		}
	}
	struct saga_decision decision =
		saga_decide(&payment_withdrawal_plan, PAYMENT_SETTLING,
			    (struct saga_event){.kind = SAGA_LEDGER_POSTED, .anew = true});

	assert_int_equal(decision.changes[0].state, PAYMENT_SUCCEEDED);
	assert_string_equal(decision.changes[0].reason, SAGA_REASON_ANEW);
}

/* What is asked and captured in turns, and stays authorized, is waited for longer and longer. */
static void pauses_grow(void **state)
{
	uint32_t attempts = 0;

	(void)state;
	for (uint32_t turn = 1; turn <= 10; turn++) {
		struct saga_decision decision =
			saga_decide(&payment_deposit_plan, PAYMENT_SUBMITTED,
				    (struct saga_event){.kind = SAGA_PROVIDER_AUTHORIZED});

		assert_int_equal(decision.action, SAGA_CAPTURE);
		attempts = saga_attempts_after(attempts, SAGA_PROVIDER_AUTHORIZED);
		/* So a capture is reported that has left it as it was. */
		decision = saga_decide(&payment_deposit_plan, PAYMENT_SUBMITTED,
				       (struct saga_event){.kind = SAGA_PROVIDER_PENDING});
		assert_int_equal(decision.action, SAGA_ASK);
		assert_true(decision.pause);
		attempts = saga_attempts_after(attempts, SAGA_PROVIDER_PENDING);
		assert_int_equal(attempts, turn);
	}
	/* What can't be called off is tried again soon, and not at once. */
	for (uint32_t turn = 1; turn <= 10; turn++) {
		attempts = saga_attempts_after(attempts, SAGA_CANCEL_ASKED);
		attempts = saga_attempts_after(attempts, SAGA_PROVIDER_SILENT);
		assert_in_range(attempts, 4, 6);
	}
	assert_true(saga_attempts_after(10, SAGA_PROVIDER_ABSENT) < 10);
	assert_int_equal(saga_attempts_after(10, SAGA_PROVIDER_SUCCEEDED), 0);
}

/* The first try has the ids that steps have always had; each later one has others. */
static void ids_of_tries(void **state)
{
	const struct rt_uuid payment_id = {.bytes = {1, 2, 3, 4, 5, 6}};
	struct rt_uuid ids[4];

	(void)state;
	ids[0] = rt_uuid_derive(&payment_id, "capture");
	for (uint32_t take = 0; take < 3; take++) {
		struct rt_uuid id = ledger_transfer_id(&payment_id, "capture", take);

		assert_int_equal(rt_uuid_equal(&id, &ids[0]), take == 0);
		ids[take] = id;
		for (uint32_t before = 0; before < take; before++)
			assert_false(rt_uuid_equal(&id, &ids[before]));
	}
	ids[3] = rt_uuid_derive(&payment_id, "capture again 2"); /* for ever */
	assert_true(rt_uuid_equal(&ids[2], &ids[3]));
}

/* No event but the other side's own word leads out of unknown to a no. */
static void unknown_is_never_declined_by_time(void **state)
{
	(void)state;
	for (int kind = 1; kind <= PAYMENT_KIND_MAX; kind++) {
		for (int event = 0; event < SAGA_EVENT_COUNT; event++) {
			struct saga_decision decision =
				saga_decide(saga_plan_of((enum payment_kind)kind), PAYMENT_UNKNOWN,
					    (struct saga_event){.kind = (enum saga_event_kind)event,
								.reason = "REASON"});
			enum payment_state next = last_state(PAYMENT_UNKNOWN, &decision);

			if (next == PAYMENT_DECLINED || next == PAYMENT_COMPENSATING)
				assert_true(event == SAGA_PROVIDER_DECLINED ||
					    event == SAGA_PROVIDER_CANCELED);
		}
	}
}

/* A plan's names are ids of transfers for ever; its holds are its own. */
static void plans_are_whole(void **state)
{
	(void)state;
	for (int kind = 1; kind <= PAYMENT_KIND_MAX; kind++) {
		const struct saga_plan *plan = saga_plan_of((enum payment_kind)kind);

		assert_int_equal(plan->kind, kind);
		assert_true(plan->prepare != NULL || plan->submit != NULL);
		assert_int_equal(plan->submit != NULL, plan->settle != NULL);
		assert_int_equal(plan->undo != NULL, plan->undoes != UNDOES_NOTHING);
		if (plan->prepare != NULL && plan->submit != NULL)
			assert_int_equal(plan->undoes, UNDOES_PREPARE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_and_event),
		cmocka_unit_test(reasons),
		cmocka_unit_test(called_off),
		cmocka_unit_test(taken_again),
		cmocka_unit_test(ids_of_tries),
		cmocka_unit_test(pauses_grow),
		cmocka_unit_test(unknown_is_never_declined_by_time),
		cmocka_unit_test(plans_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
