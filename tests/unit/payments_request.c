/* What makes a request for a payment valid, which field is named when it is not, and that every
 * field changes its hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/request.h"

#define LEDGER  "0190a0b0-0000-7000-8000-000000000001"
#define ACCOUNT "0190a0b0-0000-7000-8000-000000000002"
#define OTHER   "0190a0b0-0000-7000-8000-000000000003"

static struct payment_draft deposit(void)
{
	return (struct payment_draft){.kind = PAYMENT_DEPOSIT,
				      .idempotency_key = "key-1",
				      .ledger_id = LEDGER,
				      .amount_minor = 1500,
				      .currency = "EUR",
				      .account_id = ACCOUNT,
				      .connector = "simulator",
				      .instrument = "card-1",
				      .reference = "order 7"};
}

static struct payment_draft transfer(void)
{
	struct payment_draft draft = deposit();

	draft.kind = PAYMENT_TRANSFER;
	draft.counter_id = OTHER;
	draft.connector = NULL;
	draft.instrument = NULL;
	return draft;
}

static struct payment_draft wager(void)
{
	struct payment_draft draft = transfer();

	draft.kind = PAYMENT_WAGER;
	draft.round_id = "round-1";
	return draft;
}

static struct payment_draft rollback(void)
{
	struct payment_draft draft = wager();

	draft.kind = PAYMENT_WAGER_ROLLBACK;
	draft.original_key = "wager-1";
	return draft;
}

static struct payment_draft remote(void)
{
	struct payment_draft draft = transfer();

	draft.kind = PAYMENT_REMOTE_TRANSFER;
	draft.remote_ledger_id = OTHER;
	draft.remote_account_id = OTHER;
	return draft;
}

static struct payment_draft with_fee(const char *account, int64_t amount_minor)
{
	struct payment_draft draft = transfer();

	draft.has_fee = true;
	draft.fee_minor = amount_minor;
	draft.fee_account_id = account;
	return draft;
}

static void refused(const struct payment_draft *draft, const char *reason, const char *field)
{
	struct payment_request request;
	struct rt_status status = payment_request_check(draft, &request);

	assert_int_equal(status.code, RT_INVALID_ARGUMENT);
	assert_string_equal(status.field, field);
	assert_string_equal(status.reason, reason);
}

static void good_ones_pass(void **state)
{
	struct payment_draft draft = deposit();
	struct payment_request request;
	struct rt_status status = payment_request_check(&draft, &request);

	(void)state;
	assert_true(rt_is_ok(&status));
	assert_string_equal(request.currency, "EUR");
	assert_string_equal(request.connector, "simulator");
	draft = transfer();
	status = payment_request_check(&draft, &request);
	assert_true(rt_is_ok(&status));
	assert_string_equal(request.connector, "");
	draft.reference = NULL;
	status = payment_request_check(&draft, &request);
	assert_true(rt_is_ok(&status));
}

static void bad_ones_name_the_field(void **state)
{
	char long_text[300];
	struct payment_draft draft = deposit();

	(void)state;
	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
#define BAD(make, change, reason, field)                                                           \
	do {                                                                                       \
		draft = make();                                                                    \
		change;                                                                            \
		refused(&draft, reason, field);                                                    \
	} while (0)
	BAD(deposit, draft.idempotency_key = "", "INVALID_LENGTH", "idempotency_key");
	BAD(deposit, draft.idempotency_key = long_text, "INVALID_LENGTH", "idempotency_key");
	BAD(deposit, draft.idempotency_key = "with space", "INVALID_TEXT", "idempotency_key");
	BAD(deposit, draft.ledger_id = "nonsense", "INVALID_UUID", "ledger_id");
	BAD(deposit, draft.ledger_id = "00000000-0000-0000-0000-000000000000", "INVALID_UUID",
	    "ledger_id");
	BAD(deposit, draft.amount_minor = 0, "INVALID_AMOUNT", "amount_minor");
	BAD(deposit, draft.amount_minor = -1, "INVALID_AMOUNT", "amount_minor");
	BAD(deposit, draft.currency = "XXZ", "INVALID_CURRENCY", "currency");
	BAD(deposit, draft.currency = NULL, "INVALID_CURRENCY", "currency");
	BAD(deposit, draft.reference = long_text, "INVALID_LENGTH", "reference");
	BAD(deposit, draft.reference = "\xff", "INVALID_TEXT", "reference");
	BAD(deposit, draft.kind = 0, "INVALID_FIELD", "kind");
	BAD(deposit, draft.account_id = "", "INVALID_UUID", "deposit.account_id");
	BAD(deposit, draft.connector = "Upper", "INVALID_TEXT", "deposit.connector");
	BAD(deposit, draft.connector = "", "INVALID_LENGTH", "deposit.connector");
	BAD(deposit, draft.instrument = long_text, "INVALID_LENGTH", "deposit.instrument");
	BAD(deposit, draft.kind = PAYMENT_WITHDRAWAL;
	    draft.account_id = "x", "INVALID_UUID", "withdrawal.account_id");
	BAD(transfer, draft.account_id = "x", "INVALID_UUID", "transfer.from_account_id");
	BAD(transfer, draft.counter_id = "x", "INVALID_UUID", "transfer.to_account_id");
	BAD(wager, draft.round_id = "", "INVALID_LENGTH", "wager.round_id");
	BAD(wager, draft.counter_id = ACCOUNT, "INVALID_FIELD", "wager.game_account_id");
	BAD(rollback, draft.original_key = NULL, "INVALID_LENGTH", "rollback.original_key");
	BAD(rollback, draft.has_fee = true, "INVALID_FIELD", "fee");
	BAD(remote, draft.remote_ledger_id = LEDGER, "INVALID_FIELD",
	    "remote_transfer.to_ledger_id");
	BAD(remote, draft.remote_account_id = NULL, "INVALID_UUID",
	    "remote_transfer.to_account_id");
	BAD(transfer, draft.has_fee = true, "INVALID_AMOUNT", "fee.amount_minor");
	BAD(transfer, (draft.has_fee = true, draft.fee_minor = 1), "INVALID_UUID",
	    "fee.account_id");
	BAD(transfer, (draft.has_fee = true, draft.fee_minor = 1, draft.fee_account_id = ACCOUNT),
	    "INVALID_FIELD", "fee.account_id");
	BAD(transfer, draft.counter_id = ACCOUNT, "INVALID_FIELD", "transfer.to_account_id");
#undef BAD
}

static void hash_of(const struct payment_draft *draft, uint8_t hash[RT_DIGEST_BYTES])
{
	struct payment_request request;
	struct rt_status status = payment_request_check(draft, &request);

	assert_true(rt_is_ok(&status));
	payment_request_hash(&request, hash);
}

static void every_field_changes_the_hash(void **state)
{
	struct payment_draft drafts[24];
	uint8_t hashes[24][RT_DIGEST_BYTES];
	size_t count = 0;

	(void)state;
	drafts[count++] = deposit();
#define OTHER_BODY(make, change)                                                                   \
	do {                                                                                       \
		drafts[count] = make();                                                            \
		change;                                                                            \
		count++;                                                                           \
	} while (0)
	OTHER_BODY(deposit, drafts[count].ledger_id = OTHER);
	OTHER_BODY(deposit, drafts[count].amount_minor = 1501);
	OTHER_BODY(deposit, drafts[count].currency = "USD");
	OTHER_BODY(deposit, drafts[count].account_id = OTHER);
	OTHER_BODY(deposit, drafts[count].connector = "simulator-2");
	OTHER_BODY(deposit, drafts[count].instrument = "card-2");
	OTHER_BODY(deposit, drafts[count].reference = "order 8");
	OTHER_BODY(deposit, drafts[count].kind = PAYMENT_WITHDRAWAL);
	OTHER_BODY(transfer, (void)0);
	OTHER_BODY(transfer, drafts[count].counter_id = LEDGER);
	OTHER_BODY(wager, (void)0);
	OTHER_BODY(wager, drafts[count].round_id = "round-2");
	OTHER_BODY(wager, drafts[count].kind = PAYMENT_SETTLE);
	OTHER_BODY(rollback, (void)0);
	OTHER_BODY(rollback, drafts[count].original_key = "wager-2");
	OTHER_BODY(rollback, drafts[count].original_caller = "bert");
	OTHER_BODY(remote, (void)0);
	OTHER_BODY(remote, drafts[count].remote_ledger_id = ACCOUNT);
	OTHER_BODY(remote, drafts[count].remote_account_id = ACCOUNT);
	OTHER_BODY(transfer, drafts[count] = with_fee(OTHER, 1));
	OTHER_BODY(transfer, drafts[count] = with_fee(OTHER, 2));
	OTHER_BODY(transfer, drafts[count] = with_fee(LEDGER, 2));
#undef OTHER_BODY
	assert_true(count <= sizeof(drafts) / sizeof(drafts[0]));
	for (size_t i = 0; i < count; i++) {
		hash_of(&drafts[i], hashes[i]);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(hashes[i], hashes[j], RT_DIGEST_BYTES);
	}
}

static void the_key_and_our_clearing_account_do_not(void **state)
{
	struct payment_draft draft = deposit();
	struct payment_request request;
	uint8_t first[RT_DIGEST_BYTES];
	uint8_t second[RT_DIGEST_BYTES];

	(void)state;
	hash_of(&draft, first);
	draft.idempotency_key = "key-2";
	draft.ledger_id =
		"0190A0B0-0000-7000-8000-000000000001"; /* the same id, written otherwise */
	struct rt_status status = payment_request_check(&draft, &request);

	assert_true(rt_is_ok(&status));
	request.counter_id = request.ledger_id;
	payment_request_hash(&request, second);
	assert_memory_equal(first, second, RT_DIGEST_BYTES);
}

static void assert_hash(const uint8_t hash[RT_DIGEST_BYTES], const char *expected)
{
	char text[2 * RT_DIGEST_BYTES + 1];

	for (size_t i = 0; i < RT_DIGEST_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	assert_string_equal(text, expected);
}

/* They are on record, and compared for ever. */
static void hashes_stay_as_they_are(void **state)
{
	struct payment_draft drafts[] = {deposit(), transfer(), with_fee(OTHER, 1), wager()};
	static const char *const first[] = {
		"c45a8727cc72d00ed6edcc32fd04b86ff861fe550a326fee28fe67e5995c4b73",
		"14104f564e6c051e7c0e351a6506e06099d10b7a344958af1990985940c5d33d", NULL, NULL};
	struct payment_request request;
	uint8_t hash[RT_DIGEST_BYTES];

	(void)state;
	hash_of(&drafts[0], hash);
	assert_hash(hash, "bcd31f2107425e8d8e18bed7384bbfc1dac42950a58bd5a60e82afd7996b7ea7");
	for (size_t i = 0; i < sizeof(drafts) / sizeof(drafts[0]); i++) {
		struct rt_status status = payment_request_check(&drafts[i], &request);

		assert_true(rt_is_ok(&status));
		assert_true(payment_request_hash_first(&request, hash) == (first[i] != NULL));
		if (first[i] != NULL)
			assert_hash(hash, first[i]);
	}
}

static void reasons_from_elsewhere_are_checked(void **state)
{
	char reason[PAYMENT_REASON_BYTES];

	(void)state;
	payment_reason_copy(reason, "CARD_EXPIRED_2", "OTHER");
	assert_string_equal(reason, "CARD_EXPIRED_2");
	payment_reason_copy(reason, "lower case", "OTHER");
	assert_string_equal(reason, "OTHER");
	payment_reason_copy(reason, NULL, "OTHER");
	assert_string_equal(reason, "OTHER");
	payment_reason_copy(reason, "", "");
	assert_string_equal(reason, "");
	payment_reason_copy(reason,
			    "A23456789_123456789_123456789_123456789_123456789_123456789_12345",
			    "OTHER");
	assert_string_equal(reason, "OTHER");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_pass),
		cmocka_unit_test(bad_ones_name_the_field),
		cmocka_unit_test(every_field_changes_the_hash),
		cmocka_unit_test(the_key_and_our_clearing_account_do_not),
		cmocka_unit_test(hashes_stay_as_they_are),
		cmocka_unit_test(reasons_from_elsewhere_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
