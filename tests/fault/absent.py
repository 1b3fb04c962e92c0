"""Fail points are in the test build of payments, and nothing of them in what is delivered.

absent.py FAIL_POINTS_DEF DELIVERED TEST_BUILD: looks for their symbols, their variables and their names.
"""

import pathlib
import re
import subprocess
import sys


def traces(binary, names):
    data = pathlib.Path(binary).read_bytes()
    symbols = subprocess.run(["nm", binary], capture_output=True, text=True, check=True).stdout
    found = set(re.findall(r"\bfail_point_\w+", symbols))
    return found | {text for text in ("DALER_FAIL_POINT", *names) if text.encode() + b"\0" in data}


def main(table, delivered, test_build):
    names = re.findall(r'^FAIL_POINT\(\w+, "([a-z-]+)"', pathlib.Path(table).read_text(encoding="utf-8"), re.MULTILINE)
    there, not_there = traces(test_build, names), traces(delivered, names)
    expected = {"DALER_FAIL_POINT", "fail_point_reach", *names}
    if len(names) < 2 or not expected <= there:
        print(f"the test build lacks {sorted(expected - there)}: this test looks in the wrong way")
        return 1
    if not_there:
        print(f"{delivered} has {sorted(not_there)}")
        return 1
    print(f"{len(names)} fail points, none of them delivered")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
