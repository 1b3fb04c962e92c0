/* What may be given back, over every kind, state and claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/giveback.h"

#define AMOUNT 100

static bool is_rollback_of(enum payment_kind kind, enum payment_kind original)
{
	return (kind == PAYMENT_WAGER_ROLLBACK && original == PAYMENT_WAGER) ||
	       (kind == PAYMENT_SETTLE_ROLLBACK && original == PAYMENT_SETTLE);
}

static struct payment_original original_of(enum payment_kind kind, enum payment_state state)
{
	return (struct payment_original){.kind = kind,
					 .state = state,
					 .version = 2,
					 .amount_minor = AMOUNT,
					 .currency = "EUR",
					 .round_id = "r1"};
}

static struct payment_request request_of(enum payment_kind kind)
{
	return (struct payment_request){
		.kind = kind, .amount_minor = AMOUNT, .currency = "EUR", .round_id = "r1"};
}

/* Whatever a rollback names: it claims nothing but a wager or a settlement that moved money, and
 * has not been given back. */
static void test_what_a_rollback_claims(void **unused)
{
	(void)unused;
	for (int rollback = PAYMENT_WAGER_ROLLBACK; rollback <= PAYMENT_SETTLE_ROLLBACK; rollback++)
		for (int kind = 1; kind <= PAYMENT_KIND_MAX; kind++)
			for (int state = 1; state <= PAYMENT_STATE_MAX; state++) {
				struct payment_request request =
					request_of((enum payment_kind)rollback);
				struct payment_original original = original_of(
					(enum payment_kind)kind, (enum payment_state)state);
				struct giveback answer = giveback_decide(&request, &original);
				bool named = is_rollback_of(request.kind, original.kind);
				bool moved = state == PAYMENT_SUCCEEDED ||
					     state == PAYMENT_PARTLY_REFUNDED;

				assert_int_equal(answer.answer == GIVEBACK_CLAIM, named && moved);
				if (!named)
					assert_string_equal(answer.decision.changes[0].reason,
							    "ROLLBACK_MISMATCH");
			}
}

/* No two claims together are more than there is. */
static void test_what_refunds_claim(void **unused)
{
	(void)unused;
	for (int64_t claimed = 0; claimed <= AMOUNT; claimed += 10)
		for (int64_t amount = 10; amount <= AMOUNT; amount += 10) {
			struct payment_request request = request_of(PAYMENT_REFUND);
			struct payment_original original =
				original_of(PAYMENT_DEPOSIT, PAYMENT_SUCCEEDED);

			request.amount_minor = amount;
			original.claimed_minor = claimed;
			struct giveback answer = giveback_decide(&request, &original);

			assert_int_equal(answer.answer == GIVEBACK_CLAIM,
					 claimed + amount <= AMOUNT);
		}
}

/* A claim ends once: as given back, or as free again. */
static void test_how_a_claim_ends(void **unused)
{
	(void)unused;
	struct payment_original original = original_of(PAYMENT_DEPOSIT, PAYMENT_SUCCEEDED);

	original.claimed_minor = AMOUNT;
	assert_false(giveback_ended(&original, PAYMENT_MANUAL_REVIEW, 40));
	assert_int_equal(original.claimed_minor, AMOUNT);
	assert_false(giveback_ended(&original, PAYMENT_DECLINED, 40));
	assert_int_equal(original.claimed_minor, 60);
	assert_true(giveback_ended(&original, PAYMENT_SUCCEEDED, 20));
	assert_int_equal(original.state, PAYMENT_PARTLY_REFUNDED);
	assert_int_equal(original.claimed_minor, 60);
	assert_true(giveback_ended(&original, PAYMENT_SUCCEEDED, 40));
	assert_int_equal(original.refunded_minor, 60);
	assert_int_equal(original.state, PAYMENT_PARTLY_REFUNDED);
	original.claimed_minor = AMOUNT;
	assert_true(giveback_ended(&original, PAYMENT_SUCCEEDED, 40));
	assert_int_equal(original.state, PAYMENT_REFUNDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_rollback_claims),
		cmocka_unit_test(test_what_refunds_claim),
		cmocka_unit_test(test_how_a_claim_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
