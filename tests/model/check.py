"""Checks the model of the saga with spin, and that the check finds what is broken on purpose; check.py SAGA.pml."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# Claims of each form, and how many faults. Each more makes it several times as long: -DLOSSES=2 takes minutes.
CLAIMS = (("safe", "-DCRASHES=2"), ("ends",), ("safe", "-DDEPOSIT"), ("ends", "-DDEPOSIT", "-DPENDINGS=0"), ("safe", "-DANEW"),
          ("ends", "-DANEW"))
# What is broken on purpose, in which form, and the claim that must fail.
BROKEN = (("safe", "-DBROKEN_TIMER"), ("safe", "-DBROKEN_FENCE"), ("safe", "-DBROKEN_IDS"), ("safe", "-DBROKEN_RELEASE"),
          ("ends", "-DBROKEN_LEASE"), ("safe", "-DDEPOSIT", "-DBROKEN_COMPENSATION"), ("safe", "-DANEW", "-DBROKEN_ANEW"))


def run(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    return done.stdout + done.stderr


def build(folder, model, defines):
    """What is broken is found soon: it is not worth a compiler's care."""
    care = "-O0" if any(define.startswith("-DBROKEN") for define in defines) else "-O2"
    shutil.copy(model, folder / "saga.pml")
    for command, made in ((("spin", *defines, "-a", "saga.pml"), "pan.c"),
                          (("cc", care, "-w", "-DNFAIR=3", "-DCOLLAPSE", "-DMEMLIM=3000", "-o", "pan", "pan.c"), "pan")):
        out = run(folder, *command)
        if not (folder / made).exists():
            raise SystemExit(f"{command[0]}: {out}")


def check(model, claim, *defines):
    """How many errors were found; says how many states were looked at."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        build(folder, model, defines)
        out = run(folder, "./pan", "-a", *(["-f"] if claim == "ends" else []), "-m1000000", "-N", claim)
    errors, states = re.search(r"errors: (\d+)", out), re.search(r"([\d.e+]+) states, stored", out)
    if errors is None or states is None or re.search("search depth too small|MEMLIM bound", out):
        raise SystemExit(f"{claim}: the search did not end:\n{out[-3000:]}")
    print(f"{' '.join(defines) or 'as built'}: {claim}: {errors.group(1)} errors, {states.group(1)} states", flush=True)
    return int(errors.group(1))


def main(model):
    wrong = [form for form in CLAIMS if check(model, *form) > 0] + [form for form in BROKEN if check(model, *form) == 0]
    print(f"WRONG: {wrong}" if wrong else "the model holds, and what is broken on purpose is found")
    return 1 if wrong else 0


if __name__ == "__main__":
    if shutil.which("spin") is None:
        print("skipped: spin is missing")
        sys.exit(77)
    sys.exit(main(pathlib.Path(sys.argv[1])))
