"""``tenure devices import``: a file of devices into the registry's database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, TextIO

import typer

from tenure.cli.database import Here, local_actor, on_database
from tenure.cli.progress import Bar
from tenure.cli.screen import show
from tenure.errors import TenureError

if TYPE_CHECKING:
    from tenure.flows.imports.devices import Imported, Mode
    from tenure.flows.imports.table import FileKind, Reject

REJECTED = 1
TOLD = 10
"""Rejects that are told on standard error where no file takes them."""

MANY_LIVE = 1_000_000
"""Values made before the next search for cycles: those of a batch live until it is written, and searching them costs a fifth."""

HELP = f"""\
Import devices out of a CSV or JSON Lines file (docs/devices.md).

Every record is judged as one registration is; a batch of 10,000 is one event that proves each of its rows.
Exit code {REJECTED}: there were rejects.
"""

File = Annotated[Path, typer.Argument(metavar="FILE", help="What is imported, .csv or .jsonl.")]
Kind = Annotated[str | None, typer.Option("--format", metavar="csv|jsonl", help="What it is, where its name does not say so.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would come in and what not.")]
RowByRow = Annotated[
    bool, typer.Option("--row-by-row", help="Import what can be and reject the rest; without this, all or nothing.")
]
Rejects = Annotated[
    Path | None,
    typer.Option("--rejects", metavar="FILE", help="Write rejects there, with what is wrong; mended, import it."),
]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; needed for devices that come in as retired or lost.")]


def register(group: typer.Typer) -> None:
    group.command("import", help=HELP)(on_database(import_))


def import_(
    here: Here,
    file: File,
    format: Kind = None,
    dry_run: DryRun = False,
    row_by_row: RowByRow = False,
    rejects: Rejects = None,
    reason: Reason = "",
) -> None:
    from tenure.flows.imports.devices import Mode

    if dry_run and row_by_row:
        raise TenureError("--dry-run and --row-by-row are two things", "try with --dry-run first")
    mode = Mode.DRY_RUN if dry_run else Mode.ROW_BY_ROW if row_by_row else Mode.WHOLE
    kind = _kind(file, format)
    with file.open("rb") as opened, _Rejects(rejects, kind) as told:
        done = _run(here, opened, file, kind, mode, reason, told)
    _tell(here, done, mode, told)
    if done.rejects:
        raise typer.Exit(REJECTED)


def _run(here: Here, opened: BinaryIO, file: Path, kind: FileKind, mode: Mode, reason: str, told: _Rejects) -> Imported:
    import gc

    from tenure.flows.imports.devices import Order, import_devices

    gc.set_threshold(MANY_LIVE)
    with here.registry() as registry, Bar() as bar:
        bar.step("devices", file.stat().st_size, "bytes")
        read = 0

        def progress(_records: int) -> None:
            nonlocal read
            bar.done(opened.tell() - read)
            read = opened.tell()

        return import_devices(registry, local_actor(), opened, Order(file.name, kind, mode, reason), told.take, progress)


def _kind(file: Path, format: str | None) -> FileKind:
    from tenure.flows.imports.table import FileKind

    word = format or {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}.get(file.suffix.lower(), "")
    try:
        return FileKind(word)
    except ValueError:
        raise TenureError(f"what {file} is cannot be told", "say --format csv or --format jsonl") from None


class _Rejects:
    """Where rejects go: all of them into a file, or the first few to standard error."""

    def __init__(self, path: Path | None, kind: FileKind) -> None:
        self._path, self._kind = path, kind
        self._file: TextIO | None = None
        self._write: Any = None
        self.count = 0

    def __enter__(self) -> _Rejects:
        if self._path is not None and self._path.exists():
            raise TenureError(f"{self._path} is there already", "name a new file for the rejects")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def take(self, reject: Reject) -> None:
        self.count += 1
        if self._path is None:
            if self.count <= TOLD:
                typer.echo(f"line {reject.line}: {reject.problem}\n  fix: {reject.fix}", err=True)
            return
        if self._write is None:  # a file only where there is something to say
            from tenure.flows.imports.table import reject_writer

            self._file = self._path.open("x", encoding="utf-8", newline="")
            self._write = reject_writer(self._file, self._kind)
        self._write(reject)


def _tell(here: Here, done: Imported, mode: Mode, told: _Rejects) -> None:
    import json

    from tenure.flows.imports.devices import Mode as Modes

    if here.as_json:
        plain = {"mode": mode.value, "devices": done.devices, "rejects": done.rejects, "batches": list(map(str, done.batches))}
        show(json.dumps(plain, indent=1) + "\n", exact=True)
        return
    if mode is Modes.DRY_RUN:
        said = f"{done.devices} devices would come in"
    elif mode is Modes.WHOLE and done.rejects:
        said = "nothing was imported"
    else:
        said = f"{done.devices} devices imported in {len(done.batches)} batches"
    more = "; --rejects FILE takes all of them" if told.count > TOLD and told._path is None else ""
    show(f"{said}, {done.rejects} records rejected{more}\n")
