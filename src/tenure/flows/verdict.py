"""What an audit and a comparison mean to the program that started them: exit codes. 2 (usage) is the command line's own."""

from __future__ import annotations

from tenure.model.difference import Difference
from tenure.model.findings import AuditResult
from tenure.model.vocabulary import Severity

CLEAN = 0
FOUND = 1
INCOMPLETE = 3


def exit_code(result: AuditResult, fail_on: Severity | None) -> int:
    """3 when a source was cut short, a file was not read or a rule is unknown, else 1 when a finding is at or above ``fail_on``,
    else 0.

    Incomplete comes first: with part of the truth missing, neither "found" nor "clean" is a verdict. ``fail_on`` None
    never fails for findings.
    """
    if result.incomplete:
        return INCOMPLETE
    return FOUND if any(_grave(finding.severity, fail_on) for finding in result.findings) else CLEAN


def difference_exit_code(difference: Difference, fail_on: Severity | None) -> int:
    """3 when the new audit is incomplete, no longer looks where the old one found something, or lost findings together
    with a kind of source; else 1 when something at or above ``fail_on`` appeared or rose to it, else 0.

    What a decision switched off is no longer looked at on purpose: that alone is not incomplete.
    """
    if difference.incomplete:
        return INCOMPLETE
    appeared = [finding.severity for finding in (*difference.appeared, *difference.newly_assessed)]
    risen = [change.new.severity for change in difference.changed if change.new.severity.rank < change.old.severity.rank]
    return FOUND if any(_grave(severity, fail_on) for severity in appeared + risen) else CLEAN


def _grave(severity: Severity, fail_on: Severity | None) -> bool:
    return fail_on is not None and severity.rank <= fail_on.rank
