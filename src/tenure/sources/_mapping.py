"""Mapping files: which columns of an export are which of our fields, and what its words mean. TOML, built-in or the user's.

The format is documented in ``docs/sources/mapping.md``.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tenure.errors import DeclarationError, SourceError
from tenure.evidence.collection import CollectContext
from tenure.model.vocabulary import CredentialKind, CredentialStatus, DeviceState, HardwareSecurity, Rotation
from tenure.sources._tabular import Table, column_key

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
    constants: dict[str, str] = {}  # field -> cell where no column has one (one of our words, for a field of words)
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
    return tuple(_read(path) for path in sorted(BUILT_IN.glob("*.toml"), key=lambda path: path.stem))


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
        seen = ", ".join(sorted(table.columns)[:12])[:300] or "none"
        raise SourceError(
            f"{table.relative}: no built-in mapping knows these columns: {seen}",
            "write a mapping file (docs/sources/mapping.md) and name it as `mapping` in [[source]] of audit.toml",
        )
    return mapping_found


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
    constants = {field: {"": word} for field, word in mapping.constants.items() if field in allowed_by_field}
    tables = [
        *mapping.words.items(),
        *constants.items(),
        *((_field_of(mapping, c), t) for c, t in mapping.words_by_column.items()),
    ]
    for field, table in tables:
        allowed = allowed_by_field.get(field, frozenset())
        if wrong := set(table.values()) - allowed:
            raise DeclarationError(
                f"{path}: {field} has no word {', '.join(sorted(wrong))}", f"words are {', '.join(sorted(allowed))}"
            )


def _field_of(mapping: Mapping, column: str) -> str:
    return next((f for f in mapping.columns if column_key(column) in mapping.candidates(f)), column)
