"""The key that signs tokens is changed while people work: no call is refused, and what was signed with a key that is gone is."""

import json
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest

import grpc

from support import environment, tokens, world
from support.cases import Case
from support.client import Refused, Stub, find_method

SERVICES = ("auth", "accounts", "payments")
METHODS = {"auth": "GetUser", "accounts": "GetLedger", "payments": "GetPayment"}


def kid(token):
    return tokens.parts(token)[0]["kid"]


def public_half(pem):
    return subprocess.run(["openssl", "pkey", "-pubout"], input=pem, check=True, capture_output=True).stdout


def log_in():
    password = (pathlib.Path(os.environ["DALER_HOME"]) / "secrets" / "operator.password").read_text().strip()
    return Stub("auth", "operator").LogIn(username="operator", password=password).access_token


def call(target, token):
    """An empty request: it is refused for what is not in it, when the token has been accepted."""
    path, _, _ = find_method(target, METHODS[target])
    try:
        Stub(target, "operator", token).raw(path, b"")
    except Refused as refused:
        return refused.reason
    raise AssertionError("an empty request is refused")


def accepted(token):
    return {target: call(target, token) for target in SERVICES} == dict.fromkeys(SERVICES, "INVALID_UUID")


class Work(threading.Thread):
    """Somebody who logs in and calls every service, again and again, with the newest token and with the first."""

    def __init__(self):
        super().__init__()
        self.rounds, self.kids, self.refused = 0, set(), []
        self._over = threading.Event()

    def run(self):
        first = log_in()
        while not self._over.is_set():
            newest = log_in()
            self.kids.add(kid(newest))
            self.rounds += 1
            self.refused += [token for token in (first, newest) if not accepted(token)]

    def __exit__(self, *_):
        self._over.set()
        self.join()

    def __enter__(self):
        self.start()
        return self

    def goes_on(self):
        """Waits for two more rounds."""
        wanted = self.rounds + 2
        environment.wait_until(lambda: self.rounds >= wanted, 30, "somebody works")


class Rotation(Case):
    def setUp(self):
        self.file = tokens.own_key()
        self.old = self.file.read_bytes()
        self.folder = tempfile.TemporaryDirectory()
        self.key_file = tokens.other_key(self.folder.name)
        self.new = self.key_file.read_bytes()

    def tearDown(self):
        self.put(self.old)
        self.wait_for_keys(1)
        environment.wait_until(lambda: accepted(world.operator_token()), 30, "the first key is back")
        self.folder.cleanup()

    def put(self, *pems):
        """As an operator does it: the file is another one from one moment to the next."""
        temporary = self.file.with_suffix(".new")
        temporary.write_bytes(b"".join(pems))
        os.replace(temporary, self.file)

    def published(self):
        return [key["kid"] for key in json.loads(Stub("auth", "operator").GetKeys().jwks_json)["keys"]]

    def wait_for_keys(self, count):
        """Until every service verifies with so many. A token of a key that nobody has makes them ask for the keys early."""
        stranger = tokens.altered(world.operator_token(), self.key_file, header={"kid": "nobody's"})
        environment.wait_until(lambda: len(self.published()) == count, 30, f"auth publishes {count} keys")

        def known():
            for target in SERVICES:
                self.assertEqual(call(target, stranger), "INVALID_TOKEN")
            return all(environment.metric_sum(target, "daler_token_keys") == count for target in SERVICES)
        environment.wait_until(known, 30, f"every service has {count} keys")

    def test_no_call_is_refused_and_then_the_old_key_is_worth_nothing(self):
        before = log_in()
        with Work() as work:
            self.put(self.old, public_half(self.new))
            self.wait_for_keys(2)
            self.assertEqual(self.published()[0], kid(before))
            work.goes_on()
            self.assertEqual(work.kids, {kid(before)})
            self.put(self.new, public_half(self.old))
            environment.wait_until(lambda: kid(log_in()) != kid(before), 30, "the new key signs")
            work.goes_on()
        self.assertEqual(len(work.kids), 2)
        self.assertEqual(work.refused, [])
        after = log_in()
        self.assertEqual(self.published(), [kid(after), kid(before)])
        self.assertTrue(accepted(before))
        self.put(self.new)
        self.wait_for_keys(1)
        self.check_refused(before)
        self.assertTrue(accepted(after))
        environment.kill_and_wait("auth")
        self.assertEqual(kid(log_in()), kid(after))

    def check_refused(self, token):
        for target in SERVICES:
            path, _, _ = find_method(target, METHODS[target])
            with self.subTest(target=target), self.refused(grpc.StatusCode.UNAUTHENTICATED, "INVALID_TOKEN"):
                Stub(target, "operator", token).raw(path, b"")

    def test_a_key_signs_for_nobody_before_it_is_published(self):
        forged = tokens.altered(world.operator_token(), self.key_file)
        self.check_refused(forged)
        self.put(self.old, public_half(self.new))
        self.wait_for_keys(2)
        new_kid = self.published()[1]
        self.check_refused(forged)  # it says that it comes from the old one
        self.assertTrue(accepted(tokens.altered(world.operator_token(), self.key_file, header={"kid": new_kid})))

    def test_a_new_key_is_asked_for_when_its_first_token_comes(self):
        self.put(self.new)
        environment.wait_until(lambda: kid(log_in()) != kid(world.operator_token()), 30, "the new key signs")
        token = log_in()
        environment.wait_until(lambda: accepted(token), 10, "every service has asked for it")

    def test_a_file_that_is_no_keys_changes_nothing(self):
        before = self.published()
        refusals = environment.log_text("auth").count("signing_keys_refused")
        for pems in ((b"",), (b"nothing\n",), (public_half(self.old), self.old), (self.old, self.new[:len(self.new) // 2])):
            with self.subTest(pems=len(pems)):
                self.put(*pems)
                refusals += 1
                environment.wait_until(lambda: environment.log_text("auth").count("signing_keys_refused") >= refusals, 30,
                                       "auth has looked at it")
                refusals = environment.log_text("auth").count("signing_keys_refused")
                self.assertEqual(self.published(), before)
                self.assertTrue(accepted(log_in()))
        text = environment.log_text("auth")
        for secret in (self.old, self.new):
            for line in secret.decode().splitlines()[1:-1]:
                self.assertNotIn(line, text)


if __name__ == "__main__":
    unittest.main()
