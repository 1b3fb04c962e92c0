"""kill -9 of every process in turn, in the middle of many payments: nothing acknowledged is lost, nothing happens twice.

DALER_CHAOS_SECONDS makes it longer; DALER_CHAOS_SEED repeats the same choices.
"""

import os
import random
import sys
import time
import unittest

from support import environment
from support.client import PATIENCE
from support.storm import Storm

SECONDS = float(os.environ.get("DALER_CHAOS_SECONDS", "45"))
PAYMENTS_BETWEEN = 30  # so that every kill hits a service in full swing
VICTIMS = ("payments", "simulator", "accounts", "postgres", "auth", "redis")


class Kill(unittest.TestCase):
    maxDiff = None

    def test_kill_each_in_turn(self):
        seed = os.environ.get("DALER_CHAOS_SEED") or str(time.time_ns())
        print(f"DALER_CHAOS_SEED={seed}", file=sys.stderr)
        dice = random.Random(seed)
        storm = Storm(seed=seed)
        storm.start()
        kills = []
        end = time.monotonic() + SECONDS * PATIENCE
        while time.monotonic() < end:
            for victim in dice.sample(VICTIMS, len(VICTIMS)):
                before = storm.rested()
                environment.wait_until(lambda before=before: storm.rested() > before + PAYMENTS_BETWEEN, 60,
                                       f"payments go on after the kill of {kills[-1:]}")
                time.sleep(dice.uniform(0, 0.5))
                environment.kill(victim)
                kills.append(victim)
                if time.monotonic() > end:
                    break
        storm.stop()
        self.assertGreaterEqual(set(kills), set(VICTIMS), "each was killed at least once")
        for name in environment.SERVICES:
            environment.wait_ready(name, 60)
        finals = storm.check(self)
        print(f"{len(kills)} kills; {storm.summary(finals)}", file=sys.stderr)
        answered = sum(1 for one in storm.sent if one.answers)
        self.assertGreater(answered, 50, "the storm was no storm")


if __name__ == "__main__":
    unittest.main()
