"""Chunks of an inventory as rows of ``device_record`` and ``identifier``, column by column for speed.

Invariant: every row of the chunk becomes a device record; what a cell says wrongly is told and NULL.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from tenure.evidence.collection import CollectContext
from tenure.evidence.schemas import INSTANT
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model import identifiers
from tenure.model.vocabulary import DeviceState, HardwareSecurity, IdentifierKind
from tenure.sources._cells import MEMO_ENTRIES, NOTHING
from tenure.sources._gathered import Gathered
from tenure.sources._reading import Instants, Reading, Texts
from tenure.sources._tabular import Chunk

_SENTINEL = pa.scalar(
    datetime(2090, 1, 1, tzinfo=UTC), INSTANT
)  # dates from here on stand for "no date": they say nothing of when the export was made
_LIST = re.compile(r"[,;|\n]+")
Cells: TypeAlias = list[str | None]
_DESCRIBED = (("owner_ref", "owner", "owner"), ("managed_by_ref", "managed_by", "manager"), ("site_ref", "site", "site"))


def mac(raw: str) -> str | None:
    """``identifiers.mac``, the quick way for the usual notations (a test holds the two equal)."""
    try:
        octets = bytes.fromhex(raw.replace(":", "").replace("-", ""))
    except ValueError:
        return identifiers.mac(raw)
    if len(octets) != 6 or octets[0] & 1 or not any(octets):
        return identifiers.mac(raw)
    return octets.hex()


def _each(function: Callable[[str], str | None], cells: Texts) -> Cells:
    return [None if cell is None else function(cell) for cell in cells.to_pylist()]


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
        if len(self) > MEMO_ENTRIES:
            self.clear()
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

    @property
    def latest(self) -> datetime | None:
        """Discovery and update lie in the past; dates of installation and retirement may be plans, and count only without."""
        return self._observed or self._dated

    def record_ids(self, chunk: Chunk) -> list[str]:
        """The records' own ids; by place where a record has none."""
        return [i or f"row-{p}" for i, p in zip(self._reading.text(chunk, "record_id"), chunk.places, strict=True)]

    def write(self, chunk: Chunk, ids: list[str]) -> None:
        """The records of a chunk, with their identifiers. Text becomes Arrow once and serves both tables."""
        texts = self._reading.texts
        records = pa.array(ids, pa.string())
        serials, makers, names, things = (texts(chunk, f) for f in ("serial", "maker", "name", "thing_name"))
        tags, own_ids = texts(chunk, "asset_tag"), texts(chunk, "record_id")
        macs = self._macs(chunk, records)
        self._serials(records, serials, makers)
        self._identify(IdentifierKind.THING_NAME, records, things, things)
        self._identify(IdentifierKind.NAME, records, _each(identifiers.name, names), names)
        self._identify(IdentifierKind.ASSET_TAG, records, _each(str.upper, tags), tags)
        self._identify(IdentifierKind.HARDWARE_KEY, records, *self._hardware_keys(chunk))
        self._identify(IdentifierKind.RECORD_ID, records, own_ids, own_ids)
        state, state_text = self._reading.word(chunk, "state", DeviceState.UNKNOWN)
        hardware, _own = self._reading.word(chunk, "hardware_security", HardwareSecurity.UNKNOWN)
        origin = self._reading.table.relative
        self._records.add(
            {
                "record_id": records,
                "name": names,
                "serial": serials,
                "mac": macs,
                "maker": makers,
                "thing_name": things,
                "state": state,
                "state_text": state_text,
                "hardware_security": hardware,
                **{f: texts(chunk, f) for f in ("model", "firmware", "trust_domain", "gateway_serial")},
                **{ref: self._described(chunk, field, kind) for ref, field, kind in _DESCRIBED},
                **self._moments(chunk),
                "origin": [f"{origin}#{place}" for place in chunk.places],
            }
        )

    def finish(self) -> None:
        """What was gathered goes to the draft."""
        self._records.flush()
        self._identifiers.flush()

    def _moments(self, chunk: Chunk) -> dict[str, Instants]:
        fields = ("owner_changed_at", "installed_at", "discovered_at", "left_service_at")
        moments = {field: self._reading.instants(chunk, field) for field in fields}
        for field, column in (*moments.items(), ("updated_at", self._reading.instants(chunk, "updated_at"))):
            said = column.filter(pc.less(column, _SENTINEL))
            newest = pc.max(said).as_py()
            if newest is not None and field in ("discovered_at", "updated_at"):
                self._observed = newest if self._observed is None else max(self._observed, newest)
            elif newest is not None:
                self._dated = newest if self._dated is None else max(self._dated, newest)
        return moments

    def _serials(self, records: Texts, serials: Texts, makers: Texts) -> None:
        """Serials scoped by their maker. Placeholders too: the linker judges them."""
        values: Cells = []
        scopes: Cells = []
        unscoped = ("", True)
        for serial, maker in zip(serials.to_pylist(), makers.to_pylist(), strict=True):
            scope, strip_zeros = unscoped if maker is None else self._makers[maker]
            values.append(None if serial is None else identifiers.serial(serial, strip_zeros=strip_zeros))
            scopes.append(scope or None)
        self._identify(IdentifierKind.SERIAL, records, values, serials, scopes)

    def _macs(self, chunk: Chunk, records: Texts) -> Texts:
        """The cells as written, without those that are no MAC. A cell with several MACs gives several identifiers."""
        raw = self._reading.texts(chunk, "mac")
        values = _each(mac, raw)
        if values.count(None) > raw.null_count:
            cells = raw.to_pylist()
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
                self._reading.table.wrong(chunk.places[at], "no MAC of a device", raw, "bad-mac")
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

    def _described(self, chunk: Chunk, field: str, kind: str) -> pa.Array[pa.Int64Scalar]:
        names = self._reading.texts(chunk, field).dictionary_encode()
        refs = [self._draft.describe(kind, name) for name in names.dictionary.to_pylist()]
        return pa.array(refs, pa.int64()).take(names.indices)

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
