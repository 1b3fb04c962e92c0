/* Statements, transactions and pipelines: what callers see. */
#include <inttypes.h>
#include <stdio.h>

#include "pg_internal.h"
#include "rt/assert.h"

/* What the end of a failed transaction may take, whatever the deadline was. */
#define ROLLBACK_US     RT_US_PER_S
#define ROLLBACKS_MAX   2
/* Longer timeouts are none: PostgreSQL's are 32 bits of milliseconds. */
#define TIMEOUT_MS_MOST (INT64_C(24) * 3600 * 1000)

static const struct rt_pg_statement begin_statement = {"rt_begin", "BEGIN"};
static const struct rt_pg_statement begin_snapshot_statement = {
	"rt_begin_snapshot", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
static const struct rt_pg_statement commit_statement = {"rt_commit", "COMMIT"};
static const struct rt_pg_statement rollback_statement = {"rt_rollback", "ROLLBACK"};
static const struct rt_pg_statement ping_statement = {"rt_ping", "SELECT 1"};
static const struct rt_pg_statement timeout_statement = {
	"rt_set_timeout", "SELECT set_config('statement_timeout', $1, false)"};

int64_t pg_timeout_ms(int64_t deadline_mono_us, int64_t now_mono_us)
{
	if (deadline_mono_us == RT_NO_DEADLINE)
		return 0;
	int64_t left_ms = (deadline_mono_us - now_mono_us) / RT_US_PER_MS;
	if (left_ms > TIMEOUT_MS_MOST)
		return 0;
	if (left_ms < 1)
		return 1;
	int64_t step_ms = 1;
	while (step_ms * 16 <= left_ms)
		step_ms *= 2;
	return left_ms - left_ms % step_ms;
}

struct rt_status pg_prelude(struct rt_pg *pg, int64_t deadline_mono_us)
{
	RT_TRY(pg_connect(pg, deadline_mono_us));
	int64_t timeout_ms = pg_timeout_ms(deadline_mono_us, rt_clock_mono_us());
	if (timeout_ms == pg->timeout_ms)
		return rt_ok();
	/* Told for the session and as a unit of its own, so that it holds whatever becomes of the
	 * statements behind it, and most of the time need not be told again. */
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, timeout_ms);
	struct rt_pg_params params;
	rt_pg_params_init(&params, NULL);
	rt_pg_add_text(&params, text);
	pg->timeout_ms = -1;
	pg->timeout_ms_sent = timeout_ms;
	RT_TRY(pg_queue(pg, PG_OP_TIMEOUT, &timeout_statement, &params));
	RT_TRY(pg_queue_sync(pg));
	pg->prelude_ops = pg->op_count;
	return rt_ok();
}

struct rt_status pg_tx_enter(struct rt_pg *pg)
{
	if (pg->tx == PG_TX_OPEN)
		return rt_ok();
	if (pg->tx != PG_TX_WANTED)
		return RT_FAIL(INTERNAL, "TRANSACTION_GONE", "there is no open transaction");
	RT_TRY(pg_prelude(pg, pg->deadline_mono_us));
	RT_TRY(pg_queue(pg, PG_OP_BEGIN, pg->tx_begin, NULL));
	pg->tx = PG_TX_OPEN;
	return rt_ok();
}

static bool needs_rollback(const struct rt_pg *pg)
{
	return pg->conn != NULL &&
	       (pg->op_count > 0 || PQtransactionStatus(pg->conn) != PQTRANS_IDLE);
}

static struct rt_status roll_back(struct rt_pg *pg)
{
	struct pg_answer answer = {0};
	RT_TRY(pg_queue(pg, PG_OP_ROLLBACK, &rollback_statement, NULL));
	RT_TRY(pg_queue_sync(pg));
	return pg_round_trip(pg, rt_clock_mono_us() + ROLLBACK_US, &answer);
}

void pg_tx_fail(struct rt_pg *pg)
{
	/* Twice, because the first is passed over when what was still on its way fails. */
	for (int i = 0; i < ROLLBACKS_MAX && needs_rollback(pg); i++) {
		struct rt_status status = roll_back(pg);
		(void)status;
	}
	if (needs_rollback(pg))
		pg_disconnect(pg);
	if (pg->tx != PG_TX_NONE)
		pg->tx = pg->tx_scoped ? PG_TX_GONE : PG_TX_NONE;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static struct rt_status run(struct rt_pg *pg, const struct rt_pg_statement *statement,
			    const struct rt_pg_params *params, int64_t deadline_mono_us,
			    struct pg_answer *answer)
{
	if (pg->tx == PG_TX_NONE) {
		RT_TRY(pg_prelude(pg, deadline_mono_us));
	} else {
		RT_TRY(pg_tx_enter(pg));
		deadline_mono_us = earlier(deadline_mono_us, pg->deadline_mono_us);
	}
	RT_TRY(pg_queue(pg, PG_OP_STATEMENT, statement, params));
	RT_TRY(pg_queue_sync(pg));
	return pg_round_trip(pg, deadline_mono_us, answer);
}

struct rt_status rt_pg_run(struct rt_pg *pg, const struct rt_pg_statement *statement,
			   const struct rt_pg_params *params, int64_t deadline_mono_us,
			   struct rt_pg_rows *rows)
{
	RT_ASSERT(pg->op_count == 0);
	struct pg_answer answer = {.rows = rows, .rows_max = rows == NULL ? 0 : 1};
	if (rows != NULL)
		*rows = (struct rt_pg_rows){0};
	struct rt_status status = run(pg, statement, params, deadline_mono_us, &answer);
	if (!rt_is_ok(&status))
		pg_tx_fail(pg);
	return status;
}

struct rt_status rt_pg_ping(struct rt_pg *pg, int64_t deadline_mono_us)
{
	return rt_pg_run(pg, &ping_statement, NULL, deadline_mono_us, NULL);
}

static void want_tx(struct rt_pg *pg, const struct rt_pg_statement *begin, int64_t deadline_mono_us,
		    bool scoped)
{
	RT_ASSERT(pg->tx == PG_TX_NONE);
	RT_ASSERT(pg->op_count == 0);
	pg->tx = PG_TX_WANTED;
	pg->tx_begin = begin;
	pg->tx_scoped = scoped;
	pg->tx_reads = begin == &begin_snapshot_statement;
	pg->tx_number++;
	pg->deadline_mono_us = deadline_mono_us;
}

struct rt_status rt_pg_begin(struct rt_pg *pg, int64_t deadline_mono_us, struct rt_pg_tx *tx)
{
	want_tx(pg, &begin_statement, deadline_mono_us, true);
	*tx = (struct rt_pg_tx){pg, deadline_mono_us, pg->tx_number};
	return rt_ok();
}

struct rt_status rt_pg_begin_snapshot(struct rt_pg *pg, int64_t deadline_mono_us,
				      struct rt_pg_tx *tx)
{
	want_tx(pg, &begin_snapshot_statement, deadline_mono_us, true);
	*tx = (struct rt_pg_tx){pg, deadline_mono_us, pg->tx_number};
	return rt_ok();
}

static struct rt_status commit(struct rt_pg *pg)
{
	if (pg->tx == PG_TX_WANTED)
		return rt_ok(); /* nothing was sent */
	struct rt_status status = rt_pg_send_commit(pg);
	return rt_is_ok(&status) ? rt_pg_receive(pg, NULL, 0) : status;
}

struct rt_status rt_pg_commit(struct rt_pg_tx *tx)
{
	struct rt_pg *pg = tx->pg;
	tx->pg = NULL;
	if (pg == NULL || tx->number != pg->tx_number)
		return RT_FAIL(INTERNAL, "TRANSACTION_GONE", "there is no open transaction");
	RT_ASSERT(pg->op_count == 0);
	struct rt_status status = commit(pg);
	pg->tx = PG_TX_NONE;
	return status;
}

void rt_pg_tx_cleanup(struct rt_pg_tx *tx)
{
	if (tx->pg != NULL && tx->number == tx->pg->tx_number)
		rt_pg_abandon(tx->pg);
	tx->pg = NULL;
}

struct rt_status rt_pg_send_begin(struct rt_pg *pg, int64_t deadline_mono_us)
{
	want_tx(pg, &begin_statement, deadline_mono_us, false);
	return rt_ok();
}

struct rt_status rt_pg_send(struct rt_pg *pg, const struct rt_pg_statement *statement,
			    const struct rt_pg_params *params)
{
	struct rt_status status = pg_tx_enter(pg);
	if (rt_is_ok(&status))
		status = pg_queue(pg, PG_OP_STATEMENT, statement, params);
	if (rt_is_ok(&status))
		status = pg_drain(pg, params);
	if (!rt_is_ok(&status))
		pg_tx_fail(pg);
	return status;
}

/* COMMIT itself is queued by _receive: even closing the connection would send it. */
struct rt_status rt_pg_send_commit(struct rt_pg *pg)
{
	struct rt_status status = pg_tx_enter(pg);
	if (rt_is_ok(&status))
		pg->tx = PG_TX_COMMITTING;
	else
		pg_tx_fail(pg);
	return status;
}

static struct rt_status receive(struct rt_pg *pg, struct pg_answer *answer)
{
	if (pg->tx == PG_TX_COMMITTING)
		RT_TRY(pg_queue(pg, PG_OP_COMMIT, &commit_statement, NULL));
	RT_TRY(pg_queue_sync(pg));
	return pg_round_trip(pg, pg->deadline_mono_us, answer);
}

struct rt_status rt_pg_receive(struct rt_pg *pg, struct rt_pg_rows *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct rt_pg_rows){0};
	if (pg->tx == PG_TX_WANTED)
		return rt_ok(); /* nothing was sent */
	if (pg->tx != PG_TX_OPEN && pg->tx != PG_TX_COMMITTING)
		return RT_FAIL(INTERNAL, "TRANSACTION_GONE", "there is no open transaction");
	RT_ASSERT(rows == NULL || count == pg->statement_count);
	struct pg_answer answer = {.rows = rows, .rows_max = count};
	struct rt_status status = receive(pg, &answer);
	if (!rt_is_ok(&status))
		pg_tx_fail(pg);
	else if (answer.committed)
		pg->tx = PG_TX_NONE;
	return status;
}

bool rt_pg_is_open(const struct rt_pg *pg)
{
	return pg->tx == PG_TX_OPEN;
}

void rt_pg_abandon(struct rt_pg *pg)
{
	if (pg->tx == PG_TX_OPEN || pg->tx == PG_TX_COMMITTING)
		pg_tx_fail(pg);
	pg->tx = PG_TX_NONE;
}
