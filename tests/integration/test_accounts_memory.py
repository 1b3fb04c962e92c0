"""accounts stays within its memory, whatever its callers ask for at once, and answers all the same."""

import concurrent.futures
import time

import grpc

from support import environment
from support.cases import Case
from support.client import PATIENCE, Refused, Stub, find_method
from support.contracts import accounts as a
from support.world import Ledger

RESIDENT_MIB_MAX = 64
# The largest request that is allowed: this many transfers, each with the longest reference there is.
GROUPS, TRANSFERS = 100, 100
REFERENCE = "\U0001f4b6" * 128
AT_ONCE = 6


class Largest(Case):
    def setUp(self):
        self.measures_memory()  # and so slow a peer is told SLOW_CALLER there
        self.ledger = Ledger()
        self.wallets = [self.ledger.open(f"w{i}") for i in range(50)]
        self.shed = 0

    def largest(self, kind):
        clearing = self.ledger.clearing["EUR"]
        request = a.PostBatchRequest(ledger_id=self.ledger.id)
        for i in range(GROUPS):
            request.groups.add().transfers.extend(
                self.ledger.transfer(clearing, self.wallets[(i + j) % len(self.wallets)], 1 + j, kind=kind,
                                     reference=REFERENCE) for j in range(TRANSFERS))
        return request

    def post(self, caller, request):
        """As a caller does who is told to come again."""
        path, _, reply_class = find_method("accounts", "PostBatch")
        data = request.SerializeToString()
        deadline = time.monotonic() + 60 * PATIENCE
        while True:
            try:
                return caller.raw(path, data, reply_class.FromString, timeout=60 * PATIENCE)
            except Refused as error:
                if time.monotonic() > deadline:
                    raise
                self.assertEqual((error.code, error.reason), (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"), error)
                self.assertIsNotNone(error.retry_s)
                self.shed += 1
                time.sleep(error.retry_s)

    def check_posted(self, request, reply, replayed):
        self.assertEqual(len(reply.outcomes), GROUPS)
        for group, outcome in zip(request.groups, reply.outcomes):
            self.assertEqual((outcome.group_id, outcome.replayed), (group.transfers[0].transfer_id, replayed))
            self.assertEqual([posted.transfer for posted in outcome.posted.transfers], list(group.transfers))

    def test_several_at_once(self):
        """Twice each: what is written, by callers of one identity, and what is on record, by callers of two."""
        requests = [self.largest("hold" if i % 3 == 0 else "direct") for i in range(AT_ONCE)]
        operator, payments = self.ledger.accounts, Stub("accounts", "payments")
        for replayed, callers in ((False, (operator, operator)), (True, (operator, payments))):
            with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
                replies = list(pool.map(self.post, callers * (AT_ONCE // 2), requests))
            for request, reply in zip(requests, replies):
                self.check_posted(request, reply, replayed)
            with self.subTest(replayed=replayed):
                self.assertLessEqual(environment.resident_mib("accounts", "VmHWM"), RESIDENT_MIB_MAX)
            if callers[0] is callers[1]:
                self.assertEqual(self.shed, 0)  # they wait for one another
        self.assertGreater(self.shed, 0)
        self.assertEqual(environment.metric_sum("accounts", "daler_server_calls_shed_total", "PostBatch"), self.shed)
        moved = sum(1 + j for j in range(TRANSFERS)) * GROUPS
        line, = self.ledger.trial_balance().lines
        directs = sum(1 for i in range(AT_ONCE) if i % 3 != 0)
        self.assertEqual((line.debits_posted_minor, line.credits_posted_minor), (moved * directs,) * 2)
        self.assertEqual((line.debits_pending_minor, line.credits_pending_minor), (moved * (AT_ONCE - directs),) * 2)
