"""``tenure adopt DIR``: devices and credentials that an audit found become the registry's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from tenure.cli.database import Here, local_actor, on_database
from tenure.cli.places import STORE_HELP, Places, places
from tenure.cli.progress import Bar
from tenure.cli.screen import show
from tenure.errors import TenureError

if TYPE_CHECKING:
    import duckdb

    from tenure.flows.adopt import Adopted, LeftOut, Wanted
    from tenure.flows.adoption.naming import Names

LEFT_OUT = 1
TOLD = 10
"""How many of those left out are told on standard error where no file takes them."""

HELP = f"""\
Register the devices and credentials of an audit's roll, with the strong identifiers that the next audit finds them by.

What the registry has already is not registered again (docs/adopt.md). Exit code {LEFT_OUT}: something was left out.
"""

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder that was audited.")]
Store = Annotated[Path | None, typer.Option(metavar="DIR", help=STORE_HELP)]
Owner = Annotated[str | None, typer.Option(metavar="NAME", help="Owner of devices for which the roll names none: name or id.")]
Domain = Annotated[
    str | None, typer.Option("--trust-domain", metavar="NAME", help="Trust domain of devices for which the roll names none.")
]
Map = Annotated[
    Path | None,
    typer.Option("--map", metavar="FILE", help="TOML: what owners, domains, sites, classes and states of the roll are here."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would come in and what not.")]
Rejects = Annotated[Path | None, typer.Option(metavar="FILE", help="Write what is left out there, a JSON object a line.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; needed for devices that are quarantined, retired or lost.")]


def register(app: typer.Typer) -> None:
    app.command("adopt", help=HELP)(on_database(adopt))


def adopt(
    here: Here,
    folder: Folder = Path(),
    store: Store = None,
    owner: Owner = None,
    trust_domain: Domain = None,
    names: Map = None,
    dry_run: DryRun = False,
    rejects: Rejects = None,
    reason: Reason = "",
) -> None:
    from tenure.evidence.digests import digest_key
    from tenure.flows.adopt import Wanted

    own = places(store)
    called = _names(names, owner, trust_domain)
    with _opened(own, folder) as roll, _LeftOut(rejects) as told:
        key = digest_key(own.digest_key).key_id
        done = _run(here, roll, Wanted(f"roll of {folder.resolve().name}", called, key, reason, dry_run), told)
    _tell(here, done, dry_run, told)
    if done.left_out:
        raise typer.Exit(LEFT_OUT)


def _run(here: Here, roll: duckdb.DuckDBPyConnection, wanted: Wanted, told: _LeftOut) -> Adopted:
    from tenure.flows.adopt import adopt as flow
    from tenure.roll.adoptable import extent

    with here.registry() as registry, Bar() as bar:
        bar.step("devices", extent(roll).devices, "devices")
        return flow(registry, local_actor(), roll, wanted, told.take, bar.done)


def _names(path: Path | None, owner: str | None, trust_domain: str | None) -> Names:
    from tenure.flows.adoption.naming import parse_names

    return parse_names("" if path is None else path.read_text("utf-8"), str(path), owner, trust_domain)


@contextmanager
def _opened(own: Places, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The roll last linked from a folder; no audit replaces it while we read."""
    import duckdb

    from tenure.errors import LinkError
    from tenure.flows.audit import alone

    path = own.roll(folder)
    if not path.is_file():
        raise TenureError(f"no roll was linked from {folder.resolve()} yet", f"run: tenure audit {folder}")
    with alone(path):
        try:
            roll = duckdb.connect(str(path), read_only=True)
        except duckdb.Error as error:  # half made by an audit that died, or of another version of Tenure
            raise LinkError(f"the roll of {folder.resolve()} cannot be read: {error}", f"run: tenure audit {folder}") from error
        with roll:
            yield roll


class _LeftOut:
    """Where what is left out goes: all of it into a file, or the first few to standard error."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None
        self.hidden = 0

    def __enter__(self) -> _LeftOut:
        if self._path is not None and self._path.exists():
            raise TenureError(f"{self._path} is there already", "name a new file for what is left out")
        self._told = 0
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def take(self, left: LeftOut) -> None:
        if self._path is not None:
            self._file = self._file or self._path.open("x", encoding="utf-8")  # a file only where there is something to say
            self._file.write(json.dumps(_plain(left), ensure_ascii=False) + "\n")
            return
        self._told += 1
        if self._told > TOLD:
            self.hidden += 1
            return
        what = left.device.name or left.device.serial or left.device.id
        part = "" if left.credential is None else f", {left.credential.kind} {left.credential.name or ''}".rstrip()
        typer.echo(f"{what}{part}: {left.problem}\n  fix: {left.fix}", err=True)


def _plain(left: LeftOut) -> dict[str, Any]:
    device, credential = left.device, left.credential
    told: dict[str, Any] = {"device": device.id, "name": device.name, "serial": device.serial}
    if credential is not None:
        told["credential"] = {"kind": credential.kind, "name": credential.name, "sha256": credential.sha256}
    return told | {"problem": left.problem, "fix": left.fix}


def _tell(here: Here, done: Adopted, dry_run: bool, told: _LeftOut) -> None:
    counts = {
        "devices": done.devices,
        "known": done.known,
        "credentials": done.credentials,
        "left_out": done.left_out,
        "unbound_credentials": done.unbound,
    }
    if here.as_json:
        left_away = [{"kind": kind, "name": name, "devices": count} for (kind, name), count in sorted(done.left_away.items())]
        more = {"dry_run": dry_run, "left_away": left_away, "batches": list(map(str, done.batches))}
        show(json.dumps(counts | more, indent=1, ensure_ascii=False) + "\n", exact=True)
        return
    for (kind, name), count in sorted(done.left_away.items()):
        typer.echo(f"the registry knows no {kind} {name!r}: {count} devices come without", err=True)
    if done.unbound:
        typer.echo(f"{done.unbound} credentials are bound to no device by anything strong, and stay with the audit", err=True)
    said = "would be adopted" if dry_run else "adopted"
    more_told = f"; {told.hidden} more: --rejects FILE takes all" if told.hidden else ""
    show(
        f"{done.devices} devices and {done.credentials} credentials {said}, {done.known} devices known before, "
        f"{done.left_out} left out{more_told}\n"
    )
