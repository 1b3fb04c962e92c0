#!/usr/bin/env python3
"""The compiler refuses a table of methods in which something is missing, and names the method.

Usage: methods.py SOURCE_ROOT BUILD_DIR. Compiles each program's main.c beside a spoilt copy of its methods.def, as the build does.
"""
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT, BUILD = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
TABLES = ("services/auth", "services/accounts", "services/payments", "tools/psp-simulator")
ROW = re.compile(r"^METHOD\((.*?)\)\n(?=\n|METHOD|#|/|\Z)", re.DOTALL | re.MULTILINE)
METHOD, HANDLER, CALLERS, DEADLINE = 1, 6, 7, 8


def fields_of(row):
    """At the commas that are in no bracket."""
    return [field.strip() for field in re.split(r",\s*(?![^()]*\))", row)]


def without(place):
    return lambda fields: made([field for i, field in enumerate(fields) if i != place])


def having(place, value):
    return lambda fields: made([value if i == place else field for i, field in enumerate(fields)])


def made(fields):
    return f"METHOD({', '.join(fields)})\n"


# What becomes of a row, and what the compiler says then, {0} being the method and {1} the handler.
SPOILT = {
    "as it is": (made, None),
    "no row": (lambda fields: "\n", "row_of_{1}.? undeclared|undeclared identifier 'row_of_{1}'"),
    "twice": (lambda fields: made(fields) * 2, "redefinition of .row_of_{1}\\b"),
    "no handler": (having(HANDLER, "NULL"), "{0}: no handler is named"),
    "a handler of another kind": (having(HANDLER, "malloc"), "{0}: no handler is named"),
    "no callers": (having(CALLERS, "0"), "{0}: no caller is named"),
    "no deadline": (having(DEADLINE, "0"), "{0}: no deadline is named"),
    "a field less": (without(CALLERS), "{0}, "),
}


def command_of(source):
    """The compiler's words for a source, without what is made of it."""
    for entry in json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8")):
        if pathlib.Path(entry["file"]) == source:
            words = shlex.split(entry["command"])
            words = words[1:] if words[0].endswith("ccache") else words
            all_errors = "-ferror-limit=0" if "clang" in words[0] else "-fmax-errors=0"
            return [*words[:words.index("-o")], "-fsyntax-only", all_errors], entry["directory"]
    raise SystemExit(f"{source} is not compiled")


def compile_with(table, text, folder):
    """(whether it compiles, what the compiler says)"""
    command, directory = command_of(ROOT / table / "main.c")
    main = folder / "main.c"
    main.write_text((ROOT / table / "main.c").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "methods.def").write_text(text, encoding="utf-8")
    result = subprocess.run([*command, str(main)], cwd=directory, capture_output=True, text=True)
    return result.returncode == 0, result.stderr


def check(table, name, spoil, says, folder):
    text = (ROOT / table / "methods.def").read_text(encoding="utf-8")
    rows = [fields_of(row) for row in ROW.findall(text)]
    assert len(rows) == len(re.findall(r"^METHOD\(", text, re.MULTILINE)) > 0, table
    compiles, said = compile_with(table, ROW.sub(lambda row: spoil(fields_of(row[1])), text), folder)
    if says is None:
        return [] if compiles else [f"{table}, {name}: {said}"]
    return [f"{table}, {name}: nothing is said of {fields[METHOD]}" for fields in rows
            if compiles or not re.search(says.format(fields[METHOD], fields[HANDLER]), said)]


with tempfile.TemporaryDirectory() as scratch:
    wrong = [line for table in TABLES for name, (spoil, says) in SPOILT.items()
             for line in check(table, name, spoil, says, pathlib.Path(scratch))]
print("\n".join(wrong) if wrong else "every table is checked by the compiler")
sys.exit(1 if wrong else 0)
