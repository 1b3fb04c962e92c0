"""One caller's payments among many of others: reading them costs what they are, and not what the ledger holds."""

import time
import unittest

from support import environment, world
from support.cases import Case
from support.contracts import payments as p
from support.world import Market, deposit, new_id, state

OTHERS = 20000


def fill(ledger_id):
    """Payments of others, each with two changes, older than any that is made from here on."""
    environment.sql("payments", f"""
        CREATE TEMP TABLE made AS
        SELECT n, (lpad(to_hex(1760000000000 + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid AS id
        FROM generate_series(1, {OTHERS}) AS n;
        INSERT INTO payments (ledger_id, payment_id, caller, idempotency_key, body_hash, kind, account_id, counter_id,
            amount_minor, currency, connector, instrument, reference, state, open, reason, version, lease_owner, fence,
            create_time, update_time)
        SELECT '{ledger_id}', id, 'other-' || n % 1000, 'key-' || n, sha256(''), 3, gen_random_uuid(), gen_random_uuid(),
            1, 'EUR', '', '', '', 6, false, '', 2, '{new_id()}', 1, now(), now()
        FROM made;
        INSERT INTO payment_events (ledger_id, payment_id, version, from_state, state, reason, create_time, position)
        SELECT '{ledger_id}', id, v, v - 1, CASE v WHEN 1 THEN 1 ELSE 6 END, '', now(), 1
        FROM made, generate_series(1, 2) AS v;
        ANALYZE payments, payment_events""")


def rows_read():
    """Of payments and their changes, by whatever way, since the cluster was made."""
    return int(environment.sql_value("payments", "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) "
                                     "FROM pg_stat_user_tables WHERE relname IN ('payments', 'payment_events')"))


class Many(Case):
    @classmethod
    def setUpClass(cls):
        cls.ledger = Market()
        fill(cls.ledger.id)
        cls.anna = world.person()
        cls.stub = cls.anna.at("payments")
        account = cls.ledger.wallet(cls.anna.user_id)
        cls.made = [cls.stub.call("CreatePayment", deposit(cls.ledger, account, 10 + n)).payment for n in range(3)]
        assert {state(payment) for payment in cls.made} == {"SUCCEEDED"}

    def changes(self):
        for message in self.stub.stream("Watch", p.WatchRequest(ledger_id=self.ledger.id)):
            if message.HasField("payment"):
                yield message.payment.payment_id, message.payment.version

    def assert_little_is_read(self, before):
        time.sleep(11)  # sessions that rest tell what they have read within 10 s
        self.assertLess(rows_read() - before, OTHERS / 4)

    def test_a_list(self):
        before = rows_read()
        reply = self.stub.ListPayments(ledger_id=self.ledger.id)
        self.assertEqual(list(reply.payments), self.made[::-1])
        self.assert_little_is_read(before)

    def test_a_watch_from_the_first(self):
        before = rows_read()
        changes = self.changes()
        wanted = [(payment.payment_id, version) for payment in self.made for version in range(1, payment.version + 1)]
        self.assertEqual([next(changes) for _ in wanted], wanted)
        self.assert_little_is_read(before)
        # From there on it is told what comes, with everybody else.
        again = self.stub.call("CreatePayment", deposit(self.ledger, self.made[0].deposit.account_id, 5)).payment
        self.made.append(again)
        self.assertEqual([next(changes) for _ in range(again.version)],
                         [(again.payment_id, version) for version in range(1, again.version + 1)])


if __name__ == "__main__":
    unittest.main()
