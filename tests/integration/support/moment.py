"""PostgreSQL's clock as a process of a service sees it, at whatever moment a test wants."""

from . import environment


class DatabaseClock:
    """`now()` of the sessions of processes that were given it; they go on from the moment that was set."""

    def __init__(self, service):
        self._service = service
        environment.sql(service, """
            CREATE SCHEMA moment;
            CREATE TABLE moment.ahead (ahead interval NOT NULL);
            INSERT INTO moment.ahead VALUES ('0');
            CREATE FUNCTION moment.now() RETURNS timestamptz LANGUAGE sql STABLE AS
                'SELECT pg_catalog.now() + ahead FROM moment.ahead';
            GRANT USAGE ON SCHEMA moment TO PUBLIC;
            GRANT SELECT ON moment.ahead TO PUBLIC""")

    def give_to(self, replica):
        """Before it is started."""
        replica.change("DATABASE", lambda conninfo: f"{conninfo} options='-c search_path=moment,pg_catalog,public'")

    def set(self, moment):
        """`moment`: "2030-03-21 12:00:00 Europe/Berlin"."""
        environment.sql(self._service, f"UPDATE moment.ahead SET ahead = timestamptz '{moment}' - pg_catalog.now()")

    def drop(self):
        environment.sql(self._service, "DROP SCHEMA moment CASCADE")
