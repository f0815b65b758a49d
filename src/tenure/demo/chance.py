"""Numbers that look random and follow from a seed and a label alone, in whatever order they are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chance:
    """A source of numbers: the same seed and label give the same number."""

    seed: int

    def octets(self, size: int, *label: object) -> bytes:
        text = "\x1f".join(str(part) for part in (self.seed, *label))
        return hashlib.shake_256(text.encode()).digest(size)

    def below(self, limit: int, *label: object) -> int:
        """A whole number from 0 to ``limit`` - 1."""
        return int.from_bytes(self.octets(16, *label), "big") % limit

    def between(self, low: float, high: float, *label: object) -> float:
        return low + (high - low) * self.below(1 << 32, *label) / (1 << 32)

    def pick(self, options: Sequence[T], *label: object) -> T:
        return options[self.below(len(options), *label)]
