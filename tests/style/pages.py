#!/usr/bin/env python3
"""Holds the pages to the tree: what they link to, and the files and functions that they name, are there, and a function
is in the file that it is named with.

Usage: pages.py ROOT. Prints each breach with its place; exit 1 when there is one.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1]).resolve()
PLACES = ("runtime", "services", "tools", "tests", "bench", "proto", "cmake", "docs")
BUILT = {"__pycache__", "build"}
# Names of PostgreSQL's, which no code of ours has to hold.
FOREIGN = re.compile(r"pg_\w+|pglz_compress|archive_command|commit_delay|max_slot_wal_keep_size")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
QUOTED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.-]+(/[\w.-]+)+/?|[\w-]+/|[\w-]+\.(c|h|py|sql|def|proto|sh|pml|supp|pg)")
NAME = re.compile(r"[a-z]\w*_\w+(\(\))?")
# "`domain/decide.c`, `book_decide`": the function is defined there.
PAIR = re.compile(r"`([\w./-]+\.c)`, `([a-z]\w*_\w+)(?:\(\))?`")
breaches = []


def whole(folder):
    return sorted(path for path in folder.rglob("*") if not BUILT & set(path.parts[len(ROOT.parts):]))


def defines(path, name):
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.search(rf"^\w[^;{{}}]*\b{name}\([^;{{}}]*\)\n{{", text, re.M) is not None


def check(page, line, text, paths, words):
    def breach(what, name):
        breaches.append(f"{page.relative_to(ROOT)}:{line}: no such {what}: {name}")
    for target in LINK.findall(text):
        if "://" not in target and not (page.parent / target).exists():
            breach("page", target)
    for file, name in PAIR.findall(text):
        if not any(defines(path, name) for path in paths if f"/{path}".endswith(f"/{file}")):
            breach("function there", f"{file} {name}")
    for quoted in QUOTED.findall(text):
        if PATH.fullmatch(quoted):
            if not any(f"/{path}/".endswith(f"/{quoted.strip('/')}/") for path in paths):
                breach("file", quoted)
        elif NAME.fullmatch(quoted) and not FOREIGN.fullmatch(quoted):
            if quoted.removesuffix("()") not in words:
                breach("name", quoted)


places = [path for place in PLACES for path in whole(ROOT / place)]
paths = [path.relative_to(ROOT).as_posix() for path in places] + list(PLACES)
words = set()
for path in [ROOT / "daler", ROOT / "CMakeLists.txt", ROOT / "CMakePresets.json", *places]:
    if path.is_file() and path.suffix != ".md":
        words.update(re.findall(r"\w+", path.read_text(encoding="utf-8", errors="replace")))
MADE = ROOT / "docs" / "reference"  # from the code's tables: style.reference holds those
for page in sorted(ROOT.glob("*.md")) + [path for path in whole(ROOT / "docs") if path.suffix == ".md"]:
    if page.name == "CHANGELOG.md" or page.is_relative_to(MADE):
        continue  # a changelog tells of what was
    fenced = False
    for line, text in enumerate(page.read_text(encoding="utf-8").split("\n"), 1):
        fenced ^= text.startswith("```")
        if not fenced:
            check(page, line, text, paths, words)
print("\n".join(breaches) if breaches else "the pages speak of what is there")
sys.exit(1 if breaches else 0)
