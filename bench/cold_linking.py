"""Linking where nobody has checked a signature yet, beside the same with the verdicts cached and bare verification.

``python -m bench.cold_linking [--certificates N]``: device certificates lie in one export and their issuers in another, so
that no collection can check a signature. The first linking checks every one on all cores and keeps the verdicts; the
second finds them. The limit is what the library verifies in as many processes, and nothing else.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from bench._certificate_fleet import profiles, write_tree
from tenure.evidence.collection import CollectContext, Place
from tenure.evidence.digests import SecretDigest
from tenure.evidence.snapshot import Snapshot, SnapshotDraft
from tenure.model.declarations import Declarations, SourceDeclaration
from tenure.pki import signatures
from tenure.roll.link import Limits, link
from tenure.sources.certificates import SOURCE

SEED = 20_261_101
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
SAMPLE = 10_000


def collected(folder: Path, store: Path) -> Snapshot:
    context = CollectContext(Declarations(), SourceDeclaration(path="."), SecretDigest(b"k" * 32), folder)
    with SnapshotDraft(store, SOURCE.kind, SOURCE.version, folder.name) as draft:
        SOURCE.collect(Place(folder, ".", b""), context, draft)
        return draft.finish(AS_OF)


def linked(snapshots: list[Snapshot], scratch: Path, expected: int) -> float:
    begin = time.perf_counter()
    roll = link(snapshots, Declarations(), AS_OF, scratch / "roll.duckdb", limits=Limits("5GB", 2), edge_cache=scratch / "cache")
    seconds = time.perf_counter() - begin
    with roll.connect() as con:
        ((verified,),) = con.execute("SELECT count(*) FROM edge WHERE state = 'verified'").fetchall()
    if verified < expected:
        raise SystemExit(f"expected {expected} verified edges, found {verified}")
    return seconds


def verify_some(seed: int) -> float:
    """Seconds of one process for a sample of the same mix of issuers."""
    import random

    random_ = random.Random(seed)
    kinds, weights = zip(*profiles(), strict=True)
    pairs = [(kind.issue(random_, n), kind.authority) for n, kind in enumerate(random_.choices(kinds, weights, k=SAMPLE))]
    begin = time.perf_counter()
    if not all(signatures.verify(*pair).verified for pair in pairs):
        raise SystemExit("a signature of the sample does not verify")
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description="linking with no signature checked before")
    parser.add_argument("--certificates", type=int, default=400_000)
    count = parser.parse_args().certificates
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        tree, authorities = scratch / "devices", scratch / "issuers"
        write_tree(tree, count, SEED, with_authorities=True)
        authorities.mkdir()
        (tree / "authorities.pem").rename(authorities / "authorities.pem")
        snapshots = [collected(tree, scratch / "store"), collected(authorities, scratch / "store")]
        cold, cached = linked(snapshots, scratch, count), linked(snapshots, scratch, count)
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        limit = cores * SAMPLE / max(pool.map(verify_some, range(cores)))
    print(f"{count:,} certificates, {cores} cores, wall times")
    print(f"  cold linking            {cold:8.1f} s   {count / cold:>10,.0f} /s")
    print(f"  with verdicts cached    {cached:8.1f} s   {count / cached:>10,.0f} /s")
    print(f"  so checking signatures  {cold - cached:8.1f} s   {count / (cold - cached):>10,.0f} /s")
    print(f"  limit: verification alone                {limit:>10,.0f} /s")


if __name__ == "__main__":
    main()
