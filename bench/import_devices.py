"""How long `tenure devices import` takes for a CSV of devices, each with one hardware root, on SQLite and on PostgreSQL.

python -m bench.import_devices [DEVICES] [sqlite|postgresql]

The file is read, understood and judged within the time that is told; commits are durable.
"""

from __future__ import annotations

import gc
import hashlib
import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time

from bench._databases import KINDS, database
from tenure.cli.import_devices import MANY_LIVE
from tenure.flows import parties
from tenure.flows.imports.devices import Imported, Mode, Order, import_devices
from tenure.flows.imports.table import FileKind
from tenure.model.access import Actor, ActorKind, Area, Role, RoleAssignment
from tenure.model.parties import Owner, TrustDomain
from tenure.registry.registry import Registry
from tenure.wiring.registry import opened

ACTOR = Actor(ActorKind.SYSTEM, "bench", (RoleAssignment(Role.ADMIN, Area()),))


def write_fleet(path: Path, devices: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("state,owner,trust_domain,maker,model,serial,name,idevid\n")
        for number in range(devices):
            root = hashlib.sha256(number.to_bytes(8, "big")).hexdigest()
            file.write(f"claimed,Plant operations,plant.example,Example Controls,PLC-4,A-{number:08},pump-{number},{root}\n")


def run(registry: Registry, path: Path, mode: Mode) -> tuple[float, float, Imported]:
    """Wall and processor seconds, and what came of it."""
    start, worked = perf_counter(), process_time()
    with path.open("rb") as file:
        done = import_devices(registry, ACTOR, file, Order(path.name, FileKind.CSV, mode), print, lambda _: None)
    return perf_counter() - start, process_time() - worked, done


def measure(path: Path, devices: int, url: str) -> None:
    registry = opened(url)
    parties.add(registry, ACTOR, Owner, {"name": "Plant operations", "contact": "operations@plant.example"}, "")
    parties.add(registry, ACTOR, TrustDomain, {"name": "plant.example"}, "")
    for mode in (Mode.DRY_RUN, Mode.WHOLE):
        seconds, worked, done = run(registry, path, mode)
        assert done.devices == devices, done
        told = f"{devices:,} devices in {seconds:.0f} s, {devices / seconds:,.0f}/s; {worked:.0f} s of processor time of its own"
        print(f"{registry.engine.dialect.name}, {mode}: {told}, load {os.getloadavg()[0]:.1f}", flush=True)
    registry.close()


def main(devices: int, kinds: Sequence[str]) -> None:
    gc.set_threshold(MANY_LIVE)  # as the command does
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.csv"
        write_fleet(path, devices)
        for kind in kinds:
            with database(kind) as url:
                measure(path, devices, url)
    print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, sys.argv[2:3] or KINDS)
