"""Seconds from a cold start to the findings of 1,000 devices, with a Python that only loads the libraries beside it.

    python -m bench.cold_start [--devices 1000] [--runs 5]

Targets: ``tenure audit`` under 3 s, ``tenure --help`` under 0.3 s. Each run is a process of its own with an empty store;
the exports are those of the example fleet (CMDB, cloud, CA folder, logs, anchors, secrets). The best of the runs counts:
what else the machine does only ever adds. Processor time is of the process and those it starts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tenure.demo import exports

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one run, and what it wrote to standard output."""

    wall: float
    processor: float
    out: bytes


def run(command: Sequence[str], store: Path) -> Took:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env={**os.environ, "TENURE_STORE": str(store)})
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout)


def best(command: Sequence[str], runs: int, stores: Path) -> Took:
    """The quickest of several runs, each with a store of its own."""
    return min((run(command, Path(tempfile.mkdtemp(dir=stores))) for _ in range(runs)), key=lambda took: took.wall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=5)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, stores = Path(place) / "exports", Path(place) / "stores"
        folder.mkdir()
        stores.mkdir()
        exports.write(exports.example(7, wanted.devices, AS_OF), folder)
        files = [p for p in folder.rglob("*") if p.is_file()]
        size = sum(p.stat().st_size for p in files) / 1e6
        audit = ["-m", "tenure", "audit", str(folder), "--as-of", AS_OF.isoformat(), "--format", "json"]
        rows = {
            "python alone": ["-c", "pass"],
            "python and duckdb, pyarrow (limit)": ["-c", "import duckdb, pyarrow, pyarrow.parquet"],
            "tenure --help": ["-m", "tenure", "--help"],
            f"tenure audit, {wanted.devices:,} devices": audit,
        }
        print(f"{len(files)} files, {size:.1f} MB; best of {wanted.runs} runs; load {os.getloadavg()[0]:.1f}")
        print(f"{'':36}  seconds  of processor time")
        for name, arguments in rows.items():
            took = best([sys.executable, *arguments], wanted.runs, stores)
            print(f"{name:36}  {took.wall:>7.2f}  {took.processor:>17.2f}")
        again = Path(tempfile.mkdtemp(dir=stores))
        run([sys.executable, *audit], again)
        took = min((run([sys.executable, *audit], again) for _ in range(wanted.runs)), key=lambda took: took.wall)
        print(f"{'the same with a known store':36}  {took.wall:>7.2f}  {took.processor:>17.2f}")
        print(f"{len(json.loads(took.out)['findings'])} findings")


if __name__ == "__main__":
    main()
