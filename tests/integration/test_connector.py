"""The simulator through the connector's contract: the books of the other side."""

import os
import unittest

import grpc

from support import environment
from support.cases import Case, having
from support.client import PATIENCE, Refused, Stub
from support.contracts import connector as c
from support.provider import Provider
from support.world import new_id


class Connector(Case):
    def setUp(self):
        self.payments = Stub("connector", "payments")

    def charge(self, reference=None, amount_minor=100, instrument="sim:ok,notify-none", currency="EUR"):
        return c.AuthorizeRequest(reference=reference or new_id(), amount_minor=amount_minor, currency=currency,
                               instrument=instrument)

    def test_charge_and_payout(self):
        for name, kind in (("Authorize", c.OPERATION_KIND_CHARGE), ("Payout", c.OPERATION_KIND_PAYOUT)):
            with self.subTest(name=name):
                request = self.charge()
                operation = self.payments.call(name, reference=request.reference, amount_minor=100, currency="EUR",
                                               instrument=request.instrument).operation
                self.assertEqual((operation.reference, operation.kind, operation.amount_minor, operation.status),
                                 (request.reference, kind, 100, c.OPERATION_STATUS_SUCCEEDED))
                self.assertTrue(operation.provider_reference)
                self.assertEqual(self.payments.GetOperation(reference=request.reference).operation, operation)

    def test_repeat_and_mismatch(self):
        request = self.charge()
        first = self.payments.call("Authorize", request).operation
        self.assertEqual(self.payments.call("Authorize", request).operation, first)
        for change in (having(amount_minor=101), having(currency="USD")):
            changed = c.AuthorizeRequest()
            changed.CopyFrom(request)
            change(changed)
            with self.mismatch():
                self.payments.call("Authorize", changed)
        with self.mismatch():
            self.payments.Payout(reference=request.reference, amount_minor=100, currency="EUR",
                                 instrument=request.instrument)

    def test_decline_is_final(self):
        request = self.charge(instrument="sim:decline=CARD_EXPIRED,notify-none")
        for _ in range(2):
            operation = self.payments.call("Authorize", request).operation
            self.assertEqual((operation.status, operation.decline_reason),
                             (c.OPERATION_STATUS_DECLINED, "CARD_EXPIRED"))

    def test_pending_becomes_final(self):
        request = self.charge(instrument="sim:pending=300,notify-none")
        operation = self.payments.call("Authorize", request).operation
        self.assertEqual(operation.status, c.OPERATION_STATUS_PENDING)
        environment.wait_until(
            lambda: self.payments.GetOperation(reference=request.reference).operation.status
            == c.OPERATION_STATUS_SUCCEEDED, 10, "the operation is final")

    def test_no_answer_but_done(self):
        request = self.charge(instrument="sim:no-answer=1,notify-none")
        with self.assertRaises(Refused) as caught:
            self.payments.call("Authorize", request, timeout=1)
        self.assertEqual(caught.exception.code, grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertEqual(self.payments.GetOperation(reference=request.reference).operation.status,
                         c.OPERATION_STATUS_SUCCEEDED)

    def test_lost_is_not_done(self):
        request = self.charge(instrument="sim:lost=1,notify-none")
        with self.assertRaises(Refused) as caught:
            self.payments.call("Authorize", request, timeout=1)
        self.assertEqual(caught.exception.code, grpc.StatusCode.DEADLINE_EXCEEDED)
        with self.not_found("OPERATION_NOT_FOUND"):
            self.payments.GetOperation(reference=request.reference)
        self.assertEqual(self.payments.call("Authorize", request).operation.status, c.OPERATION_STATUS_SUCCEEDED)

    def test_fail_before_is_not_done(self):
        request = self.charge(instrument="sim:fail-before=1,notify-none")
        with self.assertRaises(Refused) as caught:
            self.payments.call("Authorize", request)
        self.assertEqual(caught.exception.code, grpc.StatusCode.UNAVAILABLE)
        with self.not_found("OPERATION_NOT_FOUND"):
            self.payments.GetOperation(reference=request.reference)
        self.assertEqual(self.payments.call("Authorize", request).operation.status, c.OPERATION_STATUS_SUCCEEDED)

    def test_bad_input(self):
        before = self.all()
        for name, make in (("Authorize", c.AuthorizeRequest), ("Payout", c.PayoutRequest)):
            good = make(reference="bad-input", amount_minor=1, currency="EUR", instrument="sim:ok")
            self.check_bad_input(self.payments, name, good, [
                (having(reference=""), "INVALID_LENGTH", "reference"),
                (having(reference="r" * 65), "INVALID_LENGTH", "reference"),
                (having(amount_minor=0), "INVALID_AMOUNT", "amount_minor"),
                (having(amount_minor=-1), "INVALID_AMOUNT", "amount_minor"),
                (having(currency="ZZZ"), "INVALID_CURRENCY", "currency"),
                (having(instrument="i" * 257), "INVALID_LENGTH", "instrument"),
                (having(instrument="sim:nonsense"), "INVALID_FIELD", "instrument"),
                (having(instrument="sim:delay=x"), "INVALID_FIELD", "instrument"),
            ])
        self.assertEqual(self.all(), before)
        with self.not_found("OPERATION_NOT_FOUND"):
            self.payments.GetOperation(reference="never-seen")
        with self.invalid("INVALID_LENGTH", "reference"):
            self.payments.GetOperation(reference="")

    def all(self, page_size=1000):
        seen, token = [], ""
        while True:
            page = self.payments.ListOperations(page_size=page_size, page_token=token)
            self.assertLessEqual(len(page.operations), page_size)
            seen.extend(operation.reference for operation in page.operations)
            token = page.next_page_token
            if not token:
                return seen

    def test_list_in_order_of_arrival(self):
        made = [self.charge() for _ in range(5)]
        for request in made:
            self.payments.call("Authorize", request)
        seen = self.all(page_size=2)
        self.assertEqual(seen[-5:], [request.reference for request in made])
        self.assertEqual(len(seen), len(set(seen)))
        for bad in ({"page_size": -1}, {"page_size": 1001}):
            with self.subTest(bad=bad), self.invalid("INVALID_FIELD", "page_size"):
                self.payments.ListOperations(**bad)
        with self.invalid("PAGE_TOKEN_INVALID", "page_token"):
            self.payments.ListOperations(page_token="x")

    def test_books_survive_a_crash(self):
        requests = [self.charge(), self.charge(instrument="sim:decline,notify-none")]
        before = [self.payments.call("Authorize", request).operation for request in requests]
        listed = self.all()
        environment.kill_and_wait("simulator")
        self.assertEqual([self.payments.call("Authorize", request).operation for request in requests], before)
        self.assertEqual(self.all(), listed)


class Configured(Case):
    """What an instrument that says nothing itself meets, by the simulator's settings."""

    # What is set; how the first request ends, and whether the work was done then; how the second one ends.
    SETTINGS = (
        ({"DEFAULT_BEHAVIOUR": "ok"}, "SUCCEEDED", True, "SUCCEEDED"),
        ({"DEFAULT_BEHAVIOUR": "decline=CARD_EXPIRED"}, "DECLINED", True, "DECLINED"),
        ({"DEFAULT_BEHAVIOUR": "pending=86400000"}, "PENDING", True, "PENDING"),
        ({"DEFAULT_BEHAVIOUR": "late"}, "DEADLINE_EXCEEDED", True, "SUCCEEDED"),
        ({"DEFAULT_BEHAVIOUR": "no-answer"}, "DEADLINE_EXCEEDED", True, "DEADLINE_EXCEEDED"),
        ({"DEFAULT_BEHAVIOUR": "delay=50000"}, "DEADLINE_EXCEEDED", True, "DEADLINE_EXCEEDED"),
        ({"DEFAULT_BEHAVIOUR": "lost"}, "DEADLINE_EXCEEDED", False, "SUCCEEDED"),
        ({"DEFAULT_BEHAVIOUR": "fail-before=1"}, "UNAVAILABLE", False, "SUCCEEDED"),
        ({"DEFAULT_BEHAVIOUR": "authorize-only"}, "AUTHORIZED", True, "AUTHORIZED"),
    )

    @staticmethod
    def ends(stub, request):
        """With a status of the operation, or a code."""
        try:
            operation = stub.call("Authorize", request, timeout=PATIENCE).operation
        except Refused as refused:
            return refused.code.name
        return c.value_name("OPERATION_STATUS_", operation.status)

    @staticmethod
    def done(stub, reference):
        try:
            stub.GetOperation(reference=reference)
        except Refused as refused:
            assert refused.reason == "OPERATION_NOT_FOUND", refused
            return False
        return True

    @staticmethod
    def request(instrument="card"):
        return c.AuthorizeRequest(reference=new_id(), amount_minor=100, currency="EUR", instrument=instrument)

    def test_each_behaviour(self):
        for settings, first, done, second in self.SETTINGS:
            with self.subTest(**settings), Provider(**settings) as provider, provider.start().stub("payments") as stub:
                request = self.request()
                self.assertEqual((self.ends(stub, request), self.done(stub, request.reference)), (first, done))
                self.assertEqual(self.ends(stub, request), second)
                self.assertEqual(self.ends(stub, self.request("sim:ok")), "SUCCEEDED", "a request's own word comes first")

    def test_a_share_of_requests(self):
        """Nearly all: that none of ten is among them does not happen."""
        for setting, code, done in (("FAIL_PERCENT", "UNAVAILABLE", False), ("NO_ANSWER_PERCENT", "DEADLINE_EXCEEDED", True)):
            with self.subTest(setting=setting), Provider(**{setting: 99}) as provider, \
                    provider.start().stub("payments") as stub:
                ends = []
                while code not in ends and len(ends) < 10:
                    request = self.request()
                    ends.append(self.ends(stub, request))
                self.assertIn(code, ends)
                self.assertEqual(self.done(stub, request.reference), done)
                self.assertEqual(self.ends(stub, self.request("sim:ok")), "SUCCEEDED", "a request's own word comes first")

    def test_notifications(self):
        """How many are sent, and what payments has heard of the operation then, by the ids of notifications."""
        address = os.environ["DALER_PAYMENTS_ADDR"]
        for told, sent, heard in (("ok", 1, ["2"]), ("notify-twice", 2, ["2"]), ("notify-out-of-order", 2, ["1", "2"]),
                                  ("notify-none", 0, [])):
            with self.subTest(told=told), Provider(DEFAULT_BEHAVIOUR=told, PAYMENTS_ADDR=address) as provider, \
                    provider.start().stub("payments") as stub:
                request = self.request()
                self.assertEqual(self.ends(stub, request), "SUCCEEDED")
                last = self.request("sim:ok")  # which those of the request come before
                self.assertEqual(self.ends(stub, last), "SUCCEEDED")

                def taken():
                    return environment.metric_sum(provider.admin, "daler_simulator_notifications_total", "taken") == sent + 1
                environment.wait_until(taken, 20, f"{sent} and one notifications are taken")
                rows = environment.sql("payments", "SELECT status FROM notifications WHERE reference = "
                                       f"'{request.reference}' ORDER BY status")
                self.assertEqual([status for status, in rows], heard)


if __name__ == "__main__":
    unittest.main()
