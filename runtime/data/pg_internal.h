/* The inside of a PostgreSQL connection, for runtime/data alone. */
#pragma once

#include <libpq-fe.h>

#include "pg_pure.h"
#include "rt/clock.h"
#include "rt/metrics.h"
#include "rt/pg.h"

/* Statements that one connection may know, and messages that one round trip may hold. */
#define PG_PREPARED_SLOTS 512
#define PG_OPS_MAX        1024

/* What the server knows of a statement. A Prepare that is on its way counts for what follows it in
 * the same round trip, and is forgotten when that failed before it. */
enum pg_known { PG_UNKNOWN, PG_SENT, PG_KNOWN };

struct pg_prepared {
	const struct rt_pg_statement *statement; /* NULL: a free slot */
	struct rt_series *seconds;
	enum pg_known known;
	bool writes;
	int param_count;
	uint32_t types_hash;
};

enum pg_op_kind {
	PG_OP_PREPARE,
	PG_OP_TIMEOUT,
	PG_OP_BEGIN,
	PG_OP_STATEMENT,
	PG_OP_COMMIT,
	PG_OP_ROLLBACK,
	PG_OP_SYNC,
};

/* Something sent that will be answered. */
struct pg_op {
	enum pg_op_kind kind;
	struct pg_prepared *prepared; /* NULL for a sync */
};

enum pg_tx_state {
	PG_TX_NONE,
	PG_TX_WANTED,     /* BEGIN goes out with the first statement */
	PG_TX_OPEN,       /* BEGIN was sent */
	PG_TX_COMMITTING, /* COMMIT goes out at the end of this round trip */
	PG_TX_GONE,       /* failed and rolled back, while its scope is still open */
};

struct rt_pg {
	char *conninfo;
	const char *session; /* of the program: before what the connection string says */
	const struct rt_secret *password;
	char application[64];
	int64_t connect_us_max;

	PGconn *conn; /* NULL: not connected */
	int64_t retry_mono_us;
	unsigned failures;  /* attempts in a row that failed */
	int64_t timeout_ms; /* the session's statement_timeout; -1: not known */
	int64_t timeout_ms_sent;

	enum pg_tx_state tx;
	bool tx_scoped; /* opened by rt_pg_begin */
	bool tx_reads;  /* read only: its commit changes nothing */
	uint64_t tx_number;
	int64_t deadline_mono_us; /* of the transaction, or the statement outside of one */
	const struct rt_pg_statement *tx_begin;

	bool may_commit; /* what is on its way may change the database for good */
	bool broken;     /* the connection must not be used again, though it answers */
	size_t op_count;
	size_t op_done;
	size_t prelude_ops; /* the first of them are a unit that only sets the statement timeout */
	bool op_answered;   /* ops[op_done] has had its result, and only the end of it is missing */
	size_t statement_count; /* PG_OP_STATEMENTs among the ops */
	int64_t sent_mono_us;
	struct pg_op ops[PG_OPS_MAX];
	struct pg_prepared prepared[PG_PREPARED_SLOTS];
};

/* pg_connect.c */

/* Makes sure that there is a connection that looks alive, with nothing on its way. Errors: as
 * rt_pg_run's, never OUTCOME_UNKNOWN. */
struct rt_status pg_connect(struct rt_pg *pg, int64_t deadline_mono_us);
/* Closes the connection and forgets what it knew; a transaction is gone. */
void pg_disconnect(struct rt_pg *pg);

/* pg_cancel.c */

/* Asks the server to cancel what the connection does, from a thread of its own: never waits. */
void pg_cancel(PGconn *conn);

/* pg_error.c */

enum pg_severity {
	PG_FAILS,                /* the unit is undone */
	PG_WANTS_NEW_CONNECTION, /* and the connection is of no use any more */
	PG_ENDS_CONNECTION,      /* the server closes, or libpq has lost, the connection */
};

/* Takes a failed result apart: status by SQLSTATE. */
struct rt_status pg_error_status(const PGresult *result, const char *statement,
				 enum pg_severity *severity);

/* pg_wire.c: one round trip */

/* What has been answered. Owns: the rows until they are handed on. */
struct pg_answer {
	struct rt_pg_rows *rows; /* NULL: results are not kept */
	size_t rows_max;
	size_t statements; /* answered */
	struct rt_status status;
	bool failed;    /* the server refused, and so has undone, the unit */
	bool committed; /* it said so */
};

/* Queues a statement (with a Prepare before it where the server does not know it yet); nothing
 * needs to leave yet. `params` may be NULL for none. */
struct rt_status pg_queue(struct rt_pg *pg, enum pg_op_kind kind,
			  const struct rt_pg_statement *statement,
			  const struct rt_pg_params *params);
/* In a transaction: waits until large parameters that were queued have left. */
struct rt_status pg_drain(struct rt_pg *pg, const struct rt_pg_params *params);
/* Ends a unit: what was queued since the last one fails or succeeds together. */
struct rt_status pg_queue_sync(struct rt_pg *pg);
/* Sends what is queued and waits for all answers. On an error the connection is either clean, with
 * nothing on its way, or closed. */
struct rt_status pg_round_trip(struct rt_pg *pg, int64_t deadline_mono_us,
			       struct pg_answer *answer);
/* Waits until a result can be had (false: the connection is lost or the deadline has passed). */
bool pg_wait_result(struct rt_pg *pg, int64_t deadline_mono_us);
/* Closes the connection, and says what that means for what was on its way; after the deadline asks
 * the server to stop. */
struct rt_status pg_give_up(struct rt_pg *pg, int64_t deadline_mono_us);

/* pg_prepared.c */

/* Finds or makes the entry of a statement. */
struct pg_prepared *pg_prepared_find(struct rt_pg *pg, const struct rt_pg_statement *statement,
				     const struct rt_pg_params *params);
void pg_prepared_forget(struct rt_pg *pg);

/* pg_tx.c */

/* Queues what must come before a statement outside a transaction: the statement timeout. */
struct rt_status pg_prelude(struct rt_pg *pg, int64_t deadline_mono_us);
/* Queues BEGIN when a transaction is wanted; refuses when there is none. */
struct rt_status pg_tx_enter(struct rt_pg *pg);
/* Ends the transaction after an error, so that the connection is clean. */
void pg_tx_fail(struct rt_pg *pg);
