"""The fault matrix: a crash at each step boundary of each kind of payment, times each behaviour of the connector.

First every pair of kind and behaviour is carried out by a process that writes down which boundaries it passes: these are the
cells. Then each cell has a process of its own that dies at its boundary, found by the cell's own amount, in the middle of
two payments; the sandbox's payments takes over what it leaves, and callers repeat their keys there. Cells run side by side.

A build with a sanitizer takes its time: there each run is a share of the cells, another each time. DALER_FAULT_SHARE=1 runs
them all, DALER_FAULT_SEED the same share again, DALER_FAULT_ONLY those whose name holds it.
"""

import collections
import concurrent.futures
import contextlib
import math
import os
import pathlib
import random
import sys
import tempfile
import threading
import time
import unittest

import kinds
from support import environment
from support.cases import Case
from support.client import PATIENCE, Refused
from support.contracts import accounts as a
from support.contracts import connector as c
from support.replica import Replica, settings
from support.storm import operations
from support.world import RESTING, new_account, new_id, operator, state

SIDE_BY_SIDE = 12 if PATIENCE == 1 else 4
SHARE = float(os.environ.get("DALER_FAULT_SHARE", "1" if PATIENCE == 1 else "0.25"))
PAYMENTS_EACH = 2
FUNDS_MINOR = 10_000_000
AMOUNT_FIRST = 1001


class Cell:
    def __init__(self, kind, behaviour, instrument, end, amount, point=None):
        self.kind, self.behaviour, self.instrument, self.end = kind, behaviour, instrument, end
        self.amount, self.point = amount, point
        self.wallet, self.other = new_id(), new_id()
        self.original, self.requests, self.finals, self.again = None, [], [], []
        self.crashed = False

    def __str__(self):
        return f"{self.kind}, {self.behaviour}, {self.point}, {self.amount}"

    def build(self, place, payments):
        kind = kinds.KINDS[self.kind]
        for _ in range(PAYMENTS_EACH):
            if kind.before is not None:
                self.original = kind.before(place, self)
                payments.call("CreatePayment", self.original)
            self.requests.append(kind.make(place, self))


class Matrix(Case):
    @classmethod
    def setUpClass(cls):
        cls.place = kinds.Place()
        cls.ledger = cls.place.ledger
        cls.bank = cls.ledger.open("bank", side=a.NORMAL_SIDE_DEBIT)
        cls.amounts = iter(range(AMOUNT_FIRST, 1_000_000))
        cls.rescuer = operator("payments")
        cls.settings = settings()

    def victim(self, **more):
        return Replica(self.settings, "daler-payments-fail-points", DALER_PAYMENTS_WORKERS="1", **more)

    def fund(self, cells):
        """Each cell's wallet and another account, with money; then its requests."""
        opened = [new_account("player", account_id=account, lower=0) for cell in cells
                  for account in (cell.wallet, cell.other)]
        for first in range(0, len(opened), 500):
            self.ledger.accounts.CreateAccounts(ledger_id=self.ledger.id, accounts=opened[first:first + 500])
        groups = [a.Group(transfers=[self.ledger.transfer(self.bank, account, FUNDS_MINOR)]) for cell in cells
                  for account in (cell.wallet, cell.other)]
        for first in range(0, len(groups), 500):
            self.ledger.accounts.PostBatch(ledger_id=self.ledger.id, groups=groups[first:first + 500])
        for cell in cells:
            cell.build(self.place, self.rescuer)

    def create(self, stub, request, timeout=8):
        """The payment; None when there was no answer. A business no is none of these requests'."""
        try:
            return stub.call("CreatePayment", request, timeout=timeout * PATIENCE).payment
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

    # The boundaries there are.

    def boundaries(self, traced):
        """{cell: its points in order of appearance}, found by carrying each out without a crash."""
        with tempfile.TemporaryDirectory() as folder:
            trace = pathlib.Path(folder) / "trace"
            process = self.victim(DALER_FAIL_POINT_TRACE=str(trace))
            try:
                with concurrent.futures.ThreadPoolExecutor(len(traced) * PAYMENTS_EACH) as pool:
                    for cell in traced:
                        cell.finals = [pool.submit(self.settle, process.stub, request, cell) for request in cell.requests]
                    for cell in traced:
                        cell.finals = [future.result() for future in cell.finals]
            finally:
                process.end()
            found = collections.defaultdict(dict)
            for line in trace.read_text(encoding="ascii").splitlines():
                point, amount = line.rsplit("#", 1)
                found[int(amount)][point] = True
        for cell in traced:
            cell.again = [self.settle(self.rescuer, request, cell) for request in cell.requests]
        return {cell: list(found[cell.amount]) for cell in traced}

    # One cell.

    def run_cell(self, cell):
        process = self.victim(DALER_FAIL_POINT=f"{cell.point}#{cell.amount}:kill")
        threads = [threading.Thread(target=self.insist, args=(process, request, cell), daemon=True) for request in cell.requests]
        for thread in threads:
            thread.start()
        cell.crashed = process.died(6)
        process.end()
        for thread in threads:
            thread.join()
        cell.finals = [self.settle(self.rescuer, request, cell) for request in cell.requests]
        cell.again = [self.settle(self.rescuer, request, cell) for request in cell.requests]

    # What must be true afterwards.

    def check_cell(self, cell, booked):
        ends = collections.Counter(state(payment) for payment in cell.finals)
        self.assertEqual(dict(ends), {cell.end: PAYMENTS_EACH}, cell.finals)
        self.assertEqual(cell.again, cell.finals, "the same key answers the same")
        self.assertEqual(len({payment.payment_id for payment in cell.finals}), PAYMENTS_EACH)
        for payment in cell.finals:
            if state(payment) not in ("SUCCEEDED", "REFUNDED"):
                self.assertTrue(payment.reason, payment)
        succeeded = ends["SUCCEEDED"]
        kind = kinds.KINDS[cell.kind]
        self.assertEqual(booked[cell.amount, c.OPERATION_STATUS_SUCCEEDED],
                         (succeeded if kind.connector else 0) + kind.before_booked * PAYMENTS_EACH)
        self.assertEqual(booked[cell.amount, c.OPERATION_STATUS_CANCELED], ends["CANCELED"])
        for status in (c.OPERATION_STATUS_PENDING, c.OPERATION_STATUS_AUTHORIZED, c.OPERATION_STATUS_REQUIRES_ACTION):
            self.assertEqual(booked[cell.amount, status], 0, "nothing is left half done at the connector")
        balances = self.ledger.balances(cell.wallet)
        self.assertEqual(balances.posted_minor, FUNDS_MINOR + (kind.effect * succeeded + kind.before_effect * PAYMENTS_EACH) * cell.amount)
        self.assertEqual(balances.available_minor, balances.posted_minor, "no hold is left")

    def check_whole(self, cells):
        for ledger in self.place.ledgers:
            balance = ledger.trial_balance()
            self.assertTrue(balance.balanced)
            for line in balance.lines:
                self.assertEqual((line.debits_pending_minor, line.credits_pending_minor), (0, 0))
        if self.place.there is not None:
            sent = sum(cell.amount * PAYMENTS_EACH for cell in cells
                       if cell.kind == "remote_transfer" and cell.end == "SUCCEEDED")
            self.assertEqual(self.place.there.balances(self.place.friend).posted_minor, sent)
        mine = {cell.amount for cell in cells}
        total = sum(operation.amount_minor if operation.kind == c.OPERATION_KIND_CHARGE else -operation.amount_minor
                    for operation in operations()
                    if operation.amount_minor in mine and operation.status == c.OPERATION_STATUS_SUCCEEDED)
        clearing = self.ledger.balances(self.ledger.clearing["EUR"])
        self.assertEqual(clearing.posted_minor, total, "the simulator's books equal the clearing account")
        rows = environment.sql("payments", f"""
            SELECT state, count(*) FROM payments WHERE ledger_id = '{self.ledger.id}' AND open GROUP BY state""")
        self.assertEqual(rows, [])

    def chosen(self, cells):
        only = os.environ.get("DALER_FAULT_ONLY", "")
        cells = [cell for cell in cells if only in str(cell)]
        if SHARE == 1:
            return cells
        seed = os.environ.get("DALER_FAULT_SEED") or str(time.time_ns())
        print(f"DALER_FAULT_SEED={seed}: {SHARE:.0%} of {len(cells)} cells", file=sys.stderr)
        return random.Random(seed).sample(cells, math.ceil(len(cells) * SHARE))

    def check(self, cells):
        booked = collections.Counter((operation.amount_minor, operation.status) for operation in operations())
        for cell in cells:
            with self.subTest(cell=str(cell)):
                self.check_cell(cell, booked)

    def test_matrix(self):
        begun = time.monotonic()
        self.assertEqual(kinds.MISSING, [], "kinds of payments without a row in kinds.py")
        traced = [Cell(*pair, next(self.amounts)) for pair in kinds.pairs()]
        self.fund(traced)
        found = self.boundaries(traced)
        self.check(traced)
        cells = [Cell(cell.kind, cell.behaviour, cell.instrument, cell.end, next(self.amounts), point)
                 for cell, points in found.items() for point in points]
        cells = self.chosen(cells)
        self.fund(cells)
        with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            running = {pool.submit(self.run_cell, cell): cell for cell in cells}
            for future in concurrent.futures.as_completed(running):
                with self.subTest(cell=str(running[future])):
                    future.result()
        self.check(cells)
        self.check_whole(traced + cells)
        missed = [str(cell) for cell in cells if not cell.crashed]
        print(f"{len(cells)} cells of {len(traced)} pairs of kind and behaviour in {time.monotonic() - begun:.0f} s; "
              f"{len(missed)} did not come to their boundary: {missed[:20]}", file=sys.stderr)
        # Whether a notification or an answer comes first is the scheduler's; nearly all boundaries are passed each time.
        self.assertLess(len(missed), 1 + len(cells) * 0.05)
        self.assertGreater(len(cells), 0)


if __name__ == "__main__":
    unittest.main()
