"""Payments through a connector beyond yes and no: captures, actions of the person, calling off, giving back, refunds."""

import concurrent.futures
import contextlib
import time
import unittest

import grpc

from support import environment, world
from support.cases import Case, having
from support.client import Refused, Stub
from support.contracts import CONTRACTS
from support.contracts import connector as c
from support.contracts import payments as p
from support.replicas import Replica
from support.storm import operations
from support.world import Market, deposit, derived, new_id, request, state, withdrawal

Timestamp = CONTRACTS.message("google.protobuf.Timestamp")


class ConnectedCase(Case):
    def setUp(self):
        self.ledger = Market()
        self.payments = self.ledger.payments
        self.wallet = self.ledger.wallet("anna")

    def create(self, made, stub=None):
        return (stub or self.payments).call("CreatePayment", made)

    def settled(self, made):
        def done():
            payment = self.create(made).payment
            return payment if state(payment) in world.RESTING else None
        return environment.wait_until(done, 40, "the payment rests")

    def money(self, account_id):
        balances = self.ledger.balances(account_id)
        return balances.posted_minor, balances.available_minor

    def read(self, payment):
        return self.payments.GetPayment(payment_id=payment.payment_id).payment

    def timeline(self, payment):
        events = self.payments.GetPayment(payment_id=payment.payment_id).events
        self.assertEqual([event.version for event in events], list(range(1, len(events) + 1)))
        return [p.value_name("PAYMENT_STATE_", event.state) for event in events]

    def call_off(self, stub, payment, **more):
        """What the caller is told."""
        try:
            return state(stub.CancelPayment(payment_id=payment.payment_id, **more).payment)
        except Refused as refused:
            self.assertIn(refused.reason, ("PAYMENT_NOT_CANCELABLE", "IN_FLIGHT"))
            return refused.reason

    def check_races(self, stubs):
        """Some persons act while they are called off through all stubs, and some never do. Whoever calls off is told what
        becomes of the payment, and the books agree."""
        def race(number):
            acts_after_ms = 60000 if number % 3 == 0 else 100 + 10 * number
            made = deposit(self.ledger, self.wallet, 1, instrument=f"sim:action={acts_after_ms}")
            waiting = self.create(made).payment
            with concurrent.futures.ThreadPoolExecutor(len(stubs)) as together:
                heard = set(together.map(lambda stub: self.call_off(stub, waiting), stubs))
            end = state(self.settled(made))
            self.assertLessEqual(heard, {"CANCELED"} if end == "CANCELED" else {"PAYMENT_NOT_CANCELABLE"})
            self.assertTrue(end == "CANCELED" or acts_after_ms < 60000)
            return end
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            ends = list(pool.map(race, range(24)))
        self.assertLessEqual(set(ends), {"SUCCEEDED", "CANCELED"})
        self.assertEqual(self.money(self.wallet)[0], ends.count("SUCCEEDED"))
        self.assert_whole()

    def assert_whole(self):
        """The ledger balances, nothing is on hold, and the provider's books equal the clearing account."""
        balance = self.ledger.trial_balance()
        self.assertTrue(balance.balanced)
        for line in balance.lines:
            self.assertEqual((line.debits_pending_minor, line.credits_pending_minor), (0, 0))
        mine = {one.payment_id for one in self.payments.ListPayments(ledger_id=self.ledger.id, page_size=1000).payments}
        sign = {c.OPERATION_KIND_CHARGE: 1, c.OPERATION_KIND_PAYOUT: -1, c.OPERATION_KIND_REFUND: -1}
        total = sum(sign[one.kind] * one.amount_minor for one in operations()
                    if one.status == c.OPERATION_STATUS_SUCCEEDED and {one.reference, one.original_reference} & mine)
        self.assertEqual(self.money(self.ledger.clearing["EUR"])[0], total)


class Deposits(ConnectedCase):
    def test_authorized_then_captured(self):
        for instrument in ("sim:authorize-only", "sim:authorize-only,late", "sim:authorize-only,no-answer=1",
                           "sim:authorize-only,fail-before", "sim:authorize-only,pending=200",
                           "sim:authorize-only,action=200"):
            with self.subTest(instrument=instrument):
                before = self.money(self.wallet)[0]
                payment = self.settled(deposit(self.ledger, self.wallet, 10, instrument=instrument))
                self.assertEqual((state(payment), self.money(self.wallet)[0] - before), ("SUCCEEDED", 10))
        self.assert_whole()

    def test_words_of_ours_in_a_connectors_mouth(self):
        """They would say that somebody called it off, resolved it, or has a limit."""
        for reason in ("CANCELED", "RESOLVED_BY_OPERATOR", "GIVE_BACK_BY_OPERATOR", "POSTED_ANEW", "LIMIT_EXCEEDED",
                       "SELF_EXCLUDED"):
            for make in (deposit, withdrawal):
                made = make(self.ledger, self.ledger.wallet("anna", 20), 10, instrument=f"sim:decline={reason}")
                payment = self.settled(made)
                self.assertEqual((state(payment), payment.reason, payment.HasField("limit_refusal")),
                                 ("DECLINED", "CONNECTOR_DECLINED", False))

    def test_the_capture_is_declined(self):
        payment = self.settled(deposit(self.ledger, self.wallet, 10, instrument="sim:authorize-only,capture-decline"))
        self.assertEqual((state(payment), payment.reason), ("DECLINED", "CAPTURE_DECLINED"))
        self.assert_whole()

    def test_what_the_ledger_refuses_is_given_back(self):
        full = self.ledger.open("anna", lower=0, upper=50)
        for instrument in ("sim:ok", "sim:late", "sim:pending=200"):
            payment = self.settled(deposit(self.ledger, full, 51, instrument=instrument))
            self.assertEqual((state(payment), payment.reason), ("COMPENSATED", "LIMIT_EXCEEDED"))
            self.assertEqual(self.timeline(payment)[-3:], ["SETTLING", "COMPENSATING", "COMPENSATED"])
        self.assertEqual(self.money(full), (0, 0))
        self.assert_whole()


class Actions(ConnectedCase):
    def test_the_person_acts(self):
        made = deposit(self.ledger, self.wallet, 10, instrument="sim:action=2500")
        waiting = self.create(made).payment
        self.assertEqual(state(waiting), "REQUIRES_ACTION")
        self.assertTrue(waiting.action.url and waiting.action.data)
        self.assertEqual(self.read(waiting), waiting)
        again = self.create(made)
        self.assertEqual((again.replayed, again.payment), (True, waiting))
        payment = self.settled(made)
        self.assertEqual((state(payment), payment.HasField("action")), ("SUCCEEDED", False))
        self.assertEqual(self.timeline(payment), ["CREATED", "SUBMITTED", "REQUIRES_ACTION", "SETTLING", "SUCCEEDED"])
        self.assert_whole()

    def test_the_person_does_not(self):
        made = deposit(self.ledger, self.wallet, 10, instrument="sim:action=300,decline=ABANDONED")
        payment = self.settled_after_waiting(made)
        self.assertEqual((state(payment), payment.reason), ("DECLINED", "ABANDONED"))

    def settled_after_waiting(self, made):
        self.assertEqual(state(self.create(made).payment), "REQUIRES_ACTION")
        return self.settled(made)

    def test_one_player_takes_no_more_than_their_room(self):
        """Who begins ever more and ends none is refused at last; nobody else is, and what is on record is still answered."""
        anna, bert = world.person(), world.person()
        hers, his = self.ledger.wallet(anna.user_id), self.ledger.wallet(bert.user_id)
        made = [deposit(self.ledger, hers, 1, instrument="sim:action=86400000,notify-none") for _ in range(4)]
        with Replica("payments", ACCOUNT_OPEN_MAX=3) as replica:
            def create(one, identity="gateway", token=anna.token):
                return self.create(one, replica.stub(identity, token))

            def ready():
                with contextlib.suppress(Refused):
                    return create(deposit(self.ledger, hers, 1))
            environment.wait_until(ready, 20, "it knows its neighbours")
            waiting = [create(one).payment for one in made[:3]]
            self.assertEqual({state(one) for one in waiting}, {"REQUIRES_ACTION"})
            with self.refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_OPEN"):
                create(made[3])
            again = create(made[0])
            self.assertEqual((again.replayed, again.payment), (True, waiting[0]))
            self.assertEqual(state(create(deposit(self.ledger, his, 1), token=bert.token).payment), "SUCCEEDED")
            self.assertEqual(state(create(deposit(self.ledger, hers, 1), "operator", world.operator_token()).payment),
                             "SUCCEEDED")
            for one in waiting:
                replica.stub("gateway", anna.token).CancelPayment(payment_id=one.payment_id)
            self.assertEqual(state(create(made[3]).payment), "REQUIRES_ACTION")
            replica.stub("gateway", anna.token).CancelPayment(payment_id=create(made[3]).payment.payment_id)

    def test_called_off(self):
        made = deposit(self.ledger, self.wallet, 10, instrument="sim:action=60000")
        waiting = self.create(made).payment
        answer = self.payments.CancelPayment(payment_id=waiting.payment_id)
        self.assertEqual((state(answer.payment), answer.replayed), ("CANCELED", False))
        again = self.payments.CancelPayment(payment_id=waiting.payment_id)
        self.assertEqual((again.payment, again.replayed), (answer.payment, True))
        self.assertEqual(self.create(made).payment, answer.payment)
        booked = [one for one in operations() if one.reference == waiting.payment_id]
        self.assertEqual([one.status for one in booked], [c.OPERATION_STATUS_CANCELED])
        self.assert_whole()

    def test_called_off_while_the_person_acts(self):
        """One of them wins, and the books agree."""
        self.check_races([self.payments])

    def test_too_late(self):
        done = self.settled(deposit(self.ledger, self.wallet, 10))
        pending = self.payments.call("CreatePayment", withdrawal(
            self.ledger, self.wallet, 5, instrument="sim:pending=1500,notify-none"), timeout=1).payment
        for payment in (done, pending):
            with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "PAYMENT_NOT_CANCELABLE"):
                self.payments.CancelPayment(payment_id=payment.payment_id)

    def test_whose_it_is(self):
        anna, bert = world.person(), world.person()
        wallet = self.ledger.wallet(anna.user_id)
        waiting = self.create(deposit(self.ledger, wallet, 10, instrument="sim:action=60000"), anna.at("payments")).payment
        with self.not_found("PAYMENT_NOT_FOUND"):
            bert.at("payments").CancelPayment(payment_id=waiting.payment_id)
        with self.not_found("PAYMENT_NOT_FOUND"):
            self.payments.CancelPayment(payment_id=new_id())
        with self.invalid("INVALID_UUID", "payment_id"):
            self.payments.CancelPayment(payment_id="x")
        answer = anna.at("payments").CancelPayment(payment_id=waiting.payment_id)
        self.assertEqual(state(answer.payment), "CANCELED")


class CalledOffElsewhere(ConnectedCase):
    """On another replica than the one that has the payment."""

    def setUp(self):
        super().setUp()
        replica = Replica("payments").__enter__()
        self.addCleanup(replica.__exit__, None, None, None)
        self.other = replica.stub("operator", world.operator_token())

    def booked(self, payment):
        return [one.status for one in operations() if one.reference == payment.payment_id]

    def test_while_the_person_has_not_acted(self):
        waiting = self.create(deposit(self.ledger, self.wallet, 10, instrument="sim:action=60000")).payment
        before = time.monotonic()
        answer = self.other.CancelPayment(payment_id=waiting.payment_id)
        self.assertLess(time.monotonic() - before, 5)
        self.assertEqual((state(answer.payment), answer.replayed), ("CANCELED", False))
        for stub in (self.other, self.payments):
            again = stub.CancelPayment(payment_id=waiting.payment_id)
            self.assertEqual((again.payment, again.replayed), (answer.payment, True))
        self.assertEqual(self.booked(waiting), [c.OPERATION_STATUS_CANCELED])
        asked = self.payments.GetPayment(payment_id=waiting.payment_id).cancel_request
        self.assertEqual(asked.caller, environment.sql_value(
            "auth", "SELECT user_id FROM users WHERE username = 'operator'"))
        self.assert_whole()

    def test_while_the_person_acts(self):
        """Both replicas and the person at once: one wins, and the books agree."""
        self.check_races([self.other, self.payments])

    def test_too_late(self):
        made = withdrawal(self.ledger, self.ledger.wallet("bert", 10), 5, instrument="sim:pending=1500,notify-none")
        pending = self.payments.call("CreatePayment", made, timeout=1).payment
        self.assertEqual(self.call_off(self.other, pending), "PAYMENT_NOT_CANCELABLE")
        self.assertFalse(self.payments.GetPayment(payment_id=pending.payment_id).HasField("cancel_request"))
        done = self.settled(made)
        self.assertEqual((state(done), self.call_off(self.other, done)), ("SUCCEEDED", "PAYMENT_NOT_CANCELABLE"))

    def test_before_anything_was_done(self):
        """While accounts is away the wish waits, on record; when it is back nothing is submitted."""
        wallet = self.ledger.wallet("bert", 10)
        made = withdrawal(self.ledger, wallet, 5)
        with environment.stopped("accounts"):
            with contextlib.suppress(Refused):
                self.payments.call("CreatePayment", made, timeout=1)
            payment = self.payments.ListPayments(ledger_id=self.ledger.id).payments[0]
            self.assertEqual(state(payment), "CREATED")
            post = self.payments.GetPayment(payment_id=payment.payment_id).posts[0]
            self.assertEqual((post.step, post.outcome, post.version), ("hold", "waiting", 0))
            self.assertEqual(self.call_off(self.other, payment, timeout=2), "IN_FLIGHT")
        environment.wait_ready("accounts")
        self.assertEqual(state(self.settled(made)), "CANCELED")
        self.assertEqual(self.timeline(payment), ["CREATED", "HELD", "COMPENSATING", "CANCELED"])
        self.assertEqual((self.booked(payment), self.money(wallet)), ([], (10, 10)))
        self.assertTrue(self.ledger.trial_balance().balanced)

    def test_its_process_is_gone(self):
        """Whoever takes the payment over finds the wish."""
        with Replica("payments") as first:
            made = deposit(self.ledger, self.wallet, 10, instrument="sim:action=60000")
            waiting = self.create(made, first.stub("operator", world.operator_token())).payment
            first.kill()
            answers = [self.call_off(self.other, waiting, timeout=1)]
        payment = self.settled(made)
        self.assertEqual((state(payment), answers), ("CANCELED", ["IN_FLIGHT"]))
        self.assertEqual(self.booked(waiting), [c.OPERATION_STATUS_CANCELED])


class Refunds(ConnectedCase):
    def setUp(self):
        super().setUp()
        self.paid = self.settled(deposit(self.ledger, self.wallet, 100))

    def refund(self, amount, instrument="sim:ok", key=None, payment=None, **more):
        return request(self.ledger, amount, key, refund=p.Refund(
            payment_id=payment or self.paid.payment_id, instrument=instrument), **more)

    def test_in_parts(self):
        first = self.settled(self.refund(30))
        self.assertEqual((state(first), first.original_payment_id), ("SUCCEEDED", self.paid.payment_id))
        self.assertEqual(self.timeline(first), ["CREATED", "HELD", "SUBMITTED", "SETTLING", "SUCCEEDED"])
        paid = self.read(self.paid)
        self.assertEqual((state(paid), paid.refunded_minor), ("PARTLY_REFUNDED", 30))
        over = self.settled(self.refund(71))
        self.assertEqual((state(over), over.reason), ("DECLINED", "REFUND_EXCEEDS_PAYMENT"))
        self.settled(self.refund(20))
        self.assertEqual(state(self.settled(self.refund(50))), "SUCCEEDED")
        paid = self.read(self.paid)
        self.assertEqual((state(paid), paid.refunded_minor), ("REFUNDED", 100))
        self.assertEqual(self.timeline(paid)[-4:], ["SUCCEEDED", "PARTLY_REFUNDED", "PARTLY_REFUNDED", "REFUNDED"])
        self.assertEqual(self.settled(self.refund(1)).reason, "REFUND_EXCEEDS_PAYMENT")
        self.assertEqual(self.money(self.wallet), (0, 0))
        self.assert_whole()

    def test_whatever_the_provider_does(self):
        for number, instrument in enumerate(("sim:late", "sim:no-answer=1", "sim:lost", "sim:fail-before", "sim:pending=200",
                                             "sim:notify-twice", "sim:pending=200,notify-out-of-order")):
            with self.subTest(instrument=instrument):
                made = self.refund(10, instrument)
                payment = self.settled(made)
                self.assertEqual(state(payment), "SUCCEEDED", payment)
                self.assertEqual(self.read(self.paid).refunded_minor, 10 * (number + 1))
                again = self.create(made)
                self.assertEqual((again.replayed, again.payment), (True, payment))
        self.assert_whole()

    def test_a_decline_leaves_room_for_another(self):
        payment = self.settled(self.refund(100, "sim:decline"))
        self.assertEqual((state(payment), payment.reason), ("DECLINED", "DO_NOT_HONOR"))
        self.assertEqual((state(self.read(self.paid)), self.money(self.wallet)), ("SUCCEEDED", (100, 100)))
        self.assertEqual(state(self.settled(self.refund(100))), "SUCCEEDED")
        self.assert_whole()

    def test_many_at_once_are_never_more_than_there_was(self):
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            ends = [state(one) for one in pool.map(lambda _: self.settled(self.refund(7)), range(32))]
        self.assertEqual((ends.count("SUCCEEDED"), ends.count("DECLINED")), (14, 18))
        self.assertEqual(self.read(self.paid).refunded_minor, 98)
        self.assertEqual(self.money(self.wallet), (2, 2))
        self.assert_whole()

    def test_what_is_spent_is_not_refunded(self):
        self.settled(withdrawal(self.ledger, self.wallet, 50))
        payment = self.settled(self.refund(60))
        self.assertEqual((state(payment), payment.reason), ("DECLINED", "INSUFFICIENT_FUNDS"))
        self.assertEqual(state(self.settled(self.refund(50))), "SUCCEEDED")
        self.assert_whole()

    def test_only_what_succeeded(self):
        declined = self.settled(deposit(self.ledger, self.wallet, 10, instrument="sim:decline"))
        payment = self.settled(self.refund(10, payment=declined.payment_id))
        self.assertEqual((state(payment), payment.reason), ("DECLINED", "PAYMENT_NOT_SUCCEEDED"))

    def test_bad_input(self):
        moved, other = self.settled(withdrawal(self.ledger, self.wallet, 1)), Market()
        with self.nothing_written("payments"):
            self.check_bad_input(self.payments, "CreatePayment", self.refund(1), [
                (having(refund__payment_id="x"), "INVALID_UUID", "refund.payment_id"),
                (having(refund__payment_id=moved.payment_id), "NOT_REFUNDABLE", "refund.payment_id"),
                (having(refund__instrument="i" * 257), "INVALID_LENGTH", "refund.instrument"),
            ])
            with self.refused(grpc.StatusCode.NOT_FOUND, "PAYMENT_NOT_FOUND", "refund.payment_id"):
                self.create(self.refund(1, payment=new_id()))
            elsewhere = self.refund(1)
            elsewhere.ledger_id = other.id
            with self.not_found("PAYMENT_NOT_FOUND"):
                self.create(elsewhere)
            anna = world.person()
            with self.refused(grpc.StatusCode.PERMISSION_DENIED, "KIND_DENIED"):
                self.create(self.refund(1), anna.at("payments"))


class LookingAfter(ConnectedCase):
    """What a process does about its own payments that do not come to rest."""

    def test_what_is_unknown_for_long_is_listed_for_a_person(self):
        made = deposit(self.ledger, self.wallet, 10, instrument="sim:pending=9000,notify-none")
        payment = self.payments.call("CreatePayment", made, timeout=1).payment
        self.assertFalse(self.read(payment).HasField("review_since_time"))
        listed = environment.wait_until(
            lambda: (lambda one: one if one.HasField("review_since_time") else None)(self.read(payment)), 30,
            "the payment is listed")
        self.assertNotIn(state(listed), world.RESTING)  # asking goes on
        self.assertEqual(state(self.settled(made)), "SUCCEEDED")

    def test_whoever_begins_where_it_died_goes_on_at_once(self):
        """Its lease lasts for long after it was killed: whoever runs elsewhere waits for that, and who is started again at the
        same place does not."""
        replica = Replica("payments", LEASE_MS=600000)
        with replica:
            stub = replica.stub("operator", world.operator_token())
            made = deposit(self.ledger, self.wallet, 10, instrument="sim:pending=5000,notify-none")
            payment = stub.call("CreatePayment", made, timeout=2).payment  # the first call that this process has
            replica.kill()
        events = self.payments.GetPayment(payment_id=payment.payment_id).events
        time.sleep(2)  # as often as the others look for what has lapsed
        self.assertEqual(self.payments.GetPayment(payment_id=payment.payment_id).events, events)
        with replica:
            environment.wait_until(lambda: state(self.read(payment)) == "SUCCEEDED", 20, "the payment is gone on with")
            self.assertEqual(len(replica.log("sagas_taken_over")), 1)
        self.assertEqual(self.money(self.wallet), (10, 10))
        self.assert_whole()

    def test_what_was_lost_from_memory_is_taken_up_again(self):
        made = deposit(self.ledger, self.wallet, 10)
        payment = self.settled(made)
        environment.sql("payments", f"""
            UPDATE payments SET state = 3, open = true, update_time = now() - interval '1 minute'
            WHERE payment_id = '{payment.payment_id}'""")
        environment.wait_until(lambda: state(self.read(payment)) == "SUCCEEDED" and self.read(payment).version == 6, 40,
                               "the payment is taken up")
        self.assertEqual(self.money(self.wallet), (10, 10))
        self.assert_whole()


class Reconciling(ConnectedCase):
    def test_nothing_differs(self):
        full = self.ledger.open("anna", lower=0, upper=50)
        self.assertEqual(state(self.settled(deposit(self.ledger, full, 51))), "COMPENSATED")
        paid = self.settled(deposit(self.ledger, self.wallet, 100))
        self.settled(request(self.ledger, 30, refund=p.Refund(payment_id=paid.payment_id)))
        waiting = self.create(deposit(self.ledger, self.wallet, 10, instrument="sim:action=60000")).payment
        self.payments.CancelPayment(payment_id=waiting.payment_id)
        mine = {one.payment_id for one in self.payments.ListPayments(ledger_id=self.ledger.id).payments}
        report = [one for one in operations() if {one.reference, one.original_reference} & mine]
        self.assertEqual(len(report), 5)
        self.assertEqual(self.differences(report), [])
        # What was given back, and is not in their books; what was not, and is.
        back = next(one for one in report if one.amount_minor == 51 and one.original_reference)
        self.assertIn(("MISSING_THERE", back.original_reference),
                      self.differences([one for one in report if one is not back], True))
        back.reference, back.original_reference = derived(paid.payment_id, "give-back"), paid.payment_id
        back.amount_minor = 100
        self.assertEqual(self.differences(report), [("STATUS", back.reference)])

    @staticmethod
    def differences(report, whole=False):
        now = int(time.time())
        reply = world.operator("payments").ReconcileConnector(
            connector="simulator", start_time=Timestamp(seconds=now - 600), end_time=Timestamp(seconds=now + 60),
            report=report, report_is_whole=whole)
        return [(p.value_name("DIFFERENCE_KIND_", one.kind), one.reference) for one in reply.differences]


class Contract(ConnectedCase):
    """The simulator, as any connector must behave."""

    def setUp(self):
        super().setUp()
        self.connector = Stub("connector", "payments")

    def authorize(self, instrument="sim:authorize-only,notify-none", amount=100):
        return self.connector.Authorize(reference=new_id(), amount_minor=amount, currency="EUR",
                                        instrument=instrument).operation

    def test_capture_and_cancel(self):
        held = self.authorize()
        self.assertEqual(held.status, c.OPERATION_STATUS_AUTHORIZED)
        for _ in range(2):
            self.assertEqual(self.connector.Capture(reference=held.reference).operation.status,
                             c.OPERATION_STATUS_SUCCEEDED)
        self.assertEqual(self.connector.Cancel(reference=held.reference).operation.status, c.OPERATION_STATUS_SUCCEEDED)
        held = self.authorize()
        for _ in range(2):
            self.assertEqual(self.connector.Cancel(reference=held.reference).operation.status,
                             c.OPERATION_STATUS_CANCELED)
        self.assertEqual(self.connector.Capture(reference=held.reference).operation.status, c.OPERATION_STATUS_CANCELED)
        for name in ("Capture", "Cancel"):
            with self.not_found("OPERATION_NOT_FOUND"):
                self.connector.call(name, reference=new_id())
            with self.invalid("INVALID_LENGTH", "reference"):
                self.connector.call(name, reference="")

    def refund(self, original, amount, reference=None):
        return self.connector.Refund(reference=reference or new_id(), original_reference=original.reference,
                                     amount_minor=amount, currency="EUR", instrument="sim:notify-none").operation

    def test_refunds_are_never_more_than_was_captured(self):
        charged = self.authorize("sim:notify-none")
        first = self.refund(charged, 60)
        self.assertEqual((first.status, first.original_reference), (c.OPERATION_STATUS_SUCCEEDED, charged.reference))
        self.assertEqual(self.refund(charged, 60, first.reference), first)
        over = self.refund(charged, 41)
        self.assertEqual((over.status, over.decline_reason), (c.OPERATION_STATUS_DECLINED, "REFUND_EXCEEDS_CAPTURED"))
        self.assertEqual(self.refund(charged, 40).status, c.OPERATION_STATUS_SUCCEEDED)
        self.assertEqual(self.refund(self.authorize(), 1).decline_reason, "ORIGINAL_NOT_CAPTURED")
        with self.mismatch():
            self.refund(self.authorize("sim:notify-none"), 60, first.reference)

    def test_capabilities(self):
        answer = self.connector.GetCapabilities()
        self.assertEqual(set(answer.operations), {c.OPERATION_KIND_CHARGE, c.OPERATION_KIND_PAYOUT, c.OPERATION_KIND_REFUND})
        self.assertTrue(answer.name and answer.partial_refunds and answer.requires_action)


if __name__ == "__main__":
    unittest.main()
