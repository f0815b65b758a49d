"""Why the roll calls some records one device, as values: what was linked, by what, and what each source claims."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordClaim:
    """One record, with what it says."""

    source: str
    record_id: str
    origin: str
    decides: bool
    claims: dict[str, str]


@dataclass(frozen=True, slots=True)
class Tie:
    """An identifier the device's records carry: what it joined, or why it joins nothing."""

    kind: str
    value: str
    scope: str | None
    strong: bool
    reason: str | None
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A credential bound to the device, and how."""

    kind: str
    role: str
    name: str
    sha256: str | None
    how: str
    strong: bool
    source: str
    usable: bool
    not_after: str | None
    statuses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeviceExplanation:
    device_id: str
    name: str | None
    state: str
    state_decided_by: str | None
    records: tuple[RecordClaim, ...]
    ties: tuple[Tie, ...]
    conflicts: dict[str, tuple[str, ...]]  # field -> the differing claims, as "value (source)"
    credentials: tuple[Held, ...]
    sessions: tuple[dict[str, str | None], ...]  # the last ones
