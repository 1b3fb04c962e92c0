"""accounts is fair: one busy ledger keeps no other waiting, nor one busy caller another, and always has room for them.

What is counted is batches: how many were carried out while a call waited, of how many that were before it."""

import concurrent.futures
import contextlib
import unittest

from support import environment, world
from support.cases import Case
from support.client import PATIENCE, Refused
from support.contracts import accounts as a
from support.replicas import Replica
from support.world import Ledger

STREAMS, MESSAGES, GROUPS = 6, 110, 10
REFERENCE = "\U0001f4b6" * 128  # the longest there is


class Fairness(Case):
    def setUp(self):
        self.busy, self.quiet = Ledger(), Ledger()
        self.wallets = {ledger.id: ledger.wallet("anna") for ledger in (self.busy, self.quiet)}
        self.pool = concurrent.futures.ThreadPoolExecutor(20)
        self.addCleanup(self.pool.shutdown)

    def group(self, ledger, **more):
        return a.Group(transfers=[ledger.transfer(ledger.clearing["EUR"], self.wallets[ledger.id], 1, **more)])

    def messages(self, count, groups, **more):
        return [a.PostStreamRequest(ledger_id=self.busy.id, groups=[self.group(self.busy, **more) for _ in range(groups)])
                for _ in range(count)]

    @staticmethod
    def stream(stub, messages):
        """How many groups were posted."""
        return sum(outcome.WhichOneof("result") == "posted"
                   for reply in stub.stream("PostStream", iter(messages), timeout=120 * PATIENCE)
                   for outcome in reply.outcomes)

    def batch(self, stub, request):
        return sum(outcome.WhichOneof("result") == "posted"
                   for outcome in stub.call("PostBatch", request, timeout=120 * PATIENCE).outcomes)

    def post(self, stub, ledger):
        return stub.Post(ledger_id=ledger.id, group=self.group(ledger)).outcome.WhichOneof("result")

    def operator(self, replica):
        return replica.stub("operator", world.operator_token())

    def waits(self, replica, stub, ledger):
        """(batches that were carried out while a call waited, messages that waited before it, each a batch)"""
        ahead = environment.metric_sum(replica.admin, "daler_commit_queue_length")
        before = environment.metric_sum(replica.admin, "daler_commit_seconds_count", "posting")
        self.assertEqual(self.post(stub, ledger), "posted")
        return environment.metric_sum(replica.admin, "daler_commit_seconds_count", "posting") - before, ahead

    def test_a_flood_keeps_nobody_else_waiting(self):
        floods = [self.messages(MESSAGES, GROUPS) for _ in range(STREAMS)]
        thousand = a.PostBatchRequest(ledger_id=self.busy.id, groups=[self.group(self.busy) for _ in range(1000)])
        # A message is a batch by itself, so that hundreds of batches wait.
        with Replica("accounts", BATCH_MAX=GROUPS, LANES=1) as replica:
            operator = self.operator(replica)
            flooding = [self.pool.submit(self.stream, operator, messages) for messages in floods]
            flooding.append(self.pool.submit(self.batch, operator, thousand))
            environment.wait_until(
                lambda: environment.metric_sum(replica.admin, "daler_commit_queue_length") > STREAMS * MESSAGES / 2, 30,
                "hundreds of batches wait")
            for who, stub, ledger in (("another ledger", operator, self.quiet),
                                      ("another caller", replica.stub("payments"), self.busy)):
                waited, ahead = zip(*(self.waits(replica, stub, ledger) for _ in range(5)))
                with self.subTest(who=who):
                    self.assertLess(sum(waited), sum(ahead) / 4, (waited, ahead))
                    self.assertGreater(min(ahead), 40, "the flood was over too soon to say anything")
            self.assertEqual(sum(one.result() for one in flooding), STREAMS * MESSAGES * GROUPS + 1000)

    def test_a_flood_leaves_room_for_others(self):
        """Even when nothing goes on at the busy ledger: somebody has its row."""
        with Replica("accounts", POSTING_QUEUE_MAX=90) as replica, contextlib.ExitStack() as taken:
            taken.enter_context(environment.locked("accounts", f"ledgers WHERE ledger_id = '{self.busy.id}'"))
            flooding = self.pool.submit(self.stream, self.operator(replica), self.messages(150, 1))
            environment.wait_until(
                lambda: environment.metric_sum(replica.admin, "daler_commit_queue_length") == 80, 30, "the share is full")
            self.assertEqual(self.post(self.operator(replica), self.quiet), "posted")
            other = self.pool.submit(self.post, replica.stub("payments"), self.busy)
            environment.wait_until(
                lambda: environment.metric_sum(replica.admin, "daler_commit_queue_length") == 81, 30, "the other waits")
            taken.close()
            self.assertEqual(other.result(), "posted")
            with self.assertRaises(Refused) as caught:
                flooding.result()
            self.assertEqual(caught.exception.reason, "QUEUE_FULL")

    def refused(self, future):
        with self.assertRaises(Refused) as caught:
            future.result()
        return caught.exception.reason

    def test_a_crowd_of_calls_leaves_room_for_others(self):
        """Before anybody knows which ledger they are for: by the identity."""
        with Replica("accounts", QUEUE_MAX=18) as replica, contextlib.ExitStack() as taken:
            taken.enter_context(environment.locked("accounts", f"ledgers WHERE ledger_id = '{self.busy.id}'"))
            crowd = [self.pool.submit(self.post, self.operator(replica), self.busy) for _ in range(18)]
            done, _ = concurrent.futures.wait(crowd, 20 * PATIENCE, concurrent.futures.FIRST_COMPLETED)
            self.assertEqual({self.refused(one) for one in done}, {"OVERLOADED"})
            self.assertEqual(self.post(replica.stub("payments"), self.quiet), "posted")
            taken.close()
            done, _ = concurrent.futures.wait(crowd)
            self.assertEqual(sum(one.exception() is None for one in done), 16)

    def test_a_crowd_of_bytes_leaves_room_for_others(self):
        large = a.PostBatchRequest(ledger_id=self.quiet.id,
                                   groups=[self.group(self.quiet, reference=REFERENCE) for _ in range(100)])
        floods = [self.messages(100, 10, reference=REFERENCE) for _ in range(14)]
        with Replica("accounts") as replica, contextlib.ExitStack() as taken:
            taken.enter_context(environment.locked("accounts", f"ledgers WHERE ledger_id = '{self.busy.id}'"))
            crowd = [self.pool.submit(self.stream, self.operator(replica), messages) for messages in floods]
            environment.wait_until(
                lambda: environment.metric_sum(replica.admin, "daler_server_calls_shed_total", "PostStream") > 0, 30,
                "there is no room for more of the operator's bytes")
            self.assertEqual(self.batch(replica.stub("payments"), large), 100)
            taken.close()
            done, _ = concurrent.futures.wait(crowd)
            self.assertIn("OVERLOADED", {one.exception().reason for one in done if one.exception() is not None})


if __name__ == "__main__":
    unittest.main()
