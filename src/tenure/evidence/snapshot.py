"""Snapshots: what one collection of one source found, as Parquet files and a manifest; written once, never edited.

A draft lives in ``<store>/.draft-<random>`` and is renamed to ``<store>/<content id>`` when it is whole, so a crash leaves
a draft that nobody reads (``keeping`` clears it a day later), and the same content collected twice is one snapshot. The
content id hashes data, schema and collector version and options; when it was collected and up to when it speaks stand beside
it in the manifest.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from tenure.clock import instant, rfc3339
from tenure.errors import SnapshotError
from tenure.evidence.schemas import SCHEMA_VERSION, TABLES

BATCH_ROWS = 65_536
MANIFEST = "manifest.json"
DRAFT = ".draft-"
"""How the names of folders begin that are no snapshots yet, or not any more."""

_NAMES = {name: table.names for name, table in TABLES.items()}
_NAME_SETS = {name: frozenset(names) for name, names in _NAMES.items()}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot is: its identity, and beside it when it was made and up to when it speaks."""

    content_id: str
    kind: str
    collector_version: int
    schema_version: int
    name: str  # location, relative to the audited folder
    options: dict[str, str]
    collected_at: datetime
    speaks_as_of: datetime | None
    partial: bool  # cut short: the rules that need this source answer unknown
    partial_reason: str
    rows: dict[str, int]
    files: dict[str, str] = field(default_factory=dict)  # Parquet file -> SHA-256
    notes: tuple[str, ...] = ()  # what rests on a default

    def to_json(self) -> str:
        plain = asdict(self)
        plain["collected_at"] = rfc3339(self.collected_at)
        plain["speaks_as_of"] = None if self.speaks_as_of is None else rfc3339(self.speaks_as_of)
        return json.dumps(plain, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        plain = json.loads(text)
        plain["collected_at"] = instant(plain["collected_at"])
        plain["speaks_as_of"] = None if plain["speaks_as_of"] is None else instant(plain["speaks_as_of"])
        plain["notes"] = tuple(plain["notes"])
        return cls(**plain)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A whole snapshot on disk."""

    folder: Path
    manifest: Manifest

    def parquet(self, table: str) -> Path | None:
        """The Parquet file of a table; None where the snapshot has no rows of it."""
        path = self.folder / f"{table}.parquet"
        return path if table in self.manifest.rows else None

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows of a table as dictionaries, in the order they were written (for tests and explanations, not for bulk)."""
        if (path := self.parquet(table)) is not None:
            for batch in pq.ParquetFile(path).iter_batches():
                yield from batch.to_pylist()


def open_snapshot(folder: Path, *, check: bool = False) -> Snapshot:
    """The snapshot in a folder. ``check`` re-reads every file against the manifest's hashes.

    Raises SnapshotError when the manifest is missing, of another schema version, or does not match.
    """
    try:
        manifest = Manifest.from_json((folder / MANIFEST).read_text())
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SnapshotError(f"{folder} is no snapshot: {error}", "collect the source again") from error
    if manifest.schema_version != SCHEMA_VERSION:
        raise SnapshotError(
            f"{folder} has schema version {manifest.schema_version}, this Tenure reads {SCHEMA_VERSION}",
            "collect the source again",
        )
    for name, digest in manifest.files.items():
        if not (folder / name).is_file() or (check and _file_sha256(folder / name) != digest):
            raise SnapshotError(f"{folder / name} is missing or not what the manifest says", "collect the source again")
    return Snapshot(folder, manifest)


class SnapshotDraft:
    """A snapshot being written. Rows go to bounded batches, batches to Parquet; memory does not grow with the source.

    Use as a context manager: leaving it with an error removes the draft. ``finish`` gives the snapshot. Until then the lock of
    its folder is held, which tells it from a draft whose writer died.
    """

    def __init__(self, store: Path, kind: str, version: int, name: str, options: Mapping[str, str] | None = None) -> None:
        store.mkdir(parents=True, exist_ok=True)
        self._store = store
        self._folder = store / f"{DRAFT}{secrets.token_hex(8)}"
        self._folder.mkdir()
        self._lock = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        self._kind, self._version, self._name = kind, version, name
        self._options = dict(sorted((options or {}).items()))
        self._rows: dict[str, list[tuple[object, ...]]] = {}
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._hashes: dict[str, Any] = {}
        self._counts: dict[str, int] = {}
        self._descriptions: dict[tuple[str, str], int] = {}
        self._partial = ""
        self._speaks_as_of: datetime | None = None
        self._notes: dict[str, None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for writer in self._writers.values():
            writer.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)

    def add(self, table: str, /, **row: object) -> None:
        """One row; columns not named are NULL. Raises KeyError for a column the table does not have."""
        names = _NAMES[table]
        if unknown := row.keys() - _NAME_SETS[table]:
            raise KeyError(f"{table} has no column {', '.join(sorted(unknown))}")
        self._append(table, tuple(map(row.get, names)))

    def add_row(self, table: str, row: tuple[object, ...]) -> None:
        """One row with all columns in the order of the schema: the quick form of ``add``."""
        self._append(table, row)

    def add_rows(self, table: str, rows: Iterable[tuple[object, ...]]) -> None:
        for row in rows:
            self._append(table, row)

    def add_columns(self, table: str, columns: Mapping[str, Sequence[object] | pa.Array[Any]]) -> None:
        """Many rows by column; columns not named are NULL. Goes to Parquet as one batch after the rows before it."""
        self._flush(table)
        schema = TABLES[table].schema
        length = len(next(iter(columns.values()))) if columns else 0
        if length == 0:
            return
        arrays = [
            pa.nulls(length, f.type) if f.name not in columns
            else c.cast(f.type) if isinstance(c := columns[f.name], pa.Array)
            else pa.array(c, f.type)
            for f in schema
        ]  # fmt: skip
        self._write(table, pa.RecordBatch.from_arrays(arrays, schema=schema))

    def describe(self, kind: str, text: str | None) -> int | None:
        """The ``*_ref`` for a name of a person, team or place (kind: owner, manager, site); None for nothing."""
        if not text:
            return None
        if (known := self._descriptions.get((kind, text))) is not None:
            return known
        ref = self._descriptions[(kind, text)] = len(self._descriptions) + 1
        self.add("description", ref=ref, kind=kind, text=text)
        return ref

    def problem(self, file: str, place: str, reason: str, code: str, data: bytes | None = None) -> None:
        """Something that could not be read or understood; ``data`` are the bytes, of which only the hash is kept."""
        digest = None if data is None else hashlib.sha256(data).digest()
        self.add("problem", file=file, place=place, reason=reason, code=code, sha256=digest)

    def cut_short(self, reason: str) -> None:
        """The source was not read to its end: the snapshot is partial."""
        self._partial = self._partial or reason

    def speaks_until(self, moment: datetime | None) -> None:
        """The export speaks up to at least this moment; the latest one counts."""
        if moment is not None and (self._speaks_as_of is None or moment > self._speaks_as_of):
            self._speaks_as_of = moment

    def note(self, text: str) -> None:
        """Something in this snapshot rests on a default because nothing was declared; shown with the findings."""
        self._notes[text] = None

    @property
    def counts(self) -> dict[str, int]:
        """Rows so far by table."""
        pending = {t: len(r) for t, r in self._rows.items()}
        return {t: self._counts.get(t, 0) + pending.get(t, 0) for t in self._counts.keys() | pending.keys()}

    def finish(self, collected_at: datetime) -> Snapshot:
        """Close the files, name the snapshot by its content and move it into the store.

        If we die before the rename, the draft is litter; after it, the snapshot is whole.
        """
        for table in list(self._rows):
            self._flush(table)
        for writer in self._writers.values():
            writer.close()
        content = hashlib.sha256(
            json.dumps([self._kind, self._version, SCHEMA_VERSION, self._options, self._partial], sort_keys=True).encode()
        )
        for table in sorted(self._hashes):
            content.update(table.encode() + self._hashes[table].digest())
        content_id = content.hexdigest()
        manifest = Manifest(
            content_id=content_id,
            kind=self._kind,
            collector_version=self._version,
            schema_version=SCHEMA_VERSION,
            name=self._name,
            options=self._options,
            collected_at=collected_at.astimezone(UTC),
            # A mistyped date in the future would keep a source fresh for ever.
            speaks_as_of=None if self._speaks_as_of is None else min(self._speaks_as_of, collected_at),
            partial=bool(self._partial),
            partial_reason=self._partial,
            rows=dict(sorted(self._counts.items())),
            files={f"{t}.parquet": _file_sha256(self._folder / f"{t}.parquet") for t in sorted(self._writers)},
            notes=tuple(self._notes),
        )
        self._writers.clear()
        (self._folder / MANIFEST).write_text(manifest.to_json())
        return self._keep(manifest, self._store / content_id)

    def _keep(self, manifest: Manifest, target: Path) -> Snapshot:
        """Move the draft to its place. Content collected before keeps its files; the manifest in hand tells of this time."""
        if not _whole(target):
            shutil.rmtree(target, ignore_errors=True)
            try:
                self._folder.rename(target)
            except OSError:  # another process has just kept the same content
                if not _whole(target):
                    raise
            else:
                return Snapshot(target, manifest)
        os.utime(target / MANIFEST)  # its content was collected now as well: it is not old
        return Snapshot(target, replace(manifest, files=open_snapshot(target).manifest.files))

    def _append(self, table: str, row: tuple[object, ...]) -> None:
        rows = self._rows.get(table)
        if rows is None:
            rows = self._rows[table] = []
        rows.append(row)
        if len(rows) >= BATCH_ROWS:
            self._flush(table)

    def _flush(self, table: str) -> None:
        if not (rows := self._rows.get(table)):
            return
        schema = TABLES[table].schema
        arrays = [pa.array(column, f.type) for f, column in zip(schema, zip(*rows, strict=True), strict=True)]
        self._rows[table] = []
        self._write(table, pa.RecordBatch.from_arrays(arrays, schema=schema))

    def _write(self, table: str, batch: pa.RecordBatch) -> None:
        if table not in self._writers:
            path = self._folder / f"{table}.parquet"
            self._writers[table] = pq.ParquetWriter(path, TABLES[table].schema, compression="zstd", compression_level=1)
            self._hashes[table] = hashlib.sha256()
        self._writers[table].write_batch(batch, row_group_size=BATCH_ROWS * 4)
        self._hashes[table].update(batch.serialize())
        self._counts[table] = self._counts.get(table, 0) + batch.num_rows


def _whole(folder: Path) -> bool:
    """Whether a whole snapshot lies there; a half of one (a lost file, another schema) is none."""
    try:
        open_snapshot(folder)
    except SnapshotError:
        return False
    return True


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
