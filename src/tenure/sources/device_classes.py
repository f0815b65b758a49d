"""What models of devices are and can sustain: a list by people, since no other export says so."""

from __future__ import annotations

from typing import ClassVar

from tenure.evidence.collection import CollectContext, Place, Recognition, Source
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.vocabulary import Rotation
from tenure.sources._mapping import Mapping, mapping_for, recognised
from tenure.sources._reading import Reading
from tenure.sources._tabular import Chunk, Table, peek


class DeviceClasses:
    kind: ClassVar[str] = "device-classes"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "device models, their classes and how their credentials can be changed"

    def recognise(self, place: Place) -> Recognition | None:
        seen = peek(place)
        mapping = None if seen is None else recognised(self.kind, seen.columns)
        return None if mapping is None else Recognition(mapping.sureness, mapping.title)

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        table = Table(place, context, draft)
        mapping = mapping_for(self.kind, table, context)
        reading = Reading(mapping, table, context)
        first: dict[str, int] = {}
        for chunk in table.chunks():
            self._write(chunk, reading, draft, first)
        draft.speaks_until(context.declared.as_of)

    def _write(self, chunk: Chunk, reading: Reading, draft: SnapshotDraft, first: dict[str, int]) -> None:
        models, makers = reading.text(chunk, "model"), reading.text(chunk, "maker")
        rotations, _own = reading.word(chunk, "rotation", Rotation.UNKNOWN)
        rows = zip(chunk.places, models, reading.text(chunk, "device_class"), makers, rotations, strict=True)
        for at, (place, model, device_class, maker, rotation) in enumerate(rows):
            if model is None:
                reading.table.tell(place, "the row names no model", "no-model", None)
                continue
            if (known := first.setdefault(f"{model}\x00{maker or ''}".casefold(), place)) != place:
                told = f"model {model} stands here again, first at {known}: both rows are kept"
                reading.table.tell(place, told, "duplicate-model", None)
            draft.add(
                "device_class",
                model=model,
                device_class=device_class,
                maker=maker,
                rotation=rotation or Rotation.UNKNOWN,
                capabilities=_capabilities(chunk, at, reading.mapping),
                origin=reading.table.origin(place),
            )


def _capabilities(chunk: Chunk, at: int, mapping: Mapping) -> str | None:
    """The cells of all other columns as ``name=value``, sorted; ``;`` within a value is written ``,``."""
    cells = {key: cells[at].strip() for key, cells in chunk.columns.items() if key not in mapping.wanted}
    return ";".join(f"{key}={cell.replace(';', ',')}" for key, cell in sorted(cells.items()) if cell) or None


SOURCE: Source = DeviceClasses()
