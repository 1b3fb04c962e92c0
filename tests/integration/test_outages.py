"""Readiness, health, metrics and logs, while PostgreSQL and Redis go away and come back."""

import contextlib
import json
import os
import pathlib
import tempfile
import time
import unittest

from support import environment, notifications, world
from support.cases import Case
from support.client import Refused, Stub, certificates
from support.replicas import Replica
from support.world import Ledger, Market, deposit, internal, new_id, state


class Admin(Case):
    def test_livez_and_readyz(self):
        for name in environment.SERVICES:
            with self.subTest(name=name):
                self.assertEqual(environment.admin_get(name, "/livez")[0], 200)
                status, text = environment.admin_get(name, "/readyz")
                self.assertEqual(status, 200, text)
                self.assertEqual(environment.admin_get(name, "/nonsense")[0], 404)

    def test_readyz_names_the_dependencies(self):
        for name, words in (("auth", ["database"]), ("accounts", ["database", "redis"]), ("payments", ["database"])):
            text = environment.admin_get(name, "/readyz")[1].lower()
            for word in words:
                with self.subTest(name=name, word=word):
                    self.assertIn(word, text)

    def test_readyz_tells_of_unusable_certificates(self):
        """It goes on with those it had, which its fellows do, too, so it stays ready."""
        for name in ("auth", "accounts", "payments"):
            with self.subTest(name=name), tempfile.TemporaryDirectory() as folder:
                chain = pathlib.Path(folder) / "tls.crt"
                good = certificates(name)[1]
                chain.write_bytes(good)
                with Replica(name, TLS_CERT=chain, TLS_RELOAD_MS=3600000) as replica:
                    def told():
                        return environment.components(replica.admin)["certificates"]
                    self.assertEqual(told()["ok"], True)
                    chain.write_bytes(good[:len(good) // 2])
                    self.assertEqual((told()["ok"], told()["required"], "tls_cert" in told()["why"]), (False, False, True))
                    chain.write_bytes(good)
                    self.assertEqual(told()["ok"], True)

    def test_metrics(self):
        ledger = Market()
        world.operator("payments").call("CreatePayment", deposit(ledger, ledger.wallet("anna"), 100))
        wanted = {
            "auth": ["daler_auth_logins_total"],
            "accounts": ["daler_accounts_groups_total", "daler_commit_batch_size_bucket", "daler_pg_connects_total"],
            "payments": ["daler_payments_final_total", "grpc_client_handled_total", "grpc_client_handling_seconds_sum",
                         "daler_commit_batch_size_count"],
            "simulator": [],
        }
        for name, names in wanted.items():
            found = {metric for metric, _ in environment.metrics(name)}
            for metric in names + ["daler_build_info", "grpc_server_started_total", "grpc_server_handled_total",
                                   "grpc_server_handling_seconds_bucket", "grpc_server_handling_seconds_count",
                                   "daler_server_calls_in_flight"]:
                with self.subTest(name=name, metric=metric):
                    self.assertIn(metric, found)
        before = environment.metric_sum("accounts", "grpc_server_handled_total", 'grpc_method="GetLedger"')
        ledger.accounts.GetLedger(ledger_id=ledger.id)
        after = environment.metric_sum("accounts", "grpc_server_handled_total", 'grpc_method="GetLedger"')
        self.assertEqual(after - before, 1)

    def test_metrics_text_is_well_formed(self):
        for name in environment.SERVICES:
            text = environment.admin_get(name, "/metrics")[1]
            typed = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
            helped = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
            self.assertEqual(typed, helped)
            for metric, _ in environment.metrics(name):
                base = metric
                for suffix in ("_bucket", "_sum", "_count"):
                    if base not in typed:
                        base = metric.removesuffix(suffix)
                with self.subTest(name=name, metric=metric):
                    self.assertIn(base, typed)


class Database(Case):
    """PostgreSQL stands still, or is killed."""

    def test_unready_while_postgres_stands_still(self):
        ledger = Ledger(())
        with environment.paused("postgres"):
            for name in ("auth", "accounts", "payments"):
                environment.wait_until(lambda name=name: not environment.is_ready(name), 15, f"{name} is unready")
                self.assertEqual(environment.admin_get(name, "/livez")[0], 200)
        for name in ("auth", "accounts", "payments"):
            environment.wait_ready(name)
        self.assertEqual(ledger.accounts.GetLedger(ledger_id=ledger.id).ledger.ledger_id, ledger.id)

    def test_started_without_postgres(self):
        """A service waits for its database: it lives, is not ready, and begins by itself."""
        names = ("auth", "accounts", "payments")
        with environment.stopped("postgres"):
            before = {name: environment.kill(name) for name in names}
            for name in names:
                environment.wait_until(lambda name=name: environment.pid(name) not in (None, before[name])
                                       and environment.lives(name), 30, f"{name} lives")
            waiting = {name: environment.pid(name) for name in names}
            for name in names:
                status, text = environment.admin_get(name, "/readyz")
                self.assertEqual(status, 503)
                self.assertIn("database", text)
        for name in names:
            environment.wait_ready(name, 60)
        self.assertEqual({name: environment.pid(name) for name in names}, waiting)
        for name, method in (("accounts", "ListLedgers"), ("payments", "ListPayments")):
            environment.wait_until(lambda name=name, method=method: self.has_keys(name, method), 10, f"{name} has auth's keys")

    def has_keys(self, name, method):
        """Not needed to be ready, so auth may come after it; who bears a token meanwhile hastens it."""
        try:
            world.operator(name).call(method)
        except Refused as refused:
            return refused.reason != "KEYS_UNAVAILABLE"
        return True

    def test_killed_postgres_loses_nothing_acknowledged(self):
        ledger = Ledger()
        wallet, other = ledger.wallet("anna", 1000), ledger.wallet("bert")
        transfer = ledger.transfer(wallet, other, 10)
        first = ledger.post_group(transfer)
        environment.kill("postgres")
        environment.wait_until(lambda: environment.pid("postgres"), 30, "postgres runs")
        environment.wait_ready("accounts", 60)

        def repeated():
            try:
                return ledger.post_group(transfer)
            except Refused:
                return None

        outcome = environment.wait_until(repeated, 30, "the transfer is answered")
        self.assertTrue(outcome.replayed)
        self.assertEqual(outcome.posted, first.posted)
        for name in ("auth", "payments"):
            environment.wait_ready(name, 60)

    def test_payment_across_an_outage_is_carried_out_once(self):
        ledger = Market()
        wallet = ledger.wallet("anna")
        request = deposit(ledger, wallet, 700)
        with environment.paused("postgres"):
            with self.assertRaises(Refused):
                ledger.payments.call("CreatePayment", request, timeout=2)
        environment.wait_ready("payments")
        payment = self.create(ledger, request)
        self.assertEqual(state(payment), "SUCCEEDED")
        self.assertEqual(ledger.balances(wallet).posted_minor, 700)

    def create(self, ledger, request):
        def done():
            try:
                payment = ledger.payments.call("CreatePayment", request).payment
            except Refused:
                return None
            return payment if state(payment) in world.RESTING else None
        return environment.wait_until(done, 60, "the payment rests")


class Cache(Case):
    """Redis is a cache: without it everything works."""

    def reads(self, ledger, account_id):
        metadata = ledger.accounts.GetAccountMetadata(ledger_id=ledger.id, account_id=account_id).metadata
        self.assertEqual(metadata.account_id, account_id)

    def test_redis_stands_still(self):
        ledger = Ledger()
        wallet = ledger.wallet("anna", 5)
        self.reads(ledger, wallet)
        with environment.paused("redis"):
            start = time.monotonic()
            self.reads(ledger, wallet)
            fresh = ledger.wallet("bert", 5)
            self.reads(ledger, fresh)
            self.assertLess(time.monotonic() - start, 15)
            self.assertTrue(environment.is_ready("accounts"))
        self.reads(ledger, wallet)

    def test_redis_is_killed(self):
        ledger = Ledger()
        wallet = ledger.wallet("anna", 5)
        environment.kill("redis")
        self.reads(ledger, wallet)
        environment.wait_until(lambda: environment.pid("redis"), 30, "redis runs")
        self.reads(ledger, wallet)


class Dependencies(Case):
    def says(self, component, ok, name="payments"):
        """payments is ready all the same, because its sagas wait, and says why what it lacks is not there."""
        told = environment.wait_until(
            lambda: next((one for one in [environment.components(name)[component]] if one["ok"] == ok), None), 20,
            f"{name} says of {component} ok={ok}")
        self.assertEqual((told["required"], bool(told.get("why"))), (False, not ok), told)
        self.assertTrue(environment.is_ready(name))

    def test_readyz_asks_who_hangs(self):
        """A connection that stands says nothing of who is behind it."""
        for name in ("accounts", "simulator"):
            with self.subTest(name=name):
                self.says(name, True)
                with environment.paused(name):
                    self.says(name, False)
                self.says(name, True)

    def test_keys_are_missing_without_auth(self):
        with contextlib.ExitStack() as running:
            with environment.stopped("auth"):
                replicas = [running.enter_context(Replica(name)) for name in ("accounts", "payments")]
                for replica in replicas:
                    self.says("keys", False, replica.admin)
            for replica in replicas:
                self.says("keys", True, replica.admin)

    def test_payments_lives_without_accounts(self):
        """A payment waits while accounts is away, and is carried out when it is back."""
        ledger = Market()
        wallet, other = ledger.wallet("anna", 100), ledger.wallet("bert")
        request = internal(ledger, wallet, other, 60)
        with environment.stopped("accounts"):
            try:
                payment = ledger.payments.call("CreatePayment", request, timeout=3).payment
                self.assertNotIn(state(payment), world.RESTING)
            except Refused as refused:
                self.assertIn(refused.code.name, ("DEADLINE_EXCEEDED", "UNAVAILABLE"))
            self.assertEqual(environment.admin_get("payments", "/livez")[0], 200)
            self.says("accounts", False)
        environment.wait_ready("accounts")
        self.says("accounts", True)
        payment = environment.wait_until(lambda: self.rests(ledger, request), 60, "the payment rests")
        self.assertEqual(state(payment), "SUCCEEDED")
        self.assertEqual(ledger.balances(other).posted_minor, 60)

    def test_deposit_waits_for_the_connector(self):
        ledger = Market()
        wallet = ledger.wallet("anna")
        request = deposit(ledger, wallet, 60)
        with environment.stopped("simulator"):
            try:
                payment = ledger.payments.call("CreatePayment", request, timeout=3).payment
                self.assertNotIn(state(payment), world.RESTING)
            except Refused as refused:
                self.assertIn(refused.code.name, ("DEADLINE_EXCEEDED", "UNAVAILABLE"))
            self.says("simulator", False)
        environment.wait_ready("simulator")
        self.says("simulator", True)
        payment = environment.wait_until(lambda: self.rests(ledger, request), 60, "the payment rests")
        self.assertEqual(state(payment), "SUCCEEDED")
        self.assertEqual(ledger.balances(wallet).posted_minor, 60)

    @staticmethod
    def rests(ledger, request):
        try:
            payment = ledger.payments.call("CreatePayment", request, timeout=5).payment
        except Refused:
            return None
        return payment if state(payment) in world.RESTING else None

    def test_tokens_are_verified_without_auth(self):
        """Keys were had before; auth away, tokens are still verified locally."""
        ledger = Ledger(())
        with environment.stopped("auth"):
            self.assertEqual(ledger.accounts.GetLedger(ledger_id=ledger.id).ledger.ledger_id, ledger.id)
        environment.wait_ready("auth")


class Logs(Case):
    def ask(self, person):
        """Of each service something that it refuses, with secrets in it."""
        gateway, wrong = Stub("auth", "gateway"), person.password + "x"
        for attempt in (lambda: gateway.LogIn(username=person.username, password=wrong),
                        lambda: gateway.LogIn(username=wrong, password=wrong),
                        lambda: gateway.CreateUser(user_id=new_id(), username=person.username, password=wrong, role=99),
                        lambda: Stub("accounts", "gateway", person.token).GetAccount(ledger_id=new_id(), account_id=new_id()),
                        lambda: Stub("accounts", "gateway", person.token + "x").GetAccount(ledger_id="x"),
                        lambda: Stub("accounts", "operator", person.token).GetLedger(ledger_id=new_id()),
                        lambda: Stub("payments", "gateway", person.token + "x").GetPayment(payment_id="x"),
                        lambda: notifications.notify(b"x", with_key=wrong.encode())):
            with self.assertRaises(Refused):
                attempt()

    @staticmethod
    def secrets(person):
        """{what it is: texts of which none may be seen}: each line of the files that hold secrets, tokens and their
        signatures."""
        files = [*(environment.HOME / "secrets").rglob("*"), *pathlib.Path(os.environ["DALER_CERT_DIR"]).rglob("*.key")]
        hidden = {str(file): [line for line in file.read_text().split() if len(line) >= 16]
                  for file in files if file.is_file()}
        hidden["password"] = [person.password]
        for name, token in {"player": person.token, "operator": world.operator_token()}.items():
            hidden[f"token of the {name}"] = [token, token.rsplit(".", 1)[1]]
        return hidden

    @staticmethod
    def shown():
        """{where: text} of all logs and metrics."""
        texts = {str(file): file.read_text(errors="replace") for file in (environment.HOME / "log").iterdir()}
        for name in environment.SERVICES:
            for path in ("/metrics", "/readyz"):
                texts[name + path] = environment.admin_get(name, path)[1]
        return texts

    def test_no_secret_is_seen_anywhere(self):
        person = world.person()
        self.ask(person)
        hidden, shown = self.secrets(person), self.shown()
        self.assertGreaterEqual({pathlib.Path(name).name for name in hidden}, {
            "operator.password", "accounts_owner.password", "accounts_service.password", "notification.key", "tls.key"})
        self.assertGreaterEqual({pathlib.Path(name).stem for name in shown}, {"postgres", "redis", *environment.SERVICES})
        self.assertNotIn([], hidden.values())
        for where, text in shown.items():
            self.assertTrue(text.strip() or where.endswith("-second.log"), where)
            self.assertNotIn("$argon2id$", text, where)
            for what, secret in ((what, secret) for what, lines in hidden.items() for secret in lines):
                if secret in text:
                    self.fail(f"{what} stands in {where}")

    def test_lines_are_json(self):
        for name in environment.SERVICES:
            text = environment.log_text(name)
            self.assertTrue(text.strip(), name)
            for line in text.splitlines():
                with self.subTest(name=name):
                    self.assertLessEqual({"time", "level"}, json.loads(line).keys())

    def test_refusals_are_logged_with_who_and_why(self):
        with self.assertRaises(Refused):
            Stub("accounts", "monitor").GetLedger(ledger_id=new_id())

        def logged():
            for line in environment.log_text("accounts").splitlines():
                if "IDENTITY_DENIED" in line and "GetLedger" in line and "monitor" in line:
                    return json.loads(line)
            return None

        entry = environment.wait_until(logged, 5, "the refusal is logged")
        self.assertIn("trace_id", json.dumps(entry))


if __name__ == "__main__":
    unittest.main()
