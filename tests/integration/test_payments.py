"""payments through its wire: deposits, withdrawals, transfers, their repeats, their readers."""

import concurrent.futures
import unittest

import grpc

from support import environment, world
from support.cases import Case, having
from support.client import Refused, Stub
from support.contracts import connector as c
from support.contracts import payments as p
from support.notifications import about, notify
from support.storm import operations
from support.world import Market, deposit, internal, new_id, state, withdrawal


class PaymentCase(Case):
    def setUp(self):
        self.ledger = Market()
        self.clearing = self.ledger.clearing["EUR"]
        self.wallet = self.ledger.wallet("anna", 1000)
        self.other = self.ledger.wallet("bert")
        self.payments = self.ledger.payments

    def create(self, request, stub=None, **more):
        return (stub or self.payments).call("CreatePayment", request, **more)

    def settled(self, request, stub=None):
        """The payment when it rests."""
        def done():
            payment = self.create(request, stub).payment
            return payment if state(payment) in world.RESTING else None
        return environment.wait_until(done, 40, "the payment rests")

    def timeline(self, payment):
        events = self.payments.GetPayment(payment_id=payment.payment_id).events
        self.assertEqual([event.version for event in events], list(range(1, len(events) + 1)))
        return [p.value_name("PAYMENT_STATE_", event.state) for event in events]

    def money(self, account_id):
        balances = self.ledger.balances(account_id)
        return balances.posted_minor, balances.available_minor

    def assert_whole(self):
        """The ledger balances, and nothing is left on hold."""
        balance = self.ledger.trial_balance()
        self.assertTrue(balance.balanced)
        for line in balance.lines:
            self.assertEqual((line.debits_pending_minor, line.credits_pending_minor), (0, 0))


class Create(PaymentCase):
    def test_deposit(self):
        request = deposit(self.ledger, self.wallet, 500, reference="Einzahlung")
        reply = self.create(request)
        payment = reply.payment
        self.assertFalse(reply.replayed)
        self.assertEqual(state(payment), "SUCCEEDED")
        self.assertEqual((payment.idempotency_key, payment.ledger_id, payment.amount_minor, payment.currency,
                          payment.deposit, payment.reference),
                         (request.idempotency_key, request.ledger_id, 500, "EUR", request.deposit, "Einzahlung"))
        self.assertEqual(self.money(self.wallet), (1500, 1500))
        self.assertEqual(self.timeline(payment), ["CREATED", "SUBMITTED", "SETTLING", "SUCCEEDED"])
        self.assertEqual(payment.version, 4)
        self.assert_whole()

    def test_withdrawal(self):
        payment = self.create(withdrawal(self.ledger, self.wallet, 300)).payment
        self.assertEqual(state(payment), "SUCCEEDED")
        self.assertEqual(self.money(self.wallet), (700, 700))
        self.assertEqual(self.timeline(payment), ["CREATED", "HELD", "SUBMITTED", "SETTLING", "SUCCEEDED"])
        self.assert_whole()

    def test_transfer(self):
        payment = self.create(internal(self.ledger, self.wallet, self.other, 250)).payment
        self.assertEqual(state(payment), "SUCCEEDED")
        self.assertEqual((self.money(self.wallet), self.money(self.other)), ((750, 750), (250, 250)))
        self.assertEqual(self.timeline(payment), ["CREATED", "SUCCEEDED"])

    def test_repeat_returns_the_first_outcome(self):
        for request in (deposit(self.ledger, self.wallet, 10), withdrawal(self.ledger, self.wallet, 10),
                        internal(self.ledger, self.wallet, self.other, 10)):
            with self.subTest(kind=request.WhichOneof("kind")):
                first = self.create(request)
                before = self.money(self.wallet)
                again = self.create(request)
                self.assertEqual((first.replayed, again.replayed), (False, True))
                self.assertEqual(first.payment, again.payment)
                self.assertEqual(self.money(self.wallet), before)

    def test_same_key_at_once_is_one_payment(self):
        for request in (deposit(self.ledger, self.wallet, 10), internal(self.ledger, self.wallet, self.other, 10)):
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                replies = list(pool.map(lambda _: self.create(request), range(16)))
            self.assertEqual(len({reply.payment.payment_id for reply in replies}), 1)
            self.assertEqual([reply.replayed for reply in replies].count(False), 1)
        self.assertEqual(self.money(self.wallet), (1000, 1000))

    def test_same_key_other_body(self):
        request = deposit(self.ledger, self.wallet, 10, reference="a")
        self.create(request)
        elsewhere = Market()
        for change in (having(amount_minor=11), having(reference="b"), having(deposit__account_id=self.other),
                       having(deposit__instrument="sim:other"), having(ledger_id=elsewhere.id),
                       lambda spoiled: spoiled.withdrawal.CopyFrom(withdrawal(self.ledger, self.wallet, 10).withdrawal)):
            changed = p.CreatePaymentRequest()
            changed.CopyFrom(request)
            change(changed)
            with self.nothing_written("payments"), self.mismatch():
                self.create(changed)
        self.assertEqual(self.money(self.wallet), (1010, 1010))

    def test_same_key_of_another_caller_is_another_payment(self):
        key = new_id()
        people = [world.person(), world.person()]
        ids = set()
        for one in people:
            wallet = self.ledger.wallet(one.user_id)
            ids.add(self.create(deposit(self.ledger, wallet, 5, key=key), one.at("payments")).payment.payment_id)
        self.assertEqual(len(ids), 2)

    def test_declines(self):
        dollars = self.ledger.open("anna", "USD")
        for reason, request in (
                ("INSUFFICIENT_FUNDS", withdrawal(self.ledger, self.wallet, 1001)),
                ("INSUFFICIENT_FUNDS", internal(self.ledger, self.wallet, self.other, 1001)),
                ("CURRENCY_MISMATCH", internal(self.ledger, self.wallet, dollars, 1)),
                ("ACCOUNT_NOT_FOUND", internal(self.ledger, self.wallet, new_id(), 1)),
        ):
            with self.subTest(reason=reason, kind=request.WhichOneof("kind")):
                reply = self.create(request)
                self.assertEqual((state(reply.payment), reply.payment.reason), ("DECLINED", reason))
                again = self.create(request)
                self.assertTrue(again.replayed)
                self.assertEqual(again.payment, reply.payment)
        self.assertEqual(self.money(self.wallet), (1000, 1000))
        self.assert_whole()

    def test_deposit_to_an_account_that_is_not_there_takes_no_money(self):
        """Declined or refused before the provider is asked: nobody's card is charged for nothing."""
        for account in (new_id(), self.ledger.open("anna", "USD")):
            request = deposit(self.ledger, account, 77)
            try:
                payment = self.settled(request)
                self.assertEqual(state(payment), "DECLINED", payment)
            except Refused as refused:
                self.assertIn(refused.code, (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION,
                                             grpc.StatusCode.INVALID_ARGUMENT))
        charged = [operation for operation in operations() if operation.amount_minor == 77]
        self.assertEqual(charged, [])

    def test_bad_input(self):
        goods = {
            "deposit": deposit(self.ledger, self.wallet, 10),
            "withdrawal": withdrawal(self.ledger, self.wallet, 10),
            "transfer": internal(self.ledger, self.wallet, self.other, 10),
        }
        with self.nothing_written("payments"), self.nothing_written("accounts"):
            for kind, good in goods.items():
                self.check_bad_input(self.payments, "CreatePayment", good, [
                    (having(idempotency_key=""), "INVALID_LENGTH", "idempotency_key"),
                    (having(idempotency_key="k" * 65), "INVALID_LENGTH", "idempotency_key"),
                    (having(idempotency_key="a b"), "INVALID_TEXT", "idempotency_key"),
                    (having(idempotency_key="ü"), "INVALID_TEXT", "idempotency_key"),
                    (having(ledger_id="x"), "INVALID_UUID", "ledger_id"),
                    (having(amount_minor=0), "INVALID_AMOUNT", "amount_minor"),
                    (having(amount_minor=-5), "INVALID_AMOUNT", "amount_minor"),
                    (having(currency="eur"), "INVALID_CURRENCY", "currency"),
                    (having(currency=""), "INVALID_CURRENCY", "currency"),
                    (having(reference="r" * 129), "INVALID_LENGTH", "reference"),
                    (lambda request, kind=kind: request.ClearField(kind), "INVALID_FIELD", "kind"),
                ])
            for kind in ("deposit", "withdrawal"):
                self.check_bad_input(self.payments, "CreatePayment", goods[kind], [
                    (having(**{f"{kind}__account_id": "x"}), "INVALID_UUID", f"{kind}.account_id"),
                    (having(**{f"{kind}__connector": ""}), "INVALID_LENGTH", f"{kind}.connector"),
                    (having(**{f"{kind}__connector": "c" * 33}), "INVALID_LENGTH", f"{kind}.connector"),
                    (having(**{f"{kind}__connector": "Up"}), "INVALID_TEXT", f"{kind}.connector"),
                    (having(**{f"{kind}__instrument": "i" * 257}), "INVALID_LENGTH", f"{kind}.instrument"),
                ])
            self.check_bad_input(self.payments, "CreatePayment", goods["transfer"], [
                (having(transfer__from_account_id="x"), "INVALID_UUID", "transfer.from_account_id"),
                (having(transfer__to_account_id=""), "INVALID_UUID", "transfer.to_account_id"),
                (having(transfer__to_account_id=self.wallet), "INVALID_FIELD", "transfer.to_account_id"),
            ])

    def test_no_overdraft_whatever_races(self):
        def spend(number):
            make = withdrawal if number % 2 else lambda *words: internal(words[0], words[1], self.other, words[2])
            return state(self.settled(make(self.ledger, self.wallet, 100)))

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            states = list(pool.map(spend, range(30)))
        self.assertEqual((states.count("SUCCEEDED"), states.count("DECLINED")), (10, 20))
        self.assertEqual(self.money(self.wallet), (0, 0))
        self.assert_whole()


class Provider(PaymentCase):
    """Whatever the provider does, the payment ends as the provider's books say."""

    def booked(self, payment):
        """What the simulator has in its books for it: (kind, status) or None."""
        mine = [operation for operation in operations() if operation.reference == payment.payment_id]
        self.assertLessEqual(len(mine), 1)
        return mine[0] if mine else None

    def check(self, instrument, outcome, reason=None):
        for make, sign in ((deposit, 1), (withdrawal, -1)):
            with self.subTest(instrument=instrument, kind=make.__name__):
                before = self.money(self.wallet)[0]
                request = make(self.ledger, self.wallet, 50, instrument=instrument)
                payment = self.settled(request)
                self.assertEqual(state(payment), outcome, payment)
                if reason is not None:
                    self.assertEqual(payment.reason, reason)
                moved = self.money(self.wallet)[0] - before
                self.assertEqual(moved, 50 * sign if outcome == "SUCCEEDED" else 0)
                self.assert_whole()
                booked = self.booked(payment)
                self.assertEqual((booked.amount_minor, c.value_name("OPERATION_STATUS_", booked.status)), (50, outcome))
                again = self.create(request)
                self.assertEqual((again.replayed, again.payment), (True, payment))

    def test_decline(self):
        self.check("sim:decline", "DECLINED", "DO_NOT_HONOR")
        self.check("sim:decline=CARD_EXPIRED", "DECLINED", "CARD_EXPIRED")

    def test_delay(self):
        self.check("sim:delay=400", "SUCCEEDED")

    def test_late_answer(self):
        self.check("sim:late", "SUCCEEDED")

    def test_work_without_answer(self):
        self.check("sim:no-answer=1", "SUCCEEDED")
        self.check("sim:no-answer=1,decline", "DECLINED")

    def test_never_answers_a_submission(self):
        """Only asking tells."""
        self.check("sim:no-answer", "SUCCEEDED")

    def test_lost_request(self):
        self.check("sim:lost", "SUCCEEDED")

    def test_failure_before_the_work(self):
        self.check("sim:fail-before=2", "SUCCEEDED")

    def test_pending_then_final(self):
        self.check("sim:pending=300", "SUCCEEDED")
        self.check("sim:pending=300,decline", "DECLINED")

    def test_pending_without_notification(self):
        self.check("sim:pending=300,notify-none", "SUCCEEDED")

    def test_notifications_twice_early_and_out_of_order(self):
        self.check("sim:notify-twice", "SUCCEEDED")
        self.check("sim:notify-early", "SUCCEEDED")
        self.check("sim:pending=200,notify-out-of-order", "SUCCEEDED")

    def test_notification_is_a_hint_and_not_believed(self):
        """Somebody who says that a pending operation succeeded moves nothing."""
        request = deposit(self.ledger, self.wallet, 50, instrument="sim:pending=4000,notify-none")
        payment = self.create(request, timeout=1.5).payment
        self.assertNotIn(state(payment), world.RESTING)
        booked = environment.wait_until(lambda: self.booked(payment), 5, "the operation is booked")
        told = c.Operation()
        told.CopyFrom(booked)
        told.status = c.OPERATION_STATUS_SUCCEEDED
        before = self.money(self.wallet)
        for _ in range(2):
            notify(about(told, f"untrue-{payment.payment_id}"[:64]))
        self.assertEqual(self.money(self.wallet), before)
        self.assertNotEqual(state(self.payments.GetPayment(payment_id=payment.payment_id).payment), "SUCCEEDED")
        self.assertEqual(state(self.settled(request)), "SUCCEEDED")


class Reading(PaymentCase):
    def test_player_reads_own_only(self):
        anna, bert = world.person(), world.person()
        wallet = self.ledger.wallet(anna.user_id)
        payment = self.create(deposit(self.ledger, wallet, 5), anna.at("payments")).payment
        self.assertEqual(anna.at("payments").GetPayment(payment_id=payment.payment_id).payment, payment)
        answers = set()
        for payment_id in (payment.payment_id, new_id()):
            with self.assertRaises(Refused) as caught:
                bert.at("payments").GetPayment(payment_id=payment_id)
            answers.add((caught.exception.code, caught.exception.reason, caught.exception.message))
        self.assertEqual(len(answers), 1, answers)
        mine = anna.at("payments").ListPayments(ledger_id=self.ledger.id).payments
        self.assertEqual([one.payment_id for one in mine], [payment.payment_id])
        self.assertEqual(list(bert.at("payments").ListPayments(ledger_id=self.ledger.id).payments), [])

    def test_player_pays_from_and_to_own_account_only(self):
        anna = world.person()
        mine = self.ledger.wallet(anna.user_id, 100)
        stub = anna.at("payments")
        for make in (lambda account: withdrawal(self.ledger, account, 1),
                     lambda account: deposit(self.ledger, account, 1),
                     lambda account: internal(self.ledger, account, mine, 1)):
            answers = set()
            for account in (self.wallet, new_id()):  # another's is not told apart from one that is not there
                with self.not_found("ACCOUNT_NOT_FOUND") as caught:
                    stub.CreatePayment(make(account))
                answers.add((caught.exception.message, tuple(caught.exception.fields)))
            self.assertEqual(len(answers), 1, answers)
        self.assertEqual(self.money(self.wallet), (1000, 1000))
        self.assertEqual(state(self.settled(internal(self.ledger, mine, self.other, 40), stub)), "SUCCEEDED")

    def test_list(self):
        made = [self.create(deposit(self.ledger, self.wallet, 1)).payment for _ in range(5)]
        declined = self.create(withdrawal(self.ledger, self.wallet, 100000)).payment
        seen, token = [], ""
        while True:
            page = self.payments.ListPayments(ledger_id=self.ledger.id, page_size=2, page_token=token)
            self.assertLessEqual(len(page.payments), 2)
            seen.extend(page.payments)
            token = page.next_page_token
            if not token:
                break
        self.assertEqual([one.payment_id for one in seen],
                         [one.payment_id for one in reversed(made + [declined])])
        only = self.payments.ListPayments(ledger_id=self.ledger.id, state=p.PAYMENT_STATE_DECLINED).payments
        self.assertEqual([one.payment_id for one in only], [declined.payment_id])

    def test_bad_input(self):
        for _ in range(2):
            self.create(deposit(self.ledger, self.wallet, 1))
        token = self.payments.ListPayments(ledger_id=self.ledger.id, page_size=1).next_page_token
        self.check_bad_input(self.payments, "ListPayments", p.ListPaymentsRequest(ledger_id=self.ledger.id), [
            (having(ledger_id="x"), "INVALID_UUID", "ledger_id"),
            (having(state=99), "INVALID_FIELD", "state"),
            (having(page_size=-1), "INVALID_FIELD", "page_size"),
            (having(page_size=1001), "INVALID_FIELD", "page_size"),
            (having(page_token="x"), "PAGE_TOKEN_INVALID", "page_token"),
            (having(page_token=token, ledger_id=Market(()).id), "PAGE_TOKEN_INVALID", "page_token"),
        ])
        with self.invalid("INVALID_UUID", "payment_id"):
            self.payments.GetPayment(payment_id="x")
        with self.not_found("PAYMENT_NOT_FOUND"):
            self.payments.GetPayment(payment_id=new_id())


class Clearing(PaymentCase):
    def request(self, **changes):
        return p.RegisterClearingAccountRequest(**{
            "ledger_id": self.ledger.id, "connector": "simulator", "currency": "EUR", "account_id": self.clearing,
            **changes})

    def test_repeat_is_harmless_and_change_is_refused(self):
        self.payments.call("RegisterClearingAccount", self.request())
        another = self.ledger.open("psp")
        with self.nothing_written("payments"), self.assertRaises(Refused) as caught:
            self.payments.call("RegisterClearingAccount", self.request(account_id=another))
        self.assertIn(caught.exception.code, (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ALREADY_EXISTS))

    def test_bad_input(self):
        with self.nothing_written("payments"):
            self.check_bad_input(self.payments, "RegisterClearingAccount", self.request(connector="new"), [
                (having(ledger_id="x"), "INVALID_UUID", "ledger_id"),
                (having(account_id="x"), "INVALID_UUID", "account_id"),
                (having(connector=""), "INVALID_LENGTH", "connector"),
                (having(connector="a_b"), "INVALID_TEXT", "connector"),
                (having(currency="EURO"), "INVALID_CURRENCY", "currency"),
            ])

    def test_account_must_be_there_and_in_the_currency(self):
        for account_id, currency in ((new_id(), "EUR"), (self.ledger.open("psp", "USD"), "EUR")):
            with self.nothing_written("payments"), self.assertRaises(Refused) as caught:
                self.payments.call("RegisterClearingAccount", self.request(
                    connector="new", account_id=account_id, currency=currency))
            self.assertIn(caught.exception.code, (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION,
                                                  grpc.StatusCode.INVALID_ARGUMENT))

    def test_payment_without_a_clearing_account(self):
        bare = Market(())
        account = bare.open("anna")
        request = deposit(bare, account, 10)
        try:
            payment = self.settled(request)
            self.assertEqual(state(payment), "DECLINED", payment)
        except Refused as refused:
            self.assertEqual(refused.code, grpc.StatusCode.FAILED_PRECONDITION, refused)


if __name__ == "__main__":
    unittest.main()
