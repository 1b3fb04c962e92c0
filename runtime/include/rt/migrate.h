/* Schema migrations: numbered, embedded, applied in order, each in a transaction with its own
 * record. For main.c. */
#pragma once

#include <stddef.h>

#include "rt/pg.h"
#include "rt/status.h"

struct rt_migration {
	int number;       /* 1, 2, 3 ... without gaps */
	const char *name; /* "0001_ledgers" */
	const char *sql;  /* `:runtime_role` stands for the quoted name of the runtime role */
};

/* Applies what is missing, as the schema's owner, and grants the runtime role what it lacks to
 * connect and to read the record table `schema_migrations`. Two at once are safe: they take turns
 * by a lock on that table. A migration must not begin or end a transaction by itself (INTERNAL
 * SCRIPT_ENDED_TRANSACTION). `:runtime_role` is put in where it stands in plain SQL: not in string
 * literals, dollar quotes (so not in the body of DO), quoted identifiers or comments. Errors:
 * FAILED_PRECONDITION MIGRATION_EDITED (checksum differs from the applied one), MIGRATION_UNKNOWN
 * (the database is newer than this program), ROLE_UNKNOWN; what PostgreSQL says otherwise. */
struct rt_status rt_migrate(struct rt_pg *pg, const struct rt_migration *migrations, size_t count,
			    const char *runtime_role, size_t *applied);

/* What a service asks before it serves, as its runtime role: the schema is exactly the one it was
 * built for. Errors: FAILED_PRECONDITION SCHEMA_OLD (run migrate), MIGRATION_EDITED,
 * MIGRATION_UNKNOWN. */
struct rt_status rt_migrate_check(struct rt_pg *pg, const struct rt_migration *migrations,
				  size_t count);
