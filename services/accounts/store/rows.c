#include "store/rows.h"

#include <string.h>

struct rt_status rows_too_large(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "ANSWER_TOO_LARGE",
		       "the answer is too large; ask for smaller pages");
}

struct rt_status rows_text(const struct rt_pg_rows *rows, int row, int column,
			   struct rt_arena *arena, const char **text)
{
	*text = rt_arena_strdup(arena, rt_pg_text(rows, row, column));
	return *text == NULL ? rows_too_large() : rt_ok();
}

struct rt_status rows_currency(const struct rt_pg_rows *rows, int row, int column,
			       char currency[CURRENCY_CODE_BYTES])
{
	const char *text = rt_pg_text(rows, row, column);
	size_t length = strlen(text);
	if (length >= CURRENCY_CODE_BYTES)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "a currency is wrong");
	memset(currency, 0, CURRENCY_CODE_BYTES);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): cleared above */
	memcpy(currency, text, length);
	return rt_ok();
}

struct rt_status rows_side(const struct rt_pg_rows *rows, int row, int column,
			   enum account_side *side)
{
	int64_t number = rt_pg_int(rows, row, column);
	if (number != ACCOUNT_DEBIT_NORMAL && number != ACCOUNT_CREDIT_NORMAL)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "a normal side is wrong");
	*side = (enum account_side)number;
	return rt_ok();
}

struct rt_status rows_kind(const struct rt_pg_rows *rows, int row, int column,
			   enum transfer_kind *kind)
{
	int64_t number = rt_pg_int(rows, row, column);
	if (number < TRANSFER_DIRECT || number > TRANSFER_EXPIRY)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "a kind of transfer is wrong");
	*kind = (enum transfer_kind)number;
	return rt_ok();
}

struct rt_status rows_status(const struct rt_pg_rows *rows, int row, int column,
			     enum account_status *status)
{
	int64_t number = rt_pg_int(rows, row, column);
	if (number < ACCOUNT_ACTIVE || number > ACCOUNT_CLOSED)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "an account's status is wrong");
	*status = (enum account_status)number;
	return rt_ok();
}

int64_t rows_time_or_zero(const struct rt_pg_rows *rows, int row, int column)
{
	return rt_pg_is_null(rows, row, column) ? 0 : rt_pg_time_us(rows, row, column);
}

struct rt_uuid rows_uuid_or_nil(const struct rt_pg_rows *rows, int row, int column)
{
	if (rt_pg_is_null(rows, row, column))
		return (struct rt_uuid){0};
	return rt_pg_uuid(rows, row, column);
}

struct account_state rows_state(const struct rt_pg_rows *rows, int row, int column)
{
	return (struct account_state){
		.sequence = rt_pg_int(rows, row, column),
		.totals = {.debits_posted_minor = rt_pg_int(rows, row, column + 1),
			   .credits_posted_minor = rt_pg_int(rows, row, column + 2),
			   .debits_pending_minor = rt_pg_int(rows, row, column + 3),
			   .credits_pending_minor = rt_pg_int(rows, row, column + 4)},
	};
}

struct rt_status rows_hash(const struct rt_pg_rows *rows, int row, int column, uint8_t hash[16])
{
	size_t length;
	const uint8_t *bytes = rt_pg_bytes(rows, row, column, &length);
	if (bytes == NULL || length != 16)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "a hash is wrong");
	memcpy(hash, bytes, 16);
	return rt_ok();
}

struct account_limit rows_limit(const struct rt_pg_rows *rows, int row, int column)
{
	if (rt_pg_is_null(rows, row, column))
		return (struct account_limit){0};
	return (struct account_limit){.set = true, .amount_minor = rt_pg_int(rows, row, column)};
}

struct rt_status rows_account(const struct rt_pg_rows *rows, int row, struct account *account)
{
	*account = (struct account){
		.id = rt_pg_uuid(rows, row, 0),
		.lower = rows_limit(rows, row, 3),
		.upper = rows_limit(rows, row, 4),
		.state = rows_state(rows, row, 5),
		.credit_line_minor = rt_pg_int(rows, row, 11),
		.last_entry_us = rows_time_or_zero(rows, row, 12),
	};
	RT_TRY(rows_currency(rows, row, 1, account->currency));
	RT_TRY(rows_status(rows, row, 10, &account->status));
	return rows_side(rows, row, 2, &account->side);
}

struct rt_status rows_record(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
			     struct account_record *record)
{
	RT_TRY(rows_account(rows, row, &record->account));
	RT_TRY(rows_text(rows, row, ROWS_ACCOUNT_COLUMNS, arena, &record->owner));
	RT_TRY(rows_text(rows, row, ROWS_ACCOUNT_COLUMNS + 1, arena, &record->label));
	record->version = rt_pg_int(rows, row, ROWS_ACCOUNT_COLUMNS + 2);
	record->created_us = rt_pg_time_us(rows, row, ROWS_ACCOUNT_COLUMNS + 3);
	return rt_ok();
}

struct rt_status rows_posted(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
			     struct posted_transfer *posted)
{
	*posted = (struct posted_transfer){
		.transfer = {.id = rt_pg_uuid(rows, row, 0),
			     .debit_account_id = rt_pg_uuid(rows, row, 2),
			     .credit_account_id = rt_pg_uuid(rows, row, 3),
			     .amount_minor = rt_pg_int(rows, row, 4),
			     .target_id = rows_uuid_or_nil(rows, row, 16),
			     .expires_us = rows_time_or_zero(rows, row, 22),
			     .keep_open = rt_pg_bool(rows, row, 23)},
		.group_id = rt_pg_uuid(rows, row, 1),
		.created_us = rt_pg_time_us(rows, row, 5),
		.debit = {.after = rows_state(rows, row, 6)},
		.credit = {.after = rows_state(rows, row, 11)},
		.position = rt_pg_int(rows, row, 17),
		.moved_minor = rt_pg_int(rows, row, 21),
	};
	RT_TRY(rows_kind(rows, row, 18, &posted->transfer.kind));
	RT_TRY(rows_currency(rows, row, 19, posted->transfer.currency));
	return rows_text(rows, row, 20, arena, &posted->transfer.reference);
}
