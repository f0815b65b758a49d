"""``tenure audit DIR``: exports in, findings out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenure.cli.places import STORE_HELP, places
from tenure.model.vocabulary import Severity
from tenure.wiring import REPORTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tenure.flows.audit import Questions, Workplace
    from tenure.model.declarations import Declarations
    from tenure.model.findings import AuditResult

FORMATS = ", ".join(REPORTS)
EXIT_CODES = """\b
Exit codes: 0 nothing at or above --fail-on, 1 something is, 2 usage or unreadable input,
3 incomplete: a source was cut short, a file not read, a rule is unknown, or the audit could not be done."""


def register(app: typer.Typer) -> None:
    app.command(name="audit", epilog=EXIT_CODES)(audit)


def audit(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of exports (or one export), with audit.toml beside them if any.")
    ],
    as_of: Annotated[str | None, typer.Option(metavar="RFC3339", help="Judge as of this moment [default: now].")] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "-f",
            metavar="NAME[=FILE]",
            help=f"Report format, more than once for several: {FORMATS} [default: terminal].",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write here instead of to standard output; of several formats each gets its own suffix.",
        ),
    ] = None,
    rules: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Folder with rules of your own, beside the built-in ones.")
    ] = None,
    decisions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Decisions on rules and findings [default: decisions.toml beside the exports]."),
    ] = None,
    fail_on: Annotated[
        Severity | None,
        typer.Option(
            metavar="SEVERITY",
            case_sensitive=False,
            help="Exit 1 if a finding is at or above: critical, high, medium, low, info.",
        ),
    ] = None,
    init: Annotated[
        bool, typer.Option("--init", help="Write a commented audit.toml with what could be guessed, and judge nothing.")
    ] = False,
    store: Annotated[Path | None, typer.Option(metavar="DIR", help=STORE_HELP)] = None,
    password: Annotated[
        list[str] | None,
        typer.Option("--password-env", metavar="NAME", help="Environment variable with a PKCS#12 or JKS password to try."),
    ] = None,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Most memory for linking, as in 4GB; what needs more spills to disk.")
    ] = "4GB",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Find retired, orphaned, duplicate, shared, hidden and misconfigured identities in the exports you already have."""
    from tenure import clock
    from tenure.cli.progress import Bar
    from tenure.flows import audit as flow
    from tenure.flows.declare import read_declarations
    from tenure.flows.verdict import exit_code
    from tenure.wiring import TREES, sources

    wanted = _wanted(formats or ["terminal"], output)
    now = clock.now()
    moment = now if as_of is None else clock.instant(as_of)
    _there(folder)
    declarations = read_declarations(folder)
    place = _workplace(folder, declarations, store, password or [], memory, now)
    if init:
        _write_declarations(folder, declarations, place, moment)
        return
    questions = _questions(folder, declarations, rules or [], decisions)
    with Bar(wanted=False if quiet else None) as bar:
        result = flow.audit(folder, sources(), declarations, place, questions, moment, bar, TREES)
    for name, path in wanted:
        _write(result, name, path)
    raise typer.Exit(exit_code(result, fail_on))


def _wanted(formats: Sequence[str], output: Path | None) -> list[tuple[str, Path | None]]:
    """Which report goes where; None is standard output, which takes one. What cannot go there is refused before the work."""
    from tenure.errors import TenureError
    from tenure.wiring import report

    wanted: list[tuple[str, Path | None]] = []
    for entry in formats:
        name, _, file = entry.partition("=")
        if name not in REPORTS:
            raise TenureError(f"no report format is called {name!r}", f"use one of {FORMATS}")
        path = Path(file) if file else output
        if path is output and output is not None and len(formats) > 1:
            path = output.with_suffix(report(name).suffix)
        if path is not None and path.is_dir():
            raise TenureError(f"{path} is a folder", f"name a file, such as {path / ('audit' + report(name).suffix)}")
        wanted.append((name, path))
    if sum(path is None for _, path in wanted) > 1:
        raise TenureError("only one report can go to standard output", "give the others a file: --format html=report.html")
    files = [path.resolve() for _, path in wanted if path is not None]
    if twice := next((path for path in files if files.count(path) > 1), None):
        raise TenureError(f"two reports would be written to {twice}", "give each a file of its own")
    return wanted


def _write(result: AuditResult, name: str, path: Path | None) -> None:
    from tenure.cli import screen
    from tenure.wiring import report

    member = report(name)
    if path is not None:
        screen.save(member.render(result), path)
        typer.echo(f"{name} report: {path}", err=True)
        return
    if name == "terminal":
        from tenure.reports.terminal import TerminalReport

        assert isinstance(member, TerminalReport)
        member = replace(member, width=screen.width(), colour=screen.colour())
    screen.show(member.render(result), exact=name != "terminal")


def _there(folder: Path) -> None:
    from tenure.errors import TenureError

    if not folder.exists():
        raise TenureError(f"there is no {folder}", "name a folder of exports; docs/quick-start.md shows how to get them")


def _workplace(
    folder: Path, declarations: Declarations, store: Path | None, password_names: Sequence[str], memory: str, now: datetime
) -> Workplace:
    import os
    import re

    from tenure.errors import TenureError
    from tenure.evidence.digests import digest_key
    from tenure.flows.audit import Workplace
    from tenure.flows.declare import base_of, own_files
    from tenure.flows.observe import Bench
    from tenure.roll import link, wire

    missing = [name for name in password_names if name not in os.environ]
    if missing:
        raise TenureError(f"the environment has no {', '.join(missing)}", "set the variable, or leave --password-env away")
    if not re.fullmatch(r"\d+(\.\d+)? ?[KMGT]i?B", memory, re.IGNORECASE):
        raise TenureError(f"not a size of memory: {memory!r}", "write it as 4GB or 512MB")
    own = places(store)
    own.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    threads = len(os.sched_getaffinity(0))
    passwords = tuple(os.environb[name.encode()] for name in password_names)
    return Workplace(
        Bench(own.evidence, digest_key(own.digest_key), base_of(folder), passwords, now),
        own.roll(folder),
        own.edges,
        link.Limits(memory=memory, threads=threads),
        wire.Limits(threads=threads),
        own_files(folder, declarations, own.root),
    )


def _questions(folder: Path, declarations: Declarations, own_rules: Sequence[Path], decisions: Path | None) -> Questions:
    from tenure.errors import TenureError
    from tenure.flows.audit import Questions
    from tenure.flows.declare import base_of
    from tenure.model.decisions import parse_decisions
    from tenure.roll.rules import builtin_controls_folder, builtin_folder, load_controls, load_rules, with_own

    rules = load_rules(builtin_folder())
    for own in own_rules:
        rules = with_own(rules, load_rules(own))
    path = decisions or base_of(folder) / (declarations.decisions or "decisions.toml")
    named = decisions is not None or declarations.decisions is not None
    if named and not path.is_file():
        raise TenureError(f"there is no {path}", "see docs/decisions-file.md for the file of decisions")
    held = parse_decisions(path.read_text("utf-8"), str(path)) if path.is_file() else ()
    return Questions(rules, load_controls(builtin_controls_folder()), held)


def _write_declarations(folder: Path, declarations: Declarations, place: Workplace, moment: datetime) -> None:
    from tenure.errors import TenureError
    from tenure.flows import audit as flow
    from tenure.flows.declare import FILE, Guesses, base_of, draft_declarations, guess
    from tenure.wiring import TREES, sources

    target = base_of(folder) / FILE
    if target.exists():
        raise TenureError(f"{target} is there already", "edit it, or move it away first")
    surveyed = flow.look(folder, sources(), declarations, place.own, trees=TREES)
    guesses = Guesses()
    if surveyed.taken:  # where nobody knows anything, the file is where to say what it is
        with flow.alone(place.roll):
            linked = flow.collect_and_link(folder, surveyed, sources(), declarations, place, moment)
            with linked.roll.connect() as con:
                guesses = guess(con)
    with target.open("x", encoding="utf-8") as file:
        file.write(draft_declarations(surveyed.files, guesses))
    typer.echo(f"wrote {target}: confirm what is right by taking away the #", err=True)
