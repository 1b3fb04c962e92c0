/* One round trip: statements go out together, and their answers are taken in order. libpq's
 * pipeline mode: each statement is answered by a result and an end, a sync by itself; after an
 * error what follows up to the sync is answered as aborted. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "pg_internal.h"
#include "rt/assert.h"

/* Ends without a result, more of which in a row mean that we and libpq disagree. */
#define STRAY_ENDS_MAX 8

static struct rt_status outcome_unknown(void)
{
	return RT_FAIL(OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN",
		       "the database was lost after a commit was sent");
}

struct rt_status pg_give_up(struct rt_pg *pg, int64_t deadline_mono_us)
{
	bool may_have_committed = pg->may_commit;
	bool late = rt_clock_mono_us() >= deadline_mono_us;
	if (late && pg->conn != NULL && PQstatus(pg->conn) == CONNECTION_OK)
		pg_cancel(pg->conn);
	pg_disconnect(pg);
	if (may_have_committed)
		return outcome_unknown();
	if (late)
		return RT_FAIL(DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
			       "the database did not answer in time");
	return RT_FAIL(UNAVAILABLE, "DATABASE_UNAVAILABLE", "the connection was lost");
}

static void push(struct rt_pg *pg, enum pg_op_kind kind, struct pg_prepared *prepared)
{
	RT_ASSERT(pg->op_count < PG_OPS_MAX);
	pg->ops[pg->op_count++] = (struct pg_op){.kind = kind, .prepared = prepared};
}

static bool send_prepare(struct rt_pg *pg, struct pg_prepared *prepared,
			 const struct rt_pg_params *params)
{
	const struct rt_pg_statement *statement = prepared->statement;
	if (!PQsendPrepare(pg->conn, statement->name, statement->sql, prepared->param_count,
			   params == NULL ? NULL : params->types))
		return false;
	prepared->known = PG_SENT;
	push(pg, PG_OP_PREPARE, prepared);
	return true;
}

static bool send_execute(struct rt_pg *pg, const struct rt_pg_statement *statement,
			 const struct rt_pg_params *params)
{
	static const int binary[RT_PG_PARAMS_MAX] = {[0 ... RT_PG_PARAMS_MAX - 1] = 1};
	if (params == NULL)
		return PQsendQueryPrepared(pg->conn, statement->name, 0, NULL, NULL, NULL, 1);
	return PQsendQueryPrepared(pg->conn, statement->name, params->count, params->values,
				   params->lengths, binary, 1);
}

/* Set before anything is handed to libpq, which sends when it likes. */
static bool may_commit(const struct rt_pg *pg, enum pg_op_kind kind,
		       const struct pg_prepared *prepared)
{
	if (kind == PG_OP_COMMIT)
		return !pg->tx_reads;
	return kind == PG_OP_STATEMENT && pg->tx == PG_TX_NONE && prepared->writes;
}

struct rt_status pg_queue(struct rt_pg *pg, enum pg_op_kind kind,
			  const struct rt_pg_statement *statement,
			  const struct rt_pg_params *params)
{
	if (params != NULL && params->overflowed)
		return RT_FAIL(RESOURCE_EXHAUSTED, "ARENA_FULL",
			       "%s: the parameters take too much memory", statement->name);
	/* Room for a prepare, the statement, and what ends the round trip. */
	if (pg->op_count + 4 > PG_OPS_MAX)
		return RT_FAIL(INTERNAL, "PIPELINE_FULL", "%s: too many statements at once",
			       statement->name);
	struct pg_prepared *prepared = pg_prepared_find(pg, statement, params);
	pg->may_commit = pg->may_commit || may_commit(pg, kind, prepared);
	bool known = prepared->known != PG_UNKNOWN || send_prepare(pg, prepared, params);
	if (!known || !send_execute(pg, statement, params))
		return pg_give_up(pg, RT_NO_DEADLINE);
	push(pg, kind, prepared);
	if (kind == PG_OP_STATEMENT)
		pg->statement_count++;
	return rt_ok();
}

struct rt_status pg_queue_sync(struct rt_pg *pg)
{
	if (!PQpipelineSync(pg->conn))
		return pg_give_up(pg, RT_NO_DEADLINE);
	push(pg, PG_OP_SYNC, NULL);
	return rt_ok();
}

/* Parameters of this size are on their way to the server before anything more is queued: libpq
 * would double its buffer for what waits, and never give it back. */
#define DRAIN_BYTES ((size_t)512 << 10)

static bool is_large(const struct rt_pg_params *params)
{
	size_t bytes = 0;
	for (int i = 0; i < params->count; i++)
		bytes += (size_t)params->lengths[i];
	return bytes >= DRAIN_BYTES;
}

/* False when the connection is lost or the time is up. */
static bool wait_socket(struct rt_pg *pg, short events, int64_t deadline_mono_us)
{
	struct pollfd wait = {.fd = PQsocket(pg->conn), .events = events};
	int left_ms = rt_clock_left_ms(deadline_mono_us, 60000);
	if (left_ms == 0)
		return false;
	int ready = poll(&wait, 1, left_ms);
	if (ready < 0 && errno != EINTR)
		return false;
	return ready <= 0 || (wait.revents & ~POLLOUT) == 0 || PQconsumeInput(pg->conn);
}

struct rt_status pg_drain(struct rt_pg *pg, const struct rt_pg_params *params)
{
	if (params == NULL || !is_large(params))
		return rt_ok();
	for (;;) {
		int unsent = PQflush(pg->conn);
		if (unsent == 0)
			return rt_ok();
		/* What comes in meanwhile is taken, so that the server can go on reading. */
		if (unsent < 0 || !wait_socket(pg, POLLIN | POLLOUT, pg->deadline_mono_us))
			return pg_give_up(pg, pg->deadline_mono_us);
	}
}

bool pg_wait_result(struct rt_pg *pg, int64_t deadline_mono_us)
{
	for (;;) {
		int unsent = PQflush(pg->conn);
		/* What came in before the connection was lost still counts. */
		if (unsent < 0 || !PQisBusy(pg->conn))
			return !PQisBusy(pg->conn);
		short events = unsent > 0 ? POLLIN | POLLOUT : POLLIN;
		if (!wait_socket(pg, events, deadline_mono_us))
			return !PQisBusy(pg->conn);
	}
}

static void keep_rows(struct rt_pg *pg, struct pg_answer *answer, struct pg_prepared *prepared,
		      PGresult *result)
{
	rt_series_observe_us(prepared->seconds, rt_clock_mono_us() - pg->sent_mono_us);
	size_t place = answer->statements++;
	if (answer->rows == NULL || place >= answer->rows_max) {
		PQclear(result);
		return;
	}
	answer->rows[place] = (struct rt_pg_rows){.result = result, .count = PQntuples(result)};
}

static void drop_rows(struct pg_answer *answer)
{
	for (size_t i = 0; answer->rows != NULL && i < answer->rows_max; i++)
		rt_pg_rows_deinit(&answer->rows[i]);
}

static void take_success(struct rt_pg *pg, struct pg_answer *answer, const struct pg_op *op,
			 PGresult *result)
{
	switch (op->kind) {
	case PG_OP_STATEMENT:
		keep_rows(pg, answer, op->prepared, result);
		return;
	case PG_OP_PREPARE:
		op->prepared->known = PG_KNOWN;
		break;
	case PG_OP_TIMEOUT:
		pg->timeout_ms = pg->timeout_ms_sent;
		break;
	case PG_OP_COMMIT:
		/* COMMIT of a failed transaction succeeds, as ROLLBACK. */
		answer->committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
		if (!answer->committed && !answer->failed)
			answer->status = RT_FAIL(INTERNAL, "TRANSACTION_GONE",
						 "the transaction had failed before its commit");
		answer->failed = !answer->committed;
		break;
	case PG_OP_BEGIN:
	case PG_OP_ROLLBACK:
	case PG_OP_SYNC:
		break;
	}
	PQclear(result);
}

/* Returns false when the connection can't go on. */
static bool take_error(struct rt_pg *pg, struct pg_answer *answer, const struct pg_op *op,
		       const PGresult *result)
{
	enum pg_severity severity;
	const char *name = op->prepared == NULL ? "commit" : op->prepared->statement->name;
	struct rt_status status = pg_error_status(result, name, &severity);
	if (op->kind == PG_OP_PREPARE)
		op->prepared->known = PG_UNKNOWN;
	if (severity == PG_ENDS_CONNECTION) {
		if (!answer->failed)
			answer->status = status;
		return false;
	}
	pg->broken = pg->broken || severity == PG_WANTS_NEW_CONNECTION;
	/* The statement timeout is a unit by itself: what follows it goes on without it. */
	if (pg->op_done < pg->prelude_ops)
		return false;
	if (!answer->failed)
		answer->status = status;
	answer->failed = true;
	return true;
}

static bool take_end(struct rt_pg *pg, int *strays)
{
	if (!pg->op_answered)
		return ++*strays <= STRAY_ENDS_MAX;
	*strays = 0;
	pg->op_answered = false;
	pg->op_done++;
	return true;
}

/* Takes the next result; false when the connection can't go on. */
static bool take(struct rt_pg *pg, struct pg_answer *answer, PGresult *result)
{
	const struct pg_op *op = &pg->ops[pg->op_done];
	ExecStatusType kind = PQresultStatus(result);
	bool goes_on = true;
	if (kind == PGRES_PIPELINE_SYNC) {
		goes_on = op->kind == PG_OP_SYNC;
		pg->op_done++;
		PQclear(result);
		return goes_on;
	}
	/* An error while a sync is awaited is one of the implicit commit. */
	pg->op_answered = op->kind != PG_OP_SYNC;
	if (kind == PGRES_COMMAND_OK || kind == PGRES_TUPLES_OK) {
		take_success(pg, answer, op, result);
		return true;
	}
	if (kind == PGRES_PIPELINE_ABORTED) {
		if (op->kind == PG_OP_PREPARE)
			op->prepared->known = PG_UNKNOWN;
	} else if (kind == PGRES_FATAL_ERROR) {
		goes_on = take_error(pg, answer, op, result);
	} else {
		goes_on = false; /* COPY is not spoken here */
	}
	PQclear(result);
	return goes_on;
}

/* The connection can't go on: what has been heard decides, else what may have happened. */
static struct rt_status settle(struct rt_pg *pg, int64_t deadline_mono_us,
			       const struct pg_answer *answer)
{
	if (answer->committed || answer->failed) {
		pg_disconnect(pg);
		return answer->status;
	}
	struct rt_status status = pg_give_up(pg, deadline_mono_us);
	if (status.code == RT_UNAVAILABLE && !rt_is_ok(&answer->status))
		return answer->status;
	return status;
}

static struct rt_status take_all(struct rt_pg *pg, int64_t deadline_mono_us,
				 struct pg_answer *answer)
{
	int strays = 0;
	while (pg->op_done < pg->op_count) {
		if (!pg_wait_result(pg, deadline_mono_us))
			return settle(pg, deadline_mono_us, answer);
		PGresult *result = PQgetResult(pg->conn);
		if (result == NULL ? !take_end(pg, &strays) : !take(pg, answer, result))
			return settle(pg, deadline_mono_us, answer);
	}
	pg->op_count = 0;
	pg->op_done = 0;
	pg->prelude_ops = 0;
	pg->statement_count = 0;
	pg->may_commit = false;
	if (pg->broken)
		pg_disconnect(pg);
	return answer->status;
}

struct rt_status pg_round_trip(struct rt_pg *pg, int64_t deadline_mono_us, struct pg_answer *answer)
{
	pg->sent_mono_us = rt_clock_mono_us();
	struct rt_status status = take_all(pg, deadline_mono_us, answer);
	if (!rt_is_ok(&status))
		drop_rows(answer);
	return status;
}
