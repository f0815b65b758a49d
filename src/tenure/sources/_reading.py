"""A mapping applied to a table, chunk by chunk, since the columns of JSON may differ from entry to entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from tenure.evidence.collection import CollectContext
from tenure.evidence.schemas import INSTANT
from tenure.sources._cells import Moments, Words, trimmed
from tenure.sources._mapping import FIELDS, Mapping
from tenure.sources._tabular import Chunk, Table, column_key

Texts: TypeAlias = "pa.Array[Any]"  # of pa.string()
Instants: TypeAlias = "pa.Array[Any]"  # of INSTANT
_ASCII_SPACE = " \t\n\v\f\r\x1c\x1d\x1e\x1f"  # what str.strip takes away


class Reading:
    """A mapping applied to the chunks of one table; what cells say wrongly is told there."""

    def __init__(self, mapping: Mapping, table: Table, context: CollectContext) -> None:
        self.mapping, self.table = mapping, table
        own = context.declared.timestamp_format
        self.moments = Moments((own,) if own else mapping.date_formats, context.declared.time_zone)
        self._candidates = {field: mapping.candidates(field) for field in FIELDS[mapping.kind]}
        self._words: dict[tuple[str, str], Words] = {}

    def has(self, field: str) -> bool:
        """Whether the table has a column for the field, as far as its beginning shows, or the mapping a constant."""
        return field in self.mapping.constants or any(key in self.table.columns for key in self._candidates[field])

    def text(self, chunk: Chunk, field: str) -> list[str | None]:
        """The field's cells, trimmed: of each row the first column that has one, else the constant."""
        found = [self._trimmed(chunk, key) for key in self._candidates[field] if key in chunk.columns]
        cells: list[str | None]
        if len(found) > 1:
            cells = [next((c for c in row if c is not None), None) for row in zip(*found, strict=True)]
        else:
            cells = found[0] if found else [None] * len(chunk)
        return self._constant(field, cells)

    def texts(self, chunk: Chunk, field: str) -> Texts:
        """``text`` as an Arrow column, the quick way where one ASCII column holds the field."""
        keys = [key for key in self._candidates[field] if key in chunk.columns]
        if len(keys) == 1 and not self.mapping.nothing and field not in self.mapping.constants:
            cells: Any = pa.array(chunk.columns[keys[0]], pa.string())
            if pc.all(pc.string_is_ascii(cells), min_count=0).as_py():
                trimmed_cells: Any = pc.ascii_trim(cells, characters=_ASCII_SPACE)
                found: Texts = pc.if_else(pc.equal(trimmed_cells, pa.scalar("")), pa.scalar(None, pa.string()), trimmed_cells)
                return found
        return pa.array(self.text(chunk, field), pa.string())

    def instants(self, chunk: Chunk, field: str) -> Instants:
        """``moment`` as an Arrow column, the quick way where all of it is ISO 8601 in UTC without an offset."""
        cells = self.texts(chunk, field)
        if self.moments.plain and cells.null_count < len(cells):
            try:
                quick: Any = cells.cast(pa.timestamp("us"))
            except pa.ArrowInvalid:
                pass
            else:
                if pc.min(pc.year(quick)).as_py() > 1:  # year 1 stands for no date
                    return pa.Array.cast(quick, INSTANT)
        instants: Instants = pa.array(self.moment(chunk, field), INSTANT)
        return instants

    def moment(self, chunk: Chunk, field: str, told: str | None = None) -> list[datetime | None]:
        """The field's cells as UTC instants; what is no date is told and None. ``told`` is the field's name for people."""
        cells = self.text(chunk, field)
        if not any(cells):
            return [None] * len(cells)
        moments = self.moments.column(cells)
        self.moments.tell_unread(told or field, cells, chunk.places, self.table.wrong)
        return moments

    def word(self, chunk: Chunk, field: str, unknown: str | None) -> tuple[list[str | None], list[str | None]]:
        """The field in our words and in the export's own. A word no table holds is told and ``unknown``."""
        columns = [(key, self._trimmed(chunk, key)) for key in self._candidates[field] if key in chunk.columns]
        ours: list[str | None] = [None] * len(chunk)
        own: list[str | None] = [None] * len(chunk)
        for at, (key, cells) in enumerate(columns):
            if at:  # a column before this one decided some rows
                cells = [c if o is None else None for c, o in zip(cells, own, strict=True)]
            words = self._table_of_words(field, key, unknown)
            ours = [a if c is None else words[c] for a, c in zip(ours, cells, strict=True)]
            own = [o if c is None else c for o, c in zip(own, cells, strict=True)]
            self._tell_unread(field, words, cells, chunk.places)
        if (constant := self.mapping.constants.get(field)) is not None:  # one of our words already
            ours = [constant if o is None else a for a, o in zip(ours, own, strict=True)]
        return ours, own

    def _tell_unread(self, field: str, words: Words, cells: Sequence[str | None], places: Sequence[int]) -> None:
        if words.unread:
            code = "unknown-status" if field in ("state", "credential_state") else "unknown-word"
            for cell, place in zip(cells, places, strict=True):
                if cell is not None and cell in words.unread:
                    what = f"{field.replace('_', ' ')} is no word that mapping {self.mapping.name} knows"
                    self.table.wrong(place, what, cell, code)
        words.forget_if_many()

    def _trimmed(self, chunk: Chunk, key: str) -> list[str | None]:
        cells = trimmed(chunk.columns[key])
        return [None if c in self.mapping.nothing else c for c in cells] if self.mapping.nothing else cells

    def _constant(self, field: str, cells: Sequence[str | None]) -> list[str | None]:
        constant = self.mapping.constants.get(field)
        return list(cells) if constant is None else [constant if c is None else c for c in cells]

    def _table_of_words(self, field: str, key: str, unknown: str | None) -> Words:
        if (words := self._words.get((field, key))) is None:
            of_column = {column_key(c): table for c, table in self.mapping.words_by_column.items()}
            table = of_column.get(key, self.mapping.words.get(field, {}))
            words = self._words[(field, key)] = Words(table, unknown)
        return words
