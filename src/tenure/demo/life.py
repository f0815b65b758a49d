"""The fleet as it is written to exports: devices, the certificates issued to them, and when each connected where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenure.demo.authority import Authorities, Issued
from tenure.demo.cases import Case
from tenure.demo.chance import Chance
from tenure.demo.fleet import FAR_SITE, LOG_DAYS, SITES, Certificate, Device, Token, Visit, Windows
from tenure.demo.roster import roster

BROKER = "mqtt.example.com"
BROKER_ADDRESS = "10.0.0.5"
TLS_PORT, PLAIN_PORT = 8883, 1883


@dataclass(frozen=True, slots=True)
class Session:
    """One connection as those saw it who had it. ``ended`` None: still open at the as-of time."""

    device: Device
    started: datetime
    ended: datetime | None
    address: str
    port: int
    client: str
    user: str  # empty: named itself by client id only
    certificate: Issued | None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """Everything the exports tell of."""

    chance: Chance
    as_of: datetime
    cases: tuple[Case, ...]
    devices: tuple[Device, ...]
    authorities: Authorities
    issued: dict[tuple[str, str, str], Issued]  # by serial of the device, its case, and label of the certificate
    births: dict[str, Issued]  # by serial of the device
    server: Issued  # the broker's own
    broker: tuple[Session, ...]
    cloud: tuple[Session, ...]

    def moment(self, ago: float) -> datetime:
        return self.authorities.moment(ago)

    def of(self, device: Device, label: str) -> Issued:
        return self.issued[device.serial, device.case, label]

    def certificates(self, device: Device) -> list[Issued]:
        return [self.of(device, plan.label) for plan in device.certificates]

    def issued_by(self, authority: str) -> list[Issued]:
        """What an authority issued, in order of time; what it did not write down, too."""
        found = [issued for issued in (*self.issued.values(), self.server) if issued.authority == authority]
        return sorted(found, key=lambda i: (i.certificate.not_valid_before_utc, i.sha256))

    def token_id(self, device: Device, token: Token) -> str:
        return f"tok-{self.chance.octets(4, 'token id', device.name, device.case, token.label).hex()}"


def world(chance: Chance, size: int, as_of: datetime, cases: Sequence[Case]) -> World:
    """The fleet of a seed, as of a moment. Raises TenureError for a size that has no room for all cases."""
    devices = roster(chance, size, cases)
    authorities = Authorities(chance, as_of)
    issued = {(d.serial, d.case, plan.label): _issue(authorities, d, plan) for d in devices for plan in d.certificates}
    births = {
        d.serial: authorities.issue(
            Certificate(d.installed + 30, endless=True, label="birth"), "maker", f"{d.family.model} {d.serial}", d.serial,
            f"{d.serial} birth",
        )
        for d in devices if d.birth
    }  # fmt: skip
    server = authorities.issue(Certificate(60, label="server"), "operations", BROKER, "", "broker", server=True)
    sessions = [s for d in devices for s in _sessions(chance, authorities, d, issued)]
    sessions.sort(key=lambda s: (s.started, s.client, s.port))
    return World(
        chance, as_of, tuple(cases), devices, authorities, issued, births, server,
        broker=tuple(s for s in sessions if not s.device.family.cloud),
        cloud=tuple(s for s in sessions if s.device.family.cloud),
    )  # fmt: skip


def _issue(authorities: Authorities, device: Device, plan: Certificate) -> Issued:
    """Cloud certificates name the thing, all others the device and its serial."""
    key = plan.key if plan.key.startswith("shared") else f"{device.serial} {device.case} {plan.key}"
    serial = "" if device.family.cloud else device.serial
    cn = device.client if device.family.cloud else device.name
    return authorities.issue(plan, plan.authority or device.family.authority, cn, serial, key)


def _sessions(
    chance: Chance, authorities: Authorities, device: Device, issued: dict[tuple[str, str, str], Issued]
) -> Iterator[Session]:
    """All connections of a device within the time of the logs."""
    for plan in device.certificates:
        certificate = issued[device.serial, device.case, plan.label]
        for visit in _rhythm(chance, device, plan.used, min(plan.issued, LOG_DAYS), plan.label):
            yield _session(chance, authorities, device, visit, certificate)
    for visit in _rhythm(chance, device, device.logs_in, LOG_DAYS, "password"):
        yield _session(chance, authorities, device, visit, None)
    for visit in device.visits:
        own = issued[device.serial, device.case, visit.certificate] if visit.certificate else None
        yield _session(chance, authorities, device, visit, own)


def _rhythm(chance: Chance, device: Device, windows: Windows, earliest: float, label: str) -> Iterator[Visit]:
    """Connections of some days each with short breaks between them, all within the windows."""
    for number, (start, end) in enumerate(windows):
        ago, turn = min(start, earliest) - chance.between(0.05, 1.5, "start", device.name, label, number), 0
        while ago > end + 0.02:
            days = min(chance.between(2, 9, "length", device.name, label, number, turn), ago - end)
            yield Visit(ago, (days - 0.01) * 1440 if end or days < ago else float("inf"))
            ago -= days + chance.between(0.01, 0.8, "break", device.name, label, number, turn)
            turn += 1


def _session(chance: Chance, authorities: Authorities, device: Device, visit: Visit, certificate: Issued | None) -> Session:
    started = authorities.moment(visit.ago)
    lasting = visit.minutes != float("inf")
    return Session(
        device=device,
        started=started,
        ended=started + timedelta(minutes=visit.minutes) if lasting else None,
        address=visit.address or address_of(chance, device, visit.ago),
        port=32_768 + chance.below(28_000, "port", device.serial, device.case, visit.ago),
        client=f"{device.client}-{visit.client}" if visit.client else device.client,
        user="" if device.anonymous else device.name,
        certificate=certificate,
        refusal=visit.refusal,
    )


def address_of(chance: Chance, device: Device, ago: float) -> str:
    """The address a device has at a time: of its place's network, or of the place's line to the cloud."""
    place = (*SITES, FAR_SITE).index(device.site)
    if device.family.cloud:
        return f"203.0.113.{10 + place}"
    lease = next((name for since, name in reversed(device.leases) if ago <= since), f"{device.name} {device.serial}")
    high, low = chance.octets(2, "address", lease)
    return f"10.{20 + place}.{high}.{1 + low % 254}"
