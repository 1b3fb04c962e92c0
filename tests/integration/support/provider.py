"""A simulator beside the sandbox's, with books and settings of its own, that can be stopped, paused and started again."""

import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile

import grpc

from . import environment
from .client import CHANNEL_OPTIONS, Stub, credentials
from .replica import free_port


class Provider:
    """Runs while its block does. Unless it is told to, it notifies nobody: what is known of it was asked."""

    def __init__(self, **settings):
        first = environment.wait_until(lambda: environment.pid("simulator"), 30, "the simulator runs")
        self._environment = dict(
            item.split("=", 1) for item in pathlib.Path(f"/proc/{first}/environ").read_text().split("\0") if item)
        self._program = os.readlink(f"/proc/{first}/exe")
        self.address = f"127.0.0.1:{free_port()}"
        self._channel = self._process = None
        self.admin = f"127.0.0.1:{free_port()}"
        self.set(**{"LISTEN": self.address, "ADMIN_LISTEN": self.admin, "PAYMENTS_ADDR": "", **settings})

    def set(self, **settings):
        """From the next start on."""
        for name, value in settings.items():
            self._environment[f"DALER_PSP_SIMULATOR_{name}"] = str(value)

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.set(STATE_DIR=self._folder.name)
        self._log = open(environment.HOME / "log" / "simulator-second.log", "ab")
        return self

    def start(self):
        self._process = subprocess.Popen([self._program], env=self._environment, stdin=subprocess.DEVNULL,
                                         stdout=self._log, stderr=self._log)
        environment.wait_until(lambda: environment.listens(self.address), 30, "the second simulator listens")
        return self

    def stop(self):
        self._process.kill()
        self._process.wait()
        self._process = None

    @contextlib.contextmanager
    def paused(self):
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def stub(self, identity):
        with grpc.secure_channel(self.address, credentials(identity), options=CHANNEL_OPTIONS) as channel:
            yield Stub("connector", identity, through=channel)

    def operations(self):
        """Its books, up to 1,000 operations."""
        with self.stub("operator") as stub:
            return list(stub.ListOperations(page_size=1000).operations)

    def __exit__(self, *_):
        if self._process is not None:
            self.stop()
        self._log.close()
        self._folder.cleanup()
