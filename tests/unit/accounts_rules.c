/* What is refused before anything is decided, and what is opaque: content of groups and accounts,
 * hashes, page tokens, cache entries, the table of ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "domain/account.h"
#include "domain/group.h"
#include "domain/page.h"
#include "domain/uuid_table.h"
#include "store/cache_entry.h"

static struct rt_uuid id(uint32_t number)
{
	struct rt_uuid uuid = {{[0] = 1}};
	memcpy(uuid.bytes + 12, &number, sizeof(number));
	return uuid;
}

static void assert_refused(struct rt_status status, const char *reason, const char *field)
{
	assert_int_equal(status.code, RT_INVALID_ARGUMENT);
	assert_string_equal(status.reason, reason);
	assert_string_equal(status.field, field);
}

static void assert_accepted(struct rt_status status)
{
	if (!rt_is_ok(&status))
		fail_msg("%s %s: %s", status.reason, status.field, status.detail);
}

static struct transfer valid_transfer(uint32_t number)
{
	return (struct transfer){.id = id(number),
				 .debit_account_id = id(1),
				 .credit_account_id = id(2),
				 .amount_minor = 1,
				 .currency = "EUR",
				 .kind = TRANSFER_DIRECT,
				 .reference = ""};
}

static void test_transfer(void **state)
{
	(void)state;
	struct transfer transfer = valid_transfer(10);
	assert_accepted(transfer_check(&transfer));
	transfer.amount_minor = 0;
	assert_refused(transfer_check(&transfer), "INVALID_AMOUNT", "amount_minor");
	transfer.amount_minor = INT64_MIN;
	assert_refused(transfer_check(&transfer), "INVALID_AMOUNT", "amount_minor");
	transfer.kind = TRANSFER_RELEASE;
	transfer.target_id = id(5);
	assert_refused(transfer_check(&transfer), "INVALID_AMOUNT", "amount_minor");
	transfer.amount_minor = 0;
	assert_accepted(transfer_check(&transfer));
	transfer.target_id = (struct rt_uuid){0};
	assert_refused(transfer_check(&transfer), "INVALID_UUID", "release.hold_id");
	transfer.kind = TRANSFER_EXPIRY;
	assert_refused(transfer_check(&transfer), "INVALID_UUID", "release.hold_id");
	transfer.amount_minor = 1;
	transfer.kind = TRANSFER_CAPTURE;
	assert_refused(transfer_check(&transfer), "INVALID_UUID", "capture.hold_id");
	transfer.kind = TRANSFER_REVERSAL;
	assert_refused(transfer_check(&transfer), "INVALID_UUID", "reversal.original_id");
	transfer.target_id = id(5);
	transfer.amount_minor = 0;
	assert_refused(transfer_check(&transfer), "INVALID_AMOUNT", "amount_minor");
	transfer.kind = TRANSFER_BALANCING;
	assert_refused(transfer_check(&transfer), "INVALID_AMOUNT", "amount_minor");
	transfer = valid_transfer(10);
	transfer.credit_account_id = transfer.debit_account_id;
	assert_refused(transfer_check(&transfer), "SAME_ACCOUNT", "credit_account_id");
	transfer = valid_transfer(10);
	memcpy(transfer.currency, "eur", 4);
	assert_refused(transfer_check(&transfer), "INVALID_CURRENCY", "currency");
	memcpy(transfer.currency, "", 1);
	assert_refused(transfer_check(&transfer), "INVALID_CURRENCY", "currency");
	transfer = valid_transfer(10);
	transfer.reference = "a\nb";
	assert_refused(transfer_check(&transfer), "INVALID_TEXT", "reference");
	transfer.kind = (enum transfer_kind)0;
	assert_refused(transfer_check(&transfer), "INVALID_FIELD", "kind");
}

static void test_currency_codes(void **state)
{
	(void)state;
	static const char *const good[] = {"EUR", "ABCDEFGHIJKL", "X12", "BTC", "POINTS2024"};
	static const char *const bad[] = {"",     "EU",   "ABCDEFGHIJKLM", "eur",   "1AB",
					  "EU R", "EUR ", "E-R",           "EUR\n", "\xc3\x89UR"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_accepted(currency_field("currency", good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(currency_field("currency", bad[i]), "INVALID_CURRENCY", "currency");
}

static void test_reference_length(void **state)
{
	(void)state;
	char text[2 * (TRANSFER_REFERENCE_CHARACTERS_MAX + 1) + 1] = "";
	for (size_t i = 0; i < TRANSFER_REFERENCE_CHARACTERS_MAX + 1; i++)
		memcpy(text + 2 * i, "\xc3\xa9", 3);
	struct transfer transfer = valid_transfer(10);
	transfer.reference = text;
	assert_refused(transfer_check(&transfer), "INVALID_LENGTH", "reference");
	text[sizeof(text) - 3] = '\0'; /* the last character goes */
	assert_accepted(transfer_check(&transfer));
}

static void test_group(void **state)
{
	(void)state;
	static struct transfer transfers[GROUP_TRANSFERS_MAX + 1];
	for (uint32_t i = 0; i <= GROUP_TRANSFERS_MAX; i++)
		transfers[i] = valid_transfer(10 + i);
	struct group group = {.transfers = transfers};
	assert_refused(group_check(&group), "GROUP_EMPTY", "transfers");
	group.count = GROUP_TRANSFERS_MAX + 1;
	assert_refused(group_check(&group), "GROUP_TOO_LARGE", "transfers");
	group.count = GROUP_TRANSFERS_MAX;
	assert_accepted(group_check(&group));
	transfers[99].id = transfers[3].id;
	assert_refused(group_check(&group), "DUPLICATE_ID", "transfers[99].transfer_id");
	transfers[2].amount_minor = -1;
	assert_refused(group_check(&group), "INVALID_AMOUNT", "transfers[2].amount_minor");
}

/* Whatever a group asks for is in its hash. */
static void test_group_hash(void **state)
{
	(void)state;
	const struct rt_uuid ledger = id(900), other_ledger = id(901);
	struct transfer variants[14];
	uint8_t hashes[17][GROUP_HASH_BYTES];
	for (size_t i = 0; i < 14; i++)
		variants[i] = valid_transfer(10);
	variants[1].id = id(11);
	variants[2].debit_account_id = id(3);
	variants[3].credit_account_id = id(3);
	variants[4].amount_minor = 2;
	memcpy(variants[5].currency, "USD", 4);
	variants[6].kind = TRANSFER_HOLD;
	variants[7].reference = "r";
	variants[8].kind = TRANSFER_CAPTURE;
	variants[8].target_id = id(5);
	variants[9].kind = TRANSFER_CAPTURE;
	variants[9].target_id = id(6);
	variants[10] = variants[8];
	variants[10].keep_open = true;
	variants[11] = variants[6];
	variants[11].expires_us = 1;
	variants[12] = variants[6];
	variants[12].expires_us = 2;
	variants[13] = variants[8];
	variants[13].kind = TRANSFER_REVERSAL;
	for (size_t i = 0; i < 14; i++) {
		struct group group = {.transfers = &variants[i], .count = 1};
		group_fill_hash(&group, &ledger);
		memcpy(hashes[i], group.hash, GROUP_HASH_BYTES);
	}
	struct group more[3] = {{.transfers = variants, .count = 2},
				{.transfers = variants, .count = 3},
				{.transfers = variants, .count = 1}};
	for (size_t i = 0; i < 3; i++) {
		group_fill_hash(&more[i], i == 2 ? &other_ledger : &ledger);
		memcpy(hashes[14 + i], more[i].hash, GROUP_HASH_BYTES);
	}
	for (size_t i = 0; i < 17; i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(hashes[i], hashes[j], GROUP_HASH_BYTES);
	group_fill_hash(&more[2], &ledger);
	assert_memory_equal(more[2].hash, hashes[0], GROUP_HASH_BYTES);
}

static struct account_record valid_account(void)
{
	return (struct account_record){
		.ledger_id = id(900),
		.owner = "house",
		.label = "",
		.version = 1,
		.created_us = 12345,
		.account = {.id = id(1),
			    .currency = "EUR",
			    .side = ACCOUNT_CREDIT_NORMAL,
			    .status = ACCOUNT_ACTIVE},
	};
}

static struct account_limit limit(int64_t amount_minor)
{
	return (struct account_limit){.set = true, .amount_minor = amount_minor};
}

static void test_new_account(void **state)
{
	(void)state;
	struct account_record record = valid_account();
	assert_accepted(account_check_new(&record));
	record.owner = "";
	assert_refused(account_check_new(&record), "INVALID_LENGTH", "owner");
	record.owner = "\xff";
	assert_refused(account_check_new(&record), "INVALID_TEXT", "owner");
	record = valid_account();
	record.account.side = (enum account_side)0;
	assert_refused(account_check_new(&record), "INVALID_FIELD", "normal_side");
	record = valid_account();
	memcpy(record.account.currency, "eur", 4);
	assert_refused(account_check_new(&record), "INVALID_CURRENCY", "currency");
	record = valid_account();
	record.account.id = (struct rt_uuid){0};
	assert_refused(account_check_new(&record), "INVALID_UUID", "account_id");
}

static void test_contradicting_limits(void **state)
{
	(void)state;
	struct account_record record = valid_account();
	record.account.lower = limit(10);
	record.account.upper = limit(5);
	assert_refused(account_check_new(&record), "LIMITS_CONTRADICT", "upper_limit");
	record.account.upper = limit(20);
	assert_refused(account_check_new(&record), "INVALID_FIELD", "lower_limit");
	record.account.lower = limit(-20);
	record.account.upper = limit(-1);
	assert_refused(account_check_new(&record), "INVALID_FIELD", "upper_limit");
	record.account.lower = limit(INT64_MIN);
	record.account.upper = limit(INT64_MAX);
	assert_accepted(account_check_new(&record));
	record.account.credit_line_minor = 1;
	assert_refused(account_check_new(&record), "INVALID_AMOUNT", "credit_line_minor");
	record.account.lower = limit(-1);
	record.account.credit_line_minor = INT64_MAX;
	assert_accepted(account_check_new(&record));
	record.account.credit_line_minor = -1;
	assert_refused(account_check_new(&record), "INVALID_AMOUNT", "credit_line_minor");
	record.account.credit_line_minor = 0;
	record.account.lower = limit(0);
	record.account.upper = limit(0);
	assert_accepted(account_check_new(&record));
}

static void test_account_hash(void **state)
{
	(void)state;
	struct account_record variants[9];
	uint8_t hashes[9][ACCOUNT_HASH_BYTES];
	for (size_t i = 0; i < 9; i++)
		variants[i] = valid_account();
	variants[1].ledger_id = id(901);
	variants[2].owner = "other";
	variants[3].label = "label";
	variants[4].account.side = ACCOUNT_DEBIT_NORMAL;
	variants[5].account.lower = limit(0);
	variants[6].account.upper = limit(0);
	memcpy(variants[7].account.currency, "USD", 4);
	variants[8].account.credit_line_minor = 1;
	for (size_t i = 0; i < 9; i++)
		account_hash(&variants[i], hashes[i]);
	for (size_t i = 0; i < 9; i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(hashes[i], hashes[j], ACCOUNT_HASH_BYTES);
	/* What it is not created with doesn't count. */
	variants[0].created_us = 1;
	variants[0].version = 7;
	uint8_t again[ACCOUNT_HASH_BYTES];
	account_hash(&variants[0], again);
	assert_memory_equal(again, hashes[0], ACCOUNT_HASH_BYTES);
}

static struct rt_page_seal seal_of(const char *list, const char *filter)
{
	struct rt_digest digest = page_seal_begin(list);
	rt_digest_text(&digest, filter);
	return rt_page_seal_end(&digest);
}

static void test_page_tokens(void **state)
{
	(void)state;
	const struct rt_page_seal seal = seal_of("accounts", "EUR"),
				  other = seal_of("accounts", "USD");
	char token[PAGE_TOKEN_BYTES];
	const struct rt_uuid place = id(77);
	struct rt_uuid found;
	int64_t number, last;
	page_token_from_id(&seal, &place, token);
	assert_int_equal(strlen(token), PAGE_TOKEN_BYTES - 1);
	assert_accepted(page_token_to_id(&seal, token, &found));
	assert_true(rt_uuid_equal(&found, &place));
	assert_refused(page_token_to_id(&other, token, &found), "PAGE_TOKEN_INVALID", "page_token");
	for (size_t i = 0; i < PAGE_TOKEN_BYTES - 1; i++) {
		char changed[PAGE_TOKEN_BYTES];
		memcpy(changed, token, sizeof(changed));
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_refused(page_token_to_id(&seal, changed, &found), "PAGE_TOKEN_INVALID",
			       "page_token");
		changed[i] = '\0';
		if (i > 0)
			assert_refused(page_token_to_id(&seal, changed, &found),
				       "PAGE_TOKEN_INVALID", "page_token");
	}
	assert_refused(page_token_to_id(&seal, "+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/", &found),
		       "PAGE_TOKEN_INVALID", "page_token");
	assert_accepted(page_token_to_id(&seal, "", &found));
	assert_true(rt_uuid_is_nil(&found));
	page_token_from_numbers(&seal, INT64_C(0x0123456789abcdef), INT64_MAX, token);
	assert_accepted(page_token_to_numbers(&seal, token, &number, &last));
	assert_int_equal(number, INT64_C(0x0123456789abcdef));
	assert_true(last == INT64_MAX);
	static const struct {
		int64_t after, last;
	} invented[] = {{0, 5}, {-1, 5}, {6, 5}, {-5, -1}, {INT64_MIN, INT64_MIN}, {0, 0}};
	for (size_t i = 0; i < sizeof(invented) / sizeof(invented[0]); i++) {
		page_token_from_numbers(&seal, invented[i].after, invented[i].last, token);
		assert_refused(page_token_to_numbers(&seal, token, &number, &last),
			       "PAGE_TOKEN_INVALID", "page_token");
	}
}

static void test_page_sizes(void **state)
{
	(void)state;
	size_t size;
	assert_accepted(rt_page_size_check(0, &size));
	assert_int_equal(size, RT_PAGE_SIZE_DEFAULT);
	assert_accepted(rt_page_size_check(RT_PAGE_SIZE_MAX, &size));
	assert_int_equal(size, RT_PAGE_SIZE_MAX);
	assert_refused(rt_page_size_check(RT_PAGE_SIZE_MAX + 1, &size), "INVALID_FIELD",
		       "page_size");
	assert_refused(rt_page_size_check(-1, &size), "INVALID_FIELD", "page_size");
}

static void test_cache_entry(void **state)
{
	(void)state;
	struct account_record record = valid_account(), found;
	char bytes[CACHE_ENTRY_BYTES_MAX + 1];
	struct rt_arena arena;
	rt_arena_init(&arena, 1 << 20);
	record.label = "J\xc3\xbcrgen";
	record.account.lower = limit(INT64_MIN);
	record.version = 9;
	size_t length = cache_entry_write(&record, bytes);
	assert_true(length > 0);
	assert_true(cache_entry_read(bytes, length, &record.ledger_id, &record.account.id, &arena,
				     &found));
	assert_string_equal(found.owner, record.owner);
	assert_string_equal(found.label, record.label);
	assert_string_equal(found.account.currency, "EUR");
	assert_true(found.account.lower.set);
	assert_int_equal(found.account.lower.amount_minor, INT64_MIN);
	assert_false(found.account.upper.set);
	assert_int_equal(found.version, 9);
	assert_int_equal(found.created_us, record.created_us);
	/* Of another account; cut anywhere; with any byte changed; with more at its end. */
	const struct rt_uuid other = id(2);
	assert_false(cache_entry_read(bytes, length, &record.ledger_id, &other, &arena, &found));
	assert_false(cache_entry_read(bytes, length, &other, &record.account.id, &arena, &found));
	for (size_t i = 0; i < length; i++) {
		assert_false(cache_entry_read(bytes, i, &record.ledger_id, &record.account.id,
					      &arena, &found));
		bytes[i] ^= 0x10;
		assert_false(cache_entry_read(bytes, length, &record.ledger_id, &record.account.id,
					      &arena, &found));
		bytes[i] ^= 0x10;
	}
	bytes[length] = 0;
	assert_false(cache_entry_read(bytes, length + 1, &record.ledger_id, &record.account.id,
				      &arena, &found));
	rt_arena_deinit(&arena);
}

static void test_largest_cache_entry(void **state)
{
	(void)state;
	struct account_record record = valid_account(), found;
	char bytes[CACHE_ENTRY_BYTES_MAX], text[4 * ACCOUNT_TEXT_CHARACTERS_MAX + 1];
	struct rt_arena arena;
	rt_arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < ACCOUNT_TEXT_CHARACTERS_MAX; i++)
		memcpy(text + 4 * i, "\xf0\x9f\x92\xb6", 5);
	record.owner = text;
	record.label = text;
	assert_accepted(account_check_new(&record));
	size_t length = cache_entry_write(&record, bytes);
	assert_true(length > 0);
	assert_true(cache_entry_read(bytes, length, &record.ledger_id, &record.account.id, &arena,
				     &found));
	assert_string_equal(found.label, text);
	rt_arena_deinit(&arena);
}

static void test_uuid_table(void **state)
{
	(void)state;
	enum { MOST = 5000 };
	static int values[MOST];
	struct uuid_table table;
	struct rt_arena arena;
	rt_arena_init(&arena, 16 << 20);
	assert_true(uuid_table_init(&table, &arena, MOST));
	for (uint32_t i = 0; i < MOST; i++) {
		const struct rt_uuid key = id(i);
		assert_null(uuid_table_get(&table, &key));
		assert_ptr_equal(uuid_table_put(&table, &key, &values[i]), &values[i]);
		assert_ptr_equal(uuid_table_put(&table, &key, &values[0]), &values[i]);
	}
	for (uint32_t i = 0; i < MOST; i++) {
		const struct rt_uuid key = id(i), absent = id(i + MOST);
		assert_ptr_equal(uuid_table_get(&table, &key), &values[i]);
		assert_null(uuid_table_get(&table, &absent));
	}
	assert_int_equal(table.count, MOST);
	rt_arena_deinit(&arena);
}

static void test_decline_names(void **state)
{
	(void)state;
	enum decline_reason reason;
	size_t count = 0;
#define CHECK_NAME(name, about)                                                                    \
	assert_true(decline_parse(#name, &reason));                                                \
	assert_int_equal(reason, DECLINE_##name);                                                  \
	assert_string_equal(decline_name(reason), #name);                                          \
	count++;
	DECLINE_REASONS(CHECK_NAME)
#undef CHECK_NAME
	assert_int_equal(count, 18);
	assert_false(decline_parse("NONE", &reason));
	assert_false(decline_parse("", &reason));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transfer),
		cmocka_unit_test(test_currency_codes),
		cmocka_unit_test(test_reference_length),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_group_hash),
		cmocka_unit_test(test_new_account),
		cmocka_unit_test(test_contradicting_limits),
		cmocka_unit_test(test_account_hash),
		cmocka_unit_test(test_page_tokens),
		cmocka_unit_test(test_page_sizes),
		cmocka_unit_test(test_cache_entry),
		cmocka_unit_test(test_largest_cache_entry),
		cmocka_unit_test(test_uuid_table),
		cmocka_unit_test(test_decline_names),
	};
	return cmocka_run_group_tests_name("accounts_rules", tests, NULL, NULL);
}
