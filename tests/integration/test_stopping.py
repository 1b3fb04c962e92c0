"""SIGTERM while postings are in flight: each call has an answer, the process ends by itself and in its time, what was
acknowledged stands, and what was not is done once when it is repeated elsewhere."""

import signal
import threading
import unittest

import grpc

from support import environment, world
from support.cases import Case
from support.client import PATIENCE, Refused, find_method, metadata_of
from support.contracts import accounts as a
from support.replicas import Replica
from support.world import Ledger

CALLERS = 8
EACH_LEAST = 20
FOR_ANOTHER_REPLICA = ("UNAVAILABLE", "CANCELLED")


class Stopping(Case):
    def setUp(self):
        self.ledger = Ledger()
        self.wallet = self.ledger.open()
        self.lock = threading.Lock()
        self.sent = {}  # transfer -> whether it was acknowledged
        self.ends = []

    def transfer(self, transfer_id=None):
        made = self.ledger.transfer(self.ledger.clearing["EUR"], self.wallet, 1, transfer_id=transfer_id)
        with self.lock:
            self.sent.setdefault(made.transfer_id, False)
        return made

    def acknowledge(self, transfer, outcome):
        self.assertEqual(outcome.WhichOneof("result"), "posted", outcome)
        with self.lock:
            self.sent[transfer.transfer_id] = True

    def end_with(self, code):
        with self.lock:
            self.ends.append(code.name)

    def post(self, replica):
        """One after the other, until it is told to go elsewhere."""
        stub = replica.stub("operator", world.operator_token())
        while True:
            transfer = self.transfer()
            try:
                reply = stub.Post(ledger_id=self.ledger.id, group=a.Group(transfers=[transfer]), timeout=60 * PATIENCE)
            except Refused as refused:
                return self.end_with(refused.code)
            self.acknowledge(transfer, reply.outcome)

    def stream(self, replica):
        """Each group after the outcome of the one before it."""
        path, request_class, reply_class = find_method("accounts", "PostStream")
        said, heard = [], threading.Semaphore(1)

        def say():
            while heard.acquire(timeout=60 * PATIENCE):
                said.append(self.transfer())
                yield request_class(ledger_id=self.ledger.id, groups=[a.Group(transfers=[said[-1]])])

        call = replica.stub("operator").channel().stream_stream(
            path, request_serializer=lambda request: request.SerializeToString(), response_deserializer=reply_class.FromString)(
                say(), metadata=metadata_of(world.operator_token()), timeout=60 * PATIENCE)
        try:
            for number, reply in enumerate(call):
                self.acknowledge(said[number], reply.outcomes[0])
                heard.release()
            return self.end_with(grpc.StatusCode.OK)
        except grpc.RpcError as error:
            return self.end_with(error.code())

    def begin(self, replica):
        callers = [threading.Thread(target=self.post, args=(replica,)) for _ in range(CALLERS)]
        callers.append(threading.Thread(target=self.stream, args=(replica,)))
        for caller in callers:
            caller.start()
        return callers

    def join(self, replica, callers):
        self.assertEqual(replica.end(), 0)
        for caller in callers:
            caller.join()
        self.assertEqual(len(self.ends), len(callers))
        self.assertLessEqual(set(self.ends), set(FOR_ANOTHER_REPLICA))

    def check_books(self):
        recorded = {entry.transfer.transfer_id for entry in self.ledger.statement(self.wallet)}
        self.assertLessEqual({transfer for transfer, known in self.sent.items() if known}, recorded)
        self.assertLessEqual(recorded, set(self.sent))
        for transfer in list(self.sent):
            again = self.transfer(transfer)
            self.acknowledge(again, self.ledger.post_group(again))
        self.assertEqual(self.ledger.balances(self.wallet).posted_minor, len(self.sent))
        last = list(self.ledger.accounts.stream("VerifyLedger", a.VerifyLedgerRequest(ledger_id=self.ledger.id)))[-1]
        self.assertEqual((last.complete, len(last.discrepancies)), (True, 0), last)

    def test_postings_in_flight(self):
        """There is time for them: nobody is left with one that was done and not acknowledged."""
        with Replica("accounts") as replica:
            callers = self.begin(replica)
            environment.wait_until(lambda: sum(self.sent.values()) >= CALLERS * EACH_LEAST, 60, "postings go on")
            replica.send(signal.SIGTERM)
            self.join(replica, callers)
        recorded = {entry.transfer.transfer_id for entry in self.ledger.statement(self.wallet)}
        self.assertEqual({transfer for transfer, known in self.sent.items() if known}, recorded)
        self.check_books()

    def test_postings_that_wait_for_a_row(self):
        """Somebody else holds the ledger for longer than calls in flight may take to finish."""
        with Replica("accounts", DRAIN_MS=500) as replica:
            with environment.locked("accounts", f"ledgers WHERE ledger_id = '{self.ledger.id}'"):
                callers = self.begin(replica)
                environment.wait_until(
                    lambda: environment.metric_sum(replica.admin, "daler_server_calls_in_flight") == len(callers), 60,
                    "each waits for the answer to its first")
                replica.send(signal.SIGTERM)
                environment.wait_until(lambda: replica.log("drain_cut"), 60, "they are cut short")
            self.join(replica, callers)
        self.check_books()


if __name__ == "__main__":
    unittest.main()
