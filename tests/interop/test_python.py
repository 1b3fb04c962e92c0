"""Clients that are not ours: python3-grpcio, and TLS as the ssl module and the openssl CLI speak it."""

import os
import pathlib
import shutil
import signal
import socket
import ssl
import tempfile
import threading
import time
import unittest
import warnings

import grpc
from google.protobuf import descriptor_pb2

from support import certificates as bad
from support import environment, world
from support.cases import Case
from support.client import CHANNEL_OPTIONS, SERVICES, Refused, Stub, address, certificates, channel, credentials
from support.contracts import CONTRACTS, Contracts
from support.world import Ledger, Market, deposit, new_id, state

TARGETS = tuple(SERVICES)


def reflect(target, version, *requests, identity="operator"):
    """The answers to a stream of reflection requests (dicts of fields)."""
    package = f"grpc.reflection.{version}"
    request_class = CONTRACTS.message(f"{package}.ServerReflectionRequest")
    reply_class = CONTRACTS.message(f"{package}.ServerReflectionResponse")
    call = channel(target, identity).stream_stream(
        f"/{package}.ServerReflection/ServerReflectionInfo",
        request_serializer=request_class.SerializeToString, response_deserializer=reply_class.FromString)
    return list(call(iter([request_class(**fields) for fields in requests]), timeout=10))


class Reflection(Case):
    VERSIONS = ("v1", "v1alpha")

    def test_lists_all_services(self):
        for target in TARGETS:
            for version in self.VERSIONS:
                reply, = reflect(target, version, {"list_services": "*"})
                names = {service.name for service in reply.list_services_response.service}
                with self.subTest(target=target, version=version):
                    self.assertLessEqual({*SERVICES[target], "grpc.health.v1.Health",
                                          "grpc.reflection.v1.ServerReflection",
                                          "grpc.reflection.v1alpha.ServerReflection"}, names)

    def test_describes_enough_to_call(self):
        """A client built from nothing but reflection calls a method."""
        for version in self.VERSIONS:
            reply, = reflect("accounts", version, {"file_containing_symbol": SERVICES["accounts"][0]})
            files = [descriptor_pb2.FileDescriptorProto.FromString(data)
                     for data in reply.file_descriptor_response.file_descriptor_proto]
            found = {file.name: file for file in files}
            ordered = []

            def place(file):
                for name in file.dependency:
                    place(found[name])
                if file not in ordered:
                    ordered.append(file)

            for file in files:
                place(file)
            contracts = Contracts(ordered)
            request = contracts.message("daler.accounts.v1.GetLedgerRequest")(ledger_id=Ledger(()).id)
            data = world.operator("accounts").raw("/daler.accounts.v1.AccountsService/GetLedger",
                                                  request.SerializeToString())
            answer = contracts.message("daler.accounts.v1.GetLedgerResponse").FromString(data)
            self.assertEqual(answer.ledger.ledger_id, request.ledger_id)

    def test_every_way_to_ask(self):
        for version in self.VERSIONS:
            for fields in ({"file_by_filename": "daler/payments/v1/payments.proto"},
                           {"file_containing_symbol": "daler.payments.v1.CreatePaymentRequest"},
                           {"file_containing_symbol": "daler.payments.v1.PaymentState"},
                           {"file_containing_symbol": "daler.payments.v1.PaymentsService.CreatePayment"},
                           {"file_containing_symbol": "google.protobuf.Timestamp"},
                           {"file_containing_symbol": "grpc.health.v1.Health"}):
                with self.subTest(version=version, fields=fields):
                    reply, = reflect("payments", version, fields)
                    self.assertTrue(reply.file_descriptor_response.file_descriptor_proto, reply)

    def test_what_is_not_there(self):
        for version in self.VERSIONS:
            for fields in ({"file_containing_symbol": "nonsense.v1.Nonsense"}, {"file_by_filename": "nonsense.proto"},
                           {"file_containing_symbol": ""}, {"file_containing_symbol": "daler"}):
                with self.subTest(version=version, fields=fields):
                    reply, = reflect("payments", version, fields)
                    self.assertEqual(reply.error_response.error_code, grpc.StatusCode.NOT_FOUND.value[0], reply)

    def test_many_requests_in_one_stream(self):
        replies = reflect("auth", "v1", *[{"list_services": "*"}, {"file_containing_symbol": "no"}] * 50)
        self.assertEqual(len(replies), 100)

    def test_stream_that_is_left_open(self):
        """A caller who neither asks nor leaves holds nobody up."""
        stop = threading.Event()

        def forever():
            stop.wait(30)
            yield from ()

        call = channel("auth", "operator").stream_stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", request_serializer=bytes,
            response_deserializer=bytes)(forever())
        self.assertEqual(len(reflect("auth", "v1", {"list_services": "*"})), 1)
        call.cancel()
        stop.set()


class Health(Case):
    def check(self, target, service="", identity="monitor"):
        request = CONTRACTS.message("grpc.health.v1.HealthCheckRequest")(service=service)
        data = Stub(target, identity).raw("/grpc.health.v1.Health/Check", request.SerializeToString())
        return CONTRACTS.message("grpc.health.v1.HealthCheckResponse").FromString(data).status

    def watch(self, target, service=""):
        request_class = CONTRACTS.message("grpc.health.v1.HealthCheckRequest")
        reply_class = CONTRACTS.message("grpc.health.v1.HealthCheckResponse")
        return channel(target, "monitor").unary_stream(
            "/grpc.health.v1.Health/Watch", request_serializer=request_class.SerializeToString,
            response_deserializer=reply_class.FromString)(request_class(service=service), timeout=60)

    def test_check(self):
        for target, services in SERVICES.items():
            for service in ["", *services]:
                with self.subTest(target=target, service=service):
                    self.assertEqual(self.check(target, service), 1)
            with self.subTest(target=target), self.assertRaises(Refused) as caught:
                self.check(target, "nonsense")
            self.assertEqual(caught.exception.code, grpc.StatusCode.NOT_FOUND)

    def test_watch_tells_the_state_and_the_end(self):
        watch = self.watch("auth")
        self.assertEqual(next(watch).status, 1)
        before = environment.pid("auth")
        os.kill(before, signal.SIGTERM)
        rest = []
        try:
            for reply in watch:
                rest.append(reply.status)
        except grpc.RpcError as error:
            self.assertNotEqual(error.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertEqual(rest, [2])
        environment.wait_until(lambda: environment.pid("auth") not in (None, before), 30, "auth was started again")
        environment.wait_ready("auth")

    def test_watch_of_an_unknown_service(self):
        watch = self.watch("auth", "nonsense")
        self.assertEqual(next(watch).status, 3)
        watch.cancel()


class Deadlines(Case):
    def test_deadline_of_a_payment_that_takes_longer(self):
        """The answer is there by the deadline; the payment goes on, and the same key finds it."""
        ledger = Market()
        wallet = ledger.wallet("anna")
        request = deposit(ledger, wallet, 100, instrument="sim:delay=2500")
        start = time.monotonic()
        try:
            payment = ledger.payments.call("CreatePayment", request, timeout=1).payment
            self.assertNotIn(state(payment), world.RESTING)
        except Refused as refused:
            self.assertEqual(refused.code, grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertLess(time.monotonic() - start, 2)

        def rests():
            reply = ledger.payments.call("CreatePayment", request)
            self.assertTrue(reply.replayed)
            return state(reply.payment) == "SUCCEEDED"

        environment.wait_until(rests, 30, "the payment is carried out")
        self.assertEqual(ledger.balances(wallet).posted_minor, 100)

    def test_cancelled_call_goes_on(self):
        ledger = Market()
        wallet = ledger.wallet("anna")
        request = deposit(ledger, wallet, 100, instrument="sim:delay=500")
        call = channel("payments", "operator").unary_unary(
            "/daler.payments.v1.PaymentsService/CreatePayment", request_serializer=type(request).SerializeToString,
            response_deserializer=bytes)
        future = call.future(request, timeout=20, metadata=(("authorization", f"Bearer {world.operator_token()}"),))
        time.sleep(0.2)
        future.cancel()
        environment.wait_until(
            lambda: state(ledger.payments.call("CreatePayment", request).payment) == "SUCCEEDED", 30,
            "the payment is carried out")
        self.assertEqual(ledger.balances(wallet).posted_minor, 100)


class Details(Case):
    def test_error_details_are_the_standard_ones(self):
        with self.assertRaises(Refused) as caught:
            world.operator("accounts").GetLedger(ledger_id="x")
        error = caught.exception
        info = error.details["google.rpc.ErrorInfo"]
        self.assertEqual((info.reason, info.domain), ("INVALID_UUID", "daler"))
        violation, = error.details["google.rpc.BadRequest"].field_violations
        self.assertEqual(violation.field, "ledger_id")
        self.assertTrue(violation.description)
        status = CONTRACTS.message("google.rpc.Status").FromString(error.trailers["grpc-status-details-bin"])
        self.assertEqual((status.code, status.message), (error.code.value[0], error.message))


class Certificates(Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def attempt(self, target, name, channel_credentials):
        """The error of a call with these credentials, as the operator with a good token; None: it was answered."""
        with grpc.secure_channel(address(target), channel_credentials, options=CHANNEL_OPTIONS) as made:
            stub = Stub(target, "operator", world.operator_token(), through=made)
            try:
                stub.raw("/grpc.health.v1.Health/Check", b"", timeout=5)
            except Refused as refused:
                return refused
        return None

    def test_a_good_one_made_the_same_way_passes(self):
        files = bad.leaf(self.folder, "good", f"URI:{bad.SPIFFE}/operator,{bad.NAMES}")
        for target in TARGETS:
            with self.subTest(target=target):
                self.assertIsNone(self.attempt(target, "good", bad.channel_credentials(files)))

    def test_bad_ones_are_refused_and_logged(self):
        none, handshake = ((grpc.StatusCode.UNAVAILABLE, "tls_handshake_failed", said)
                           for said in ("peer did not return a certificate", "certificate verify failed"))
        identity = (grpc.StatusCode.UNAUTHENTICATED, "/grpc.health.v1.Health/Check", "IDENTITY_INVALID")
        spiffe = f"URI:{bad.SPIFFE}/operator"
        kinds = {
            "none": (None, none),
            "other-ca": (bad.leaf(self.folder, "other-ca", f"{spiffe},{bad.NAMES}", ca=bad.other_ca(self.folder)),
                         handshake),
            "expired": (bad.leaf(self.folder, "expired", f"{spiffe},{bad.NAMES}", not_after="20200101000000Z"),
                        handshake),
            "two-uris": (bad.leaf(self.folder, "two-uris", f"{spiffe},URI:{bad.SPIFFE}/gateway,{bad.NAMES}"), identity),
            "no-uri": (bad.leaf(self.folder, "no-uri", bad.NAMES), identity),
            "other-domain": (bad.leaf(self.folder, "other-domain", f"URI:spiffe://evil.local/operator,{bad.NAMES}"),
                             identity),
            "unknown": (bad.leaf(self.folder, "unknown", f"URI:{bad.SPIFFE}/nobody,{bad.NAMES}"), identity),
            "path": (bad.leaf(self.folder, "path", f"URI:{bad.SPIFFE}/x/operator,{bad.NAMES}"), identity),
            "http": (bad.leaf(self.folder, "http", f"URI:https://daler.local/operator,{bad.NAMES}"), identity),
        }
        for target in TARGETS:
            service = "simulator" if target == "connector" else target
            for name, (files, (code, *logged)) in kinds.items():
                with self.subTest(target=target, certificate=name):
                    before = len(environment.log_text(service))
                    refused = self.attempt(target, name, bad.channel_credentials(files))
                    self.assertIsNotNone(refused, "it was let in")
                    self.assertEqual(refused.code, code, refused)
                    environment.wait_until(
                        lambda: any(all(word in line for word in logged)
                                    for line in environment.log_text(service)[before:].splitlines()), 5,
                        f"{service} logs the refusal of {name}: {logged}")

    def test_plaintext_is_refused(self):
        for target in TARGETS:
            with self.subTest(target=target), grpc.insecure_channel(address(target)) as made, \
                    self.assertRaises(Refused) as caught:
                Stub(target, through=made).raw("/grpc.health.v1.Health/Check", b"", timeout=5)
            self.assertIn(caught.exception.code, (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED))

    def handshake(self, target, version):
        """The server's certificate (DER) after a handshake with this version of TLS alone."""
        folder = pathlib.Path(os.environ["DALER_CERT_DIR"]) / "operator"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_verify_locations(folder / "ca.crt")
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        context.set_alpn_protocols(["h2"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of the old version that is to fail
            context.minimum_version = context.maximum_version = version
        host, port = address(target).rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as plain, \
                context.wrap_socket(plain, server_hostname="localhost") as secure:
            return secure.getpeercert(binary_form=True)

    def test_tls_versions(self):
        for target in TARGETS:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                self.assertTrue(self.handshake(target, version))
            with self.subTest(target=target), self.assertRaises(OSError):
                self.handshake(target, ssl.TLSVersion.TLSv1_1)

    def test_new_certificate_is_taken_without_a_restart(self):
        before_pid = environment.pid("accounts")
        before = self.handshake("accounts", ssl.TLSVersion.TLSv1_3)
        link = pathlib.Path(os.environ["DALER_CERT_DIR"]) / "accounts"
        fresh = link.parent / ".made" / f"accounts.test-{new_id()}"
        fresh.mkdir()
        names = "DNS:localhost,DNS:accounts,IP:127.0.0.1"
        crt, key = bad.leaf(self.folder, "fresh", f"URI:{bad.SPIFFE}/accounts,{names}")
        shutil.copy(crt, fresh / "tls.crt")
        shutil.copy(key, fresh / "tls.key")
        shutil.copy(bad.own_ca()[0], fresh / "ca.crt")
        (link.parent / "accounts.new").symlink_to(fresh)
        os.replace(link.parent / "accounts.new", link)
        environment.wait_until(lambda: self.handshake("accounts", ssl.TLSVersion.TLSv1_3) != before, 30,
                               "accounts shows the new certificate")
        self.assertEqual(environment.pid("accounts"), before_pid)
        ledger = Market()
        payment = ledger.payments.call("CreatePayment", deposit(ledger, ledger.wallet("anna"), 1)).payment
        self.assertEqual(state(payment), "SUCCEEDED")


if __name__ == "__main__":
    unittest.main()
