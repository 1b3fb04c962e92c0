"""ListPayments: every filter, and pages that neither miss nor double."""

import time
import unittest

from support import world
from support.cases import Case, having
from support.contracts import CONTRACTS
from support.contracts import payments as p
from support.world import Market, deposit, internal, new_id, withdrawal

Timestamp = CONTRACTS.message("google.protobuf.Timestamp")


class Lists(Case):
    @classmethod
    def setUpClass(cls):
        cls.ledger = Market(("EUR", "USD"))
        cls.payments = cls.ledger.payments
        cls.wallet = cls.ledger.wallet("anna", 1000)
        cls.other = cls.ledger.wallet("bert")
        cls.dollars = cls.ledger.wallet("anna", 1000, "USD")
        cls.anna = world.person()
        own = cls.ledger.wallet(cls.anna.user_id)
        made = {
            "deposit": deposit(cls.ledger, cls.wallet, 10, reference="order-1"),
            "withdrawal": withdrawal(cls.ledger, cls.wallet, 20, reference="order-2"),
            "transfer": internal(cls.ledger, cls.wallet, cls.other, 30, reference="order-2"),
            "declined": internal(cls.ledger, cls.other, cls.wallet, 999999),
            "dollars": deposit(cls.ledger, cls.dollars, 40, currency="USD"),
        }
        cls.ids = {name: cls.payments.call("CreatePayment", request).payment for name, request in made.items()}
        cls.between = time.time()
        time.sleep(0.01)
        cls.ids["own"] = cls.anna.at("payments").call("CreatePayment", deposit(cls.ledger, own, 50)).payment
        cls.names = {payment.payment_id: name for name, payment in cls.ids.items()}

    def listed(self, stub=None, **more):
        reply = (stub or self.payments).ListPayments(ledger_id=self.ledger.id, **more)
        return [self.names[payment.payment_id] for payment in reply.payments]

    @staticmethod
    def moment(seconds):
        return Timestamp(seconds=int(seconds), nanos=int(seconds % 1 * 1e6) * 1000)

    def test_filters(self):
        everything = ["own", "dollars", "declined", "transfer", "withdrawal", "deposit"]
        operator = self.payments.GetPayment(payment_id=self.ids["deposit"].payment_id)
        self.assertEqual(operator.payment, self.ids["deposit"])
        at = self.moment(self.between)
        for filters, expected in (
                ({}, everything),
                ({"kind": p.PAYMENT_KIND_DEPOSIT}, ["own", "dollars", "deposit"]),
                ({"kind": p.PAYMENT_KIND_TRANSFER}, ["declined", "transfer"]),
                ({"kind": p.PAYMENT_KIND_WITHDRAWAL}, ["withdrawal"]),
                ({"kind": p.PAYMENT_KIND_WAGER}, []),
                ({"state": p.PAYMENT_STATE_DECLINED}, ["declined"]),
                ({"state": p.PAYMENT_STATE_UNKNOWN}, []),
                ({"account_id": self.wallet}, ["transfer", "withdrawal", "deposit"]),
                ({"account_id": new_id()}, []),
                ({"caller": self.anna.user_id}, ["own"]),
                ({"caller": "nobody"}, []),
                ({"connector": "simulator"}, ["own", "dollars", "withdrawal", "deposit"]),
                ({"connector": "another"}, []),
                ({"reference": "order-2"}, ["transfer", "withdrawal"]),
                ({"reference": "order"}, []),
                ({"start_time": at}, ["own"]),
                ({"end_time": at}, everything[1:]),
                ({"start_time": self.moment(0), "end_time": self.moment(1)}, []),
                ({"currency": "USD"}, ["dollars"]),
                ({"currency": "EUR", "amount_minor_min": 20, "amount_minor_max": 30}, ["transfer", "withdrawal"]),
                ({"currency": "EUR", "amount_minor_min": 31}, ["own", "declined"]),
                ({"reference": "order-2", "kind": p.PAYMENT_KIND_TRANSFER, "account_id": self.wallet}, ["transfer"])):
            with self.subTest(filters=filters):
                self.assertEqual(self.listed(**filters), expected)

    def test_player_sees_own_whatever_is_asked_for(self):
        player = self.anna.at("payments")
        self.assertEqual(self.listed(player), ["own"])
        self.assertEqual(self.listed(player, caller="operator"), ["own"])
        self.assertEqual(self.listed(player, account_id=self.wallet), [])

    def test_pages(self):
        for filters in ({}, {"kind": p.PAYMENT_KIND_DEPOSIT}, {"account_id": self.wallet}, {"reference": "order-2"}):
            expected, seen, token = self.listed(**filters), [], ""
            while True:
                reply = self.payments.ListPayments(ledger_id=self.ledger.id, page_size=1, page_token=token, **filters)
                self.assertLessEqual(len(reply.payments), 1)
                seen += [self.names[payment.payment_id] for payment in reply.payments]
                token = reply.next_page_token
                if not token:
                    break
                for change in (having(page_token=token, reference="x"), having(page_token=token, amount_minor_min=1, currency="EUR"),
                               having(page_token="A" + token[1:] if token[0] != "A" else "B" + token[1:])):
                    request = p.ListPaymentsRequest(ledger_id=self.ledger.id, page_size=1, page_token=token, **filters)
                    change(request)
                    with self.invalid("PAGE_TOKEN_INVALID", "page_token"):
                        self.payments.call("ListPayments", request)
            self.assertEqual(seen, expected)

    def test_bad_input(self):
        good = p.ListPaymentsRequest(ledger_id=self.ledger.id)
        self.check_bad_input(self.payments, "ListPayments", good, [
            (having(ledger_id="x"), "INVALID_UUID", "ledger_id"),
            (having(kind=99), "INVALID_FIELD", "kind"),
            (having(kind=-1), "INVALID_FIELD", "kind"),
            (having(state=99), "INVALID_FIELD", "state"),
            (having(account_id="x"), "INVALID_UUID", "account_id"),
            (having(caller="c" * 65), "INVALID_LENGTH", "caller"),
            (having(caller="0199AAAA-0000-7000-8000-000000000001"), "INVALID_UUID", "caller"),
            (having(connector="Up"), "INVALID_TEXT", "connector"),
            (having(reference="r" * 129), "INVALID_LENGTH", "reference"),
            (having(currency="euro"), "INVALID_TEXT", "currency"),
            (having(currency="EU"), "INVALID_LENGTH", "currency"),
            (having(amount_minor_min=-1, currency="EUR"), "INVALID_AMOUNT", "amount_minor_min"),
            (having(amount_minor_min=2, amount_minor_max=1, currency="EUR"), "INVALID_AMOUNT", "amount_minor_max"),
            (having(amount_minor_min=2), "INVALID_CURRENCY", "currency"),
            (having(page_size=-1), "INVALID_FIELD", "page_size"),
            (having(page_size=1001), "INVALID_FIELD", "page_size"),
            (lambda request: request.end_time.CopyFrom(Timestamp()), "INVALID_FIELD", "end_time"),
            (lambda request: request.start_time.CopyFrom(Timestamp(nanos=10 ** 9)), "INVALID_FIELD", "start_time"),
        ])


if __name__ == "__main__":
    unittest.main()
