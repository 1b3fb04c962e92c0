"""Payments that a person must look at: how they come there, both ways out with evidence, what is refused, and that nothing
of what they had claimed stays behind."""

import concurrent.futures
import contextlib
import unittest

import grpc

from support import environment, world
from support.cases import Case
from support.client import Refused, Stub
from support.contracts import accounts as a
from support.contracts import auth as u
from support.contracts import payments as p
from support.replicas import Replica
from support.world import Market, deposit, derived, new_id, request, state, withdrawal

DONE, NOT_DONE = p.RESOLUTION_OUTCOME_DONE, p.RESOLUTION_OUTCOME_NOT_DONE


class ReviewCase(Case):
    def setUp(self):
        self.ledger = Market()
        self.wallet = self.ledger.wallet("anna", 1000)
        self.payments = self.ledger.payments
        self.operator = world.operator("payments")

    def read(self, payment):
        return self.payments.GetPayment(payment_id=payment.payment_id)

    def now(self, payment):
        return self.read(payment).payment

    def rests(self, payment, *wanted):
        return environment.wait_until(
            lambda: (lambda one: one if state(one) in (wanted or world.RESTING) else None)(self.now(payment)), 30, "it rests")

    def settled(self, made):
        return self.rests(self.payments.call("CreatePayment", made).payment)

    def timeline(self, payment):
        return [p.value_name("PAYMENT_STATE_", event.state) for event in self.read(payment).events]

    def money(self, account=None):
        balances = self.ledger.balances(account or self.wallet)
        return balances.posted_minor, balances.available_minor

    def assert_whole(self):
        balance = self.ledger.trial_balance()
        self.assertTrue(balance.balanced)
        for line in balance.lines:
            self.assertEqual((line.debits_pending_minor, line.credits_pending_minor), (0, 0))

    def assert_claims(self, original, claimed, refunded):
        """What the original's row says, and that it is what those say that give it back."""
        children = """(SELECT coalesce(sum(c.amount_minor), 0) FROM payments AS c
            WHERE c.parent_id = p.payment_id AND c.state NOT IN (7, 11, 12))"""
        self.assertEqual(environment.sql("payments", f"""
            SELECT p.claimed_minor, p.refunded_minor, {children} FROM payments AS p
            WHERE p.payment_id = '{original.payment_id}'"""), [[str(claimed), str(refunded), str(claimed)]])

    def resolve(self, payment, outcome, reason="seen in their back office", reference="T-1", stub=None):
        return (stub or self.operator).ResolvePayment(payment_id=payment.payment_id, outcome=outcome, reason=reason,
                                                      reference=reference)

    def assert_on_record(self, payment, outcome):
        """Who resolved it and why: with the change, and as an action. The same again is a replay, another is refused."""
        self.assertTrue(self.resolve(payment, outcome).replayed)
        with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "RESOLVED_OTHERWISE"):
            self.resolve(payment, 3 - outcome)
        made = [event for event in self.read(payment).events if event.evidence]
        self.assertEqual([(event.evidence, event.worker_id) for event in made], [("T-1: seen in their back office", "")])
        self.assertIn("operator (", made[0].actor)
        actions = self.operator.ListOperatorActions(ledger_id=self.ledger.id, payment_id=payment.payment_id).actions
        self.assertEqual([(one.outcome, one.reference, one.actor, p.value_name("PAYMENT_STATE_", one.from_state))
                          for one in actions if one.action == "resolve"],
                         [(outcome, "T-1", made[0].actor, "MANUAL_REVIEW")])

    @contextlib.contextmanager
    def patient(self, identity="operator", token=None):
        """A process of payments that tries again only when it is told to: as somebody, and as an operator."""
        with Replica("payments", RETRY_MS_MIN=60000, RETRY_MS_MAX=60000, ACCOUNTS_TIMEOUT_MS=1000) as patient:
            operator = world.operator_token()
            yield patient.stub(identity, token or operator), patient.stub("operator", operator)

    def refused_by_the_ledger(self, made, name, before=None):
        """Recorded while accounts is away, by a process that has made the payment before and so knows the account's owner,
        and that is not there any more when accounts is; until another takes over, somebody uses the id of its first transfer
        for something else."""
        with Replica("payments", LEASE_MS=10000, ACCOUNTS_TIMEOUT_MS=1000) as first:
            payments = first.stub("operator", world.operator_token())
            if before is not None:
                payments.call("CreatePayment", before)
            with environment.stopped("accounts"):
                with contextlib.suppress(Refused):
                    payments.call("CreatePayment", made, timeout=1)
                payment = environment.wait_until(lambda: self.by_key(made), 10, "it is recorded")
                first.kill()
        environment.wait_ready("accounts")
        environment.wait_until(lambda: self.post_otherwise(payment, name), 5, "its transfer's id is used")
        return self.rests(payment, "MANUAL_REVIEW")

    def post_otherwise(self, payment, name):
        with contextlib.suppress(Refused):
            outcome = self.ledger.post(self.ledger.clearing["EUR"], self.wallet, 1,
                                       transfer_id=derived(payment.payment_id, name))
            self.assertEqual(outcome.WhichOneof("result"), "posted")
            self.ledger.post(self.wallet, self.ledger.clearing["EUR"], 1)
            return True

    def by_key(self, made):
        found = [one for one in self.payments.ListPayments(ledger_id=self.ledger.id).payments
                 if one.idempotency_key == made.idempotency_key]
        return found[0] if found else None

    def refused_by_the_connector(self, make, operation, player=None, **fields):
        """The connector fails before it does it, and then has the same reference from elsewhere with another amount."""
        made = make(self.ledger, self.wallet, 50, instrument="sim:fail-before=1000,notify-none")
        with self.patient(*(("gateway", player.token) if player else ())) as (caller, operator):
            payment = environment.wait_until(lambda: self.recorded(caller, made), 20, "it is recorded")
            environment.wait_until(lambda: self.timeline(payment)[-2:] == ["UNKNOWN", "SUBMITTED"], 10, "it is to be tried again")
            Stub("connector", "payments").call(operation, reference=payment.payment_id, amount_minor=51, currency="EUR",
                                               instrument="sim:ok,notify-none", **fields)
            self.look_at(operator, payment)
        return self.now(payment)

    def recorded(self, caller, made):
        """Tried until it is: a new process does not know its neighbours at once."""
        with contextlib.suppress(Refused):
            caller.call("CreatePayment", made, timeout=2)
        return self.by_key(made)

    def look_at(self, payments, payment):
        """Has it tried, and again if its neighbours were not yet there, until it is in review."""
        def in_review():
            return state(self.now(payment)) == "MANUAL_REVIEW"
        for _ in range(5):
            payments.RetryPayment(payment_id=payment.payment_id)
            with contextlib.suppress(AssertionError):
                return environment.wait_until(in_review, 4, "it needs a person")
        self.fail("it needs no person")

    def amend(self, status):
        key = {"ledger_id": self.ledger.id, "account_id": self.wallet}
        version = self.ledger.accounts.GetAccountMetadata(**key).metadata.version
        request = a.UpdateAccountRequest(expected_version=version, status=status, **key)
        request.update_mask.paths.append("status")
        self.ledger.accounts.call("UpdateAccount", request)

    def block(self):
        self.amend(a.ACCOUNT_STATUS_BLOCKED)

    def unblock(self):
        self.amend(a.ACCOUNT_STATUS_ACTIVE)


class Claims(ReviewCase):
    """What a refund or a rollback has claimed is free again when it ends without having moved anything."""

    def test_refund(self):
        paid = self.settled(deposit(self.ledger, self.wallet, 100))

        def refund(amount):
            return request(self.ledger, amount, refund=p.Refund(payment_id=paid.payment_id, instrument="sim:ok"))
        payment = self.refused_by_the_ledger(refund(70), "hold")
        self.assertEqual(self.timeline(payment), ["CREATED", "MANUAL_REVIEW"])
        self.assert_claims(paid, 70, 0)
        self.assertEqual(self.settled(refund(31)).reason, "REFUND_EXCEEDS_PAYMENT")
        with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "OUTCOME_IMPOSSIBLE"):
            self.resolve(payment, DONE)
        auditor = Stub("payments", "operator", world.person(u.ROLE_AUDITOR).token)
        with self.assertRaises(Refused) as caught:
            self.resolve(payment, NOT_DONE, stub=auditor)
        self.assertEqual(caught.exception.code, grpc.StatusCode.PERMISSION_DENIED)
        self.assert_claims(paid, 70, 0)
        answer = self.resolve(payment, NOT_DONE)
        self.assertEqual((state(answer.payment), answer.replayed), ("DECLINED", False))
        self.assert_on_record(payment, NOT_DONE)
        self.assert_claims(paid, 0, 0)
        self.assertEqual(state(self.settled(refund(100))), "SUCCEEDED")
        self.assertEqual(state(self.now(paid)), "REFUNDED")
        self.assert_claims(paid, 100, 100)
        self.assertEqual(self.money(), (1000, 1000))
        self.assert_whole()

    def test_two_resolve_a_refund_at_once(self):
        """Its claim is given back once, beside another's."""
        paid = self.settled(deposit(self.ledger, self.wallet, 100))
        refund = request(self.ledger, 30, refund=p.Refund(payment_id=paid.payment_id, instrument="sim:ok"))
        self.settled(request(self.ledger, 20, refund=p.Refund(payment_id=paid.payment_id, instrument="sim:ok")))
        payment = self.refused_by_the_ledger(refund, "hold")

        def one(number):
            try:
                return self.resolve(payment, NOT_DONE, reference=f"T-{number}").replayed
            except Refused as refused:
                return refused.reason
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(one, range(8)))
        self.assertEqual(answers.count(False), 1, answers)
        self.assertLessEqual(set(answers), {False, "RESOLVED_OTHERWISE", "VERSION_CONFLICT"})
        self.assert_claims(paid, 20, 20)

    def test_rollback(self):
        game = self.ledger.open("game")
        wager = request(self.ledger, 100, wager=p.Wager(account_id=self.wallet, game_account_id=game, round_id="r1"))
        def rollback():
            return request(self.ledger, 100, rollback=p.Rollback(
                account_id=self.wallet, game_account_id=game, round_id="r1", original_key=wager.idempotency_key))
        payment = self.refused_by_the_ledger(rollback(), "rollback", before=wager)
        original = self.by_key(wager)
        with self.refused(grpc.StatusCode.ABORTED, "IN_FLIGHT"):
            self.payments.call("CreatePayment", rollback(), timeout=1)
        with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "OUTCOME_IMPOSSIBLE"):
            self.resolve(payment, DONE)
        self.assertEqual(state(self.resolve(payment, NOT_DONE).payment), "DECLINED")
        self.assert_on_record(payment, NOT_DONE)
        self.assert_claims(original, 0, 0)
        again = self.settled(rollback())
        self.assertEqual((state(again), again.reason, self.money()), ("SUCCEEDED", "", (1000, 1000)))
        self.assertEqual(state(self.now(original)), "REFUNDED")
        self.assert_whole()


class Limits(ReviewCase):
    """What a deposit has taken of its person's limit is given back when it was not done, and stays when it was."""

    def setUp(self):
        super().setUp()
        self.person = world.person()
        self.wallet = self.ledger.wallet(self.person.user_id)
        self.payments.SetMarket(reason="test", market=p.Market(ledger_id=self.ledger.id, time_zone="UTC", week_start=1))
        limit = p.SetLimitRequest(ledger_id=self.ledger.id, person_id=self.person.user_id, currency="EUR",
                                  measure=p.LIMIT_MEASURE_DEPOSITS, period=p.LIMIT_PERIOD_MONTH)
        limit.limit.amount_minor = 60
        self.person.at("payments").call("SetLimit", limit)

    def used(self):
        return self.payments.ListLimits(ledger_id=self.ledger.id, person_id=self.person.user_id).limits[0].used_minor

    def check(self, payment, outcome, ends, used):
        self.assertEqual(self.used(), 50)
        self.resolve(payment, outcome)
        self.assertEqual((state(self.rests(payment, ends)), self.used()), (ends, used))
        later = self.person.at("payments").call("CreatePayment", deposit(self.ledger, self.wallet, 60 - used)).payment
        self.assertEqual((state(later), self.used()), ("SUCCEEDED", 60))
        over = self.person.at("payments").call("CreatePayment", deposit(self.ledger, self.wallet, 1)).payment
        self.assertEqual((over.reason, over.limit_refusal.left_minor), ("LIMIT_EXCEEDED", 0))
        self.assertEqual(self.money(), (60, 60))
        self.assert_whole()

    def in_review(self):
        payment = self.refused_by_the_connector(deposit, "Authorize", self.person)
        self.assertEqual(payment.reason, "OPERATION_MISMATCH")
        return payment

    def test_not_done(self):
        payment = self.in_review()
        self.check(payment, NOT_DONE, "DECLINED", 0)
        self.assert_on_record(payment, NOT_DONE)

    def test_done(self):
        payment = self.in_review()
        self.check(payment, DONE, "SUCCEEDED", 50)
        self.assert_on_record(payment, DONE)

    def test_unknown_and_not_done(self):
        """Straight from UNKNOWN to its end."""
        made = deposit(self.ledger, self.wallet, 50, instrument="sim:lost,notify-none")
        with environment.stopped("simulator"):
            with contextlib.suppress(Refused):
                self.person.at("payments").call("CreatePayment", made, timeout=3)
            payment = environment.wait_until(lambda: self.by_key(made), 10, "it is recorded")
            self.rests(payment, "UNKNOWN")
            self.assertEqual(self.used(), 50)
            self.assertEqual(state(self.resolve(payment, NOT_DONE).payment), "DECLINED")
            self.assertEqual(self.used(), 0)


class Holds(ReviewCase):
    """A hold is never skipped: it is captured or released, by the machine."""

    def in_review(self):
        payment = self.refused_by_the_connector(withdrawal, "Payout")
        self.assertEqual((payment.reason, self.money()), ("OPERATION_MISMATCH", (1000, 950)))
        with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "PAYMENT_NOT_CANCELABLE"):
            self.payments.CancelPayment(payment_id=payment.payment_id)
        return payment

    def check(self, outcome, ends, money, way):
        payment = self.in_review()
        self.resolve(payment, outcome)
        self.assertEqual((state(self.rests(payment, ends)), self.money()), (ends, money))
        self.assertEqual(self.timeline(payment)[-3:], ["MANUAL_REVIEW", way, ends])
        self.assert_on_record(payment, outcome)
        self.assert_whole()

    def test_done(self):
        self.check(DONE, "SUCCEEDED", (950, 950), "SETTLING")

    def test_not_done(self):
        self.check(NOT_DONE, "DECLINED", (1000, 1000), "COMPENSATING")

    def test_a_refund_whose_hold_is_released_gives_its_claim_back(self):
        paid = self.settled(deposit(self.ledger, self.wallet, 50))

        def make(ledger, wallet, amount, instrument):
            return request(ledger, amount, refund=p.Refund(payment_id=paid.payment_id, instrument=instrument))
        payment = self.refused_by_the_connector(make, "Refund", original_reference=paid.payment_id)
        self.assert_claims(paid, 50, 0)
        self.resolve(payment, NOT_DONE)
        self.rests(payment, "DECLINED")
        self.assert_claims(paid, 0, 0)
        self.assert_whole()

    def test_asked_again(self):
        """It goes on asking, hears the same, and comes back; the person has the last word."""
        payment = self.in_review()
        self.operator.RetryPayment(payment_id=payment.payment_id, reason="they say it is mended")
        self.rests(payment, "MANUAL_REVIEW")
        environment.wait_until(lambda: self.timeline(payment)[-2:] == ["UNKNOWN", "MANUAL_REVIEW"], 30, "it was asked again")
        self.resolve(payment, NOT_DONE)
        self.assertEqual((state(self.rests(payment, "DECLINED")), self.money()), ("DECLINED", (1000, 1000)))
        self.assert_whole()


class BothEnds(ReviewCase):
    """Whatever is said of what the other side has done, the money is at one end, once."""

    def test_deposit(self):
        """It was taken, and our ledger knows its credit with another content."""
        made = deposit(self.ledger, self.wallet, 50, instrument="sim:pending=1500,notify-none")
        with contextlib.suppress(Refused):
            self.payments.call("CreatePayment", made, timeout=1)
        payment = environment.wait_until(lambda: self.by_key(made), 10, "it is recorded")
        self.assertTrue(self.post_otherwise(payment, "credit"))
        self.assertEqual(self.rests(payment, "MANUAL_REVIEW").reason, "IDEMPOTENCY_PAYLOAD_MISMATCH")
        self.assertEqual(self.timeline(payment)[-2:], ["SETTLING", "MANUAL_REVIEW"])
        self.resolve(payment, NOT_DONE)
        self.assertEqual(self.rests(payment, *world.RESTING).reason, "GIVE_BACK_BY_OPERATOR")
        self.assertEqual(self.timeline(payment)[-3:], ["MANUAL_REVIEW", "COMPENSATING", "COMPENSATED"])
        given = Stub("connector", "payments").GetOperation(reference=derived(payment.payment_id, "give-back")).operation
        self.assertEqual((given.original_reference, given.amount_minor), (payment.payment_id, 50))
        self.assertEqual(self.money(), (1000, 1000))
        self.assert_on_record(payment, NOT_DONE)
        self.assert_whole()

    def test_between_ledgers(self):
        there = Market()
        ends = [(ledger, ledger.open("transit")) for ledger in (self.ledger, there)]
        for ledger, transit in ends:
            self.payments.RegisterTransitAccount(ledger_id=ledger.id, currency="EUR", account_id=transit)
        friend = there.wallet("bert")
        payment = self.blocked_after_its_hold(request(self.ledger, 50, remote_transfer=p.RemoteTransfer(
            from_account_id=self.wallet, to_ledger_id=there.id, to_account_id=friend)))
        self.assertEqual(self.timeline(payment)[-2:], ["SETTLING", "MANUAL_REVIEW"])
        with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "OUTCOME_CONTRADICTED"):
            self.resolve(payment, NOT_DONE)
        self.assertEqual((self.now(payment), self.money()), (payment, (1000, 950)))
        self.unblock()
        self.resolve(payment, DONE)
        self.assertEqual(self.rests(payment, *world.RESTING).reason, "POSTED_ANEW")
        self.assertEqual(self.money(), (950, 950))
        self.assertEqual([there.balances(friend).posted_minor] + [ledger.balances(transit).posted_minor for ledger, transit in ends],
                         [50, 50, -50])
        self.assert_on_record(payment, DONE)
        self.assert_whole()

    def blocked_after_its_hold(self, made):
        """What follows the hold waits for the payment's row, until the account that pays is blocked."""
        with contextlib.ExitStack() as until_blocked:
            with environment.stopped("accounts"):
                with contextlib.suppress(Refused):
                    self.payments.call("CreatePayment", made, timeout=1)
                payment = environment.wait_until(lambda: self.by_key(made), 10, "it is recorded")
                until_blocked.enter_context(environment.locked("payments", f"payments WHERE payment_id = '{payment.payment_id}'"))
            environment.wait_until(lambda: self.money() == (1000, 950), 30, "it is held")
            self.block()
        payment = self.rests(payment, "MANUAL_REVIEW")
        self.assertEqual(payment.reason, "ACCOUNT_BLOCKED")
        return payment


class TakenAgain(ReviewCase):
    """A step that the ledger has declined is on record as declined for ever. When its cause is gone and an operator has the
    payment go on, the step is taken again, and never twice with success."""

    def setUp(self):
        super().setUp()
        self.fees = self.ledger.open("fees")

    def in_review(self, made):
        """The account is blocked after the hold and before the capture."""
        with contextlib.suppress(Refused):
            self.payments.call("CreatePayment", made, timeout=1)
        payment = environment.wait_until(lambda: self.by_key(made), 10, "it is recorded")
        self.rests(payment, "SUBMITTED")
        self.block()
        payment = self.rests(payment, "MANUAL_REVIEW")
        self.assertEqual((payment.reason, self.timeline(payment)[-2:]), ("ACCOUNT_BLOCKED", ["SETTLING", "MANUAL_REVIEW"]))
        return payment

    def go_on(self, payment, *ends):
        before = self.now(payment).version
        self.resolve(payment, DONE)
        return environment.wait_until(
            lambda: (lambda one: one if state(one) in ends and one.version > before + 1 else None)(self.now(payment)), 30,
            f"it is one of {ends}")

    def posts(self, payment, *steps):
        """Of the timeline: outcomes, and ids of transfers."""
        posts = [post for post in self.read(payment).posts if post.step in steps]
        ids = [[transfer.transfer_id for transfer in post.transfers] for post in posts]
        flat = [one for each in ids for one in each]
        self.assertEqual(len(flat), len(set(flat)), "each try has ids of its own")
        return [post.outcome for post in posts], ids

    def assert_booked_once(self, payment, last):
        """Of all tries the last one alone is in the ledger, under the ids that the timeline says."""
        booked = {entry.transfer.transfer_id for entry in self.ledger.statement(self.wallet)
                  if entry.transfer.reference == payment.payment_id}
        _, tries = self.posts(payment, "capture", "credit")
        self.assertEqual({one for each in tries for one in each} & booked, set(last))
        self.assert_whole()

    def assert_posted_anew(self, payment):
        self.assertEqual((state(payment), payment.reason), ("SUCCEEDED", "POSTED_ANEW"))

    def test_withdrawal(self):
        made = withdrawal(self.ledger, self.wallet, 50, instrument="sim:pending=1500,notify-none")
        made.fee.amount_minor, made.fee.account_id = 2, self.fees
        payment = self.in_review(made)
        self.assertEqual(self.go_on(payment, "MANUAL_REVIEW").reason, "ACCOUNT_BLOCKED")
        self.unblock()
        self.assert_posted_anew(self.go_on(payment, *world.RESTING))
        self.assertEqual(self.money(), (948, 948))
        outcomes, ids = self.posts(payment, "capture")
        self.assertEqual(outcomes, ["declined", "declined", "posted"])
        self.assertEqual(ids[0], [derived(payment.payment_id, "capture"), derived(payment.payment_id, "capture-fee")])
        self.assert_booked_once(payment, ids[2])

    def test_refund(self):
        paid = self.settled(deposit(self.ledger, self.wallet, 100))
        payment = self.in_review(request(self.ledger, 100, refund=p.Refund(
            payment_id=paid.payment_id, instrument="sim:pending=1500,notify-none")))
        self.unblock()
        self.assert_posted_anew(self.go_on(payment, *world.RESTING))
        self.assertEqual((self.money(), state(self.now(paid))), ((1000, 1000), "REFUNDED"))
        self.assert_claims(paid, 100, 100)
        self.assert_booked_once(payment, self.posts(payment, "capture")[1][-1])

    def test_not_done_instead(self):
        payment = self.in_review(withdrawal(self.ledger, self.wallet, 50, instrument="sim:pending=1500,notify-none"))
        self.resolve(payment, NOT_DONE)
        self.assertEqual((state(self.rests(payment, "DECLINED")), self.money()), ("DECLINED", (1000, 1000)))
        self.assertEqual(self.posts(payment, "capture", "release")[0], ["declined", "posted"])
        self.assert_booked_once(payment, [])

    def test_deposit_that_is_not_given_back(self):
        """The connector has the give-back's reference with another content."""
        made = deposit(self.ledger, self.wallet, 50, instrument="sim:pending=1500,notify-none")
        made.fee.amount_minor, made.fee.account_id = 2, self.fees
        with contextlib.suppress(Refused):
            self.payments.call("CreatePayment", made, timeout=1)
        payment = environment.wait_until(lambda: self.by_key(made), 10, "it is recorded")
        self.block()
        Stub("connector", "payments").Refund(
            reference=derived(payment.payment_id, "give-back"), original_reference=payment.payment_id, amount_minor=1,
            currency="EUR", instrument="sim:ok,notify-none")
        self.rests(payment, "MANUAL_REVIEW")
        self.assertEqual(self.timeline(payment)[-3:], ["SETTLING", "COMPENSATING", "MANUAL_REVIEW"])
        self.go_on(payment, "MANUAL_REVIEW")
        self.unblock()
        self.assert_posted_anew(self.go_on(payment, *world.RESTING))
        self.assertEqual(self.money(), (1048, 1048))
        outcomes, ids = self.posts(payment, "credit")
        self.assertEqual(outcomes, ["declined", "declined", "posted"])
        self.assert_booked_once(payment, ids[-1])

    def test_one_that_was_not_declined_before(self):
        """An operator's word alone makes no second try: the first one's ids are what is booked."""
        payment = self.refused_by_the_connector(withdrawal, "Payout")
        self.resolve(payment, DONE)
        self.assertEqual(self.rests(payment, "SUCCEEDED").reason, "")
        self.assert_booked_once(payment, [derived(payment.payment_id, "capture")])

    def test_whoever_dies_meanwhile(self):
        """Its processes die while the try is under way, others take it over, and one try succeeds."""
        payment = self.in_review(withdrawal(self.ledger, self.wallet, 50, instrument="sim:pending=1500,notify-none"))
        self.unblock()
        with environment.stopped("accounts"):
            self.resolve(payment, DONE)
            for _ in range(2):
                self.rests(payment, "SETTLING")
                environment.kill_and_wait("payments")
        environment.wait_ready("accounts")
        with Replica("payments") as second:
            first, self.payments = self.payments, second.stub("operator", world.operator_token())
            environment.kill("payments")
            self.assert_posted_anew(self.rests(payment, "SUCCEEDED", "MANUAL_REVIEW"))
            environment.wait_ready("payments")
            self.payments = first
        self.assertEqual(self.money(), (950, 950))
        self.assert_booked_once(payment, self.posts(payment, "capture")[1][-1])


if __name__ == "__main__":
    unittest.main()
