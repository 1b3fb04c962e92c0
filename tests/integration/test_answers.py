"""Whatever a connector answers to whichever call: what was carried out is never failed, what was not never succeeds, and an
answer about another amount, currency or operation is for a person. The table is every answer times every method."""

import collections
import concurrent.futures
import contextlib
import unittest

import grpc

from support import environment, world
from support.cases import Case
from support.client import Refused
from support.contracts import accounts as a
from support.contracts import connector as c
from support.contracts import payments as p
from support.replicas import Replica
from support.wayward import Error, Script, Wayward, reply
from support.world import Market, deposit, derived, new_account, new_id, request, state, withdrawal

CONNECTOR = "wayward"
FUNDS_MINOR, AMOUNT_MINOR = 1000, 10
# What an answer means: the outcome is open, and asked for; it was not done and never will be; a person must look.
OPEN, NO, PERSON = "open", "no", "person"
FINAL_CODES = ("INVALID_ARGUMENT", "FAILED_PRECONDITION")


def fails(code, reason=None):
    def answer(_):
        raise Error(code, reason)
    return answer


def says(**fields):
    """Of the operation, true or made up, this instead."""
    def answer(operation):
        told = c.Operation()
        told.CopyFrom(operation or c.Operation())
        for name, value in fields.items():
            setattr(told, name, value(told) if callable(value) else value)
        return reply(told)
    return answer


# name: (what it means, the answer)
CODES = {code.name: (NO if code.name in FINAL_CODES else OPEN, fails(code))
         for code in grpc.StatusCode if code is not grpc.StatusCode.OK}
WORDS = {
    "a word about nothing": (OPEN, fails(grpc.StatusCode.NOT_FOUND, "OPERATION_NOT_FOUND")),
    "late, in its own words": (OPEN, fails(grpc.StatusCode.UNAVAILABLE, "BREAKER_OPEN")),
    "another content": (PERSON, fails(grpc.StatusCode.FAILED_PRECONDITION, "IDEMPOTENCY_PAYLOAD_MISMATCH")),
    "an empty message": (OPEN, lambda _: b""),
    "what can't be read": (OPEN, lambda _: b"\x0a\xff\xff\xff\xff\x0f"),
    "an empty operation": (PERSON, lambda _: reply(c.Operation())),
}
# These are about an operation that it has.
REPLIES = {
    "status 0": (OPEN, says(status=0)),
    "status 99": (OPEN, says(status=99)),
    "status -1": (OPEN, says(status=-1)),
    "a unit more": (PERSON, says(amount_minor=lambda told: told.amount_minor + 1)),
    "a unit less": (PERSON, says(amount_minor=lambda told: told.amount_minor - 1)),
    "no amount": (PERSON, says(amount_minor=0)),
    "less than nothing": (PERSON, says(amount_minor=lambda told: -told.amount_minor)),
    "a unit more, declined": (PERSON, says(amount_minor=lambda told: told.amount_minor + 1,
                                           status=c.OPERATION_STATUS_DECLINED)),
    "another currency": (PERSON, says(currency="USD")),
    "no currency": (PERSON, says(currency="")),
    "another reference": (PERSON, says(reference=lambda _: new_id())),
    "no reference": (PERSON, says(reference="")),
    "another kind": (PERSON, says(kind=lambda told: told.kind % 3 + 1)),
    "no kind": (PERSON, says(kind=0)),
}
OF_NO_CHARGE = {f"status {name.lower()}": (OPEN, says(status=getattr(c, f"OPERATION_STATUS_{name}")))
                for name in ("AUTHORIZED", "REQUIRES_ACTION", "CANCELED")}
OF_A_REFUND = {"of another original": (PERSON, says(original_reference=lambda _: new_id()))}


class Way:
    """A method as payments comes to it: the kind of payment, and what it ends as when the answer is OPEN or NO."""

    def __init__(self, kind, method, ends, no, more=(), **script):
        self.kind, self.method, self.more, self.script = kind, method, dict(more), script
        self.ends = {OPEN: ends, NO: no, PERSON: "MANUAL_REVIEW"}


AUTHORIZED, ACTION = c.OPERATION_STATUS_AUTHORIZED, c.OPERATION_STATUS_REQUIRES_ACTION
WAYS = {
    "authorize": Way("deposit", "Authorize", "SUCCEEDED", "DECLINED"),
    "payout": Way("withdrawal", "Payout", "SUCCEEDED", "DECLINED", OF_NO_CHARGE),
    "refund": Way("refund", "Refund", "SUCCEEDED", "DECLINED", OF_NO_CHARGE | OF_A_REFUND),
    "give back": Way("full", "Refund", "COMPENSATED", "MANUAL_REVIEW", OF_NO_CHARGE | OF_A_REFUND),
    "capture": Way("deposit", "Capture", "SUCCEEDED", "SUCCEEDED", begins=AUTHORIZED),
    "cancel": Way("canceled", "Cancel", "CANCELED", "CANCELED", begins=ACTION),
    "ask for a charge": Way("deposit", "GetOperation", "SUCCEEDED", "SUCCEEDED", loses=True, times=2),
    "ask for a payout": Way("withdrawal", "GetOperation", "SUCCEEDED", "SUCCEEDED", OF_NO_CHARGE, loses=True, times=2),
    "ask for a refund": Way("refund", "GetOperation", "SUCCEEDED", "SUCCEEDED", OF_NO_CHARGE | OF_A_REFUND, loses=True,
                            times=2),
    "ask while the person acts": Way("canceled", "GetOperation", "CANCELED", "CANCELED", begins=ACTION, times=2),
}


class Row:
    def __init__(self, way, name, means, answer, does):
        self.name, self.way, self.means = f"{way}: {name}, {'done' if does else 'not done'}", WAYS[way], means
        self.script = Script(self.way.method, answer, does, **self.way.script)
        self.wallet = new_id()
        self.made = self.payment = None

    @property
    def end(self):
        return self.way.ends[self.means]


def rows():
    for name, way in WAYS.items():
        submits = way.method in ("Authorize", "Payout", "Refund")
        for word, (means, answer) in (CODES | WORDS | REPLIES | way.more).items():
            # An answer about an operation needs one; who says that it never will be done has not done it.
            about = word in REPLIES or word in way.more
            if word == "another content" and not submits:
                means = OPEN
            for does in (True, False):
                if does and submits and means == NO or not does and about and (submits or way.script.get("loses")):
                    continue
                yield Row(name, word, means, answer, does)


class Answers(Case):
    @classmethod
    def setUpClass(cls):
        cls.ledger = Market(connector=CONNECTOR)
        cls.bank = cls.ledger.open("bank", side=a.NORMAL_SIDE_DEBIT)

    def fund(self, table):
        """A wallet each; one that takes no deposit where the ledger is to refuse what the connector did."""
        self.ledger.accounts.CreateAccounts(ledger_id=self.ledger.id, accounts=[
            new_account("anna", account_id=row.wallet, lower=0, upper=FUNDS_MINOR if row.way.kind == "full" else None)
            for row in table])
        self.ledger.accounts.PostBatch(ledger_id=self.ledger.id, groups=[
            a.Group(transfers=[self.ledger.transfer(self.bank, row.wallet, FUNDS_MINOR)]) for row in table])

    def build(self, row, number):
        fields = {"instrument": f"row {number}", "connector": CONNECTOR}
        self.connector.scripts[fields["instrument"]] = row.script
        if row.way.kind == "withdrawal":
            return withdrawal(self.ledger, row.wallet, AMOUNT_MINOR, **fields)
        if row.way.kind == "refund":
            paid = self.settle(deposit(self.ledger, row.wallet, AMOUNT_MINOR, connector=CONNECTOR))
            return request(self.ledger, AMOUNT_MINOR, refund=p.Refund(payment_id=paid.payment_id,
                                                                      instrument=fields["instrument"]))
        return deposit(self.ledger, row.wallet, AMOUNT_MINOR, **fields)

    def settle(self, made, calls_off=False):
        def rests():
            payment = self.payments.call("CreatePayment", made).payment
            if calls_off and state(payment) == "REQUIRES_ACTION":
                with contextlib.suppress(Refused):  # it may be being asked for again
                    self.payments.CancelPayment(payment_id=payment.payment_id)
            return payment if state(payment) in world.RESTING else None
        return environment.wait_until(rests, 30, "the payment rests")

    def carry_out(self, numbered):
        number, row = numbered
        row.made = self.build(row, number)
        row.payment = self.settle(row.made, row.way.kind == "canceled")

    def check(self, row):
        payment_id, end = row.payment.payment_id, state(row.payment)
        events = self.payments.GetPayment(payment_id=payment_id).events
        self.assertEqual(end, row.end, [(p.value_name("PAYMENT_STATE_", one.state), one.reason) for one in events])
        reference = derived(payment_id, "give-back") if row.way.kind == "full" else payment_id
        happened = {"SUCCEEDED": (1,), "COMPENSATED": (1,), "DECLINED": (0,), "CANCELED": (0,), "MANUAL_REVIEW": (0, 1)}
        self.assertIn(self.connector.effects[reference], happened[end])
        balances = self.ledger.balances(row.wallet)
        money = balances.posted_minor - FUNDS_MINOR, balances.available_minor - FUNDS_MINOR
        before = AMOUNT_MINOR if row.way.kind == "refund" else 0
        moved = {"deposit": AMOUNT_MINOR, "withdrawal": -AMOUNT_MINOR, "refund": -AMOUNT_MINOR}.get(row.way.kind, 0)
        held = -AMOUNT_MINOR if row.way.kind in ("withdrawal", "refund") else 0
        self.assertEqual(money, {
            "SUCCEEDED": (before + moved, before + moved),
            "MANUAL_REVIEW": (before, before + held),  # what the other side may have is still set aside
        }.get(end, (before, before)))
        # Asked again with pauses, whatever it says; each round is two changes at most.
        self.assertLess(len(events), 30)

    @contextlib.contextmanager
    def beside(self, **settings):
        with Wayward() as self.connector, Replica("payments", CONNECTOR_ADDR=self.connector.address, CONNECTOR_NAME=CONNECTOR,
                                                  RETRY_PERCENT=100, RETRY_PER_S=1000, **settings) as process:
            self.payments = process.stub("operator", world.operator_token())
            yield

    def test_every_answer_to_every_call(self):
        table = list(rows())
        self.fund(table)
        with self.beside(RETRY_MS_MIN=50, RETRY_MS_MAX=500):
            with concurrent.futures.ThreadPoolExecutor(32) as pool:
                running = {pool.submit(self.carry_out, numbered): numbered[1] for numbered in enumerate(table)}
            for future, row in running.items():
                with self.subTest(row=row.name):
                    future.result()
                    self.check(row)
        self.assertEqual(max(self.connector.effects.values()), 1)
        self.assertGreater(len(collections.Counter(row.end for row in table)), 4)

    def test_a_capture_that_is_refused_is_not_repeated_without_a_pause(self):
        """Whoever refuses it for good is asked what the authorization is now, and that it has it is no progress."""
        for code in (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INTERNAL):
            with self.subTest(code=code.name), self.beside(RETRY_MS_MIN=60000, RETRY_MS_MAX=60000):
                self.connector.scripts["refuses"] = Script("Capture", fails(code), False, begins=AUTHORIZED, times=2)
                wallet = self.ledger.wallet("anna")
                made = deposit(self.ledger, wallet, AMOUNT_MINOR, instrument="refuses", connector=CONNECTOR)
                with contextlib.suppress(Refused):
                    self.payments.call("CreatePayment", made, timeout=2)
                payment_id = next(iter(self.connector.books))
                for captures in (1, 2):
                    self.wait_ordered_again(payment_id, captures)
                    self.payments.RetryPayment(payment_id=payment_id)
                self.assertEqual(state(self.settle(made)), "SUCCEEDED")
                self.assertEqual(self.connector.effects[payment_id], 1)

    def wait_ordered_again(self, payment_id, captures):
        """Its capture is to be repeated, and has been asked for this often."""
        def timeline():
            events = self.payments.GetPayment(payment_id=payment_id).events
            return [p.value_name("PAYMENT_STATE_", one.state) for one in events]
        environment.wait_until(lambda: timeline()[-2 * captures:] == ["UNKNOWN", "SUBMITTED"] * captures, 10,
                               "it is to be ordered again")
        self.assertEqual(self.connector.calls[payment_id, "Capture"], captures)
        self.assertEqual(timeline(), ["CREATED", "SUBMITTED"] + ["UNKNOWN", "SUBMITTED"] * captures)


if __name__ == "__main__":
    unittest.main()
