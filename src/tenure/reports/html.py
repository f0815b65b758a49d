"""HTML: one file that can be forwarded, printed and read without a network.

Names in it come from devices: Jinja2 escapes every one, and a content security policy allows the page's own style and
script by their hash and nothing else. Without its script the page shows the same; the script only filters and sorts.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import ClassVar

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from tenure import __version__
from tenure.model.findings import AuditResult, Evidence, Finding, Scalar
from tenure.model.vocabulary import RuleStatus, Severity
from tenure.reports import Report, _charts, _tally, _wording

UNJUDGED = (RuleStatus.UNKNOWN, RuleStatus.NOT_ASSESSED, RuleStatus.SWITCHED_OFF)


@dataclass(frozen=True, slots=True)
class HtmlReport:
    """``per_rule`` findings of each rule are in the page, ``at_once`` of them and the ``first`` rules without a click;
    ``rows`` bounds tables.

    What is left out is counted where it is missed, with where to find it: 100,000 findings give a page of some MB.
    """

    name: ClassVar[str] = "html"
    media_type: ClassVar[str] = "text/html"
    suffix: ClassVar[str] = ".html"

    per_rule: int = 50
    at_once: int = 5
    rows: int = 50
    first: int = 12

    def render(self, result: AuditResult) -> str:
        files = sorted(result.files, key=lambda f: (f.kind is not None, f.path))
        return _environment().get_template("report.html.j2").render(
            result=result,
            figures=result.figures,
            verdict=verdict(result),
            groups=_tally.by_rule(result),
            found=_tally.by_severity(result.findings),
            suppressed=_tally.suppressed(result),
            hidden=_tally.ordered(result.suppressed_findings),
            assessed=len(_tally.with_status(result, RuleStatus.ASSESSED)),
            unjudged=[rule for status in UNJUDGED for rule in _tally.with_status(result, status)],
            charts=_charts.charts(result.figures, _tally.by_severity(result.findings), result.as_of),
            problems=_tally.by_reason(result.problems),
            controls=_controls(result),
            files=files,
            report=self,
            version=__version__,
            **_inline(),
        )  # fmt: skip


def verdict(result: AuditResult) -> str:
    """The audit in one sentence, for whoever reads no further."""
    found = _tally.by_severity(result.findings)
    told = _wording.sentences(f"{number:,} {severity}" for severity, number in found.items() if number)
    known = [finding.since for finding in result.findings if finding.since and finding.severity.rank <= Severity.HIGH.rank]
    oldest = f" The oldest grave one began on {min(known).date().isoformat()}." if known else ""
    over = _wording.count(result.figures.devices, "device")
    return f"{_wording.count(len(result.findings), 'finding')} over {over}{': ' + told if told else ''}.{oldest}"


@dataclass(frozen=True, slots=True)
class MemberTable:
    """Rows of evidence that differ from subject to subject, as a table."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Scalar, ...], ...]


def member_tables(evidence: Evidence) -> list[MemberTable]:
    """The lists of a finding's evidence; a column is there when any row has it."""
    tables = []
    for name, rows in _wording.members(evidence):
        columns = tuple(dict.fromkeys(column for row in rows for column in row))
        tables.append(MemberTable(name, columns, tuple(tuple(row.get(c) for c in columns) for row in rows)))
    return tables


def haystack(finding: Finding) -> str:
    """What the page's filter looks in: names, ids and serials of the subjects, in lower case."""
    parts = [finding.id, finding.rule, *(p for s in finding.subjects for p in (s.name, s.serial, s.id) if p)]
    return _wording.shown(" ".join(parts[:60])).lower()


def _controls(result: AuditResult) -> dict[str, list[tuple[str, int]]]:
    """Framework -> its clauses with how many findings touch each."""
    frames: dict[str, list[tuple[str, int]]] = {}
    for control, findings in _tally.by_control(result.findings).items():
        name, _, clause = control.partition(":")
        frames.setdefault(name, []).append((clause or name, findings))
    return frames


@cache
def _environment() -> Environment:
    """The page's template from this package; an undefined name is an error, not an empty place."""
    environment = Environment(
        loader=DictLoader({"report.html.j2": _template("report.html.j2")}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        shown=_wording.shown,
        moment=_wording.moment,
        minute=_wording.minute,
        brief=_wording.brief,
        value=_wording.value,
        label=_wording.label,
        count=_wording.count,
        who=_wording.who,
        gist=_wording.gist,
        clauses=_wording.clauses,
        abridged=_wording.abridged,
        scalars=lambda evidence: list(_wording.scalars(evidence)),
        member_tables=member_tables,
        haystack=haystack,
        status=lambda status: _wording.STATUS_WORDS[status],
    )
    return environment


@cache
def _inline() -> dict[str, Markup | str]:
    """Style and script of the page, and the policy that allows exactly these two."""
    style, script = _template("report.css"), _template("report.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )  # fmt: skip
    return {"style": Markup(style), "script": Markup(script), "policy": policy}  # noqa: S704 - our own two files


def _template(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


REPORT: Report = HtmlReport()
