"""What the services' statements touch is bounded by what they do: counted by PostgreSQL, in pages, after some load that began on
empty tables. A statement that a new index or another plan leads astray reads the more the more there is."""

import json
import os
import re
import subprocess
import unittest

from support import environment
from support.cases import Case
from support.client import PATIENCE
from support.world import new_id

CALLS = 1500
# Pages that a statement may touch for each transfer or payment: twice the most that one does, which is moving a payment on. What
# reads its table, or the past of whoever calls, comes to hundreds here.
PAGES_MAX = 40
# What is looked for again and again in the background may touch so many each time.
SWEEP_PAGES_MAX = 20

TOUCHED = """
    SELECT s.query, s.calls, s.rows, s.shared_blks_hit + s.shared_blks_read
    FROM pg_stat_statements AS s JOIN pg_roles AS r ON r.oid = s.userid
    WHERE r.rolname = '{role}' AND s.calls > 0 ORDER BY 4 DESC"""


# The extension is in the services' databases, and tells the text of others' statements to a superuser.
os.environ["DALER_STATISTICS_DB"] = os.environ["DALER_SUPERUSER_DB"] + " dbname=daler_accounts"


def touched(service):
    """(statement, calls, rows, pages) of each statement of a service since `forget`, by what it says that it is for."""
    rows = environment.sql("statistics", TOUCHED.format(role=f"{service}_service"))
    return [(re.sub(r"\s+", " ", query)[:70], int(calls), int(count), int(pages)) for query, calls, count, pages in rows]


def forget():
    environment.sql("statistics", "SELECT pg_stat_statements_reset()")


class Reads(Case):
    @classmethod
    def setUpClass(cls):
        cls.ledger = new_id()
        cls.load(None)

    @classmethod
    def load(cls, case, calls=CALLS):
        """Few in flight, so that there are many batches; on few accounts, so that each has a past soon."""
        command = [f"{os.environ['DALER_BUILD_DIR']}/bin/daler-load", "--ledger", cls.ledger, "--accounts", "64",
                   "--in-flight", "16", "--calls", str(calls)]
        done = subprocess.run(command + (["--case", case] if case else []), check=True, capture_output=True, text=True,
                              timeout=60 * PATIENCE)
        if case:
            result = json.loads(done.stdout)
            assert result["calls"] == calls and result["wrong"] == 0, result

    def check_touched(self, service, units):
        seen = touched(service)
        self.assertTrue(seen)
        for statement, calls, rows, pages in seen:
            with self.subTest(statement=statement, calls=calls, rows=rows):
                self.assertLessEqual(pages / units, PAGES_MAX)

    def test_accounts(self):
        for case in ("post", "hold-capture", "post-hot", "post-declined"):
            forget()
            self.load(case)
            self.check_touched("accounts", CALLS)
        sweeps = [(calls, pages) for statement, calls, _, pages in touched("accounts") if "whose time has come" in statement]
        for calls, pages in sweeps:
            self.assertLessEqual(pages, SWEEP_PAGES_MAX * calls)

    def test_payments(self):
        for case in ("transfer", "deposit"):
            forget()
            self.load(case)
            self.check_touched("payments", CALLS)
            self.check_touched("accounts", CALLS)

    def test_statements(self):
        """A page reads its entries, and a trial balance its accounts."""
        self.load("post-hot", 2 * CALLS)
        forget()
        self.load("read", 50)
        for statement, calls, rows, pages in touched("accounts"):
            with self.subTest(statement=statement, calls=calls, rows=rows):
                self.assertLessEqual(pages, 100 * calls + 12 * rows)


if __name__ == "__main__":
    unittest.main()
