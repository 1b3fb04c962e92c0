"""Many payments at once while things break, and what must be true of them afterwards."""

import collections
import concurrent.futures
import random
import threading
import time

from . import environment, world
from .client import PATIENCE, Refused, Stub
from .contracts import accounts as a
from .contracts import connector as c
from .world import Market, deposit, internal, state, withdrawal

# How the simulator behaves, and how often.
INSTRUMENTS = ["sim:ok"] * 10 + ["sim:decline"] * 2 + [
    "sim:delay=300", "sim:late", "sim:no-answer=1", "sim:lost", "sim:fail-before=2", "sim:pending=500",
    "sim:notify-twice", "sim:pending=300,notify-out-of-order", "sim:pending=800,notify-none",
    "sim:decline=CARD_EXPIRED,pending=400",
]
START_MINOR = 20000


class Sent:
    """A request with everything that was ever answered to it."""

    def __init__(self, request):
        self.request = request
        self.answers = []
        self.replayed = []

    def acknowledged(self):
        """The payment as it was first told to be final; None when it never was."""
        for payment in self.answers:
            if state(payment) in world.RESTING:
                return payment
        return None


class Storm:
    def __init__(self, wallets=6, callers=8, seed=None):
        self.random = random.Random(seed)
        self.ledger = Market()
        self.callers = callers
        self.sent = []
        self.errors = collections.Counter()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = []
        self.wallets = [self.ledger.wallet(f"player-{n}") for n in range(wallets)]
        for wallet in self.wallets:
            one = Sent(deposit(self.ledger, wallet, START_MINOR))
            self.sent.append(one)
            self.settle(one)

    # Sending.

    def start(self):
        for number in range(self.callers):
            thread = threading.Thread(target=self._run, args=(random.Random(self.random.random()),), daemon=True,
                                      name=f"caller-{number}")
            thread.start()
            self._threads.append(thread)

    def rested(self):
        """How many answers told of a payment that rests."""
        with self._lock:
            return sum(1 for one in self.sent for payment in one.answers[-1:] if state(payment) in world.RESTING)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(60 * PATIENCE)
            assert not thread.is_alive(), thread.name

    def _run(self, dice):
        while not self._stop.is_set():
            one = Sent(self._request(dice))
            with self._lock:
                self.sent.append(one)
            for _ in range(dice.choice((1, 1, 1, 3))):  # some callers repeat at once, some give up
                if self._attempt(one, 6):
                    break
                time.sleep(dice.random() * 0.2)

    def _request(self, dice):
        amount = dice.randrange(1, 3000)
        kind = dice.randrange(3)
        wallet, other = dice.sample(self.wallets, 2)
        if kind == 0:
            return deposit(self.ledger, wallet, amount, instrument=dice.choice(INSTRUMENTS))
        if kind == 1:
            return withdrawal(self.ledger, wallet, amount, instrument=dice.choice(INSTRUMENTS))
        return internal(self.ledger, wallet, other, amount)

    def _attempt(self, one, timeout):
        """One call; the answered payment, or None."""
        try:
            reply = self.ledger.payments.call("CreatePayment", one.request, timeout=timeout * PATIENCE)
        except Refused as refused:
            assert refused.code.name in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED",
                                         "CANCELLED", "INTERNAL", "UNKNOWN"), refused
            with self._lock:
                self.errors[f"{refused.code.name} {refused.reason}"] += 1
            return None
        with self._lock:
            one.answers.append(reply.payment)
            one.replayed.append(reply.replayed)
        return reply.payment

    def settle(self, one, timeout_s=120):
        """Repeats the request until the payment rests; a payment that did rest is asked for once more."""
        def rests():
            payment = self._attempt(one, 10)
            return payment if payment is not None and state(payment) in world.RESTING else None
        return environment.wait_until(rests, timeout_s, f"payment with key {one.request.idempotency_key} rests")

    # Afterwards.

    def settle_all(self):
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            return list(pool.map(self.settle, self.sent))

    def check(self, case):
        """Everything that must hold, whatever was killed."""
        finals = self.settle_all()
        for check in (self._check_outcomes, self._check_rows, self._check_ledger, self._check_provider,
                      self._check_statements, self._check_model):
            check(case, finals)
        return finals

    def _check_outcomes(self, case, finals):
        """What was acknowledged stays, and the same key is the same payment."""
        for one, final in zip(self.sent, finals):
            case.assertNotEqual(state(final), "MANUAL_REVIEW", final)
            case.assertEqual({answer.payment_id for answer in one.answers}, {final.payment_id})
            case.assertEqual(one.acknowledged(), final)
            case.assertTrue(all(one.replayed[1:]), "an answer that followed another was no replay")

    def _check_rows(self, case, _):
        rows = environment.sql("payments", f"""
            SELECT idempotency_key, count(*), bool_or(open) FROM payments
            WHERE ledger_id = '{self.ledger.id}' GROUP BY idempotency_key""")
        case.assertEqual({row[0] for row in rows}, {one.request.idempotency_key for one in self.sent})
        case.assertEqual({(row[1], row[2]) for row in rows}, {("1", "f")})

    def _check_ledger(self, case, _):
        check_balanced(case, self.ledger.trial_balance())

    def _check_provider(self, case, finals):
        """The simulator's books and ours say the same of every payment, and so does the clearing account."""
        booked = operations()
        theirs = collections.Counter(
            (operation.kind, operation.amount_minor, operation.status) for operation in booked)
        kinds = {"deposit": c.OPERATION_KIND_CHARGE, "withdrawal": c.OPERATION_KIND_PAYOUT}
        ours = collections.Counter(
            (kinds[payment.WhichOneof("kind")], payment.amount_minor, c.OPERATION_STATUS_SUCCEEDED)
            for payment in finals if payment.WhichOneof("kind") in kinds and state(payment) == "SUCCEEDED")
        case.assertEqual({key: count for key, count in theirs.items() if key[2] == c.OPERATION_STATUS_SUCCEEDED},
                         dict(ours))
        clearing = self.ledger.balances(self.ledger.clearing["EUR"])
        case.assertEqual(clearing.posted_minor, provider_total(case, booked))

    def _check_statements(self, case, _):
        """Each statement runs without gaps, and adds up to the balance."""
        for account_id in [*self.wallets, self.ledger.clearing["EUR"]]:
            metadata = self.ledger.accounts.GetAccountMetadata(ledger_id=self.ledger.id, account_id=account_id).metadata
            entries = self.ledger.statement(account_id)
            case.assertEqual([entry.sequence for entry in entries], list(range(1, len(entries) + 1)))
            sign = 1 if metadata.normal_side == a.NORMAL_SIDE_CREDIT else -1
            posted = 0
            for entry in entries:
                if entry.transfer.WhichOneof("kind") in ("direct", "capture"):
                    credited = entry.transfer.credit_account_id == account_id
                    posted += sign * (entry.transfer.amount_minor if credited else -entry.transfer.amount_minor)
                case.assertEqual(entry.balances.posted_minor, posted)
            balances = self.ledger.balances(account_id)
            case.assertEqual((balances.posted_minor, balances.sequence), (posted, len(entries)))

    def _check_model(self, case, finals):
        """The wallets hold what the acknowledged payments put there and took away."""
        expected = collections.Counter()
        for payment in finals:
            if state(payment) != "SUCCEEDED":
                continue
            kind = payment.WhichOneof("kind")
            if kind == "deposit":
                expected[payment.deposit.account_id] += payment.amount_minor
            elif kind == "withdrawal":
                expected[payment.withdrawal.account_id] -= payment.amount_minor
            else:
                expected[payment.transfer.from_account_id] -= payment.amount_minor
                expected[payment.transfer.to_account_id] += payment.amount_minor
        for wallet in self.wallets:
            case.assertEqual(self.ledger.balances(wallet).posted_minor, expected[wallet])

    def summary(self, finals):
        acknowledged = sum(1 for one in self.sent if len(one.answers) > 0)
        states = collections.Counter((payment.WhichOneof("kind"), state(payment)) for payment in finals)
        return f"{len(self.sent)} payments, {acknowledged} answered, {dict(states)}; refused: {dict(self.errors)}"


def operations():
    """Everything in the simulator's books."""
    stub, seen, token = Stub("connector", "operator"), [], ""
    while True:
        page = stub.ListOperations(page_size=1000, page_token=token)
        seen.extend(page.operations)
        token = page.next_page_token
        if not token:
            return seen


def moved_minor(operation):
    """What an operation in the simulator's books has added to the clearing account."""
    if operation.status != c.OPERATION_STATUS_SUCCEEDED:
        return 0
    return operation.amount_minor if operation.kind == c.OPERATION_KIND_CHARGE else -operation.amount_minor


def check_balanced(case, balance):
    """Of a ledger in which nothing is under way."""
    case.assertTrue(balance.balanced)
    for line in balance.lines:
        case.assertEqual(line.debits_posted_minor, line.credits_posted_minor)
        case.assertEqual((line.debits_pending_minor, line.credits_pending_minor), (0, 0))


def provider_total(case, booked):
    """What the provider holds of ours by its books, in which nothing is under way or stands twice."""
    case.assertEqual(len({operation.reference for operation in booked}), len(booked))
    case.assertEqual([one for one in booked if one.status == c.OPERATION_STATUS_PENDING], [])
    return sum(moved_minor(one) for one in booked)


def untold(ledger):
    """Amount, id and more of payments whose events are not one for each version, each from the state of the one before and
    the last the payment's own; or of whose amount something is claimed and not given back."""
    return environment.sql("payments", f"""
        SELECT p.amount_minor, p.payment_id, p.state, p.version, e.changes, e.last, p.claimed_minor, p.refunded_minor
        FROM payments AS p LEFT JOIN (
            SELECT payment_id, count(*) AS changes, min(version) AS first, max(version) AS highest,
                (array_agg(state ORDER BY version DESC))[1] AS last, bool_and(from_state = coalesce(before, 0)) AS linked
            FROM (SELECT *, lag(state) OVER (PARTITION BY payment_id ORDER BY version) AS before
                  FROM payment_events WHERE ledger_id = '{ledger.id}') AS each GROUP BY payment_id
        ) AS e ON e.payment_id = p.payment_id
        WHERE p.ledger_id = '{ledger.id}' AND (e.changes = p.version AND e.first = 1 AND e.highest = p.version
            AND e.last = p.state AND e.linked AND p.claimed_minor = p.refunded_minor) IS NOT TRUE""")
