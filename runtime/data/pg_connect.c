/* Connecting, and connecting again. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg_internal.h"
#include "rt/assert.h"
#include "rt/log.h"

#define CONNECT_MS       5000
#define BACKOFF_MS_LEAST 50
#define BACKOFF_MS_MOST  5000
/* A call waits this long for the next attempt rather than fail at once. */
#define BACKOFF_WAIT_US  (250 * RT_US_PER_MS)
#define KEYWORDS_MAX     64
/* The server takes 10,000 bytes to begin with in all. */
#define OPTIONS_BYTES    8192

/* What a session may be told otherwise by `options` in the connection string. A client that is gone
 * is noticed within seconds, so that its locks do not outlive it. A statement's plan does not
 * depend on the values of its first calls: statistics say nothing of rows that came since, and a
 * plan made for "no such row" has cost a thousand times what it should. It has no parallel workers
 * either: they take longer to start than any of our statements to run, and a plan that doesn't know
 * how short its page is (LIMIT $n) asks for them. */
#define SOFT_OPTIONS                                                                               \
	"-c idle_in_transaction_session_timeout=10s -c client_connection_check_interval=1s "       \
	"-c tcp_keepalives_idle=15 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 "        \
	"-c jit=off -c plan_cache_mode=force_generic_plan -c max_parallel_workers_per_gather=0"
/* What it may not: an acknowledged write has to be on disk. */
#define HARD_OPTIONS                                                                               \
	"-c synchronous_commit=on -c default_transaction_isolation=read\\ committed "              \
	"-c TimeZone=UTC"

/* Keywords for libpq; the later of two with the same name wins. */
struct keywords {
	const char *names[KEYWORDS_MAX + 1];
	const char *values[KEYWORDS_MAX + 1];
	int count;
	char options[OPTIONS_BYTES];
};

static void free_options(PQconninfoOption **options)
{
	PQconninfoFree(*options);
}

static PQconninfoOption *parse(const char *conninfo)
{
	char *error = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &error);
	PQfreemem(error); /* quotes the string, so it is not shown */
	return options;
}

struct rt_status rt_pg_check_conninfo(const char *conninfo)
{
	CLEANUP(free_options) PQconninfoOption *options = parse(conninfo);
	if (options == NULL)
		return RT_FAIL(INVALID_ARGUMENT, "INVALID_SETTING",
			       "the connection string is malformed; allowed: libpq's keyword=value "
			       "pairs, or postgresql://");
	return rt_ok();
}

struct rt_pg *rt_pg_new(const struct rt_pg_config *config)
{
	struct rt_pg *pg = calloc(1, sizeof(*pg));
	RT_ASSERT(pg != NULL);
	pg->conninfo = strdup(config->conninfo);
	RT_ASSERT(pg->conninfo != NULL);
	pg->password = config->password;
	pg->session = config->session == NULL ? "" : config->session;
	snprintf(pg->application, sizeof(pg->application), "%s",
		 config->application == NULL ? "daler" : config->application);
	pg->connect_us_max =
		(config->connect_ms_max == 0 ? CONNECT_MS : config->connect_ms_max) * RT_US_PER_MS;
	pg->timeout_ms = -1;
	return pg;
}

void pg_disconnect(struct rt_pg *pg)
{
	PQfinish(pg->conn);
	pg->conn = NULL;
	pg->timeout_ms = -1;
	pg->may_commit = false;
	pg->broken = false;
	pg->op_count = 0;
	pg->op_done = 0;
	pg->prelude_ops = 0;
	pg->op_answered = false;
	pg->statement_count = 0;
	pg_prepared_forget(pg);
	if (pg->tx == PG_TX_OPEN || pg->tx == PG_TX_COMMITTING)
		pg->tx = pg->tx_scoped ? PG_TX_GONE : PG_TX_NONE;
}

void rt_pg_destroy(struct rt_pg *pg)
{
	if (pg == NULL)
		return;
	pg_disconnect(pg);
	rt_wipe(pg->conninfo, strlen(pg->conninfo));
	free(pg->conninfo);
	free(pg);
}

static void set(struct keywords *keywords, const char *name, const char *value)
{
	for (int i = 0; i < keywords->count; i++) {
		if (strcmp(keywords->names[i], name) == 0) {
			keywords->values[i] = value;
			return;
		}
	}
	RT_ASSERT(keywords->count < KEYWORDS_MAX);
	keywords->names[keywords->count] = name;
	keywords->values[keywords->count] = value;
	keywords->count++;
}

/* Ours first, then the connection string's, then what is not open to choice: false when they don't
 * fit, because what would be cut off is what an acknowledged write relies on. */
static bool fill_keywords(struct keywords *keywords, const struct rt_pg *pg,
			  const PQconninfoOption *options)
{
	const char *session = "";
	set(keywords, "application_name", pg->application);
	set(keywords, "target_session_attrs", "read-write"); /* never a standby */
	set(keywords, "gssencmode", "disable");
	set(keywords, "keepalives_idle", "15");
	set(keywords, "keepalives_interval", "5");
	set(keywords, "keepalives_count", "3");
	set(keywords, "tcp_user_timeout", "10000");
	for (; options->keyword != NULL; options++) {
		if (options->val == NULL)
			continue;
		if (strcmp(options->keyword, "options") == 0)
			session = options->val;
		else
			set(keywords, options->keyword, options->val);
	}
	int length = snprintf(keywords->options, sizeof(keywords->options), "%s %s %s %s",
			      SOFT_OPTIONS, pg->session, session, HARD_OPTIONS);
	set(keywords, "options", keywords->options);
	set(keywords, "client_encoding", "UTF8");
	if (pg->password != NULL)
		set(keywords, "password", rt_secret_bytes(pg->password));
	return length > 0 && (size_t)length < sizeof(keywords->options);
}

/* Notices are for whoever debugs; libpq would print them. */
static void take_notice(void *unused, const char *message)
{
	(void)unused;
	RT_LOG(DEBUG, "database_notice", RT_TEXT("message", message));
}

static bool finish_connecting(PGconn *conn, int64_t deadline_mono_us)
{
	PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
	while (wanted == PGRES_POLLING_READING || wanted == PGRES_POLLING_WRITING) {
		struct pollfd wait = {
			.fd = PQsocket(conn),
			.events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT,
		};
		int left_ms = rt_clock_left_ms(deadline_mono_us, 60000);
		if (left_ms == 0)
			return false;
		int ready = poll(&wait, 1, left_ms);
		if (ready < 0 && errno != EINTR)
			return false;
		if (ready > 0)
			wanted = PQconnectPoll(conn);
	}
	return wanted == PGRES_POLLING_OK && PQsetnonblocking(conn, 1) == 0 &&
	       PQenterPipelineMode(conn) == 1;
}

static PGconn *start_connecting(const struct rt_pg *pg)
{
	CLEANUP(free_options) PQconninfoOption *options = parse(pg->conninfo);
	if (options == NULL)
		return NULL;
	struct keywords keywords = {.count = 0};
	if (!fill_keywords(&keywords, pg, options))
		return NULL;
	PGconn *conn = PQconnectStartParams(keywords.names, keywords.values, 0);
	if (conn != NULL)
		PQsetNoticeProcessor(conn, take_notice, NULL);
	return conn;
}

/* Half of the delay is chance, so that connections that failed together do not return together. */
static int64_t backoff_us(unsigned failures)
{
	int64_t most_ms = BACKOFF_MS_LEAST;
	for (unsigned i = 1; i < failures && most_ms < BACKOFF_MS_MOST; i++)
		most_ms *= 2;
	if (most_ms > BACKOFF_MS_MOST)
		most_ms = BACKOFF_MS_MOST;
	int64_t half_us = most_ms * RT_US_PER_MS / 2;
	return half_us + (int64_t)rt_random_below((uint64_t)half_us);
}

static void record_failure(struct rt_pg *pg, const char *why)
{
	char line[256];
	rt_series_add(RT_SERIES(PG_CONNECTS, "failed"), 1);
	/* libpq's advice follows on further lines. */
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(why, "\n"), why);
	/* Once an outage; every worker tries for ever. */
	if (pg->failures == 0)
		RT_LOG(WARN, "database_unreachable", RT_TEXT("application", pg->application),
		       RT_TEXT("why", line));
	pg->failures++;
	pg->retry_mono_us = rt_clock_mono_us() + backoff_us(pg->failures);
}

static void record_success(struct rt_pg *pg)
{
	rt_series_add(RT_SERIES(PG_CONNECTS, "ok"), 1);
	if (pg->failures > 0)
		RT_LOG(INFO, "database_reached", RT_TEXT("application", pg->application),
		       RT_INT("attempts", pg->failures + 1));
	pg->failures = 0;
	pg->retry_mono_us = 0;
}

static struct rt_status unavailable(const struct rt_pg *pg, const char *why)
{
	struct rt_status status = RT_FAIL(UNAVAILABLE, "DATABASE_UNAVAILABLE",
					  "the database can't be reached: %s", why);
	int64_t left_us = pg->retry_mono_us - rt_clock_mono_us();
	status.retry_after_ms = left_us > 0 ? left_us / RT_US_PER_MS + 1 : 0;
	return status;
}

static struct rt_status open_connection(struct rt_pg *pg, int64_t deadline_mono_us)
{
	int64_t own_us = rt_clock_mono_us() + pg->connect_us_max;
	PGconn *conn = start_connecting(pg);
	if (conn == NULL) {
		record_failure(pg, "the connection string is malformed");
		return unavailable(pg, "the connection string is malformed");
	}
	bool ok = PQstatus(conn) != CONNECTION_BAD &&
		  finish_connecting(conn, own_us < deadline_mono_us ? own_us : deadline_mono_us);
	if (ok) {
		pg->conn = conn;
		record_success(pg);
		return rt_ok();
	}
	bool answered = PQstatus(conn) == CONNECTION_BAD;
	/* The caller's haste says nothing of the database. */
	if (!answered && rt_clock_mono_us() < own_us) {
		PQfinish(conn);
		return RT_FAIL(DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
			       "the deadline passed while connecting to the database");
	}
	record_failure(pg, answered ? PQerrorMessage(conn) : "no answer in time");
	PQfinish(conn);
	return unavailable(pg, answered ? "it refused" : "no answer in time");
}

/* An idle connection has nothing to read, unless the server closed it. Finding that out before
 * something is sent makes the difference between a failure and an unknown outcome. */
static bool looks_alive(PGconn *conn)
{
	for (int i = 0; i < 8; i++) {
		struct pollfd wait = {.fd = PQsocket(conn), .events = POLLIN};
		if (poll(&wait, 1, 0) == 0)
			return PQstatus(conn) == CONNECTION_OK;
		if (!PQconsumeInput(conn) || PQstatus(conn) != CONNECTION_OK)
			return false;
		(void)PQisBusy(conn); /* takes notices in */
	}
	return false;
}

struct rt_status pg_connect(struct rt_pg *pg, int64_t deadline_mono_us)
{
	RT_ASSERT(pg->op_count == 0);
	int64_t now_us = rt_clock_mono_us();
	if (now_us >= deadline_mono_us)
		return RT_FAIL(DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
			       "the deadline passed before the database was asked");
	if (pg->conn != NULL && !looks_alive(pg->conn))
		pg_disconnect(pg);
	if (pg->conn != NULL)
		return rt_ok();
	if (now_us < pg->retry_mono_us) {
		if (pg->retry_mono_us - now_us > BACKOFF_WAIT_US ||
		    pg->retry_mono_us >= deadline_mono_us)
			return unavailable(pg, "waiting to try again");
		rt_clock_sleep_us(pg->retry_mono_us - now_us);
	}
	return open_connection(pg, deadline_mono_us);
}
