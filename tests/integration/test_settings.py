"""The settings of each program that serves, as a process: --print-config says what is in force, and a wrong one is named with
what is allowed, whatever setting it is."""

import os
import pathlib
import re
import subprocess
import unittest

from support import environment
from support.cases import Case
from support.client import PATIENCE

SETTING = re.compile(r"^  (--[a-z0-9-]+) (N|WORD|TEXT|URL|FILE)  \((\w+)\)\n(?:      .*\n)*?"
                     r"      (required|no default|default .*?); (.*)\n", re.MULTILINE)
BOUNDS = re.compile(r"(-?\d+) to (-?\d+)\b")


class Program:
    """As the sandbox runs it."""

    def __init__(self, name):
        pid = environment.wait_until(lambda: environment.pid(name), 30, f"{name} runs")
        self.settings = dict(
            item.split("=", 1) for item in pathlib.Path(f"/proc/{pid}/environ").read_text().split("\0") if item)
        self._file = os.readlink(f"/proc/{pid}/exe")
        self.known = SETTING.findall(self.run("--help").stdout)  # (flag, kind, variable, default, what is allowed)

    def run(self, *words, without=None, **settings):
        given = {name: value for name, value in {**self.settings, **settings}.items() if name != without}
        return subprocess.run([self._file, *words], env=given, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=20 * PATIENCE)


def wrong(kind, allowed):
    """Values that a setting does not take; of each setting one is tried, by its place."""
    least, most = map(int, (BOUNDS.search(allowed) or BOUNDS.search("0 to 0")).groups())
    if kind == "N":
        return ["many", "", f"{most}x", str(most + 1), str(least - 1)]
    if kind == "TEXT":
        return ["x" * (most + 1)] + ([""] if least else [])
    return {"WORD": ["nonsense", ""], "URL": ["nonsense", "redis://anna:geheim@localhost:1/0"], "FILE": []}[kind]


class Settings(Case):
    @classmethod
    def setUpClass(cls):
        cls.programs = {name: Program(name) for name in environment.SERVICES}

    def refused(self, result, *named):
        self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
        for text in named:
            self.assertIn(text, result.stderr)

    def test_a_wrong_one_is_named_with_what_is_allowed(self):
        for name, program in self.programs.items():
            for number, (flag, kind, variable, _, allowed) in enumerate(program.known):
                values = wrong(kind, allowed)
                if values:
                    value = values[number % len(values)]
                    with self.subTest(program=name, setting=variable, value=value[:20]):
                        result = program.run(flag, value) if number % 2 else program.run(**{variable: value})
                        self.refused(result, flag, variable, allowed)
                        self.assertNotIn("geheim", result.stderr)

    def test_what_is_required_is_named(self):
        for name, program in self.programs.items():
            for flag, _, variable, default, _ in program.known:
                if default == "required":
                    with self.subTest(program=name, setting=variable):
                        self.refused(program.run(without=variable), flag, variable)

    def test_a_flag_that_there_is_not(self):
        for name, program in self.programs.items():
            with self.subTest(program=name):
                self.refused(program.run("--nonsense", "x"), "--nonsense")

    def test_printed_are_those_in_force(self):
        for name, program in self.programs.items():
            with self.subTest(program=name):
                result = program.run("--print-config", "--workers", "3")
                self.assertEqual(result.returncode, 0, result.stderr)
                printed = dict(line.split("=", 1) for line in result.stdout.splitlines() if not line.startswith("#"))
                self.assertEqual(list(printed), [variable for _, _, variable, _, _ in program.known])
                self.assertGreater(len(printed), 12)
                for _, kind, variable, default, _ in program.known:
                    value = program.settings.get(variable, default.removeprefix("default ").replace("no default", ""))
                    self.assertEqual(printed[variable], "3" if variable.endswith("_WORKERS") else value, kind)

    def test_no_secret_is_printed(self):
        """What a file holds is not, nor who is named in an address, where a password could stand too."""
        for name, program in self.programs.items():
            addresses = {variable: f"{'redis' if kind == 'URL' else 'postgresql'}://geheim@localhost/0"
                         for _, kind, variable, _, _ in program.known
                         if kind == "URL" or variable.endswith(("_DATABASE", "_DATABASE_OWNER"))}
            with self.subTest(program=name):
                text = program.run("--print-config", **addresses).stdout
                for variable, value in addresses.items():
                    self.assertIn(f"{variable}={value.replace('geheim', '***')}\n", text)
                files = [program.settings[variable] for _, _, variable, _, _ in program.known
                         if variable.endswith(("_FILE", "_KEY")) and program.settings.get(variable)]
                self.assertNotEqual(files, [])
                for secret in (line for file in files for line in pathlib.Path(file).read_text().split() if len(line) > 15):
                    self.assertNotIn(secret, text)


if __name__ == "__main__":
    unittest.main()
