"""OperationsService: what is stuck, retries, resolutions with evidence, reconciliation, and the record of all."""

import time
import unittest

import grpc

from support import environment, world
from support.cases import Case, having
from support.client import Refused, Stub
from support.contracts import CONTRACTS
from support.contracts import connector as c
from support.contracts import payments as p
from support.notifications import about, notify
from support.replicas import Replica
from support.storm import operations
from support.world import Market, deposit, new_id, request, state, withdrawal

Timestamp = CONTRACTS.message("google.protobuf.Timestamp")


class OperationsCase(Case):
    def setUp(self):
        self.ledger = Market()
        self.wallet = self.ledger.wallet("anna", 1000)
        self.payments = self.ledger.payments
        self.operator = world.operator("payments")

    def unknown(self, make, amount_minor=50, instrument="sim:lost,notify-none"):
        """A payment whose outcome nobody knows: the connector is not there any more when it is asked."""
        request = make(self.ledger, self.wallet, amount_minor, instrument=instrument)
        with environment.stopped("simulator"):
            payment = self.payments.call("CreatePayment", request, timeout=3).payment
            payment = environment.wait_until(lambda: self.in_state(payment, "UNKNOWN"), 10, "its outcome is unknown")
            yield payment

    def read(self, payment):
        return self.payments.GetPayment(payment_id=payment.payment_id)

    def in_state(self, payment, *wanted):
        now = self.read(payment).payment
        return now if state(now) in wanted else None

    def actions(self, payment):
        return self.operator.ListOperatorActions(ledger_id=self.ledger.id, payment_id=payment.payment_id).actions

    def rests(self, payment):
        return environment.wait_until(lambda: self.in_state(payment, *world.RESTING), 30, "it rests")

    def resolve(self, payment, outcome=p.RESOLUTION_OUTCOME_DONE, reason="seen in their back office", reference="T-1",
                stub=None):
        return (stub or self.operator).ResolvePayment(payment_id=payment.payment_id, outcome=outcome, reason=reason,
                                                      reference=reference)

    def stuck(self, **more):
        found = self.operator.ListStuckPayments(ledger_id=self.ledger.id, **more).payments
        return {one.payment.payment_id: one for one in found}

    def money(self):
        balances = self.ledger.balances(self.wallet)
        return balances.posted_minor, balances.available_minor

    def assert_whole(self):
        balance = self.ledger.trial_balance()
        self.assertTrue(balance.balanced)
        for line in balance.lines:
            self.assertEqual((line.debits_pending_minor, line.credits_pending_minor), (0, 0))


class Resolve(OperationsCase):
    def check(self, make, outcome, ends, money):
        for payment in self.unknown(make):
            listed = environment.wait_until(
                lambda: self.stuck(seconds_min=1).get(payment.payment_id), 10, "it is listed as stuck")
            self.assertEqual(state(listed.payment), "UNKNOWN")
            self.assertNotEqual(listed.worker_id, "")
            reply = self.resolve(payment, outcome)
            self.assertFalse(reply.replayed)
            now = self.rests(payment)
        self.assertEqual((state(now), self.money()), (ends, money))
        self.assert_whole()
        self.assertTrue(self.resolve(payment, outcome).replayed)
        for other in ({"outcome": 3 - outcome}, {"reason": "other"}, {"reference": "T-2"}):
            with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "RESOLVED_OTHERWISE"):
                self.resolve(payment, **{"outcome": outcome, **other})
        self.assertEqual(self.money(), money)
        made = [event for event in self.read(payment).events if event.actor]
        self.assertEqual(len(made), 1)
        self.assertIn("operator (", made[0].actor)
        self.assertEqual((made[0].evidence, made[0].worker_id), ("T-1: seen in their back office", ""))
        actions = self.actions(payment)
        self.assertEqual([(one.action, one.outcome, one.reason, one.reference, one.actor) for one in actions],
                         [("resolve", outcome, "seen in their back office", "T-1", made[0].actor)])

    def test_deposit_that_was_done(self):
        self.check(deposit, p.RESOLUTION_OUTCOME_DONE, "SUCCEEDED", (1050, 1050))

    def test_deposit_that_was_not_done(self):
        self.check(deposit, p.RESOLUTION_OUTCOME_NOT_DONE, "DECLINED", (1000, 1000))

    def test_withdrawal_that_was_done(self):
        self.check(withdrawal, p.RESOLUTION_OUTCOME_DONE, "SUCCEEDED", (950, 950))

    def test_withdrawal_that_was_not_done_is_compensated(self):
        self.check(withdrawal, p.RESOLUTION_OUTCOME_NOT_DONE, "DECLINED", (1000, 1000))

    def test_on_another_replica_than_the_one_that_has_it(self):
        with Replica("payments") as second:
            stub = second.stub("operator", world.operator_token())
            for payment in self.unknown(withdrawal):
                self.resolve(payment, p.RESOLUTION_OUTCOME_DONE, stub=stub)
                now = self.rests(payment)
            self.assertEqual((state(now), self.money()), ("SUCCEEDED", (950, 950)))
            time.sleep(0.5)
            self.assertEqual(self.rests(payment), now)

    def test_only_where_nobody_knows(self):
        done = self.rests(self.payments.call("CreatePayment", deposit(self.ledger, self.wallet, 5)).payment)
        declined = self.payments.call("CreatePayment", withdrawal(self.ledger, self.wallet, 5000)).payment
        for payment in (done, declined):
            before = self.read(payment)
            with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "PAYMENT_NOT_UNRESOLVED"):
                self.resolve(payment)
            self.assertEqual(self.read(payment), before)
            self.assertEqual(len(self.actions(payment)), 0)
        with self.not_found("PAYMENT_NOT_FOUND"):
            self.operator.ResolvePayment(payment_id=new_id(), outcome=1, reason="r", reference="r")

    def test_evidence_is_demanded(self):
        good = p.ResolvePaymentRequest(payment_id=new_id(), outcome=p.RESOLUTION_OUTCOME_DONE, reason="r", reference="f")
        self.check_bad_input(self.operator, "ResolvePayment", good, [
            (having(payment_id="x"), "INVALID_UUID", "payment_id"),
            (having(outcome=0), "INVALID_FIELD", "outcome"),
            (having(outcome=3), "INVALID_FIELD", "outcome"),
            (having(reason=""), "INVALID_LENGTH", "reason"),
            (having(reason="r" * 257), "INVALID_LENGTH", "reason"),
            (having(reference=""), "INVALID_LENGTH", "reference"),
            (having(reference="r" * 129), "INVALID_LENGTH", "reference"),
        ])

    def test_the_record_stays(self):
        """The service itself can't change what operators did."""
        for statement in ("UPDATE operator_actions SET reason = ''", "DELETE FROM operator_actions",
                          "UPDATE payment_calls SET reason = ''", "DELETE FROM payment_events"):
            table = next(word for word in statement.split() if "_" in word)
            right = statement.split()[0]
            with self.subTest(statement=statement):
                self.assertEqual(environment.sql_value(
                    "payments", f"SELECT has_table_privilege('payments_service', '{table}', '{right}')"), "f")


class Retry(OperationsCase):
    def test_wakes_the_process_that_has_it(self):
        """Whichever replica is told, the connector is asked long before the pause is over."""
        with Replica("payments") as second:
            for stub in (self.operator, second.stub("operator", world.operator_token())):
                request = deposit(self.ledger, self.wallet, 5, instrument="sim:pending=1,notify-none")
                with environment.stopped("simulator"):
                    payment = self.payments.call("CreatePayment", request, timeout=3).payment
                    environment.wait_until(lambda: self.tried(payment) >= 6, 60, "it was tried for a while")
                before = time.monotonic()
                environment.wait_until(lambda: self.retry(stub, payment), 30, "it is final")
                self.assertEqual(state(self.rests(payment)), "SUCCEEDED")
                self.assertLess(time.monotonic() - before, 25)

    def tried(self, payment):
        found = self.stuck(seconds_min=1).get(payment.payment_id)
        return found.attempts if found is not None else 0

    def retry(self, stub, payment):
        try:
            stub.RetryPayment(payment_id=payment.payment_id, reason="they are back")
        except Refused as refused:
            self.assertEqual(refused.reason, "PAYMENT_NOT_OPEN")
            return True
        return False

    def test_says_why_and_since_when(self):
        for payment in self.unknown(deposit):
            environment.wait_until(lambda: self.tried(payment) >= 3, 30, "it was tried in vain")
            found = self.stuck(seconds_min=1)[payment.payment_id]
            self.assertIn(found.last_error, ("CONNECTOR_UNAVAILABLE", "CONNECTOR_TIMEOUT"))
            self.assertGreaterEqual(found.since_time.seconds, found.payment.create_time.seconds)
            self.assertGreaterEqual(found.next_try_time.seconds, found.last_try_time.seconds)
            calls = self.read(payment).calls
            self.assertEqual(calls[0].action, "submit")
            self.assertEqual({call.reference for call in calls}, {payment.payment_id})
            self.assertEqual({call.result for call in calls}, {"silent"})
        self.assertEqual(state(self.rests(payment)), "SUCCEEDED")

    def test_refused_where_nothing_is_tried(self):
        payment = self.rests(self.payments.call("CreatePayment", deposit(self.ledger, self.wallet, 5)).payment)
        with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "PAYMENT_NOT_OPEN"):
            self.operator.RetryPayment(payment_id=payment.payment_id)
        self.assertEqual(len(self.actions(payment)), 0)

    def test_stuck_bad_input(self):
        good = p.ListStuckPaymentsRequest(ledger_id=self.ledger.id)
        self.check_bad_input(self.operator, "ListStuckPayments", good, [
            (having(ledger_id="x"), "INVALID_UUID", "ledger_id"),
            (having(seconds_min=-1), "INVALID_FIELD", "seconds_min"),
            (having(page_size=1001), "INVALID_FIELD", "page_size"),
            (having(page_token="x"), "PAGE_TOKEN_INVALID", "page_token"),
        ])


class Timeline(OperationsCase):
    def test_calls_are_written_with_the_changes_they_led_to(self):
        payment = self.payments.call("CreatePayment", deposit(self.ledger, self.wallet, 5)).payment
        answer = self.read(payment)
        self.assertEqual([(call.action, call.result, call.reference, call.attempt) for call in answer.calls],
                         [("submit", "succeeded", payment.payment_id, 1)])
        booked = next(one for one in operations() if one.reference == payment.payment_id)
        self.assertEqual(answer.calls[0].provider_reference, booked.provider_reference)
        self.assertNotEqual(answer.calls[0].worker_id, "")
        self.assertTrue(all(event.worker_id == answer.calls[0].worker_id for event in answer.events))

    def test_a_payment_that_has_changed_without_end_is_read(self):
        """A connector that never had it, and then does not answer, has it go back and forth: the latest is shown."""
        made = withdrawal(self.ledger, self.wallet, 50)
        paid = self.rests(self.payments.call("CreatePayment", made).payment)
        environment.sql("payments", f"""
            INSERT INTO payment_events (ledger_id, payment_id, version, from_state, state, reason, create_time)
            SELECT '{self.ledger.id}', '{paid.payment_id}', v, 3 + v % 2, 4 - v % 2, 'CONNECTOR_TIMEOUT', now()
            FROM generate_series({paid.version + 1}, 30000) AS v""")
        answer = self.read(paid)
        self.assertEqual([event.version for event in answer.events], list(range(29001, 30001)))
        self.assertEqual((answer.payment.version, len(answer.posts)), (30000, 0))

    def posts(self, payment):
        return [(post.step, post.outcome, post.reason, len(post.transfers))
                for post in self.read(payment).posts]

    def test_steps_in_the_ledger(self):
        """What was posted is there, under the ids that the timeline says; what was declined is not."""
        made = withdrawal(self.ledger, self.wallet, 50)
        made.fee.amount_minor, made.fee.account_id = 2, self.ledger.open("fees")
        paid = self.rests(self.payments.call("CreatePayment", made).payment)
        self.assertEqual(self.posts(paid), [("hold", "posted", "", 2), ("capture", "posted", "", 2)])
        posts = self.read(paid).posts
        self.assertEqual([(post.version, post.ledger_id) for post in posts], [(2, self.ledger.id), (5, self.ledger.id)])
        entries = {entry.transfer.transfer_id: entry.transfer for entry in self.ledger.statement(self.wallet)}
        self.assertEqual([transfer.amount_minor for transfer in posts[1].transfers], [50, 2])
        for transfer in (*posts[0].transfers, *posts[1].transfers):
            booked = entries[transfer.transfer_id]
            self.assertEqual((booked.WhichOneof("kind"), booked.debit_account_id, booked.credit_account_id, booked.amount_minor),
                             (transfer.kind, transfer.debit_account_id, transfer.credit_account_id, transfer.amount_minor))
        declined = self.rests(self.payments.call("CreatePayment", withdrawal(self.ledger, self.wallet, 5000)).payment)
        self.assertEqual(self.posts(declined), [("hold", "declined", "INSUFFICIENT_FUNDS", 1)])
        self.assertNotIn(self.read(declined).posts[0].transfers[0].transfer_id, entries)
        refused = withdrawal(self.ledger, self.wallet, 5, instrument="sim:decline")
        self.assertEqual(self.posts(self.rests(self.payments.call("CreatePayment", refused).payment)),
                         [("hold", "posted", "", 1), ("release", "posted", "", 1)])
        charged = deposit(self.ledger, self.wallet, 5, instrument="sim:decline")
        self.assertEqual(self.posts(self.rests(self.payments.call("CreatePayment", charged).payment)), [])
        # A rule said no before anything was done.
        early = request(self.ledger, 1, refund=p.Refund(payment_id=self.settled_decline(), instrument="sim:ok"))
        self.assertEqual(self.posts(self.rests(self.payments.call("CreatePayment", early).payment)), [])

    def settled_decline(self):
        made = deposit(self.ledger, self.wallet, 5, instrument="sim:decline")
        return self.rests(self.payments.call("CreatePayment", made).payment).payment_id

    def test_players_are_told_nothing_of_it(self):
        anna = world.person()
        wallet = self.ledger.wallet(anna.user_id)
        payment = anna.at("payments").call("CreatePayment", deposit(self.ledger, wallet, 5)).payment
        answer = anna.at("payments").GetPayment(payment_id=payment.payment_id)
        self.assertEqual((len(answer.calls), len(answer.posts)), (0, 0))
        self.assertEqual({event.worker_id for event in answer.events}, {""})


class Notified(OperationsCase):
    def test_notification_to_a_replica_that_does_not_have_the_payment(self):
        """It reaches the one that has it, long before its pause is over."""
        with Replica("payments", RETRY_MS_MIN=30000, RETRY_MS_MAX=60000) as patient:
            request = deposit(self.ledger, self.wallet, 5, instrument="sim:pending=700,notify-none")
            payment = patient.stub("operator", world.operator_token()).call("CreatePayment", request, timeout=2).payment
            self.assertNotIn(state(payment), world.RESTING)
            booked = environment.wait_until(lambda: self.final(payment), 10, "the provider is done")
            notify(about(booked, new_id()))
            now = environment.wait_until(lambda: self.in_state(payment, "SUCCEEDED"), 10, "it is told")
            self.assertEqual(now.version, 4)

    def final(self, payment):
        operation = Stub("connector", "payments").GetOperation(reference=payment.payment_id).operation
        return operation if operation.status == c.OPERATION_STATUS_SUCCEEDED else None


class Reconcile(OperationsCase):
    def moment(self, offset_s):
        return Timestamp(seconds=int(time.time()) + offset_s)

    def reconcile(self, report=(), whole=False, connector="simulator"):
        return self.operator.ReconcileConnector(connector=connector, start_time=self.moment(-3600), end_time=self.moment(60),
                                                report=report, report_is_whole=whole)

    def differences(self, **more):
        reply = self.reconcile(**more)
        self.assertEqual(reply.difference_count, len(reply.differences))
        mine = set(self.mine)
        return {(p.value_name("DIFFERENCE_KIND_", one.kind), one.reference) for one in reply.differences
                if one.reference in mine}

    def test_report(self):
        paid = [self.payments.call("CreatePayment", deposit(self.ledger, self.wallet, 10 + number)).payment
                for number in range(5)]
        declined = self.payments.call("CreatePayment", deposit(self.ledger, self.wallet, 9, instrument="sim:decline")).payment
        stranger = new_id()
        self.mine = [payment.payment_id for payment in (*paid, declined)] + [stranger, "no-uuid"]
        theirs = {one.reference: one for one in operations()}
        self.assertEqual(self.differences(report=[theirs[payment.payment_id] for payment in paid]), set())
        same, amount, currency, status, missing = [theirs[payment.payment_id] for payment in paid]
        amount.amount_minor += 1
        currency.currency = "USD"
        status.status = c.OPERATION_STATUS_DECLINED
        done = theirs[declined.payment_id]
        done.status = c.OPERATION_STATUS_SUCCEEDED
        unknown, odd = c.Operation(), c.Operation()
        unknown.CopyFrom(same)
        unknown.reference = stranger
        odd.CopyFrom(same)
        odd.reference = "no-uuid"
        report = [same, amount, currency, status, done, unknown, odd]
        expected = {("AMOUNT", amount.reference), ("CURRENCY", currency.reference), ("STATUS", status.reference),
                    ("STATUS", done.reference), ("MISSING_HERE", stranger), ("MISSING_HERE", "no-uuid")}
        self.assertEqual(self.differences(report=report), expected)
        self.assertEqual(self.differences(report=report, whole=True), expected | {("MISSING_THERE", missing.reference)})
        payout = c.Operation()
        payout.CopyFrom(theirs[paid[4].payment_id])
        payout.kind = c.OPERATION_KIND_PAYOUT
        self.assertEqual(self.differences(report=[payout]), {("OPERATION", payout.reference)})

    def test_a_report_in_other_words(self):
        """A provider that writes ids in upper case, and times that are none, means the same."""
        payment = self.payments.call("CreatePayment", deposit(self.ledger, self.wallet, 10)).payment
        theirs = next(one for one in operations() if one.reference == payment.payment_id)
        theirs.reference = theirs.reference.upper()
        theirs.create_time.seconds = 2 ** 63 - 1
        self.mine = [payment.payment_id, theirs.reference]
        self.assertEqual(self.differences(report=[theirs], whole=True), set())

    def test_the_connector_is_asked(self):
        payment = self.payments.call("CreatePayment", deposit(self.ledger, self.wallet, 10)).payment
        foreign = new_id()
        Stub("connector", "payments").Authorize(reference=foreign, amount_minor=1, currency="EUR", instrument="sim:ok,notify-none")
        self.mine = [payment.payment_id, foreign]
        self.assertEqual(self.differences(), {("MISSING_HERE", foreign)})

    def test_unsettled(self):
        for payment in self.unknown(deposit):
            operation = c.Operation(reference=payment.payment_id, kind=c.OPERATION_KIND_CHARGE, amount_minor=50,
                                    currency="EUR", status=c.OPERATION_STATUS_SUCCEEDED)
            self.mine = [payment.payment_id]
            self.assertEqual(self.differences(report=[operation]), {("UNSETTLED", payment.payment_id)})
            operation.status = c.OPERATION_STATUS_PENDING
            self.assertEqual(self.differences(report=[operation]), set())

    def test_bad_input(self):
        good = p.ReconcileConnectorRequest(connector="simulator", start_time=self.moment(-10), end_time=self.moment(10))
        self.check_bad_input(self.operator, "ReconcileConnector", good, [
            (having(connector=""), "INVALID_LENGTH", "connector"),
            (lambda request: request.ClearField("start_time"), "INVALID_FIELD", "start_time"),
            (lambda request: request.ClearField("end_time"), "INVALID_FIELD", "end_time"),
            (lambda request: request.end_time.CopyFrom(self.moment(-11)), "INVALID_FIELD", "end_time"),
            (lambda request: request.end_time.CopyFrom(self.moment(32 * 86400)), "INVALID_FIELD", "end_time"),
            (lambda request: request.start_time.CopyFrom(Timestamp(nanos=-1)), "INVALID_FIELD", "start_time"),
            (lambda request: request.report.add(), "INVALID_LENGTH", "report[0].reference"),
        ])
        with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "CONNECTOR_NOT_CONFIGURED"):
            self.reconcile(connector="nobody")


if __name__ == "__main__":
    unittest.main()
