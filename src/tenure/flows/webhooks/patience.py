"""How long a receiver is tried: exponential backoff with full jitter, then a dead letter. Pure; chance is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Patience:
    """The defaults try for about a day and a half: 1, 2, 4 ... minutes at most, then every six hours at most."""

    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=6)
    attempts: int = 16

    def wait(self, attempts: int, chance: float) -> timedelta | None:
        """How long to wait after so many attempts (from 1) that failed; None: give up.

        ``chance`` in [0, 1) spreads receivers that failed together. At least a tenth of the time is waited: a receiver
        that refuses is never hammered.
        """
        if attempts >= self.attempts:
            return None
        grown: int = 2 ** min(attempts - 1, 40)
        most = min(self.first * grown, self.longest)
        return most * (0.1 + 0.9 * chance)
