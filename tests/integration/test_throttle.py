"""Passwords are not tried without end: attempts with one name are bounded, whoever's it is, over all replicas of auth.

Attempts come back an hour after another here; time goes by when the test says so.
"""

import concurrent.futures
import os
import pathlib
import secrets
import subprocess
import unittest

import grpc

from support import environment, world
from support.cases import Case
from support.client import Refused, Stub
from support.contracts import auth as u
from support.replicas import Replica
from support.world import new_id

BURST = int(os.environ["DALER_AUTH_LOGIN_BURST"])
REFILL_S = int(os.environ["DALER_AUTH_LOGIN_REFILL_S"])
PASSWORD = "correct horse battery"


def pass_time(seconds):
    environment.sql("auth", f"UPDATE login_buckets SET full_at = full_at - interval '{seconds} s'")


def waiting():
    return int(environment.sql_value("super", "SELECT count(*) FROM pg_stat_activity WHERE datname = 'daler_auth' AND"
                                     " wait_event_type = 'Lock'"))


def attempt(stub, username, password="wrong password"):
    """How it ended: "OK", or the reason."""
    try:
        stub.LogIn(username=username, password=password)
        return "OK"
    except Refused as refused:
        return refused.reason


def throttled_count(action):
    return environment.metric_sum("auth", "daler_auth_throttled_total", f'action="{action}"')


class Throttle(Case):
    def setUp(self):
        self.gateway = Stub("auth", "gateway")
        self.player = world.person()

    def throttled(self):
        return self.refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "LOGIN_THROTTLED")

    def use_up(self, username, stub=None):
        for _ in range(BURST):
            self.assertEqual(attempt(stub or self.gateway, username), "BAD_CREDENTIALS")

    def test_a_burst_and_no_more_whoever_has_the_name(self):
        answers = set()
        for username in (self.player.username, "nobody-" + self.player.username):
            with self.subTest(username=username):
                self.use_up(username)
                with self.throttled() as caught:
                    self.gateway.LogIn(username=username, password="wrong password")
                self.assertGreater(caught.exception.retry_s, REFILL_S / 2)
                self.assertLessEqual(caught.exception.retry_s, REFILL_S)
                answers.add((caught.exception.code, tuple(caught.exception.fields), len(caught.exception.message)))
        self.assertEqual(len(answers), 1)
        self.assertEqual(attempt(self.gateway, world.person().username), "BAD_CREDENTIALS")  # is nobody else's matter

    def test_the_right_password_waits_too_and_then_resets(self):
        self.use_up(self.player.username)
        self.assertEqual(attempt(self.gateway, self.player.username, self.player.password), "LOGIN_THROTTLED")
        pass_time(REFILL_S)
        self.assertEqual(attempt(self.gateway, self.player.username, self.player.password), "OK")
        self.use_up(self.player.username)
        self.assertEqual(attempt(self.gateway, self.player.username), "LOGIN_THROTTLED")

    def test_attempts_come_back_one_by_one(self):
        self.use_up(self.player.username)
        for _ in range(2):
            pass_time(REFILL_S)
            self.assertEqual(attempt(self.gateway, self.player.username), "BAD_CREDENTIALS")
            self.assertEqual(attempt(self.gateway, self.player.username), "LOGIN_THROTTLED")

    def test_many_at_once_on_two_replicas(self):
        with Replica("auth") as second:
            stubs = [self.gateway, second.stub("gateway")]
            for username in (self.player.username, "nobody-" + self.player.username):
                with self.subTest(username=username), concurrent.futures.ThreadPoolExecutor(16) as pool:
                    ends = list(pool.map(lambda i: attempt(stubs[i % 2], username), range(60)))
                    self.assertEqual(ends.count("BAD_CREDENTIALS"), BURST, ends)
                    self.assertEqual(ends.count("LOGIN_THROTTLED"), 60 - BURST, ends)

    def test_the_last_attempt_is_taken_once(self):
        """Both replicas have read that there is one, and wait for its record."""
        for _ in range(BURST - 1):
            self.assertEqual(attempt(self.gateway, self.player.username), "BAD_CREDENTIALS")
        with Replica("auth") as second, concurrent.futures.ThreadPoolExecutor(4) as pool:
            stubs = [self.gateway, second.stub("gateway")]
            with environment.locked("auth", "login_buckets"):
                ends = [pool.submit(attempt, stubs[i % 2], self.player.username) for i in range(4)]
                environment.wait_until(lambda: waiting() == 4, 30, "all wait for the record")
            self.assertEqual(sorted(end.result() for end in ends), ["BAD_CREDENTIALS"] + ["LOGIN_THROTTLED"] * 3)

    def test_a_restart_forgets_nothing(self):
        self.use_up(self.player.username)
        environment.kill_and_wait("auth")
        self.assertEqual(attempt(Stub("auth", "gateway"), self.player.username), "LOGIN_THROTTLED")

    def test_strangers_at_the_gateway_keep_no_staff_waiting(self):
        request = u.CreateUserRequest(user_id=new_id(), username=f"user-{secrets.token_hex(6)}", password=PASSWORD,
                                      role=u.ROLE_OPERATOR)
        world.operator("auth").call("CreateUser", request)
        self.use_up(request.username)
        self.assertEqual(attempt(self.gateway, request.username, PASSWORD), "LOGIN_THROTTLED")
        self.assertEqual(attempt(Stub("auth", "operator"), request.username, PASSWORD), "OK")
        self.assertEqual(attempt(self.gateway, request.username, PASSWORD), "LOGIN_THROTTLED")

    def test_a_repeated_creation_tries_passwords_no_faster(self):
        request = u.CreateUserRequest(user_id=new_id(), username=f"user-{secrets.token_hex(6)}", password=PASSWORD,
                                      role=u.ROLE_PLAYER)
        self.gateway.call("CreateUser", request)
        for _ in range(BURST + 2):
            self.assertTrue(self.gateway.call("CreateUser", request).replayed)
        before = throttled_count("create_user")
        request.password = "wrong password"
        for _ in range(BURST):
            with self.mismatch():
                self.gateway.call("CreateUser", request)
        with self.throttled():
            self.gateway.call("CreateUser", request)
        self.assertEqual(attempt(self.gateway, request.username, PASSWORD), "LOGIN_THROTTLED")
        self.assertEqual(throttled_count("create_user"), before + 1)

    def test_what_is_throttled_is_not_hashed_and_is_counted_without_a_name(self):
        self.use_up(self.player.username)
        looked_up = ("auth", "daler_pg_statement_seconds_count", 'statement="user_by_username"')
        before, counted = environment.metric_sum(*looked_up), throttled_count("log_in")
        for _ in range(20):
            self.assertEqual(attempt(self.gateway, self.player.username), "LOGIN_THROTTLED")
        self.assertEqual(environment.metric_sum(*looked_up), before)
        self.assertEqual(throttled_count("log_in"), counted + 20)
        self.assertEqual(environment.sql(
            "auth", "SELECT reason, count(*) FROM audit_events WHERE action = 'log_in' AND subject_user_id ="
            f" '{self.player.user_id}' GROUP BY reason ORDER BY reason"), [["ok", "1"], ["wrong_password", str(BURST)]])
        self.assertNotIn(self.player.username, environment.log_text("auth"))
        self.assertNotIn(self.player.username, "".join(map(str, environment.metrics("auth"))))

    def test_names_without_end_leave_nothing(self):
        for _ in range(40):
            self.assertEqual(attempt(self.gateway, f"nobody-{secrets.token_hex(6)}"), "BAD_CREDENTIALS")
        self.assertGreaterEqual(int(environment.sql_value("auth", "SELECT count(*) FROM login_buckets")), 40)
        pass_time(REFILL_S * BURST)
        for _ in range(40):
            attempt(self.gateway, f"nobody-{secrets.token_hex(6)}")
        self.assertLessEqual(int(environment.sql_value("auth", "SELECT count(*) FROM login_buckets")), 40)

    def test_dalerctl_says_so_at_once(self):
        username = f"nobody-{secrets.token_hex(6)}"
        self.use_up(username, Stub("auth", "operator"))
        result = subprocess.run(
            [str(pathlib.Path(os.environ["DALER_BUILD_DIR"]) / "bin" / "dalerctl"), "login", "--username", username,
             "--timeout", "600"], input="wrong password\n", capture_output=True, text=True, timeout=300)
        self.assertEqual(result.returncode, 3, result)
        self.assertIn("LOGIN_THROTTLED", result.stderr)
        self.assertIn("the next one in", result.stderr)
        self.assertNotIn("asking again", result.stderr)


if __name__ == "__main__":
    unittest.main()
