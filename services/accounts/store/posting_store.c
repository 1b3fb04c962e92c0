#include "store/posting_store.h"

#include <string.h>

#include "accounts.sql.h"
#include "store/ledger_store.h"
#include "store/posting_columns.h"
#include "store/rows.h"

static const struct rt_pg_statement lock_ledger = {"post_lock_ledger", accounts_post_lock_ledger};
static const struct rt_pg_statement read_accounts = {"post_read_accounts",
						     accounts_post_read_accounts};
static const struct rt_pg_statement read_transfers = {"post_read_transfers",
						      accounts_post_read_transfers};
static const struct rt_pg_statement read_declines = {"post_read_declines",
						     accounts_post_read_declines};
static const struct rt_pg_statement read_holds = {"post_read_holds", accounts_post_read_holds};
static const struct rt_pg_statement insert_transfers = {"post_insert_transfers",
							accounts_post_insert_transfers};
static const struct rt_pg_statement insert_declines = {"post_insert_declines",
						       accounts_post_insert_declines};
static const struct rt_pg_statement insert_holds = {"post_insert_holds",
						    accounts_post_insert_holds};
static const struct rt_pg_statement update_holds = {"post_update_holds",
						    accounts_post_update_holds};
static const struct rt_pg_statement read_originals = {"post_read_originals",
						      accounts_post_read_originals};
static const struct rt_pg_statement put_reversed = {"post_put_reversed",
						    accounts_post_put_reversed};
static const struct rt_pg_statement update_accounts = {"post_update_accounts",
						       accounts_post_update_accounts};

/* The constraint that post_update_accounts.sql breaks when it misses an account. */
#define NONE_MISSED "accounts_none_missed"

/* What the first round trip brings, after the ledger unless that is locked already; holds and
 * originals are asked for only when some are named, in this order. */
enum { ACCOUNTS, TRANSFERS, DECLINES, ALWAYS, READS_MAX = ALWAYS + 2 };

struct reads {
	struct rt_pg_rows rows[1 + READS_MAX];
};

static void reads_deinit(struct reads *reads)
{
	for (size_t i = 0; i < 1 + READS_MAX; i++)
		rt_pg_rows_deinit(&reads->rows[i]);
}

static struct rt_status send_ids(struct rt_pg *pg, const struct rt_pg_statement *statement,
				 const struct rt_uuid *ledger_id, const struct rt_uuid *ids,
				 size_t count, struct rt_arena *arena)
{
	struct rt_pg_params params;
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, ledger_id);
	if (ids != NULL)
		rt_pg_add_uuid_array(&params, ids, NULL, count);
	return rt_pg_send(pg, statement, &params);
}

static struct rt_status send_lock(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				  int64_t deadline_us, struct rt_arena *arena)
{
	RT_TRY(rt_pg_send_begin(pg, deadline_us));
	return send_ids(pg, &lock_ledger, ledger_id, NULL, 0, arena);
}

static struct rt_status take_lock(const struct rt_pg_rows *rows, int64_t *locked_us)
{
	if (rows->count == 0)
		return ledger_store_not_found();
	*locked_us = rt_pg_time_us(rows, 0, 0);
	return rt_ok();
}

struct rt_status posting_store_lock(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				    int64_t deadline_us, struct rt_arena *arena, int64_t *locked_us)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	RT_TRY(send_lock(pg, ledger_id, deadline_us, arena));
	RT_TRY(rt_pg_receive(pg, &rows, 1));
	return take_lock(&rows, locked_us);
}

static struct rt_status send_reads(struct rt_pg *pg, const struct posting_wanted *wanted,
				   struct rt_arena *arena)
{
	const struct rt_uuid *ledger_id = &wanted->ledger_id;
	RT_TRY(send_ids(pg, &read_accounts, ledger_id, wanted->accounts, wanted->account_count,
			arena));
	RT_TRY(send_ids(pg, &read_transfers, ledger_id, wanted->transfers, wanted->transfer_count,
			arena));
	RT_TRY(send_ids(pg, &read_declines, ledger_id, wanted->transfers, wanted->transfer_count,
			arena));
	if (wanted->hold_count > 0)
		RT_TRY(send_ids(pg, &read_holds, ledger_id, wanted->holds, wanted->hold_count,
				arena));
	if (wanted->original_count > 0)
		RT_TRY(send_ids(pg, &read_originals, ledger_id, wanted->originals,
				wanted->original_count, arena));
	return rt_ok();
}

static struct rt_status take_accounts(const struct rt_pg_rows *rows, struct book *book)
{
	for (int row = 0; row < rows->count; row++) {
		struct account account;
		RT_TRY(rows_account(rows, row, &account));
		account.place = rt_pg_place(rows, row, ROWS_ACCOUNT_COLUMNS);
		RT_TRY(book_add_account(book, &account));
	}
	return rt_ok();
}

static struct rt_status take_transfers(const struct rt_pg_rows *rows, struct book *book)
{
	for (int row = 0; row < rows->count; row++) {
		struct posted_transfer posted;
		RT_TRY(rows_posted(rows, row, book->arena, &posted));
		struct rt_uuid hash = rt_pg_uuid(rows, row, ROWS_POSTED_COLUMNS + 1);
		int64_t count = rt_pg_int(rows, row, ROWS_POSTED_COLUMNS);
		RT_TRY(book_add_posted(book, &posted, hash.bytes, count < 0 ? 0 : (size_t)count));
	}
	return rt_ok();
}

static struct rt_status take_side(const struct rt_pg_rows *rows, int row, int column,
				  enum decline_side *side)
{
	*side = DECLINE_SIDE_NONE;
	if (rt_pg_is_null(rows, row, column))
		return rt_ok();
	int64_t number = rt_pg_int(rows, row, column);
	if (number != DECLINE_SIDE_DEBIT && number != DECLINE_SIDE_CREDIT)
		return RT_FAIL(INTERNAL, "BAD_RECORD", "a decline's side is wrong");
	*side = (enum decline_side)number;
	return rt_ok();
}

static struct rt_status take_declines(const struct rt_pg_rows *rows, struct book *book)
{
	for (int row = 0; row < rows->count; row++) {
		struct declined_transfer declined = {
			.transfer_id = rt_pg_uuid(rows, row, 0),
			.group_id = rt_pg_uuid(rows, row, 1),
			.cause_id = rt_pg_uuid(rows, row, 2),
			.created_us = rt_pg_time_us(rows, row, 3),
		};
		if (!decline_parse(rt_pg_text(rows, row, 4), &declined.reason))
			return RT_FAIL(INTERNAL, "BAD_RECORD", "a decline's reason is wrong");
		RT_TRY(rows_hash(rows, row, 5, declined.hash));
		RT_TRY(take_side(rows, row, 6, &declined.cause_side));
		RT_TRY(book_add_declined(book, &declined));
	}
	return rt_ok();
}

static struct rt_status take_holds(const struct rt_pg_rows *rows, struct book *book)
{
	for (int row = 0; row < rows->count; row++) {
		struct hold hold = {
			.id = rt_pg_uuid(rows, row, 0),
			.debit_account_id = rt_pg_uuid(rows, row, 1),
			.credit_account_id = rt_pg_uuid(rows, row, 2),
			.amount_minor = rt_pg_int(rows, row, 3),
			.captured_minor = rt_pg_int(rows, row, 4),
			.expires_us = rows_time_or_zero(rows, row, 6),
		};
		int64_t state = rt_pg_int(rows, row, 5);
		if (state < HOLD_PENDING || state > HOLD_EXPIRED ||
		    hold.captured_minor > hold.amount_minor)
			return RT_FAIL(INTERNAL, "BAD_RECORD", "a hold is wrong");
		hold.state = (enum hold_state)state;
		RT_TRY(book_add_hold(book, &hold));
	}
	return rt_ok();
}

static struct rt_status take_originals(const struct rt_pg_rows *rows, struct book *book)
{
	for (int row = 0; row < rows->count; row++) {
		struct original original = {
			.id = rt_pg_uuid(rows, row, 0),
			.debit_account_id = rt_pg_uuid(rows, row, 1),
			.credit_account_id = rt_pg_uuid(rows, row, 2),
			.moved_minor = rt_pg_int(rows, row, 3),
			.reversed_minor = rt_pg_int(rows, row, 5),
		};
		RT_TRY(rows_kind(rows, row, 4, &original.kind));
		if (original.reversed_minor < 0 || original.reversed_minor > original.moved_minor)
			return RT_FAIL(INTERNAL, "BAD_RECORD",
				       "more of a transfer was reversed than it moved");
		RT_TRY(book_add_original(book, &original));
	}
	return rt_ok();
}

struct rt_status posting_store_read(struct rt_pg *pg, const struct posting_wanted *wanted,
				    int64_t deadline_us, struct book *book, int64_t *locked_us)
{
	CLEANUP(reads_deinit) struct reads reads = {0};
	size_t lock = rt_pg_is_open(pg) ? 0 : 1;
	size_t holds = wanted->hold_count > 0, originals = wanted->original_count > 0;
	if (lock > 0)
		RT_TRY(send_lock(pg, &wanted->ledger_id, deadline_us, book->arena));
	RT_TRY(send_reads(pg, wanted, book->arena));
	RT_TRY(rt_pg_receive(pg, reads.rows, lock + ALWAYS + holds + originals));
	if (lock > 0)
		RT_TRY(take_lock(&reads.rows[0], locked_us));
	const struct rt_pg_rows *rows = &reads.rows[lock];
	RT_TRY(take_accounts(&rows[ACCOUNTS], book));
	RT_TRY(take_transfers(&rows[TRANSFERS], book));
	RT_TRY(take_declines(&rows[DECLINES], book));
	if (holds > 0)
		RT_TRY(take_holds(&rows[ALWAYS], book));
	return originals > 0 ? take_originals(&rows[ALWAYS + holds], book) : rt_ok();
}

/* The transfers of the largest batches go in several statements, each of which has its parameters
 * sent before those of the next are made: together they would take more memory than all else. */
enum { INSERTS_MAX = 16, INSERT_ROWS_MIN = 1000 };

/* What the second round trip brings: how many rows each statement touched, and how many it had to.
 */
enum { WRITES_MAX = INSERTS_MAX + 5 };

struct writes {
	struct rt_pg_rows rows[WRITES_MAX];
	size_t expected[WRITES_MAX];
	size_t count;
};

static void writes_deinit(struct writes *writes)
{
	for (size_t i = 0; i < writes->count; i++)
		rt_pg_rows_deinit(&writes->rows[i]);
}

/* A statement's parameters have memory of their own, until they are sent. */
static void params_begin(struct rt_pg_params *params, struct rt_arena *scratch,
			 const struct rt_uuid *ledger_id, const struct book *book)
{
	rt_arena_init(scratch, book->arena->limit_bytes);
	rt_pg_params_init(params, scratch);
	rt_pg_add_uuid(params, ledger_id);
}

/* Where a statement's parameters come from, and for how many rows. */
struct write {
	const struct rt_pg_statement *statement;
	void (*add)(struct rt_pg_params *params, const struct book *book);
	size_t rows;
};

static struct rt_status send_write(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				   const struct book *book, const struct write *write,
				   struct writes *writes)
{
	if (write->rows == 0)
		return rt_ok();
	CLEANUP(rt_arena_deinit) struct rt_arena scratch;
	struct rt_pg_params params;
	params_begin(&params, &scratch, ledger_id, book);
	write->add(&params, book);
	writes->expected[writes->count++] = write->rows;
	return rt_pg_send(pg, write->statement, &params);
}

static struct rt_status send_insert(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				    const struct book *book, struct posted_place *place,
				    size_t rows)
{
	CLEANUP(rt_arena_deinit) struct rt_arena scratch;
	struct rt_pg_params params;
	params_begin(&params, &scratch, ledger_id, book);
	posting_columns_transfers(&params, book, place, rows);
	return rt_pg_send(pg, &insert_transfers, &params);
}

static struct rt_status send_inserts(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				     const struct book *book, struct writes *writes)
{
	size_t left = book->counts.posted_transfers;
	size_t rows_max = (left + INSERTS_MAX - 1) / INSERTS_MAX;
	if (rows_max < INSERT_ROWS_MIN)
		rows_max = INSERT_ROWS_MIN;
	struct posted_place place = {book->first_new, 0};
	while (left > 0) {
		size_t rows = left < rows_max ? left : rows_max;
		writes->expected[writes->count++] = rows;
		RT_TRY(send_insert(pg, ledger_id, book, &place, rows));
		left -= rows;
	}
	return rt_ok();
}

static struct rt_status send_writes(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				    const struct book *book, struct writes *writes)
{
	const struct book_counts *counts = &book->counts;
	const struct write others[] = {
		{&insert_declines, posting_columns_declines, counts->declined_transfers},
		{&insert_holds, posting_columns_new_holds, counts->holds_new},
		{&update_holds, posting_columns_changed_holds, counts->holds_changed},
		{&put_reversed, posting_columns_reversed, counts->originals_changed},
		/* One row, of which PostgreSQL says that no account was missed. */
		{&update_accounts, posting_columns_accounts, counts->accounts_changed > 0},
	};
	RT_TRY(send_inserts(pg, ledger_id, book, writes));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		RT_TRY(send_write(pg, ledger_id, book, &others[i], writes));
	return rt_pg_send_commit(pg);
}

/* Ids of transfers are looked up before they are written; whatever else is there already, an
 * entry's number or a hold, will be there at the next attempt too. */
static bool is_found_again(const char *constraint)
{
	return strcmp(constraint, "transfers_pkey") == 0 ||
	       strcmp(constraint, "declines_pkey") == 0;
}

/* A constraint that refuses what was decided is a defect of ours, not a caller's, and lasts: the
 * batch is halved until it is alone, and stops nobody else. An id that another process wrote
 * meanwhile is found when the batch is tried again, and so is what somebody did to an account by
 * hand. */
static struct rt_status explain(struct rt_status status)
{
	if (status.code == RT_FAILED_PRECONDITION && strcmp(status.field, NONE_MISSED) == 0)
		return RT_FAIL(ABORTED, "CONFLICT", "an account is not as it was read");
	if (status.code == RT_ALREADY_EXISTS && is_found_again(status.field))
		return RT_FAIL(ABORTED, "CONFLICT", "an id was written meanwhile (%s)",
			       status.field);
	if (status.code == RT_FAILED_PRECONDITION || status.code == RT_ALREADY_EXISTS)
		return RT_FAIL(INTERNAL, "INVARIANT_BROKEN", "constraint %s refused a posting",
			       status.field);
	return status;
}

struct rt_status posting_store_write(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				     const struct book *book)
{
	CLEANUP(writes_deinit) struct writes writes = {0};
	RT_TRY(send_writes(pg, ledger_id, book, &writes));
	RT_TRY(explain(rt_pg_receive(pg, writes.rows, writes.count)));
	for (size_t i = 0; i < writes.count; i++)
		if (rt_pg_affected(&writes.rows[i]) != (int64_t)writes.expected[i])
			return RT_FAIL(INTERNAL, "INVARIANT_BROKEN",
				       "a statement of a batch missed rows");
	return rt_ok();
}
