"""The right edge of a growing tree: all that is needed to append, whatever its size (at most 255 hashes a level)."""

from __future__ import annotations

from collections.abc import Iterable

from tenure.ledger.refusals import DamageError
from tenure.ledger.tiles import WIDTH, ReadTile, hashes_in, tile_path, width_at
from tenure.ledger.tree import HASH, root_of
from tenure.model.ledger import TileId

_FULL = WIDTH * HASH


class RightEdge:
    """The unfinished tiles of a tree, level by level. Grows; ``copy`` it to try what may not come to be."""

    def __init__(self) -> None:
        self.size = 0
        self._levels: list[bytearray] = []
        self._grown: dict[TileId, bytes] = {}  # tiles finished since they were last taken
        self._touched: set[int] = set()  # levels whose unfinished tile has grown since

    @classmethod
    def of(cls, size: int, read: ReadTile) -> RightEdge:
        """The edge of a stored tree. Raises DamageError when a tile is too short; the root is the caller's to compare."""
        edge = cls()
        edge.size = size
        level = 0
        while size >> (8 * level):
            tile = TileId(level, size >> (8 * (level + 1)))
            width = width_at(level, tile.index, size)
            hashes = read(tile)[: width * HASH] if width else b""
            if len(hashes) != width * HASH:
                raise DamageError(f"{tile_path(tile)} has no {width} hashes", "run `tenure ledger verify`")
            edge._levels.append(bytearray(hashes))
            level += 1
        return edge

    def copy(self) -> RightEdge:
        other = RightEdge()
        other.size = self.size
        other._levels = [bytearray(level) for level in self._levels]
        other._grown = dict(self._grown)
        other._touched = set(self._touched)
        return other

    def append(self, leaf_hash: bytes) -> None:
        self.size += 1
        value, level = leaf_hash, 0
        while True:
            if level == len(self._levels):
                self._levels.append(bytearray())
            unfinished = self._levels[level]
            unfinished += value
            self._touched.add(level)
            if len(unfinished) < _FULL:
                return
            tile = bytes(unfinished)
            self._grown[TileId(level, (self.size >> (8 * (level + 1))) - 1)] = tile
            unfinished.clear()
            value, level = root_of(hashes_in(tile)), level + 1

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        for value in leaf_hashes:
            self.append(value)

    def root(self) -> bytes:
        """The root over all leaves so far."""
        rest: list[bytes] = []
        for unfinished in self._levels:
            if hashes := [*hashes_in(bytes(unfinished)), *rest]:
                rest = [root_of(hashes)]
        return rest[0] if rest else root_of(())

    def take_finished(self) -> dict[TileId, bytes]:
        """The full tiles that came to be since they were last taken."""
        finished, self._grown = self._grown, {}
        return finished

    def partial(self) -> dict[TileId, bytes]:
        """The unfinished tiles as they stand."""
        return {
            TileId(level, self.size >> (8 * (level + 1))): bytes(hashes) for level, hashes in enumerate(self._levels) if hashes
        }

    def take(self) -> dict[TileId, bytes]:
        """All tiles that are new or wider since they were last taken."""
        touched, self._touched = self._touched, set()
        return self.take_finished() | {tile: content for tile, content in self.partial().items() if tile.level in touched}
