/* A service's schema over its life: brought up to date by a command of its own, and waited for
 * before the service serves. For main.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "rt/config.h"
#include "rt/migrate.h"
#include "rt/pg.h"

/* The migrations that a service was built with: its `migrations/`, embedded. */
struct rt_schema {
	const struct rt_migration *migrations;
	size_t count;
};

/* The command `migrate`: applies what is missing, as the schema's owner, logs how many that were,
 * and returns EXIT_SUCCESS. Ends the process when it fails. */
int rt_schema_migrate(const struct rt_schema *schema, const struct rt_database_config *database);
/* Returns true when the schema is the one that the service was built for. A database that can't be
 * reached yet is waited for, with a log line each time: false when the process was asked to end
 * meanwhile. Another schema ends the process (the errors of rt_migrate_check). Blocks. */
bool rt_schema_await(const struct rt_schema *schema, const struct rt_pg_config *config);
