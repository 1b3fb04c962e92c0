"""A cell of the fault matrix: a kind of payment, how the connector behaves, where its process is struck; how it is carried
out, and what must be true of it afterwards."""

import collections
import contextlib
import time

import grpc

import kinds
from support import environment
from support.cases import Case
from support.client import PATIENCE, Refused
from support.contracts import accounts as a
from support.contracts import connector as c
from support.replica import Replica, settings
from support.storm import moved_minor, operations, untold
from support.world import RESTING, new_account, new_id, operator, state

SIDE_BY_SIDE = 12 if PATIENCE == 1 else 4
PAYMENTS_EACH = 2
FUNDS_MINOR = 10_000_000

class Cell:
    def __init__(self, kind, behaviour, instrument, end, amount, point=None, payments=PAYMENTS_EACH):
        self.name, self.kind, self.behaviour = kind, kinds.KINDS[kind], behaviour
        self.instrument, self.end, self.amount, self.point, self.payments = instrument, end, amount, point, payments
        self.wallet, self.other = new_id(), new_id()
        self.original, self.requests, self.finals, self.again = None, [], [], []
        self.struck = False

    def __str__(self):
        return f"{self.name}, {self.behaviour}, {self.point}, {self.amount}"

    @property
    def begins_minor(self):
        return 0 if self.kind.poor else FUNDS_MINOR

    @property
    def is_held(self):
        """Whether it is called off before its hold stands, and so has to be slow until then."""
        return self.kind.behaviours is kinds.CALLED_OFF

    def fail_points(self, *more):
        slow = [f"post-after@created#{self.amount}:wait"] if self.is_held else []
        return ",".join([*slow, *more])

    def ends(self):
        return collections.Counter(state(payment) for payment in self.finals)

    def build(self, place, payments):
        for _ in range(self.payments):
            if self.kind.before is not None:
                self.original = self.kind.before(place, self)
                payments.call("CreatePayment", self.original)
            self.requests.append(self.kind.make(place, self))


class Books:
    """What the simulator, the clearing account and the payments' own record say, by amount: each cell has its own."""

    def __init__(self, ledger):
        self.booked, self.sums = collections.Counter(), collections.Counter()
        for one in operations():
            self.booked[one.amount_minor, one.status] += 1
            self.sums[one.amount_minor] += moved_minor(one)
        self.cleared, before_minor = collections.Counter(), 0
        for entry in ledger.statement(ledger.clearing["EUR"]):
            self.cleared[entry.moved_minor] += entry.balances.posted_minor - before_minor
            before_minor = entry.balances.posted_minor
        self.untold = collections.defaultdict(list)
        for row in untold(ledger):
            self.untold[int(row[0])].append(row)


class CellCase(Case):
    amount_first = 1001

    @classmethod
    def setUpClass(cls):
        cls.place = kinds.Place()
        cls.ledger = cls.place.ledger
        cls.bank = cls.ledger.open("bank", side=a.NORMAL_SIDE_DEBIT)
        cls.amounts = iter(range(cls.amount_first, cls.amount_first + 500_000))
        cls.rescuer = operator("payments")
        cls.settings = settings()

    def victim(self, **more):
        return Replica(self.settings, "daler-payments-fail-points", DALER_PAYMENTS_WORKERS="1", **more)

    def fund(self, cells):
        """Each cell's wallet and another account, with money; then its requests."""
        opened, groups = [], []
        for cell in cells:
            opened += [new_account("player", account_id=cell.wallet, lower=0, upper=FUNDS_MINOR if cell.kind.full else None),
                       new_account("player", account_id=cell.other, lower=0)]
            groups += [a.Group(transfers=[self.ledger.transfer(self.bank, account, amount)])
                       for account, amount in ((cell.wallet, cell.begins_minor), (cell.other, FUNDS_MINOR)) if amount]
        for first in range(0, len(opened), 500):
            self.ledger.accounts.CreateAccounts(ledger_id=self.ledger.id, accounts=opened[first:first + 500])
        for first in range(0, len(groups), 500):
            self.ledger.accounts.PostBatch(ledger_id=self.ledger.id, groups=groups[first:first + 500])
        for cell in cells:
            cell.build(self.place, self.rescuer)

    # Callers.

    def create(self, stub, request, timeout=8):
        """The payment; None when there was no answer. A business no is none of these requests'."""
        try:
            return stub.call("CreatePayment", request, timeout=timeout * PATIENCE).payment
        except ValueError:  # the channel is closed: its process is gone
            return None
        except Refused as refused:
            if refused.code.name not in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN", "INTERNAL"):
                raise
            return None

    def call_off(self, stub, payment, cell):
        """What waits for the person, where that is how it is to end. Whoever has it may be dying, or not have it yet."""
        if cell.end == "CANCELED" and payment is not None and state(payment) == "REQUIRES_ACTION":
            with contextlib.suppress(Refused):
                stub.call("CancelPayment", payment_id=payment.payment_id, timeout=8 * PATIENCE)
            return True
        return False

    def call_off_early(self, stub, request):
        """As soon as it is on record; True when there was an answer, or nothing is recorded."""
        found = environment.sql(
            "payments", f"SELECT payment_id FROM payments WHERE idempotency_key = '{request.idempotency_key}'")
        try:
            for payment_id, in found:
                stub.call("CancelPayment", payment_id=payment_id, timeout=8 * PATIENCE)
        except ValueError:
            return False
        except Refused as refused:
            return refused.reason == "PAYMENT_NOT_CANCELABLE"
        return bool(found)

    def settle(self, stub, request, cell):
        def rests():
            payment = self.create(stub, request)
            self.call_off(stub, payment, cell)
            return payment if payment is not None and state(payment) in RESTING else None
        return environment.wait_until(rests, 60, "the payment rests")

    def insist(self, process, request, cell):
        """A caller that repeats until it has an answer, or there is nobody any more."""
        deadline = time.monotonic() + 6 * PATIENCE
        while process.process.poll() is None and time.monotonic() < deadline:
            payment = self.create(process.stub, request)
            if payment is not None and not self.call_off(process.stub, payment, cell):
                return
            time.sleep(0.05)

    def insist_on_calling_off(self, process, request):
        """Whoever wants it called off, at this process and then at another."""
        deadline = time.monotonic() + 6 * PATIENCE
        while process.process.poll() is None and time.monotonic() < deadline:
            if self.call_off_early(process.stub, request):
                return
        self.call_off_early(self.rescuer, request)

    # What must be true afterwards.

    def assert_rolled_back(self, late):
        with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "ROLLED_BACK"):
            self.rescuer.call("CreatePayment", late)

    def check(self, cells):
        books = Books(self.ledger)
        for cell in cells:
            with self.subTest(cell=str(cell)):
                self.check_cell(cell, books)

    def check_cell(self, cell, books):
        ends, kind = cell.ends(), cell.kind
        # Whoever calls off may come too late for it, once its process is gone.
        may_end = {cell.end, "SUCCEEDED"} if cell.is_held and cell.point else {cell.end}
        self.assertEqual((set(ends) - may_end, sum(ends.values())), (set(), cell.payments), cell.finals)
        self.assertEqual(cell.again, cell.finals, "the same key answers the same")
        self.assertEqual(len({payment.payment_id for payment in cell.finals}), cell.payments)
        for payment in cell.finals:
            if state(payment) not in ("SUCCEEDED", "REFUNDED"):
                self.assertTrue(payment.reason, payment)
        self.check_connector(cell, ends, books.booked)
        self.assertEqual(books.cleared[cell.amount], books.sums[cell.amount], "the simulator's books equal the clearing account")
        self.assertEqual(books.untold[cell.amount], [], "each version has its event, and nothing stays claimed")
        balances = self.ledger.balances(cell.wallet)
        changed = kind.effect * ends["SUCCEEDED"] + kind.before_effect * cell.payments
        self.assertEqual(balances.posted_minor, cell.begins_minor + changed * cell.amount - kind.fee * ends["SUCCEEDED"])
        for left in (balances, self.ledger.balances(cell.other)):
            self.assertEqual(left.available_minor, left.posted_minor, "no hold is left")
        if kind.after is not None:
            kind.after(self, cell)

    def check_connector(self, cell, ends, booked):
        kind = cell.kind
        # One that was given back is there twice.
        self.assertEqual(booked[cell.amount, c.OPERATION_STATUS_SUCCEEDED],
                         kind.connector * (ends["SUCCEEDED"] + 2 * ends["COMPENSATED"]) + kind.before_booked * cell.payments)
        self.assertEqual(booked[cell.amount, c.OPERATION_STATUS_CANCELED], 0 if cell.is_held else ends["CANCELED"])
        for status in (c.OPERATION_STATUS_PENDING, c.OPERATION_STATUS_AUTHORIZED, c.OPERATION_STATUS_REQUIRES_ACTION):
            self.assertEqual(booked[cell.amount, status], 0, "nothing is left half done at the connector")

    def check_balanced(self):
        for ledger in self.place.ledgers:
            self.assertTrue(ledger.trial_balance().balanced)

    def check_whole(self, cells):
        """Of all cells at once: what no cell has for itself."""
        for ledger in self.place.ledgers:
            for line in ledger.trial_balance().lines:
                self.assertEqual((line.debits_pending_minor, line.credits_pending_minor), (0, 0))
        self.check_balanced()
        if self.place.there is not None:
            sent = sum(cell.amount * cell.ends()["SUCCEEDED"] for cell in cells if cell.name == "remote_transfer")
            self.assertEqual(self.place.there.balances(self.place.friend).posted_minor, sent)
        fees = sum(cell.kind.fee * cell.ends()["SUCCEEDED"] for cell in cells)
        self.assertEqual(self.ledger.balances(self.place.fees).posted_minor, fees)
        rows = environment.sql("payments", f"""
            SELECT state, count(*) FROM payments WHERE ledger_id = '{self.ledger.id}' AND open GROUP BY state""")
        self.assertEqual(rows, [])
