"""Who may call what: every method, every identity, every token; what is not named is denied."""

import tempfile
import unittest

import grpc

from support import tokens, world
from support.cases import Case
from support.client import IDENTITIES, Refused, Stub, all_methods, find_method

ANYONE = {identity: {"none"} for identity in IDENTITIES}
STAFF_READ = {"operator": {"operator", "auditor"}}
STAFF_WRITE = {"operator": {"operator"}}
PLAYER = {"gateway": {"player"}}
PAYMENTS = {"payments": {"none"}}

# Each method's callers: identity -> the roles of which the token must show one; "none": no token is needed.
ALLOWED = {
    ("auth", "CreateUser"): {"gateway": {"none"}, "operator": {"operator"}},
    ("auth", "GetUser"): {"gateway": {"player"}, **STAFF_READ},
    ("auth", "LogIn"): {"gateway": {"none"}, "operator": {"none"}},
    ("auth", "GetKeys"): ANYONE,
    ("accounts", "CreateLedger"): STAFF_WRITE,
    ("accounts", "GetLedger"): STAFF_READ,
    ("accounts", "ListLedgers"): STAFF_READ,
    ("accounts", "RegisterAsset"): STAFF_WRITE,
    ("accounts", "ListAssets"): {**STAFF_READ, **PAYMENTS},
    ("accounts", "CreateAccounts"): STAFF_WRITE,
    ("accounts", "GetAccount"): {**STAFF_READ, **PLAYER, **PAYMENTS},
    ("accounts", "GetAccountMetadata"): {**STAFF_READ, **PAYMENTS},
    ("accounts", "UpdateAccount"): STAFF_WRITE,
    ("accounts", "GetAccounts"): {**STAFF_READ, **PLAYER, **PAYMENTS},
    ("accounts", "ListAccounts"): {**STAFF_READ, **PLAYER},
    ("accounts", "Post"): {**STAFF_WRITE, **PAYMENTS},
    ("accounts", "PostBatch"): {**STAFF_WRITE, **PAYMENTS},
    ("accounts", "PostStream"): {**STAFF_WRITE, **PAYMENTS},
    ("accounts", "GetTransfer"): {**STAFF_READ, **PAYMENTS},
    ("accounts", "GetGroup"): {**STAFF_READ, **PAYMENTS},
    ("accounts", "GetStatement"): {**STAFF_READ, **PLAYER},
    ("accounts", "GetBalanceAt"): {**STAFF_READ, **PLAYER},
    ("accounts", "GetTrialBalance"): STAFF_READ,
    ("accounts", "VerifyLedger"): STAFF_READ,
    ("payments", "CreatePayment"): {**STAFF_WRITE, **PLAYER},
    ("payments", "CancelPayment"): {**STAFF_WRITE, **PLAYER},
    ("payments", "GetPayment"): {**STAFF_READ, **PLAYER},
    ("payments", "ListPayments"): {**STAFF_READ, **PLAYER},
    ("payments", "Watch"): {**STAFF_READ, **PLAYER},
    ("payments", "RegisterClearingAccount"): STAFF_WRITE,
    ("payments", "SetMarket"): STAFF_WRITE,
    ("payments", "GetMarket"): {**STAFF_READ, **PLAYER},
    ("payments", "SetLimit"): {**STAFF_WRITE, **PLAYER},
    ("payments", "ListLimits"): {**STAFF_READ, **PLAYER},
    ("payments", "SelfExclude"): {**STAFF_WRITE, **PLAYER},
    ("payments", "TimeOut"): {**STAFF_WRITE, **PLAYER},
    ("payments", "LiftSelfExclusion"): STAFF_WRITE,
    ("payments", "ListRestrictions"): {**STAFF_READ, **PLAYER},
    ("payments", "ListLimitChanges"): {**STAFF_READ, **PLAYER},
    ("payments", "ListStuckPayments"): STAFF_READ,
    ("payments", "RetryPayment"): STAFF_WRITE,
    ("payments", "ResolvePayment"): STAFF_WRITE,
    ("payments", "ReconcileConnector"): STAFF_READ,
    ("payments", "ListOperatorActions"): STAFF_READ,
    ("payments", "RegisterTransitAccount"): STAFF_WRITE,
    ("payments", "Notify"): {"connector": {"none"}},
    ("connector", "Authorize"): PAYMENTS,
    ("connector", "Capture"): PAYMENTS,
    ("connector", "Cancel"): PAYMENTS,
    ("connector", "Refund"): PAYMENTS,
    ("connector", "GetCapabilities"): {**PAYMENTS, "operator": {"none"}},
    ("connector", "Payout"): PAYMENTS,
    ("connector", "GetOperation"): {**PAYMENTS, "operator": {"none"}},
    ("connector", "ListOperations"): {**PAYMENTS, "operator": {"none"}},
}


class Matrix(Case):
    @classmethod
    def setUpClass(cls):
        cls.tokens = {"none": None, "player": world.person().token, "operator": world.operator_token(),
                      "auditor": world.auditor_token()}

    def expected(self, roles, role):
        """The reason of the refusal; None: the caller passes."""
        if roles is None:
            return grpc.StatusCode.PERMISSION_DENIED, "IDENTITY_DENIED"
        if "none" in roles or role in roles:
            return None
        if role == "none":
            return grpc.StatusCode.UNAUTHENTICATED, "TOKEN_REQUIRED"
        return grpc.StatusCode.PERMISSION_DENIED, "ROLE_DENIED"

    def outcome(self, target, name, identity, role):
        """What an empty request ends with, where that has to do with who calls."""
        path, _, _ = find_method(target, name)
        try:
            Stub(target, identity, self.tokens[role]).raw(path, b"")
        except Refused as refused:
            if refused.reason in ("IDENTITY_DENIED", "TOKEN_REQUIRED", "ROLE_DENIED", "INVALID_TOKEN",
                                  "TOKEN_EXPIRED"):
                return refused.code, refused.reason
            self.assertEqual(refused.code, grpc.StatusCode.INVALID_ARGUMENT, refused)
        return None

    def test_every_method_is_in_the_table(self):
        self.assertEqual(set(all_methods()), set(ALLOWED))

    def test_matrix(self):
        for target, name in all_methods():
            for identity in IDENTITIES:
                for role in self.tokens:
                    with self.subTest(method=name, identity=identity, role=role):
                        roles = ALLOWED[target, name].get(identity)
                        self.assertEqual(self.outcome(target, name, identity, role), self.expected(roles, role))


class Tokens(Case):
    """Tokens that auth did not make, or made for another time, are refused by every service."""

    def check(self, token, reason):
        for target, name in (("auth", "GetUser"), ("accounts", "GetLedger"), ("payments", "GetPayment")):
            path, _, _ = find_method(target, name)
            with self.subTest(target=target), self.refused(grpc.StatusCode.UNAUTHENTICATED, reason):
                Stub(target, "operator", token).raw(path, b"")

    def test_own_signature_passes(self):
        """The tests' signing works: the same claims, signed again, are accepted."""
        token = tokens.altered(world.operator_token(), tokens.own_key())
        with self.invalid("INVALID_UUID", "user_id"):
            Stub("auth", "operator", token).GetUser(user_id="")

    def test_expired(self):
        self.check(tokens.expired(world.operator_token()), "TOKEN_EXPIRED")

    def test_signed_by_another_key(self):
        with tempfile.TemporaryDirectory() as folder:
            key = tokens.other_key(folder)
            self.check(tokens.altered(world.operator_token(), key), "INVALID_TOKEN")
            self.check(tokens.altered(world.operator_token(), key, header={"kid": "another"}), "INVALID_TOKEN")

    def test_altered_after_signing(self):
        header, claims, signature = world.person().token.split(".")
        _, operator_claims, _ = world.operator_token().split(".")
        self.check(f"{header}.{operator_claims}.{signature}", "INVALID_TOKEN")
        self.check(f"{header}.{claims}.{signature[:-4]}AAAA", "INVALID_TOKEN")

    def test_algorithms_that_are_not_ours(self):
        self.check(tokens.unsigned(world.operator_token()), "INVALID_TOKEN")
        self.check(tokens.altered(world.operator_token(), tokens.own_key(), header={"alg": "HS256"}),
                   "INVALID_TOKEN")
        self.check(tokens.altered(world.operator_token(), tokens.own_key(), header={"alg": "none"}),
                   "INVALID_TOKEN")

    def test_claims_that_are_not_ours(self):
        for change in ({"iss": "somebody"}, {"iss": None}, {"aud": "another"}, {"aud": None}, {"sub": "nobody"},
                       {"sub": None}, {"role": "root"}, {"role": None}, {"exp": None}, {"exp": "soon"}):
            token = tokens.altered(world.operator_token(), tokens.own_key(), **change)
            with self.subTest(change=change):
                self.check(token, "INVALID_TOKEN")

    def test_no_token_at_all(self):
        for text in ("", "x", "a.b.c", "..", ".", "x" * 3000, "e30.e30.", "\u007e" * 100):
            with self.subTest(text=text[:20]):
                self.check(text, "INVALID_TOKEN")

    def test_other_schemes(self):
        for value in (f"Basic {world.operator_token()}", world.operator_token(), "Bearer", ""):
            with self.subTest(value=value[:10]), \
                    self.refused(grpc.StatusCode.UNAUTHENTICATED, "INVALID_TOKEN"):
                Stub("accounts", "operator").call(
                    "GetLedger", metadata=(("authorization", value),))

    def test_of_two_tokens_a_bad_one_is_not_overlooked(self):
        with self.refused(grpc.StatusCode.UNAUTHENTICATED, "INVALID_TOKEN"):
            Stub("accounts", "operator", world.operator_token()).call(
                "GetLedger", metadata=(("authorization", "Bearer x"),))
        with self.refused(grpc.StatusCode.UNAUTHENTICATED, "INVALID_TOKEN"):
            Stub("accounts", "operator").call("GetLedger", metadata=(
                ("authorization", "Bearer x"), ("authorization", f"Bearer {world.operator_token()}")))


if __name__ == "__main__":
    unittest.main()
