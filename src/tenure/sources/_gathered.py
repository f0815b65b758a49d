"""Rows of one evidence table, gathered column by column until they make a row group worth writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from tenure.evidence.schemas import TABLES
from tenure.evidence.snapshot import BATCH_ROWS, SnapshotDraft


class Gathered:
    """Rows of one table as Arrow columns, gathered until they make a row group worth writing."""

    def __init__(self, table: str, draft: SnapshotDraft) -> None:
        self._table, self._draft = table, draft
        self._schema = TABLES[table].schema
        self._batches: list[pa.RecordBatch] = []
        self._rows = 0

    def add(self, columns: Mapping[str, Sequence[object] | pa.Array[Any]]) -> None:
        """Many rows by column; columns not named are NULL."""
        length = len(next(iter(columns.values())))
        arrays = [
            pa.nulls(length, field.type) if field.name not in columns
            else column if isinstance(column := columns[field.name], pa.Array)
            else pa.array(column, field.type)
            for field in self._schema
        ]  # fmt: skip
        self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        self._rows += length
        if self._rows >= BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Hand the rows on; nothing stays behind."""
        if self._batches:
            columns = zip(self._schema.names, zip(*(batch.columns for batch in self._batches), strict=True), strict=True)
            self._draft.add_columns(self._table, {name: pa.concat_arrays(list(parts)) for name, parts in columns})
        self._batches, self._rows = [], 0
