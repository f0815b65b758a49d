"""Kinds of column, each with one Python type on both databases, and the ``metadata`` that all tables hang on."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Column, Dialect, ForeignKey, LargeBinary, MetaData, Text, Uuid
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import JSON, TypeDecorator, TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Id(TypeDecorator[uuid.UUID]):
    """A UUID: native on PostgreSQL, 16 bytes on SQLite, where they sort the same."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Uuid() if dialect.name == "postgresql" else LargeBinary(16))

    def process_bind_param(self, value: uuid.UUID | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else value.bytes

    def process_result_value(self, value: Any, dialect: Dialect) -> uuid.UUID | None:
        return value if value is None or dialect.name == "postgresql" else uuid.UUID(bytes=value)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime to the microsecond: timestamptz on PostgreSQL, microseconds since 1970 on SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        native = postgresql.TIMESTAMP(timezone=True)
        return dialect.type_descriptor(native if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return value.astimezone(UTC) if dialect.name == "postgresql" else (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if dialect.name == "postgresql" else EPOCH + timedelta(microseconds=value)


class InstantOrNever(Instant):
    """An instant that lists are sorted by: "never" is stored as 1970, so that keyset paging meets no NULL."""

    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return super().process_bind_param(value or EPOCH, dialect)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        found = super().process_result_value(value, dialect)
        return None if found == EPOCH else found


W = TypeVar("W", bound=StrEnum)


class Word(TypeDecorator[W], Generic[W]):
    """A word of the vocabulary. A text in the database that is none of its words is an error on reading, never passed on."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[W]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: W | None, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else self.words(value).value

    def process_result_value(self, value: Any, dialect: Dialect) -> W | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else self.words(value)


def json_type() -> TypeEngine[Any]:
    return JSON().with_variant(postgresql.JSONB(), "postgresql")


def digest(name: str, *, nullable: bool = False) -> Column[Any]:
    """SHA-256, 32 bytes."""
    return Column(name, LargeBinary(32), nullable=nullable)


def key(name: str = "id") -> Column[Any]:
    return Column(name, Id, primary_key=True)


def ref(name: str, to: str, *, nullable: bool = False, primary_key: bool = False) -> Column[Any]:
    """A reference that must hold. Lists by it need an index of their own."""
    return Column(name, Id, ForeignKey(f"{to}.id"), nullable=nullable and not primary_key, primary_key=primary_key)


def loose(name: str, *, nullable: bool = True) -> Column[Any]:
    """An id of something that may be pruned, or of one of several kinds: no constraint."""
    return Column(name, Id, nullable=nullable)


def at(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Instant, nullable=nullable)


def text(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=nullable)


def word(name: str, words: type[StrEnum], *, nullable: bool = False) -> Column[Any]:
    return Column(name, Word(words), nullable=nullable)


def salt(*, nullable: bool = True) -> Column[Any]:
    """16 random bytes in every digest of the row; forgetting the row empties it, and the digests tell nothing any more."""
    return Column("salt", LargeBinary(16), nullable=nullable)


def version() -> Column[Any]:
    return Column("version", BigInteger, nullable=False)
