"""What can go wrong in a way the user can mend: every error carries the next step."""

from __future__ import annotations


class TenureError(Exception):
    """A refusal with advice: ``problem`` says what is wrong, ``fix`` says what to do next."""

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.problem}\n  fix: {self.fix}" if self.fix else self.problem


class DeclarationError(TenureError):
    """``audit.toml``, a mapping, a rule header or a decision file says something Tenure cannot follow."""


class SourceError(TenureError):
    """A location cannot be collected at all (nothing of the kind is there, or it cannot be opened)."""


class SnapshotError(TenureError):
    """A snapshot on disk is not what its manifest says."""


class LinkError(TenureError):
    """The snapshots cannot be made into a roll."""


class RuleError(TenureError):
    """A rule file is not one: its header or its query breaks the contract of rules."""
