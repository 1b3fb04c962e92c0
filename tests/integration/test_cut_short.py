"""Callers who go at any moment: deadlines of a millisecond, calls that are given up, streams that are left open, half-closed or
not read, connections that are cut within a message. What was acknowledged stands, what is repeated is done once, and nothing
of those calls is left."""

import contextlib
import random
import threading
import time
import unittest

import grpc

from support import environment, world
from support.cases import Case
from support.client import Refused, channel, find_method, metadata_of
from support.contracts import accounts as a
from support.resets import DATA, END_HEADERS, HEADERS, connect, frame, headers_first
from support.world import Ledger, new_id

CALLERS = 6
SECONDS = 3
EACH_LEAST = 5


class CutShort(Case):
    def setUp(self):
        self.ledger = Ledger()
        self.wallet = self.ledger.open()
        self.lock = threading.Lock()
        self.sent = {}  # transfer -> whether it was acknowledged
        self.counts = {}
        self.token = metadata_of(world.operator_token())

    def transfer(self):
        made = self.ledger.transfer(self.ledger.clearing["EUR"], self.wallet, 1)
        with self.lock:
            self.sent[made.transfer_id] = False
        return made

    def acknowledge(self, transfers, outcomes):
        for transfer, outcome in zip(transfers, outcomes, strict=True):
            self.assertEqual(outcome.WhichOneof("result"), "posted", outcome)
            with self.lock:
                self.sent[transfer.transfer_id] = True

    def request(self, name, transfers):
        groups = [a.Group(transfers=[one]) for one in transfers]
        if name == "Post":
            return a.PostRequest(ledger_id=self.ledger.id, group=groups[0])
        return getattr(a, f"{name}Request")(ledger_id=self.ledger.id, groups=groups)

    def method(self, name, kind):
        path, _, reply = find_method("accounts", name)
        return getattr(channel("accounts", "operator"), kind)(
            path, request_serializer=lambda request: request.SerializeToString(), response_deserializer=reply.FromString)

    # What a caller does, by chance.

    def hurry(self):
        """A deadline that may be over before anything was done, or after it."""
        transfer = self.transfer()
        with contextlib.suppress(grpc.RpcError):
            reply = self.method("Post", "unary_unary")(self.request("Post", [transfer]), metadata=self.token,
                                                       timeout=random.choice((0.0, 0.001, 0.002, 0.005, 0.01)))
            self.acknowledge([transfer], [reply.outcome])

    def give_up(self):
        name = random.choice(("Post", "PostBatch"))
        transfers = [self.transfer() for _ in range(1 if name == "Post" else 20)]
        call = self.method(name, "unary_unary").future(self.request(name, transfers), metadata=self.token, timeout=60)
        time.sleep(random.uniform(0, 0.01))
        if not call.cancel() or call.cancelled():
            return
        reply = call.result()
        self.acknowledge(transfers, [reply.outcome] if name == "Post" else reply.outcomes)

    def stream(self):
        """Says something, reads some of the answers, and half-closes, or goes, or lets its deadline pass."""
        over = threading.Event()
        wanted = [[self.transfer() for _ in range(random.randint(1, 5))] for _ in range(random.randint(0, 8))]
        half_closes = random.random() < 0.5

        def say():
            for transfers in wanted:
                yield self.request("PostStream", transfers)
            if not half_closes:
                over.wait()

        call = self.method("PostStream", "stream_stream")(
            say(), metadata=self.token, timeout=random.choice((0.002, 0.05, 60)))
        try:
            with contextlib.suppress(grpc.RpcError):
                for transfers in wanted[:random.randint(0, len(wanted))]:
                    self.acknowledge(transfers, next(call).outcomes)
            time.sleep(random.choice((0, 0.005)))
            call.cancel()
        finally:
            over.set()

    def verify(self):
        call = self.method("VerifyLedger", "unary_stream")(
            a.VerifyLedgerRequest(ledger_id=self.ledger.id), metadata=self.token, timeout=random.choice((0.001, 0.02, 60)))
        with contextlib.suppress(grpc.RpcError, StopIteration):
            if random.random() < 0.5:
                next(call)
        call.cancel()

    def change(self):
        """While others post: the version is looked up, and who has waited is answered or not."""
        with contextlib.suppress(Refused):
            version = self.ledger.accounts.GetAccountMetadata(
                ledger_id=self.ledger.id, account_id=self.wallet).metadata.version
            self.ledger.accounts.UpdateAccount(
                ledger_id=self.ledger.id, account_id=self.wallet, expected_version=version,
                update_mask={"paths": ["label"]}, label=new_id(), timeout=random.choice((0.001, 0.005, 60)))

    def cut(self):
        """The connection ends within a frame, a message or the list of headers."""
        name = random.choice(("Post", "PostBatch", "PostStream", "GetLedger"))
        body = self.request("Post", [self.ledger.transfer(self.wallet, self.wallet, 1)]).SerializeToString()
        bytes_ = frame(HEADERS, END_HEADERS, 1, headers_first(find_method("accounts", name)[0]))
        bytes_ += frame(DATA, 0, 1, b"\0" + len(body).to_bytes(4, "big") + body)
        with connect("accounts", "operator") as connection:
            connection.sendall(bytes_[:random.randrange(len(bytes_))])

    ACTS = (hurry, give_up, stream, verify, change, cut)

    def go_on(self, over, wrong):
        while not over.is_set():
            act = random.choice(self.ACTS)
            try:
                act(self)
            except Exception as error:  # what a thread finds, the test tells
                wrong.append((act.__name__, repr(error)))
            with self.lock:
                self.counts[act.__name__] = self.counts.get(act.__name__, 0) + 1

    def test_whatever_they_leave_behind(self):
        before, wrong, over = environment.pid("accounts"), [], threading.Event()
        threads = [threading.Thread(target=self.go_on, args=(over, wrong)) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(SECONDS)
            environment.wait_until(lambda: all(self.counts.get(act.__name__, 0) >= EACH_LEAST for act in self.ACTS), 60,
                                   "each has happened a few times")
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(wrong, [])
        environment.wait_until(lambda: environment.metric_sum("accounts", "daler_server_calls_in_flight") == 0, 20,
                               "no call is left")
        self.assertEqual(environment.pid("accounts"), before)
        self.check_books()

    def check_books(self):
        acknowledged = [transfer for transfer, known in self.sent.items() if known]
        self.assertTrue(acknowledged)
        recorded = {entry.transfer.transfer_id for entry in self.ledger.statement(self.wallet)}
        self.assertLessEqual(set(acknowledged), recorded)
        self.assertLessEqual(recorded, set(self.sent))
        transfers = [self.ledger.transfer(self.ledger.clearing["EUR"], self.wallet, 1, transfer_id=transfer)
                     for transfer in self.sent]
        for at in range(0, len(transfers), 500):
            some = transfers[at:at + 500]
            self.acknowledge(some, self.ledger.accounts.call("PostBatch", self.request("PostBatch", some)).outcomes)
        self.assertEqual(self.ledger.balances(self.wallet).posted_minor, len(self.sent))
        line, = self.ledger.trial_balance().lines
        self.assertEqual((line.credits_posted_minor, line.debits_posted_minor), (len(self.sent),) * 2)
        last = list(self.ledger.accounts.stream("VerifyLedger", a.VerifyLedgerRequest(ledger_id=self.ledger.id)))[-1]
        self.assertTrue(last.complete)
        self.assertEqual(len(last.discrepancies), 0, last)


if __name__ == "__main__":
    unittest.main()
