"""dalerctl as its users run it."""

import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

from support import environment, world
from support.client import PATIENCE
from support.contracts import payments as p
from support.world import Ledger, Market, deposit, new_id, request

DALERCTL = str(pathlib.Path(os.environ["DALER_BUILD_DIR"]) / "bin" / "dalerctl")


def dalerctl(*words, stdin="", **variables):
    return subprocess.run([DALERCTL, *words], input=stdin, capture_output=True, text=True, timeout=60,
                          env={**os.environ, **variables})


class Ledgers(unittest.TestCase):
    """What an operator does with accounts and their past."""

    def setUp(self):
        self.ledger = Ledger()
        self.wallet = self.ledger.wallet("anna", 1234)
        self.key = ("--ledger", self.ledger.id, "--account", self.wallet)

    def run_cli(self, *words, status=0):
        result = dalerctl(*words)
        self.assertEqual(result.returncode, status, result.stderr)
        return result.stdout

    def test_trial_balance_of_any_size(self):
        for amount in ((1 << 63) - 1, (1 << 63) - 3):
            self.ledger.post(self.ledger.open(), self.ledger.open(), amount)
        words = ("ledger", "trial-balance", "--ledger", self.ledger.id)
        text = self.run_cli(*words)
        self.assertEqual(text.count(" 184467440737095528.46 "), 2, text)  # 2^64 - 4 + 1234, and the two points of EUR
        self.assertIn(" 0.00 ", text)
        exact = json.loads(self.run_cli("--json", *words))["lines"][0]["exact"]
        self.assertEqual(exact["credits_posted_minor"], str((1 << 64) - 4 + 1234))

    def test_update_and_close(self):
        text = self.run_cli("account", "update", *self.key, "--label", "neu", "--lower-limit", "-5.00",
                            "--upper-limit", "none", "--credit-line", "2.50", "--status", "frozen")
        for word in ("neu", "-5.00", "2.50", "FROZEN"):
            self.assertIn(word, text)
        self.assertIn("VERSION_CONFLICT", dalerctl("account", "update", *self.key, "--version", "1", "--label",
                                                   "other").stderr)
        self.assertIn("ACCOUNT_NOT_EMPTY", dalerctl("account", "close", *self.key).stderr)
        self.assertEqual(dalerctl("account", "update", *self.key).returncode, 2)
        self.assertEqual(dalerctl("account", "update", *self.key, "--status", "gone").returncode, 2)
        empty = ("--ledger", self.ledger.id, "--account", self.ledger.wallet("bert"))
        self.assertIn("CLOSED", self.run_cli("account", "close", *empty))

    def test_assets(self):
        where = ("--ledger", self.ledger.id)
        self.run_cli("asset", "register", *where, "--code", "GOLD", "--exponent", "3")
        self.assertIn("GOLD", self.run_cli("asset", "list", *where))
        text = self.run_cli("account", "create", *where, "--owner", "x", "--currency", "GOLD", "--normal-side",
                            "credit", "--upper-limit", "500")
        self.assertIn("500", text)

    def test_the_past(self):
        text = self.run_cli("account", "statement", *self.key, "--descending", "--from", "1", "--to", "1",
                            "--from-time", "2020-01-01", "--to-time", "2199-01-01T00:00:00.5Z")
        self.assertIn("opening 0.00 EUR, closing 12.34 EUR", text)
        self.assertIn("0.00 EUR", self.run_cli("account", "balance", *self.key, "--at", "2020-01-01"))
        self.assertEqual(dalerctl("account", "balance", *self.key, "--at", "yesterday").returncode, 2)

    def test_verify(self):
        self.assertIn("0 discrepancies", self.run_cli("ledger", "verify", "--ledger", self.ledger.id))
        replies = self.run_cli("--json", "ledger", "verify", "--ledger", self.ledger.id)
        self.assertIn('"complete": true', replies.replace('":true', '": true'))
        self.assertEqual(dalerctl("ledger", "verify", "--ledger", new_id(), "--timeout", "60").returncode, 1)


class Operating(unittest.TestCase):
    """What an operator does at night."""

    def setUp(self):
        self.ledger = Market()
        self.wallet = self.ledger.wallet("anna", 1000)

    def run_cli(self, *words, status=0):
        result = dalerctl(*words)
        self.assertEqual(result.returncode, status, result.stderr)
        return result.stdout

    def payment(self, instrument="sim:ok", timeout=20):
        request = deposit(self.ledger, self.wallet, 1250, instrument=instrument, reference="order-7")
        return self.ledger.payments.call("CreatePayment", request, timeout=timeout).payment

    def test_lists_and_watches(self):
        payment = self.payment()
        for filters in (("--kind", "deposit"), ("--account", self.wallet), ("--reference", "order-7"),
                        ("--connector", "simulator", "--from", "2026-01-01"), ("--currency", "EUR", "--amount-min", "12.50")):
            self.assertIn(payment.payment_id, self.run_cli("payment", "list", "--ledger", self.ledger.id, *filters))
        self.assertNotIn(payment.payment_id, self.run_cli("payment", "list", "--ledger", self.ledger.id, "--kind", "wager"))
        self.assertIn("no kind", dalerctl("payment", "list", "--ledger", self.ledger.id, "--kind", "gift").stderr)
        text = self.run_cli("payment", "watch", "--ledger", self.ledger.id, "--timeout", "3")
        self.assertEqual([line.split()[2] for line in text.splitlines()], ["1", "2", "3", "4"])
        self.assertIn("SUCCEEDED", text)

    def test_kinds_are_named(self):
        game = self.ledger.wallet("the game")
        wager = request(self.ledger, 250, fee=(5, game), wager=p.Wager(
            account_id=self.wallet, game_account_id=self.ledger.wallet("the house"), round_id="round-9"))
        payment = self.ledger.payments.call("CreatePayment", wager, timeout=20).payment
        text = self.run_cli("payment", "get", "--payment-id", payment.payment_id)
        for word in ("wager", "round-9", self.wallet, "2.50 EUR", "0.05 EUR"):
            self.assertIn(word, text)
        self.assertIn("wager", self.run_cli("payment", "list", "--ledger", self.ledger.id))

    def test_stuck_retry_resolve(self):
        with environment.stopped("simulator"):
            payment = self.payment(timeout=10)
            environment.wait_until(lambda: "UNKNOWN" in self.run_cli(
                "payment", "stuck", "--ledger", self.ledger.id, "--seconds", "1"), 20, "it is listed")
            self.run_cli("payment", "retry", "--payment-id", payment.payment_id, "--reason", "try")
            evidence = ("--payment-id", payment.payment_id, "--reason", "seen there", "--reference", "T-9")
            self.assertEqual(dalerctl("payment", "resolve", "done", "--payment-id", payment.payment_id).returncode, 2)
            self.run_cli("payment", "resolve", "not-done", *evidence)
            self.run_cli("payment", "resolve", "not-done", *evidence)
            self.run_cli("payment", "resolve", "done", *evidence, status=1)
        text = self.run_cli("payment", "get", "--payment-id", payment.payment_id)
        for word in ("DECLINED", "RESOLVED_BY_OPERATOR", "T-9: seen there", "operator (", "silent"):
            self.assertIn(word, text)
        text = self.run_cli("payment", "actions", "--ledger", self.ledger.id)
        self.assertIn("resolve", text)
        self.assertIn("retry", text)

    def test_reconcile(self):
        payment = self.payment()
        result = dalerctl("payment", "reconcile", "--from", time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400)))
        self.assertIn("operations and", result.stderr)
        self.assertNotIn(payment.payment_id, result.stdout)


class Limits(unittest.TestCase):
    """A person's limits and exclusions, by an operator."""

    def setUp(self):
        self.ledger = Market()
        self.wallet = self.ledger.wallet("anna")
        self.key = ("--ledger", self.ledger.id, "--person", "anna")
        self.run_cli("limit", "set-market", "--ledger", self.ledger.id, "--time-zone", "Europe/Berlin", "--cooling-off",
                     "3600", "--reason", "opens")

    def run_cli(self, *words, status=0):
        result = dalerctl(*words)
        self.assertEqual(result.returncode, status, result.stderr)
        return result.stdout

    def test_limits(self):
        self.assertIn("Europe/Berlin", self.run_cli("limit", "market", "--ledger", self.ledger.id))
        what = ("limit", "set", *self.key, "--currency", "EUR", "--measure", "deposits", "--reason", "asked")
        words = (*what, "--period", "day")
        self.assertIn("12.50", self.run_cli(*words, "--amount", "12.50"))
        self.assertIn("none", self.run_cli(*words, "--amount", "none"))
        text = self.run_cli("payment", "create", "deposit", "--ledger", self.ledger.id, "--account", self.wallet, "--amount",
                            "12.51", "--currency", "EUR", "--connector", "simulator", "--instrument", "sim:ok", status=1)
        for word in ("LIMIT_EXCEEDED", "DEPOSITS", "DAY", "12.50 EUR"):
            self.assertIn(word, text)
        self.assertEqual(json.loads(self.run_cli("--json", "limit", "list", *self.key))["limits"][0]["left_minor"], "1250")
        self.assertEqual(self.run_cli("limit", "list", *self.key).count("12.50"), 2)
        self.assertEqual(self.run_cli("limit", "changes", *self.key).count("SET_LIMIT"), 2)
        self.assertIn("SET_MARKET", self.run_cli("limit", "changes", "--ledger", self.ledger.id))
        self.run_cli(*what, "--amount", "1", "--period", "year", status=2)

    def test_exclusions(self):
        self.assertIn("TIME_OUT", self.run_cli("exclusion", "time-out", *self.key, "--reason", "asked", "--until",
                                               time.strftime("%Y-%m-%d", time.gmtime(time.time() + 2 * 86400))))
        self.assertIn("for ever", self.run_cli("exclusion", "set", *self.key, "--for-ever", "--reason", "asked"))
        self.assertIn("for ever", self.run_cli("exclusion", "set", *self.key, "--until", "2199-01-01", "--reason", "asked"))
        text = self.run_cli("exclusion", "list", *self.key)
        self.assertIn("SELF_EXCLUSION", text)
        self.assertIn("TIME_OUT", text)
        self.assertIn("EXCLUSION_STANDS", dalerctl("exclusion", "lift", *self.key, "--reason", "asked").stderr)
        self.assertIn("bert", self.run_cli("exclusion", "lift", "--ledger", self.ledger.id, "--person", "bert", "--reason", "x"))
        self.run_cli("exclusion", "set", *self.key, "--reason", "neither", status=2)


class Story(unittest.TestCase):
    """From nothing to a paid-out player, by command line alone."""

    def done(self, *words, **more):
        result = dalerctl("--json", *words, **more)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_story(self):
        ledger, clearing, wallet, other = (new_id() for _ in range(4))
        player = f"cli-{new_id()[-12:]}"
        with tempfile.TemporaryDirectory() as folder:
            secret = pathlib.Path(folder) / "password"
            secret.write_text("a long enough password\n")
            user = self.done("user", "create", "--username", player, "--role", "player", "--password-file", str(secret))
            user_id = user["user"]["user_id"]
            self.assertEqual(self.done("user", "get", "--user-id", user_id)["user"]["role"], "ROLE_PLAYER")
        self.done("ledger", "create", "--ledger-id", ledger, "--name", "cli")
        common = ("account", "create", "--ledger", ledger, "--currency", "EUR")
        self.done(*common, "--account-id", clearing, "--owner", "psp", "--normal-side", "debit")
        self.done(*common, "--account-id", wallet, "--owner", user_id, "--normal-side", "credit", "--lower-limit", "0")
        self.done(*common, "--account-id", other, "--owner", "bert", "--normal-side", "credit", "--lower-limit", "0",
                  "--upper-limit", "1000.00", "--label", "Spielkonto")
        self.done("connector", "register-clearing", "--ledger", ledger, "--connector", "simulator", "--currency",
                  "EUR", "--account", clearing)
        pay = ("payment", "create")
        rest = ("--ledger", ledger, "--currency", "EUR")
        paid = self.done(*pay, "deposit", *rest, "--account", wallet, "--amount", "50.00", "--key", "one")
        self.assertEqual(paid["payment"]["state"], "PAYMENT_STATE_SUCCEEDED")
        self.assertEqual(paid["payment"]["amount_minor"], "5000")
        self.assertFalse(paid["replayed"])
        again = self.done(*pay, "deposit", *rest, "--account", wallet, "--amount", "50", "--key", "one")
        self.assertTrue(again["replayed"])
        self.assertEqual(again["payment"], paid["payment"])
        self.done(*pay, "transfer", *rest, "--account", wallet, "--to-account", other, "--amount", "12.34")
        self.done(*pay, "withdrawal", *rest, "--account", wallet, "--amount", "7.66")
        declined = dalerctl("--json", *pay, "withdrawal", *rest, "--account", wallet, "--amount", "30.01")
        self.assertEqual(declined.returncode, 1)
        self.assertEqual(json.loads(declined.stdout)["payment"]["state"], "PAYMENT_STATE_DECLINED")
        posted = self.done("transfer", "post", "--ledger", ledger, "--from", wallet, "--to", other, "--amount", "1",
                           "--currency", "EUR", "--hold")
        hold = posted["outcome"]["posted"]["transfers"][0]["transfer"]["transfer_id"]
        self.assertEqual(self.done("transfer", "get", "--ledger", ledger, "--transfer-id", hold)["hold_state"],
                         "HOLD_STATE_PENDING")
        self.done("transfer", "post", "--ledger", ledger, "--from", wallet, "--to", other, "--currency", "EUR",
                  "--release", hold)
        account = self.done("account", "get", "--ledger", ledger, "--account-id", wallet)["account"]
        self.assertEqual(account["balances"]["available_minor"], "3000")
        self.assertNotIn("upper_limit", account["metadata"])
        statement = self.done("account", "statement", "--ledger", ledger, "--account", wallet)
        self.assertEqual([entry["sequence"] for entry in statement["entries"]],
                         [str(n + 1) for n in range(len(statement["entries"]))])
        self.every_kind(ledger, wallet, other, paid["payment"]["payment_id"])
        payments = self.done("payment", "list", "--ledger", ledger, "--state", "declined")["payments"]
        self.assertEqual(len(payments), 1)
        shown = self.done("payment", "get", "--payment-id", payments[0]["payment_id"])
        self.assertEqual(shown["events"][-1]["state"], "PAYMENT_STATE_DECLINED")
        self.assertTrue(self.done("ledger", "trial-balance", "--ledger", ledger)["balanced"])

    def every_kind(self, ledger, wallet, other, deposit):
        """Refund, wager with a fee, settlement, rollback; then one between ledgers."""
        game, fees, there, friend = (new_id() for _ in range(4))
        rest = ("--ledger", ledger, "--currency", "EUR")
        self.done("ledger", "create", "--ledger-id", there, "--name", "there")
        for at, account in ((ledger, game), (ledger, fees), (there, friend)):
            self.done("account", "create", "--ledger", at, "--currency", "EUR", "--account-id", account, "--owner", "house",
                      "--normal-side", "credit")
        for at in (ledger, there):
            transit = new_id()
            self.done("account", "create", "--ledger", at, "--currency", "EUR", "--account-id", transit, "--owner", "transit",
                      "--normal-side", "credit")
            world.operator("payments").RegisterTransitAccount(ledger_id=at, currency="EUR", account_id=transit)
        pay, of_round = ("payment", "create"), ("--account", wallet, "--game-account", game, "--round", "r1")
        made = {}
        for kind, words in {
                "refund": ("--payment-id", deposit, "--amount", "1"),
                "wager": (*of_round, "--amount", "2", "--key", "w1", "--fee", "0.10", "--fee-account", fees),
                "rollback": (*of_round, "--amount", "2", "--original-key", "w1"),
                "settlement": (*of_round, "--amount", "1"),
                "remote_transfer": ("--account", wallet, "--to-ledger", there, "--to-account", friend, "--amount", "3")}.items():
            made[kind] = self.done(*pay, kind.replace("_", "-"), *rest, *words)["payment"]
            self.assertIn(kind, made[kind])
            self.assertEqual(made[kind]["state"], "PAYMENT_STATE_SUCCEEDED")
        self.assertEqual(made["rollback"]["original_payment_id"], made["wager"]["payment_id"])
        self.assertEqual(made["wager"]["fee"], {"amount_minor": "10", "account_id": fees})
        late = dalerctl("payment", "cancel", "--payment-id", made["wager"]["payment_id"])
        self.assertEqual(late.returncode, 1)
        self.assertIn("PAYMENT_NOT_CANCELABLE", late.stderr)
        shown = dalerctl("payment", "get", "--payment-id", made["remote_transfer"]["payment_id"])
        for word in ("STEP", "hold", "capture", "posted", "3.00"):
            self.assertIn(word, shown.stdout)


class Tables(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ledger = Ledger()
        cls.wallet = cls.ledger.wallet("anna", 123456)

    def shown(self, *words):
        result = dalerctl(*words)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result)
        return result.stdout

    def test_amounts_are_decimal(self):
        text = self.shown("account", "get", "--ledger", self.ledger.id, "--account", self.wallet)
        self.assertIn("1234.56", text)

    def test_every_read_has_a_table(self):
        ledger = ("--ledger", self.ledger.id)
        account = ("--account", self.wallet)
        for words in (("ledger", "list"), ("ledger", "get", *ledger), ("ledger", "trial-balance", *ledger),
                      ("account", "list", *ledger), ("account", "get", *ledger, *account),
                      ("account", "metadata", *ledger, *account), ("account", "statement", *ledger, *account),
                      ("payment", "list", *ledger), ("connector", "operations"), ("keys", "show"), ("id", "new")):
            with self.subTest(words=words):
                self.assertTrue(self.shown(*words).strip())


class Errors(unittest.TestCase):
    def refused(self, status, *words, text=None, **more):
        result = dalerctl(*words, **more)
        self.assertEqual(result.returncode, status, result)
        if text is not None:
            self.assertIn(text, result.stderr)
        return result

    def test_usage(self):
        for words in (("nonsense",), ("ledger", "nonsense"), ("ledger",), ("ledger", "get"), ("id", "new", "--what"),
                      ("ledger", "get", "--ledger"), ("ledger", "get", "--ledger", "x"),
                      ("payment", "create"), ("payment", "create", "gift"), ("id", "new", "extra"),
                      ("ledger", "list", "--page-size", "many"), ("ledger", "list", "--timeout", "0")):
            with self.subTest(words=words):
                self.refused(2, *words, text="--help")

    def test_what_a_kind_takes(self):
        """Each is told by name what it lacks, and what it does not have."""
        rest = ("--ledger", new_id(), "--currency", "EUR", "--amount", "1")
        account = ("--account", new_id())
        game = (*account, "--game-account", new_id())
        for kind, words, text in (
                ("deposit", (), "a deposit needs --account"),
                ("deposit", ("--account", "x"), "--account must be a UUID"),
                ("deposit", (*account, "--to-account", new_id()), "a deposit has no --to-account"),
                ("transfer", account, "a transfer needs --to-account"),
                ("remote-transfer", (*account, "--to-account", new_id()), "needs --to-ledger"),
                ("refund", account, "a refund has no --account"),
                ("refund", (), "a refund needs --payment-id"),
                ("wager", game, "a wager needs --round"),
                ("settlement", (*game, "--round", "r", "--connector", "c"), "a settlement has no --connector"),
                ("rollback", (*game, "--round", "r"), "a rollback needs --original-key"),
                ("deposit", (*account, "--fee", "1"), "--fee-account"),
                ("deposit", (*account, "--fee", "x", "--fee-account", new_id()), "--fee must be")):
            with self.subTest(kind=kind, text=text):
                self.refused(2, "payment", "create", kind, *rest, *words, text=text)

    def test_amounts(self):
        for amount in ("1.234", "x", "", "1e3", "92233720368547758.08", "--1"):
            with self.subTest(amount=amount):
                self.refused(2, "payment", "create", "deposit", "--ledger", new_id(), "--account", new_id(),
                             "--currency", "EUR", "--amount", amount, text="amount")

    def test_refusals_say_reason_and_field(self):
        self.refused(1, "ledger", "get", "--ledger", new_id(), text="LEDGER_NOT_FOUND")
        self.refused(1, "account", "create", "--ledger", new_id(), "--owner", "", "--currency", "EUR",
                     "--normal-side", "debit", text="accounts[0].owner")
        self.refused(1, "ledger", "list", text="dalerctl login", DALER_TOKEN="")
        result = self.refused(1, "--json", "ledger", "get", "--ledger", new_id())
        error = json.loads(result.stderr)["error"]
        self.assertEqual((error["reason"], error["field"]), ("LEDGER_NOT_FOUND", "ledger_id"))

    def test_not_reached(self):
        result = self.refused(3, "ledger", "list", "--timeout", str(int(PATIENCE)), DALER_ACCOUNTS_ADDR="127.0.0.1:1")
        self.assertIn("127.0.0.1:1", result.stderr)

    def test_not_the_service_that_was_meant(self):
        """Another service of ours, with a good certificate, is not believed to be accounts."""
        self.refused(3, "ledger", "list", "--timeout", str(int(PATIENCE)), DALER_ACCOUNTS_ADDR=os.environ["DALER_PAYMENTS_ADDR"])

    def test_wrong_certificate(self):
        folder = pathlib.Path(os.environ["DALER_CERT_DIR"]) / "monitor"
        self.refused(1, "ledger", "list", text="IDENTITY_DENIED", DALER_CERT=str(folder / "tls.crt"),
                     DALER_KEY=str(folder / "tls.key"))


class LogIn(unittest.TestCase):
    def test_password_from_file_and_from_standard_input(self):
        player = world.person()
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(player.password + "\n")
            file.flush()
            words = ("login", "--username", player.username, "--print-token")
            gateway = pathlib.Path(os.environ["DALER_CERT_DIR"]) / "gateway"
            certificate = {"DALER_CERT": str(gateway / "tls.crt"), "DALER_KEY": str(gateway / "tls.key")}
            one = dalerctl(*words, "--password-file", file.name, **certificate)
            two = dalerctl(*words, stdin=player.password + "\n", **certificate)
        for result in (one, two):
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(result.stdout.count("."), 2)
            self.assertEqual(result.stdout.count("\n"), 1)

    def test_wrong_password(self):
        result = dalerctl("login", "--username", "operator", stdin="wrong password\n")
        self.assertEqual(result.returncode, 1)
        self.assertIn("BAD_CREDENTIALS", result.stderr)
        self.assertNotIn("wrong password", result.stderr)


class Help(unittest.TestCase):
    def test_every_level(self):
        top = dalerctl("--help")
        self.assertEqual(top.returncode, 0)
        self.assertEqual(dalerctl().stdout, top.stdout)
        commands = top.stdout.split("commands:\n")[1].split("\n\n")[0].splitlines()
        self.assertGreater(len(commands), 15)
        for line in commands:
            words = [word for word in line.split("  ")[1].split() if "|" not in word]
            with self.subTest(words=words):
                result = dalerctl(*words, "--help")
                self.assertEqual(result.returncode, 0, result)
                self.assertIn("usage:", result.stdout)


class Patience(unittest.TestCase):
    def test_a_service_that_comes_back_is_waited_for(self):
        ledger = Ledger(())
        environment.kill("accounts")
        result = dalerctl("ledger", "get", "--ledger", ledger.id)
        self.assertEqual(result.returncode, 0, result.stderr)
        environment.wait_ready("accounts")


if __name__ == "__main__":
    unittest.main()
