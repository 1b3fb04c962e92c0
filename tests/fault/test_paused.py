"""A process that is paused in the middle of a step, for longer than its lease, and wakes up when another has finished its
payment: what it still does outside has no second effect, and it writes nothing.

Each row is a kind of payment and the boundary at which its process stops itself; the sandbox's payments takes over."""

import concurrent.futures
import os
import pathlib
import signal
import unittest

import kinds
from cells import SIDE_BY_SIDE, Cell, CellCase
from support import environment
from support.storm import operations

# Kind: where. The first way of each kind is taken, the one in which all goes well.
PAUSES = {
    "deposit": ("order-before@submitted", "order-after@submitted", "write-before@settling", "post-before@settling",
                "post-after@settling", "write-before@succeeded"),
    "deposit that the ledger refuses": ("post-after@settling", "order-before@compensating", "order-after@compensating"),
    "withdrawal": ("post-before@created", "post-after@created", "order-before@submitted", "order-after@submitted",
                   "post-before@settling", "write-before@succeeded"),
    "refund": ("post-before@created", "order-before@submitted", "post-after@settling"),
    "transfer": ("post-before@created", "post-after@created"),
    "remote_transfer": ("post-before@submitted", "post-after@submitted", "post-before@settling"),
    "wager": ("post-before@created", "write-before@succeeded"),
    "settlement": ("post-after@created",),
    "rollback": ("post-before@created",),
}
# All that a process writes of a payment as it moves on.
TABLES = ("payments", "payment_events", "payment_calls")


def is_stopped(process):
    return pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


class Paused(CellCase):
    amount_first = 500_001  # the connector's books are the sandbox's

    def written(self, cell):
        """All that there is of it: in the record, in the ledgers, in the connector's books."""
        of_cell = f"SELECT payment_id FROM payments WHERE ledger_id = '{self.ledger.id}' AND amount_minor = {cell.amount}"
        rows = [environment.sql("payments", f"SELECT t::text FROM {table} AS t WHERE payment_id IN ({of_cell}) ORDER BY 1")
                for table in TABLES]
        entries = [ledger.statement(account) for ledger, account in
                   [(self.ledger, cell.wallet), (self.ledger, cell.other), (self.place.there, self.place.friend)]]
        entries[-1] = [entry for entry in entries[-1] if entry.moved_minor == cell.amount]
        booked = [operation for operation in operations() if operation.amount_minor == cell.amount]
        return rows, entries, booked

    def fence(self, cell):
        return int(environment.sql_value(
            "payments", f"SELECT fence FROM payments WHERE idempotency_key = '{cell.requests[0].idempotency_key}'"))

    @staticmethod
    def is_lost(process, payment):
        return any('"saga_lost"' in line and payment.payment_id in line for line in process.log().splitlines())

    def run_cell(self, cell):
        process = self.victim(DALER_FAIL_POINT=f"{cell.point}#{cell.amount}:stop")
        try:
            with concurrent.futures.ThreadPoolExecutor(1) as caller:
                waits = caller.submit(self.create, process.stub, cell.requests[0], 60)
                environment.wait_until(lambda: is_stopped(process.process), 20, "it stops itself")
                cell.finals = [self.settle(self.rescuer, cell.requests[0], cell)]
                before, fence = self.written(cell), self.fence(cell)
                self.assertGreater(fence, 1, "another has taken it over")
                os.kill(process.process.pid, signal.SIGCONT)
                self.assertEqual(waits.result(), cell.finals[0], "whoever waited for it is told how it ended")
            environment.wait_until(lambda: self.is_lost(process, cell.finals[0]), 20, "it finds that it has lost the payment")
            self.assertEqual((self.written(cell), self.fence(cell)), (before, fence))
            cell.again = [self.settle(process.stub, cell.requests[0], cell)]
            self.assertIsNone(process.process.poll())
        finally:
            process.end()

    def test_it_writes_nothing_when_it_wakes_up(self):
        ways = {name: (behaviour, instrument, end) for name, behaviour, instrument, end in reversed(list(kinds.pairs()))}
        cells = [Cell(name, *ways[name], next(self.amounts), point, 1) for name, points in PAUSES.items() for point in points]
        self.fund(cells)
        with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            running = {pool.submit(self.run_cell, cell): cell for cell in cells}
            for future in concurrent.futures.as_completed(running):
                with self.subTest(cell=str(running[future])):
                    future.result()
        self.check(cells)
        self.check_whole(cells)


if __name__ == "__main__":
    unittest.main()
