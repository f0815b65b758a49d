"""What a SARIF run tells about itself: what was not judged, what could not be read, what is hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenure.clock import rfc3339
from tenure.model.findings import AuditResult, ProblemSummary, RuleOutcome
from tenure.model.vocabulary import RuleStatus
from tenure.reports import _document, _tally
from tenure.reports._document import Json
from tenure.reports._sarif_pieces import Object, artifact, described, message
from tenure.reports._wording import STATUS_WORDS, encodable

NOTIFICATIONS = {
    "source-cut-short": ("error", "A source was cut short: what rests on it is not the whole truth."),
    "file-unread": ("error", "A file or folder could not be read: what it holds is missing."),
    "rule-unknown": ("error", "A rule could not be judged: that it found nothing says nothing."),
    "problem": ("warning", "Something in an export could not be read or understood."),
    "rule-not-assessed": ("note", "The inputs of a rule were not collected."),
    "rule-switched-off": ("note", "A decision switched the rule off."),
    "findings-suppressed": ("note", "Decisions suppress findings of a rule."),
    "note": ("note", "Something rests on a default because nothing was declared."),
}
"""What the run tells about itself: id -> level and text."""

_STATUS_NOTIFICATIONS = {
    RuleStatus.UNKNOWN: "rule-unknown",
    RuleStatus.NOT_ASSESSED: "rule-not-assessed",
    RuleStatus.SWITCHED_OFF: "rule-switched-off",
}


def descriptors() -> list[Json]:
    """The kinds of notification, as the tool's driver lists them."""
    return [
        {"id": name, **described(text, text, text), "defaultConfiguration": {"level": level}}
        for name, (level, text) in NOTIFICATIONS.items()
    ]


def invocation(result: AuditResult, index: Mapping[str, int], most: int) -> Object:
    return {
        "executionSuccessful": not result.incomplete,
        "toolExecutionNotifications": [*_incomplete(result, index), *_problems(result.problems, most)],
        "toolConfigurationNotifications": [*_configuration(result, index)],
        "properties": {"as_of": rfc3339(result.as_of), "sources": [_document.source(s) for s in result.sources]},
    }


def _incomplete(result: AuditResult, index: Mapping[str, int]) -> Iterator[Object]:
    for source in result.sources:
        if source.partial:
            place: list[Json] = [{"physicalLocation": {"artifactLocation": artifact(source.name)}}]
            yield {**_notification("source-cut-short", f"{source.kind} {source.name} was cut short"), "locations": place}
    for file in result.files:
        if file.unread:
            there: list[Json] = [{"physicalLocation": {"artifactLocation": artifact(file.path)}}]
            yield {**_notification("file-unread", f"{file.path} {file.why}"), "locations": there}
    for rule in _tally.with_status(result, RuleStatus.UNKNOWN):
        yield _of_rule("rule-unknown", rule, index)


def _problems(problems: tuple[ProblemSummary, ...], most: int) -> Iterator[Object]:
    for problem in problems[:most]:
        text = f"{problem.source}: {problem.reason} ({f'{problem.file} {problem.place}'.strip()})"
        place: list[Json] = [{"physicalLocation": {"artifactLocation": artifact(_below(problem.source, problem.file))}}]
        yield {**_notification("problem", text), "locations": place}
    if (more := len(problems) - most) > 0:
        yield _notification("problem", f"and {more:,} more problems; the JSON report holds all")


def _below(source: str, file: str) -> str:
    """The path of a problem's file in the audited folder: a source's own name, or a file below it."""
    if not file or source == file or source.endswith(f"/{file}"):
        return source
    return file if file.startswith(f"{source}/") else f"{source}/{file}"


def _configuration(result: AuditResult, index: Mapping[str, int]) -> Iterator[Object]:
    for status in (RuleStatus.NOT_ASSESSED, RuleStatus.SWITCHED_OFF):
        for rule in _tally.with_status(result, status):
            yield _of_rule(_STATUS_NOTIFICATIONS[status], rule, index)
    for rule in sorted((r for r in result.rules if r.suppressed), key=lambda r: r.id):
        yield _notification("findings-suppressed", f"{rule.id}: {rule.suppressed:,} suppressed by decisions")
    for note in result.notes:
        yield _notification("note", note)


def _of_rule(name: str, rule: RuleOutcome, index: Mapping[str, int]) -> Object:
    text = f"{rule.id} is {STATUS_WORDS[rule.status]}: {rule.reason or 'no reason given'}"
    return {**_notification(name, text), "associatedRule": {"id": encodable(rule.id), "index": index[rule.id]}}


def _notification(name: str, text: str) -> Object:
    place = list(NOTIFICATIONS).index(name)
    return {"descriptor": {"id": name, "index": place}, "level": NOTIFICATIONS[name][0], "message": {"text": message(text)}}
