"""A payments process beside the sandbox's own, with the same settings and ports of its own."""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time

import grpc

from . import environment
from .client import CHANNEL_OPTIONS, PATIENCE, Stub, credentials
from .world import operator_token


_given = set()
_given_lock = threading.Lock()


def free_port():
    """One that this process has not given to anybody else."""
    with _given_lock:
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            if port not in _given:
                _given.add(port)
                return port


def settings():
    """Those of the sandbox's payments."""
    text = pathlib.Path(f"/proc/{environment.pid('payments')}/environ").read_text(encoding="utf-8")
    return dict(line.split("=", 1) for line in text.split("\0") if "=" in line)


class Replica:
    def __init__(self, base=None, program="daler-payments", **more):
        self._base, self._program, self._more = base or settings(), program, more
        for _ in range(5):
            self._start()
            if self._listens():
                break
        else:
            raise AssertionError(f"it does not listen: {self.log()}")
        self._channel = grpc.secure_channel(self.address, credentials("operator"), options=CHANNEL_OPTIONS)
        self.stub = Stub("payments", "operator", operator_token(), through=self._channel)

    def _start(self):
        self.address = f"127.0.0.1:{free_port()}"
        env = dict(self._base, DALER_PAYMENTS_LISTEN=self.address,
                   DALER_PAYMENTS_ADMIN_LISTEN=f"127.0.0.1:{free_port()}", **self._more)
        self._log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([pathlib.Path(os.environ["DALER_BUILD_DIR"]) / "bin" / self._program], env=env,
                                        stderr=self._log)

    def _listens(self):
        """False when it ends before, such as when somebody else has taken its port meanwhile."""
        deadline = time.monotonic() + 20 * PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(self.address.rsplit(":", 1)[1]))) == 0:
                    return True
            time.sleep(0.02)
        self.process.kill()
        self.process.wait()
        return False

    def log(self):
        self._log.seek(0)
        return self._log.read()[-2000:]

    def died(self, timeout_s):
        """Whether it was killed, by itself too, within the time."""
        try:
            return self.process.wait(timeout_s * PATIENCE) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False

    def end(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait()
        self._channel.close()
        self._log.close()
