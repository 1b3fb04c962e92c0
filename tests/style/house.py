#!/usr/bin/env python3
"""Holds the rules of the house that a compiler can't: who may include what, what domain code may call, sizes, banned calls.

Usage: house.py ROOT [DOMAIN_LIBRARY ...]. Prints each breach with its place; exit 1 when there is one.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1]).resolve()
LIBRARIES = sys.argv[2:]
breaches = []

# Lower layers first; a file may include its own layer and those below it.
LAYERS = ["domain", "store", "client", "engine", "rpc"]
BESIDE = {("store", "client"), ("client", "store")}
# What pure code may know of the runtime.
PURE = {"arena", "assert", "cleanup", "digest", "id", "identity", "money", "page_token", "status", "text"}
FOREIGN = re.compile(r"<(libpq-fe\.h|hiredis/.*|grpc/.*|microhttpd\.h|jwt\.h)>")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|atoi|atol|strtok|gets|rand|PQexec|longjmp|pthread_cancel)\s*\(|\b(goto)\b")
FLOATING = re.compile(r"\b(float|double)\b")
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600
# Symbols that no pure decision needs.
IMPURE = re.compile(r"^(PQ\w+|grpc_\w+|redis\w+|open(at)?(64)?|fopen(64)?|read|write|socket|connect|send\w*|recv\w*|time|"
                    r"clock_gettime|gettimeofday|getrandom|getenv|rt_clock_\w+|rt_random_\w+|rt_uuid_v7|rt_pg_\w+|"
                    r"rt_redis_\w+|rt_call_\w+|rt_channel_\w+|rt_log_\w+|pthread_\w+)$")


def breach(path, line, text):
    breaches.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def layer_of(path):
    parts = path.relative_to(ROOT).parts
    return parts[2] if len(parts) > 3 and parts[0] == "services" and parts[2] in LAYERS else None


def check_include(path, number, target):
    parts = path.relative_to(ROOT).parts
    if FOREIGN.search(f"<{target}>") and parts[0] != "runtime" and parts[0] != "tests":
        breach(path, number, f"{target} is for the runtime alone")
    layer = layer_of(path)
    if layer is None:
        return
    if target.endswith(".pb-c.h") and layer not in ("rpc", "client"):
        breach(path, number, f"generated code in {layer}/: only rpc/ and client/ map protobuf")
    first = target.split("/")[0]
    if first in LAYERS and first != layer:
        if LAYERS.index(first) > LAYERS.index(layer) or (layer, first) in BESIDE:
            breach(path, number, f"{layer}/ must not know {first}/")
    if target.startswith("../") or target.startswith("services/"):
        breach(path, number, "include by the service's own root, and never another service")
    if layer == "domain" and target.startswith("rt/"):
        if target[3:].removesuffix(".h") not in PURE:
            breach(path, number, f"domain code is pure: not {target}")


def check_functions(path, lines):
    start = name = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{") and number > 1:
            start = number
            name = lines[number - 2].strip()
        elif line.startswith("}") and start:
            if number - start + 1 > FUNCTION_LINES_MAX:
                breach(path, start, f"{number - start + 1} lines (most {FUNCTION_LINES_MAX}): {name[:60]}")
            start = None


def strip(line):
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    line = re.sub(r"/\*.*?\*/", "", line)
    return "" if re.match(r"\s*(/?\*|//)", line) else line.split("/*")[0]


def check_source(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    product = path.relative_to(ROOT).parts[0] in ("runtime", "services", "tools")
    if len(lines) > FILE_LINES_MAX + (0 if product else 200):
        breach(path, 1, f"{len(lines)} lines")
    if path.suffix == ".h":
        if not lines[0].startswith("/*"):
            breach(path, 1, "a header begins with what it is for and who may include it")
        if "#pragma once" not in lines:
            breach(path, 1, "no #pragma once")
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match:
            check_include(path, number, match.group(2))
            continue
        code = strip(line)
        if product and BANNED.search(code):
            breach(path, number, f"banned: {BANNED.search(code).group(0)}")
        if product and layer_of(path) and FLOATING.search(code):
            breach(path, number, "no floating point near money")
        if product and path.suffix == ".c" and re.search(r"\bSELECT \*", line):
            breach(path, number, "columns are named, never *")
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
            breach(path, number, "a debt in a comment")
    if product and path.suffix == ".c":
        check_functions(path, lines)


def check_sql(path):
    text = path.read_text(encoding="utf-8")
    if re.search(r"select\s+\*", text, re.IGNORECASE):
        breach(path, 1, "columns are named, never *")
    if not text.lstrip().startswith("--"):
        breach(path, 1, "a query begins with a comment: purpose, locks, index")


def check_library(library):
    names = subprocess.run(["nm", "-u", library], capture_output=True, text=True, check=True).stdout
    for symbol in sorted({line.split()[-1] for line in names.split("\n") if line.startswith(" ")}):
        if IMPURE.match(symbol):
            breaches.append(f"{library}: domain code calls {symbol}")


for folder in ("runtime", "services", "tools", "tests", "bench"):
    for path in sorted((ROOT / folder).rglob("*")):
        if path.suffix in (".c", ".h"):
            check_source(path)
        elif path.suffix == ".sql" and path.parent.name == "queries":
            check_sql(path)
for library in LIBRARIES:
    check_library(library)
print("\n".join(breaches) if breaches else "the house is in order")
sys.exit(1 if breaches else 0)
