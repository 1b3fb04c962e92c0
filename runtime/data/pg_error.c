/* SQLSTATEs to statuses. Source: PostgreSQL's appendix of error codes (errcodes.txt). */
#include <stdio.h>
#include <string.h>

#include "pg_internal.h"
#include "rt/log.h"

enum meaning {
	MEANS_DEFECT,
	MEANS_UNAVAILABLE,
	MEANS_CONFLICT,
	MEANS_DEADLINE,
	MEANS_UNIQUE,
	MEANS_CONSTRAINT,
	MEANS_UNKNOWN_OUTCOME,
};

/* A class (two characters) or a whole state; `breaks`: the connection is to be made anew. */
struct state_row {
	const char *state;
	enum meaning meaning;
	bool breaks;
};

/* The first row that fits counts: states before their classes. */
static const struct state_row state_rows[] = {
	{"08", MEANS_UNAVAILABLE, true}, /* connection exceptions */
	{"23505", MEANS_UNIQUE, false},
	{"23", MEANS_CONSTRAINT, false},    /* check, foreign key, exclusion, not null */
	{"25006", MEANS_UNAVAILABLE, true}, /* read only: the server was demoted */
	{"25P03", MEANS_UNAVAILABLE, true}, /* idle in transaction for too long */
	{"26000", MEANS_UNAVAILABLE, true}, /* the statement is not prepared: a pooler between us */
	{"40003", MEANS_UNKNOWN_OUTCOME, true},
	{"40", MEANS_CONFLICT, false},      /* serialization failure, deadlock */
	{"42P05", MEANS_UNAVAILABLE, true}, /* prepared already: a pooler between us */
	{"53", MEANS_UNAVAILABLE, false},   /* disk full, out of memory, too many connections */
	{"55P03", MEANS_CONFLICT, false},   /* lock timeout, NOWAIT */
	{"57014", MEANS_DEADLINE, false},   /* statement timeout, cancel request */
	{"57", MEANS_UNAVAILABLE, true},    /* shutting down, crashed, starting */
	{"58", MEANS_UNAVAILABLE, false},   /* the system below the server */
};

static const struct state_row *find_state(const char *state)
{
	for (size_t i = 0; i < sizeof(state_rows) / sizeof(state_rows[0]); i++)
		if (strncmp(state_rows[i].state, state, strlen(state_rows[i].state)) == 0)
			return &state_rows[i];
	return NULL;
}

bool pg_state_breaks(const char *state)
{
	const struct state_row *row = find_state(state);
	return row != NULL && row->breaks;
}

struct rt_status pg_state_status(const char *state, const char *statement)
{
	const struct state_row *row = find_state(state);
	switch (row == NULL ? MEANS_DEFECT : row->meaning) {
	case MEANS_UNAVAILABLE:
		return RT_FAIL(UNAVAILABLE, "DATABASE_UNAVAILABLE",
			       "%s: the database can't now (%s)", statement, state);
	case MEANS_CONFLICT:
		return RT_FAIL(ABORTED, "CONFLICT", "%s: lost against another transaction (%s)",
			       statement, state);
	case MEANS_DEADLINE:
		return RT_FAIL(DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "%s: cancelled (%s)",
			       statement, state);
	case MEANS_UNIQUE:
		return RT_FAIL(ALREADY_EXISTS, "UNIQUE_VIOLATION", "%s: it exists already",
			       statement);
	case MEANS_CONSTRAINT:
		return RT_FAIL(FAILED_PRECONDITION, "CONSTRAINT_VIOLATION",
			       "%s: a constraint forbids it (%s)", statement, state);
	case MEANS_UNKNOWN_OUTCOME:
		return RT_FAIL(OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN",
			       "%s: whether it was committed is not known", statement);
	case MEANS_DEFECT:
	default:
		return RT_FAIL(INTERNAL, "DATABASE_ERROR", "%s: the database refused it (%s)",
			       statement, state);
	}
}

static const char *field_of(const PGresult *result, int code, const char *otherwise)
{
	const char *text = PQresultErrorField(result, code);
	return text == NULL ? otherwise : text;
}

/* What the server says is for the log alone: callers get the status. */
static void record(const PGresult *result, const char *state, const char *statement,
		   const struct rt_status *status)
{
	const char class[3] = {state[0], state[1], '\0'};
	rt_series_add(RT_SERIES(PG_ERRORS, class), 1);
	const char *message = field_of(result, PG_DIAG_MESSAGE_PRIMARY, "");
	if (status->code == RT_INTERNAL)
		RT_LOG(WARN, "database_error", RT_TEXT("statement", statement),
		       RT_TEXT("sqlstate", state), RT_TEXT("message", message));
	else
		RT_LOG(DEBUG, "database_error", RT_TEXT("statement", statement),
		       RT_TEXT("sqlstate", state), RT_TEXT("message", message));
}

struct rt_status pg_error_status(const PGresult *result, const char *statement,
				 enum pg_severity *severity)
{
	/* libpq's own errors, a lost connection above all, have no SQLSTATE. */
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *word = field_of(result, PG_DIAG_SEVERITY_NONLOCALIZED, "FATAL");
	*severity = state == NULL || strcmp(word, "ERROR") != 0 ? PG_ENDS_CONNECTION : PG_FAILS;
	if (state == NULL || strlen(state) != 5)
		state = "08006";
	/* A migration changed what a prepared statement returns: as if it were not prepared. */
	if (strcmp(field_of(result, PG_DIAG_SOURCE_FUNCTION, ""), "RevalidateCachedQuery") == 0)
		state = "26000";
	if (*severity == PG_FAILS && pg_state_breaks(state))
		*severity = PG_WANTS_NEW_CONNECTION;
	struct rt_status status = pg_state_status(state, statement);
	const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	if (constraint == NULL && status.code == RT_FAILED_PRECONDITION)
		constraint = PQresultErrorField(result, PG_DIAG_COLUMN_NAME); /* not null */
	if (constraint != NULL)
		snprintf(status.field, sizeof(status.field), "%s", constraint);
	record(result, state, statement, &status);
	return status;
}
