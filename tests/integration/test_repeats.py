"""Repeats of calls that were not answered: few while they do not help, none lost, and soon once the other side is back; what
stays unknown by it is a person's matter too, and nobody's but the other side's to end."""

import concurrent.futures
import contextlib
import time
import unittest

from support import environment, world
from support.cases import Case
from support.client import PATIENCE, Refused
from support.contracts import connector as c
from support.provider import Provider
from support.replicas import Replica
from support.world import Market, deposit, internal, state, withdrawal

CONNECTOR = "other"
SOON_S = 10
# Longer than any of these tests waits.
PATIENT = {"RETRY_MS_MIN": 60000, "RETRY_MS_MAX": 60000}


class RepeatsCase(Case):
    @contextlib.contextmanager
    def beside(self, **settings):
        with Provider() as self.provider:
            self.provider.start()
            with Replica("payments", CONNECTOR_ADDR=self.provider.address, CONNECTOR_NAME=CONNECTOR, **settings) as process:
                self.admin, self.log = process.admin, process.log
                self.payments = process.stub("operator", world.operator_token())
                self.ledger = Market(("EUR",), CONNECTOR)
                self.wallet = self.ledger.wallet("anna", 1000)
                environment.wait_until(lambda: process.log("connector_capabilities"), 10, "the connector is reached")
                yield

    def deposits(self, count, instrument="sim:ok"):
        return [deposit(self.ledger, self.wallet, 1, connector=CONNECTOR, instrument=instrument) for _ in range(count)]

    def create(self, made, timeout=3):
        """The payment as it is; None when there was no answer."""
        try:
            return self.payments.call("CreatePayment", made, timeout=timeout * PATIENCE).payment
        except Refused:
            return None

    def all(self, requests):
        with concurrent.futures.ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(self.create, requests))

    def wait_settled(self, requests, within_s):
        def rest():
            payments = self.all(requests)
            return all(one is not None and state(one) in world.RESTING for one in payments) and payments
        ends = environment.wait_until(rest, within_s, "all of them rest")
        self.assertEqual({state(one) for one in ends}, {"SUCCEEDED"})

    def metric(self, name, target):
        return environment.metric_sum(self.admin, name, f'target="{target}"')

    def assert_done_once(self, count):
        """In the wallet, and in the connector's books."""
        self.assertEqual(self.ledger.balances(self.wallet).posted_minor, 1000 + count)
        booked = [one.status for one in self.provider.operations()]
        self.assertEqual(booked, [c.OPERATION_STATUS_SUCCEEDED] * count)


class Comeback(RepeatsCase):
    def test_what_waits_for_a_connector_goes_on_when_it_is_back(self):
        """Though its pause has hardly begun, and nobody asks for anything new."""
        with self.beside(**PATIENT):
            requests = self.deposits(8, "sim:no-answer=1")
            with concurrent.futures.ThreadPoolExecutor(1) as waiting:
                payments = waiting.submit(self.all, requests)
                environment.wait_until(lambda: len(self.provider.operations()) == len(requests), 10, "all are there")
                self.provider.stop()
                for payment in payments.result():
                    self.assertEqual(state(payment), "UNKNOWN")
            environment.wait_until(lambda: self.metric("daler_client_breaker_open", "connector") == 1, 10, "the breaker opens")
            time.sleep(1)
            self.provider.start()
            self.wait_settled(requests, SOON_S)
            self.assertEqual(self.metric("daler_client_breaker_open", "connector"), 0)
            self.assert_done_once(len(requests))

    def test_what_waits_for_accounts_goes_on_when_it_is_back(self):
        with self.beside(**PATIENT):
            other = self.ledger.wallet("bert")
            requests = [internal(self.ledger, self.wallet, other, 1) for _ in range(8)]
            with environment.stopped("accounts"):
                for made in requests:  # a call each
                    payment = self.create(made, timeout=0.5)
                    self.assertEqual(state(payment), "CREATED")
                self.assertEqual(self.metric("daler_client_breaker_open", "accounts"), 1)
            environment.wait_ready("accounts")
            begun = time.monotonic()
            while self.metric("daler_client_breaker_open", "accounts") and time.monotonic() < begun + 20 * PATIENCE:
                requests.append(internal(self.ledger, self.wallet, other, 1))  # somebody asks
                self.create(requests[-1], timeout=0.5)
            self.wait_settled(requests, SOON_S)
            self.assertEqual(self.ledger.balances(other).posted_minor, len(requests))


class Budget(RepeatsCase):
    def test_a_connector_that_does_not_answer_is_sent_few_repeats(self):
        """What has no budget is put off, never lost, and its callers are told; when there are answers it costs nothing."""
        with self.beside(RETRY_PERCENT=0, RETRY_PER_S=1, RETRY_MS_MIN=10, RETRY_MS_MAX=50, CONNECTOR_TIMEOUT_MS=300):
            requests = self.deposits(30)
            begun = time.monotonic()
            with self.provider.paused():
                for payment in self.all(requests):
                    self.assertEqual(state(payment), "UNKNOWN")
                self.assertLess(time.monotonic() - begun, 2.5 * PATIENCE)
                time.sleep(2)
                self.assertGreaterEqual(self.metric("daler_payments_repeats_waiting", CONNECTOR), 15)
                repeats, elapsed_s = self.metric("daler_client_retries_total", "connector"), time.monotonic() - begun
                self.assertLessEqual(repeats, 10 + elapsed_s + 1)
                self.assertGreaterEqual(repeats, 10)
            self.wait_settled(requests, SOON_S)
            self.assertEqual(self.metric("daler_payments_repeats_waiting", CONNECTOR), 0)
            self.assert_done_once(len(requests))

    def test_accounts_is_sent_few_repeats(self):
        with self.beside(RETRY_PERCENT=0, RETRY_PER_S=1, RETRY_MS_MIN=10, RETRY_MS_MAX=50, ACCOUNTS_TIMEOUT_MS=100):
            other = self.ledger.wallet("bert")
            requests = [internal(self.ledger, self.wallet, other, 1) for _ in range(9)]
            self.wait_settled(requests[:1], SOON_S)  # it is connected, so that its breaker stays closed
            begun = time.monotonic()
            with environment.paused("accounts"):
                for made in requests[1:]:
                    self.create(made, timeout=0.3)
                time.sleep(3)
                repeats, elapsed_s = self.metric("daler_client_retries_total", "accounts"), time.monotonic() - begun
                self.assertLessEqual(repeats, 10 + elapsed_s + 1)
                self.assertGreaterEqual(repeats, 10)
            self.wait_settled(requests, SOON_S)
            self.assertEqual(self.metric("daler_payments_repeats_waiting", "accounts"), 0)
            self.assertEqual(self.ledger.balances(other).posted_minor, len(requests))


class Review(RepeatsCase):
    REVIEW_S = 1

    def read(self, payment):
        return self.payments.GetPayment(payment_id=payment.payment_id)

    def stuck(self):
        """Those that a person is to look at, by id."""
        listed = self.payments.ListStuckPayments(ledger_id=self.ledger.id, seconds_min=1).payments
        return {one.payment.payment_id: one for one in listed if one.payment.HasField("review_since_time")}

    def assert_listed(self, payment, stuck):
        self.assertEqual((state(stuck.payment), stuck.last_error), ("UNKNOWN", "CONNECTOR_TIMEOUT"))
        self.assertGreaterEqual(stuck.attempts, 3)
        self.assertTrue(stuck.worker_id and stuck.HasField("next_try_time"))
        bound_ns = payment.create_time.ToNanoseconds() + self.REVIEW_S * 10**9
        self.assertGreater(stuck.payment.review_since_time.ToNanoseconds(), bound_ns)

    def assert_asked_on(self, times):
        before = self.metric("daler_client_retries_total", "connector")
        environment.wait_until(lambda: self.metric("daler_client_retries_total", "connector") >= before + times, 20,
                               "the connector is asked on")

    def test_what_is_unknown_for_long_is_a_persons_too(self):
        """It is listed, with why, and stays unknown however long it is; the connector is asked on, and its late answer is the
        outcome: yes or no, as it would have been."""
        with self.beside(REVIEW_MS=self.REVIEW_S * 1000, RETRY_MS_MIN=20, RETRY_MS_MAX=100, CONNECTOR_TIMEOUT_MS=150):
            requests = [deposit(self.ledger, self.wallet, 10, connector=CONNECTOR),
                        withdrawal(self.ledger, self.wallet, 100, connector=CONNECTOR, instrument="sim:decline=NO_SUCH_CARD")]
            with self.provider.paused():
                payments = self.all(requests)
                self.assertEqual([state(one) for one in payments], ["UNKNOWN"] * 2)
                before = [self.read(one).events for one in payments]
                listed = environment.wait_until(
                    lambda: (lambda found: found if len(found) == 2 else None)(self.stuck()), 20, "both are listed")
                for payment in payments:
                    self.assert_listed(payment, listed[payment.payment_id])
                self.assertEqual(sum(line["count"] for line in self.log("payments_need_review")), 2)
                self.assert_asked_on(20)
                self.assertEqual([self.read(one).events for one in payments], before)
            ends = [environment.wait_until(
                lambda one=one: (lambda now: now if state(now.payment) in world.RESTING else None)(self.read(one)), SOON_S,
                "the late answer is taken") for one in payments]
            self.assertEqual([(state(one.payment), one.payment.reason) for one in ends],
                             [("SUCCEEDED", ""), ("DECLINED", "NO_SUCH_CARD")])
            self.assertFalse(any(event.actor or event.evidence for one in ends for event in one.events))
            self.assertEqual(self.stuck(), {})
            balances = self.ledger.balances(self.wallet)
            self.assertEqual((balances.posted_minor, balances.available_minor), (1010, 1010))


if __name__ == "__main__":
    unittest.main()
