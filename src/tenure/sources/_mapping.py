"""Mapping files: which columns of an export are which of our fields, and what its words mean. TOML, built-in or the user's.

The format is documented in ``docs/sources/mapping.md``. A mapping is applied chunk by chunk, since the columns of JSON
may differ from entry to entry.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tenure.errors import DeclarationError, SourceError
from tenure.evidence.collection import CollectContext
from tenure.model.vocabulary import CredentialKind, CredentialStatus, DeviceState, HardwareSecurity, Rotation
from tenure.sources._cells import Moments, Words, trimmed
from tenure.sources._tabular import Chunk, Table, column_key

BUILT_IN = Path(__file__).parent / "mappings"

FIELDS: dict[str, frozenset[str]] = {
    "cmdb": frozenset((
        "record_id", "name", "serial", "mac", "maker", "model", "thing_name", "asset_tag", "hardware_key", "firmware", "state",
        "owner", "owner_changed_at", "managed_by", "site", "trust_domain", "gateway_serial", "hardware_security", "installed_at",
        "discovered_at", "updated_at", "left_service_at", "certificate", "symmetric_key", "credential_state",
    )),
    "issuance-log": frozenset((
        "serial", "subject", "issuer", "issued_at", "not_after", "requester", "certificate", "sha256", "state", "event",
        "outcome", "revoked_at", "revocation_reason",
    )),
    "device-classes": frozenset(("model", "device_class", "maker", "rotation")),
    "secrets": frozenset((
        "secret_id", "kind", "sha256", "digest", "secret", "holder_serial", "holder_mac", "holder_name", "holder_thing_name",
        "maker", "created_at", "expires_at", "last_used_at", "ended_at", "state", "scopes",
    )),
}  # fmt: skip
"""The fields a mapping of each kind may name."""

WORDS: dict[tuple[str, str], frozenset[str]] = {
    ("cmdb", "state"): frozenset(DeviceState),
    ("cmdb", "hardware_security"): frozenset(HardwareSecurity),
    ("cmdb", "credential_state"): frozenset(CredentialStatus),
    ("issuance-log", "state"): frozenset({*CredentialStatus, "not-issued"}),
    ("issuance-log", "event"): frozenset({"issued", "revoked", "other"}),
    ("issuance-log", "outcome"): frozenset({"done", "failed"}),
    ("issuance-log", "revocation_reason"): frozenset(CredentialStatus),
    ("device-classes", "rotation"): frozenset(Rotation),
    ("secrets", "state"): frozenset(CredentialStatus),
    ("secrets", "kind"): frozenset(CredentialKind),
}
"""By kind and field: the words of ours that a mapping may translate to."""


class Mapping(BaseModel):
    """One mapping file. ``name`` is the file's name without its suffix."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: str
    title: str
    extends: str | None = None
    distinctive: tuple[tuple[str, ...], ...] = ()  # sets of columns, any of which shows that an export is this one
    sureness: int = 50
    suffixes: tuple[str, ...] = ("",)  # each column is looked for with these behind it too
    columns: dict[str, tuple[str, ...]] = {}  # field -> columns, the first that has a cell in the row counts
    constants: dict[str, str] = {}  # field -> cell where no column has one
    nothing: tuple[str, ...] = ()  # cells that say there is no value
    words: dict[str, dict[str, str]] = {}  # field -> the export's word -> ours
    words_by_column: dict[str, dict[str, str]] = {}  # column -> words that differ there
    date_formats: tuple[str, ...] = ()
    options: dict[str, str | bool] = {}

    def candidates(self, field: str) -> tuple[str, ...]:
        """Keys of the columns a field is looked for in, in order."""
        return tuple(dict.fromkeys(column_key(c + s) for c in self.columns.get(field, ()) for s in self.suffixes))

    @property
    def wanted(self) -> frozenset[str]:
        """Keys of all columns it reads."""
        return frozenset(key for field in self.columns for key in self.candidates(field))

    def fits(self, columns: frozenset[str]) -> bool:
        """Whether an export with these columns is of this kind."""
        return any(
            all(any(column_key(column + s) in columns for s in self.suffixes) for column in needed) for needed in self.distinctive
        )


@lru_cache(maxsize=1)
def built_in() -> tuple[Mapping, ...]:
    """The mappings that come with Tenure, in order of their names."""
    return tuple(_read(path) for path in sorted(BUILT_IN.glob("*.toml")))


def recognised(kind: str, columns: frozenset[str]) -> Mapping | None:
    """The built-in mapping that fits best: the surest, then the one that reads most of the columns."""
    fitting = [m for m in built_in() if m.kind == kind and m.fits(columns)]
    return max(fitting, key=lambda m: (m.sureness, len(m.wanted & columns)), default=None)


def mapping_for(kind: str, table: Table, context: CollectContext) -> Mapping:
    """The declared mapping, else the built-in one that fits.

    Raises SourceError where none does, DeclarationError for a mapping file that is none.
    """
    if context.declared.mapping is not None:
        named = next((m for m in built_in() if m.name == context.declared.mapping), None)
        mapping = named or _read(context.base / context.declared.mapping)
        if mapping.kind != kind:
            raise DeclarationError(f"{context.declared.mapping} is a mapping for {mapping.kind}, not {kind}", "name another one")
        return mapping
    if (mapping_found := recognised(kind, table.columns)) is None:
        seen = ", ".join(sorted(table.columns)[:12]) or "none"
        raise SourceError(
            f"{table.relative}: no built-in mapping knows these columns: {seen}",
            "write a mapping file (docs/sources/mapping.md) and name it as `mapping` in [[source]] of audit.toml",
        )
    return mapping_found


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

    def moment(self, chunk: Chunk, field: str, told: str | None = None) -> list[datetime | None]:
        """The field's cells as UTC instants; what is no date is told and None. ``told`` is the field's name for people."""
        cells = self.text(chunk, field)
        if not any(cells):
            return [None] * len(cells)
        moments = self.moments.column(cells)
        self.moments.tell_unread(told or field, cells, chunk.places, self.table.tell, self.table.show)
        return moments

    def word(self, chunk: Chunk, field: str, unknown: str | None) -> tuple[list[str | None], list[str | None]]:
        """The field in our words and in the export's own. A word no table holds is told and ``unknown``."""
        columns = [(key, self._trimmed(chunk, key)) for key in self._candidates[field] if key in chunk.columns]
        if (constant := self.mapping.constants.get(field)) is not None:
            columns.append(("", [constant] * len(chunk)))
        ours: list[str | None] = [None] * len(chunk)
        own: list[str | None] = [None] * len(chunk)
        for at, (key, cells) in enumerate(columns):
            if at:  # a column before this one decided some rows
                cells = [c if o is None else None for c, o in zip(cells, own, strict=True)]
            words = self._table_of_words(field, key, unknown)
            ours = [a if c is None else words[c] for a, c in zip(ours, cells, strict=True)]
            own = [o if c is None else c for o, c in zip(own, cells, strict=True)]
            self._tell_unread(field, words, cells, chunk.places)
        return ours, own

    def _tell_unread(self, field: str, words: Words, cells: Sequence[str | None], places: Sequence[int]) -> None:
        if words.unread:
            code = "unknown-status" if field in ("state", "credential_state") else "unknown-word"
            for cell, place in zip(cells, places, strict=True):
                if cell is not None and cell in words.unread:
                    told = f"{field.replace('_', ' ')} {self.table.show(cell)} is no word that mapping {self.mapping.name} knows"
                    self.table.tell(place, told, code, cell.encode("utf-8", "surrogatepass"))
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


def _read(path: Path) -> Mapping:
    """A mapping file, with what it extends. Raises DeclarationError for whatever is wrong with it."""
    advice = "see docs/sources/mapping.md for the format"
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
        mapping = Mapping(name=path.stem, **plain)
    except OSError as error:
        raise DeclarationError(f"the mapping file {path} cannot be read: {error.strerror}", advice) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError, TypeError) as error:
        raise DeclarationError(f"{path} is no mapping file: {error}", advice) from error
    if mapping.extends is not None:
        mapping = _extended(mapping, path)
    _check(mapping, path)
    return mapping


def _extended(mapping: Mapping, path: Path) -> Mapping:
    """The mapping over the built-in one it extends: its entries stand before or replace those of the other."""
    if not (BUILT_IN / f"{mapping.extends}.toml").is_file():
        known = ", ".join(sorted(p.stem for p in BUILT_IN.glob("*.toml")))
        raise DeclarationError(f"{path} extends {mapping.extends!r}, which is no built-in mapping", f"name one of {known}")
    under = _read(BUILT_IN / f"{mapping.extends}.toml")
    given = mapping.model_dump(exclude_unset=True)
    merged = under.model_dump() | {k: v for k, v in given.items() if not isinstance(v, dict)}
    for part in ("columns", "constants", "words_by_column", "options"):
        merged[part] = getattr(under, part) | getattr(mapping, part)
    merged["words"] = {f: under.words.get(f, {}) | mapping.words.get(f, {}) for f in under.words.keys() | mapping.words.keys()}
    return Mapping(**(merged | {"extends": mapping.extends}))


def _check(mapping: Mapping, path: Path) -> None:
    if (fields := FIELDS.get(mapping.kind)) is None:
        raise DeclarationError(f"{path}: kind {mapping.kind!r} takes no mapping", f"use one of {', '.join(FIELDS)}")
    if unknown := (mapping.columns.keys() | mapping.constants.keys()) - fields:
        raise DeclarationError(f"{path}: no such field: {', '.join(sorted(unknown))}", f"fields are {', '.join(sorted(fields))}")
    allowed_by_field = {field: allowed for (kind, field), allowed in WORDS.items() if kind == mapping.kind}
    if unknown := mapping.words.keys() - allowed_by_field.keys():
        raise DeclarationError(
            f"{path}: [words] of {', '.join(sorted(unknown))}", f"fields with words: {', '.join(allowed_by_field)}"
        )
    tables = [*mapping.words.items(), *((_field_of(mapping, c), t) for c, t in mapping.words_by_column.items())]
    for field, table in tables:
        allowed = allowed_by_field.get(field, frozenset())
        if wrong := set(table.values()) - allowed:
            raise DeclarationError(
                f"{path}: {field} has no word {', '.join(sorted(wrong))}", f"words are {', '.join(sorted(allowed))}"
            )


def _field_of(mapping: Mapping, column: str) -> str:
    return next((f for f in mapping.columns if column_key(column) in mapping.candidates(f)), column)
