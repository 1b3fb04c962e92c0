"""What the services' programs make of the migrations that their databases have: on those that they do not know they neither
start nor build, and of two that migrate at once each migration is applied by one."""

import concurrent.futures
import subprocess
import unittest

from support import environment
from support.cases import DATABASES, Case
from support.older import RECORDS, OldDatabase, migrations
from support.replicas import events

# What becomes of a good database's record, one after the other; why the service does not start then, and why migrate fails.
CHANGES = (
    ("INSERT INTO schema_migrations SELECT number + 1, 'of tomorrow', checksum, now(), 'x' FROM schema_migrations"
     " ORDER BY number DESC LIMIT 1", "MIGRATION_UNKNOWN", "MIGRATION_UNKNOWN"),
    ("DELETE FROM schema_migrations WHERE name = 'of tomorrow'", None, None),
    ("UPDATE schema_migrations SET checksum = set_byte(checksum, 31, get_byte(checksum, 31) # 1) WHERE number = 1",
     "MIGRATION_EDITED", "MIGRATION_EDITED"),
    ("UPDATE schema_migrations SET checksum = set_byte(checksum, 31, get_byte(checksum, 31) # 1) WHERE number = 1",
     None, None),
    ("DELETE FROM schema_migrations WHERE number = (SELECT max(number) FROM schema_migrations)", "SCHEMA_OLD",
     "DATABASE_ERROR"),
    ("DROP TABLE schema_migrations", "SCHEMA_OLD", "DATABASE_ERROR"),
)


class Known(Case):
    def check(self, process, reason, *words):
        """Without a reason it does not end by itself unless its command is done."""
        if reason is not None:
            result = process.run(*words)
            self.assertEqual((result.returncode, reason in result.stderr), (1, True), result.stderr)
            self.assertFalse(environment.listens(process.address))
        elif words:
            process.command(*words)
        else:
            with process:
                self.assertTrue(environment.lives(process.admin))

    def test_a_service_starts_on_the_schema_that_it_knows_alone(self):
        for service in DATABASES:
            database = OldDatabase(service, len(migrations(service)))
            database.migrate()
            self.check(database.replica(), None)
            for change, at_start, at_migrate in CHANGES:
                with self.subTest(service=service, change=change):
                    database.run(change)
                    self.check(database.replica(), at_start)
                    self.check(database.migrating(), at_migrate, "migrate")


class AtOnce(Case):
    WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'"

    def migrate_twice(self, database):
        """Both are begun while somebody else is making their table, who thinks better of it when both wait."""
        with subprocess.Popen(["psql", "-X", "-q", "-d", database.conninfo], stdin=subprocess.PIPE, text=True) as psql, \
                concurrent.futures.ThreadPoolExecutor(2) as pool:
            psql.stdin.write(f"BEGIN; {RECORDS}")
            psql.stdin.flush()
            environment.wait_until(lambda: environment.sql_value(
                "super", f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database.name}'"
                         " AND state = 'idle in transaction'") == "1", 30, "somebody makes the table")
            runs = [pool.submit(database.migrating().run, "migrate") for _ in range(2)]
            environment.wait_until(
                lambda: environment.sql_value("super", self.WAITING.format(database.name)) == "2", 30, "both wait")
            psql.communicate("ROLLBACK;\n")
            return [run.result() for run in runs]

    def test_each_migration_is_applied_once(self):
        for service in DATABASES:
            with self.subTest(service=service):
                results = self.migrate_twice(OldDatabase(service, 0))
                said = "".join(result.stderr for result in results)
                self.assertEqual([result.returncode for result in results], [0, 0], said)
                self.assertEqual(sorted(line["migration"] for line in events(said, "migration_applied")),
                                 [path.stem for path in migrations(service)])
                self.assertEqual(sum(line["applied"] for line in events(said, "migrated")), len(migrations(service)))


if __name__ == "__main__":
    unittest.main()
