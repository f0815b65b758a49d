"""Answers about bytes that come again and again, remembered within bounds: so many of them, and none about long input."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")


def remembering(most: int, longest: int = 1024) -> Callable[[Callable[[bytes], T]], Callable[[bytes], T]]:
    """For a pure function of bytes. Its errors are not remembered. Hostile input can fill the memory, never enlarge it."""

    def around(function: Callable[[bytes], T]) -> Callable[[bytes], T]:
        remembered = lru_cache(maxsize=most)(function)

        @wraps(function)
        def answer(data: bytes) -> T:
            return remembered(data) if len(data) <= longest else function(data)

        return answer

    return around
