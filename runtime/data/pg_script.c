/* Scripts: text with several statements, which the pipeline's protocol does not know. */
#include "pg_internal.h"
#include "rt/assert.h"

/* What has come of a script so far. */
struct outcome {
	struct rt_status status;
	bool failed;
};

/* Sets the timeout, and opens the transaction that is wanted. */
static struct rt_status prepare_session(struct rt_pg *pg, int64_t deadline_mono_us)
{
	if (pg->tx == PG_TX_NONE)
		RT_TRY(pg_prelude(pg, deadline_mono_us));
	else
		RT_TRY(pg_tx_enter(pg));
	if (pg->op_count == 0)
		return rt_ok();
	struct pg_answer answer = {0};
	RT_TRY(pg_queue_sync(pg));
	return pg_round_trip(pg, deadline_mono_us, &answer);
}

/* Returns false when the connection can't go on. */
static bool take_result(struct outcome *outcome, const PGresult *result)
{
	ExecStatusType kind = PQresultStatus(result);
	if (kind == PGRES_COMMAND_OK || kind == PGRES_TUPLES_OK || kind == PGRES_EMPTY_QUERY)
		return true;
	if (kind != PGRES_FATAL_ERROR)
		return false; /* COPY */
	enum pg_severity severity;
	struct rt_status status = pg_error_status(result, "script", &severity);
	if (!outcome->failed)
		outcome->status = status;
	outcome->failed = severity != PG_ENDS_CONNECTION;
	return severity != PG_ENDS_CONNECTION;
}

static bool take_results(struct rt_pg *pg, int64_t deadline_mono_us, struct outcome *outcome)
{
	for (;;) {
		if (!pg_wait_result(pg, deadline_mono_us))
			return false;
		PGresult *result = PQgetResult(pg->conn);
		if (result == NULL)
			return true;
		bool goes_on = take_result(outcome, result);
		PQclear(result);
		if (!goes_on)
			return false;
	}
}

static struct rt_status give_up(struct rt_pg *pg, int64_t deadline_mono_us,
				const struct outcome *outcome)
{
	if (outcome->failed) {
		pg_disconnect(pg);
		return outcome->status;
	}
	return pg_give_up(pg, deadline_mono_us);
}

static struct rt_status run_script(struct rt_pg *pg, const char *sql, int64_t deadline_mono_us)
{
	RT_TRY(prepare_session(pg, deadline_mono_us));
	bool inside = pg->tx != PG_TX_NONE;
	struct outcome outcome = {0};
	pg->may_commit = !inside;
	if (!PQexitPipelineMode(pg->conn) || !PQsendQuery(pg->conn, sql) ||
	    !take_results(pg, deadline_mono_us, &outcome) || !PQenterPipelineMode(pg->conn))
		return give_up(pg, deadline_mono_us, &outcome);
	pg->may_commit = false;
	/* What the script set or deallocated is its own affair, but not what we rely on. */
	pg->timeout_ms = -1;
	bool open = PQtransactionStatus(pg->conn) == PQTRANS_INTRANS;
	if (rt_is_ok(&outcome.status) && open != inside)
		return RT_FAIL(INTERNAL, "SCRIPT_ENDED_TRANSACTION",
			       "the script begins or ends a transaction by itself");
	return outcome.status;
}

struct rt_status rt_pg_script(struct rt_pg *pg, const char *sql, int64_t deadline_mono_us)
{
	RT_ASSERT(pg->op_count == 0);
	struct rt_status status = run_script(pg, sql, deadline_mono_us);
	if (!rt_is_ok(&status))
		pg_tx_fail(pg);
	return status;
}
