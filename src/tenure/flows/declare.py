"""Read ``audit.toml``, and write a commented one with what could be guessed (``tenure audit --init``)."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import duckdb
from pydantic import ValidationError

from tenure.clock import rfc3339
from tenure.errors import DeclarationError
from tenure.flows.observe import IGNORE, normal
from tenure.model import identifiers
from tenure.model.declarations import Declarations
from tenure.model.findings import CoverageSummary, FileVerdict
from tenure.roll import summary

FILE = "audit.toml"

_LOGS = ("aws-iot-log", "mosquitto-log")
"""Kinds of source that are the log of one relying party."""

MOST = 50
"""So many entries of one sort are written out; the rest is counted."""


def base_of(path: Path) -> Path:
    """The folder that declared paths are relative to, for an audited folder or file."""
    return path if path.is_dir() else path.parent


def read_declarations(folder: Path) -> Declarations:
    """What stands in ``audit.toml`` beside the exports; the defaults where there is none.

    Raises DeclarationError naming the entry that cannot be followed.
    """
    path = base_of(folder) / FILE
    if not path.is_file():
        return Declarations()
    try:
        return _distinct(Declarations.model_validate(tomllib.loads(path.read_text("utf-8"))), path)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeclarationError(
            f"{path} is not TOML: {error}", "mend that line; `tenure audit --init` writes a valid example"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DeclarationError(
            f"{path}: {where}: {first['msg']}", "see docs/audit-toml.md for the entries and their values"
        ) from error


def _distinct(declarations: Declarations, file: Path) -> Declarations:
    """Two entries for one path would let the second go unheard."""
    for table, paths in (("source", [s.path for s in declarations.source]), ("anchors", [a.path for a in declarations.anchors])):
        seen: set[str] = set()
        for path in map(normal, paths):
            if path in seen:
                raise DeclarationError(f"{file}: two [[{table}]] entries have the path {path}", "make one entry of both")
            seen.add(path)
    return declarations


def own_files(folder: Path, declarations: Declarations, store: Path) -> frozenset[str]:
    """Places among exports that are Tenure's own and no exports: declarations, mappings, decisions, its store."""
    base = base_of(folder)
    named = [FILE, declarations.decisions or "decisions.toml", *(s.mapping for s in declarations.source if s.mapping)]
    inside = Path(os.path.realpath(base))
    paths = [Path(os.path.realpath(path)) for path in (*(base / name for name in named), store)]
    return frozenset(path.relative_to(inside).as_posix() for path in paths if path.is_relative_to(inside))


@dataclass(frozen=True, slots=True)
class AnchorGuess:
    """A bundle, and who trusts it as far as its name tells."""

    path: str
    relying_party: str
    kind: str


@dataclass(frozen=True, slots=True)
class Guesses:
    """What a linked roll lets us guess of what nobody declared: mostly what it was linked with for want of a declaration."""

    coverage: Sequence[CoverageSummary] = ()
    makers: Sequence[str] = ()
    organisations: Sequence[str] = ()
    anchors: Sequence[AnchorGuess] = ()
    max_age_days: Mapping[str, float] = field(default_factory=dict)  # by source
    log_of: Mapping[str, str] = field(default_factory=dict)  # by source: whose log it is


def guess(con: duckdb.DuckDBPyConnection) -> Guesses:
    """The guesses that a roll allows."""
    organisations = con.execute(
        "SELECT DISTINCT organisation FROM issuer WHERE ours AND organisation IS NOT NULL ORDER BY 1"
    ).fetchall()
    anchors = con.execute(
        "SELECT DISTINCT s.name, a.bundle, p.name, p.kind FROM anchor a JOIN source s USING (source_key) "
        "JOIN relying_party p USING (relying_party_key) ORDER BY ALL"
    ).fetchall()
    logs = con.execute(
        "SELECT s.name, min(p.name) FROM session e JOIN source s USING (source_key) "
        "JOIN relying_party p USING (relying_party_key) WHERE s.kind IN (SELECT unnest(?)) "
        "GROUP BY s.name HAVING count(DISTINCT p.name) = 1",
        [list(_LOGS)],
    ).fetchall()
    return Guesses(
        coverage=summary.coverage(con),
        makers=_distinct_makers(summary.makers(con)),
        organisations=tuple(name for (name,) in organisations),
        anchors=tuple(AnchorGuess(_inside(source, bundle), party, kind) for source, bundle, party, kind in anchors),
        max_age_days=dict(con.execute("SELECT name, max_age_days FROM source").fetchall()),
        log_of=dict(logs),
    )


def _distinct_makers(names: Iterable[str]) -> tuple[str, ...]:
    """One notation of each maker."""
    by_name: dict[str, str] = {}
    for name in names:
        if (one := identifiers.maker(name)) is not None:
            by_name[one] = name  # the last in order of code points: Example rather than EXAMPLE
    return tuple(by_name[one] for one in sorted(by_name))


def _inside(source: str, bundle: str) -> str:
    """The path of a bundle that lies in a source: the source itself, or a file in its folder."""
    if source == "." or source.rpartition("/")[2] == bundle:
        return bundle if source == "." else source
    return f"{source}/{bundle}"


_HEAD = """\
# What no export says. A line with # and a blank explains. A line with # and no blank is a guess, most of them what is
# assumed as long as nobody says otherwise: check it, mend it, and take away the #. Nothing here is in force before.
# All entries: docs/audit-toml.md
"""


def draft_declarations(files: Sequence[FileVerdict], guesses: Guesses) -> str:
    """A commented ``audit.toml``: every line that could be guessed stands behind a ``#`` without a blank, to be confirmed.

    Nothing in it is in force until somebody takes the ``#`` away, so a guess never decides a finding.
    """
    known, strange = [v for v in files if v.kind is not None], [v for v in files if v.kind is None]
    organisations = ", ".join(_quoted(o) for o in guesses.organisations)
    parts = [
        _HEAD,
        "# Our own names as they stand in O= of our certificates. An issuer of that name is ours.",
        f"#organisation = [{organisations}]\n",
        *_some((_source(v, guesses) for v in known), len(known), "exports"),
        *_some(map(_stranger, strange), len(strange), "files that nobody knows"),
        *_some(map(_anchor, guesses.anchors), len(guesses.anchors), "bundles of anchors"),
        *_some((_party(*party) for party in _by_party(guesses.coverage)), len(guesses.coverage), "relying parties"),
        *_some(map(_maker, guesses.makers), len(guesses.makers), "makers"),
        ["# Who decides where sources disagree: paths of sources. Empty: the CMDB decides device state and owner,"],
        ["# CA, cloud and store of secrets the state of their credentials."],
        ["#[authoritative]", "#device_state = []", "#credential_state = []", ""],
    ]
    return "\n".join(line for part in parts for line in ([part] if isinstance(part, str) else part))


def _some(parts: Iterable[Iterable[str]], count: int, what: str) -> Iterator[Iterable[str]]:
    yield from islice(parts, MOST)
    if count > MOST:
        yield [f"# ... and {count - MOST} more {what}", ""]


def _source(verdict: FileVerdict, guesses: Guesses) -> Iterator[str]:
    yield f"# {_plain(verdict.path)}: {_plain(verdict.why)}"
    yield "#[[source]]"
    yield f"#path = {_quoted(verdict.path)}"
    yield f"#kind = {_quoted(verdict.kind or IGNORE)}"
    if party := guesses.log_of.get(verdict.path):
        yield f"#relying_party = {_quoted(party)}  # whose log it is"
    if verdict.kind == "mosquitto-log":
        yield '#time_zone = "UTC"  # of time stamps that name none'
    if verdict.kind in ("cmdb", "secrets"):
        yield '#strong_identifiers = []  # ["name"] only if a host name is never used again'
    if (age := guesses.max_age_days.get(verdict.path)) is not None:
        yield f"#max_age_days = {age:g}  # older than this, what it says is old"
    yield ""


def _stranger(verdict: FileVerdict) -> Iterator[str]:
    yield f"# {_plain(verdict.path)}: {_plain(verdict.why)}"
    yield "#[[source]]"
    yield f"#path = {_quoted(verdict.path)}"
    yield f"#kind = {_quoted(IGNORE)}  # or the kind of source that reads it"
    yield ""


def _anchor(anchor: AnchorGuess) -> Iterator[str]:
    yield "# purpose = enrolment | operation | update: nobody says, so it counts for all"
    yield "#[[anchors]]"
    yield f"#path = {_quoted(anchor.path)}"
    yield f"#relying_party = {_quoted(anchor.relying_party)}"
    yield f"#kind = {_quoted(anchor.kind)}"
    yield ""


def _by_party(coverage: Sequence[CoverageSummary]) -> list[tuple[str, list[CoverageSummary]]]:
    parties: dict[str, list[CoverageSummary]] = {}
    for row in coverage:
        parties.setdefault(row.relying_party, []).append(row)
    return sorted(parties.items())


def _party(name: str, rows: Sequence[CoverageSummary]) -> Iterator[str]:
    yield "# The places of which devices appear in its log. Add those whose devices should: what is not seen there is missing."
    yield "#[[relying_party]]"
    yield f"#name = {_quoted(name)}"
    yield f"#sites = [{', '.join(_quoted(r.site) for r in rows if r.site)}]"
    yield f"#since = {rfc3339(min(r.since for r in rows))}  # its log is collected from here on"
    yield ""


def _maker(maker: str) -> Iterator[str]:
    yield f"#[maker.{_quoted(maker)}]"
    yield '#leading_zeros = "lost"  # or "significant": 0048 and 48 are two serials'
    yield "#aliases = []  # other names of this maker in the exports"
    yield ""


def _quoted(text: str) -> str:
    """A TOML basic string: what JSON escapes, TOML reads; DEL it wants escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(text: str) -> str:
    """Text within a comment: one line, without control characters."""
    return "".join(c if c.isprintable() else " " for c in text)
