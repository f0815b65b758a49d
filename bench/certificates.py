"""Certificates from files to a finished snapshot, beside pyca/cryptography field by field and the limit; medians of several runs.

``python -m bench.certificates [--certificates N] [--runs N]`` generates a fleet once (four of five certificates in bundles of
PEM, the rest in files of their own) and measures:

* *to snapshot*: ``certificates`` collects the folder, on all cores, from closed files to the renamed snapshot; the
  issuers are not in the folder, so there is no signature to check. Goal: 40,000 a second on 2 cores.
* *with signatures*: the same with the three issuers in the folder, so that every signature is checked.
* *our reader*, *field by field*, *limit*: on one core, from bytes in memory. The peer asks the library for the same
  columns, property by property. The limit is what nobody can go below who lets the library judge structure and key and
  names a certificate by its hash.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from bench._certificate_fleet import certificates, write_tree
from tenure.evidence.collection import CollectContext, Place
from tenure.evidence.digests import SecretDigest
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.declarations import Declarations, SourceDeclaration
from tenure.pki import property_reader
from tenure.pki.certificates import read
from tenure.sources.certificates import SOURCE

SEED = 20_261_101
_SAMPLE = 10_000


def to_snapshot(folder: Path, expected: int) -> float:
    """Seconds from files to finished snapshot."""
    context = CollectContext(Declarations(), SourceDeclaration(path="."), SecretDigest(b"k" * 32), folder)
    with tempfile.TemporaryDirectory() as store:
        begin = time.perf_counter()
        with SnapshotDraft(Path(store), SOURCE.kind, SOURCE.version, "fleet") as draft:
            SOURCE.collect(Place(folder, ".", b""), context, draft)
            snapshot = draft.finish(datetime.now(UTC))
        seconds = time.perf_counter() - begin
        found = snapshot.manifest.rows["certificate"], snapshot.manifest.rows.get("problem", 0)
        if found != (expected, 0):
            raise SystemExit(f"expected {expected} certificates and no problem, found {found}")
    return seconds


def each(ders: list[bytes], function: Callable[[bytes], object]) -> float:
    """Seconds of one core for all."""
    gc.collect()
    begin = time.process_time()
    for der in ders:
        function(der)
    return time.process_time() - begin


def by_property(der: bytes) -> object:
    return property_reader.read(x509.load_der_x509_certificate(der))


def limit(der: bytes) -> object:
    x509.load_der_x509_certificate(der).public_key()
    return hashlib.sha256(der).digest()


def shown(what: str, rates: list[float], unit: str) -> None:
    spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
    print(f"  {what:<44} {statistics.median(rates):>10,.0f} /s   ({spread}; {unit})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="certificates from files to snapshot")
    parser.add_argument("--certificates", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    count, runs = options.certificates, options.runs
    cores = len(os.sched_getaffinity(0))
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as scratch:
        alone, issued = Path(scratch) / "alone", Path(scratch) / "issued"
        size = write_tree(alone, count, SEED, with_authorities=False)
        write_tree(issued, count // 4, SEED, with_authorities=True)
        print(f"{count:,} certificates, {size / 1e6:.0f} MB in files, {cores} cores, medians of {runs} runs")
        shown("to snapshot", [count / to_snapshot(alone, count) for _ in range(runs)], f"{cores} cores, wall")
        few = count // 4
        rates = [few / to_snapshot(issued, few + 3) for _ in range(runs)]
        shown(f"to snapshot with signatures ({few:,})", rates, f"{cores} cores, wall")
    sample = list(certificates(min(_SAMPLE, count), SEED + 1))
    for what, function in (("our reader", read), ("pyca/cryptography field by field", by_property), ("limit", limit)):
        each(sample[:500], function)
        shown(what, [len(sample) / each(sample, function) for _ in range(runs)], "1 core, CPU time")


if __name__ == "__main__":
    main()
