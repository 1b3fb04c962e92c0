#include "store/books.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt/assert.h"
#include "simulator.sql.h"

#define BUSY_MS_MAX    5000
#define SCHEMA_NUMBER  2
#define PATH_BYTES_MAX 4096

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	FIND,
	LIST,
	INSERT,
	END,
	REFUNDS_SUM,
	COUNT_TRY,
	SETTLE,
	NOTIFY,
	NOTIFICATIONS_DUE,
	POSTPONE,
	DELIVERED,
	REMOVE,
	NEXT_DUE,
	TOTALS,
	WAITING,
	STATEMENT_COUNT
};

static const char *const sql[] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[FIND] = simulator_operation_find,
	[LIST] = simulator_operation_list,
	[INSERT] = simulator_operation_insert,
	[END] = simulator_operation_end,
	[REFUNDS_SUM] = simulator_refunds_sum,
	[COUNT_TRY] = simulator_try_count,
	[SETTLE] = simulator_operation_settle,
	[NOTIFY] = simulator_notification_insert,
	[NOTIFICATIONS_DUE] = simulator_notification_due,
	[POSTPONE] = simulator_notification_postpone,
	[DELIVERED] = simulator_notification_delivered,
	[REMOVE] = simulator_notification_remove,
	[NEXT_DUE] = simulator_next_due,
	[TOTALS] = simulator_totals,
	[WAITING] = "SELECT count(*) FROM notifications",
};

struct books {
	sqlite3 *database;
	sqlite3_stmt *statements[STATEMENT_COUNT]; /* each prepared when first used */
};

static struct rt_status failure(int result)
{
	return RT_FAIL(UNAVAILABLE, "BOOKS_UNAVAILABLE", "the simulator's books: %s",
		       sqlite3_errstr(result));
}

static struct rt_status script(struct books *books, const char *text)
{
	int result = sqlite3_exec(books->database, text, NULL, NULL, NULL);
	return result == SQLITE_OK ? rt_ok() : failure(result);
}

static void number_column(sqlite3_stmt *statement, int column, int64_t *number)
{
	*number = sqlite3_column_int64(statement, column);
}

/* The statement's one number, for settings of the database. */
static struct rt_status ask_number(struct books *books, const char *text, int64_t *number)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(books->database, text, -1, &statement, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		number_column(statement, 0, number);
	sqlite3_finalize(statement);
	return result == SQLITE_ROW ? rt_ok() : failure(result);
}

/* Every commit is on the disk before it returns: FULL in WAL mode waits for it. */
static struct rt_status set_up(struct books *books, bool look_only)
{
	int64_t schema = 0;

	sqlite3_busy_timeout(books->database, BUSY_MS_MAX);
	RT_TRY(ask_number(books, "PRAGMA user_version", &schema));
	if (schema > SCHEMA_NUMBER || (look_only && schema != SCHEMA_NUMBER))
		return RT_FAIL(FAILED_PRECONDITION, "BOOKS_UNKNOWN",
			       "the books are of another version");
	if (look_only)
		return rt_ok();
	RT_TRY(script(books, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
	RT_TRY(script(books, "BEGIN IMMEDIATE"));
	if (schema == 1)
		RT_TRY(script(books, simulator_upgrade_2_begin));
	RT_TRY(script(books, simulator_schema));
	if (schema == 1)
		RT_TRY(script(books, simulator_upgrade_2_end));
	RT_TRY(script(books, "PRAGMA user_version = 2; COMMIT"));
	return script(books, "PRAGMA foreign_keys = ON");
}

struct rt_status books_open(const char *state_dir, bool look_only, struct books **result)
{
	int flags =
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (look_only ? 0 : SQLITE_OPEN_CREATE);
	struct books *books = calloc(1, sizeof(*books));
	char path[PATH_BYTES_MAX];
	struct rt_status status;
	int opened;

	RT_ASSERT(books != NULL);
	_Static_assert(sizeof(sql) / sizeof(sql[0]) == STATEMENT_COUNT,
		       "each statement has its text");
	snprintf(path, sizeof(path), "%s/books.sqlite3", state_dir);
	opened = sqlite3_open_v2(path, &books->database, flags, NULL);
	status = opened == SQLITE_OK ? set_up(books, look_only) : failure(opened);
	if (rt_is_ok(&status))
		*result = books;
	else
		books_close(books);
	return status;
}

void books_close(struct books *books)
{
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(books->statements[i]);
	sqlite3_close(books->database);
	free(books);
}

static int bind_next(sqlite3_stmt *statement, int index, char type, va_list *values)
{
	if (type == 'i')
		return sqlite3_bind_int64(statement, index, va_arg(*values, int64_t));
	if (type == 'n') {
		(void)va_arg(*values, int64_t);
		return sqlite3_bind_null(statement, index);
	}
	RT_ASSERT(type == 't');
	return sqlite3_bind_text(statement, index, va_arg(*values, const char *), -1,
				 SQLITE_STATIC);
}

/* Prepares when needed, and binds: i is an int64_t, t a text that outlives the statement's run, n
 * an int64_t that is left out as null. */
static struct rt_status start(struct books *books, enum statement which, const char *types,
			      va_list *values)
{
	sqlite3_stmt **statement = &books->statements[which];
	int result = SQLITE_OK;

	if (*statement == NULL)
		result = sqlite3_prepare_v3(books->database, sql[which], -1,
					    SQLITE_PREPARE_PERSISTENT, statement, NULL);
	for (int i = 0; result == SQLITE_OK && types[i] != '\0'; i++)
		result = bind_next(*statement, i + 1, types[i], values);
	return result == SQLITE_OK ? rt_ok() : failure(result);
}

/* Ends a statement's run; a statement that is left in the middle would hold the transaction open.
 */
static void finish(struct books *books, enum statement which)
{
	sqlite3_stmt *statement = books->statements[which];

	if (statement != NULL) {
		sqlite3_reset(statement);
		sqlite3_clear_bindings(statement);
	}
}

/* Starts a statement that answers with rows, to be read by step_row. */
static struct rt_status query(struct books *books, enum statement which, const char *types, ...)
{
	va_list values;
	struct rt_status status;

	va_start(values, types);
	status = start(books, which, types, &values);
	va_end(values);
	if (!rt_is_ok(&status))
		finish(books, which);
	return status;
}

/* The next row, or NULL after the last one, when the statement is finished. */
static struct rt_status step_row(struct books *books, enum statement which, sqlite3_stmt **row)
{
	int result = sqlite3_step(books->statements[which]);

	*row = result == SQLITE_ROW ? books->statements[which] : NULL;
	if (*row != NULL)
		return rt_ok();
	finish(books, which);
	return result == SQLITE_DONE ? rt_ok() : failure(result);
}

/* Runs a statement that answers with nothing. */
static struct rt_status run(struct books *books, enum statement which, const char *types, ...)
{
	va_list values;
	struct rt_status status;
	int result = SQLITE_DONE;

	va_start(values, types);
	status = start(books, which, types, &values);
	va_end(values);
	if (rt_is_ok(&status))
		result = sqlite3_step(books->statements[which]);
	finish(books, which);
	return result == SQLITE_DONE ? status : failure(result);
}

struct rt_status books_begin(struct books *books)
{
	return run(books, BEGIN, "");
}

struct rt_status books_commit(struct books *books)
{
	return run(books, COMMIT, "");
}

void books_rollback(struct books *books)
{
	if (sqlite3_get_autocommit(books->database) == 0) {
		struct rt_status ignored = run(books, ROLLBACK, "");
		(void)ignored; /* SQLite has rolled back by itself then */
	}
}

static char *text_column(sqlite3_stmt *row, int column, struct rt_arena *arena)
{
	const char *text = (const char *)sqlite3_column_text(row, column);
	return rt_arena_strdup(arena, text == NULL ? "" : text);
}

/* The columns of operation_find.sql and operation_list.sql. */
static struct rt_status read_operation(sqlite3_stmt *row, struct rt_arena *arena,
				       struct operation *operation)
{
	*operation = (struct operation){
		.arrival = sqlite3_column_int64(row, 0),
		.order =
			{
				.reference = text_column(row, 1, arena),
				.kind = (enum operation_kind)sqlite3_column_int(row, 2),
				.amount_minor = sqlite3_column_int64(row, 3),
				.currency = text_column(row, 4, arena),
				.instrument = text_column(row, 5, arena),
			},
		.status = (enum operation_status)sqlite3_column_int(row, 6),
		.final_status = (enum operation_status)sqlite3_column_int(row, 7),
		.decline_reason = text_column(row, 8, arena),
		.provider_reference = text_column(row, 9, arena),
		.created_wall_us = sqlite3_column_int64(row, 10),
		.updated_wall_us = sqlite3_column_int64(row, 11),
		.final_due_wall_us = sqlite3_column_int64(row, 12),
	};
	operation->order.original = text_column(row, 13, arena);
	if (arena->overflowed)
		return RT_FAIL(RESOURCE_EXHAUSTED, "OVERLOADED",
			       "the answer does not fit the call's memory");
	return rt_ok();
}

struct rt_status books_find(struct books *books, const char *reference, struct rt_arena *arena,
			    struct operation *operation, bool *found)
{
	sqlite3_stmt *row;
	struct rt_status status = rt_ok();

	RT_TRY(query(books, FIND, "t", reference));
	RT_TRY(step_row(books, FIND, &row));
	*found = row != NULL;
	if (row != NULL)
		status = read_operation(row, arena, operation);
	finish(books, FIND);
	return status;
}

struct rt_status books_list(struct books *books, int64_t after, size_t limit,
			    struct rt_arena *arena, struct operation *operations, size_t *count)
{
	sqlite3_stmt *row;
	struct rt_status status = rt_ok();

	*count = 0;
	RT_TRY(query(books, LIST, "ii", after, (int64_t)limit));
	while (*count < limit && rt_is_ok(&status)) {
		RT_TRY(step_row(books, LIST, &row));
		if (row == NULL)
			return rt_ok();
		status = read_operation(row, arena, &operations[*count]);
		*count += 1;
	}
	finish(books, LIST);
	return status;
}

struct rt_status books_insert(struct books *books, struct operation *operation)
{
	const struct order *order = &operation->order;
	bool waits = operation->status == OPERATION_PENDING ||
		     operation->status == OPERATION_REQUIRES_ACTION;
	const char *types = waits ? "tiittiittiit" : "tiittiittint";

	RT_TRY(run(books, INSERT, types, order->reference, (int64_t)order->kind,
		   order->amount_minor, order->currency, order->instrument,
		   (int64_t)operation->status, (int64_t)operation->final_status,
		   operation->decline_reason, operation->provider_reference,
		   operation->created_wall_us, operation->final_due_wall_us, order->original));
	operation->arrival = sqlite3_last_insert_rowid(books->database);
	return rt_ok();
}

/* Runs a statement whose answer is one number; *number is left alone when it is null. */
static struct rt_status number(struct books *books, enum statement which, int64_t *result)
{
	sqlite3_stmt *row;

	RT_TRY(step_row(books, which, &row));
	if (row != NULL && sqlite3_column_type(row, 0) != SQLITE_NULL)
		number_column(row, 0, result);
	finish(books, which);
	return rt_ok();
}

struct rt_status books_end(struct books *books, const struct operation *operation)
{
	return run(books, END, "titi", operation->order.reference, (int64_t)operation->status,
		   operation->decline_reason, operation->updated_wall_us);
}

struct rt_status books_refunds_sum(struct books *books, const char *original, int64_t *sum_minor)
{
	RT_TRY(query(books, REFUNDS_SUM, "t", original));
	return number(books, REFUNDS_SUM, sum_minor);
}

struct rt_status books_count_try(struct books *books, const char *reference, int64_t *count)
{
	RT_TRY(query(books, COUNT_TRY, "t", reference));
	return number(books, COUNT_TRY, count);
}

struct rt_status books_settle(struct books *books, int64_t now_wall_us, int64_t *settled)
{
	RT_TRY(run(books, SETTLE, "i", now_wall_us));
	*settled = sqlite3_changes(books->database);
	return rt_ok();
}

struct rt_status books_notify(struct books *books, const char *id, const char *reference,
			      enum operation_status shows, int64_t copies, int64_t due_wall_us)
{
	return run(books, NOTIFY, "ttiii", id, reference, (int64_t)shows, copies, due_wall_us);
}

/* The columns of notification_due.sql. */
static struct rt_status read_notification(sqlite3_stmt *row, struct rt_arena *arena,
					  struct notification *notification)
{
	*notification = (struct notification){
		.id = text_column(row, 0, arena),
		.attempts = sqlite3_column_int64(row, 2),
		.operation =
			{
				.status = (enum operation_status)sqlite3_column_int(row, 1),
				.order =
					{
						.reference = text_column(row, 3, arena),
						.kind = (enum operation_kind)sqlite3_column_int(row,
												4),
						.amount_minor = sqlite3_column_int64(row, 5),
						.currency = text_column(row, 6, arena),
					},
				.decline_reason = text_column(row, 7, arena),
				.provider_reference = text_column(row, 8, arena),
				.created_wall_us = sqlite3_column_int64(row, 9),
				.updated_wall_us = sqlite3_column_int64(row, 10),
			},
	};
	notification->operation.order.original = text_column(row, 11, arena);
	RT_ASSERT(!arena->overflowed); /* the limit of the query bounds it */
	return rt_ok();
}

struct rt_status books_notifications_due(struct books *books, int64_t now_wall_us, size_t limit,
					 struct rt_arena *arena, struct notification *notifications,
					 size_t *count)
{
	sqlite3_stmt *row;

	*count = 0;
	RT_TRY(query(books, NOTIFICATIONS_DUE, "ii", now_wall_us, (int64_t)limit));
	while (*count < limit) {
		RT_TRY(step_row(books, NOTIFICATIONS_DUE, &row));
		if (row == NULL)
			return rt_ok();
		RT_TRY(read_notification(row, arena, &notifications[*count]));
		*count += 1;
	}
	finish(books, NOTIFICATIONS_DUE);
	return rt_ok();
}

struct rt_status books_notification_postpone(struct books *books, const char *id,
					     int64_t due_wall_us)
{
	return run(books, POSTPONE, "ti", id, due_wall_us);
}

struct rt_status books_notification_delivered(struct books *books, const char *id,
					      int64_t now_wall_us)
{
	RT_TRY(run(books, DELIVERED, "ti", id, now_wall_us));
	return run(books, REMOVE, "ti", id, (int64_t)1);
}

struct rt_status books_notification_give_up(struct books *books, const char *id)
{
	return run(books, REMOVE, "ti", id, (int64_t)0);
}

struct rt_status books_next_due(struct books *books, bool notifies, int64_t *due_wall_us)
{
	*due_wall_us = INT64_MAX;
	RT_TRY(query(books, NEXT_DUE, "i", (int64_t)notifies));
	return number(books, NEXT_DUE, due_wall_us);
}

struct rt_status books_totals(struct books *books, struct books_total *totals, size_t limit,
			      size_t *count)
{
	sqlite3_stmt *row;

	*count = 0;
	RT_TRY(query(books, TOTALS, ""));
	while (*count < limit) {
		RT_TRY(step_row(books, TOTALS, &row));
		if (row == NULL)
			return rt_ok();
		struct books_total *total = &totals[*count];
		snprintf(total->currency, sizeof(total->currency), "%s",
			 (const char *)sqlite3_column_text(row, 0));
		total->kind = (enum operation_kind)sqlite3_column_int(row, 1);
		total->status = (enum operation_status)sqlite3_column_int(row, 2);
		number_column(row, 3, &total->count);
		number_column(row, 4, &total->sum_minor);
		*count += 1;
	}
	finish(books, TOTALS);
	return rt_ok();
}

struct rt_status books_notifications_waiting(struct books *books, int64_t *count)
{
	*count = 0;
	RT_TRY(query(books, WAITING, ""));
	return number(books, WAITING, count);
}
