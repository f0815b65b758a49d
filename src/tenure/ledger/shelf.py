"""The shelf: a place outside the database that holds what was shipped: entries, tiles, records, and the checkpoint over them.

What a published checkpoint covers never changes. What lies beyond it is a draft of the next one, and may be replaced.
"""

from __future__ import annotations

from typing import Protocol


class ShelfReader(Protocol):
    def read(self, path: str) -> bytes | None:
        """None when nothing lies there. Raises ShelfError when that cannot be told."""


class Shelf(ShelfReader, Protocol):
    """Paths are relative, with ``/``. Each verb raises ShelfError when it cannot be done."""

    def put(self, path: str, content: bytes) -> None:
        """Durable when it returns; readers see the old content or the new, never a part."""

    def swap(self, path: str, before: bytes | None, after: bytes) -> bool:
        """As ``put``, but False and nothing done when something else than ``before`` lies there. Among all writers."""

    def drop(self, folder: str) -> None:
        """What lies below a path is not needed any more. May be late, may be lost."""
