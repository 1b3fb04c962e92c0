"""Many callers at once: the same key at two replicas is one execution with one outcome for all; the steps of different payments
travel together."""

import concurrent.futures
import signal
import threading
import unittest

import grpc

from support import environment, world
from support.cases import Case
from support.client import Refused
from support.contracts import payments as p
from support.replica import Replica
from support.storm import operations
from support.world import Market, deposit, internal, new_id, request, state, withdrawal

CALLERS = 64


class SameKey(Case):
    @classmethod
    def setUpClass(cls):
        cls.replica = Replica()
        cls.ledger = Market()
        cls.stubs = [cls.ledger.payments, cls.replica.stub]
        cls.there = Market()
        for ledger in (cls.ledger, cls.there):
            cls.ledger.payments.RegisterTransitAccount(ledger_id=ledger.id, currency="EUR", account_id=ledger.open("transit"))

    @classmethod
    def tearDownClass(cls):
        cls.replica.end(signal.SIGTERM)

    def at_once(self, requests):
        """Each request from a caller of its own, all let go together, by turns at the two replicas; answers or refusals."""
        barrier = threading.Barrier(len(requests))

        def call(number):
            barrier.wait(30)
            try:
                return self.stubs[number % 2].call("CreatePayment", requests[number])
            except Refused as refused:
                return refused

        with concurrent.futures.ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(call, range(len(requests))))

    def rows(self, key):
        return environment.sql("payments", f"""
            SELECT p.payment_id, count(e.version) FROM payments p JOIN payment_events e USING (payment_id, ledger_id)
            WHERE p.idempotency_key = '{key}' GROUP BY p.payment_id""")

    def check(self, request, wallet, moved):
        before = self.ledger.balances(wallet).posted_minor
        replies = self.at_once([request] * CALLERS)
        refused = [reply for reply in replies if isinstance(reply, Refused)]
        self.assertEqual(refused, [])
        payments = [reply.payment for reply in replies]
        self.assertEqual({payment.payment_id for payment in payments}, {payments[0].payment_id})
        self.assertTrue(all(payment == payments[0] for payment in payments), "all get the same outcome")
        self.assertIn(state(payments[0]), world.RESTING)
        self.assertEqual([reply.replayed for reply in replies].count(False), 1, "one has started it")
        self.assertEqual(len(self.rows(request.idempotency_key)), 1)
        self.assertEqual(int(self.rows(request.idempotency_key)[0][1]), payments[0].version, "a row for each change of state")
        self.assertEqual(self.ledger.balances(wallet).posted_minor - before, moved)
        return payments[0]

    def made(self, made):
        payment = self.ledger.payments.call("CreatePayment", made).payment
        self.assertEqual(state(payment), "SUCCEEDED")
        return payment

    def remote(self, wallet, amount):
        return request(self.ledger, amount, remote_transfer=p.RemoteTransfer(
            from_account_id=wallet, to_ledger_id=self.there.id, to_account_id=self.there.wallet("bert")))

    def refund(self, wallet, amount):
        paid = self.made(deposit(self.ledger, wallet, 1000))
        return request(self.ledger, amount, refund=p.Refund(payment_id=paid.payment_id, instrument="sim:ok"))

    def played(self, kind, wallet, amount, **more):
        game = more.pop("game", None) or self.ledger.open("game")
        return request(self.ledger, amount, **{kind.DESCRIPTOR.name.lower(): kind(
            account_id=wallet, game_account_id=game, round_id="r1", **more)})

    def rollback(self, wallet, amount, of_what_arrived=True):
        game = self.ledger.open("game")
        wager = self.played(p.Wager, wallet, amount, game=game)
        if of_what_arrived:
            self.made(wager)
        return self.played(p.Rollback, wallet, amount, game=game, original_key=wager.idempotency_key)

    def test_each_kind(self):
        kinds = set()
        for request_of, amount, moved, operations_made in (
                (lambda wallet, other: deposit(self.ledger, wallet, 101), 101, 101, 1),
                (lambda wallet, other: deposit(self.ledger, wallet, 102, instrument="sim:pending=300"), 102, 102, 1),
                (lambda wallet, other: deposit(self.ledger, wallet, 103, instrument="sim:decline"), 103, 0, 1),
                (lambda wallet, other: withdrawal(self.ledger, wallet, 104), 104, -104, 1),
                (lambda wallet, other: withdrawal(self.ledger, wallet, 105, instrument="sim:delay=300"), 105, -105, 1),
                (lambda wallet, other: withdrawal(self.ledger, wallet, 100106), 100106, 0, 0),
                (lambda wallet, other: internal(self.ledger, wallet, other, 107), 107, -107, 0),
                (lambda wallet, other: internal(self.ledger, wallet, other, 100108), 100108, 0, 0),
                (lambda wallet, other: self.remote(wallet, 109), 109, -109, 0),
                (lambda wallet, other: self.refund(wallet, 110), 110, -110, 1),
                (lambda wallet, other: self.played(p.Wager, wallet, 111), 111, -111, 0),
                (lambda wallet, other: self.played(p.Settlement, wallet, 112), 112, 112, 0),
                (lambda wallet, other: self.rollback(wallet, 113), 113, 113, 0),
                (lambda wallet, other: self.rollback(wallet, 114, of_what_arrived=False), 114, 0, 0),
        ):
            wallet, other = self.ledger.wallet("anna", 1000), self.ledger.wallet("bert")
            made = request_of(wallet, other)
            kinds.add(made.WhichOneof("kind"))
            with self.subTest(kind=made.WhichOneof("kind"), amount=amount):
                self.check(made, wallet, moved)
                booked = [operation for operation in operations() if operation.amount_minor == amount]
                self.assertEqual(len(booked), operations_made)
        self.assertEqual(kinds, {field.name for field in p.CreatePaymentRequest.DESCRIPTOR.oneofs_by_name["kind"].fields})

    def test_two_bodies(self):
        """Whoever comes first has the key; the other body is refused, all of it."""
        wallet, other, key = self.ledger.wallet("anna", 1000), self.ledger.wallet("bert"), new_id()
        requests = [internal(self.ledger, wallet, other, 10 + number // 2 % 2, key=key) for number in range(CALLERS)]
        replies = self.at_once(requests)
        refused = [reply for reply in replies if isinstance(reply, Refused)]
        self.assertEqual({(one.code, one.reason) for one in refused},
                         {(grpc.StatusCode.FAILED_PRECONDITION, "IDEMPOTENCY_PAYLOAD_MISMATCH")})
        amounts = {reply.payment.amount_minor for reply in replies if not isinstance(reply, Refused)}
        self.assertEqual(len(amounts), 1)
        self.assertEqual(len(refused), CALLERS // 2)
        self.assertEqual(self.ledger.balances(other).posted_minor, amounts.pop())

    def test_many_keys_at_once(self):
        """Sixteen keys, each four times: each once."""
        wallet, other = self.ledger.wallet("anna", 1000), self.ledger.wallet("bert")
        distinct = [internal(self.ledger, wallet, other, 1) for _ in range(CALLERS // 4)]
        replies = self.at_once(distinct * 4)
        self.assertEqual([one for one in replies if isinstance(one, Refused)], [])
        self.assertEqual(len({reply.payment.payment_id for reply in replies}), len(distinct))
        self.assertEqual([reply.replayed for reply in replies].count(False), len(distinct))
        self.assertEqual(self.ledger.balances(other).posted_minor, len(distinct))


class BadInput(Case):
    """What test_payments.py does not have."""

    @classmethod
    def setUpClass(cls):
        cls.ledger = Market()
        cls.wallet, cls.other = cls.ledger.wallet("anna", 1000), cls.ledger.wallet("bert")

    def test_unknown_kind(self):
        """A kind that a later version may have is not taken for another."""
        good = internal(self.ledger, self.wallet, self.other, 5)
        good.ClearField("transfer")
        unknown = good.SerializeToString() + b"\xa2\x38\x00"  # field 900, a message of no bytes
        with self.nothing_written("payments"), self.invalid("INVALID_FIELD", "kind"):
            self.ledger.payments.raw("/daler.payments.v1.PaymentsService/CreatePayment", unknown)

    def test_amounts(self):
        for amount in (-(1 << 63), -1, 0):
            with self.nothing_written("payments"), self.invalid("INVALID_AMOUNT", "amount_minor"):
                self.ledger.payments.call("CreatePayment", internal(self.ledger, self.wallet, self.other, amount))
        most = (1 << 63) - 1
        for request in (internal(self.ledger, self.wallet, self.other, most), withdrawal(self.ledger, self.wallet, most)):
            payment = self.ledger.payments.call("CreatePayment", request).payment
            self.assertEqual((state(payment), payment.reason), ("DECLINED", "INSUFFICIENT_FUNDS"))
        self.assertEqual(self.ledger.balances(self.wallet).available_minor, 1000)

    def test_keys_at_their_bounds(self):
        key = "k" * 64
        first = self.ledger.payments.call("CreatePayment", internal(self.ledger, self.wallet, self.other, 1, key=key))
        self.assertEqual(first.payment.idempotency_key, key)
        for bad in ("k" * 65, "k" * 100_000, "", "a\tb", "a\x7fb"):
            request = internal(self.ledger, self.wallet, self.other, 1, key=key)
            request.idempotency_key = bad
            with self.nothing_written("payments"), self.assertRaises(Refused) as caught:
                self.ledger.payments.call("CreatePayment", request)
            self.assertEqual((caught.exception.code, caught.exception.fields),
                             (grpc.StatusCode.INVALID_ARGUMENT, ["idempotency_key"]))
            self.assertIn(caught.exception.reason, ("INVALID_LENGTH", "INVALID_TEXT"))

    def test_foreign_accounts_of_each_kind(self):
        """What is another's is not there; and a refusal leaves no trace."""
        mallory = world.person()
        stub = mallory.at("payments")
        mine = self.ledger.wallet(mallory.user_id, 100)
        for request, field in ((deposit(self.ledger, self.wallet, 5), "deposit.account_id"),
                               (withdrawal(self.ledger, self.wallet, 5), "withdrawal.account_id"),
                               (internal(self.ledger, self.wallet, mine, 5), "transfer.from_account_id")):
            for account in (self.wallet, new_id()):
                changed = p.CreatePaymentRequest()
                changed.CopyFrom(request)
                kind, name = field.split(".")
                setattr(getattr(changed, kind), name, account)
                with self.subTest(field=field), self.nothing_written("payments"), self.not_found("ACCOUNT_NOT_FOUND"):
                    stub.call("CreatePayment", changed)
        self.assertEqual(self.ledger.balances(self.wallet).posted_minor >= 999, True)


class Together(Case):
    PAYMENTS = 100

    def calls(self):
        return environment.metric_sum("payments", "grpc_client_started_total", 'grpc_method="PostBatch"')

    def test_steps_of_many_payments_are_few_calls(self):
        """Of several kinds, in one ledger. What waits while two calls are under way goes out with the next one."""
        ledger = Market()
        wallet, game = ledger.wallet("anna", self.PAYMENTS), ledger.open("game")

        def wager():
            return request(ledger, 1, wager=p.Wager(account_id=wallet, game_account_id=game, round_id="r1"))
        self.assertEqual(state(ledger.payments.call("CreatePayment", wager()).payment), "SUCCEEDED")  # its owner is known now
        requests = [wager() if n % 2 else internal(ledger, wallet, game, 1) for n in range(1, self.PAYMENTS)]
        recorded = f"SELECT count(*) FROM payments WHERE ledger_id = '{ledger.id}' AND open"
        before = self.calls()
        with concurrent.futures.ThreadPoolExecutor(len(requests)) as pool:
            with environment.paused("accounts"):
                replies = [pool.submit(ledger.payments.call, "CreatePayment", one) for one in requests]
                environment.wait_until(lambda: environment.sql_value("payments", recorded) == str(len(requests)), 10,
                                       "all of them are recorded")
            ends = [state(reply.result().payment) for reply in replies]
        self.assertEqual(ends, ["SUCCEEDED"] * len(requests))
        self.assertLessEqual(self.calls() - before, 5)
        self.assertEqual(ledger.balances(game).posted_minor, self.PAYMENTS)
        self.assertEqual(len(ledger.statement(game)), self.PAYMENTS)


if __name__ == "__main__":
    unittest.main()
