"""Inventories of devices: CSV, JSON Lines or JSON of any CMDB through a mapping, NetBox dumps, cloud registries' lists.

A row that stands in an export again in full is one record, and told; one record id with different rows is two records,
and told. What was seen is remembered by 16 bytes a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tenure.evidence.collection import CollectContext, Place, Recognition, Source
from tenure.evidence.snapshot import SnapshotDraft
from tenure.sources._device_columns import DeviceColumns
from tenure.sources._device_credentials import DeviceCredentials
from tenure.sources._mapping import mapping_for, recognised
from tenure.sources._netbox_dump import NetBoxDump, is_netbox_dump
from tenure.sources._reading import Reading
from tenure.sources._tabular import Chunk, Table, peek


class Cmdb:
    kind: ClassVar[str] = "cmdb"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "inventory of devices (ServiceNow, NetBox, Azure IoT Hub, any CSV or JSON)"

    def recognise(self, place: Place) -> Recognition | None:
        seen = peek(place)
        if seen is None:
            return None
        if is_netbox_dump(seen):
            return Recognition(95, "Django dump of NetBox")
        mapping = recognised(self.kind, seen.columns)
        return None if mapping is None else Recognition(mapping.sureness, mapping.title)

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        table = Table(place, context, draft)
        seen = peek(place)
        dump = NetBoxDump(table) if seen is not None and is_netbox_dump(seen) else None
        if dump is not None:
            table.columns = dump.columns
        mapping = mapping_for(self.kind, table, context)
        table.secret = "symmetric_key" in mapping.columns
        reading = Reading(mapping, table, context)
        devices = DeviceColumns(reading, context, draft)
        credentials = DeviceCredentials(reading, context, draft)
        repeated = Repeated(table)
        wanted = None if table.shape == "csv" else mapping.wanted  # all cells of a CSV row make it equal to another
        for whole in table.chunks(wanted, reshape=None if dump is None else dump.device):
            chunk, ids = repeated.without_copies(whole, devices.record_ids(whole))
            devices.write(chunk, ids)
            credentials.write(chunk, ids)
        devices.finish()
        draft.speaks_until(devices.latest or context.declared.as_of)
        if dump is not None:
            for note in dump.notes():
                draft.note(note)


class Repeated:
    """What an export showed so far: hashes of its record ids and of its whole rows, in sorted runs that are merged as they grow.

    A copy is a row whose id and whole were both seen; two hashes of 64 bits each would have to agree by chance to err.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._ids, self._rows = SeenHashes(), SeenHashes()

    def without_copies(self, chunk: Chunk, ids: list[str]) -> tuple[Chunk, list[str]]:
        """The chunk without rows that stand there in full before; ids that stand there with other cells are told."""
        again = self._ids.seen(list(map(hash, ids)))
        equal = self._rows.seen(self._hashes(chunk, ids))
        if not again.any():
            return chunk, ids
        for at in np.flatnonzero(again).tolist():
            if equal[at]:
                reason, code = "stands here again in full (a re-exported row): one record", "duplicate-row"
            else:
                reason, code = "is the id of another row too, with other cells: two records", "record-id-reused"
            cells = "\x1f".join(str(column[at]) for column in chunk.columns.values())
            self._table.tell(chunk.places[at], f"record {ids[at]} {reason}", code, cells.encode("utf-8", "surrogatepass"))
        kept = (~(again & equal)).tolist()
        columns: dict[str, Sequence[str]] = {key: list(compress(cells, kept)) for key, cells in chunk.columns.items()}
        return Chunk(list(compress(chunk.places, kept)), columns), list(compress(ids, kept))

    def _hashes(self, chunk: Chunk, ids: list[str]) -> list[int]:
        rows = zip(ids, *chunk.columns.values(), strict=True)
        if self._table.shape == "csv":
            return [hash(row) for row in rows]
        keys = ("", *chunk.columns)  # columns of JSON differ from chunk to chunk
        return [hash(frozenset((key, cell) for key, cell in zip(keys, row, strict=True) if cell)) for row in rows]


class SeenHashes:
    """A set of 64-bit hashes at 8 bytes each: sorted runs, of which each is at least twice as long as the next."""

    def __init__(self) -> None:
        self._runs: list[npt.NDArray[np.int64]] = []

    def seen(self, hashes: list[int]) -> npt.NDArray[np.bool_]:
        """For each hash whether it was there before, also earlier in the list; all of them are there afterwards."""
        new = np.array(hashes, dtype=np.int64)
        order = np.argsort(new, kind="stable")
        run = new[order]
        before = np.zeros(len(new), dtype=np.bool_)
        before[order[1:]] = run[1:] == run[:-1]
        for old in self._runs:  # in the order of the run, so that the search stays in the processor's cache
            at = np.minimum(np.searchsorted(old, run), len(old) - 1)
            before[order] |= old[at] == run
        if len(run):
            self._runs.append(run)
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            self._runs[-2:] = [np.sort(np.concatenate(self._runs[-2:]), kind="stable")]
        return before


SOURCE: Source = Cmdb()
