"""What a service does with calls that no client of ours makes."""

import concurrent.futures
import threading
import time
import unittest

import grpc

from support import environment, notifications, world
from support.cases import Case
from support.client import SERVICES, Refused, Stub, address, all_methods, channel, credentials, find_method
from support.world import Ledger, Market, internal, new_id, state

TARGETS = tuple(SERVICES)

# Who may call the method at all, and with which token; the rest is for test_access.
OPENERS = {"auth": ("GetKeys", "accounts"), "accounts": ("ListLedgers", "operator"),
           "payments": ("ListPayments", "operator"), "connector": ("ListOperations", "operator")}


class Unknown(Case):
    def test_unknown_method_and_service(self):
        for target in TARGETS:
            stub = world.operator(target)
            for path in (f"/{SERVICES[target][0]}/Nonsense", "/nonsense.v1.Nonsense/Get", "/", "/x", "//",
                         f"/{SERVICES[target][0]}/"):
                with self.subTest(target=target, path=path), self.assertRaises(Refused) as caught:
                    stub.raw(path, b"")
                self.assertEqual(caught.exception.code, grpc.StatusCode.UNIMPLEMENTED)

    def test_streaming_a_unary_method(self):
        """Two messages where one belongs: refused or the first is used, and the service lives."""
        for target, (name, identity) in OPENERS.items():
            path, request_class, _ = find_method(target, name)
            call = channel(target, identity).stream_stream(path, request_serializer=bytes,
                                                           response_deserializer=bytes)
            replies = call(iter([request_class().SerializeToString()] * 3), timeout=10,
                           metadata=(("authorization", f"Bearer {world.operator_token()}"),))
            with self.subTest(target=target):
                try:
                    list(replies)
                except grpc.RpcError:
                    pass
            self.assertTrue(environment.is_ready("simulator" if target == "connector" else target))


MALFORMED = {
    "cut off varint": b"\x08\xff\xff",
    "field number 0": b"\x00\x01",
    "length beyond the end": b"\x0a\x7fabc",
    "group that never ends": b"\x0b" * 200,
    "wire type 6": b"\x0e\x00",
    "string that is not UTF-8": b"\x0a\x02\xff\xfe",
    "varint of eleven bytes": b"\x10" + b"\xff" * 11,
    "random": bytes(range(255, 0, -1)),
}


class Malformed(Case):
    def test_bytes_that_are_no_message(self):
        for target, name in all_methods():
            path, request_class, _ = find_method(target, name)
            if not request_class.DESCRIPTOR.fields:
                continue
            stub = self.caller(target, name)
            for what, data in MALFORMED.items():
                with self.subTest(method=path, what=what), self.assertRaises(Refused) as caught:
                    stub.raw(path, data)
                self.assertEqual(caught.exception.code, grpc.StatusCode.INVALID_ARGUMENT, caught.exception)
                self.assertNotEqual(caught.exception.reason, "", caught.exception)

    @staticmethod
    def caller(target, name):
        if name == "Notify":
            return Stub(target, "connector")
        if target == "connector" and name in ("Authorize", "Capture", "Cancel", "Payout", "Refund"):
            return Stub(target, "payments")
        return world.operator(target)

    def test_deep_nesting(self):
        """Length-delimited fields in each other, as deep as the message is long."""
        data = b""
        for _ in range(20000):
            data = b"\x1a" + self.varint(len(data)) + data if len(data) < 60000 else data
        with self.assertRaises(Refused) as caught:
            world.operator("accounts").raw("/daler.accounts.v1.AccountsService/Post", data)
        self.assertEqual(caught.exception.code, grpc.StatusCode.INVALID_ARGUMENT, caught.exception)

    @staticmethod
    def varint(number):
        data = b""
        while number > 0x7F:
            data += bytes([number & 0x7F | 0x80])
            number >>= 7
        return data + bytes([number])

    def test_nul_in_text(self):
        """A NUL would end the text early for C, and make two different texts one."""
        ledger = Ledger()
        good = ledger.open("anna")
        nul = good + "\0x"
        requests = [
            ("accounts", "GetAccount", {"ledger_id": ledger.id, "account_id": nul}),
            ("accounts", "CreateLedger", {"ledger_id": new_id(), "name": "a\0b"}),
            ("accounts", "ListAccounts", {"ledger_id": ledger.id, "owner": "anna\0"}),
            ("payments", "ListPayments", {"ledger_id": ledger.id + "\0"}),
            ("auth", "LogIn", {"username": "operator\0", "password": "12345678"}),
            ("auth", "LogIn", {"username": "operator", "password": "12345678\0"}),
            ("connector", "GetOperation", {"reference": "a\0b"}),
        ]
        for target, name, fields in requests:
            with self.subTest(method=name, fields=list(fields)), self.assertRaises(Refused) as caught:
                world.operator(target).call(name, **fields)
            self.assertEqual(caught.exception.code, grpc.StatusCode.INVALID_ARGUMENT, caught.exception)

    def test_unknown_fields_are_ignored(self):
        """A newer client's field is no error."""
        ledger = Ledger(())
        path, request_class, reply_class = find_method("accounts", "GetLedger")
        data = request_class(ledger_id=ledger.id).SerializeToString() + b"\xfa\x3f\x03abc"
        reply = ledger.accounts.raw(path, data, reply_class.FromString)
        self.assertEqual(reply.ledger.ledger_id, ledger.id)

    def test_oversized(self):
        for target, (name, identity) in OPENERS.items():
            path, _, _ = find_method(target, name)
            data = b"\xfa\x3f" + self.varint(16 << 20) + b"x" * (16 << 20)
            with self.subTest(target=target), self.assertRaises(Refused) as caught:
                Stub(target, identity, world.operator_token()).raw(path, data)
            self.assertEqual(caught.exception.code, grpc.StatusCode.RESOURCE_EXHAUSTED, caught.exception)

    def test_compressed(self):
        """Few bytes would become many before anybody looks at who sends them: compressed messages are refused."""
        for target, (name, identity) in OPENERS.items():
            path, _, _ = find_method(target, name)
            call = channel(target, identity).unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
            with self.subTest(target=target), self.assertRaises(grpc.RpcError) as caught:
                call(b"\xfa\x3f" + self.varint(32 << 20) + bytes(32 << 20), timeout=20, compression=grpc.Compression.Gzip)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_oversized_metadata(self):
        """Whatever becomes of the caller's connection, the service answers others, and is still the same process."""
        for target, (name, identity) in OPENERS.items():
            process = "simulator" if target == "connector" else target
            before = environment.pid(process)
            with grpc.secure_channel(address(target), credentials(identity)) as made, self.subTest(target=target):
                with self.assertRaises(Refused) as caught:
                    Stub(target, identity, world.operator_token(), through=made).call(
                        name, metadata=(("x-large", "y" * 300000),))
                self.assertIn(caught.exception.code, (grpc.StatusCode.RESOURCE_EXHAUSTED,
                                                      grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL))
            try:
                Stub(target, identity, world.operator_token()).call(name)
            except Refused as refused:  # an empty request may be refused, but it is answered
                self.assertEqual(refused.code, grpc.StatusCode.INVALID_ARGUMENT)
            self.assertEqual(environment.pid(process), before)


class Deadlines(Case):
    def test_caller_deadline_is_kept(self):
        """With the database stopped, the answer comes at the deadline, not later."""
        ledger = Ledger(())
        with environment.paused("postgres"):
            start = time.monotonic()
            with self.assertRaises(Refused) as caught:
                ledger.accounts.call("GetLedger", ledger_id=ledger.id, timeout=1)
            self.assertLess(time.monotonic() - start, 3)
        self.assertEqual(caught.exception.code, grpc.StatusCode.DEADLINE_EXCEEDED)
        environment.wait_ready("accounts")
        self.assertEqual(ledger.accounts.GetLedger(ledger_id=ledger.id).ledger.ledger_id, ledger.id)

    def test_no_deadline_gets_the_methods(self):
        ledger = Ledger(())
        with environment.paused("postgres"):
            start = time.monotonic()
            with self.assertRaises(Refused) as caught:
                ledger.accounts.call("GetLedger", ledger_id=ledger.id, timeout=None)
            self.assertLess(time.monotonic() - start, 20)
        self.assertIn(caught.exception.code, (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE))
        environment.wait_ready("accounts")


class Load(Case):
    def test_load_is_shed_with_a_hint_and_passes(self):
        """More logins at once than passwords can be hashed: some are refused at once, with RetryInfo, and none hang."""
        player = world.person()

        def log_in(_):
            start = time.monotonic()
            try:
                Stub("auth", "gateway").LogIn(username=player.username, password=player.password)
                return "OK", time.monotonic() - start
            except Refused as refused:
                if refused.code == grpc.StatusCode.RESOURCE_EXHAUSTED:
                    self.assertIsNotNone(refused.retry_s, refused)
                    self.assertGreater(refused.retry_s, 0)
                return refused.code.name, time.monotonic() - start

        with concurrent.futures.ThreadPoolExecutor(200) as pool:
            answers = list(pool.map(log_in, range(400)))
        codes = [code for code, _ in answers]
        # On a slow machine one that was taken in may not be hashed before its deadline: that is said, too. A connection
        # whose statement could not be called off in time is made anew, and those who come meanwhile are told that.
        self.assertLessEqual(set(codes), {"OK", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "UNAVAILABLE"})
        self.assertIn("OK", codes)
        self.assertIn("RESOURCE_EXHAUSTED", codes)
        self.assertEqual(Stub("auth", "gateway").LogIn(username=player.username,
                                                       password=player.password).user.user_id, player.user_id)


    def test_who_sends_nothing_keeps_nobody_from_paying(self):
        """Callers who begin large messages and never send them hold up their own kind, and not the posts of payments."""
        ledger = Market()
        anna, bert = ledger.wallet("anna", 100), ledger.wallet("bert")
        path, _, _ = find_method("accounts", "PostBatch")
        stalled = channel("accounts", "operator").stream_unary(path, request_serializer=bytes, response_deserializer=bytes)
        done = threading.Event()

        def never():
            done.wait()
            yield from ()

        def begun():
            return environment.metric_sum("accounts", "grpc_server_started_total", "PostBatch")
        before = begun()
        calls = [stalled.future(never(), timeout=60, metadata=(("authorization", f"Bearer {world.operator_token()}"),))
                 for _ in range(20)]
        try:
            environment.wait_until(lambda: begun() >= before + len(calls), 10, "they have begun")
            for _ in range(3):
                payment = ledger.payments.call("CreatePayment", internal(ledger, anna, bert, 1)).payment
                self.assertEqual(state(payment), "SUCCEEDED")
        finally:
            done.set()
            for call in calls:
                call.cancel()

    def test_strangers_without_end_keep_no_staff_out(self):
        password = (environment.HOME / "secrets" / "operator.password").read_text().strip()
        over = threading.Event()
        shed = set()

        def knock(number):
            while not over.is_set():
                try:
                    Stub("auth", "gateway").LogIn(username=f"nobody-{number}-{new_id()}", password="12345678")
                except Refused as refused:
                    shed.add(refused.reason)

        with concurrent.futures.ThreadPoolExecutor(80) as pool:
            try:
                for number in range(80):
                    pool.submit(knock, number)
                environment.wait_until(lambda: "OVERLOADED" in shed, 30, "more knock than are let in")
                for _ in range(10):
                    self.assertTrue(Stub("auth", "operator").LogIn(username="operator", password=password).access_token)
            finally:
                over.set()


class Trace(Case):
    TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

    def check_logged(self, *calls):
        for service, method in calls:
            environment.wait_until(lambda: any(self.TRACE in line and method in line
                                               for line in environment.log_text(service).splitlines()), 5,
                                   f"{service} logs {method} with the trace")

    def test_trace_is_handed_on_from_service_to_service(self):
        """A payment's trace id stands in the log of payments, and in those of whom payments asked: accounts and the connector."""
        market = Market()
        made = world.deposit(market, market.wallet("anna"), 10)
        market.payments.call("CreatePayment", made, metadata=self.metadata())
        self.check_logged(("payments", "PaymentsService/CreatePayment"), ("accounts", "AccountsService/PostBatch"),
                          ("simulator", "ConnectorService/Authorize"))

    def test_trace_of_a_notification_is_taken_up(self):
        with self.refused(grpc.StatusCode.UNAUTHENTICATED, "SIGNATURE_INVALID"):
            Stub("payments", "connector").call(
                "Notify", notifications.signed(b"x", with_key=b"another"), metadata=self.metadata())
        self.check_logged(("payments", "NotificationService/Notify"))

    def metadata(self):
        return (("traceparent", f"00-{self.TRACE}-00f067aa0ba902b7-01"),)

    def test_malformed_trace_is_ignored(self):
        ledger = Ledger(())
        for value in ("", "x", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", f"ff-{self.TRACE}-00f067aa0ba902b7-01",
                      "00-" + "g" * 32 + "-00f067aa0ba902b7-01", "0" * 5000):
            with self.subTest(value=value[:40]):
                reply = ledger.accounts.call("GetLedger", ledger_id=ledger.id, metadata=(("traceparent", value),))
                self.assertEqual(reply.ledger.ledger_id, ledger.id)


if __name__ == "__main__":
    unittest.main()
