"""grpcurl, another implementation of gRPC (Go): it finds everything by reflection and calls every method."""

import json
import os
import pathlib
import subprocess
import sys
import time
import unittest

from google.protobuf import json_format
from support import world
from support.cases import Case
from support.client import SERVICES, Refused, address, all_methods, find_method
from support.contracts import connector as c
from support.notifications import about, signed
from support.world import Market, deposit, new_id


def find_grpcurl():
    script = pathlib.Path(__file__).with_name("grpcurl.sh")
    result = subprocess.run([str(script), os.path.join(os.environ["DALER_BUILD_DIR"], "grpcurl")],
                            stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        print("skipped: there is neither grpcurl nor a Go toolchain that can install it", file=sys.stderr)
        sys.exit(77)
    return result.stdout.strip()


GRPCURL = find_grpcurl()


def grpcurl(target, *words, identity="operator", token=None, data=None, seconds=20):
    command = [GRPCURL, "-max-time", str(seconds), "-connect-timeout", "3" if identity is not None else "1"]
    folder = pathlib.Path(os.environ["DALER_CERT_DIR"]) / (identity or "operator")
    command += ["-cacert", str(folder / "ca.crt")]
    if identity is not None:
        command += ["-cert", str(folder / "tls.crt"), "-key", str(folder / "tls.key")]
    if identity not in (None, "operator"):  # reflection is for people; services know what they call
        command += ["-protoset", os.path.join(os.environ["DALER_BUILD_DIR"], "proto", "descriptors.pb")]
    if token is not None:
        command += ["-expand-headers", "-H", "authorization: Bearer ${DALER_TOKEN}"]
    if data is not None:
        command += ["-d", json.dumps(data)]
    return subprocess.run([*command, address(target), *words], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "DALER_TOKEN": token or ""})


class Grpcurl(Case):
    def done(self, target, *words, **more):
        result = grpcurl(target, *words, **more)
        self.assertEqual(result.returncode, 0, (words, result.stderr))
        return result.stdout

    def test_lists_and_describes(self):
        for target, services in SERVICES.items():
            listed = self.done(target, "list").split()
            self.assertLessEqual({*services, "grpc.health.v1.Health"}, set(listed))
            for service in listed:
                with self.subTest(target=target, service=service):
                    self.assertIn("service", self.done(target, "describe", service))
                    self.assertTrue(self.done(target, "list", service).strip())

    def test_is_refused_without_a_certificate(self):
        for target in SERVICES:
            with self.subTest(target=target):
                result = grpcurl(target, "list", identity=None)
                self.assertNotEqual(result.returncode, 0)
                self.assertEqual(result.stdout, "")

    def test_calls_every_method(self):
        """Each once, with a request that succeeds."""
        ledger = Market()
        wallet, other, user_id = ledger.wallet("anna", 100), ledger.wallet("bert"), new_id()
        transfer_id, reference = new_id(), f"grpcurl-{new_id()}"
        operator = world.operator_token()

        def transfer(identifier):
            return {"transfer_id": identifier, "debit_account_id": wallet, "credit_account_id": other,
                    "amount_minor": "1", "currency": "EUR", "direct": {}}

        at = {"ledger_id": ledger.id, "account_id": wallet}
        payment = {"idempotency_key": new_id(), "ledger_id": ledger.id, "amount_minor": "5", "currency": "EUR",
                   "deposit": {"account_id": wallet, "connector": "simulator", "instrument": "sim:ok"}}
        person = {"ledger_id": ledger.id, "person_id": "g"}
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
        operation = {"reference": reference, "amount_minor": "5", "currency": "EUR", "instrument": "sim:ok"}
        calls = {
            ("auth", "CreateUser"): {"user_id": user_id, "username": f"g-{user_id}", "password": "long enough",
                                     "role": "ROLE_PLAYER"},
            ("auth", "LogIn"): {"username": f"g-{user_id}", "password": "long enough"},
            ("auth", "GetUser"): {"user_id": user_id},
            ("auth", "GetKeys"): {},
            ("accounts", "CreateLedger"): {"ledger_id": new_id(), "name": "grpcurl"},
            ("accounts", "GetLedger"): {"ledger_id": ledger.id},
            ("accounts", "ListLedgers"): {"page_size": 1},
            ("accounts", "CreateAccounts"): {"ledger_id": ledger.id, "accounts": [
                {"account_id": new_id(), "owner": "g", "currency": "EUR", "normal_side": "NORMAL_SIDE_CREDIT"}]},
            ("accounts", "GetAccount"): at,
            ("accounts", "GetAccountMetadata"): at,
            ("accounts", "RegisterAsset"): {"ledger_id": ledger.id, "code": "GOLD", "exponent": 3},
            ("accounts", "ListAssets"): {"ledger_id": ledger.id},
            ("accounts", "UpdateAccount"): {**at, "expected_version": "1", "update_mask": {"paths": ["label", "lower_limit"]},
                                            "label": "grpcurl", "lower_limit": {"amount_minor": "-5"}},
            ("accounts", "GetAccounts"): {"ledger_id": ledger.id, "account_ids": [wallet, other]},
            ("accounts", "ListAccounts"): {"ledger_id": ledger.id},
            ("accounts", "Post"): {"ledger_id": ledger.id, "group": {"transfers": [transfer(transfer_id)]}},
            ("accounts", "PostBatch"): {"ledger_id": ledger.id, "groups": [{"transfers": [transfer(new_id())]}]},
            ("accounts", "PostStream"): {"ledger_id": ledger.id, "groups": [{"transfers": [transfer(new_id())]}]},
            ("accounts", "GetTransfer"): {"ledger_id": ledger.id, "transfer_id": transfer_id},
            ("accounts", "GetGroup"): {"ledger_id": ledger.id, "transfer_id": transfer_id},
            ("accounts", "GetBalanceAt"): {**at, "time": "2024-01-01T00:00:00Z"},
            ("accounts", "VerifyLedger"): {"ledger_id": ledger.id},
            ("accounts", "GetStatement"): at,
            ("accounts", "GetTrialBalance"): {"ledger_id": ledger.id},
            ("payments", "CreatePayment"): payment,
            ("payments", "CancelPayment"): None,
            ("payments", "GetPayment"): None,
            ("payments", "ListPayments"): {"ledger_id": ledger.id},
            ("payments", "RegisterClearingAccount"): {"ledger_id": ledger.id, "connector": "simulator",
                                                      "currency": "EUR", "account_id": ledger.clearing["EUR"]},
            ("payments", "Notify"): json_format.MessageToDict(signed(about(c.Operation(
                reference=reference, kind=c.OPERATION_KIND_CHARGE, amount_minor=5, currency="EUR",
                status=c.OPERATION_STATUS_SUCCEEDED), new_id()))),
            ("payments", "Watch"): {"ledgerId": ledger.id},
            ("payments", "ListStuckPayments"): {"ledgerId": ledger.id, "secondsMin": 1},
            ("payments", "RetryPayment"): None,
            ("payments", "ResolvePayment"): {"outcome": "RESOLUTION_OUTCOME_DONE", "reason": "r", "reference": "f"},
            ("payments", "ReconcileConnector"): {"connector": "simulator", "startTime": "2026-01-01T00:00:00Z",
                                                 "endTime": "2026-01-02T00:00:00Z"},
            ("payments", "ListOperatorActions"): {"ledgerId": ledger.id},
            ("payments", "SetMarket"): {"reason": "opens", "market": {
                "ledger_id": ledger.id, "time_zone": "Europe/Berlin", "week_start": 1, "cooling_off_s": "86400"}},
            ("payments", "GetMarket"): {"ledger_id": ledger.id},
            ("payments", "SetLimit"): {**person, "currency": "EUR", "measure": "LIMIT_MEASURE_DEPOSITS",
                                       "period": "LIMIT_PERIOD_DAY", "limit": {"amount_minor": "100"}, "reason": "asked"},
            ("payments", "ListLimits"): person,
            ("payments", "SelfExclude"): {**person, "until": "2199-01-01T00:00:00Z", "reason": "asked"},
            ("payments", "TimeOut"): {**person, "until": soon, "reason": "asked"},
            ("payments", "LiftSelfExclusion"): {**person, "person_id": "nobody", "reason": "asked"},
            ("payments", "ListRestrictions"): person,
            ("payments", "ListLimitChanges"): person,
            ("payments", "RegisterTransitAccount"): {"ledger_id": ledger.id, "currency": "EUR",
                                                     "account_id": ledger.open("transit")},
            ("connector", "Authorize"): operation,
            ("connector", "Capture"): {"reference": reference},
            ("connector", "Cancel"): {"reference": reference},
            ("connector", "Refund"): {**operation, "reference": f"{reference}-back"[-60:], "original_reference": reference},
            ("connector", "GetCapabilities"): {},
            ("connector", "Payout"): {**operation, "reference": f"{reference}-out"[-60:]},
            ("connector", "GetOperation"): {"reference": reference},
            ("connector", "ListOperations"): {},
        }
        callers = {("payments", "Notify"): "connector", ("connector", "Authorize"): "payments", ("connector", "Capture"): "payments",
                   ("connector", "Cancel"): "payments", ("connector", "Refund"): "payments",
                   ("connector", "Payout"): "payments"}
        self.assertEqual(set(calls), set(all_methods()))
        waiting = ledger.payments.call("CreatePayment", world.deposit(ledger, wallet, 5, instrument="sim:action=60000")).payment
        for (target, name), data in calls.items():
            if (target, name) == ("payments", "GetPayment"):
                data = {"payment_id": created["payment"]["paymentId"]}
            if name in ("Watch", "RetryPayment", "ResolvePayment"):
                continue
            if (target, name) == ("payments", "CancelPayment"):
                data = {"payment_id": waiting.payment_id}
            identity = callers.get((target, name), "operator")
            path = find_method(target, name)[0][1:]
            with self.subTest(method=path):
                if identity != "operator":  # found by reflection with the operator's, and not for people
                    self.assertIn("PermissionDenied", grpcurl(target, path, token=operator, data=data).stderr)
                answer = json.loads(self.done(target, path, identity=identity, data=data,
                                              token=operator if identity == "operator" else None))
                if name == "CreatePayment":
                    created = answer
                    self.assertEqual(answer["payment"]["state"], "PAYMENT_STATE_SUCCEEDED")

    def test_watches_until_its_time_is_over(self):
        ledger = Market()
        wallet = ledger.wallet("anna", 100)
        ledger.payments.call("CreatePayment", deposit(ledger, wallet, 5))
        result = grpcurl("payments", "daler.payments.v1.PaymentsService/Watch", token=world.operator_token(), seconds=3,
                         data={"ledgerId": ledger.id})
        self.assertIn("PAYMENT_STATE_SUCCEEDED", result.stdout)
        self.assertIn("DeadlineExceeded", result.stderr)

    def test_retries_what_is_open_and_resolves_only_what_nobody_knows(self):
        ledger = Market()
        wallet = ledger.wallet("anna", 100)
        request = deposit(ledger, wallet, 5, instrument="sim:pending=60000,notify-none")
        try:
            payment = ledger.payments.call("CreatePayment", request, timeout=1).payment
        except Refused:
            payment = ledger.payments.ListPayments(ledger_id=ledger.id).payments[0]
        data = {"paymentId": payment.payment_id}
        answer = json.loads(self.done("payments", "daler.payments.v1.OperationsService/RetryPayment", data=data,
                                      token=world.operator_token()))
        self.assertEqual(answer["payment"]["state"], "PAYMENT_STATE_SUBMITTED")
        result = grpcurl("payments", "daler.payments.v1.OperationsService/ResolvePayment", token=world.operator_token(),
                         data={**data, "outcome": "RESOLUTION_OUTCOME_DONE", "reason": "r", "reference": "f"})
        self.assertIn("PAYMENT_NOT_UNRESOLVED", result.stderr)

    def test_error_details_are_shown(self):
        result = grpcurl("accounts", "daler.accounts.v1.AccountsService/GetLedger", token=world.operator_token(),
                         data={"ledger_id": "x"})
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("INVALID_UUID", result.stderr)
        self.assertIn("ledger_id", result.stderr)

    def test_health(self):
        for target in SERVICES:
            self.assertIn("SERVING", self.done(target, "grpc.health.v1.Health/Check", identity="monitor"))


if __name__ == "__main__":
    unittest.main()
