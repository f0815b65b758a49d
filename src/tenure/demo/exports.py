"""All exports of an example fleet as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from tenure.demo import (
    anchors,
    broker_log,
    cloud,
    cloud_log,
    declared,
    ejbca,
    inventory,
    keyring,
    loose,
    openssl_ca,
    wire,
)
from tenure.demo.cases import Case
from tenure.demo.chance import Chance
from tenure.demo.defects import DEFECTS
from tenure.demo.life import World, world
from tenure.demo.near_misses import NEAR_MISSES, TROUBLES

CASES = (*DEFECTS, *NEAR_MISSES, *TROUBLES)

WRITERS = (declared, inventory, cloud, cloud_log, openssl_ca, ejbca, broker_log, wire, anchors, keyring, loose)


def example(seed: int, size: int, as_of: datetime, cases: Sequence[Case] = CASES) -> World:
    """The example fleet of that seed. The same arguments give the same fleet."""
    return world(Chance(seed), size, as_of, cases)


def files(fleet: World) -> Iterator[tuple[str, bytes]]:
    """Path and content of every export."""
    for writer in WRITERS:
        yield from writer.files(fleet)


def write(fleet: World, folder: Path) -> int:
    """The exports below a folder; how many files. What lies there under other names stays."""
    count = 0
    for path, content in files(fleet):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        count += 1
    return count
