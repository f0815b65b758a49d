"""From a record to the command it stands for: words, names of owners and sites, digests of roots. Says no, never guesses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from tenure.flows.imports.table import ROOTS, Record
from tenure.lifecycle.commands import Register
from tenure.model.access import Scope
from tenure.model.devices import HardwareRoot, RootKind
from tenure.model.parties import DeviceClass, Owner, Site, TrustDomain
from tenure.model.vocabulary import DeviceState
from tenure.registry import parties
from tenure.registry.faults import NotFoundError
from tenure.registry.work import Reading

P = TypeVar("P", Owner, Site, TrustDomain, DeviceClass)

LONGEST = 200
_TEXTS = ("maker", "model", "serial", "name")
_STATES = {state.value: state for state in DeviceState}
_KINDS: tuple[tuple[str, RootKind], ...] = tuple((name, RootKind(name)) for name in ROOTS)
_WORDS = {Owner: "owner", Site: "site", TrustDomain: "trust domain", DeviceClass: "device class"}


@dataclass(frozen=True, slots=True)
class Unclear:
    """What a record says that cannot be followed."""

    problem: str
    fix: str


class UnclearError(Exception):
    """Within this module: one cell of a record is unclear."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.unclear = Unclear(problem, fix)


@dataclass(slots=True)
class Parties:
    """Owners, sites, trust domains and classes by what a file calls them, each looked up once. What a caller may not see is
    not there; what has ended takes nothing new."""

    reading: Reading
    scope: Scope
    _known: dict[tuple[type[Any], str, UUID | None], UUID | Unclear] = field(default_factory=dict)

    def find(self, kind: type[P], text: str, owner: UUID | None = None) -> UUID:
        """Raises UnclearError."""
        key = (kind, text, owner)
        if key not in self._known:
            self._known[key] = self._looked_up(kind, text, owner)
        if isinstance(found := self._known[key], Unclear):
            raise UnclearError(found.problem, found.fix)
        return found

    def _looked_up(self, kind: type[P], text: str, owner: UUID | None) -> UUID | Unclear:
        word = _WORDS[kind]
        found = [party for party in self._all(kind, text, owner) if self._visible(party)]
        if not found:
            return Unclear(
                f"there is no {word} {text!r}", f"create it first (tenure {word.replace(' ', '-')}s add), or name another"
            )
        if len(found) > 1:
            return Unclear(f"{len(found)} are named {text!r}, each an {word}", "write the id of the one you mean")
        if found[0].ended_at is not None:
            return Unclear(f"the {word} {text!r} has ended", "name one that is in use")
        return found[0].id

    def _all(self, kind: type[P], text: str, owner: UUID | None) -> tuple[P, ...]:
        try:
            by_id = (parties.get(self.reading, kind, UUID(text)),)
        except (ValueError, NotFoundError):
            return parties.named(self.reading, kind, text, owner if kind is Site else None)
        return tuple(party for party in by_id if not isinstance(party, Site) or party.owner in (None, owner))

    def _visible(self, party: Owner | Site | TrustDomain | DeviceClass) -> bool:
        """Owners are tenants: those of others are told of as if they were not there."""
        return not isinstance(party, Owner) or any(area.owner in (None, party.id) for area in self.scope.areas)


def understood(record: Record, known: Parties, ids: Callable[[], UUID]) -> Register | Unclear:
    """The command to register this device, its id made here."""
    try:
        return _register(record.cells, known, ids())
    except UnclearError as error:
        return error.unclear


def _register(cells: dict[str, Any], known: Parties, id: UUID) -> Register:
    texts = {name: _text(name, cells[name]) for name in _TEXTS if name in cells}
    owner = _party(cells, known, Owner, "owner")
    return Register(
        id=id,
        roots=tuple(_roots(cells)),
        state=_state(cells.get("state", "manufactured")),
        owner=owner,
        site=_party(cells, known, Site, "site", owner),
        trust_domain=_party(cells, known, TrustDomain, "trust_domain"),
        device_class=_party(cells, known, DeviceClass, "device_class"),
        maker=texts.get("maker"),
        model=texts.get("model"),
        serial=texts.get("serial"),
        name=texts.get("name"),
    )


def _party(cells: dict[str, Any], known: Parties, kind: type[P], name: str, owner: UUID | None = None) -> UUID | None:
    return known.find(kind, _text(name, cells[name]), owner) if name in cells else None


def _state(value: Any) -> DeviceState:
    try:
        return _STATES[value.lower()]
    except (KeyError, AttributeError):
        raise UnclearError(f"{value!r} is no state of a device", "write manufactured, claimed, active, retired or lost") from None


def _text(name: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # a serial that a writer of JSON took for a number
    if not isinstance(value, str):
        raise UnclearError(f"{name} is no text", "write it as a text")
    if len(value) > LONGEST or not value.isprintable():
        raise UnclearError(
            f"{name} is longer than {LONGEST} characters, or holds control characters", "write it in one short line"
        )
    return value.strip()


def _roots(cells: dict[str, Any]) -> Iterator[HardwareRoot]:
    """Digests of the column or member named by a kind of root; several stand with blanks between, or in a list."""
    for name, kind in _KINDS:
        if (value := cells.get(name)) is None:
            continue
        for text in value if isinstance(value, list) else str(value).split():
            try:
                spki = bytes.fromhex(text)
            except (ValueError, TypeError):
                spki = b""
            if len(spki) != 32:
                raise UnclearError(
                    f"{name} is no SHA-256 of a public key", "write SHA-256 of the SubjectPublicKeyInfo, 64 hex digits"
                )
            yield HardwareRoot(kind, spki)
