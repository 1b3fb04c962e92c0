"""Hands on the private environment: its databases, its processes, its admin ports, its logs."""

import contextlib
import csv
import http.client
import io
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from .client import PATIENCE, renew

ROOT = pathlib.Path(os.environ["DALER_ROOT"])
HOME = pathlib.Path(os.environ["DALER_HOME"])
PROCESSES = ("postgres", "redis", "auth", "accounts", "payments", "simulator")
SERVICES = ("auth", "accounts", "payments", "simulator")


class SqlError(RuntimeError):
    """What PostgreSQL, or the way to it, answered instead of rows."""


def move_to(variables):
    """The hands are on another environment from here on, of which `./daler env` says this."""
    global HOME
    os.environ.update(variables)
    HOME = pathlib.Path(variables["DALER_HOME"])


def sql(database, statement):
    """Rows of a query in a service's database, as its owner; "super": as the cluster's superuser."""
    return _rows(database, "-c", statement)


def psql(database, script):
    """Rows of all queries of a script, whatever its length; "super/NAME": as the superuser, in that database."""
    return _rows(database, "-f", "-", input=script)


def _rows(database, *words, **more):
    role, _, name = database.partition("/")
    conninfo = os.environ["DALER_SUPERUSER_DB" if role == "super" else f"DALER_{role.upper()}_DB"]
    if name:
        conninfo = conninfo.replace("dbname=postgres", f"dbname={name}")
    result = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "--csv", "-t", "-d", conninfo, *words],
                            capture_output=True, text=True, timeout=60, **more)
    if result.returncode != 0:
        raise SqlError(result.stderr)
    return list(csv.reader(io.StringIO(result.stdout)))


def sql_value(database, statement):
    rows = sql(database, statement)
    assert len(rows) == 1 and len(rows[0]) == 1, rows
    return rows[0][0]


@contextlib.contextmanager
def locked(database, rows):
    """Nobody changes these rows, "table WHERE ...", while the block runs."""
    with subprocess.Popen(["psql", "-X", "-q", "-d", os.environ[f"DALER_{database.upper()}_DB"]], stdin=subprocess.PIPE,
                          text=True, stdout=subprocess.PIPE) as psql:
        psql.stdin.write(f"BEGIN; SELECT 'locked' FROM {rows} FOR UPDATE;\n")
        psql.stdin.flush()
        while "locked" not in psql.stdout.readline():
            pass
        try:
            yield
        finally:
            psql.communicate("COMMIT;\n")


def pid(name):
    """The process that runs under a name now; None while there is none."""
    try:
        number = int((HOME / "run" / f"{name}.pid").read_text().split()[0])
        state = pathlib.Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, IndexError, ProcessLookupError):
        return None
    return None if state in "ZX" else number


def resident_mib(name, what="VmRSS"):
    """Of a process: now, or "VmHWM", the most since it was started."""
    status = pathlib.Path(f"/proc/{pid(name)}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(what + ":")) / 1024


def supervisor_pid(name):
    return int((HOME / "run" / f"{name}.supervisor").read_text().split()[0])


def listens(address):
    """Whether anybody takes connections at host:port."""
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
        return True
    except OSError:
        return False


def wait_until(condition, timeout_s, what):
    """Asks until it says yes, and returns what it said."""
    deadline = time.monotonic() + timeout_s * PATIENCE
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s * PATIENCE:.0f} s: {what}")
        time.sleep(0.05)


def kill(name):
    """kill -9, PostgreSQL with all of its processes; returns the pid that it was."""
    pids = family(name)
    for number in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    return pids[0]


def kill_and_wait(name):
    """kill -9, and wait until its supervisor has brought it back."""
    before = kill(name)
    wait_until(lambda: pid(name) not in (None, before), 30, f"{name} was started again")
    if name in SERVICES:
        wait_ready(name)


@contextlib.contextmanager
def paused(name):
    """SIGSTOP while the block runs; PostgreSQL with the processes of its sessions."""
    pids = family(name)
    for number in pids:
        with contextlib.suppress(ProcessLookupError):  # the end of a session
            os.kill(number, signal.SIGSTOP)
    try:
        yield
    finally:
        for number in reversed(pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGCONT)


def family(name):
    """A process and its children."""
    number = wait_until(lambda: pid(name), 30, f"{name} runs")
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(number)], capture_output=True, text=True)
    return [number] + [int(word) for word in children.stdout.split()]


@contextlib.contextmanager
def stopped(name):
    """Not there at all while the block runs: its supervisor is paused, and it is killed."""
    supervisor = supervisor_pid(name)
    os.kill(supervisor, signal.SIGSTOP)
    try:
        before = kill(name)
        wait_until(lambda: pid(name) is None, 10, f"{name} is dead")
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)
        wait_until(lambda: pid(name) not in (None, before), 30, f"{name} was started again")
        if name in SERVICES:
            wait_ready(name)


def admin_address(name):
    """Of a service; what is an address already stays."""
    if ":" in name:
        return name
    return os.environ[f"DALER_{'CONNECTOR' if name == 'simulator' else name.upper()}_ADMIN_ADDR"]


def admin_get(name, path, timeout_s=10):
    """(status, text) of a GET to the admin port."""
    connection = http.client.HTTPConnection(admin_address(name), timeout=timeout_s * PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def components(name):
    """{name: what /readyz says of it} of a service's dependencies."""
    return {one["name"]: one for one in json.loads(admin_get(name, "/readyz")[1])["components"]}


def says_yes(name, path):
    try:
        return admin_get(name, path)[0] == 200
    except OSError:
        return False


def lives(name):
    return says_yes(name, "/livez")


def is_ready(name):
    return says_yes(name, "/readyz")


def wait_ready(name, timeout_s=30):
    """Also forgets connections to the process that was there before."""
    wait_until(lambda: is_ready(name), timeout_s, f"{name} is ready")
    renew("connector" if name == "simulator" else name)


def metrics(name):
    """Samples of /metrics: {(name, labels as text): value}."""
    status, text = admin_get(name, "/metrics")
    assert status == 200, status
    samples = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            metric, _, labels = series.partition("{")
            samples[metric, labels.rstrip("}")] = float(value)
    return samples


def metric_sum(name, metric, containing=""):
    return sum(value for (found, labels), value in metrics(name).items()
               if found == metric and containing in labels)


def log_text(name):
    return (HOME / "log" / f"{name}.log").read_text(errors="replace")


def daler(*words, timeout_s=120):
    """Runs ./daler in this environment."""
    return subprocess.run([str(ROOT / "daler"), *words], check=True, capture_output=True, text=True,
                          timeout=timeout_s * PATIENCE, stdin=subprocess.DEVNULL).stdout
