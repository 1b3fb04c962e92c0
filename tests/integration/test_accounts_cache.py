"""The metadata cache while Redis is paused, killed, restarted empty, or replaced: no read after an acknowledged change sees
what was before it. The services run with a short life of entries (DALER_ACCOUNTS_CACHE_TTL_MS)."""

import functools
import json
import os
import random
import re
import signal
import socket
import threading
import time
import unittest
import urllib.parse

import grpc

from support import environment, world
from support.cases import Case
from support.client import Refused
from support.contracts import accounts as a
from support.world import Ledger, new_id

TTL_S = int(os.environ.get("DALER_ACCOUNTS_CACHE_TTL_MS", "60000")) / 1000
STALE_S = TTL_S * 1.1 + 6  # what the service waits for: the life of an entry, of a ticket, and some slack


def redis(*words):
    """One command to Redis, as a client of its own; the answer's first line, or the text that it announces."""
    address = urllib.parse.urlsplit(os.environ["DALER_REDIS"])
    with socket.create_connection((address.hostname, address.port), timeout=5) as link, link.makefile("rb") as answers:
        def ask(*parts):
            data = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in (word.encode() for word in parts))
            link.sendall(b"*%d\r\n%s" % (len(parts), data))
            first = answers.readline().strip()
            if first[:1] == b"$" and first != b"$-1":
                return answers.read(int(first[1:]) + 2)[:-2]
            if first[:1] == b"*":
                return [answers.read(int(answers.readline()[1:]) + 2)[:-2] for _ in range(int(first[1:]))]
            return first
        ask("AUTH", address.password)
        return ask(*words)


@functools.lru_cache(maxsize=None)
def scripts():
    """The scripts by their names, out of the service's source."""
    text = (environment.ROOT / "services/accounts/store/cache_script.h").read_text()
    found = {}
    for name, body in re.findall(r"#define CACHE_SCRIPT_(\w+)((?:[^\n]*\\\n)*[^\n]*\n)", text):
        body = body.replace("CACHE_SCRIPT_KEY", json.dumps(found.get("KEY", "")))
        found[name] = "".join(json.loads(literal) for literal in re.findall(r'"(?:[^"\\]|\\.)*"', body))
    return found


class Cached(Case):
    def setUp(self):
        self.ledger = Ledger()
        self.accounts = self.ledger.accounts
        self.wallet = self.ledger.wallet("anna")
        environment.wait_until(self.is_cached, 20, "Redis is used")

    def read(self, account_id=None):
        return self.accounts.GetAccountMetadata(ledger_id=self.ledger.id, account_id=account_id or self.wallet).metadata

    def update(self, version, label, account_id=None, timeout=90):
        return self.accounts.UpdateAccount(
            ledger_id=self.ledger.id, account_id=account_id or self.wallet, expected_version=version,
            update_mask={"paths": ["label"]}, label=label, timeout=timeout)

    def keys(self):
        return redis("KEYS", f"*{self.wallet}*")

    def is_cached(self):
        self.read()
        try:
            return any(key.endswith(self.wallet.encode()) for key in self.keys())
        except OSError:
            return False  # Redis is not back yet


class Protocol(Cached):
    def test_hits_are_counted(self):
        before = environment.metric_sum("accounts", "daler_cache_requests_total", 'result="hit"')
        for _ in range(5):
            self.read()
        self.assertGreaterEqual(
            environment.metric_sum("accounts", "daler_cache_requests_total", 'result="hit"') - before, 5)

    def test_keys_are_of_this_server_and_have_a_life(self):
        replication = redis("INFO", "replication").decode()
        identity = next(line for line in replication.splitlines() if line.startswith("master_replid:")).split(":")[1]
        for key in self.keys():
            self.assertIn(identity.encode(), key)
            self.assertGreater(int(redis("PTTL", key.decode())[1:]), 0)

    def test_a_change_removes_what_is_there(self):
        self.update(1, "new")
        self.assertEqual(self.keys(), [])
        self.assertEqual(self.read().label, "new")
        self.assertTrue(self.is_cached())

    def script(self, name, *arguments):
        """What the service asks Redis to do, played by hand."""
        return redis("EVAL", scripts()[name], "1", f"{self.ledger.id}:{self.wallet}", *arguments)

    def ticket(self):
        answer = self.script("FIND", new_id(), "5000").decode()
        self.assertEqual(answer[0], "T", answer)
        return answer[1:]

    def test_what_an_old_ticket_brings_is_refused(self):
        self.script("DROP")
        ticket = self.ticket()
        self.assertEqual(self.ticket(), ticket)
        self.update(1, "new")
        self.assertEqual(self.script("FILL", ticket, "1", "old", "5000"), b"S")
        later = self.ticket()
        self.assertNotEqual(later, ticket)
        self.assertEqual(self.script("FILL", ticket, "1", "old", "5000"), b"S")
        self.assertEqual(self.read().label, "new")

    def test_what_is_older_is_refused(self):
        self.script("DROP")
        ticket = self.ticket()
        self.assertEqual(self.script("FILL", ticket, "10", "ten", "5000"), b"F")
        self.assertEqual(self.script("FILL", ticket, "9", "nine", "5000"), b"S")
        self.assertEqual(self.script("FILL", ticket, "11", "eleven", "5000"), b"F")

    def test_ticket_that_is_too_old_is_refused(self):
        self.script("DROP")
        ticket = self.script("FIND", new_id(), "50").decode()[1:]
        time.sleep(0.2)
        self.assertEqual(self.script("FILL", ticket, "1", "old", "5000"), b"S")

    def test_no_ticket_while_a_change_is_on_its_way(self):
        self.script("SHUT", "5000")
        self.assertEqual(self.script("FIND", new_id(), "5000"), b"S")
        self.assertEqual(self.read().label, "wallet")
        self.assertFalse(self.is_cached())
        self.script("DROP")
        self.assertTrue(self.is_cached())

    def test_promoted_replica_begins_empty(self):
        """Its memory is that of the server that it was a replica of, and may lack what that one was told last."""
        try:
            redis("REPLICAOF", "127.0.0.1", "1")
            self.assertEqual(self.read().label, "wallet")
            self.assertEqual(self.script("DROP"), b"R")
            kept = self.keys()
            self.assertTrue(kept)
            self.update(1, "new")
        finally:
            redis("REPLICAOF", "NO", "ONE")
        redis("SET", kept[0].decode(), "stale")
        self.assertEqual(self.script("FIND", new_id(), "5000")[:1], b"T")
        self.assertEqual(self.read().label, "new")
        environment.wait_until(self.is_cached, 20, "Redis is used again")
        self.assertEqual(self.read().label, "new")

    def test_damaged_entry_is_a_miss(self):
        entry = next(key for key in self.keys() if key.endswith(self.wallet.encode())).decode()
        for value in ("", "1:", "nonsense", "1:daler a2" + "x" * 200):
            redis("SET", entry, value)
            self.assertEqual(self.read().label, "wallet")

    def test_flushed(self):
        redis("FLUSHALL")
        self.assertEqual(self.read().label, "wallet")
        self.update(1, "new")
        redis("FLUSHALL")
        self.assertEqual(self.read().label, "new")


class WithoutRedis(Cached):
    def test_acknowledged_only_when_what_is_cached_has_expired(self):
        started = time.monotonic()
        with environment.paused("redis"):
            reply = self.update(1, "new")
            waited = time.monotonic() - started
        self.assertGreater(waited, TTL_S)
        self.assertLess(waited, STALE_S + 5)
        self.assertEqual(reply.metadata.label, "new")
        self.assertEqual(self.read().label, "new")

    def test_acknowledged_as_soon_as_redis_is_back(self):
        started = time.monotonic()
        pids = environment.family("redis")
        for number in pids:
            os.kill(number, signal.SIGSTOP)
        timer = threading.Timer(1.0, lambda: [os.kill(number, signal.SIGCONT) for number in pids])
        timer.start()
        try:
            self.update(1, "new")
        finally:
            timer.join()
        self.assertLess(time.monotonic() - started, STALE_S - 1)
        self.assertEqual(self.read().label, "new")

    def test_impatient_caller_is_not_acknowledged_and_may_repeat(self):
        with environment.paused("redis"):
            with self.assertRaises(Refused) as caught:
                self.update(1, "new", timeout=1)
            self.assertEqual(caught.exception.code, grpc.StatusCode.DEADLINE_EXCEEDED)
            started = time.monotonic()
            reply = self.update(1, "new")
            self.assertTrue(reply.replayed)
            self.assertLess(time.monotonic() - started, STALE_S + 2)
        self.assertEqual(self.read().label, "new")

    def test_other_calls_go_on_meanwhile(self):
        with environment.paused("redis"):
            threads = [threading.Thread(target=self.update, args=(1, "new", self.ledger.wallet("bert")))
                       for _ in range(24)]
            for thread in threads:
                thread.start()
            time.sleep(1.5)
            started = time.monotonic()
            for _ in range(20):
                self.read()
                self.ledger.balances(self.wallet)
            self.assertLess(time.monotonic() - started, 3)
            for thread in threads:
                thread.join()

    def test_killed(self):
        environment.kill("redis")
        self.update(1, "new")
        self.assertEqual(self.read().label, "new")


class Storm(Cached):
    """Writers and readers, while somebody does things to Redis. Each reader notes what was acknowledged before it asked. On a
    slow machine it goes on until enough has happened to say something."""

    SECONDS, SECONDS_MAX = 20, 140
    WRITES, READS, HITS = 20, 500, 100

    def setUp(self):
        super().setUp()
        self.ids = [self.ledger.wallet("anna") for _ in range(4)]
        self.acknowledged = {account_id: 1 for account_id in self.ids}
        self.over = threading.Event()
        self.reads, self.writes, self.wrong = 0, 0, []

    def write(self, account_id):
        version = 1
        while not self.over.is_set():
            try:
                reply = self.update(version, f"label {version + 1}", account_id, timeout=STALE_S + 20)
                self.assertEqual(reply.metadata.version, version + 1)
            except Refused as refused:
                if refused.code not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                    self.wrong.append(refused)
                continue
            version += 1
            self.acknowledged[account_id] = version
            self.writes += 1

    def look(self):
        stub = world.operator("accounts")
        while not self.over.is_set():
            account_id = random.choice(self.ids)
            least = self.acknowledged[account_id]
            metadata = stub.GetAccountMetadata(ledger_id=self.ledger.id, account_id=account_id).metadata
            if metadata.version < least or (metadata.version > 1 and metadata.label != f"label {metadata.version}"):
                self.wrong.append((metadata.version, least, metadata.label))
            self.reads += 1

    def disturb(self):
        while not self.over.is_set():
            time.sleep(random.uniform(0.2, 1.0))
            what = random.choice(("pause", "pause", "kill", "flush"))
            if what == "kill":
                environment.kill("redis")
                environment.wait_until(lambda: environment.pid("redis"), 30, "redis runs")
            elif what == "pause":
                with environment.paused("redis"):
                    time.sleep(random.uniform(0.05, 1.5))
            else:
                try:
                    redis("FLUSHALL")
                except OSError:
                    pass

    def test_no_stale_read(self):
        threads = [threading.Thread(target=self.write, args=(account_id,)) for account_id in self.ids]
        threads += [threading.Thread(target=self.look) for _ in range(6)]
        threads.append(threading.Thread(target=self.disturb))
        for thread in threads:
            thread.start()
        try:
            time.sleep(self.SECONDS)
            environment.wait_until(self.has_seen_enough, self.SECONDS_MAX - self.SECONDS, "enough has happened")
        finally:
            self.over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(self.wrong, [])

    def has_seen_enough(self):
        hits = environment.metric_sum("accounts", "daler_cache_requests_total", 'result="hit"')
        return self.wrong or (self.writes > self.WRITES and self.reads > self.READS and hits > self.HITS)


if __name__ == "__main__":
    unittest.main()
