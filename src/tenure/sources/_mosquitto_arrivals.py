"""Connections that a broker's log shows to have arrived, and not yet to be accepted or over.

What they are kept for: an end that names nobody belongs to one of them, and to a certain one only if one can be meant.
"""

from __future__ import annotations

from typing import Final

_FORGET: Final = 120_000_000  # µs; Mosquitto drops a peer that sends no CONNECT after 30 s (2.x) or 90 s (1.x)


class Arrivals:
    """Connections that were neither accepted nor ended yet, by peer as written."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[int]] = {}  # to look at, not to touch
        self._total = self._lost = 0  # lost: ends of connections that could not be told apart

    def __len__(self) -> int:
        return self._total - self._lost

    def arrived(self, peer: str, time: int) -> None:
        self._forget(time)
        times = self.waiting.pop(peer, [])
        times.append(time)
        self.waiting[peer] = times  # youngest last, so that _forget looks at the oldest only
        self._total += 1

    def settled(self, peer: str) -> int | None:
        """This peer was accepted or has ended: when it arrived, if that was seen."""
        if (times := self.waiting.get(peer)) is None:
            return None
        arrived = times.pop(0)
        if not times:
            del self.waiting[peer]
        self._total -= 1
        self._all_lost()
        return arrived

    def ended(self, at_address: str | None) -> tuple[str, int] | None:
        """Some peer has ended (one of this address, where it is known): which and when it arrived, if only one can be meant."""
        if at_address is None:
            candidates = list(self.waiting)[:2]
        else:
            candidates = [p for p in self.waiting if p == at_address or p.rpartition(":")[0] == at_address]
        if len(candidates) == 1:
            peer = candidates[0]
            alone = len(self.waiting[peer]) == 1
            arrived = self.settled(peer)
            return (peer, arrived) if alone and arrived is not None else (peer, -1)
        if self._total:
            self._lost += 1
            self._all_lost()
        return None

    def clear(self) -> None:
        self.waiting.clear()
        self._total = self._lost = 0

    def _all_lost(self) -> None:
        if self._lost >= self._total:
            self.clear()

    def _forget(self, now: int) -> None:
        while self.waiting:
            peer = next(iter(self.waiting))
            if now - self.waiting[peer][-1] <= _FORGET:
                return
            gone = len(self.waiting.pop(peer))
            self._total -= gone
            self._lost = max(0, self._lost - gone)
