"""The metadata cache in a Redis that speaks TLS, and what becomes of it when one side is not set up as the other: the cache
is out of the way, readiness and the log say why, and what is answered is right."""

import contextlib
import json
import pathlib
import secrets
import socket
import subprocess
import tempfile
import threading
import unittest

from support import certificates, environment, world
from support.cases import Case
from support.replicas import Replica, free_port
from support.world import Ledger

READS = 5
HOST = "localhost"


class Redis:
    """One of our own while its block does; with (chain, key) files it speaks TLS alone, and asks for certificates."""

    def __init__(self, folder, files=None):
        self.folder, self.files = pathlib.Path(folder), files
        self.port = free_port()
        self.password_file = self.folder / "redis.password"
        self.password_file.write_text(secrets.token_hex(16))

    def url(self, scheme, host=HOST):
        return f"{scheme}://{host}:{self.port}/0"

    def start(self):
        config = ["bind 127.0.0.1", 'save ""', f"dir {self.folder}", f"requirepass {self.password_file.read_text()}"]
        if self.files is None:
            config.append(f"port {self.port}")
        else:
            config += ["port 0", f"tls-port {self.port}", "tls-auth-clients yes", f"tls-cert-file {self.files[0]}",
                       f"tls-key-file {self.files[1]}", f"tls-ca-cert-file {certificates.own_ca()[0]}"]
        text = self.folder / "redis.conf"
        text.write_text("\n".join(config) + "\n")
        self._process = subprocess.Popen(["redis-server", str(text)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        environment.wait_until(lambda: environment.listens(f"127.0.0.1:{self.port}"), 20, "Redis listens")

    def stop(self):
        self._process.kill()
        self._process.wait()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


@contextlib.contextmanager
def mute(says):
    """Takes connections, and then does with each what `says`, which is given it; the port."""
    over = threading.Event()

    def converse(connection):
        with connection, contextlib.suppress(OSError):
            says(connection, over)

    def serve():
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                connection = listening.accept()[0]
                threading.Thread(target=converse, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            thread.join()


class RedisTls(Case):
    def setUp(self):
        self.ledger = Ledger()
        self.wallet = self.ledger.wallet("anna")
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.folder = directory.name

    @staticmethod
    def replica(url, **settings):
        """It waits for long, so that what it says is why and never that the machine was busy."""
        return Replica("accounts", REDIS=url, **{"REDIS_TIMEOUT_MS": 10000, **settings})

    def of(self, redis, scheme, host=HOST, **settings):
        return self.replica(redis.url(scheme, host), REDIS_PASSWORD_FILE=redis.password_file, **settings)

    def read(self, replica):
        return replica.stub(token=world.operator_token()).GetAccountMetadata(
            ledger_id=self.ledger.id, account_id=self.wallet).metadata

    @staticmethod
    def counted(replica, result):
        return environment.metric_sum(replica.admin, "daler_cache_requests_total", f'result="{result}"')

    @staticmethod
    def readiness(replica):
        """(HTTP status, what it says of Redis)"""
        status, text = environment.admin_get(replica.admin, "/readyz")
        return status, next(one for one in json.loads(text)["components"] if one["name"] == "redis")

    def wait_for_hits(self, replica):
        before = self.counted(replica, "hit")

        def hit():
            self.read(replica)
            return self.counted(replica, "hit") > before
        environment.wait_until(hit, 20, "the cache is hit")

    def check_out_of_the_way(self, replica, why, explained):
        for _ in range(READS):
            self.assertEqual(self.read(replica).label, "wallet")
        self.assertEqual(self.counted(replica, "hit"), 0)
        self.assertGreaterEqual(self.counted(replica, "error"), READS)
        status, redis = self.readiness(replica)
        self.assertEqual((status, redis["ok"], redis["required"]), (200, False, False), redis)
        self.assertRegex(redis["why"], explained)
        lines = replica.log("redis_unavailable")
        self.assertTrue(lines)
        for line in lines:
            self.assertRegex(line["why"], why, line)
            self.assertRegex(line["explained"], explained)

    def test_hits_over_tls_with_a_certificate_of_ours(self):
        with Redis(self.folder, certificates.leaf(self.folder, "redis", certificates.NAMES)) as redis, \
                self.of(redis, "rediss") as replica:
            self.wait_for_hits(replica)
            self.assertEqual(self.readiness(replica), (200, {"name": "redis", "required": False, "ok": True}))
            replica.stub(token=world.operator_token()).UpdateAccount(
                ledger_id=self.ledger.id, account_id=self.wallet, expected_version=1, update_mask={"paths": ["label"]},
                label="new", timeout=20)
            self.assertEqual(self.read(replica).label, "new")
            self.wait_for_hits(replica)
            self.assertEqual(self.read(replica).label, "new")
            redis.stop()
            self.assertEqual(self.read(replica).label, "new")
            environment.wait_until(lambda: not self.readiness(replica)[1]["ok"], 20, "Redis is missed")
            self.assertEqual(self.readiness(replica)[0], 200)
            redis.start()
            self.wait_for_hits(replica)
            environment.wait_until(lambda: self.readiness(replica)[1]["ok"], 20, "Redis is back")

    def test_authorities_that_do_not_know_it_until_they_do(self):
        stranger = certificates.other_ca(self.folder)
        known = pathlib.Path(self.folder) / "known.crt"
        known.write_bytes(certificates.own_ca()[0].read_bytes())
        leaf = certificates.leaf(self.folder, "redis", certificates.NAMES, stranger)
        with Redis(self.folder, leaf) as redis, self.of(redis, "rediss", TLS_CA=known) as replica:
            self.check_out_of_the_way(replica, "tls", "local issuer certificate|certificate signature failure")
            with known.open("ab") as more:
                more.write(stranger[0].read_bytes())
            self.wait_for_hits(replica)

    def test_certificate_for_another_name(self):
        leaf = certificates.leaf(self.folder, "redis", "DNS:elsewhere,IP:127.0.0.2")
        with Redis(self.folder, leaf) as redis:
            for host, explained in ((HOST, "hostname mismatch"), ("127.0.0.1", "IP address mismatch")):
                with self.subTest(host=host), self.of(redis, "rediss", host) as replica:
                    self.check_out_of_the_way(replica, "tls", explained)

    def test_plain_redis_where_tls_is_set(self):
        with Redis(self.folder) as redis, self.of(redis, "rediss", REDIS_TIMEOUT_MS=300) as replica:
            self.check_out_of_the_way(replica, "tls", "wrong version number|no answer to the handshake")

    def test_tls_alone_where_plain_is_set(self):
        with Redis(self.folder, certificates.leaf(self.folder, "redis", certificates.NAMES)) as redis, \
                self.of(redis, "redis") as replica:
            self.check_out_of_the_way(replica, "lost|protocol", "does it want TLS")

    def test_handshake_that_is_never_answered(self):
        """By a peer who is silent, and by one who says a little of it all the time."""
        def silent(connection, over):
            over.wait()

        def drips(connection, over):
            connection.sendall(b"\x16\x03\x03\x40\x00")
            while not over.wait(0.02):
                connection.sendall(b"\x02")

        for says in (silent, drips):
            with self.subTest(says=says.__name__), mute(says) as port, \
                    self.replica(f"rediss://127.0.0.1:{port}/0", REDIS_TIMEOUT_MS=200) as replica:
                self.check_out_of_the_way(replica, "tls", "no answer to the handshake in time")


if __name__ == "__main__":
    unittest.main()
