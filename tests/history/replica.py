"""A second process of accounts beside the sandbox's: the same settings, other ports, started again whenever it dies."""

import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

from support import environment


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Replica:
    def __init__(self):
        first = environment.wait_until(lambda: environment.pid("accounts"), 30, "accounts runs")
        settings = dict(item.split("=", 1) for item in pathlib.Path(f"/proc/{first}/environ").read_text().split("\0") if item)
        self.address, self.admin = (f"127.0.0.1:{free_port()}" for _ in range(2))
        settings.update(DALER_ACCOUNTS_LISTEN=self.address, DALER_ACCOUNTS_ADMIN_LISTEN=self.admin)
        self._settings = settings
        self._program = os.readlink(f"/proc/{first}/exe")
        self._log = open(environment.HOME / "log" / "accounts-second.log", "ab")
        self._stopping = threading.Event()
        self._process = None
        self.starts = 0
        self._start()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def _start(self):
        self._process = subprocess.Popen([self._program], env=self._settings, stdin=subprocess.DEVNULL, stdout=self._log,
                                         stderr=self._log)
        self.starts += 1

    def _keep(self):
        while not self._stopping.is_set():
            if self._process.poll() is not None:
                self._start()
            time.sleep(0.1)

    def pid(self):
        return self._process.pid

    def kill(self):
        self._process.send_signal(signal.SIGKILL)

    def stop(self):
        self._stopping.set()
        self._keeper.join()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
