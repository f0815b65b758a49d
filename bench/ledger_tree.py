"""How many events a second the tree takes, and how many rows a second verification reads, without a database.

python -m bench.ledger_tree [EVENTS]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from time import perf_counter
from uuid import UUID

from tenure.ledger.edge import RightEdge
from tenure.ledger.reading import NoCopies, read_through
from tenure.ledger.tree import leaf_hash
from tenure.model.ledger import Placed, Record, TileId

BATCHES = (1, 64, 4096)
LEAF = b'{"actor":"token:%032d","after":"%064d","at":"2026-11-01T00:00:00.000000Z","verb":"claim","subject":"%036d"}'


class Rows:
    """Rows made as they are asked for: only the ledger's own work is measured."""

    def __init__(self, count: int) -> None:
        self._count, self._event = count, UUID(int=1)

    def checkpoint(self) -> bytes | None:
        return None

    def tile(self, _tile: TileId) -> bytes:
        return b""

    def records(self, _start: int, _stop: int) -> Iterator[Record]:
        return iter(())

    def placed(self, _start: int | None = None, _stop: int | None = None) -> Iterator[Placed]:
        return (Placed(n, self._event, LEAF % (n, n, n)) for n in range(self._count))


def grow(events: int, batch: int) -> float:
    """Events a second, with the tiles and the root of each batch."""
    edge, leaves = RightEdge(), [LEAF % (n, n, n) for n in range(batch)]
    start = perf_counter()
    for _ in range(events // batch):
        edge = edge.copy()
        edge.extend(leaf_hash(leaf) for leaf in leaves)
        edge.root()
        edge.take()
    return events / (perf_counter() - start)


def main(events: int) -> None:
    for batch in BATCHES:
        print(f"grow, batches of {batch}: {grow(min(events, batch * 20_000), batch):,.0f} events/s")
    edge = RightEdge()
    edge.extend(leaf_hash(row.leaf) for row in Rows(events).placed())
    root = edge.root()
    start = perf_counter()
    reading = read_through(Rows(events), {events: root}, NoCopies(), lambda _: None)
    assert reading.failed is None
    print(f"verify: {events / (perf_counter() - start):,.0f} rows/s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
