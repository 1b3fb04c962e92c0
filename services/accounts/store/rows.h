/* Rows of PostgreSQL into the domain's structures. For the service's store/ alone. */
#pragma once

#include "domain/account.h"
#include "domain/transfer.h"
#include "rt/arena.h"
#include "rt/pg.h"
#include "rt/status.h"

/* RESOURCE_EXHAUSTED: the answer doesn't fit the call's memory. */
struct rt_status rows_too_large(void);

/* Copies a text into the arena. */
struct rt_status rows_text(const struct rt_pg_rows *rows, int row, int column,
			   struct rt_arena *arena, const char **text);
/* The 13 columns from account_id to last_entry, in the order of post_read_accounts.sql, from column
 * 0. Errors of these: INTERNAL BAD_RECORD for what no writer of ours leaves. */
#define ROWS_ACCOUNT_COLUMNS 13
struct rt_status rows_account(const struct rt_pg_rows *rows, int row, struct account *account);
/* The 17 columns from account_id to created, in the order of account_get.sql, from column 0; the
 * ledger is left alone. Texts are copied. */
#define ROWS_RECORD_COLUMNS 17
struct rt_status rows_record(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
			     struct account_record *record);
/* The 24 columns from transfer_id to keep_open, in the order of post_read_transfers.sql, from
 * column 0. Texts are copied. */
#define ROWS_POSTED_COLUMNS 24
struct rt_status rows_posted(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
			     struct posted_transfer *posted);
struct rt_status rows_currency(const struct rt_pg_rows *rows, int row, int column,
			       char currency[CURRENCY_CODE_BYTES]);
struct rt_status rows_side(const struct rt_pg_rows *rows, int row, int column,
			   enum account_side *side);
struct rt_status rows_kind(const struct rt_pg_rows *rows, int row, int column,
			   enum transfer_kind *kind);
struct rt_status rows_status(const struct rt_pg_rows *rows, int row, int column,
			     enum account_status *status);
/* A limit, null for none. */
struct account_limit rows_limit(const struct rt_pg_rows *rows, int row, int column);
/* A column of time that may be null: 0 then. */
int64_t rows_time_or_zero(const struct rt_pg_rows *rows, int row, int column);
/* A column of uuid that may be null: nil then. */
struct rt_uuid rows_uuid_or_nil(const struct rt_pg_rows *rows, int row, int column);
/* Sequence and four totals, from that column on. */
struct account_state rows_state(const struct rt_pg_rows *rows, int row, int column);
/* A hash of 16 bytes. */
struct rt_status rows_hash(const struct rt_pg_rows *rows, int row, int column, uint8_t hash[16]);
