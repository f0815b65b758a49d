"""Rows per second of a CMDB export into a snapshot, with csv.DictReader alone over the same file as the limit beside it.

    python bench/cmdb.py [--rows 1000000]

Target: 60,000 rows/s in bounded memory. The file is generated (seeded), ServiceNow-style with 18 columns.
"""

from __future__ import annotations

import argparse
import csv
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tenure.evidence.collection import HEAD_BYTES, CollectContext, Place
from tenure.evidence.digests import SecretDigest
from tenure.evidence.snapshot import Snapshot, SnapshotDraft
from tenure.model.declarations import Declarations
from tenure.sources.cmdb import SOURCE

_HEADER = (
    "sys_id", "name", "serial_number", "mac_address", "manufacturer", "model_id", "firmware_version", "install_status",
    "owned_by", "ownership_changed_on", "location", "managed_by", "trust_domain", "gateway_serial", "hardware_security",
    "installed_on", "last_discovered", "retired_on",
)  # fmt: skip


def write_export(path: Path, rows: int) -> None:
    """An inventory of ``rows`` devices at 200 sites; one row in 1,000 is exported twice."""
    chance = random.Random(7)
    day = datetime(2020, 1, 1, tzinfo=UTC)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        for n in range(rows):
            site = f"site{chance.randrange(200)}"
            maker = chance.choice(("Sensora", "MIDORI", "Klimatec GmbH", "Nordwerk"))
            mac = f"{0x40F52B000000 + n:012x}"
            row = [
                f"{chance.getrandbits(128):032x}", f"dev-{site}-{n:08}", f"{chance.getrandbits(36):012}",
                ":".join(mac[i : i + 2] for i in range(0, 12, 2)), maker, f"M-{chance.randrange(40)}", f"{chance.randrange(9)}.1",
                chance.choices(("Installed", "Retired", "In Stock"), (90, 7, 3))[0], f"team {chance.randrange(300)}", "",
                site, f"ops-{site}", f"field-{site}", f"GW{chance.randrange(20_000)}", "none",
                (day + timedelta(days=chance.randrange(2000))).strftime("%Y-%m-%d"),
                (day + timedelta(seconds=chance.randrange(200_000_000))).strftime("%Y-%m-%d %H:%M:%S"), "",
            ]  # fmt: skip
            writer.writerow(row)
            if n % 1000 == 0:
                writer.writerow(row)


def collected(path: Path, store: Path) -> Snapshot:
    declarations = Declarations()
    with path.open("rb") as file:
        place = Place(path, path.name, file.read(HEAD_BYTES))
    context = CollectContext(declarations, declarations.for_path(path.name), SecretDigest(b"k" * 32), path.parent)
    with SnapshotDraft(store, SOURCE.kind, SOURCE.version, path.name) as draft:
        SOURCE.collect(place, context, draft)
        return draft.finish(datetime(2026, 11, 1, tzinfo=UTC))


@dataclass(slots=True)
class Times:
    """Seconds; the processor's are those of this process, whatever else the machine does."""

    wall: float = 0.0
    processor: float = 0.0


@contextmanager
def timed() -> Iterator[Times]:
    times = Times()
    wall, processor = time.perf_counter(), time.process_time()
    yield times
    times.wall, times.processor = time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cmdb.csv"
        write_export(path, rows)
        with timed() as alone, path.open(newline="") as file:
            read = sum(1 for _row in csv.DictReader(file))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with timed() as took:
            snapshot = collected(path, Path(folder) / "store")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        counts = snapshot.manifest.rows
        print(f"{path.stat().st_size / 1e6:.0f} MB, {read} rows")
        print("                              rows per second   rows per second of processor time")
        for name, times in (("csv.DictReader alone (limit)", alone), ("cmdb to snapshot", took)):
            print(f"{name:28}  {read / times.wall:>15,.0f}  {read / times.processor:>34,.0f}")
        print(f"{counts['device_record']} records, {counts['identifier']} identifiers, {counts['problem']} problems")
        print(f"peak memory {peak // 1024} MiB ({before // 1024} MiB before)")


if __name__ == "__main__":
    main()
