"""Serial numbers of certificates as logs write them, hex or decimal, and how to tell which without guessing."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tenure.model import identifiers
from tenure.sources._tabular import Table

_LONG = 16  # digits of a serial that was drawn at random (RFC 5280 CAs draw 64 bits and more)
_ENOUGH = 64  # digits of long serials: hex ones would show no letter once in 10^13
_DECIMAL = re.compile(r"-?[0-9]+")
_HEX_SIGNS = re.compile(r"[a-fA-F:]|0[xX]")
_LONGEST = 512  # digits; RFC 5280 allows 20 octets


class SerialNotation:
    """``hex``, ``decimal``, or ``auto``: then all serials of the log are looked at first and decide together."""

    def __init__(self, declared: str) -> None:
        self._decimal = declared == "decimal"
        self._open = declared == "auto"
        self._hex_seen = False
        self._long_digits = self._serials = 0

    def look_at(self, cells: Iterable[str | None]) -> None:
        if self._open and not self._hex_seen:
            for cell in cells:
                if cell is not None:
                    self._serials += 1
                    self._hex_seen |= _HEX_SIGNS.search(cell) is not None
                    if len(cell) >= _LONG:
                        self._long_digits += len(cell)

    def settle(self, table: Table) -> None:
        """Decide; where nothing decides, hex, and told."""
        if not self._open or self._hex_seen or not self._serials:
            return
        self._decimal = self._long_digits >= _ENOUGH
        if not self._decimal:
            reason = 'all serials are digits and could be hex or decimal; read as hex: say serial = "decimal" in a mapping file'
            table.tell(1, reason, "serial-notation", None)

    def hex(self, text: str) -> str | None:
        """The serial in the notation of the evidence; None for what is none."""
        if len(text) > _LONGEST:
            return None
        if self._decimal:
            return identifiers.serial_hex(int(text)) if _DECIMAL.fullmatch(text) else None
        return identifiers.serial_hex_text(text)
