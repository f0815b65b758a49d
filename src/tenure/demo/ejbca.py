"""The Cloud CA of the example fleet as EJBCA's table CertificateData."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime

from tenure.demo.authority import Issued
from tenure.demo.inventory import table
from tenure.demo.life import World

AUTHORITY = "cloud"
VALID, REVOKED = 20, 40
SUPERSEDED = 4
HEADER = (
    "fingerprint", "issuerDN", "subjectDN", "serialNumber", "status", "username", "notBefore", "expireDate", "revocationDate",
    "revocationReason", "base64Cert",
)  # fmt: skip


def files(world: World) -> Iterator[tuple[str, bytes]]:
    yield "issuance/ejbca-cloud-ca.csv", table(HEADER, (_row(world, issued) for issued in world.issued_by(AUTHORITY)))


def _row(world: World, issued: Issued) -> tuple[str, ...]:
    certificate, revoked = issued.certificate, world.authorities.revoked_at(issued)
    return (
        hashlib.sha1(issued.der, usedforsecurity=False).hexdigest(),  # EJBCA's own key of the row
        certificate.issuer.rfc4514_string(),
        certificate.subject.rfc4514_string(),
        str(certificate.serial_number),
        str(VALID if revoked is None else REVOKED),
        issued.cn,
        _milliseconds(certificate.not_valid_before_utc),
        _milliseconds(certificate.not_valid_after_utc),
        "-1" if revoked is None else _milliseconds(revoked),
        "-1" if revoked is None else str(SUPERSEDED),
        base64.b64encode(issued.der).decode(),
    )


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp()) * 1000)
