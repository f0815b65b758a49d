"""Rule files: a TOML header in leading SQL comments and one query, read into frozen values. Nothing is run here.

The header is the rule's catalogue page, so everything in it is checked when the file is read; the query is text until
the process that runs rules has looked at it (``tenure.roll.query_gate``). ``docs/writing-rules.md`` is the contract.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from tenure.errors import DeclarationError, RuleError
from tenure.model.controls import Controls, parse_framework
from tenure.model.vocabulary import Severity
from tenure.roll.tables import TABLES_BY_NAME

Parameter: TypeAlias = int | float | str | bool

T = TypeVar("T")

MAX_BYTES = 262_144
GRAINS: Mapping[str, tuple[str, ...]] = {
    "device": ("subject_device",),
    "certificate": ("subject_credential",),
    "credential": ("subject_credential",),
    "secret": ("subject_credential", "subject_key"),
    "token": ("subject_credential",),
    "key": ("subject_key",),
    "anchor": ("subject_anchor",),
    "policy": ("subject_policy",),
    "domain": ("subject_domain",),
    "issuer": ("subject_issuer",),
    "client": ("subject_client",),
    "source": ("subject_source",),
    "identifier": ("identifier_kind", "value", "maker_or_account"),
}
"""What a finding can be one of, and the columns that say which one: a subject, or evidence for what is no subject."""

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]*")
_REQUIRED = ("title", "severity", "grain", "why", "fix", "needs")
_OPTIONAL = ("needs_sources", "needs_coverage", "absence", "moves_with_time", "reference", "parameters")


@dataclass(frozen=True, slots=True)
class Rule:
    """One defect: what it is called, what it needs to be judged, and the query that finds it."""

    id: str
    title: str
    severity: Severity
    grain: str  # a key of GRAINS
    why: str
    fix: str
    needs: tuple[str, ...]  # roll tables that must have rows
    query: str
    needs_sources: tuple[tuple[str, ...], ...] = ()  # of each group, one kind of source must be collected
    needs_coverage: bool = False
    absence: bool = False  # reports that something is missing: false where the source was cut short
    moves_with_time: tuple[str, ...] = ()  # columns of evidence that change with the as-of time alone
    reference: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)  # defaults
    file: str = ""  # where it was read from
    replaces: str = ""  # the file of the built-in rule it stands in for

    def bound(self, overrides: Mapping[str, Parameter]) -> dict[str, Parameter]:
        """The parameters of one run. Raises DeclarationError for a name or a type that the header does not have."""
        values = dict(self.parameters)
        for name, value in overrides.items():
            if name not in values:
                raise DeclarationError(f"[rule.{self.id}] sets {name}, no parameter of it", _nearest(name, values))
            values[name] = _as_type_of(values[name], value, f"[rule.{self.id}] {name}")
        return values


def parse_rule(text: str, file: str) -> Rule:
    """The rule in the text of a rule file; ``file`` is its path, whose stem is the rule's id. Raises RuleError."""
    identifier = Path(file).stem
    if not _ID.fullmatch(identifier):
        raise RuleError(f"{file}: a rule is named by its file, in a-z, 0-9 and single hyphens", "rename the file")
    header, query = _split(text)
    if not header.strip():
        raise RuleError(
            f"{file}: there is no header", 'begin the file with lines such as -- title = "..." (docs/writing-rules.md)'
        )
    try:
        table = tomllib.loads(header)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{file}: the header is no TOML: {error}", "each leading line is '-- ' and a line of TOML") from error
    if not query.strip():
        raise RuleError(f"{file}: there is no query", "write one SELECT after the header")
    return _rule(identifier, table, query.strip(), file)


def load_rules(folder: Path) -> tuple[Rule, ...]:
    """All rules of a folder (``*.sql``, not below it), by id. Raises RuleError for the first file that is none."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".sql" and path.is_file())
    except OSError as error:
        raise RuleError(f"{folder}: {error.strerror}", "give a folder that holds rule files (*.sql)") from error
    return tuple(parse_rule(_text(path), str(path)) for path in files)


def builtin_folder() -> Path:
    """Where the rules that come with Tenure lie."""
    return Path(__file__).resolve().parents[1] / "rules"


def with_own(builtin: Sequence[Rule], own: Sequence[Rule]) -> tuple[Rule, ...]:
    """Built-in rules and a user's, by id; a user's rule stands in for the built-in one of the same id and says so."""
    rules = {rule.id: rule for rule in builtin}
    for rule in own:
        before = rules.get(rule.id)
        rules[rule.id] = replace(rule, replaces=before.file) if before else rule
    return tuple(rules[identifier] for identifier in sorted(rules))


def load_controls(folder: Path) -> Controls:
    """The frameworks of a folder (``*.toml``). Raises DeclarationError naming the file that is none."""
    files = sorted(folder.glob("*.toml"))
    return Controls(tuple(parse_framework(path.read_text("utf-8"), path.name) for path in files))


def builtin_controls_folder() -> Path:
    """Where the frameworks that come with Tenure lie."""
    return Path(__file__).resolve().parents[1] / "frameworks"


def _split(text: str) -> tuple[str, str]:
    """Header as TOML text, and the query. The header ends at the first line that is no comment."""
    lines = text.removeprefix("\ufeff").splitlines()
    at = 0
    while at < len(lines) and not lines[at].strip():
        at += 1
    header: list[str] = []
    while at < len(lines) and lines[at].startswith("--"):
        line = lines[at]
        header.append(line[3:] if line.startswith("-- ") else line[2:])
        at += 1
    return "\n".join(header), "\n".join(lines[at:])


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise RuleError(f"{path}: {len(data):,} bytes are no rule", f"keep a rule under {MAX_BYTES:,} bytes")
        return data.decode("utf-8")
    except OSError as error:
        raise RuleError(f"{path}: {error.strerror}", "make the file readable, or take it out of the folder") from error
    except UnicodeDecodeError as error:
        raise RuleError(f"{path}: not UTF-8 at byte {error.start}", "save the file as UTF-8") from error


def _rule(identifier: str, table: dict[str, Any], query: str, file: str) -> Rule:
    if unknown := sorted(table.keys() - {*_REQUIRED, *_OPTIONAL}):
        raise RuleError(f"{file}: the header has an unknown key {unknown[0]}", _nearest(unknown[0], [*_REQUIRED, *_OPTIONAL]))
    if missing := [key for key in _REQUIRED if key not in table]:
        raise RuleError(f"{file}: the header does not say {', '.join(missing)}", f"add a line: -- {missing[0]} = ...")
    for key in ("title", "why", "fix"):
        if not _typed(table, key, str, file, "").strip():
            raise RuleError(f"{file}: {key} is empty", "say it in one to three sentences")
    return Rule(
        id=identifier,
        title=table["title"].strip(),
        severity=Severity(_one_of(table, "severity", [str(s) for s in Severity], file)),
        grain=_one_of(table, "grain", GRAINS, file),
        why=_prose(table["why"]),
        fix=_prose(table["fix"]),
        needs=_tables(table["needs"], file),
        query=query,
        needs_sources=_source_groups(table.get("needs_sources", []), file),
        needs_coverage=_typed(table, "needs_coverage", bool, file, False),
        absence=_typed(table, "absence", bool, file, False),
        moves_with_time=_columns(table.get("moves_with_time", []), file),
        reference=_prose(_typed(table, "reference", str, file, "")),
        parameters=_parameters(_typed(table, "parameters", dict, file, {}), file),
        file=file,
    )


def _typed(table: Mapping[str, Any], key: str, kind: type[T], file: str, default: T) -> T:
    value = table.get(key, default)
    if not isinstance(value, kind):
        raise RuleError(f"{file}: {key} is not a {kind.__name__}", f"see docs/writing-rules.md for what {key} holds")
    return value


def _one_of(table: Mapping[str, Any], key: str, words: Iterable[str], file: str) -> str:
    value = table[key]
    if not isinstance(value, str) or value not in (known := list(words)):
        raise RuleError(f"{file}: {key} = {value!r} is unknown", f"one of: {', '.join(words)}")
    return known[known.index(value)]


def _tables(value: object, file: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
        raise RuleError(f"{file}: needs is not a list of roll tables", 'name what must have rows, as in needs = ["device"]')
    for name in value:
        if name not in TABLES_BY_NAME:
            raise RuleError(f"{file}: needs names {name}, no table of the roll", _nearest(name, TABLES_BY_NAME))
    return tuple(value)


def _source_groups(value: object, file: str) -> tuple[tuple[str, ...], ...]:
    groups: list[Any] = value if isinstance(value, list) else [None]
    if not all(isinstance(g, list) and g and all(isinstance(kind, str) for kind in g) for g in groups):
        raise RuleError(
            f"{file}: needs_sources is not a list of lists of kinds of source",
            'of each inner list one is enough, as in needs_sources = [["cmdb"], ["openssl-ca", "aws-iot"]]',
        )
    return tuple(tuple(group) for group in groups)


def _columns(value: object, file: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise RuleError(f"{file}: moves_with_time is not a list of columns", 'name columns of evidence, as in ["days_left"]')
    return tuple(value)


def _parameters(table: dict[str, Any], file: str) -> dict[str, Parameter]:
    for name, value in table.items():
        if not _PARAMETER.fullmatch(name) or name == "as_of":
            raise RuleError(f"{file}: {name} cannot name a parameter", "use a-z, 0-9 and _; as_of is always there")
        if not isinstance(value, int | float | str):
            raise RuleError(f"{file}: parameter {name} is a {type(value).__name__}", "give a number, a text, true or false")
    return dict(table)


def _as_type_of(default: Parameter, value: Parameter, what: str) -> Parameter:
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(default):
        raise DeclarationError(f"{what} is a {type(value).__name__}", f"give a {type(default).__name__}, as in {default!r}")
    return value


def _prose(text: str) -> str:
    return " ".join(text.split())


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known) or 'none'}"
