/* Migrations against a real database, alone and in competition. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "rt/migrate.h"

#define RUNTIME_ROLE "accounts_service"

static struct rt_pg *pg;

static const struct rt_migration three[] = {
	{1, "0001_first",
	 "CREATE TABLE m_one (id bigint PRIMARY KEY); GRANT SELECT ON m_one TO :runtime_role;"},
	{2, "0002_second",
	 "-- for :runtime_role\nCREATE TABLE m_two (text text DEFAULT ':runtime_role');"},
	{3, "0003_third", "INSERT INTO m_one VALUES (1); CREATE INDEX m_two_text ON m_two (text);"},
};

static int set_up(void **state)
{
	(void)state;
	pg = fixture_pg(0);
	script(pg, "DROP TABLE IF EXISTS schema_migrations, m_one, m_two, m_three");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rt_pg_destroy(pg);
	return 0;
}

/* The runtime role's own connection. */
static struct rt_pg *as_service(struct rt_secret *password)
{
	static char conninfo[256];
	char path[512];
	snprintf(path, sizeof(path), "%s/secrets/accounts_service.password",
		 fixture_env("DALER_HOME"));
	OK(rt_secret_read_file(path, password));
	snprintf(conninfo, sizeof(conninfo),
		 "host=127.0.0.1 port=%d dbname=daler_accounts user=" RUNTIME_ROLE,
		 fixture_port(fixture_env("DALER_ACCOUNTS_DB")));
	return rt_pg_new(&(struct rt_pg_config){
		.conninfo = conninfo, .password = password, .application = "test"});
}

static void test_applied_once(void **state)
{
	(void)state;
	size_t applied = 99;
	OK(rt_migrate(pg, three, 2, RUNTIME_ROLE, &applied));
	assert_int_equal(applied, 2);
	OK(rt_migrate(pg, three, 2, RUNTIME_ROLE, &applied));
	assert_int_equal(applied, 0);
	OK(rt_migrate(pg, three, 3, RUNTIME_ROLE, &applied));
	assert_int_equal(applied, 1);
	assert_int_equal(ask_int("recorded", "SELECT count(*) FROM schema_migrations WHERE "
					     "applied_by = 'accounts_owner'"),
			 3);
	assert_int_equal(ask_int("default_kept",
				 "SELECT count(*) FROM pg_attrdef WHERE adrelid = 'm_two'::regclass"
				 " AND pg_get_expr(adbin, adrelid) LIKE '%:runtime_role%'"),
			 1);
}

static void test_the_service_checks_its_schema(void **state)
{
	(void)state;
	size_t applied;
	struct rt_secret password;
	struct rt_pg *service = as_service(&password);
	FAILS(rt_migrate_check(service, three, 3), FAILED_PRECONDITION, "SCHEMA_OLD");
	OK(rt_migrate(pg, three, 2, RUNTIME_ROLE, &applied));
	OK(rt_migrate_check(service, three, 2));
	FAILS(rt_migrate_check(service, three, 3), FAILED_PRECONDITION, "SCHEMA_OLD");
	FAILS(rt_migrate_check(service, three, 1), FAILED_PRECONDITION, "MIGRATION_UNKNOWN");
	/* It reads what it was granted, and nothing else. */
	OK(rt_pg_script(service, "SELECT id FROM m_one", in_ms(1000)));
	FAILS(rt_pg_script(service, "SELECT text FROM m_two", in_ms(1000)), INTERNAL,
	      "DATABASE_ERROR");
	FAILS(rt_pg_script(service, "DELETE FROM schema_migrations", in_ms(1000)), INTERNAL,
	      "DATABASE_ERROR");
	rt_pg_destroy(service);
	rt_secret_deinit(&password);
}

static void test_edited(void **state)
{
	(void)state;
	size_t applied;
	struct rt_migration edited[3];
	memcpy(edited, three, sizeof(edited));
	edited[0].sql = "CREATE TABLE m_one (id bigint PRIMARY KEY); GRANT SELECT ON m_one TO "
			":runtime_role; ";
	OK(rt_migrate(pg, three, 2, RUNTIME_ROLE, &applied));
	struct rt_status status = rt_migrate(pg, edited, 3, RUNTIME_ROLE, &applied);
	assert_non_null(strstr(status.detail, "0001_first"));
	FAILS(status, FAILED_PRECONDITION, "MIGRATION_EDITED");
	FAILS(rt_migrate_check(pg, edited, 2), FAILED_PRECONDITION, "MIGRATION_EDITED");
	assert_int_equal(ask_int("recorded", "SELECT count(*) FROM schema_migrations"), 2);
}

static void test_unknown(void **state)
{
	(void)state;
	size_t applied;
	OK(rt_migrate(pg, three, 3, RUNTIME_ROLE, &applied));
	FAILS(rt_migrate(pg, three, 2, RUNTIME_ROLE, &applied), FAILED_PRECONDITION,
	      "MIGRATION_UNKNOWN");
	script(pg, "DELETE FROM schema_migrations WHERE number = 2");
	FAILS(rt_migrate(pg, three, 3, RUNTIME_ROLE, &applied), FAILED_PRECONDITION,
	      "MIGRATION_UNKNOWN");
}

static void test_a_failed_one_leaves_nothing(void **state)
{
	(void)state;
	static const struct rt_migration broken[] = {
		{1, "0001_first", "CREATE TABLE m_one (id bigint PRIMARY KEY);"},
		{2, "0002_broken", "CREATE TABLE m_three (id bigint); SELECT 1 / 0;"},
	};
	static const struct rt_migration ends[] = {
		{1, "0001_first", "CREATE TABLE m_one (id bigint PRIMARY KEY);"},
		{2, "0002_ends",
		 "CREATE TABLE m_three (id bigint); COMMIT; CREATE TABLE m_two (id bigint);"},
	};
	size_t applied;
	FAILS(rt_migrate(pg, broken, 2, RUNTIME_ROLE, &applied), INTERNAL, "DATABASE_ERROR");
	assert_int_equal(applied, 1);
	assert_int_equal(
		ask_int("three_there", "SELECT count(*) FROM pg_class WHERE relname = 'm_three'"),
		0);
	FAILS(rt_migrate(pg, ends, 2, RUNTIME_ROLE, &applied), INTERNAL,
	      "SCRIPT_ENDED_TRANSACTION");
	assert_int_equal(ask_int("recorded", "SELECT count(*) FROM schema_migrations"), 1);
}

static void test_unknown_role(void **state)
{
	(void)state;
	size_t applied;
	FAILS(rt_migrate(pg, three, 3, "nobody\"; DROP", &applied), FAILED_PRECONDITION,
	      "ROLE_UNKNOWN");
}

static void test_a_role_with_a_strange_name(void **state)
{
	(void)state;
	size_t applied;
	struct rt_pg *super = rt_pg_new(
		&(struct rt_pg_config){.conninfo = fixture_conninfo("DALER_SUPERUSER_DB", 0)});
	script(super, "CREATE ROLE \"odd \"\" 'name\"");
	OK(rt_migrate(pg, three, 3, "odd \" 'name", &applied));
	assert_int_equal(
		ask_int("granted",
			"SELECT has_table_privilege('odd \" ''name', 'm_one', 'SELECT')::int"),
		1);
	assert_int_equal(ask_int("granted_too",
				 "SELECT has_table_privilege('odd \" ''name', 'schema_migrations',"
				 " 'SELECT')::int"),
			 1);
	script(pg, "DROP TABLE schema_migrations, m_one, m_two; REVOKE ALL ON DATABASE "
		   "daler_accounts FROM \"odd \"\" 'name\"");
	script(super, "DROP ROLE \"odd \"\" 'name\"");
	rt_pg_destroy(super);
}

struct competitor {
	pthread_t thread;
	size_t applied;
	struct rt_status status;
};

static void *compete(void *argument)
{
	struct competitor *competitor = argument;
	struct rt_pg *own = fixture_pg(0);
	competitor->status = rt_migrate(own, three, 3, RUNTIME_ROLE, &competitor->applied);
	rt_pg_destroy(own);
	return NULL;
}

static void test_several_at_once(void **state)
{
	(void)state;
	for (int round = 0; round < 40; round++) {
		struct competitor competitors[6];
		size_t applied = 0;
		script(pg, "DROP TABLE IF EXISTS schema_migrations, m_one, m_two");
		for (int i = 0; i < 6; i++)
			assert_int_equal(pthread_create(&competitors[i].thread, NULL, compete,
							&competitors[i]),
					 0);
		for (int i = 0; i < 6; i++) {
			pthread_join(competitors[i].thread, NULL);
			OK(competitors[i].status);
			applied += competitors[i].applied;
		}
		assert_int_equal(applied, 3);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_applied_once),
		TEST(test_the_service_checks_its_schema),
		TEST(test_edited),
		TEST(test_unknown),
		TEST(test_a_failed_one_leaves_nothing),
		TEST(test_unknown_role),
		TEST(test_a_role_with_a_strange_name),
		TEST(test_several_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
