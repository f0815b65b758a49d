"""The findings that an example fleet must give: each case of the table, resolved against the devices that play it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tenure.demo.cases import Case, Find
from tenure.demo.fleet import Device
from tenure.demo.life import World
from tenure.model.findings import Finding


@dataclass(frozen=True, slots=True)
class Expected:
    """A finding to come: ``about`` names its main subjects as ``about(finding)`` does."""

    case: str
    what: str
    rule: str
    about: tuple[str, ...]


def expected(fleet: World) -> tuple[Expected, ...]:
    """All findings that must come, in the order of the table."""
    casts = {case.id: cast_of(fleet, case) for case in fleet.cases}
    return tuple(
        Expected(case.id, case.what, find.rule, tuple(sorted(_about(fleet, casts[case.id], find))))
        for case in fleet.cases
        for find in case.finds
    )


def differences(fleet: World, findings: Iterable[Finding]) -> list[str]:
    """Where findings are not exactly those that must come, in words; empty where they are."""
    wanted = Counter((e.rule, e.about) for e in expected(fleet))
    found = Counter((f.rule, about(f)) for f in findings)
    named = {(e.rule, e.about): e.case for e in expected(fleet)}
    missing = [f"not found: {rule} of case {named[rule, what]} ({', '.join(what)})" for rule, what in (wanted - found).elements()]
    return missing + [f"not planted: {rule} ({', '.join(what)})" for rule, what in (found - wanted).elements()]


def about(finding: Finding) -> tuple[str, ...]:
    """The main subjects of a finding, by names that can be told before the audit.

    That is its first subject; of a key that several devices hold, the devices; of an identifier, its value.
    """
    match finding.grain:
        case "identifier":
            return (f"identifier {finding.evidence['value']}",)
        case "key":
            return tuple(sorted({f"device {s.name}" for s in finding.subjects if s.kind == "device"}))
        case "anchor" | "issuer":
            name = finding.subjects[0].name or ""
            return (f"authority {next((part[3:] for part in name.split(',') if part.startswith('CN=')), name)}",)
    first = finding.subjects[0]
    return (f"{first.kind} {first.sha256 if first.kind == 'certificate' else first.name}",)


def cast_of(fleet: World, case: Case) -> list[Device]:
    """The devices that play a case."""
    return sorted((d for d in fleet.devices if d.case == case.id), key=lambda d: d.member)


def _about(fleet: World, cast: list[Device], find: Find) -> Iterator[str]:
    match find.kind:
        case "device":
            yield f"device {cast[find.member].name}"
        case "holders":
            yield from (f"device {device.name}" for device in cast)
        case "certificate":
            yield f"certificate {fleet.of(cast[find.member], find.of).sha256}"
        case "token":
            device = cast[find.member]
            token = next(t for t in device.tokens if t.label == find.of)
            yield f"token {fleet.token_id(device, token)}"
        case "client":
            yield f"client {cast[find.member].client}"
        case "authority":
            yield f"authority {fleet.authorities[find.of].plan.name}"
        case kind:
            yield f"{kind} {find.of}"
