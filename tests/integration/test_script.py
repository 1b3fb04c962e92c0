"""What ./daler promises, in throw-away checkouts; and kill -9 of each process while `./daler demo` tells its story."""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from support import environment, storm, world
from support.cases import Case
from support.checkout import NAMES, Checkout, alive, kill
from support.client import PATIENCE
from support.contracts import CONTRACTS

Timestamp = CONTRACTS.message("google.protobuf.Timestamp")
READY = {name: "ready" for name in NAMES}
STOPPED = {name: "stopped" for name in NAMES}
ONE_EACH = {name: 1 for name in NAMES}
IMPATIENT = {"DALER_PAYMENTS_CONNECTOR_TIMEOUT_MS": str(int(500 * PATIENCE))}  # with the provider that never answers
LEDGERS = 'eval "$(./daler env)"; dalerctl ledger list'


def setUpModule():
    """Two checkouts are started at once: an ordinary one, and one below a folder that its owner alone may enter."""
    global folder, here, there
    signal.signal(signal.SIGINT, signal.default_int_handler)  # else it is ignored, by all that is started from here
    folder = pathlib.Path(tempfile.mkdtemp(prefix="daler-script."))
    unittest.addModuleCleanup(shutil.rmtree, folder)
    folder.chmod(0o711)
    (folder / "private").mkdir(0o700)
    here = Checkout(folder / "it's \"here\"", **IMPATIENT)
    unittest.addModuleCleanup(here.dispose)
    there = Checkout(folder / "private" / "there")
    unittest.addModuleCleanup(there.dispose)
    here.share_template()
    for process in (there.start("up"), here.start("up")):
        status, output, errors = Checkout.end(process)
        assert (status, errors) == (0, ""), output + errors
    environment.move_to(here.env())


class ScriptCase(Case):
    def works(self, checkout, *words, **settings):
        status, output, errors = checkout.run(*words, **settings)
        self.assertEqual((status, errors), (0, ""), (words, output))
        return output

    def refuses(self, status, wanted, *words, **settings):
        """It says why in one clear line, on standard error."""
        with self.subTest(words=words, **settings):
            found, output, errors = here.run(*words, **settings)
            self.assertEqual((found, output), (status, ""), errors)
            self.assertRegex(errors.splitlines()[-1], f"^daler: .*{wanted}")

    def is_up(self, checkout):
        self.assertEqual(checkout.states(), (0, READY))
        self.assertEqual(checkout.supervisors(), ONE_EACH)

    def up_again(self):
        self.works(here, "up")
        self.is_up(here)
        for name in environment.SERVICES:
            environment.wait_ready(name)

    def is_down(self, checkout, pids):
        self.assertEqual(checkout.processes(), {})
        self.assertEqual([pid for pid in pids if alive(pid)], [])

    def other(self, *command, **how):
        """A process that is not the script's."""
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **how)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process.pid


class Script(ScriptCase):
    def test_below_a_folder_that_postgresql_may_not_enter(self):
        if os.geteuid() != 0:
            self.skipTest("only as root is PostgreSQL another user")
        self.assertNotIn(there.root, there.place().parents)
        self.is_up(there)
        self.assertNotEqual(os.stat(f"/proc/{there.pid('postgres')}").st_uid, 0)

    def test_two_checkouts_side_by_side(self):
        """One is stopped and cleaned; the other lives and answers."""
        ports = [set(re.findall(r"\d+", (checkout.home / "ports").read_text())) for checkout in (here, there)]
        self.assertEqual((len(ports[0]), len(ports[1]), len(ports[0] | ports[1])), (10, 10, 20))
        pids, others = here.pids(), there.pids().values()
        self.works(there, "down")
        self.is_down(there, others)
        self.is_up(here)
        self.assertEqual(here.pids(), pids)
        here.shell(LEDGERS)
        place = there.place()
        self.works(there, "clean")
        self.assertEqual(there.files(), there.made)
        self.assertFalse(place.exists())
        self.assertEqual(self.works(there, "clean"), "")
        self.assertEqual(here.pids(), pids)
        here.shell(LEDGERS)

    def test_down_and_up_lose_nothing_however_often(self):
        ledger = world.Market()
        wallet = ledger.wallet("anna")
        payment = ledger.payments.call("CreatePayment", world.deposit(ledger, wallet, 5)).payment
        entries, balance, pids = ledger.statement(wallet), ledger.trial_balance(), here.pids()
        self.works(here, "up")
        self.assertEqual(here.pids(), pids)
        self.works(here, "down")
        self.is_down(here, pids.values())
        self.assertEqual(here.states(), (1, STOPPED))
        self.refuses(1, "./daler up starts them", "env")
        self.works(here, "down")
        self.up_again()
        self.assertEqual(ledger.payments.GetPayment(payment_id=payment.payment_id).payment, payment)
        self.assertEqual(ledger.statement(wallet), entries)
        self.assertEqual(ledger.trial_balance(), balance)

    def test_status_tells_who_died_and_up_mends(self):
        pids = here.pids()
        with environment.paused("accounts"):
            status, states = here.states()
        self.assertEqual((status, states), (1, {**READY, "accounts": "not ready"}))
        environment.kill("auth")  # comes back by itself
        environment.wait_until(lambda: here.states() == (0, READY), 30, "auth is back")
        for name in ("postgres", "simulator"):
            here.lose(name)
        status, states = here.states()
        self.assertEqual(status, 1)
        self.assertEqual((states["postgres"], states["simulator"]), ("stopped", "stopped"))
        self.refuses(1, "./daler up starts them", "env")
        self.up_again()
        self.assertEqual([name for name, pid in here.pids().items() if pid == pids[name]], ["redis", "accounts", "payments"])

    def test_logs(self):
        for name in NAMES:
            self.assertIn(name if name in environment.SERVICES else "ready", self.works(here, "logs", name).lower())
        self.assertEqual(len(self.works(here, "logs", "auth", "-n", "1").splitlines()), 1)

    def test_env_is_all_that_a_shell_needs(self):
        said = here.shell("""
            eval "$(./daler env)"
            for file in "$DALER_CA" "$DALER_CERT" "$DALER_KEY"; do test -s "$file"; done
            for name in auth accounts payments connector; do test -s "$DALER_CERT_DIR/$name/tls.key"; done
            for database in "$DALER_AUTH_DB" "$DALER_ACCOUNTS_DB" "$DALER_PAYMENTS_DB"
            do psql -XAtq -d "$database" -c "SELECT current_database(), current_user"; done
            redis-cli -u "$DALER_REDIS" --no-auth-warning ping
            for pid in $DALER_PIDS; do kill -0 "$pid"; done
            for address in "$DALER_AUTH_ADDR" "$DALER_ACCOUNTS_ADDR" "$DALER_PAYMENTS_ADDR" "$DALER_CONNECTOR_ADDR"
            do echo "${address##*:}"; done
            dalerctl ledger list >/dev/null; dalerctl connector operations >/dev/null""")
        ports = dict(line.split("=") for line in (here.home / "ports").read_text().split())
        self.assertEqual(said.split("\n")[:8], [
            "daler_auth|auth_owner", "daler_accounts|accounts_owner", "daler_payments|payments_owner", "PONG",
            ports["auth"], ports["accounts"], ports["payments"], ports["connector"]])
        self.assertEqual(set(map(int, here.env()["DALER_PIDS"].split())), set(here.pids().values()))

    def test_bad_usage(self):
        for wanted, *words in (("no command 'nonsense'", "nonsense"), ("which log", "logs"), ("no log of 'nobody'", "logs", "nobody"),
                               ("which command", "sandbox"), ("no test preset 'fast'", "test", "fast")):
            self.refuses(2, wanted, *words)
        taken = socket.create_server(("127.0.0.1", 0))
        port, other = taken.getsockname()[1], str(folder / "other home")
        with taken:
            self.refuses(2, "is in use", "up", DALER_HOME=other, DALER_PORT_BASE=str(port - 3))
        for base in ("80", "many", "65530"):
            self.refuses(2, "must be a number", "up", DALER_HOME=other, DALER_PORT_BASE=base)
        self.refuses(2, "holds something else", "up", DALER_HOME=str(folder))
        self.refuses(2, "was not made by this script", "remove", DALER_HOME=str(folder))
        self.refuses(2, "is missing: build it first", "up", DALER_BUILD_DIR="/nowhere")
        self.is_up(here)

    def test_a_sandbox_that_is_killed_takes_its_command_with_it(self):
        """However long that would have gone on, such as past the time limit of a test, and kept others waiting."""
        temporary = pathlib.Path(tempfile.mkdtemp(dir=folder))
        temporary.chmod(0o711)
        process = here.start("sandbox", "--no-services", "sh", "-c", "trap '' TERM; echo $$; exec sleep 600",
                             TMPDIR=str(temporary))
        command = int(process.stdout.readline())
        self.addCleanup(kill, command)
        kill(process.pid)
        environment.wait_until(lambda: not alive(command), 10, "the command has ended")
        environment.wait_until(lambda: not list(temporary.glob("daler-sandbox.*")), 60, "the sandbox is gone")
        Checkout.end(process)

    def test_strangers_are_left_alone(self):
        """Whose pid stands in an old record, who works in the checkout, and who names it."""
        pids = here.pids()
        self.works(here, "down")
        stranger = self.other("sleep", "600", cwd=here.home)
        reader = self.other("tail", "-f", here.home / "log/auth.log")
        for name, text in (("auth.pid", record(stranger, started=1)), ("auth.supervisor", record(stranger, started=1)),
                           ("redis.pid", record(stranger, boot="another"))):
            (here.home / "run" / name).write_text(text)
        (here.place() / "pg" / "postmaster.pid").write_text(f"{stranger}\n{here.place()}/pg\n")
        self.works(here, "down")
        self.up_again()
        self.assertTrue(alive(stranger) and alive(reader))
        self.assertFalse(set(pids.values()) & set(here.pids().values()))


class Disturbed(ScriptCase):
    def test_a_start_that_is_interrupted(self):
        """Ctrl-C as soon as something runs; then the next one finds what there is, and leaves nothing that runs twice."""
        self.works(here, "down")
        start = here.start("up")
        environment.wait_until(here.supervisors, 60, "something runs")
        interrupt(start)
        Checkout.end(start)
        self.up_again()

    def test_what_no_record_knows(self):
        """As after an `up` was killed before what it had just started was on record: ended, and started anew."""
        pids = here.pids()
        for name in ("auth.supervisor", "auth.pid", "payments.supervisor"):
            (here.home / "run" / name).unlink()
        self.up_again()
        self.assertFalse(alive(pids["auth"]))
        self.assertEqual(here.pids()["accounts"], pids["accounts"])

    def test_a_start_while_all_is_removed(self):
        """It waits for the removal to end, and makes all anew. `clean` stops what runs, and leaves nothing of it; whatever
        else is in the checkout stays."""
        home, pids, mark = folder / "another home", here.pids(), folder / "asked to stop"
        (home / "run").mkdir(parents=True)
        (home / "environment").touch()
        stubborn = self.other("bash", "-c", 'trap "touch -- \'$0\'" TERM; while :; do sleep 0.05; done', mark)
        (home / "run" / "redis.pid").write_text(record(stubborn))
        started = [here.start("remove", DALER_HOME=str(home))]
        environment.wait_until(mark.exists, 30, "the removal waits for what still runs")
        for _ in range(2):
            started.append(here.start("up", DALER_HOME=str(home)))
            environment.wait_until(lambda: "flock" in children(started[-1].pid), 30, "the start waits for the removal")
        kill(stubborn)
        ended = [Checkout.end(process) for process in started]
        self.assertEqual([(status, errors) for status, _, errors in ended], [(0, "")] * 3, ended)
        self.works(here, "status", DALER_HOME=str(home))
        (here.root / "build" / "release").mkdir(parents=True)
        self.works(here, "clean", DALER_HOME=str(home))
        self.assertFalse(home.exists())
        self.assertEqual(here.files(), {*here.made, ".daler"})
        self.assertEqual(here.pids(), pids)
        self.is_up(here)


def interrupt(process):
    """Ctrl-C; again where a shell was just about to start something, and lost it."""
    while process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)


def children(pid):
    return subprocess.run(["ps", "-o", "comm=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()


def record(pid, started=None, boot=None):
    """As the script remembers a process."""
    started = started or pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    boot = boot or pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{pid} {started} {boot}\n"


def session():
    """A process of PostgreSQL's in which a service has its session; the whole of PostgreSQL restarts when it is killed."""
    return int(environment.sql_value("super", "SELECT pid FROM pg_stat_activity WHERE usename = 'payments_service' LIMIT 1"))


class Demo(ScriptCase):
    """Each process is killed in the middle of the story, which needs it; two stories are told at a time."""

    # Who dies at the beginning of which step.
    STORIES = (({2: "auth", 5: "simulator", 8: "session"}, {3: "redis", 5: "accounts"}),
               ({4: "postgres", 8: "payments"}, {4: "all of it"}))

    def test_told_while_each_is_killed(self):
        for victims in self.STORIES:
            with concurrent.futures.ThreadPoolExecutor() as pool:
                stories = list(pool.map(self.told, victims))
            for killed, (status, output, errors) in zip(victims, stories):
                with self.subTest(killed=killed):
                    if "all of it" in killed.values():  # Ctrl-C
                        self.assertEqual(status, -signal.SIGINT, output + errors)
                        self.assertEqual(list(self.temporary.glob("daler-demo.*")), [])
                        continue
                    self.assertEqual(status, 0, output + errors)  # each request is repeated with its own key
                    self.assertIn("Everything is still running", output)
        self.up_again()
        self.works(here, "demo")
        self.check_books(whole=4)

    def setUp(self):
        self.temporary = pathlib.Path(tempfile.mkdtemp(dir=folder))

    def told(self, victims):
        """`./daler demo` to its end: exit status, standard output, standard error."""
        process = here.start("demo", TMPDIR=str(self.temporary))
        hung = threading.Timer(120 * PATIENCE, os.killpg, (process.pid, signal.SIGKILL))
        hung.start()
        output = ""
        for line in process.stdout:
            output += line
            step = re.match(r" ?(\d+)\. ", line)
            victim = victims.get(int(step[1])) if step else None
            if victim == "all of it":
                interrupt(process)
            elif victim:
                kill(session() if victim == "session" else environment.pid(victim))
        hung.cancel()
        status, _, errors = Checkout.end(process)
        return status, output, errors

    def check_books(self, whole):
        """Nothing is under way, nothing is lost or there twice: the provider's books tell the same as ours."""
        environment.wait_until(lambda: environment.sql_value("payments", "SELECT count(*) FROM payments WHERE open") == "0",
                               120, "every payment rests")
        accounts, now = world.operator("accounts"), int(time.time())
        told, total = 0, 0
        for ledger in accounts.ListLedgers(page_size=1000).ledgers:
            storm.check_balanced(self, accounts.GetTrialBalance(ledger_id=ledger.ledger_id))
            (clearing,) = (account.balances.posted_minor for account in accounts.ListAccounts(ledger_id=ledger.ledger_id).accounts
                           if account.metadata.label == "clearing")
            told += ledger.name.startswith("Demonstration") and clearing == 4000
            total += clearing
        self.assertGreaterEqual(told, whole)
        self.assertEqual(storm.provider_total(self, storm.operations()), total)
        compared = world.operator("payments").ReconcileConnector(
            connector="simulator", start_time=Timestamp(seconds=now - 3600), end_time=Timestamp(seconds=now + 60))
        self.assertEqual((list(compared.differences), compared.operation_count), ([], len(storm.operations())))


if __name__ == "__main__":
    unittest.main()
