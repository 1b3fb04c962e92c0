/* PostgreSQL: connections that one worker owns, prepared statements, pipelines and transactions by
 * scope. For a service's store/ (and its engine, to open transactions). Values travel in binary.
 * Thread: one at a time per connection. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/arena.h"
#include "rt/cleanup.h"
#include "rt/id.h"
#include "rt/secret.h"
#include "rt/status.h"

struct rt_pg;

struct rt_pg_config {
	const char *conninfo;             /* without password; copied */
	const struct rt_secret *password; /* outlives the connection; NULL: none */
	const char *application;          /* application_name */
	int64_t connect_ms_max;           /* time for one attempt; 0 means 5,000 */
	const char *session; /* settings as "-c name=value"; static storage; NULL: none */
};

/* INVALID_ARGUMENT INVALID_SETTING when libpq could not read the connection string; the detail does
 * not quote it. */
struct rt_status rt_pg_check_conninfo(const char *conninfo);

/* A statement, prepared once a connection under its name, which is also its label in the metrics.
 * Static storage. One name has one text, and its parameters have the same types each time (both are
 * asserted). Outside a transaction, one that begins with SELECT, VALUES, TABLE or SHOW, or is a
 * WITH without INSERT, UPDATE, DELETE or MERGE in it, counts as reading. */
struct rt_pg_statement {
	const char *name; /* under 64 bytes */
	const char *sql;
};

/* Parameters in order; memory comes from the arena. An allocation that fails is reported when the
 * statement is sent. */
#define RT_PG_PARAMS_MAX 32
struct rt_pg_params {
	struct rt_arena *arena;
	int count;
	bool overflowed;
	uint32_t types[RT_PG_PARAMS_MAX];
	const char *values[RT_PG_PARAMS_MAX];
	int lengths[RT_PG_PARAMS_MAX];
};

/* PostgreSQL's numbers of the types that are read and written here. */
enum rt_pg_type {
	RT_PG_BOOL = 16,
	RT_PG_BYTEA = 17,
	RT_PG_BIGINT = 20,
	RT_PG_SMALLINT = 21,
	RT_PG_INTEGER = 23,
	RT_PG_TEXT = 25,
	RT_PG_TID = 27,
	RT_PG_BOOL_ARRAY = 1000,
	RT_PG_BYTEA_ARRAY = 1001,
	RT_PG_SMALLINT_ARRAY = 1005,
	RT_PG_TEXT_ARRAY = 1009,
	RT_PG_TID_ARRAY = 1010,
	RT_PG_BIGINT_ARRAY = 1016,
	RT_PG_TIMESTAMPTZ = 1184,
	RT_PG_TIMESTAMPTZ_ARRAY = 1185,
	RT_PG_UUID = 2950,
	RT_PG_UUID_ARRAY = 2951,
};

void rt_pg_params_init(struct rt_pg_params *params, struct rt_arena *arena);
void rt_pg_add_int(struct rt_pg_params *params, int64_t value); /* bigint */
void rt_pg_add_bool(struct rt_pg_params *params, bool value);   /* boolean */
void rt_pg_add_text(struct rt_pg_params *params,
		    const char *value); /* text; NULL is null; not copied */
void rt_pg_add_uuid(struct rt_pg_params *params,
		    const struct rt_uuid *value); /* uuid; NULL is null; not copied */
void rt_pg_add_bytes(struct rt_pg_params *params, const void *bytes,
		     size_t length); /* bytea; NULL is null; not copied */
void rt_pg_add_time(struct rt_pg_params *params,
		    int64_t wall_us); /* timestamptz; INT64_MAX is infinity */
void rt_pg_add_null(struct rt_pg_params *params, enum rt_pg_type type);
/* bigint[], uuid[], text[] (NULL elements are null), bytea[] of fixed-width elements, smallint[],
 * boolean[], timestamptz[]; `nulls` may be NULL, else nulls[i] makes element i null. Copied. */
void rt_pg_add_int_array(struct rt_pg_params *params, const int64_t *values, const bool *nulls,
			 size_t count);
void rt_pg_add_smallint_array(struct rt_pg_params *params, const int64_t *values, const bool *nulls,
			      size_t count);
void rt_pg_add_bool_array(struct rt_pg_params *params, const bool *values, size_t count);
void rt_pg_add_uuid_array(struct rt_pg_params *params, const struct rt_uuid *values,
			  const bool *nulls, size_t count);
void rt_pg_add_text_array(struct rt_pg_params *params, const char *const *values, size_t count);
void rt_pg_add_bytes_array(struct rt_pg_params *params, const void *bytes, size_t width,
			   size_t count);
void rt_pg_add_time_array(struct rt_pg_params *params, const int64_t *wall_us, size_t count);

/* Where a row was when it was read (its ctid), as a number that means something to these two alone.
 */
void rt_pg_add_place_array(struct rt_pg_params *params, const uint64_t *places, size_t count);

/* Rows of a result. Owns: until _deinit; zero-initialised is empty. */
struct rt_pg_rows {
	void *result; /* PGresult */
	int count;
};
void rt_pg_rows_deinit(struct rt_pg_rows *rows);
int64_t
rt_pg_affected(const struct rt_pg_rows *rows); /* rows that an INSERT, UPDATE or DELETE touched */

/* Columns by number. Row and column must exist (asserted); a column of another type, or null where
 * it is not expected, is a defect of the statement and asserted too. smallint, integer and bigint
 * are read by _int. */
bool rt_pg_is_null(const struct rt_pg_rows *rows, int row, int column);
int64_t rt_pg_int(const struct rt_pg_rows *rows, int row, int column);
bool rt_pg_bool(const struct rt_pg_rows *rows, int row, int column);
struct rt_uuid rt_pg_uuid(const struct rt_pg_rows *rows, int row, int column);
int64_t rt_pg_time_us(const struct rt_pg_rows *rows, int row, int column);
uint64_t rt_pg_place(const struct rt_pg_rows *rows, int row, int column);
/* Points into the rows; NUL-terminated. NULL for null. */
const char *rt_pg_text(const struct rt_pg_rows *rows, int row, int column);
const uint8_t *rt_pg_bytes(const struct rt_pg_rows *rows, int row, int column, size_t *length);

/* Makes a connection that connects when first used, and again, with backoff, after it was lost:
 * while that lasts, calls fail at once with UNAVAILABLE and retry_after_ms, unless the next attempt
 * is very near. Only names are resolved by blocking calls. The session runs with synchronous_commit
 * on, READ COMMITTED and UTC, whatever the connection string says; standbys are refused unless it
 * sets target_session_attrs. */
struct rt_pg *rt_pg_new(const struct rt_pg_config *config);
void rt_pg_destroy(struct rt_pg *pg);
/* Asks the server something trivial. Errors: UNAVAILABLE. */
struct rt_status rt_pg_ping(struct rt_pg *pg, int64_t deadline_mono_us);

/* Runs one statement, in the open transaction if there is one, else by itself. `rows` may be NULL.
 * The server is told the deadline (statement_timeout), and asked to cancel when it passes. Errors
 * (the same for all that sends): RESOURCE_EXHAUSTED ARENA_FULL when the parameters did not fit,
 * UNAVAILABLE DATABASE_UNAVAILABLE (no connection, shutting down, too many, read only), ABORTED
 * CONFLICT (serialization, deadlock, lock timeout), DEADLINE_EXCEEDED, ALREADY_EXISTS
 * UNIQUE_VIOLATION with the constraint's name in `field`, FAILED_PRECONDITION CONSTRAINT_VIOLATION
 * likewise (check, foreign key, exclusion), INTERNAL DATABASE_ERROR otherwise; OUTCOME_UNKNOWN when
 * the connection was lost, or the deadline passed, after something was sent that may have
 * committed: a COMMIT, or a writing statement outside a transaction. */
struct rt_status rt_pg_run(struct rt_pg *pg, const struct rt_pg_statement *statement,
			   const struct rt_pg_params *params, int64_t deadline_mono_us,
			   struct rt_pg_rows *rows);

/* A transaction that rolls back when its scope is left without a commit:
 *   CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
 *   RT_TRY(rt_pg_begin(pg, deadline, &tx)); ... return rt_pg_commit(&tx); */
struct rt_pg_tx {
	struct rt_pg *pg;
	int64_t deadline_mono_us;
	uint64_t number; /* tells it from later ones on the same connection */
};
/* Costs nothing: BEGIN goes out with the first statement. */
struct rt_status rt_pg_begin(struct rt_pg *pg, int64_t deadline_mono_us, struct rt_pg_tx *tx);
/* REPEATABLE READ READ ONLY: one snapshot for several reads. */
struct rt_status rt_pg_begin_snapshot(struct rt_pg *pg, int64_t deadline_mono_us,
				      struct rt_pg_tx *tx);
/* After an error in the transaction it is gone: what follows on it is refused with INTERNAL
 * TRANSACTION_GONE. */
struct rt_status rt_pg_commit(struct rt_pg_tx *tx);
void rt_pg_tx_cleanup(struct rt_pg_tx *tx);

/* Pipelines: what is sent goes out together and is answered together, in one round trip.
 *   RT_TRY(rt_pg_send_begin(pg, deadline)); RT_TRY(rt_pg_send(pg, &lock, &params));
 * RT_TRY(rt_pg_receive(pg, rows, 1));
 *   ... RT_TRY(rt_pg_send(pg, &insert, &p)); RT_TRY(rt_pg_send_commit(pg)); return
 * rt_pg_receive(pg, &rows, 1); _send_begin opens a transaction on the server with the deadline as
 * its statement timeout, which bounds waits for locks too (coarsely: the server may give up an
 * eighth of the time earlier, and the client does at the deadline). After any error, also one of
 * _send, the transaction is gone (rolled back by us or the server) and the connection is clean for
 * a next _send_begin. BEGIN goes out with the first _send, and COMMIT with the _receive that
 * follows _send_commit. _receive waits for all that was sent since the last one and stores the
 * results of the _send'ed statements (not of begin and commit) in rows[0 .. count-1], count being
 * how many were sent; or drops them when rows is NULL. On error no rows are stored. An answer to
 * COMMIT that was received counts, whatever becomes of the connection after it. */
struct rt_status rt_pg_send_begin(struct rt_pg *pg, int64_t deadline_mono_us);
struct rt_status rt_pg_send(struct rt_pg *pg, const struct rt_pg_statement *statement,
			    const struct rt_pg_params *params);
struct rt_status rt_pg_send_commit(struct rt_pg *pg);
struct rt_status rt_pg_receive(struct rt_pg *pg, struct rt_pg_rows *rows, size_t count);
/* Whether a transaction has begun on the server, and can go on. */
bool rt_pg_is_open(const struct rt_pg *pg);
/* Rolls back what _send_begin opened, if it still is open. For leaving early. */
void rt_pg_abandon(struct rt_pg *pg);

/* Only for migrations and tests: runs text that may hold several statements, as one implicit
 * transaction or within the open one, without parameters. */
struct rt_status rt_pg_script(struct rt_pg *pg, const char *sql, int64_t deadline_mono_us);
