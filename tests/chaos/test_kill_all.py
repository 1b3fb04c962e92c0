"""kill -9 of everything at once, supervisors too, as a power loss would; then `./daler up`, and nothing is missing."""

import contextlib
import os
import signal
import sys
import time
import unittest

from support import environment
from support.storm import Storm

ROUNDS = 2
STORM_SECONDS = 5


class KillAll(unittest.TestCase):
    maxDiff = None

    def test_kill_all_at_once(self):
        storm = Storm()
        storm.start()
        for _ in range(ROUNDS):
            time.sleep(STORM_SECONDS)
            self.kill_everything()
            environment.daler("up")
            for name in environment.SERVICES:
                environment.wait_ready(name, 60)
        time.sleep(1)
        storm.stop()
        finals = storm.check(self)
        print(storm.summary(finals), file=sys.stderr)

    def kill_everything(self):
        pids = [environment.supervisor_pid(name) for name in environment.PROCESSES]
        for name in environment.PROCESSES:
            pids.extend(environment.family(name))
        for number in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        for name in environment.PROCESSES:
            environment.wait_until(lambda name=name: environment.pid(name) is None, 10, f"{name} is dead")


if __name__ == "__main__":
    unittest.main()
