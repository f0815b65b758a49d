"""Linking and judging a big fleet: seconds and peak memory against their limits, and the same rules in SQLite beside them.

python bench/roll.py [--devices N] [--credentials N] [--sessions N] [--folder DIR] [--no-peer]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

from bench._fleet import AS_OF, make_fleet

LINK_SECONDS, RULES_SECONDS, MEMORY_GIB = 120.0, 40.0, 8.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=8_000_000)
    parser.add_argument("--credentials", type=int, default=10_000_000)
    parser.add_argument("--sessions", type=int, default=2_000_000)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/tenure-bench"))
    parser.add_argument("--stage", choices=["all", "link", "judge", "peer"], default="all")
    parser.add_argument("--no-peer", action="store_true", help="leave SQLite out")
    parser.add_argument("--memory", default="5GB")
    options = parser.parse_args()
    if options.stage == "all":
        started = time.perf_counter()
        make_fleet(options.folder, devices=options.devices, credentials=options.credentials, sessions=options.sessions)
        print(f"fleet of {options.devices:,} devices, {options.credentials:,} credentials, {options.sessions:,} sessions "
              f"(made or found in {time.perf_counter() - started:.0f} s)", flush=True)  # fmt: skip
        for stage in (
            ("link", "judge") if options.no_peer else ("link", "judge", "peer")
        ):  # each in a process of its own, so that its peak memory is its own
            subprocess.run([sys.executable, "-m", "bench.roll", *sys.argv[1:], "--stage", stage], check=True)
    elif options.stage == "link":
        _link(options)
    elif options.stage == "judge":
        _judge(options)
    else:
        _peer(options)


def _link(options: argparse.Namespace) -> None:
    from tenure.model.declarations import Declarations
    from tenure.roll.link import Limits, link

    snapshots = make_fleet(options.folder, devices=options.devices, credentials=options.credentials, sessions=options.sessions)
    started = last = time.perf_counter()
    name = ""

    def step(now: str) -> None:
        nonlocal last, name
        moment = time.perf_counter()
        if name:
            print(f"  {name:<28} {moment - last:7.1f} s  {_peak():5.1f} GiB", flush=True)
        last, name = moment, now

    link(snapshots, Declarations(), AS_OF, options.folder / "roll.duckdb", limits=Limits(options.memory, 2), progress=step)
    step("")
    total = time.perf_counter() - started
    print(
        f"linking: {total:.1f} s (limit {LINK_SECONDS:.0f}), peak memory {_peak():.1f} GiB (limit {MEMORY_GIB:.0f})", flush=True
    )


def _judge(options: argparse.Namespace) -> None:
    from tenure.roll.judge import judge
    from tenure.roll.rules import builtin_folder, load_rules

    rules = load_rules(builtin_folder())
    started = time.perf_counter()
    judgement = judge(options.folder / "roll.duckdb", rules, as_of=AS_OF)
    wall = time.perf_counter() - started
    for outcome in sorted(judgement.outcomes, key=lambda o: -o.seconds):
        print(
            f"  {outcome.id:<40} {outcome.status.value:<13} {outcome.findings:>10,} {outcome.seconds:7.2f} s  "
            f"{outcome.reason[:60]}"
        )
    inside = sum(o.seconds for o in judgement.outcomes)
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"rules: {inside:.1f} s (limit {RULES_SECONDS:.0f}), with packing of {len(judgement.findings):,} findings "
          f"{wall:.1f} s; peak memory {_peak():.1f} GiB here, {child:.1f} GiB in the rules' process", flush=True)  # fmt: skip


PEER_RULES = ("weak-key", "unowned-device", "secret-without-expiry", "certificate-lifetime-too-long", "no-expiry-date")


def _peer(options: argparse.Namespace) -> None:
    """A few of the rules, the same text, in DuckDB and in SQLite over the same rows."""
    import duckdb

    from bench._sqlite_peer import run_in_sqlite
    from tenure.roll.rules import builtin_folder, load_rules

    rules = [rule for rule in load_rules(builtin_folder()) if rule.id in PEER_RULES]
    path = options.folder / "roll.duckdb"
    theirs = run_in_sqlite(path, rules, AS_OF, options.folder)
    with duckdb.connect(str(path), read_only=True, config={"threads": 2}) as con:
        for rule in rules:
            started = time.perf_counter()
            values = {k: v for k, v in {"as_of": AS_OF.replace(tzinfo=None), **rule.parameters}.items() if f"${k}" in rule.query}
            rows = len(con.execute(rule.query, values).fetchall())
            ours = time.perf_counter() - started
            print(
                f"  {rule.id:<34} DuckDB {rows:>9,} rows {ours:7.2f} s   SQLite "
                f"{theirs[rule.id][0]:>9,} rows {theirs[rule.id][1]:7.2f} s",
                flush=True,
            )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
