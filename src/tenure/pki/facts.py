"""What is known of one certificate after reading it: the columns of the evidence, and what went wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from tenure.errors import TenureError


class NoCertificateError(TenureError):
    """The bytes hold nothing that can be seen to be a certificate."""


@dataclass(frozen=True, slots=True)
class ReadingProblem:
    """Something in a certificate that could not be read, or that the library refused. ``field`` is a column's name."""

    field: str
    reason: str
    code: str  # der-refused | der-malformed | field-raised | trailing-bytes


class CertificateFacts(NamedTuple):
    """One certificate as read. Attributes but the last are the columns of the evidence table ``certificate``, in its order.

    A named tuple, since millions of them are made in a row. What they mean stands with the table. ``reader`` is ``full``
    where the library took the structure and every field, and ``partial`` where it refused either: then the fields are what
    the DER itself shows, None where it shows nothing.
    """

    sha256: bytes
    reader: str
    version: int | None
    serial_hex: str | None
    issuer: str | None
    issuer_sha256: bytes | None
    subject: str | None
    subject_sha256: bytes | None
    subject_cn: str | None
    subject_serial: str | None
    subject_o: str | None
    not_before: datetime | None
    not_after: datetime | None
    spki_sha256: bytes | None
    key_algorithm: str | None
    key_bits: int | None
    key_curve: str | None
    key_exponent: str | None
    signature_algorithm: str | None
    signature_hash: str | None
    is_ca: bool | None
    path_length: int | None
    key_usage: str | None
    extended_key_usage: str | None
    subject_alt_names: str | None
    subject_key_id: bytes | None
    authority_key_id: bytes | None
    crl_urls: str | None
    ocsp_urls: str | None
    hardware_module_serial: str | None
    self_issued: bool | None
    der: bytes
    problems: tuple[ReadingProblem, ...] = ()

    def row(self) -> tuple[object, ...]:
        """The columns alone, in the order of the table."""
        return self[:-1]


COLUMNS: Final = CertificateFacts._fields[:-1]
