/* What operators' words lead to, and what differs from a connector's report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "domain/reconcile.h"
#include "domain/resolution.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): a name that is declared cannot be in parentheses. */
#define EACH_KIND(kind)   for (int kind = 1; kind <= PAYMENT_KIND_MAX; kind++)
#define EACH_STATE(state) for (int state = 1; state <= PAYMENT_STATE_MAX; state++)
/* NOLINTEND(bugprone-macro-parentheses) */

static const struct saga_plan *plan_of(int kind)
{
	return saga_plan_of((enum payment_kind)kind);
}

/* Whatever is said of whatever payment: where it is neither unknown nor in review nothing is
 * decided, and what is decided is one edge of the table. */
static void test_only_where_nobody_knows(void **unused)
{
	(void)unused;
	EACH_KIND(kind)
	EACH_STATE(state)
	EACH_STATE(from)
	for (int outcome = RESOLUTION_DONE; outcome <= RESOLUTION_NOT_DONE; outcome++) {
		if (state == PAYMENT_UNKNOWN && (plan_of(kind)->submit == NULL ||
						 plan_of(kind)->submit->party != PARTY_PROVIDER))
			continue;
		struct saga_decision decision = resolution_decide(
			plan_of(kind), (enum payment_state)state, (enum payment_state)from,
			(enum resolution_outcome)outcome);
		bool unresolved = state == PAYMENT_UNKNOWN || state == PAYMENT_MANUAL_REVIEW;

		assert_true(unresolved || !decision.legal);
		if (!decision.legal)
			continue;
		assert_int_equal(decision.change_count, 1);
		assert_true(
			payment_edge_allowed((enum payment_state)state, decision.changes[0].state));
		assert_true(decision.changes[0].state != PAYMENT_SUCCEEDED);
	}
}

/* The operator's word about an unknown outcome is the connector's word. */
static void test_unknown_is_decided_by_the_machine(void **unused)
{
	(void)unused;
	EACH_KIND(kind)
	{
		const struct saga_plan *plan = plan_of(kind);

		if (plan->submit == NULL || plan->submit->party != PARTY_PROVIDER)
			continue;
		struct saga_decision done = resolution_decide(plan, PAYMENT_UNKNOWN,
							      PAYMENT_SUBMITTED, RESOLUTION_DONE);
		struct saga_decision word =
			saga_decide(plan, PAYMENT_UNKNOWN,
				    (struct saga_event){.kind = SAGA_PROVIDER_SUCCEEDED});

		assert_int_equal(done.changes[0].state, word.changes[0].state);
		assert_ptr_equal(done.step, word.step);
		struct saga_decision not_done = resolution_decide(
			plan, PAYMENT_UNKNOWN, PAYMENT_SUBMITTED, RESOLUTION_NOT_DONE);

		word = saga_decide(plan, PAYMENT_UNKNOWN,
				   (struct saga_event){.kind = SAGA_PROVIDER_DECLINED,
						       .reason = RESOLUTION_REASON});
		assert_int_equal(not_done.changes[0].state, word.changes[0].state);
		assert_ptr_equal(not_done.step, word.step);
	}
}

/* What was prepared is undone, whatever is said. */
static void test_review_never_skips_compensation(void **unused)
{
	(void)unused;
	EACH_KIND(kind)
	EACH_STATE(from)
	{
		const struct saga_plan *plan = plan_of(kind);
		bool submitted = from == PAYMENT_SUBMITTED || from == PAYMENT_UNKNOWN ||
				 from == PAYMENT_REQUIRES_ACTION || from == PAYMENT_SETTLING ||
				 from == PAYMENT_COMPENSATING;
		struct saga_decision decision = resolution_decide(
			plan, PAYMENT_MANUAL_REVIEW, (enum payment_state)from, RESOLUTION_NOT_DONE);

		if (submitted && plan->undoes == UNDOES_PREPARE && decision.legal) {
			assert_int_equal(decision.changes[0].state, PAYMENT_COMPENSATING);
			assert_ptr_equal(decision.step, plan->undo);
		}
		decision = resolution_decide(plan, PAYMENT_MANUAL_REVIEW, (enum payment_state)from,
					     RESOLUTION_DONE);
		assert_int_equal(decision.legal, submitted && plan->settle != NULL &&
							 !(kind == PAYMENT_REMOTE_TRANSFER &&
							   from == PAYMENT_COMPENSATING));
		if (decision.legal)
			assert_ptr_equal(decision.step, plan->settle);
	}
}

/* Not done, of whatever the other side has done already. */
static void test_not_done_after_the_other_side_did_it(void **unused)
{
	(void)unused;
	EACH_KIND(kind)
	{
		const struct saga_plan *plan = plan_of(kind);

		if (plan->settle == NULL)
			continue;
		struct saga_decision decision = resolution_decide(
			plan, PAYMENT_MANUAL_REVIEW, PAYMENT_SETTLING, RESOLUTION_NOT_DONE);
		bool ledgers = plan->submit->party == PARTY_REMOTE_LEDGER;

		assert_int_equal(decision.legal, !ledgers);
		if (ledgers)
			continue;
		assert_int_equal(decision.changes[0].state, PAYMENT_COMPENSATING);
		assert_ptr_equal(decision.step, plan->undo);
		assert_string_equal(decision.changes[0].reason, plan->undoes == UNDOES_SUBMIT
									? GIVE_BACK_REASON
									: RESOLUTION_REASON);
	}
}

/* What the connector would not give back was given back by hand. */
static void test_not_done_after_the_connector_would_not_give_back(void **unused)
{
	struct saga_decision decision =
		resolution_decide(&payment_deposit_plan, PAYMENT_MANUAL_REVIEW,
				  PAYMENT_COMPENSATING, RESOLUTION_NOT_DONE);

	(void)unused;
	assert_int_equal(decision.changes[0].state, PAYMENT_COMPENSATED);
	assert_string_equal(decision.changes[0].reason, RESOLUTION_REASON);
}

/* Where both sides are ledgers of ours, each word is refused that one of them has otherwise on
 * record; nobody but ledgers is contradicted. */
static void test_ledgers_are_not_contradicted(void **unused)
{
	(void)unused;
	EACH_KIND(kind)
	EACH_STATE(from)
	for (int outcome = RESOLUTION_DONE; outcome <= RESOLUTION_NOT_DONE; outcome++) {
		bool contradicted = kind == PAYMENT_REMOTE_TRANSFER &&
				    ((from == PAYMENT_SETTLING && outcome == RESOLUTION_NOT_DONE) ||
				     (from == PAYMENT_COMPENSATING && outcome == RESOLUTION_DONE));
		struct saga_decision decision = resolution_decide(
			plan_of(kind), PAYMENT_MANUAL_REVIEW, (enum payment_state)from,
			(enum resolution_outcome)outcome);

		assert_int_equal(resolution_contradicts(plan_of(kind), (enum payment_state)from,
							(enum resolution_outcome)outcome),
				 contradicted);
		assert_false(contradicted && decision.legal);
	}
}

static void test_ask_again(void **unused)
{
	(void)unused;
	EACH_KIND(kind)
	EACH_STATE(state)
	EACH_STATE(from)
	{
		struct saga_decision decision = resolution_ask_again(
			plan_of(kind), (enum payment_state)state, (enum payment_state)from);

		if (!decision.legal)
			continue;
		assert_int_equal(state, PAYMENT_MANUAL_REVIEW);
		assert_int_equal(decision.changes[0].state, PAYMENT_UNKNOWN);
		assert_int_equal(plan_of(kind)->submit->party, PARTY_PROVIDER);
	}
	struct saga_decision decision = resolution_ask_again(
		&payment_withdrawal_plan, PAYMENT_MANUAL_REVIEW, PAYMENT_UNKNOWN);

	assert_true(decision.legal);
	decision = resolution_ask_again(&payment_withdrawal_plan, PAYMENT_MANUAL_REVIEW,
					PAYMENT_SETTLING);
	assert_false(decision.legal);
}

static enum reconcile_difference deposit_against(enum payment_state state,
						 enum reconcile_status status)
{
	const struct reconcile_ours ours = {PAYMENT_DEPOSIT, state, 100, "EUR", ""};
	const struct reconcile_theirs theirs = {payment_deposit_plan.submit->operation, 100, "EUR",
						status};

	return reconcile_compare(&ours, &theirs);
}

static void test_statuses(void **unused)
{
	(void)unused;
	static const struct {
		enum payment_state state;
		enum reconcile_difference unclear, done, not_done, missing;
	} rows[] = {
		{PAYMENT_CREATED, RECONCILE_STATUS, RECONCILE_STATUS, RECONCILE_SAME,
		 RECONCILE_SAME},
		{PAYMENT_SUBMITTED, RECONCILE_SAME, RECONCILE_UNSETTLED, RECONCILE_UNSETTLED,
		 RECONCILE_SAME},
		{PAYMENT_UNKNOWN, RECONCILE_SAME, RECONCILE_UNSETTLED, RECONCILE_UNSETTLED,
		 RECONCILE_SAME},
		{PAYMENT_MANUAL_REVIEW, RECONCILE_SAME, RECONCILE_UNSETTLED, RECONCILE_UNSETTLED,
		 RECONCILE_SAME},
		{PAYMENT_SETTLING, RECONCILE_STATUS, RECONCILE_SAME, RECONCILE_STATUS,
		 RECONCILE_MISSING_THERE},
		{PAYMENT_SUCCEEDED, RECONCILE_STATUS, RECONCILE_SAME, RECONCILE_STATUS,
		 RECONCILE_MISSING_THERE},
		{PAYMENT_REFUNDED, RECONCILE_STATUS, RECONCILE_SAME, RECONCILE_STATUS,
		 RECONCILE_MISSING_THERE},
		{PAYMENT_DECLINED, RECONCILE_STATUS, RECONCILE_STATUS, RECONCILE_SAME,
		 RECONCILE_SAME},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct reconcile_ours ours = {PAYMENT_DEPOSIT, rows[i].state, 100, "EUR", ""};

		assert_int_equal(deposit_against(rows[i].state, RECONCILE_UNCLEAR),
				 rows[i].unclear);
		assert_int_equal(deposit_against(rows[i].state, RECONCILE_DONE), rows[i].done);
		assert_int_equal(deposit_against(rows[i].state, RECONCILE_NOT_DONE),
				 rows[i].not_done);
		assert_int_equal(reconcile_compare(&ours, NULL), rows[i].missing);
	}
}

static void test_contents(void **unused)
{
	const struct reconcile_ours ours = {PAYMENT_WITHDRAWAL, PAYMENT_SUCCEEDED, 100, "EUR", ""};
	struct reconcile_theirs theirs = {PROVIDER_PAYOUT, 100, "EUR", RECONCILE_DONE};

	(void)unused;
	assert_int_equal(reconcile_compare(&ours, &theirs), RECONCILE_SAME);
	theirs.amount_minor = 99;
	assert_int_equal(reconcile_compare(&ours, &theirs), RECONCILE_AMOUNT);
	theirs.currency = "USD";
	assert_int_equal(reconcile_compare(&ours, &theirs), RECONCILE_CURRENCY);
	theirs.operation = PROVIDER_NONE;
	assert_int_equal(reconcile_compare(&ours, &theirs), RECONCILE_OPERATION);
	assert_int_equal(reconcile_compare(NULL, &theirs), RECONCILE_MISSING_HERE);
	const struct reconcile_ours transfer = {PAYMENT_TRANSFER, PAYMENT_SUCCEEDED, 100, "EUR",
						""};

	assert_int_equal(reconcile_compare(&transfer, &theirs), RECONCILE_OPERATION);
}

/* A deposit that was given back, and one that was not, against a connector's give-back. */
static void test_what_was_given_back(void **unused)
{
	static const struct {
		enum payment_state state;
		const char *reason;
		enum reconcile_difference done, not_done, missing;
	} rows[] = {
		{PAYMENT_COMPENSATED, "ACCOUNT_CLOSED", RECONCILE_SAME, RECONCILE_STATUS,
		 RECONCILE_MISSING_THERE},
		{PAYMENT_COMPENSATED, RESOLUTION_REASON, RECONCILE_SAME, RECONCILE_STATUS,
		 RECONCILE_SAME},
		{PAYMENT_COMPENSATED, GIVE_BACK_REASON, RECONCILE_SAME, RECONCILE_STATUS,
		 RECONCILE_MISSING_THERE},
		{PAYMENT_COMPENSATING, "ACCOUNT_CLOSED", RECONCILE_UNSETTLED, RECONCILE_UNSETTLED,
		 RECONCILE_SAME},
		{PAYMENT_SUCCEEDED, "", RECONCILE_STATUS, RECONCILE_SAME, RECONCILE_SAME},
		{PAYMENT_DECLINED, "", RECONCILE_STATUS, RECONCILE_SAME, RECONCILE_SAME},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct reconcile_ours ours = {PAYMENT_DEPOSIT, rows[i].state, 100, "EUR",
						    rows[i].reason};
		struct reconcile_theirs theirs = {PROVIDER_REFUND, 100, "EUR", RECONCILE_DONE};

		assert_int_equal(reconcile_compare_undo(&ours, &theirs), rows[i].done);
		theirs.status = RECONCILE_NOT_DONE;
		assert_int_equal(reconcile_compare_undo(&ours, &theirs), rows[i].not_done);
		assert_int_equal(reconcile_compare_undo(&ours, NULL), rows[i].missing);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_where_nobody_knows),
		cmocka_unit_test(test_unknown_is_decided_by_the_machine),
		cmocka_unit_test(test_review_never_skips_compensation),
		cmocka_unit_test(test_not_done_after_the_other_side_did_it),
		cmocka_unit_test(test_not_done_after_the_connector_would_not_give_back),
		cmocka_unit_test(test_ledgers_are_not_contradicted),
		cmocka_unit_test(test_ask_again),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_what_was_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
