"""Concurrent histories: 64 clients post to two replicas of accounts, over a few accounts, while replicas and PostgreSQL are
killed again and again. Afterwards nothing contradicts anything that was acknowledged.

DALER_HISTORY_SECONDS makes it longer; DALER_HISTORY_SEED repeats the same choices (not the same timing).
"""

import collections
import contextlib
import csv
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import unittest

import grpc

from replica import Replica
from support import environment
from support.client import PATIENCE, Refused
from support.contracts import accounts as a
from support.world import new_account, new_id, operator
from walk import Walk

SECONDS = float(os.environ.get("DALER_HISTORY_SECONDS", "60"))
BACKENDS = "FROM pg_stat_activity WHERE usename = 'accounts_service'"
# Its supervisor, and that of accounts, waits longer after each death of a young process.
REST_S = {"postgres": 11, "accounts": 6}
LOST = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED, grpc.StatusCode.CANCELLED)


def ledger_accounts():
    """A few accounts, so that all collide: two currencies, both sides, each sort of limit."""
    debit, credit = a.NORMAL_SIDE_DEBIT, a.NORMAL_SIDE_CREDIT
    found = [new_account("outside", side=debit), new_account("outside", "USD", side=debit),
             new_account("capped", side=credit, lower=0, upper=900), new_account("till", side=debit, lower=-300, upper=2500),
             new_account("wallet", "USD", side=credit, lower=0)]
    found.append(new_account("line", side=credit, lower=0))
    found[-1].credit_line_minor = 250
    return found + [new_account("wallet", side=credit, lower=0) for _ in range(5)]


class Clients:
    """The program that asks and remembers."""

    def __init__(self, ledgers, addresses, seed, folder):
        self.log = folder / "history.csv"
        world = folder / "history.world"
        world.write_text("".join(
            f"ledger {ledger}\n" + "".join(f"account {account.account_id} {account.currency}\n" for account in accounts)
            for ledger, accounts in ledgers.items()))
        self.process = subprocess.Popen(
            [os.path.join(os.environ["DALER_BUILD_DIR"], "bin", "daler-history"), "--world", str(world), "--log", str(self.log),
             "--first-addr", addresses[0], "--second-addr", addresses[1], "--cert-dir", os.environ["DALER_CERT_DIR"],
             "--seed", str(seed)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, word):
        """Sends a word; returns the line that answers it."""
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def groups(self):
        with open(self.log, newline="") as file:
            return [(ledger, group, int(size), answer, int(sent), int(answered))
                    for ledger, group, size, answer, sent, answered in csv.reader(file)]

    def end(self):
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Faults:
    """What goes wrong while they ask."""

    def __init__(self, dice, replica):
        self.dice = dice
        self.replica = replica
        self.count = collections.Counter()
        self._rested = dict.fromkeys(REST_S, 0.0)

    def may_die(self, name):
        now = time.monotonic()
        if now < self._rested[name]:
            return False
        self._rested[name] = now + REST_S[name]
        return True

    def kill_accounts(self):
        if self.may_die("accounts"):
            environment.kill("accounts")
            self.count["kill_accounts"] += 1

    def kill_replica(self):
        self.replica.kill()
        self.count["kill_replica"] += 1

    def pause(self):
        """A lane that holds locks and does nothing: the other replica has to wait."""
        pid = self.dice.choice([environment.pid("accounts"), self.replica.pid()])
        with contextlib.suppress(ProcessLookupError, TypeError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(self.dice.uniform(0.2, 1.0))
            os.kill(pid, signal.SIGCONT)
            self.count["pause"] += 1

    def terminate_backends(self):
        some = self.dice.choice(["", "AND random() < 0.5"])
        environment.sql("super", f"SELECT pg_terminate_backend(pid) {BACKENDS} {some}")
        self.count["terminate_backends"] += 1

    def kill_backend(self):
        """kill -9 of one: PostgreSQL ends all others and recovers."""
        pids = environment.sql("super", f"SELECT pid {BACKENDS}")
        if pids:
            os.kill(int(self.dice.choice(pids)[0]), signal.SIGKILL)
            self.count["kill_backend"] += 1

    def shut_down_postgres(self):
        if self.may_die("postgres"):
            os.kill(environment.wait_until(lambda: environment.pid("postgres"), 30, "postgres runs"), signal.SIGQUIT)
            self.count["shut_down_postgres"] += 1

    def one(self):
        """Each kind once, then whatever comes."""
        acts = [self.kill_accounts, self.kill_replica, self.kill_replica, self.pause, self.terminate_backends,
                self.terminate_backends, self.kill_backend, self.shut_down_postgres, self.shut_down_postgres]
        act = self.dice.choice([each for each in acts if not self.count[each.__name__]] or acts)
        with contextlib.suppress(environment.SqlError, ProcessLookupError, PermissionError):
            act()


class TrialBalances(threading.Thread):
    """Asks for the trial balance all the time: it is balanced at every instant."""

    def __init__(self, ledgers):
        super().__init__(daemon=True)
        self.ledgers = list(ledgers)
        self.stopping = threading.Event()
        self.balanced, self.wrong = 0, []

    def run(self):
        while not self.stopping.wait(0.2):
            for ledger in self.ledgers:
                try:
                    answer = operator("accounts").GetTrialBalance(ledger_id=ledger, timeout=2 * PATIENCE)
                except Refused as error:
                    if error.code not in LOST:
                        self.wrong.append(str(error))
                    continue
                sums = [(line.debits_posted_minor - line.credits_posted_minor,
                         line.debits_pending_minor - line.credits_pending_minor) for line in answer.lines]
                if not answer.balanced or any(sum != (0, 0) for sum in sums):
                    self.wrong.append(str(answer))
                self.balanced += 1


class History(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.seed = int(os.environ.get("DALER_HISTORY_SEED") or time.time_ns() % 2**62)
        print(f"DALER_HISTORY_SEED={self.seed}", file=sys.stderr)
        self.ledgers = {}
        for _ in range(3):
            ledger, accounts = new_id(), ledger_accounts()
            operator("accounts").CreateLedger(ledger_id=ledger, name="history")
            operator("accounts").CreateAccounts(ledger_id=ledger, accounts=accounts)
            self.ledgers[ledger] = accounts
        self.replica = Replica()
        self.addCleanup(self.replica.stop)
        self.clients = Clients(self.ledgers, (os.environ["DALER_ACCOUNTS_ADDR"], self.replica.address), self.seed,
                               environment.HOME)
        self.addCleanup(self.clients.end)

    def test_history(self):
        balances = TrialBalances(self.ledgers)
        balances.start()
        faults = self.rage()
        balances.stopping.set()
        environment.wait_ready("accounts", 60)
        self.assertEqual(self.clients.tell("stop"), "stopped")
        groups = self.clients.groups()
        self.check_whole(groups)
        counts = json.loads(self.clients.tell("verify"))
        # Then nothing moves any more.
        environment.wait_until(lambda: self.expiring() == "0", 30, "all holds that were to expire have ended")
        walks = {ledger: Walk(ledger) for ledger in self.ledgers}
        self.check_walks(walks)
        self.check_order(walks, groups)
        self.check_walks(walks)
        self.check_acknowledged(groups)
        print(f"{dict(faults.count)}; {counts}; {balances.balanced} trial balances; "
              f"{sum(len(walk.transfers) for walk in walks.values())} transfers of kinds {self.kinds(walks)}", file=sys.stderr)
        self.assertEqual(counts["wrong"], 0, "the answers contradict each other: see above")
        self.assertEqual(balances.wrong, [])
        self.check_power(counts, faults, walks)

    def rage(self):
        faults = Faults(random.Random(self.seed), self.replica)
        end = time.monotonic() + SECONDS * PATIENCE
        while time.monotonic() < end:
            time.sleep(faults.dice.uniform(0.2, 1.5))
            faults.one()
            self.assertIsNone(self.clients.process.poll(), "the clients have ended")
        return faults

    def on_record(self):
        """{(ledger, group): (number of transfers, posted or declined)}"""
        rows = environment.sql("accounts", """
            SELECT ledger_id, group_id, count(*), 'posted' FROM transfers WHERE kind <> 7 GROUP BY 1, 2
            UNION ALL SELECT ledger_id, group_id, count(*), 'declined' FROM declines GROUP BY 1, 2""")
        found = collections.defaultdict(list)
        for ledger, group, count, answer in rows:
            if ledger in self.ledgers:
                found[ledger, group].append((int(count), answer))
        return found

    def check_whole(self, groups):
        """Before anything is repeated: what was acknowledged is there, and everything is wholly there or wholly not."""
        found = self.on_record()
        wrong = []
        for ledger, group, size, answer, _, _ in groups:
            rows = found.pop((ledger, group), [])
            may = {"posted": ([(size, "posted")],), "declined": ([(size, "declined")],), "refused": ([],),
                   "none": ([], [(size, "posted")], [(size, "declined")])}[answer]
            if rows not in may:
                wrong.append(f"group {group} of {size}, answered {answer}, is on record as {rows}")
        self.assertEqual(wrong[:20], [])
        self.assertEqual(list(found.items())[:20], [], "on record, and nobody asked for it")

    def check_walks(self, walks):
        self.assertEqual([wrong for walk in walks.values() for wrong in walk.wrong], [])

    def check_acknowledged(self, groups):
        """And still is there when everything was repeated."""
        found = self.on_record()
        missing = [group for ledger, group, size, answer, _, _ in groups
                   if answer in ("posted", "declined") and found[ledger, group] != [(size, answer)]]
        self.assertEqual(missing[:20], [])

    def check_order(self, walks, groups):
        sent = {group: at for _, group, _, _, at, _ in groups}
        answered = {group: at for _, group, _, answer, _, at in groups if answer == "posted"}
        for walk in walks.values():
            walk.check_order(sent, answered)

    def expiring(self):
        ledgers = ", ".join(f"'{ledger}'" for ledger in self.ledgers)
        return environment.sql_value("accounts", f"""
            SELECT count(*) FROM holds WHERE ledger_id IN ({ledgers}) AND state = 1 AND expires IS NOT NULL""")

    def kinds(self, walks):
        return dict(sorted(collections.Counter(
            transfer.kind for walk in walks.values() for transfer in walk.transfers.values()).items()))

    def check_power(self, counts, faults, walks):
        """It was a storm, and there was something to get wrong."""
        self.assertGreater(counts["posted"], 500)
        self.assertGreater(counts["declined"], 50)
        self.assertGreater(counts["unanswered"], 20)
        self.assertGreater(counts["repeated"], counts["groups"] // 2)
        if SECONDS >= 30:
            self.assertGreaterEqual(sum(faults.count.values()), 10)
            for fault in ("kill_accounts", "kill_replica", "kill_backend", "shut_down_postgres"):
                self.assertGreater(faults.count[fault], 0, fault)
            self.assertEqual(sorted(self.kinds(walks)), list(range(1, 8)), "every kind was posted")


if __name__ == "__main__":
    unittest.main()
