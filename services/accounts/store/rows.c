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

struct rt_status rows_currency(const struct rt_pg_rows *rows, int row, int column, char currency[4])
{
	const char *text = rt_pg_text(rows, row, column);
	if (strlen(text) != 3)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "a currency is wrong");
	memcpy(currency, text, 4);
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
	if (number < TRANSFER_DIRECT || number > TRANSFER_RELEASE)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "a kind of transfer is wrong");
	*kind = (enum transfer_kind)number;
	return rt_ok();
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

static struct account_limit read_limit(const struct rt_pg_rows *rows, int row, int column)
{
	if (rt_pg_is_null(rows, row, column))
		return (struct account_limit){0};
	return (struct account_limit){.set = true, .amount_minor = rt_pg_int(rows, row, column)};
}

struct rt_status rows_account(const struct rt_pg_rows *rows, int row, struct account *account)
{
	*account = (struct account){
		.id = rt_pg_uuid(rows, row, 0),
		.lower = read_limit(rows, row, 3),
		.upper = read_limit(rows, row, 4),
		.state = rows_state(rows, row, 5),
	};
	RT_TRY(rows_currency(rows, row, 1, account->currency));
	return rows_side(rows, row, 2, &account->side);
}

struct rt_status rows_posted(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
			     struct posted_transfer *posted)
{
	*posted = (struct posted_transfer){
		.transfer = {.id = rt_pg_uuid(rows, row, 0),
			     .debit_account_id = rt_pg_uuid(rows, row, 2),
			     .credit_account_id = rt_pg_uuid(rows, row, 3),
			     .amount_minor = rt_pg_int(rows, row, 4),
			     .hold_id = rows_uuid_or_nil(rows, row, 16)},
		.group_id = rt_pg_uuid(rows, row, 1),
		.created_us = rt_pg_time_us(rows, row, 5),
		.debit = {.after = rows_state(rows, row, 6)},
		.credit = {.after = rows_state(rows, row, 11)},
		.position = rt_pg_int(rows, row, 17),
	};
	RT_TRY(rows_kind(rows, row, 18, &posted->transfer.kind));
	RT_TRY(rows_currency(rows, row, 19, posted->transfer.currency));
	return rows_text(rows, row, 20, arena, &posted->transfer.reference);
}
