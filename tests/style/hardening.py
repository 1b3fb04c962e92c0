#!/usr/bin/env python3
"""hardening.py PROGRAM..: what is delivered is a position-independent executable, bound at once, whose stack and buffers are
checked. Flags that a build type does not get are not missed otherwise."""
import subprocess
import sys

WANTED = {
    "-h": ["DYN (Position-Independent Executable file)"],
    "-d": ["BIND_NOW"],
    "-l": ["GNU_RELRO"],
    "--dyn-syms": ["__stack_chk_fail", "__snprintf_chk"],
}


def missing(program):
    for option, words in WANTED.items():
        shown = subprocess.run(["readelf", "-W", option, program], check=True, capture_output=True, text=True).stdout
        for word in words:
            if word not in shown:
                yield f"{program}: {word} is not in what readelf {option} shows"


def main():
    found = [line for program in sys.argv[1:] for line in missing(program)]
    print("\n".join(found) or f"{len(sys.argv) - 1} programs are hardened")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
