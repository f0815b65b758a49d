"""SHOW: an audit's result as text, one module per format. Pure: no files, no environment, no clock.

A member is a module with ``REPORT``. Whoever opens files, knows the terminal or picks a format is a face or ``wiring``.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from tenure.model.findings import AuditResult


class Report(Protocol):
    """One format of an audit's result. The same result always gives the same text."""

    name: ClassVar[str]  # what --format takes: terminal | json | jsonl | csv | sarif | html
    media_type: ClassVar[str]
    suffix: ClassVar[str]  # of a file in this format, with its dot

    def render(self, result: AuditResult) -> str: ...
