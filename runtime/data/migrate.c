/* Schema migrations. The table of what was applied is also the lock by which several take turns:
 * EXCLUSIVE keeps out each other, and lets running services read. */
#include "rt/migrate.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "migrate_text.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/log.h"

#define CHECKSUM_BYTES 32
#define ARENA_BYTES    ((size_t)64 * 1024)
#define CHECK_US       (10 * RT_US_PER_S)

static const struct rt_pg_statement table_exists = {
	"rt_migrate_exists", "SELECT to_regclass('schema_migrations') IS NOT NULL"};
static const struct rt_pg_statement role_exists = {
	"rt_migrate_role", "SELECT count(*) FROM pg_roles WHERE rolname = $1"};
static const struct rt_pg_statement rights = {
	"rt_migrate_rights", "SELECT has_database_privilege($1, current_database(), 'CONNECT'),"
			     "       has_schema_privilege($1, current_schema(), 'USAGE'),"
			     "       has_table_privilege($1, 'schema_migrations', 'SELECT')"};
static const struct rt_pg_statement lock_table = {"rt_migrate_lock",
						  "LOCK TABLE schema_migrations IN EXCLUSIVE MODE"};
static const struct rt_pg_statement applied_rows = {
	"rt_migrate_applied", "SELECT number, checksum FROM schema_migrations ORDER BY number"};
static const struct rt_pg_statement record_row = {
	"rt_migrate_record",
	"INSERT INTO schema_migrations (number, name, checksum, applied_at, applied_by)"
	" VALUES ($1, $2, $3, now(), session_user)"};

static const char create_table[] = "CREATE TABLE IF NOT EXISTS schema_migrations ("
				   "  number integer PRIMARY KEY,"
				   "  name text NOT NULL,"
				   "  checksum bytea NOT NULL CHECK (octet_length(checksum) = 32),"
				   "  applied_at timestamptz NOT NULL,"
				   "  applied_by text NOT NULL)";

/* The plain SHA-256 of the file, so that sha256sum shows the same. */
static void checksum_of(const struct rt_migration *migration, uint8_t checksum[CHECKSUM_BYTES])
{
	int ok = EVP_Digest(migration->sql, strlen(migration->sql), checksum, NULL, EVP_sha256(),
			    NULL);
	RT_ASSERT(ok == 1);
}

static void check_numbers(const struct rt_migration *migrations, size_t count)
{
	for (size_t i = 0; i < count; i++)
		RT_ASSERT(migrations[i].number == (int)i + 1);
}

static bool same_checksum(const struct rt_pg_rows *rows, int row,
			  const struct rt_migration *migration)
{
	uint8_t checksum[CHECKSUM_BYTES];
	size_t length;
	checksum_of(migration, checksum);
	const uint8_t *recorded = rt_pg_bytes(rows, row, 1, &length);
	return recorded != NULL && length == CHECKSUM_BYTES &&
	       memcmp(recorded, checksum, CHECKSUM_BYTES) == 0;
}

/* What is applied must be the beginning of what the program has. */
static struct rt_status compare(const struct rt_pg_rows *rows,
				const struct rt_migration *migrations, size_t count)
{
	for (int row = 0; row < rows->count; row++) {
		int64_t number = rt_pg_int(rows, row, 0);
		if (number < 1 || (uint64_t)number > count)
			return RT_FAIL(FAILED_PRECONDITION, "MIGRATION_UNKNOWN",
				       "the database has migration %lld, which this program does "
				       "not know",
				       (long long)number);
		if (number != row + 1)
			return RT_FAIL(FAILED_PRECONDITION, "MIGRATION_UNKNOWN",
				       "the record of migration %d is missing", row + 1);
		if (!same_checksum(rows, row, &migrations[row]))
			return RT_FAIL(FAILED_PRECONDITION, "MIGRATION_EDITED",
				       "migration %s is not the one that was applied",
				       migrations[row].name);
	}
	return rt_ok();
}

static struct rt_status ask_bool(struct rt_pg *pg, const struct rt_pg_statement *statement,
				 int64_t deadline_mono_us, bool *answer)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	RT_TRY(rt_pg_run(pg, statement, NULL, deadline_mono_us, &rows));
	*answer = rt_pg_bool(&rows, 0, 0);
	return rt_ok();
}

/* IF NOT EXISTS does not keep two from colliding in the catalogues, which is told in several ways:
 * whoever failed looks whether it is there now. */
static struct rt_status ensure_table(struct rt_pg *pg)
{
	bool exists = false;
	RT_TRY(ask_bool(pg, &table_exists, RT_NO_DEADLINE, &exists));
	if (exists)
		return rt_ok();
	struct rt_status status = rt_pg_script(pg, create_table, RT_NO_DEADLINE);
	if (rt_is_ok(&status))
		return status;
	RT_TRY(ask_bool(pg, &table_exists, RT_NO_DEADLINE, &exists));
	return exists ? rt_ok() : status;
}

static struct rt_status require_role(struct rt_pg *pg, const struct rt_pg_params *role)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	RT_TRY(rt_pg_run(pg, &role_exists, role, RT_NO_DEADLINE, &rows));
	if (rt_pg_int(&rows, 0, 0) == 0)
		return RT_FAIL(FAILED_PRECONDITION, "ROLE_UNKNOWN",
			       "the runtime role does not exist in the database");
	return rt_ok();
}

static struct rt_status run_for_role(struct rt_pg *pg, const char *sql, const char *runtime_role)
{
	char *text = migrate_text(sql, runtime_role);
	struct rt_status status = rt_pg_script(pg, text, RT_NO_DEADLINE);
	free(text);
	return status;
}

/* Grants only what is missing: the owner of the schema need not own the database. */
static struct rt_status grant_missing(struct rt_pg *pg, const struct rt_pg_params *role,
				      const char *runtime_role)
{
	static const char *const grants[] = {
		"DO $do$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I',"
		" current_database(), current_setting('daler.runtime_role')); END $do$",
		"DO $do$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I',"
		" current_schema(), current_setting('daler.runtime_role')); END $do$",
		"GRANT SELECT ON schema_migrations TO :runtime_role",
	};
	static const struct rt_pg_statement name_role = {
		"rt_migrate_name_role", "SELECT set_config('daler.runtime_role', $1, true)"};
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	RT_TRY(rt_pg_run(pg, &rights, role, RT_NO_DEADLINE, &rows));
	RT_TRY(rt_pg_run(pg, &name_role, role, RT_NO_DEADLINE, NULL));
	for (int i = 0; i < 3; i++)
		if (!rt_pg_bool(&rows, 0, i))
			RT_TRY(run_for_role(pg, grants[i], runtime_role));
	return rt_ok();
}

/* In turn, because two that grant at once collide. */
static struct rt_status ensure_rights(struct rt_pg *pg, const char *runtime_role)
{
	struct rt_pg_params role;
	rt_pg_params_init(&role, NULL);
	rt_pg_add_text(&role, runtime_role);
	RT_TRY(require_role(pg, &role));
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	RT_TRY(rt_pg_begin(pg, RT_NO_DEADLINE, &tx));
	RT_TRY(rt_pg_run(pg, &lock_table, NULL, RT_NO_DEADLINE, NULL));
	RT_TRY(grant_missing(pg, &role, runtime_role));
	return rt_pg_commit(&tx);
}

static struct rt_status record(struct rt_pg *pg, const struct rt_migration *migration)
{
	uint8_t checksum[CHECKSUM_BYTES];
	checksum_of(migration, checksum);
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	rt_arena_init(&arena, ARENA_BYTES);
	struct rt_pg_params params;
	rt_pg_params_init(&params, &arena);
	rt_pg_add_int(&params, migration->number);
	rt_pg_add_text(&params, migration->name);
	rt_pg_add_bytes(&params, checksum, sizeof(checksum));
	return rt_pg_run(pg, &record_row, &params, RT_NO_DEADLINE, NULL);
}

/* Applies the next one that is missing, if there is one, in a turn of its own. */
static struct rt_status apply_next(struct rt_pg *pg, const struct rt_migration *migrations,
				   size_t count, const char *runtime_role, bool *applied)
{
	*applied = false;
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	RT_TRY(rt_pg_begin(pg, RT_NO_DEADLINE, &tx));
	RT_TRY(rt_pg_run(pg, &lock_table, NULL, RT_NO_DEADLINE, NULL));
	RT_TRY(rt_pg_run(pg, &applied_rows, NULL, RT_NO_DEADLINE, &rows));
	RT_TRY(compare(&rows, migrations, count));
	if ((size_t)rows.count == count)
		return rt_ok();
	const struct rt_migration *next = &migrations[rows.count];
	RT_LOG(INFO, "migration_begun", RT_TEXT("migration", next->name));
	struct rt_status status = run_for_role(pg, next->sql, runtime_role);
	if (!rt_is_ok(&status))
		RT_LOG(ERROR, "migration_failed", RT_TEXT("migration", next->name),
		       RT_STATUS(&status));
	RT_TRY(status);
	RT_TRY(record(pg, next));
	RT_TRY(rt_pg_commit(&tx));
	RT_LOG(INFO, "migration_applied", RT_TEXT("migration", next->name));
	*applied = true;
	return rt_ok();
}

struct rt_status rt_migrate(struct rt_pg *pg, const struct rt_migration *migrations, size_t count,
			    const char *runtime_role, size_t *applied)
{
	*applied = 0;
	check_numbers(migrations, count);
	RT_TRY(ensure_table(pg));
	RT_TRY(ensure_rights(pg, runtime_role));
	for (size_t i = 0; i <= count; i++) {
		bool one = false;
		RT_TRY(apply_next(pg, migrations, count, runtime_role, &one));
		if (!one)
			return rt_ok();
		++*applied;
	}
	return rt_ok();
}

struct rt_status rt_migrate_check(struct rt_pg *pg, const struct rt_migration *migrations,
				  size_t count)
{
	check_numbers(migrations, count);
	int64_t deadline_us = rt_clock_mono_us() + CHECK_US;
	bool exists = false;
	RT_TRY(ask_bool(pg, &table_exists, deadline_us, &exists));
	if (!exists)
		return RT_FAIL(FAILED_PRECONDITION, "SCHEMA_OLD",
			       "the database has no schema; run the command migrate");
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	RT_TRY(rt_pg_run(pg, &applied_rows, NULL, deadline_us, &rows));
	RT_TRY(compare(&rows, migrations, count));
	if ((size_t)rows.count < count)
		return RT_FAIL(FAILED_PRECONDITION, "SCHEMA_OLD",
			       "migration %s is not applied; run the command migrate",
			       migrations[rows.count].name);
	return rt_ok();
}
