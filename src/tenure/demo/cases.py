"""What a case of the example fleet is: devices that differ from healthy ones, and the findings that follow from it.

The cases themselves are data: ``defects`` (what the audit must find) and ``near_misses`` (what it must not).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Role:
    """A device of a case: a healthy one of its family but for ``changes`` (fields of ``fleet.Device``)."""

    family: str
    changes: Mapping[str, Any]
    same: tuple[str, ...] = ()  # fields it has in common with the first of the cast


@dataclass(frozen=True, slots=True)
class Find:
    """A finding: the rule and what it is about.

    ``kind`` is device, certificate, token or client of a ``member`` of the cast, where ``of`` is a label; holders, which is the
    whole cast; or authority, policy, domain, file, identifier, where ``of`` is its name.
    """

    rule: str
    kind: str
    of: str = ""
    member: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """``what`` says how it was made; ``finds`` are all findings that follow, ``silent`` rules that must say nothing."""

    id: str
    what: str
    cast: tuple[Role, ...] = ()
    finds: tuple[Find, ...] = ()
    silent: tuple[str, ...] = ()


def role(family: str, *, same: tuple[str, ...] = (), **changes: Any) -> Role:
    """A role, its changes as arguments."""
    return Role(family, changes, same)
