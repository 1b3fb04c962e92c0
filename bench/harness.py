"""What all benches share: pgbench as the yardstick, interleaved with the cases; figures of processes; table and JSON.

A ratio is only as good as what it is measured against, and a machine's speed changes from minute to minute. So what a case is
compared with, be it the yardstick or another case, runs before and after it, and the case is compared with the mean of both.
"""
import argparse
import glob
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Case:
    """One row. `against`: "yardstick", "latency" (p50 against TPC-B with one client), or another case's name. `run`, given the
    load and the seconds, returns the result; without it, the load generator's case of this name is run. `prepare`, given the
    load, returns the one to run on, and `stays` when what it does is borne by all that runs later; `finish` is given that one
    when all is measured."""

    def __init__(self, name, prose, floor, against, run=None, quick=True, prepare=None, stays=False, finish=None):
        self.name, self.prose, self.floor, self.against = name, prose, floor, against
        self.run = run or (lambda load, seconds: load.run(name, seconds))
        self.quick = quick
        self.prepare, self.stays = prepare or (lambda load: load), stays
        self.finish = finish or (lambda load: None)


class Bound:
    """A figure that must not be passed, measured after the cases. `run`, given the load and whether it is quick, returns it with
    a sentence about how it came to be."""

    def __init__(self, name, prose, most, unit, run):
        self.name, self.prose, self.most, self.unit, self.run = name, prose, most, unit, run

    def measure(self, load, quick):
        value, how = self.run(load, quick)
        print(f"  {self.name}: {value:,.1f} {self.unit}; {how}", file=sys.stderr)
        return {"name": self.name, "prose": self.prose, "value": round(value, 1), "unit": self.unit, "most": self.most,
                "met": value <= self.most, "how": how}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Replica:
    """A second process of a service, with the settings of the first, ports of its own, and what is given here."""

    running, peaks_mib = [], {}  # peaks: by service, the most that one which has ended had

    def __init__(self, service, **settings):
        self.service, self.settings = service, settings

    def __enter__(self):
        prefix = f"DALER_{self.service.upper()}"
        pid = os.environ[f"{prefix}_PID"]
        variables = pathlib.Path(f"/proc/{pid}/environ").read_text(encoding="utf-8").split("\0")
        env = dict(line.split("=", 1) for line in variables if "=" in line)
        self.address, admin = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        self.settings.update(listen=self.address, admin_listen=admin)
        env.update({f"{prefix}_{name.upper()}": str(value) for name, value in self.settings.items()})
        self.process = subprocess.Popen([f"{os.environ['DALER_BUILD_DIR']}/bin/daler-{self.service}"], env=env,
                                        stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://{admin}/readyz", timeout=10).close()
                Replica.running.append(self)
                return self
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the second replica is not ready")

    def __exit__(self, *unused):
        Replica.running.remove(self)
        mib = resident_peak_mib(self.service, self.process.pid)
        Replica.peaks_mib[self.service] = max(mib, Replica.peaks_mib.get(self.service, 0))
        self.process.terminate()
        self.process.wait()


class Postgres:
    """pgbench in a schema of its own, as the owner of the accounts database."""

    def __init__(self, scale):
        self.conninfo = os.environ["DALER_ACCOUNTS_DB"] + " options='-c search_path=yardstick -c synchronous_commit=on'"
        subprocess.run(["psql", "-qX", os.environ["DALER_ACCOUNTS_DB"], "-c", "CREATE SCHEMA IF NOT EXISTS yardstick"],
                       check=True)
        self.pgbench("-i", "-q", "-s", str(scale))
        os.sync()  # what loading left to the kernel would be written while the first cases wait for their own

    def pgbench(self, *args):
        program = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/pgbench"))[::-1]), "pgbench")
        env = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        done = subprocess.run([program, *args, self.conninfo], capture_output=True, text=True, env=env)
        if done.returncode != 0:
            raise SystemExit(f"pgbench: {done.stderr.strip()}")
        return done.stdout

    def tpcb(self, clients, seconds):
        with tempfile.TemporaryDirectory() as folder:
            out = self.pgbench("-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(seconds),
                               "-l", "--log-prefix", f"{folder}/log")
            latencies = sorted(int(line.split()[2]) for path in glob.glob(f"{folder}/log*")
                               for line in open(path, encoding="ascii"))
        rate = float(re.search(r"tps = ([0-9.]+) \(without", out).group(1))
        return {"per_second": rate, "p50_us": latencies[len(latencies) // 2], "p99_us": latencies[len(latencies) * 99 // 100]}


def stat_fields(pid):
    text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    return text[text.rindex(")") + 2:].split()


def cpu_s(pid):
    """Of a process and of its children that have ended."""
    return sum(int(ticks) for ticks in stat_fields(pid)[11:15]) / TICKS_PER_S


def backends(postmaster):
    found = [postmaster]
    for path in glob.glob("/proc/[0-9]*/stat"):
        pid = int(path.split("/")[2])
        try:
            if int(stat_fields(pid)[1]) == postmaster:
                found.append(pid)
        except (OSError, ValueError):
            pass
    return found


def cpu_by_process():
    """CPU seconds so far of each service with its second replica, and of PostgreSQL with its backends, also those that
    ended."""
    used = {}
    for name in ("AUTH", "ACCOUNTS", "PAYMENTS", "SIMULATOR", "REDIS"):
        pid = os.environ.get(f"DALER_{name}_PID")
        if pid:
            used[name.lower()] = cpu_s(pid)
    for replica in Replica.running:
        used[replica.service] += cpu_s(replica.process.pid)
    postmaster = int(os.environ["DALER_POSTGRES_PID"])
    total = 0.0
    for pid in backends(postmaster):
        try:
            total += cpu_s(pid)
        except OSError:
            pass
    used["postgres"] = total
    return used


def resident_peak_mib(name, pid=None):
    pid = pid or os.environ[f"DALER_{name.upper()}_PID"]
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024


def most_resident_mib(name):
    """The peak of the service's process or of a second one that ran for a while, whichever was more."""
    return max(resident_peak_mib(name), Replica.peaks_mib.get(name, 0))


def read_result(case, process):
    out, _ = process.communicate()
    if not out.strip():
        raise SystemExit(f"{case}: the load generator failed with {process.returncode}")
    result = json.loads(out)
    if result["wrong"]:
        raise SystemExit(f"{case}: {result['wrong']} wrong answers, the first: {result['error']}")
    return result


class Load:
    """daler-load on a ledger of its own."""

    def __init__(self, accounts):
        self.base = [os.environ["DALER_BUILD_DIR"] + "/bin/daler-load", "--accounts", str(accounts),
                     "--ledger", str(uuid.uuid4())]
        self.ledger, self.accounts = self.base[-1], accounts
        subprocess.run(self.base, check=True)

    def start(self, case, seconds, *args):
        return subprocess.Popen([*self.base, "--case", case, "--duration-ms", str(int(seconds * 1000)), *args],
                                stdout=subprocess.PIPE, text=True)

    def run(self, case, seconds, *args):
        return self.run_many([(case, args)], seconds)

    def run_many(self, calls, seconds):
        """Several load generators at once, their units added up; latencies are the slowest one's."""
        before, children = cpu_by_process(), os.times()
        running = [(case, self.start(case, seconds, *args)) for case, args in calls]
        results = [read_result(case, process) for case, process in running]
        after, children_after = cpu_by_process(), os.times()
        result = max(results, key=lambda each: each["p50_us"])
        result["units"] = sum(each["units"] for each in results)
        result["per_second"] = result["units"] / (result["duration_us"] / 1e6)
        spent = {name: after[name] - before.get(name, 0) for name in after}
        spent["generator"] = (children_after.children_user + children_after.children_system
                              - children.children_user - children.children_system)
        # the warm-up, a tenth, is in the CPU figures and not in the units
        result["cpu_us_per_unit"] = {name: round(used * 1e6 / max(1, result["units"] * 1.1), 1)
                                     for name, used in spent.items() if used > 0.05}
        return result


class Bases:
    """What cases are compared with: each run is used by the case before it and the one after it."""

    def __init__(self, cases, postgres, load, seconds):
        self.cases, self.postgres, self.load, self.seconds = {case.name: case for case in cases}, postgres, load, seconds
        self.runs = {"yardstick": [], "latency": []}
        self.last = None

    def run(self, name):
        if name == "yardstick":
            result = self.postgres.tpcb(32, self.seconds)
        elif name == "latency":
            result = self.postgres.tpcb(1, self.seconds)
        else:
            result = self.cases[name].run(self.load, self.seconds)
        self.runs.setdefault(name, []).append(result)
        self.last = name
        return result

    def around(self, case):
        """Prepares the case and runs it between two runs of what it is compared with; returns its result, theirs, and the load
        it ran on. Where the preparation stays behind, the run before it counts alone, and the other is told."""
        before = self.runs[case.against][-1] if self.last == case.against else self.run(case.against)
        load = case.prepare(self.load)
        result = case.run(load, self.seconds)
        after = self.run(case.against)
        if case.stays:
            print(f"  {case.name}: {case.against} did {before['per_second']:,.0f}/s before it was prepared, "
                  f"{after['per_second']:,.0f}/s after", file=sys.stderr)
        return result, (before,) if case.stays else (before, after), load


def judge(case, result, bases):
    """The ratio of a case and whether it meets its floor."""
    figure = "p50_us" if case.against == "latency" else "per_second"
    ratio = result[figure] / statistics.mean(base[figure] for base in bases)
    return ratio, case.floor is None or (ratio <= case.floor if figure == "p50_us" else ratio >= case.floor)


def delivered(bare, cases, rows):
    """How much of the bare SQL of a batch, from one connection, these cases bring to their callers: each compared with the
    TPC-B beside it, since the machine's speed changes between them."""
    by_case = {case.name: row for case, row in zip(cases, rows)}
    if bare is None or bare[0] not in by_case:
        return None
    base = by_case[bare[0]]
    return {"case": bare[0], "per_second": base["per_second"], "ratio": base["ratio"],
            "delivered": {name: round(by_case[name]["ratio"] / base["ratio"], 3)
                          for name in bare[1] if name in by_case}}


def bare_line(bare):
    parts = ", ".join(f"{name} delivers {share:.0%}" for name, share in bare["delivered"].items())
    return (f"bare SQL of a batch, from one connection: {bare['per_second']:,.0f}/s, {bare['ratio']:.2f} of TPC-B; of that "
            f"{parts or 'nothing was measured'}")


def table(rows, yard, memory, bounds=(), bare=None):
    lines = [] if yard is None else [
        f"yardstick: pgbench TPC-B, 32 clients: {yard['per_second']:,.0f}/s (from {yard['least']:,.0f} to "
        f"{yard['most']:,.0f}); one client: {yard['single']['per_second']:,.0f}/s, p50 {yard['single']['p50_us']:,} us",
        "", "| case | per second | ratio | floor | met | p50 us | p99 us | p999 us | CPU us each |",
        "|---|---:|---:|---:|---|---:|---:|---:|---|"]
    for row in rows:
        cpu = ", ".join(f"{name} {used}" for name, used in row["cpu_us_per_unit"].items())
        floor = "-" if row["floor"] is None else f"{row['floor']}"
        lines.append(f"| {row['prose']} | {row['per_second']:,.0f} | {row['ratio']:.2f} of {row['against']} | {floor} | "
                     f"{'yes' if row['met'] else 'NO'} | {row['p50_us']:,} | {row['p99_us']:,} | {row['p999_us']:,} | {cpu} |")
    if bounds:
        lines += ["", "| case | measured | most | met | |", "|---|---:|---:|---|---|"]
    for bound in bounds:
        lines.append(f"| {bound['prose']} | {bound['value']:,} {bound['unit']} | {bound['most']} {bound['unit']} | "
                     f"{'yes' if bound['met'] else 'NO'} | {bound['how']} |")
    if bare:
        lines += ["", bare_line(bare)]
    lines += ["", f"peak resident memory of {memory['process']}: {memory['mib']:.0f} MiB (most {memory['most_mib']}: "
              f"{'met' if memory['met'] else 'NOT MET'})"]
    return "\n".join(lines)


def measure(cases, wanted, seconds, scale, load):
    bases, rows = Bases(cases, Postgres(scale), load, seconds), []
    for case in wanted:
        result, near, own = bases.around(case)
        ratio, met = judge(case, result, near)
        rows.append({**result, "name": case.name, "prose": case.prose, "against": case.against, "ratio": round(ratio, 3),
                     "floor": case.floor, "met": met,
                     "against_per_second": statistics.mean(base["per_second"] for base in near)})
        print(f"  {case.name}: {result['per_second']:,.0f}/s, {ratio:.2f} of {case.against}", file=sys.stderr)
        case.finish(own)
    for name in ("yardstick", "latency"):
        if not bases.runs[name]:
            bases.run(name)
    yards = [run["per_second"] for run in bases.runs["yardstick"]]
    yard = {"name": "pgbench TPC-B", "clients": 32, "scale": scale, "per_second": statistics.median(yards),
            "least": min(yards), "most": max(yards), "single": bases.runs["latency"][-1]}
    return yard, rows


def main(name, cases, memory_floor, bounds=(), bare=None):
    """`bare`: the case that is the bare SQL, and those that are compared with it."""
    parser = argparse.ArgumentParser(prog=f"./daler bench {name}", description=f"Measures {name} against pgbench TPC-B.")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--quick", action="store_true", help="under 2 minutes; rougher")
    parser.add_argument("--seconds", type=float, help="length of each run (10, with --quick 3)")
    parser.add_argument("--case", action="append", help="only this case")
    args = parser.parse_args()
    seconds = args.seconds or (3 if args.quick else 10)
    wanted = [case for case in cases if (case.quick or not args.quick or case.name in (args.case or []))
              and (not args.case or case.name in args.case)]
    load = Load(10000)
    # A branch for each of pgbench's clients at least: with fewer they wait for each other, which flatters the ratios.
    yard, rows = measure(cases, wanted, max(1, int(seconds)), 40 if args.quick else 100, load) if wanted else (None, [])
    mib = most_resident_mib(memory_floor[0])
    memory = {"process": memory_floor[0], "mib": round(mib, 1), "most_mib": memory_floor[1], "met": mib <= memory_floor[1]}
    held = [bound.measure(load, args.quick) for bound in bounds if not args.case or bound.name in args.case]
    bare_sql = delivered(bare, wanted, rows)
    if args.json:
        print(json.dumps({"yardstick": yard, "cases": rows, "bounds": held, "bare_sql": bare_sql, "memory": memory}))
    else:
        print(table(rows, yard, memory, held, bare_sql))
    return 0 if memory["met"] and all(row["met"] for row in [*rows, *held]) else 1
