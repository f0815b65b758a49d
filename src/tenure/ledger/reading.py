"""Reading all rows once, in order, and holding them against what was signed. Streams; remembers 256 rows at most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from tenure.ledger.edge import RightEdge
from tenure.ledger.store import LedgerRows
from tenure.ledger.tiles import WIDTH
from tenure.ledger.tree import leaf_hash
from tenure.model.ledger import TileId

Progress: TypeAlias = Callable[[int], None]  # rows read so far


@dataclass(frozen=True, slots=True)
class Reading:
    """``count`` rows stand at places 0, 1, 2... ; the first ``matched`` give a root that was signed. ``failed`` is the first
    signed size whose root the rows do not give (None: they give all)."""

    count: int
    matched: int
    failed: int | None

    def wrong_before(self) -> int:
        """The first bad row has a place below this (when ``failed``): the rows before it cannot all be right."""
        assert self.failed is not None
        return min(self.failed, self.count + 1)


class Copies(Protocol):
    """Who compares what the rows give with copies of it."""

    def bundle(self, index: int, leaves: list[bytes], size: int) -> None:
        """The entries of a bundle, full, or as it is in a tree of ``size``."""

    def tiles(self, tiles: Mapping[TileId, bytes], size: int) -> None: ...


class NoCopies:
    def bundle(self, index: int, leaves: list[bytes], size: int) -> None:
        pass

    def tiles(self, tiles: Mapping[TileId, bytes], size: int) -> None:
        pass


def read_through(rows: LedgerRows, signed: Mapping[int, bytes], copies: Copies, progress: Progress) -> Reading:
    """Reads up to the largest signed size. ``signed``: size -> root. Stops where numbering or a root breaks."""
    edge, leaves, matched = RightEdge(), list[bytes](), 0
    last = max(signed, default=0)
    for row in rows.placed(None, last):
        if row.position != edge.size:
            break
        edge.append(leaf_hash(row.leaf))
        leaves.append(row.leaf)
        if edge.size in signed:
            if edge.root() != signed[edge.size]:
                return Reading(edge.size, matched, edge.size)
            matched = edge.size
            copies.bundle((edge.size - 1) // WIDTH, leaves, edge.size)
            copies.tiles(edge.partial(), edge.size)
        if edge.size % WIDTH == 0:
            if edge.size not in signed:
                copies.bundle(edge.size // WIDTH - 1, leaves, edge.size)
            copies.tiles(edge.take_finished(), edge.size)
            leaves = []
            progress(edge.size)
    progress(edge.size)
    return Reading(edge.size, matched, min((size for size in signed if size > edge.size), default=None))
