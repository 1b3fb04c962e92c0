"""The story that ./daler demo tells."""

import subprocess
import unittest

from support import environment
from support.client import PATIENCE


class Story(unittest.TestCase):
    def test_it_is_told_to_its_end(self):
        told = subprocess.run([environment.ROOT / "tools" / "dev" / "demo.sh"], capture_output=True, text=True,
                              timeout=60 * PATIENCE)
        self.assertEqual(told.returncode, 0, told.stdout + told.stderr)
        place = 0
        for words in ("first outcome, and no second charge", "replayed", "INSUFFICIENT_FUNDS", "Its timeline", "UNKNOWN",
                      "SUCCEEDED", "The trial balance", "balanced: debits equal credits", "Everything is still running"):
            found = told.stdout.find(words, place)
            self.assertGreater(found, -1, f"{words}, after what came before it:\n{told.stdout}")
            place = found


if __name__ == "__main__":
    unittest.main()
