"""What a connector says it can't do is refused when a payment is made, once it is known; nobody waits to know it."""

import contextlib
import time
import unittest

import grpc

from support import environment, world
from support.cases import Case
from support.contracts import connector as c
from support.contracts import payments as p
from support.provider import Provider
from support.replicas import Replica
from support.world import Market, deposit, internal, request, state, withdrawal

CONNECTOR = "other"
SOON_S = 4


class CapabilitiesCase(Case):
    @contextlib.contextmanager
    def pair(self, started=True, known=True, replica=(), **settings):
        """A provider with these settings, and a payments of its own that has asked it."""
        with Provider(**settings) as provider:
            if started:
                provider.start()
            with self.beside(provider, **dict(replica)):
                if known:
                    self.wait_told()
                yield

    @contextlib.contextmanager
    def beside(self, provider, **settings):
        settings = {"CONNECTOR_TIMEOUT_MS": 1000, "RETRY_MS_MAX": 500, **settings}
        with Replica("payments", CONNECTOR_ADDR=provider.address, CONNECTOR_NAME=CONNECTOR, **settings) as process:
            self.provider, self.process = provider, process
            self.payments = process.stub("operator", world.operator_token())
            self.ledger = Market(("EUR", "USD"), CONNECTOR)
            self.wallet = self.ledger.wallet("anna", 1000)
            yield

    def wait_told(self, count=1):
        environment.wait_until(lambda: len(self.told()) >= count, 10, "its capabilities are known")

    def told(self):
        """What was learnt, each time that it changed."""
        return self.process.log("connector_capabilities")

    def deposit(self, amount=10, **more):
        return deposit(self.ledger, self.wallet, amount, connector=CONNECTOR, **more)

    def withdrawal(self, amount=10, **more):
        return withdrawal(self.ledger, self.wallet, amount, connector=CONNECTOR, **more)

    def create(self, made, **more):
        return self.payments.call("CreatePayment", made, **more)

    def settled(self, made):
        def done():
            payment = self.create(made).payment
            return payment if state(payment) in world.RESTING else None
        return environment.wait_until(done, 20, "the payment rests")

    def assert_refused(self, made, reason, field):
        with self.nothing_written("payments"), self.nothing_written("accounts"):
            with self.refused(grpc.StatusCode.FAILED_PRECONDITION, reason, field):
                self.create(made)


class Refusals(CapabilitiesCase):
    def test_operations(self):
        with self.pair(OPERATIONS="charge"):
            self.assert_refused(self.withdrawal(), "OPERATION_UNSUPPORTED", "withdrawal.connector")
            paid = self.settled(self.deposit())
            self.assertEqual(state(paid), "SUCCEEDED")
            self.assert_refused(request(self.ledger, 10, refund=p.Refund(payment_id=paid.payment_id)),
                                "OPERATION_UNSUPPORTED", "refund.payment_id")
            other = self.ledger.wallet("bert")
            self.assertEqual(state(self.settled(internal(self.ledger, self.wallet, other, 1))), "SUCCEEDED")
            self.assertEqual([one.kind for one in self.provider.operations()], [c.OPERATION_KIND_CHARGE])

    def test_currencies(self):
        with self.pair(CURRENCIES="USD,GBP"):
            self.assert_refused(self.deposit(), "CURRENCY_UNSUPPORTED", "currency")
            self.assert_refused(self.withdrawal(), "CURRENCY_UNSUPPORTED", "currency")
            purse = self.ledger.wallet("carl", currency="USD")
            made = deposit(self.ledger, purse, 5, currency="USD", connector=CONNECTOR)
            self.assertEqual(state(self.settled(made)), "SUCCEEDED")

    def test_partial_refunds(self):
        with self.pair(PARTIAL_REFUNDS="no"):
            paid = self.settled(self.deposit(100))
            part, whole = (request(self.ledger, amount, refund=p.Refund(payment_id=paid.payment_id))
                           for amount in (99, 100))
            self.assert_refused(part, "AMOUNT_UNSUPPORTED", "amount_minor")
            self.assertEqual(state(self.settled(whole)), "SUCCEEDED")

    def test_a_known_key_is_answered_and_a_refused_one_is_free(self):
        """What was carried out before the connector lost a currency stays the answer to its key."""
        with self.pair(CURRENCIES="EUR", replica={"CAPABILITIES_MS": 300}):
            made, refused = self.deposit(), self.deposit()
            paid = self.settled(made)
            self.restart(2, CURRENCIES="USD")
            self.assert_refused(refused, "CURRENCY_UNSUPPORTED", "currency")
            again = self.create(made)
            self.assertEqual((again.replayed, again.payment), (True, paid))
            with self.mismatch():
                changed = self.deposit(amount=11, key=made.idempotency_key)
                self.create(changed)
            self.restart(3, CURRENCIES="")
            self.assertEqual(state(self.settled(refused)), "SUCCEEDED")

    def restart(self, told, **settings):
        self.provider.stop()
        self.provider.set(**settings)
        self.provider.start()
        self.wait_told(told)


class Unknown(CapabilitiesCase):
    def test_a_connector_that_is_not_there_refuses_nothing(self):
        with self.pair(started=False, known=False, OPERATIONS="charge"):
            made = self.withdrawal()
            payment = self.create(made, timeout=3).payment
            self.assertNotIn(state(payment), world.RESTING)
            self.assertEqual(self.told(), [])
            self.provider.start()
            # It was taken on, and the connector itself refuses it; from now on it is known.
            payment = self.settled(made)
            self.assertEqual((state(payment), payment.reason), ("DECLINED", "OPERATION_UNSUPPORTED"))
            self.wait_told()
            self.assert_refused(self.withdrawal(), "OPERATION_UNSUPPORTED", "withdrawal.connector")
            balances = self.ledger.balances(self.wallet)
            self.assertEqual((balances.posted_minor, balances.available_minor), (1000, 1000))

    def test_a_connector_that_does_not_answer_holds_nobody_up(self):
        """It takes the connection and is silent: payments starts, serves, and asks again."""
        with Provider(OPERATIONS="charge") as provider:
            provider.start()
            with provider.paused():
                begun = time.monotonic()
                with self.beside(provider, CONNECTOR_TIMEOUT_MS=60000):
                    other = self.ledger.wallet("bert")
                    self.assertEqual(state(self.settled(internal(self.ledger, self.wallet, other, 1))), "SUCCEEDED")
                    self.assertLess(time.monotonic() - begun, SOON_S * environment.PATIENCE)
                    self.assertEqual(self.told(), [])

    def test_what_was_known_stays_while_it_is_away(self):
        with self.pair(OPERATIONS="charge", replica={"CAPABILITIES_MS": 200}):
            self.provider.stop()
            time.sleep(1)
            self.assert_refused(self.withdrawal(), "OPERATION_UNSUPPORTED", "withdrawal.connector")

    def test_a_connector_that_changed_is_asked_when_it_is_back(self):
        """Long before the interval is over."""
        with self.pair(OPERATIONS="charge,payout"):
            self.assertEqual(state(self.settled(self.withdrawal())), "SUCCEEDED")
            self.provider.stop()
            made = self.deposit()
            self.create(made, timeout=2)  # finds nobody
            self.provider.set(OPERATIONS="charge")
            self.provider.start()
            self.wait_told(2)
            self.settled(made)
            self.assert_refused(self.withdrawal(), "OPERATION_UNSUPPORTED", "withdrawal.connector")


if __name__ == "__main__":
    unittest.main()
