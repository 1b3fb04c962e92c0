"""What test cases share."""

import contextlib
import unittest

import grpc

from . import environment
from .client import PATIENCE, Refused

COUNTED = {
    "auth": ("users", "audit_events", "login_buckets"),
    "accounts": ("ledgers", "accounts", "transfers", "holds", "declines"),
    "payments": ("payments", "payment_events", "clearing_accounts", "notifications", "limit_markets", "limit_persons",
                 "person_limits", "limit_usage", "limit_claims", "limit_refusals", "limit_changes",
                 "operator_actions", "payment_calls"),
}


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

    def not_found(self, reason):
        field = "ledger_id" if reason == "LEDGER_NOT_FOUND" else None
        return self.refused(grpc.StatusCode.NOT_FOUND, reason, field)

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
        """The block leaves the number of rows of every table as it was. A connector may still tell of what was before."""
        before = row_counts(database, but)
        yield
        self.assertEqual(row_counts(database, but), before)

    def check_bad_input(self, stub, method, good, rows):
        """Each row is (change, reason, field): `change` spoils a copy of the good request."""
        for change, reason, field in rows:
            request = type(good)()
            request.CopyFrom(good)
            change(request)
            with self.subTest(reason=reason, field=field), self.invalid(reason, field):
                stub.call(method, request)


def row_counts(database, but=()):
    statement = " UNION ALL ".join(
        f"SELECT '{table}', count(*) FROM {table}" for table in COUNTED[database] if table not in but)
    return dict(environment.sql(database, statement))


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
