"""Names between a roll and a registry: whose a device is, where, of which class, in which state. Never guesses whose it is.

An owner or trust domain that the registry does not know keeps a device out. A site or class it does not know is left away and
told: neither decides anything about an identity.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tenure.errors import TenureError
from tenure.flows.imports.understanding import Parties, UnclearError
from tenure.lifecycle.arrival import ARRIVES_AS
from tenure.model.parties import DeviceClass, Owner, Site
from tenure.model.vocabulary import DeviceState
from tenure.roll.adoptable import KnownDevice

ANY = "*"
TABLES = ("owner", "trust_domain", "site", "device_class", "state")
TAKEN = ARRIVES_AS | {DeviceState.QUARANTINED}
"""States that can be taken over. Of the others nobody can tell whether the device may hold trust."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the roll's names are in the registry, by table and name there; and whose a device is of which the roll names none."""

    owner: str | None = None
    trust_domain: str | None = None
    called: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def state(self, device: KnownDevice) -> DeviceState:
        return DeviceState(self.translated("state", device.state))

    def translated(self, table: str, told: str) -> str:
        known = self.called.get(table, {})
        return known.get(told) or known.get(ANY) or told


def parse_names(text: str, where: str, owner: str | None, trust_domain: str | None) -> Names:
    """A file of names: TOML with a table for each of TABLES. Raises TenureError."""
    fix = f'tables are {", ".join(TABLES)}; in each: "name in the exports" = "name or id in the registry"'
    try:
        told: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TenureError(f"{where} is no TOML: {error}", fix) from error
    for table, names in told.items():
        if table not in TABLES or not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
            raise TenureError(f"{where}: {table!r} is no table of names", fix)
    states = told.get("state", {})
    if strange := [word for word in states.values() if word not in TAKEN]:
        raise TenureError(f"{where}: no device is taken over as {strange[0]!r}", f"write one of {', '.join(sorted(TAKEN))}")
    return Names(owner, trust_domain, told)


def cells(device: KnownDevice, names: Names, known: Parties, left_away: Counter[tuple[str, str]]) -> dict[str, Any]:
    """The device as an import would have it, but for its roots and state."""
    told: dict[str, Any] = {"maker": _maker(device), "model": device.model, "serial": _serial(device), "name": device.name}
    told["owner"] = names.owner if device.owner is None else names.translated("owner", device.owner)
    domain = device.trust_domain
    told["trust_domain"] = names.trust_domain if domain is None else names.translated("trust_domain", domain)
    owner = _found(known, Owner, told["owner"])
    if device.site is not None:
        told["site"] = _known_or_left(known, Site, "site", names.translated("site", device.site), owner, left_away)
    if device.device_class is not None:
        called = names.translated("device_class", device.device_class)
        told["device_class"] = _known_or_left(known, DeviceClass, "device class", called, None, left_away)
    return {name: cell for name, cell in told.items() if cell}


def _maker(device: KnownDevice) -> str | None:
    """As a record names it, else the one that linking found its serial to be unique within."""
    inferred = (scope for kind, _, scope in device.identifiers if kind == "serial" and scope)
    return device.maker or next(inferred, None)


def _serial(device: KnownDevice) -> str | None:
    """One that still identifies: fillers and serials that unrelated devices share claim nothing."""
    return device.serial if any(kind == "serial" for kind, _, _ in device.identifiers) else None


def _known_or_left(
    known: Parties, kind: type[Any], word: str, called: str, owner: UUID | None, left_away: Counter[tuple[str, str]]
) -> str | None:
    found = _found(known, kind, called, owner)
    if found is None:
        left_away[word, called] += 1
        return None
    return str(found)


def _found(known: Parties, kind: type[Any], called: str | None, owner: UUID | None = None) -> UUID | None:
    if called is None:
        return None
    try:
        found: UUID = known.find(kind, called, owner)
    except UnclearError:
        return None
    return found
