"""The simulator through the connector's contract: the books of the other side."""

import unittest

import grpc

from support import environment
from support.cases import Case, having
from support.client import Refused, Stub
from support.contracts import connector as c
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


if __name__ == "__main__":
    unittest.main()
