"""Chunks of an inventory as rows of ``device_record`` and ``identifier``, column by column for speed.

Invariant: every row of the chunk becomes a device record; what a cell says wrongly is told and NULL.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TypeAlias

import pyarrow as pa

from tenure.evidence.collection import CollectContext
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model import identifiers
from tenure.model.vocabulary import DeviceState, HardwareSecurity, IdentifierKind
from tenure.sources._cells import NOTHING
from tenure.sources._gathered import Gathered
from tenure.sources._reading import Reading
from tenure.sources._tabular import Chunk

_SENTINEL_YEAR = 2090  # dates from here on stand for "no date": they say nothing of when the export was made
_LIST = re.compile(r"[,;|\n]+")
Cells: TypeAlias = list[str | None]
Texts: TypeAlias = "pa.Array[pa.StringScalar]"


def mac(raw: str) -> str | None:
    """``identifiers.mac``, the quick way for the usual notations (a test holds the two equal)."""
    try:
        octets = bytes.fromhex(raw.replace(":", "").replace("-", ""))
    except ValueError:
        return identifiers.mac(raw)
    if len(octets) != 6 or octets[0] & 1 or not any(octets):
        return identifiers.mac(raw)
    return octets.hex()


class Makers(dict[str, tuple[str, bool]]):
    """A manufacturer as written -> its normalised name (aliases resolved), and whether its leading zeros mean nothing."""

    def __init__(self, context: CollectContext) -> None:
        super().__init__()
        self._declarations = context.declarations
        self._names = {
            identifiers.maker(alias): identifiers.maker(name)
            for name, maker in context.declarations.maker.items()
            for alias in maker.aliases
        }

    def __missing__(self, text: str) -> tuple[str, bool]:
        given = identifiers.maker(text) or ""
        name = self._names.get(given) or given
        self[text] = found = (name, not self._declarations.zeros_significant(name))
        return found


class DeviceColumns:
    """Writes chunks of one inventory to the draft. ``latest`` is the newest moment its records show it speaks about."""

    def __init__(self, reading: Reading, context: CollectContext, draft: SnapshotDraft) -> None:
        self._reading, self._draft = reading, draft
        self._makers = Makers(context)
        self._records, self._identifiers = Gathered("device_record", draft), Gathered("identifier", draft)
        self._observed: datetime | None = None  # newest discovery or update of a record
        self._dated: datetime | None = None  # newest other date
        self._observes = reading.has("discovered_at") or reading.has("updated_at")

    @property
    def latest(self) -> datetime | None:
        """Discovery and update lie in the past; dates of installation and retirement may be plans, and count only without."""
        return self._observed or self._dated

    def record_ids(self, chunk: Chunk) -> list[str]:
        """The records' own ids; by place where a record has none."""
        return [i or f"row-{p}" for i, p in zip(self._reading.text(chunk, "record_id"), chunk.places, strict=True)]

    def write(self, chunk: Chunk, ids: list[str]) -> None:
        """The records of a chunk, with their identifiers. Text becomes Arrow once and serves both tables."""
        text = self._reading.text
        records = pa.array(ids, pa.string())
        serials, makers, names = text(chunk, "serial"), text(chunk, "maker"), text(chunk, "name")
        tags = text(chunk, "asset_tag")
        macs = self._macs(chunk, records)
        raw = {field: pa.array(cells, pa.string()) for field, cells in (("serial", serials), ("name", names), ("tag", tags))}
        things = pa.array(text(chunk, "thing_name"), pa.string())
        own_ids = pa.array(text(chunk, "record_id"), pa.string())
        self._serials(records, serials, makers, raw["serial"])
        self._identify(IdentifierKind.THING_NAME, records, things, things)
        self._identify(IdentifierKind.NAME, records, [None if n is None else identifiers.name(n) for n in names], raw["name"])
        self._identify(IdentifierKind.ASSET_TAG, records, [None if t is None else t.upper() for t in tags], raw["tag"])
        self._identify(IdentifierKind.HARDWARE_KEY, records, *self._hardware_keys(chunk))
        self._identify(IdentifierKind.RECORD_ID, records, own_ids, own_ids)
        state, state_text = self._reading.word(chunk, "state", DeviceState.UNKNOWN)
        hardware, _own = self._reading.word(chunk, "hardware_security", HardwareSecurity.UNKNOWN)
        origin = self._reading.table.relative
        self._records.add(
            {
                "record_id": records,
                "name": raw["name"],
                "serial": raw["serial"],
                "mac": macs,
                "maker": makers,
                "model": text(chunk, "model"),
                "thing_name": things,
                "firmware": text(chunk, "firmware"),
                "state": state,
                "state_text": state_text,
                "owner_ref": self._described(chunk, "owner", "owner"),
                "managed_by_ref": self._described(chunk, "managed_by", "manager"),
                "site_ref": self._described(chunk, "site", "site"),
                "trust_domain": text(chunk, "trust_domain"),
                "gateway_serial": text(chunk, "gateway_serial"),
                "hardware_security": hardware,
                **self._moments(chunk),
                "origin": [f"{origin}#{place}" for place in chunk.places],
            }
        )

    def finish(self) -> None:
        """What was gathered goes to the draft."""
        self._records.flush()
        self._identifiers.flush()

    def _moments(self, chunk: Chunk) -> dict[str, list[datetime | None]]:
        fields = ("owner_changed_at", "installed_at", "discovered_at", "left_service_at")
        moments = {field: self._reading.moment(chunk, field) for field in fields}
        for field, column in (*moments.items(), ("updated_at", self._reading.moment(chunk, "updated_at"))):
            newest = max(filter(None, column), default=None)
            if newest is not None and newest.year >= _SENTINEL_YEAR:
                newest = max((m for m in column if m is not None and m.year < _SENTINEL_YEAR), default=None)
            if newest is not None and field in ("discovered_at", "updated_at"):
                self._observed = newest if self._observed is None else max(self._observed, newest)
            elif newest is not None:
                self._dated = newest if self._dated is None else max(self._dated, newest)
        return moments

    def _serials(self, records: Texts, serials: Cells, makers: Cells, raw: Texts) -> None:
        """Serials scoped by their maker. Placeholders too: the linker judges them."""
        values: Cells = []
        scopes: Cells = []
        unscoped = ("", True)
        for serial, maker in zip(serials, makers, strict=True):
            scope, strip_zeros = unscoped if maker is None else self._makers[maker]
            values.append(None if serial is None else identifiers.serial(serial, strip_zeros=strip_zeros))
            scopes.append(scope or None)
        self._identify(IdentifierKind.SERIAL, records, values, raw, scopes)

    def _macs(self, chunk: Chunk, records: Texts) -> Texts:
        """The cells as written, without those that are no MAC. A cell with several MACs gives several identifiers."""
        cells = self._reading.text(chunk, "mac")
        values = [None if raw is None else mac(raw) for raw in cells]
        if values.count(None) > cells.count(None):
            self._other_macs(chunk, records, cells, values)
        raw = pa.array(cells, pa.string())
        self._identify(IdentifierKind.MAC, records, values, raw)
        return raw

    def _other_macs(self, chunk: Chunk, records: Texts, cells: Cells, values: Cells) -> None:
        """Cells that are no single MAC: lists of MACs, words for nothing, and what is told and blanked."""
        found: list[tuple[str, str, str]] = []
        for at, (raw, value) in enumerate(zip(cells, values, strict=True)):
            if raw is None or value is not None:
                continue
            parts = {part.strip(): mac(part) for part in _LIST.split(raw) if part.strip()}
            known = {part: one for part, one in parts.items() if one is not None}
            if len(parts) > 1 and len(known) == len(parts):
                found.extend((records[at].as_py(), one, part) for part, one in known.items())
                continue
            if raw.casefold() not in NOTHING:
                data = raw.encode("utf-8", "surrogatepass")
                self._reading.table.tell(
                    chunk.places[at], f"no MAC of a device: {self._reading.table.show(raw)}", "bad-mac", data
                )
            cells[at] = None
        if found:
            several, macs, raws = (pa.array(column, pa.string()) for column in zip(*found, strict=True))
            self._identify(IdentifierKind.MAC, several, macs, raws)

    def _hardware_keys(self, chunk: Chunk) -> tuple[Cells, Texts]:
        """SHA-256 of the SPKI in lower-case hex, and the cells as written."""
        keys: Cells = []
        cells = self._reading.text(chunk, "hardware_key")
        for place, raw in zip(chunk.places, cells, strict=True):
            key = None if raw is None else re.sub(r"[:\s]", "", raw).lower()
            if key is not None and not re.fullmatch("[0-9a-f]{64}", key):
                self._reading.table.wrong(place, "no SHA-256 of a key", raw or "", "bad-digest")
                key = None
            keys.append(key)
        return keys, pa.array(cells, pa.string())

    def _described(self, chunk: Chunk, field: str, kind: str) -> list[int | None]:
        refs: dict[str | None, int | None] = {}
        cells = self._reading.text(chunk, field)
        for cell in dict.fromkeys(cells):
            refs[cell] = self._draft.describe(kind, cell)
        return [refs[cell] for cell in cells]

    def _identify(
        self, kind: IdentifierKind, records: Texts, values: Cells | Texts, raws: Texts, scopes: Cells | None = None
    ) -> None:
        """Identifier rows where there is a value."""
        columns = {"record_id": records, "value": values if isinstance(values, pa.Array) else pa.array(values, pa.string())}
        columns |= {"raw": raws} | ({} if scopes is None else {"scope": pa.array(scopes, pa.string())})
        if columns["value"].null_count:
            present = columns["value"].is_valid()
            columns = {name: column.filter(present) for name, column in columns.items()}
        if rows := len(columns["value"]):
            self._identifiers.add(columns | {"kind": pa.repeat(str(kind), rows)})
