/* What a connector can't do is refused by its field, for each kind of payment, and only when it is
 * known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/capabilities.h"

/* Everything, in any currency. */
static struct connector_capabilities able(void)
{
	return (struct connector_capabilities){.known = true,
					       .partial_refunds = true,
					       .operations = {[PROVIDER_AUTHORIZE] = true,
							      [PROVIDER_PAYOUT] = true,
							      [PROVIDER_REFUND] = true}};
}

static struct payment_request request(enum payment_kind kind)
{
	return (struct payment_request){.kind = kind, .amount_minor = 100, .currency = "EUR"};
}

static void expect(const struct connector_capabilities *can, const struct payment_request *request,
		   int64_t original_minor, const char *reason, const char *field)
{
	struct rt_status status = capabilities_check(can, request, original_minor);

	assert_int_equal(status.code, reason == NULL ? RT_OK : RT_FAILED_PRECONDITION);
	if (reason == NULL)
		return;
	assert_string_equal(status.reason, reason);
	assert_string_equal(status.field, field);
}

static void test_operations(void **state)
{
	static const struct {
		enum payment_kind kind;
		enum provider_operation operation;
		const char *field;
	} rows[] = {
		{PAYMENT_DEPOSIT, PROVIDER_AUTHORIZE, "deposit.connector"},
		{PAYMENT_WITHDRAWAL, PROVIDER_PAYOUT, "withdrawal.connector"},
		{PAYMENT_REFUND, PROVIDER_REFUND, "refund.payment_id"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct payment_request wanted = request(rows[i].kind);

		for (int lacks = PROVIDER_NONE; lacks <= PROVIDER_REFUND; lacks++) {
			struct connector_capabilities can = able();
			bool lacking = lacks == (int)rows[i].operation;

			can.operations[lacks] = false;
			expect(&can, &wanted, 100, lacking ? "OPERATION_UNSUPPORTED" : NULL,
			       rows[i].field);
			can.known = false;
			expect(&can, &wanted, 100, NULL, NULL);
		}
	}
}

static void test_currencies(void **state)
{
	struct payment_request wanted = request(PAYMENT_DEPOSIT);
	struct connector_capabilities can = able();

	(void)state;
	expect(&can, &wanted, 0, NULL, NULL);
	can.currency_count = 2;
	memcpy(can.currencies[0], "USD", 4);
	memcpy(can.currencies[1], "GBP", 4);
	expect(&can, &wanted, 0, "CURRENCY_UNSUPPORTED", "currency");
	memcpy(can.currencies[1], "EUR", 4);
	expect(&can, &wanted, 0, NULL, NULL);
	can.currency_count = 1; /* what is behind the end does not count */
	expect(&can, &wanted, 0, "CURRENCY_UNSUPPORTED", "currency");
}

static void test_partial_refunds(void **state)
{
	struct payment_request refund = request(PAYMENT_REFUND);
	struct payment_request payout = request(PAYMENT_WITHDRAWAL);
	struct connector_capabilities can = able();

	(void)state;
	expect(&can, &refund, 101, NULL, NULL);
	can.partial_refunds = false;
	expect(&can, &refund, 101, "AMOUNT_UNSUPPORTED", "amount_minor");
	expect(&can, &refund, 100, NULL, NULL);
	expect(&can, &refund, 99, NULL, NULL); /* too much is for the machine to decline */
	expect(&can, &payout, 101, NULL, NULL);
}

static void test_what_needs_no_connector(void **state)
{
	static const enum payment_kind kinds[] = {PAYMENT_TRANSFER,       PAYMENT_REMOTE_TRANSFER,
						  PAYMENT_WAGER,          PAYMENT_SETTLE,
						  PAYMENT_WAGER_ROLLBACK, PAYMENT_SETTLE_ROLLBACK};
	struct connector_capabilities can = {.known = true};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct payment_request wanted = request(kinds[i]);

		expect(&can, &wanted, 0, NULL, NULL);
	}
}

static void test_same(void **state)
{
	struct connector_capabilities one = able();
	struct connector_capabilities other = able();

	(void)state;
	memcpy(other.currencies[0], "USD", 4);
	assert_true(capabilities_same(&one, &other));
	other.currency_count = 1;
	assert_false(capabilities_same(&one, &other));
	other = able();
	other.operations[PROVIDER_PAYOUT] = false;
	assert_false(capabilities_same(&one, &other));
	other = able();
	other.partial_refunds = false;
	assert_false(capabilities_same(&one, &other));
	other = able();
	other.known = false;
	assert_false(capabilities_same(&one, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operations),
		cmocka_unit_test(test_currencies),
		cmocka_unit_test(test_partial_refunds),
		cmocka_unit_test(test_what_needs_no_connector),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
