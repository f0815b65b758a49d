"""Makes the list of devices: the casts of all cases, healthy ones around them, in an order that shows neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tenure.demo.cases import Case, Role
from tenure.demo.chance import Chance
from tenure.demo.fleet import ALWAYS, FAMILIES, FAR_SITE, SITES, Certificate, Device, Family, Token
from tenure.errors import TenureError

HEALTHY = 2 * len(SITES) + len(FAMILIES)
"""With fewer healthy devices, places would be without a gateway about which there is no story."""

_FAR_FAMILIES = ("gateway", "controller", "sensor")  # the others would show that place to a log that is exported


def roster(chance: Chance, size: int, cases: Sequence[Case]) -> tuple[Device, ...]:
    """The devices of a fleet of ``size`` registered devices; unregistered ones come on top. Raises TenureError for too few."""
    if size < (least := fewest(cases)):
        raise TenureError(f"a fleet of {size} devices has no room for all cases", f"make it of {least} devices or more")
    wanted = [(case, member, role) for case in cases for member, role in enumerate(case.cast)]
    healthy = list(_healthy(chance, size - least + HEALTHY))
    everybody: list[tuple[Case | None, int, Role]] = [*wanted, *((None, number, role) for number, role in enumerate(healthy))]
    order = sorted(range(len(everybody)), key=lambda at: chance.octets(8, "order", at))
    numbers: Counter[str] = Counter()
    made: dict[int, Device] = {}
    for at in order:
        case, member, role = everybody[at]
        numbers[role.family] += 1
        made[at] = _device(chance, role, numbers[role.family], case.id if case else "", member)
    _shared_fields(everybody, made)
    return tuple(_behind_gateways(chance, [made[at] for at in order]))


def fewest(cases: Sequence[Case]) -> int:
    """How many devices a fleet must have to hold these cases."""
    return HEALTHY + sum(bool(role.changes.get("registered", True)) for case in cases for role in case.cast)


def _healthy(chance: Chance, count: int) -> Iterator[Role]:
    """So many healthy devices: a gateway for each place first, then families by their share."""
    for site in (*SITES, FAR_SITE):
        yield Role("gateway", {"site": site})
    weights = [family.id for family in FAMILIES.values() for _ in range(family.share)]
    for number in range(count - len(SITES) - 1):
        family = weights[number * 37 % len(weights)]
        far = family in _FAR_FAMILIES and chance.below(14, "far", number) == 0
        yield Role(family, {"site": FAR_SITE} if far else {})


def _device(chance: Chance, role: Role, number: int, case: str, member: int) -> Device:
    family = FAMILIES[role.family]
    label = f"{family.id} {number}"
    site = str(role.changes.get("site") or chance.pick(SITES, "site", label))
    serial = family.serial.format(_scattered(chance, 90_000_000, number, "serial", family.id) + 5_000_000)
    octets = _scattered(chance, 1 << 24, number, "mac", family.id).to_bytes(3, "big")
    mac = ":".join((family.oui, *(f"{octet:02x}" for octet in octets)))
    name = f"{family.prefix}-{site}-{number:03d}"
    device = Device(
        family=family,
        name=name,
        serial=serial,
        mac=mac,
        site=site,
        client=f"{family.prefix}-{serial}" if family.cloud else name,
        case=case,
        member=member,
        installed=float(chance.below(900, "installed", label) + 410),
        owner=family.owner,
        domain=family.domain,
        discovered=family.id != "sensor" or chance.below(2, "discovered", label) == 0,
        **_credentials(chance, family, site, label),
    )
    if case:  # what a case does not tell of must not blur it
        device = replace(device, tls13=False, psk=False, birth=False)
    return replace(device, **role.changes)


def _scattered(chance: Chance, limit: int, number: int, *label: object) -> int:
    """The place of a number in a shuffled range. No two share one: the factor has no divisor in common with the limits."""
    return (number * 37_954_561 + chance.below(limit, *label)) % limit


def _credentials(chance: Chance, family: Family, site: str, label: str) -> dict[str, Any]:
    """What a healthy device of a family holds."""
    age = chance.between(0, 1, "age", label)
    match family.id:
        case "gateway":
            return {
                "certificates": _renewed(20 + 280 * age, 397, used=site != FAR_SITE),
                "birth": chance.below(2, "birth", label) == 0,
                "tls13": chance.below(8, "tls13", label) == 0,
            }
        case "thermostat":
            return {"certificates": _renewed(8 + 240 * age, 365)}
        case "controller":
            return {
                "tokens": (Token(20 + 300 * age, -60 - 300 * (1 - age), chance.between(0.1, 2, "token", label)),),
                "logs_in": ALWAYS if site != FAR_SITE else (),
                "ssh_key": "own",
            }
        case "sensor":
            return {"psk": chance.below(3, "psk", label) == 0}
        case "camera":
            return {"certificates": (Certificate(30 + 370 * age, 1095),)}
        case _:
            return {"certificates": (Certificate(170 + 30 * age, 300),)}


def _renewed(issued: float, days: float, *, used: bool = True) -> tuple[Certificate, ...]:
    """The certificate of today and, where the logs reach back behind its issue, the one before: revoked after the renewal."""
    current = Certificate(issued, days, used=ALWAYS if used else (), key="new")
    if issued > 178 or not used:
        return (current,)
    before = Certificate(issued + 330, 397, ((180, issued),), "before", revoked=max(issued - 2, 0.5), status="INACTIVE")
    return (before, current)


def _shared_fields(everybody: Sequence[tuple[Case | None, int, Role]], made: dict[int, Device]) -> None:
    """Gives the fields that a role has in common with the first of its cast."""
    first = {case.id: made[at] for at, (case, member, _) in enumerate(everybody) if case is not None and member == 0}
    for at, (case, _, role) in enumerate(everybody):
        if case is not None and role.same:
            made[at] = replace(made[at], **{name: getattr(first[case.id], name) for name in role.same})


def _behind_gateways(chance: Chance, devices: Sequence[Device]) -> Iterator[Device]:
    """Sensors speak through a healthy gateway of their place."""
    gateways: dict[str, list[str]] = {}
    for device in devices:
        if device.family.id == "gateway" and not device.case:
            gateways.setdefault(device.site, []).append(device.serial)
    for device in devices:
        vouching = device.family.id == "sensor" and chance.pick(sorted(gateways[device.site]), "gateway", device.name)
        yield replace(device, gateway=vouching) if vouching else device
