"""The three schemas by themselves: each constraint refuses what breaks it, whoever writes it; the services' roles can do no
more than they need; what belongs to a ledger is found by its ledger."""

import collections
import json
import re

from support import environment
from support.cases import Case
from support.schemas import DOMAIN_BREAKS, SCHEMAS, STATEMENT_BREAKS

REFUSED = {"c": "23514", "u": "23505", "p": "23505", "f": "23503"}
NOT_NULL, NOT_ALLOWED, DONE = "23502", "42501", "00000"

# Each case is tried by itself, in a transaction that is taken back: what is to be there before, as the owner, and then the
# statement, as the role. The answer is what became of the statement: SQLSTATE and constraint.
ATTEMPTS = """
DO $attempts$
DECLARE
	attempt record;
	state text;
	broken text;
	said jsonb := '[]';
BEGIN
	FOR attempt IN SELECT value->>0 AS before, value->>1 AS statement
		FROM jsonb_array_elements($cases${cases}$cases$) LOOP
		BEGIN
			SET LOCAL ROLE {service}_owner;
			EXECUTE attempt.before;
			SET LOCAL ROLE {role};
			BEGIN
				EXECUTE attempt.statement;
				SET CONSTRAINTS ALL IMMEDIATE;
				state := '{done}';
				broken := '';
			EXCEPTION WHEN OTHERS THEN
				GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, broken = CONSTRAINT_NAME;
			END;
			said := said || jsonb_build_array(jsonb_build_array(state, broken));
			RAISE EXCEPTION USING ERRCODE = 'ZZ001';
		EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
			NULL;
		END;
	END LOOP;
	PERFORM set_config('daler.said', said::text, false);
END $attempts$;
SELECT current_setting('daler.said');
"""

Attempt = collections.namedtuple("Attempt", "what before statement expected")


def attempt_all(service, attempts, role):
    """What became of each, as the service's "owner" or "service" role."""
    script = ATTEMPTS.format(service=service, role=f"{service}_{role}", done=DONE,
                             cases=json.dumps([[one.before, one.statement] for one in attempts]))
    said = json.loads(environment.psql(f"super/daler_{service}", script)[-1][0])
    assert len(said) == len(attempts)
    return [tuple(one) for one in said]


def insert(table, row):
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(row.values())});"


class Schema:
    def __init__(self, service):
        self.service, self.tables = service, SCHEMAS[service]

    def rows(self, statement):
        return environment.sql(self.service, statement)

    def constraints(self):
        """[(table, name, kind)] of all there are; those of types have no table."""
        return self.rows("""SELECT CASE conrelid WHEN 0 THEN '' ELSE conrelid::regclass::text END, conname, contype
            FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND contype <> 'n'""")

    def domain_columns(self):
        """[(table, column, constraint of its type)]"""
        return self.rows("""SELECT attrelid::regclass, attname, conname FROM pg_attribute
            JOIN pg_class ON pg_class.oid = attrelid JOIN pg_constraint ON contypid = atttypid
            WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped""")

    def needed_columns(self):
        """[(table, column)] of those that may not be null."""
        return self.rows("""SELECT attrelid::regclass, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
            AND attnotnull""")

    def columns(self):
        return self.rows("""SELECT attrelid::regclass, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped""")

    def before(self, table, itself=False):
        others = [*self.tables[table].after, *([table] if itself else [])]
        return " ".join(insert(name, self.tables[name].good) for name in others)

    def inserted(self, what, table, change, expected, again=False):
        return Attempt(what, self.before(table, again), insert(table, {**self.tables[table].good, **change}), expected)

    def changed(self, what, table, change, expected):
        """The same, by an update of the row that was good."""
        sets = ", ".join(f"{column} = {value}" for column, value in change.items())
        itself = " AND ".join(f"{column} = {value}" for column, value in list(self.tables[table].good.items())[:2])
        return Attempt(what, self.before(table, True), f"UPDATE {table} SET {sets} WHERE {itself};", expected)


class Constraints(Case):
    def check(self, schema, attempts):
        """The owner is refused by what is expected; the service so too, or because it may not do it at all."""
        for role in ("owner", "service"):
            for attempt, said in zip(attempts, attempt_all(schema.service, attempts, role)):
                wanted = [attempt.expected] if role == "owner" else [attempt.expected, (NOT_ALLOWED, "")]
                if said not in wanted:
                    with self.subTest(role=role, what=attempt.what):
                        self.fail(f"{said}, not {attempt.expected}: {attempt.statement}")

    def test_a_good_row_is_taken(self):
        for schema in map(Schema, SCHEMAS):
            self.assertEqual(set(schema.tables), {table for table, _ in schema.columns()})
            attempts = [schema.inserted(table, table, {}, (DONE, "")) for table in schema.tables]
            for attempt, said in zip(attempts, attempt_all(schema.service, attempts, "owner")):
                self.assertEqual(said, attempt.expected, attempt.statement)

    def test_each_constraint_refuses_what_breaks_it(self):
        for schema in map(Schema, SCHEMAS):
            attempts = []
            for table, name, kind in schema.constraints():
                expected = (REFUSED[kind], name)
                if table == "":
                    self.assertIn(name, DOMAIN_BREAKS if name not in STATEMENT_BREAKS else STATEMENT_BREAKS)
                    continue
                breaks = schema.tables[table].breaks.get(name) or ([{}] if kind == "p" else [])
                with self.subTest(constraint=name):
                    self.assertNotEqual(breaks, [], "nothing in support/schemas.py breaks it")
                for change in breaks:
                    attempts.append(schema.inserted(name, table, change, expected, again=kind in "pu"))
                    if kind in "cf":
                        attempts.append(schema.changed(name, table, change, expected))
            self.check(schema, attempts)

    def test_no_constraint_is_gone(self):
        for schema in map(Schema, SCHEMAS):
            there = {name for _, name, _ in schema.constraints()}
            known = {name for table in schema.tables.values() for name in table.breaks}
            if schema.service == "accounts":
                known |= DOMAIN_BREAKS.keys() | STATEMENT_BREAKS.keys()
            self.assertEqual(known - there, set())

    def test_each_column_is_of_its_type(self):
        for schema in map(Schema, SCHEMAS):
            attempts = []
            for table, column, name in schema.domain_columns():
                for value in DOMAIN_BREAKS[name]:
                    what, expected = f"{table}.{column}", (REFUSED["c"], name)
                    attempts += [schema.inserted(what, table, {column: value}, expected),
                                 schema.changed(what, table, {column: value}, expected)]
            if schema.service == "accounts":
                attempts += [Attempt(name, "SELECT 1", statement, (REFUSED["c"], name))
                             for name, statement in STATEMENT_BREAKS.items()]
                self.assertEqual({name for _, _, name in schema.domain_columns()}, DOMAIN_BREAKS.keys())
            self.check(schema, attempts)

    def test_nothing_is_missing(self):
        for schema in map(Schema, SCHEMAS):
            self.check(schema, [schema.inserted(f"{table}.{column}", table, {column: "NULL"}, (NOT_NULL, ""))
                                for table, column in schema.needed_columns()])


class Roles(Case):
    """What a service's role may do with its tables, tried and not looked up."""

    def test_the_service_may_change_what_it_must(self):
        for schema in map(Schema, SCHEMAS):
            attempts = [Attempt((table, column), "SELECT 1", f"UPDATE {table} SET {column} = {column}", None)
                        for table, column in schema.columns()]
            said = attempt_all(schema.service, attempts, "service")
            self.assertEqual({one.what for one, (state, _) in zip(attempts, said) if state != NOT_ALLOWED},
                             {(name, column) for name, table in schema.tables.items() for column in table.may_update})

    def test_the_service_may_delete_next_to_nothing(self):
        for schema in map(Schema, SCHEMAS):
            attempts = [Attempt((how, table), "SELECT 1", f"{how} {table}", None)
                        for table in schema.tables for how in ("DELETE FROM", "TRUNCATE", "DROP TABLE", "ALTER TABLE")]
            attempts = [one._replace(statement=one.statement + " DISABLE TRIGGER ALL") if one.what[0] == "ALTER TABLE"
                        else one for one in attempts]
            said = attempt_all(schema.service, attempts, "service")
            self.assertEqual({one.what for one, (state, _) in zip(attempts, said) if state != NOT_ALLOWED},
                             {("DELETE FROM", name) for name, table in schema.tables.items() if table.may_delete})


class ByLedger(Case):
    """accounts and payments can be distributed by ledger: it is in every key, and in every condition."""

    # A row of these concerns no ledger.
    WITHOUT = {"accounts": {"schema_migrations"}, "payments": {"schema_migrations", "saga_workers", "notifications"}}

    def tables(self, service):
        return {table for table, column in Schema(service).columns() if column == "ledger_id"}

    def test_every_table_has_one_that_is_never_null(self):
        for service, without in self.WITHOUT.items():
            needed = {table for table, column in Schema(service).needed_columns() if column == "ledger_id"}
            self.assertEqual(needed, set(SCHEMAS[service]) - without)
            self.assertEqual(needed, self.tables(service))

    def test_every_key_has_it(self):
        for service in self.WITHOUT:
            keys = environment.sql(service, """
                SELECT indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid), '' FROM pg_index
                JOIN pg_class ON pg_class.oid = indrelid
                WHERE relnamespace = current_schema()::regnamespace AND indisunique
                UNION ALL
                SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), 'f' FROM pg_constraint
                WHERE connamespace = current_schema()::regnamespace AND contype = 'f'""")
            self.assertIn("f", {kind for *_, kind in keys})
            for table, name, definition, kind in keys:
                if table in self.tables(service):
                    with self.subTest(key=name):
                        self.assertEqual(len(re.findall(r"\bledger_id\b", definition)), 2 if kind else 1, definition)

    def test_every_statement_of_accounts_says_it(self):
        """As PostgreSQL reads them: in its plan each of the tables is looked at under a ledger's id."""
        files = sorted((environment.ROOT / "services/accounts/store/queries").glob("*.sql"))
        scripts = ["SET plan_cache_mode = force_generic_plan;"]
        for file in files:
            text = re.sub(r"--.*", "", file.read_text(encoding="utf-8"))
            named = set(map(int, re.findall(r"\$(\d+)", text)))
            count = max(named, default=0)
            # A parameter that a list does not ask for has no type by itself.
            types = ", ".join("unknown" if number in named else "text" for number in range(1, count + 1))
            scripts.append(f"PREPARE {file.stem} {types and f'({types})'} AS {text};")
            nulls = ", ".join(["NULL"] * count)
            scripts.append(f"EXPLAIN (FORMAT JSON, VERBOSE) EXECUTE {file.stem}{nulls and f'({nulls})'};")
        plans = [json.loads(row[0]) for row in environment.psql("accounts", "\n".join(scripts))]
        self.assertEqual(len(plans), len(files))
        found = {}
        for file, plan in zip(files, plans):
            for node in nodes(plan[0]["Plan"]):
                if node.get("Relation Name") in self.tables("accounts") and node["Node Type"] != "ModifyTable":
                    found.setdefault(node["Relation Name"], []).append(file.stem)
                    if file.stem not in WHOLE:
                        with self.subTest(statement=file.stem):
                            self.assertRegex(conditions(node), r"\bledger_id = \$\d", node)
        self.assertEqual(set(found), self.tables("accounts"), "each table is read by some statement")

    def test_statements_of_accounts_are_where_they_are_looked_for(self):
        for path in (environment.ROOT / "services/accounts").rglob("*.[ch]"):
            self.assertNotRegex(path.read_text(encoding="utf-8"), r'"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|COPY)\b', path)


# Those that are about all ledgers.
WHOLE = {"ledger_list", "expiry_ledgers"}


def nodes(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def conditions(node):
    return " ".join(node.get(name, "") for name in ("Index Cond", "Filter", "Recheck Cond"))


if __name__ == "__main__":
    import unittest
    unittest.main()
