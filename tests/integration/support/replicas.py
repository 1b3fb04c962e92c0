"""A second process of a service beside the sandbox's: the same settings, other ports."""

import json
import os
import pathlib
import socket
import subprocess

import grpc

from . import environment
from .client import CHANNEL_OPTIONS, PATIENCE, Stub, credentials


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def events(text, event):
    """The lines of this event in what a process has logged."""
    lines = (json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}"))
    return [line for line in lines if line.get("event") == event]


class Replica:
    """Runs while its block does; `settings` without the service's prefix change the first one's."""

    def __init__(self, service, **settings):
        first = environment.wait_until(lambda: environment.pid(service), 30, f"{service} runs")
        self._environment = dict(
            item.split("=", 1) for item in pathlib.Path(f"/proc/{first}/environ").read_text().split("\0") if item)
        self.service = service
        self.address, self.admin = (f"127.0.0.1:{free_port()}" for _ in range(2))
        for name, value in {"LISTEN": self.address, "ADMIN_LISTEN": self.admin, **settings}.items():
            self._environment[f"DALER_{service.upper()}_{name}"] = str(value)
        self._program = os.readlink(f"/proc/{first}/exe")
        self._channels = {}

    def set_clock_ahead(self, ahead_s):
        """Its wall clock, before it is started."""
        library = pathlib.Path(self._program).parents[1] / "tests" / "integration" / "libclock-ahead.so"
        self._environment.update(LD_PRELOAD=str(library), DALER_TEST_AHEAD_S=str(ahead_s))

    def change(self, name, by):
        """Changes a setting that the first one has."""
        name = f"DALER_{self.service.upper()}_{name}"
        self._environment[name] = by(self._environment[name])

    def run(self, *words):
        """How it ends when it is to end by itself, which it does with a command or when it can't start."""
        return subprocess.run([self._program, *words], env=self._environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60 * PATIENCE)

    def command(self, *words):
        """Runs a command that ends well, such as migrate."""
        result = self.run(*words)
        assert result.returncode == 0, result.stderr

    def __enter__(self):
        self._log = open(environment.HOME / "log" / f"{self.service}-second.log", "ab")
        self._log_begin = self._log.tell()
        self._process = subprocess.Popen([self._program], env=self._environment, stdin=subprocess.DEVNULL,
                                         stdout=self._log, stderr=self._log)
        environment.wait_until(lambda: environment.listens(self.address), 30, f"the second {self.service} listens")
        return self

    def stub(self, identity="operator", token=None):
        if identity not in self._channels:
            self._channels[identity] = grpc.secure_channel(self.address, credentials(identity), options=CHANNEL_OPTIONS)
        return Stub(self.service, identity, token, self._channels[identity])

    def log(self, event):
        """The lines of this event that this process has logged."""
        return events(pathlib.Path(self._log.name).read_bytes()[self._log_begin:].decode(errors="replace"), event)

    def send(self, signal):
        self._process.send_signal(signal)

    def end(self):
        """Its exit status, when it has ended by itself."""
        return self._process.wait(60 * PATIENCE)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def __exit__(self, *_):
        for channel in self._channels.values():
            channel.close()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
        self._log.close()
