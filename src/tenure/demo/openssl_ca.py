"""The Operations CA of the example fleet as the folder that ``openssl ca`` keeps: index, issued certificates, CRL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tenure.demo.authority import Issued
from tenure.demo.life import World

AUTHORITY = "operations"
CRL_MADE = 0.25


def files(world: World) -> Iterator[tuple[str, bytes]]:
    recorded = [issued for issued in world.issued_by(AUTHORITY) if issued.plan.listed]
    for issued in recorded:
        yield f"ca/newcerts/{_serial(issued)}.pem", issued.pem
    yield "ca/index.txt", "".join(_line(world, issued) for issued in recorded).encode()
    yield "ca/index.txt.attr", b"unique_subject = no\n"
    yield "ca/crlnumber", b"1F4A\n"
    yield "ca/crl.pem", world.authorities.crl(AUTHORITY, recorded, CRL_MADE)
    yield "ca/issuing.pem", world.authorities[AUTHORITY].pem
    yield "ca/ca.pem", world.authorities["root-g2"].pem


def _line(world: World, issued: Issued) -> str:
    """One line of the index. What ended since the last ``openssl ca -updatedb``, a month ago, still says V."""
    ends, revoked_at = issued.certificate.not_valid_after_utc, world.authorities.revoked_at(issued)
    letter = "R" if revoked_at is not None else "E" if ends < world.moment(30) else "V"
    revoked = "" if revoked_at is None else f"{_time(revoked_at)},{issued.plan.reason}"
    parts = (f"/{name}={value}" for name, value in _subject(issued))
    return "\t".join((letter, _time(ends), revoked, _serial(issued), "unknown", "".join(parts))) + "\n"


def _subject(issued: Issued) -> Iterator[tuple[str, str]]:
    short = {"2.5.4.10": "O", "2.5.4.5": "serialNumber", "2.5.4.3": "CN"}
    for attribute in issued.certificate.subject:
        yield short[attribute.oid.dotted_string], str(attribute.value)


def _serial(issued: Issued) -> str:
    return f"{issued.certificate.serial_number:030X}"


def _time(moment: datetime) -> str:
    """UTCTime, as the index writes times before 2050."""
    return f"{moment:%y%m%d%H%M%SZ}"
