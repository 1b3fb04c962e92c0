"""Those who want money twice: everything that may be asked about a payment is asked at once, often, in any order, at two
replicas, one of which is killed again and again; and everybody has what they should have, to the unit."""

import collections
import concurrent.futures
import random
import sys
import threading
import time
import unittest

import grpc

from support import environment, world
from support.cases import Case
from support.client import Refused, Stub
from support.contracts import connector as c
from support.contracts import payments as p
from support.notifications import about, notify
from support.replicas import Replica
from support.storm import moved_minor, operations, untold
from support.world import Market, deposit, new_id, request, state, withdrawal

EACH = 3
FUNDS_MINOR = 1000
# What may be said to who asks for too much, or at the wrong moment; nothing else may.
REFUSALS = {"IN_FLIGHT", "PAYMENT_NOT_CANCELABLE", "PAYMENT_NOT_UNRESOLVED", "RESOLVED_OTHERWISE", "ROLLED_BACK",
            "IDEMPOTENCY_PAYLOAD_MISMATCH", "PAYMENT_NOT_FOUND", "PAYMENT_NOT_OPEN"}
NOBODY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN)


class Attempt:
    """A wallet, requests about it that are sent by many, and what else is asked of these payments."""

    def __init__(self, test):
        self.test, self.ledger = test, test.ledger
        self.wallet = self.ledger.wallet("anna", FUNDS_MINOR)
        self.game = self.ledger.open("game")
        self.requests, self.more, self.ids = [], [], {}

    def asks(self):
        """Everything, each three times."""
        creates = [lambda stub, made=made: stub.call("CreatePayment", made, timeout=2) for made in self.requests]
        return 3 * (creates + self.more)

    def of_payment(self, made, ask):
        """Asks about the payment of a request, when there is one."""
        def asked(stub):
            payment_id = self.ids.get(made.idempotency_key) or self.look_up(made.idempotency_key)
            if payment_id is not None:
                ask(stub, payment_id)
        self.more.append(asked)

    def look_up(self, key):
        for payment_id, in environment.sql("payments", f"SELECT payment_id FROM payments WHERE idempotency_key = '{key}'"):
            self.ids[key] = payment_id
        return self.ids.get(key)

    def balance(self):
        return self.ledger.balances(self.wallet).posted_minor - FUNDS_MINOR

    def ends(self):
        return [self.test.settled(made) for made in self.requests]


class Refunds(Attempt):
    """Parts of a deposit that together are more than it."""

    def __init__(self, test):
        super().__init__(test)
        self.paid = test.settled(deposit(self.ledger, self.wallet, 100))
        parts = ((60, "sim:ok"), (60, "sim:late"), (50, "sim:pending=100"), (100, "sim:no-answer=1"))
        self.requests = [request(self.ledger, amount, refund=p.Refund(payment_id=self.paid.payment_id, instrument=instrument))
                         for amount, instrument in parts]

    def check(self):
        gone = sum(one.amount_minor for one in self.ends() if state(one) == "SUCCEEDED")
        self.test.assertEqual(self.balance(), 100 - gone)
        self.test.assertLessEqual(gone, 100)
        paid = self.test.read(self.paid.payment_id)
        self.test.assertEqual(paid.refunded_minor, gone)


class CalledOff(Attempt):
    """A payout that is called off while it is asked for."""

    def __init__(self, test):
        super().__init__(test)
        self.requests = [withdrawal(self.ledger, self.wallet, 700, instrument="sim:pending=100") for _ in range(2)]
        for made in self.requests:
            self.of_payment(made, lambda stub, payment_id: stub.CancelPayment(payment_id=payment_id, timeout=1))

    def check(self):
        ends = collections.Counter(state(one) for one in self.ends())
        self.test.assertLessEqual(set(ends), {"SUCCEEDED", "CANCELED", "DECLINED"})
        self.test.assertLessEqual(ends["SUCCEEDED"], 1)
        self.test.assertEqual(self.balance(), -700 * ends["SUCCEEDED"])


class Round(Attempt):
    """A wager, its settlement, and the rollbacks of both, in one round."""

    def __init__(self, test):
        super().__init__(test)
        game = {"account_id": self.wallet, "game_account_id": self.game, "round_id": new_id()}
        wager = request(self.ledger, 10, wager=p.Wager(**game))
        settled = request(self.ledger, 25, settlement=p.Settlement(**game))
        self.requests = [wager, settled] + [
            request(self.ledger, one.amount_minor, rollback=p.Rollback(original_key=one.idempotency_key, **game))
            for one in (wager, settled) for _ in range(2)]

    def ends(self):
        return [self.test.settled(made, "ROLLED_BACK") for made in self.requests]

    def check(self):
        wager, settled, *rollbacks = self.ends()
        stand, paid = (one is not None and state(one) == "SUCCEEDED" for one in (wager, settled))
        self.test.assertEqual(self.balance(), -10 * stand + 25 * paid)
        for amount, one in ((10, wager), (25, settled)):
            done = [back for back in rollbacks if back.amount_minor == amount and state(back) == "SUCCEEDED" and not back.reason]
            self.test.assertEqual(len(done), int(one is not None and state(one) == "REFUNDED"), rollbacks)


class Buried(Attempt):
    """A wager that comes when it has been rolled back, and whatever else has its key."""

    def __init__(self, test):
        super().__init__(test)
        game = {"account_id": self.wallet, "game_account_id": self.game, "round_id": new_id()}
        self.wager = request(self.ledger, 10, wager=p.Wager(**game))
        key = self.wager.idempotency_key
        back = request(self.ledger, 10, rollback=p.Rollback(original_key=key, **game))
        test.settled(back)
        self.requests = [back]
        for late in (self.wager, request(self.ledger, 500, key, settlement=p.Settlement(**game)),
                     deposit(self.ledger, self.wallet, 500, key)):
            self.more.append(lambda stub, late=late: stub.call("CreatePayment", late, timeout=2))

    def check(self):
        self.test.assertEqual((self.balance(), [state(one) for one in self.ends()]), (0, ["SUCCEEDED"]))
        for late in (self.wager, deposit(self.ledger, self.wallet, 500, self.wager.idempotency_key)):
            with self.test.assertRaises(Refused) as caught:
                self.test.payments.call("CreatePayment", late)
            self.test.assertIn(caught.exception.reason, ("ROLLED_BACK", "IDEMPOTENCY_PAYLOAD_MISMATCH"))


class Unknown(Attempt):
    """What nobody knows is told by the connector, by operators who are right, and by notifications that are not."""

    def __init__(self, test, make, instrument, outcome, end):
        super().__init__(test)
        self.end = end
        self.requests = [make(self.ledger, self.wallet, 300, instrument=instrument)]
        self.ways = make
        self.of_payment(self.requests[0], self.tell_lies)
        self.of_payment(self.requests[0], lambda stub, payment_id: stub.RetryPayment(payment_id=payment_id))
        self.of_payment(self.requests[0], lambda stub, payment_id: stub.ResolvePayment(
            payment_id=payment_id, outcome=outcome, reason="seen", reference="T-1"))

    @staticmethod
    def tell_lies(_, payment_id):
        for status in (c.OPERATION_STATUS_SUCCEEDED, c.OPERATION_STATUS_DECLINED, 99):
            notify(about(c.Operation(reference=payment_id, kind=c.OPERATION_KIND_CHARGE, amount_minor=300, currency="EUR",
                                     status=status), new_id()), Stub("payments", "connector"))

    def check(self):
        sign = 1 if self.ways is deposit else -1
        self.test.assertEqual([state(one) for one in self.ends()], [self.end])
        self.test.assertEqual(self.balance(), sign * 300 if self.end == "SUCCEEDED" else 0)


def _unknown(make, instrument, outcome, end):
    return lambda test: Unknown(test, make, instrument, outcome, end)


DONE, NOT_DONE = p.RESOLUTION_OUTCOME_DONE, p.RESOLUTION_OUTCOME_NOT_DONE
ATTEMPTS = (Refunds, CalledOff, Round, Buried,
            _unknown(deposit, "sim:no-answer=2", DONE, "SUCCEEDED"), _unknown(withdrawal, "sim:no-answer=2", DONE, "SUCCEEDED"),
            _unknown(deposit, "sim:no-answer=2,decline", NOT_DONE, "DECLINED"),
            _unknown(withdrawal, "sim:no-answer=2,decline", NOT_DONE, "DECLINED"))


class Twice(Case):
    def setUp(self):
        self.ledger = Market()
        self.payments = self.ledger.payments

    def read(self, payment_id):
        return self.payments.GetPayment(payment_id=payment_id).payment

    def settled(self, made, unless=None):
        """The payment at rest; None when it is refused with this reason."""
        def rests():
            try:
                payment = self.payments.call("CreatePayment", made).payment
            except Refused as refused:
                if refused.reason == unless:
                    return (None,)
                if refused.reason in ("IN_FLIGHT",) or refused.code in NOBODY:
                    return None
                raise
            return (payment,) if state(payment) in world.RESTING else None
        return environment.wait_until(rests, 40, "the payment rests")[0]

    def ask(self, job):
        """Who asks goes to either replica; nobody may be there."""
        asked, number = job
        stub = self.payments
        if number % 2 and self.second is not None:
            stub = self.second
        try:
            asked(stub)
        except ValueError:  # the channel is closed: its process was killed
            pass
        except Refused as refused:
            if refused.code not in NOBODY and refused.reason not in REFUSALS:
                return refused
        return None

    def keep_killing(self, done):
        """The second replica lives for as long as half of what is asked takes, over and over."""
        while not done.is_set():
            with Replica("payments", LEASE_MS=700, RECOVERY_MS=50) as second:
                self.second = second.stub("operator", world.operator_token())
                done.wait(0.6)
                self.second = None
                second.kill()
                self.kills += 1

    def test_everything_at_once(self):
        attempts = [make(self) for make in ATTEMPTS for _ in range(EACH)]
        jobs = [ask for attempt in attempts for ask in attempt.asks()]
        seed = time.time_ns()
        print(f"seed {seed}: {len(jobs)} calls", file=sys.stderr)
        random.Random(seed).shuffle(jobs)
        self.second, self.kills = None, 0
        done = threading.Event()
        killer = threading.Thread(target=self.keep_killing, args=(done,))
        killer.start()
        try:
            environment.wait_until(lambda: self.second is not None, 20, "there are two")
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                unexpected = [one for one in pool.map(self.ask, zip(jobs, range(len(jobs)))) if one is not None]
        finally:
            done.set()
            killer.join()
        self.assertEqual(unexpected, [])
        self.assertGreater(self.kills, 0)
        for number, attempt in enumerate(attempts):
            with self.subTest(attempt=type(attempt).__name__, number=number):
                attempt.check()
        self.check_whole()

    def check_whole(self):
        balance = self.ledger.trial_balance()
        self.assertTrue(balance.balanced)
        for line in balance.lines:
            self.assertEqual((line.debits_pending_minor, line.credits_pending_minor), (0, 0))
        self.assertEqual(untold(self.ledger), [])
        ids = {payment_id for payment_id, in environment.sql(
            "payments", f"SELECT payment_id FROM payments WHERE ledger_id = '{self.ledger.id}'")}
        moved = sum(moved_minor(one) for one in operations() if {one.reference, one.original_reference} & ids)
        wallets = FUNDS_MINOR * len(ATTEMPTS) * EACH  # came in without a connector
        self.assertEqual(self.ledger.balances(self.ledger.clearing["EUR"]).posted_minor, moved + wallets)


if __name__ == "__main__":
    unittest.main()
