"""Insert or replace, by primary key, in one statement of either database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Table
from sqlalchemy.dialects import postgresql, sqlite

from tenure.registry.work import Work


def upsert(work: Work, table: Table, row: Mapping[str, Any], *, where: ColumnElement[bool] | None = None) -> bool:
    """Whether the row was written: one that is there is replaced only if ``where`` holds for it."""
    make = postgresql.insert if work.postgres else sqlite.insert
    keys = [column.name for column in table.primary_key.columns]
    rest = {name: value for name, value in row.items() if name not in keys}
    made = make(table).values(row).on_conflict_do_update(index_elements=keys, set_=rest, where=where)
    return work.row(made.returning(*table.primary_key.columns)) is not None


def insert_if_absent(work: Work, table: Table, row: Mapping[str, Any]) -> bool:
    """Whether the row is new."""
    make = postgresql.insert if work.postgres else sqlite.insert
    made = make(table).values(row).on_conflict_do_nothing()
    return work.row(made.returning(*table.primary_key.columns)) is not None
