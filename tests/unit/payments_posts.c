/* What a history says of the steps in ledgers, against the machine that made it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/posts.h"
#include "domain/saga.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): a name that is declared cannot be in parentheses. */
#define EACH_KIND(kind)   for (int kind = 1; kind <= PAYMENT_KIND_MAX; kind++)
#define EACH_STATE(state) for (int state = 1; state <= PAYMENT_STATE_MAX; state++)
/* NOLINTEND(bugprone-macro-parentheses) */

/* The first change that the event leads to; false: none. */
static bool leads(const struct saga_plan *plan, enum payment_state from, enum saga_event_kind event,
		  enum payment_state *to)
{
	struct saga_decision decision =
		saga_decide(plan, from, (struct saga_event){.kind = event, .reason = "A_REASON"});

	if (!decision.legal || decision.change_count == 0)
		return false;
	*to = decision.changes[0].state;
	return true;
}

/* Whatever a ledger says in whatever state is read back from the change that it led to. */
static void test_what_ledgers_said(void **unused)
{
	static const struct {
		enum saga_event_kind event;
		enum post_outcome outcome;
	} rows[] = {{SAGA_LEDGER_POSTED, POST_POSTED},
		    {SAGA_LEDGER_DECLINED, POST_DECLINED},
		    {SAGA_LEDGER_CONFLICT, POST_DECLINED}};
	int seen = 0;

	(void)unused;
	EACH_KIND(kind)
	EACH_STATE(from)
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct saga_plan *plan = saga_plan_of((enum payment_kind)kind);
		struct payment_post post;
		enum payment_state to = PAYMENT_NONE;

		if (!leads(plan, (enum payment_state)from, rows[i].event, &to))
			continue;
		seen++;
		assert_true(payment_post_of(plan, (enum payment_state)from, to, false, &post));
		assert_int_equal(post.outcome, rows[i].outcome);
		assert_true(post.step->party != PARTY_PROVIDER);
		assert_true(payment_post_awaited(plan, (enum payment_state)from, &post));
		assert_int_equal(post.outcome, POST_WAITS);
	}
	assert_true(seen > 30);
}

/* What others led to is no step in a ledger. */
static void test_what_others_said(void **unused)
{
	(void)unused;
	EACH_KIND(kind)
	EACH_STATE(from)
	for (int event = 0; event < SAGA_EVENT_COUNT; event++) {
		const struct saga_plan *plan = saga_plan_of((enum payment_kind)kind);
		bool at_once = event == SAGA_REFUSED_AT_ONCE || event == SAGA_NOTHING_TO_DO;
		struct payment_post post;
		enum payment_state to = PAYMENT_NONE;

		if (event >= SAGA_LEDGER_POSTED && event <= SAGA_LEDGER_SILENT)
			continue;
		if (leads(plan, (enum payment_state)from, (enum saga_event_kind)event, &to))
			assert_false(payment_post_of(plan, (enum payment_state)from, to, at_once,
						     &post));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_ledgers_said),
		cmocka_unit_test(test_what_others_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
