"""Cells of an Arrow table as plain values of evidence: aware instants in UTC, whole numbers, texts, and None for nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pyarrow as pa

from tenure.model.findings import Scalar

_MIN_US = -62_135_596_800_000_000  # year 1
_MAX_US = 253_402_300_799_999_999  # year 9999
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def scalars(column: pa.ChunkedArray[Any]) -> list[Scalar]:
    """Arrow values as evidence: instants aware and in UTC, whole decimals as int, days as ISO text, what is no number None."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        return list(_datetimes(column))
    if pa.types.is_date(kind):
        return cast("list[Scalar]", column.cast(pa.string()).to_pylist())
    if pa.types.is_decimal(kind):
        return [None if v is None else _number(v) for v in column.to_pylist()]
    if pa.types.is_floating(kind):
        return [v if v is None or math.isfinite(v) else None for v in column.to_pylist()]
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_string(kind) or pa.types.is_null(kind):
        return cast("list[Scalar]", column.to_pylist())
    return cast("list[Scalar]", column.cast(pa.string()).to_pylist())


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _datetimes(column: pa.ChunkedArray[Any]) -> Iterator[datetime | str | None]:
    """Aware datetimes; the database's infinite instants, and those Python cannot hold, as the text they are written as."""
    whole = column.cast(pa.timestamp("us"), safe=False)
    for value in whole.cast(pa.int64()).to_pylist():
        if value is None:
            yield None
        elif _MIN_US <= value <= _MAX_US:
            yield _EPOCH + timedelta(microseconds=value)
        else:
            yield "infinity" if value > 0 else "-infinity"


def instants(table: pa.Table, name: str) -> Sequence[datetime | None]:
    """A column of instants or days, by row; None throughout where there is no such column."""
    if name not in table.column_names or pa.types.is_null(table.schema.field(name).type):
        return [None] * table.num_rows
    column = table.column(name)
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    return [value if isinstance(value, datetime) else None for value in _datetimes(column)]


def order(value: Scalar) -> tuple[int, int | float | str | datetime]:
    """Sorts the values of one column: numbers and instants, then texts, then nothing."""
    if value is None:
        return (2, 0)
    return (1, value) if isinstance(value, str) else (0, value)
