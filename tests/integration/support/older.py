"""Databases as earlier versions of a service left them, with rows of those versions."""

import hashlib
import os
import pathlib
import subprocess

from . import environment
from .client import PATIENCE
from .replicas import Replica

RECORDS = """
CREATE TABLE schema_migrations (number integer PRIMARY KEY, name text NOT NULL,
    checksum bytea NOT NULL CHECK (octet_length(checksum) = 32), applied_at timestamptz NOT NULL, applied_by text NOT NULL);
"""


def migrations(service):
    return sorted((environment.ROOT / "services" / service / "migrations").glob("*.sql"))


def psql(conninfo, script, *words):
    """What a script prints."""
    result = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *words, "-d", conninfo, "-f", "-"],
                            input=script, capture_output=True, text=True, timeout=60 * PATIENCE)
    assert result.returncode == 0, result.stderr
    return result.stdout


class OldDatabase:
    """A service's database with the first `version` migrations, applied and recorded as the service does it; 0: an empty
    one."""

    def __init__(self, service, version):
        self.service, self.version = service, version
        self._now = os.environ[f"DALER_{service.upper()}_DB"]
        self.name = f"daler_{service}_{version}"
        self.conninfo = self._elsewhere(self._now)
        environment.sql("super", f"CREATE DATABASE {self.name} OWNER {service}_owner")
        self._columns = self._read_columns(
            (RECORDS if version else "") + "".join(map(self._applied, migrations(service)[:version])))

    def _elsewhere(self, conninfo):
        name = f"dbname=daler_{self.service}"
        assert f"{name} " in conninfo, "the name of the database stands in its address"
        return conninfo.replace(name, f"dbname={self.name}")

    def _applied(self, path):
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        return (f"BEGIN;\n{path.read_text(encoding='utf-8')}\nINSERT INTO schema_migrations VALUES ({int(path.name[:4])},"
                f" '{path.stem}', '\\x{checksum}', now(), session_user);\nCOMMIT;\n")

    def run(self, script):
        return psql(self.conninfo, script, "-v", f"runtime_role={self.service}_service")

    def _read_columns(self, script):
        """{table: [(column, type)]} of this version, when the script has run."""
        rows = self.run(f"SET client_min_messages = error;\n{script}\\pset format unaligned\n\\pset tuples_only on\n"
                        "\\pset fieldsep ' '\nSELECT table_name, column_name, data_type FROM information_schema.columns"
                        " WHERE table_schema = 'public' ORDER BY table_name, ordinal_position;\n")
        found = {}
        for row in rows.splitlines():
            table, column, kind = row.split(" ", 2)
            found.setdefault(table, []).append((column, kind))
        return found

    def fill(self, tables, ledger_ids, expression=lambda table, column, kind: column, after=""):
        """Copies these ledgers' rows from the service's database of today: its tables in this order, the columns that there
        were, each by its `expression` in today's; `after` is SQL that follows."""
        columns, script = self._columns, ["\\pset format unaligned"]
        ledgers = ", ".join(f"'{ledger_id}'" for ledger_id in ledger_ids)
        for table in tables:
            if table not in columns:
                continue
            names = ", ".join(column for column, _ in columns[table])
            values = ", ".join(expression(table, column, kind) for column, kind in columns[table])
            script += [f"\\echo 'COPY {table} ({names}) FROM stdin;'",
                       f"COPY (SELECT {values} FROM {table} WHERE ledger_id IN ({ledgers})) TO stdout;", "\\echo '\\\\.'"]
        self.run(psql(self._now, "\n".join(script) + "\n") + after)

    def replica(self, **settings):
        """A process of today's service for this database, which is not started before its block."""
        replica = Replica(self.service, **settings)
        replica.change("DATABASE", self._elsewhere)
        return replica

    def migrate(self):
        """With today's program."""
        self.migrating().command("migrate")

    def migrating(self):
        """A process that may migrate, which is not run yet."""
        owner = " ".join(word for word in self.conninfo.split() if not word.startswith("password="))
        secret = pathlib.Path(os.environ["DALER_HOME"]) / "secrets" / f"{self.service}_owner.password"
        return self.replica(DATABASE_OWNER=owner, DATABASE_OWNER_PASSWORD_FILE=secret)
