"""What test cases share."""

import contextlib
import unittest

import grpc

from . import environment
from .client import PATIENCE, Refused

# Tables that a service also writes on its own: leases, and where payments stand that are tried again.
WRITTEN_ANYWAY = ("saga_workers", "saga_wakes", "payment_tries")
DATABASES = ("auth", "accounts", "payments")


class Case(unittest.TestCase):
    """With assertions about refusals."""

    maxDiff = None

    @contextlib.contextmanager
    def refused(self, code, reason, field=None):
        """The block's call ends with this code and reason, and names this field when one is given."""
        with self.assertRaises(Refused) as caught:
            yield caught
        error = caught.exception
        self.assertEqual((error.code, error.reason), (code, reason), error)
        self.assertEqual(error.domain, "daler", error)
        if field is not None:
            self.assertEqual(error.fields, [field], error)

    def invalid(self, reason, field=None):
        return self.refused(grpc.StatusCode.INVALID_ARGUMENT, reason, field)

    def not_found(self, reason, field=None):
        names = {"LEDGER_NOT_FOUND": "ledger_id", "TRANSFER_NOT_FOUND": "transfer_id"}
        return self.refused(grpc.StatusCode.NOT_FOUND, reason, field or names.get(reason))

    def mismatch(self, field=None):
        return self.refused(grpc.StatusCode.FAILED_PRECONDITION, "IDEMPOTENCY_PAYLOAD_MISMATCH", field)

    def measures_memory(self):
        """Skips in builds with a sanitizer, whose memory is mostly its own; within a subTest the test goes on."""
        if PATIENCE > 1:
            self.skipTest("memory is not measured in a build with a sanitizer")

    def takes_a_library_in(self):
        """Skips in builds with a sanitizer, which wants to be the first of all libraries."""
        if PATIENCE > 1:
            self.skipTest("LD_PRELOAD and a sanitizer do not go together")

    @contextlib.contextmanager
    def nothing_written(self, database, but=("notifications",)):
        """The block leaves every row of every table as it was. A connector may still tell of what was before."""
        before = contents(database, but)
        yield
        self.assertEqual(contents(database, but), before)

    def check_bad_input(self, stub, method, good, rows):
        """Each row is (change, reason, field): `change` spoils a copy of the good request. Nothing comes of any."""
        with self.nothing_written(stub.target) if stub.target in DATABASES else contextlib.nullcontext():
            for change, reason, field in rows:
                request = type(good)()
                request.CopyFrom(good)
                change(request)
                with self.subTest(reason=reason, field=field), self.invalid(reason, field):
                    stub.call(method, request)


def contents(database, but=()):
    """{table: [number of rows, a sum over what stands in them]}"""
    tables = [name for name, in environment.sql(
        database, "SELECT table_name FROM information_schema.tables "
                  "WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'")
        if name not in (*WRITTEN_ANYWAY, *but)]
    return {name: row for name, *row in environment.sql(database, " UNION ALL ".join(
        f"SELECT '{name}', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {name} t" for name in tables))}


def having(**fields):
    """A change for check_bad_input: sets fields, "a__b" being b of the message a."""
    def change(request):
        for path, value in fields.items():
            *parents, name = path.split("__")
            message = request
            for parent in parents:
                message = getattr(message, parent)
            setattr(message, name, value)
    return change
