#include "rt/schema.h"

#include <stdlib.h>

#include "rt/log.h"
#include "rt/process.h"

#define WAIT_MS_MIN 200
#define WAIT_MS_MAX 5000

int rt_schema_migrate(const struct rt_schema *schema, const struct rt_database_config *database)
{
	struct rt_secret password;
	size_t applied = 0;

	rt_process_must("migrate",
			rt_secret_read_file(database->db_owner_password_file, &password));
	const struct rt_pg_config owner = {
		.conninfo = database->db_owner, .password = &password, .application = "migrate"};
	struct rt_pg *pg = rt_pg_new(&owner);

	rt_process_must("migrate", rt_migrate(pg, schema->migrations, schema->count,
					      database->db_runtime_role, &applied));
	RT_LOG(INFO, "migrated", RT_INT("applied", (int64_t)applied),
	       RT_INT("schema", (int64_t)schema->count));
	rt_pg_destroy(pg);
	rt_secret_deinit(&password);
	return EXIT_SUCCESS;
}

bool rt_schema_await(const struct rt_schema *schema, const struct rt_pg_config *config)
{
	struct rt_pg *pg = rt_pg_new(config);
	struct rt_status status = rt_migrate_check(pg, schema->migrations, schema->count);
	bool asked_to_end = false;

	for (int64_t pause_ms = WAIT_MS_MIN; rt_code_retryable(status.code) && !asked_to_end;
	     pause_ms = pause_ms * 2 > WAIT_MS_MAX ? WAIT_MS_MAX : pause_ms * 2) {
		RT_LOG(WARN, "database_awaited", RT_STATUS(&status));
		asked_to_end = !rt_process_wait_ms(pause_ms);
		if (!asked_to_end)
			status = rt_migrate_check(pg, schema->migrations, schema->count);
	}
	rt_pg_destroy(pg);
	if (asked_to_end)
		return false;
	rt_process_must("start", status);
	return true;
}
