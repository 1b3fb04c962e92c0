"""Throw-away copies of the checkout's script, which run the binaries that are built already."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

from . import environment
from .client import PATIENCE

ROOT = environment.ROOT
NAMES = environment.PROCESSES
SANITIZERS = ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")


class Checkout:
    """`folder` is made; when this process ends, in whatever way, the environment in it goes."""

    def __init__(self, folder, **settings):
        self.root = pathlib.Path(folder)
        self.home = self.root / ".daler"
        self.settings = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "DALER_PACKAGES": "skip",
                         "DALER_BUILD_DIR": os.environ["DALER_BUILD_DIR"], "DALER_PATIENCE_S": str(int(60 * PATIENCE)),
                         **{name: os.environ[name] for name in ("TMPDIR", *SANITIZERS) if name in os.environ}, **settings}
        self.root.mkdir(parents=True)
        shutil.copy2(ROOT / "daler", self.root)
        shutil.copytree(ROOT / "tools" / "dev", self.root / "tools" / "dev")
        self.fifo = self.root / "alive"
        os.mkfifo(self.fifo)
        self.reaper = subprocess.Popen(["bash", self.root / "tools/dev/reap.sh", self.root / "daler", self.root],
                                       start_new_session=True, env=self.settings, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        self._alive = open(self.fifo, "w", encoding="ascii")  # held open, and inherited by nobody
        self.made = self.files()

    def share_template(self):
        """Uses the cluster that the real checkout copies, instead of making one."""
        place = pathlib.Path((ROOT / ".daler" / "pg.location").read_text().strip())
        self.home.mkdir(mode=0o711)
        (self.home / "cache").symlink_to(place / "cache")

    def dispose(self):
        self._alive.close()
        self.reaper.wait(120 * PATIENCE)
        shutil.rmtree(self.root)

    # Running it.

    def start(self, *words, **settings):
        return subprocess.Popen([self.root / "daler", *words], env={**self.settings, **settings}, text=True,
                                start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def run(self, *words, **settings):
        """(exit status, standard output, standard error)"""
        return self.end(self.start(*words, **settings))

    @staticmethod
    def end(process):
        output, errors = process.communicate(timeout=120 * PATIENCE)
        return process.returncode, output, errors

    def shell(self, script):
        """What a plain shell says, started in the checkout with nothing but a path in its environment."""
        result = subprocess.run(["sh", "-euc", script], cwd=self.root, text=True, capture_output=True, timeout=60 * PATIENCE,
                                env={name: self.settings[name] for name in ("PATH", "DALER_BUILD_DIR", *SANITIZERS)
                                     if name in self.settings})
        assert result.returncode == 0, (script, result.stderr)
        return result.stdout

    def env(self):
        """{name: value} that `eval "$(./daler env)"` sets."""
        lines = self.shell('eval "$(./daler env)"; env -0').split("\0")
        return {name: value for name, _, value in (line.partition("=") for line in lines) if name.startswith("DALER_")}

    # Looking at it.

    def states(self):
        """{name: "ready"} of the table of `status`, and its exit status."""
        status, output, _ = self.run("status")
        rows = [line.split(None, 5) for line in output.splitlines()[1:]]
        return status, {row[0]: row[5] for row in rows}

    def pid(self, name, what="pid"):
        return int((self.home / "run" / f"{name}.{what}").read_text().split()[0])

    def pids(self):
        return {name: self.pid(name) for name in NAMES}

    def place(self):
        """Where PostgreSQL's data is."""
        return pathlib.Path((self.home / "pg.location").read_text().strip())

    def supervisors(self):
        """How many there are, by name."""
        found = [words[-2] for words in self.processes().values() if str(self.root / "tools/dev/supervise.sh") in words]
        return {name: found.count(name) for name in found}

    def processes(self):
        """{pid: command line} of all that works in here, or was started from here."""
        home = os.fsencode(self.home)
        places = [os.fsencode(self.root)]
        with contextlib.suppress(FileNotFoundError):
            places.append(os.fsencode(self.place()))
        found = {}
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                command, variables = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
                cwd = os.fsencode(os.readlink(folder / "cwd"))
            except OSError:
                continue
            if int(folder.name) not in (os.getpid(), self.reaper.pid) and (
                    any(place in command or cwd.startswith(place) for place in places)
                    or b"DALER_SUPERVISED=" + home in variables.split(b"\0")):
                found[int(folder.name)] = command.decode(errors="replace").rstrip("\0").split("\0")
        return found

    def files(self):
        return {path.name for path in self.root.iterdir()}

    # Doing harm to it.

    def lose(self, name):
        """kill -9 of a process and of its supervisor, PostgreSQL's sessions too."""
        number = self.pid(name)
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(number)], capture_output=True, text=True).stdout
        for victim in (self.pid(name, "supervisor"), number, *map(int, children.split())):
            kill(victim, signal.SIGKILL)
        environment.wait_until(lambda: not pathlib.Path(f"/proc/{number}/exe").exists(), 10, f"{name} is dead")


def kill(pid, number=signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
