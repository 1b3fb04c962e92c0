"""Peers with a certificate that open streams and reset them or let them stand, send frames of no call, or messages a byte a
frame, without end: others go on, and memory stays."""

import contextlib
import time

import grpc
from support import environment
from support.cases import Case
from support.client import PATIENCE, channel, find_method
from support.resets import CONTINUATION, DATA, END_HEADERS, GOAWAY, HEADERS, PING, PRIORITY, SETTINGS, WINDOW_UPDATE, Flood
from support.resets import Storm, frame, headers_first, literal
from support.world import Ledger

STORM_S = 4
# Whatever was in all storms before: what one of them took, the next one uses.
PEAK_MIB_MAX = 200
REST_MIB_MAX = 50
GIVEN_UP = 1000
# After a storm: what a process takes is full again in 3 s.
REST_S = 6


def connections_closed(why="resets"):
    return environment.metric_sum("accounts", "daler_server_connections_closed_total", f'why="{why}"')


class Resets(Case):
    def storm(self, connections, method, message=None):
        ledger = Ledger()
        closed = connections_closed()
        with contextlib.ExitStack() as stack:
            storms = [stack.enter_context(Storm("accounts", method, message)) for _ in range(connections)]
            answered, end = 0, time.monotonic() + STORM_S
            while time.monotonic() < end:
                self.assertEqual(ledger.post(ledger.clearing["EUR"], ledger.open(), 1).WhichOneof("result"), "posted")
                answered += 1
            environment.wait_until(lambda: sum(one.sent for one in storms) > 20000, 20, "a storm")
            environment.wait_until(lambda: connections_closed() > closed, 20, "a connection was closed")
        self.assertGreater(answered, 0)
        self.assertEqual(ledger.trial_balance().lines[0].credits_posted_minor, answered)
        self.assertRegex(environment.log_text("accounts"), r'"connection_closed_for_resets","identity":"spiffe://[^"]+/gateway"')
        if PATIENCE == 1:
            self.assertLess(environment.resident_mib("accounts", "VmHWM"), PEAK_MIB_MAX)
            environment.wait_until(lambda: environment.resident_mib("accounts") < REST_MIB_MAX, 20, "memory came back")

    def test_one_connection(self):
        self.storm(1, "Post")

    def test_several_connections(self):
        self.storm(4, "Post")

    def test_calls_that_are_complete(self):
        self.storm(2, "Post", b"")

    def test_a_method_that_is_announced_before_its_message(self):
        self.storm(2, "PostBatch")

    def test_whoever_gives_up_many_calls_keeps_the_connection(self):
        time.sleep(REST_S * PATIENCE)
        closed = connections_closed()
        path, _, _ = find_method("accounts", "Post")
        call = channel("accounts", "gateway").unary_unary(path, request_serializer=bytes)
        for _ in range(3):
            for waiting in [call.future(b"", timeout=60) for _ in range(GIVEN_UP)]:
                waiting.cancel()
        with self.assertRaises(grpc.RpcError) as caught:
            call(b"", timeout=60)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.PERMISSION_DENIED)
        self.assertEqual(connections_closed(), closed)


ANSWERED = 100
POST = find_method("accounts", "Post")[0]
UNKNOWN = 0xbb
# What comes first, and what without end.
FLOODS = {
    "PING": (b"", frame(PING, 0, 0, b"12345678")),
    "answers to no PING": (b"", frame(PING, 1, 0, b"12345678")),
    "SETTINGS": (b"", frame(SETTINGS, 0, 0)),
    "answers to no SETTINGS": (b"", frame(SETTINGS, 1, 0)),
    "PRIORITY": (b"", frame(PRIORITY, 0, 1, bytes(5))),
    "WINDOW_UPDATE": (b"", frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1")),
    "GOAWAY": (b"", frame(GOAWAY, 0, 0, bytes(8))),
    "DATA of nothing": (frame(HEADERS, END_HEADERS, 1, headers_first(POST)), frame(DATA, 0, 1)),
    "DATA of a byte": (frame(HEADERS, END_HEADERS, 1, headers_first(POST)) + frame(DATA, 0, 1, b"\0\0\x10\0\0"),
                       frame(DATA, 0, 1, b"x")),
    "CONTINUATION of nothing": (frame(HEADERS, 0, 1, headers_first(POST)), frame(CONTINUATION, 0, 1)),
    "a type that is none": (b"", frame(UNKNOWN, 0, 0)),
}


class Frames(Case):
    def test_others_are_answered_meanwhile(self):
        """Two of each kind at once: before they were bounded, one kind alone kept others from any answer for 20 s."""
        ledger = Ledger()
        for name, (first, again) in FLOODS.items():
            with self.subTest(frames=name), Flood("accounts", first, again) as one, Flood("accounts", first, again) as other:
                environment.wait_until(lambda: one.closed and other.closed, 20, "they are closed again and again")
                for _ in range(ANSWERED):
                    ledger.accounts.GetLedger(ledger_id=ledger.id)
        self.assertGreater(connections_closed("frames"), 0)
        self.assertRegex(environment.log_text("accounts"), r'"connection_closed_for_frames","identity":"spiffe://[^"]+/gateway"')


# Of calls without an answer: what a process lets them take, and as much again.
UNANSWERED_MIB_MAX = 400
LONG_METADATA = b"".join(literal(f"x-{number}", "v" * 120, 0) for number in range(60))


class Unanswered(Case):
    def flood(self, why, connections, method, **how):
        """Calls are opened and let stand, again and again; whoever has another identity is answered."""
        ledger = Ledger()
        closed = connections_closed(why)
        with contextlib.ExitStack() as stack:
            storms = [stack.enter_context(Storm("accounts", method, resets=False, **how)) for _ in range(connections)]
            environment.wait_until(lambda: all(one.closed for one in storms), 30, "they are closed")
            environment.wait_until(lambda: connections_closed(why) >= closed + connections, 30, "again and again")
            for _ in range(ANSWERED // 10):
                ledger.accounts.GetLedger(ledger_id=ledger.id)
        self.assertRegex(environment.log_text("accounts"), rf'"connection_closed_for_{why}","identity":"spiffe://[^"]+/gateway"')
        if PATIENCE == 1:
            self.assertLess(environment.resident_mib("accounts", "VmHWM"), UNANSWERED_MIB_MAX)

    def test_more_streams_than_a_connection_may_have(self):
        self.flood("streams", 2, "Post")

    def test_streams_after_one_with_a_number_that_is_a_servers(self):
        """gRPC ignores the even one, and takes lower ones after it."""
        self.flood("streams", 1, "Post", first=frame(HEADERS, END_HEADERS, 0x7ffffffe, headers_first(POST)))

    def test_one_identity_with_many_connections(self):
        self.flood("unanswered", 4, "Post", more=LONG_METADATA)
