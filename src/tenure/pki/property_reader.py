"""The first reader of certificates: pyca/cryptography, property by property. Slow, and the arbiter of what can be read.

Every property is asked for by itself, so that one that raises costs its own column and no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from tenure.model.identifiers import serial_hex
from tenure.pki import algorithms, general_names
from tenure.pki.dissection import dissect
from tenure.pki.extensions import COLUMNS as EXTENSION_COLUMNS
from tenure.pki.facts import ReadingProblem

RAISED: Final = "field-raised"
_T = TypeVar("_T")
GROUPS: Final[dict[str, frozenset[str]]] = {
    "subject": frozenset({"subject", "subject_cn", "subject_serial", "subject_o"}),
    "issuer": frozenset({"issuer"}),
    "key_algorithm": frozenset({"key_algorithm", "key_bits", "key_curve", "key_exponent"}),
    "extensions": frozenset(EXTENSION_COLUMNS),
}
"""Columns that one property of the library stands behind; any other column stands for itself."""

_USAGES: Final = (
    ("digital_signature", "digitalSignature"), ("content_commitment", "nonRepudiation"),
    ("key_encipherment", "keyEncipherment"), ("data_encipherment", "dataEncipherment"), ("key_agreement", "keyAgreement"),
    ("key_cert_sign", "keyCertSign"), ("crl_sign", "cRLSign"), ("_encipher_only", "encipherOnly"),
    ("_decipher_only", "decipherOnly"),
)  # fmt: skip


class _Reading:
    """Columns read so far, and the problems met."""

    def __init__(self) -> None:
        self.columns: dict[str, Any] = {}
        self.problems: list[ReadingProblem] = []

    def attempt(self, field: str, read: Callable[[], _T]) -> _T | None:
        try:
            return read()
        except Exception as error:  # noqa: BLE001 - the library raises what it likes on odd input; here it becomes a problem
            self.problems.append(ReadingProblem(field, f"{type(error).__name__}: {error}", RAISED))
            return None


def read(certificate: x509.Certificate) -> tuple[dict[str, Any], list[ReadingProblem]]:
    """The columns of the evidence as the library tells them (missing where it raised), and a problem for each raise."""
    reading = _Reading()
    columns, attempt = reading.columns, reading.attempt
    encoded = certificate.public_bytes(Encoding.DER)
    columns["sha256"] = hashlib.sha256(encoded).digest()
    columns["der"] = encoded
    columns["version"] = attempt("version", lambda: certificate.version.value + 1)
    columns["serial_hex"] = attempt("serial_hex", lambda: serial_hex(certificate.serial_number))
    columns["not_before"] = attempt("not_before", lambda: certificate.not_valid_before_utc)
    columns["not_after"] = attempt("not_after", lambda: certificate.not_valid_after_utc)
    columns["signature_algorithm"] = attempt("signature_algorithm", lambda: certificate.signature_algorithm_oid.dotted_string)
    columns["signature_hash"] = attempt("signature_hash", lambda: _hash_name(certificate))
    _names(certificate, encoded, reading)
    if (key := attempt("key_algorithm", lambda: _key(certificate))) is not None:
        columns.update(key)
    if (found := attempt("extensions", lambda: certificate.extensions)) is not None:
        columns.update(_extension_columns(found))
        if columns["is_ca"] is None and not (columns["version"] == 1 and columns["self_issued"]):
            columns["is_ca"] = False
    return columns, reading.problems


def _names(certificate: x509.Certificate, encoded: bytes, reading: _Reading) -> None:
    """Text by the library; hashes from the bytes, which it gives out for no name or key it cannot read."""
    columns = reading.columns
    parts = dissect(encoded)
    columns["issuer_sha256"] = hashlib.sha256(parts.issuer).digest()
    columns["subject_sha256"] = hashlib.sha256(parts.subject).digest()
    columns["spki_sha256"] = hashlib.sha256(parts.spki).digest()
    columns["self_issued"] = parts.issuer == parts.subject
    if (issuer := reading.attempt("issuer", lambda: certificate.issuer)) is not None:
        columns["issuer"] = issuer.rfc4514_string()
    if (subject := reading.attempt("subject", lambda: certificate.subject)) is not None:
        columns["subject"] = subject.rfc4514_string()
        columns["subject_cn"] = _last(subject, NameOID.COMMON_NAME)
        columns["subject_serial"] = _last(subject, NameOID.SERIAL_NUMBER)
        columns["subject_o"] = _last(subject, NameOID.ORGANIZATION_NAME)


def _last(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    found = name.get_attributes_for_oid(oid)
    return str(found[-1].value) if found else None


def _hash_name(certificate: x509.Certificate) -> str | None:
    """The library's word, and ours for hashes so old that it has none."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return algorithms.SIGNATURE_HASH.get(certificate.signature_algorithm_oid.dotted_string)
    return None if algorithm is None else algorithm.name


def _key(certificate: x509.Certificate) -> dict[str, Any]:
    """A key of a kind the library does not know is no problem: its kind is told by its object identifier."""
    oid = certificate.public_key_algorithm_oid.dotted_string
    word = algorithms.KEY_ALGORITHM.get(oid, oid)
    columns: dict[str, Any] = {
        "key_algorithm": word, "key_bits": algorithms.FIXED_KEY_BITS.get(word), "key_curve": None, "key_exponent": None,
    }  # fmt: skip
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        return {"key_algorithm": word}
    if isinstance(key, rsa.RSAPublicKey):
        columns |= {"key_bits": key.key_size, "key_exponent": str(key.public_numbers().e)}
    elif isinstance(key, ec.EllipticCurvePublicKey):
        columns |= {"key_bits": key.key_size, "key_curve": key.curve.name}
    elif isinstance(key, dsa.DSAPublicKey):
        columns |= {"key_bits": key.key_size}
    return columns


def _extension_columns(found: x509.Extensions) -> dict[str, Any]:
    columns: dict[str, Any] = dict.fromkeys(EXTENSION_COLUMNS)
    for extension in found:
        value = extension.value
        if isinstance(value, x509.BasicConstraints):
            columns |= {"is_ca": value.ca, "path_length": value.path_length}
        elif isinstance(value, x509.KeyUsage):
            columns["key_usage"] = " ".join(word for attribute, word in _USAGES if getattr(value, attribute))
        elif isinstance(value, x509.ExtendedKeyUsage):
            columns["extended_key_usage"] = " ".join(oid.dotted_string for oid in value)
        elif isinstance(value, x509.SubjectKeyIdentifier):
            columns["subject_key_id"] = value.digest
        elif isinstance(value, x509.AuthorityKeyIdentifier):
            columns["authority_key_id"] = value.key_identifier
        elif isinstance(value, x509.SubjectAlternativeName):
            columns["subject_alt_names"] = "\n".join(_line(name) for name in value)
            columns["hardware_module_serial"] = _hardware_serial(value)
        elif isinstance(value, x509.CRLDistributionPoints):
            names = (name for point in value for name in point.full_name or ())
            columns["crl_urls"] = _uris(names)
        elif isinstance(value, x509.AuthorityInformationAccess):
            columns["ocsp_urls"] = _uris(
                a.access_location for a in value if a.access_method == AuthorityInformationAccessOID.OCSP
            )
    return columns


def _uris(names: Iterable[x509.GeneralName]) -> str | None:
    return "\n".join(general_names.line("", n.value) for n in names if isinstance(n, x509.UniformResourceIdentifier)) or None


def _line(name: x509.GeneralName) -> str:
    if isinstance(name, x509.DirectoryName):
        return general_names.line("dirname:", name.value.rfc4514_string())
    if isinstance(name, x509.RegisteredID):
        return f"rid:{name.value.dotted_string}"
    if isinstance(name, x509.OtherName):
        return f"other:{name.type_id.dotted_string}"
    kind = {x509.DNSName: "dns:", x509.UniformResourceIdentifier: "uri:", x509.RFC822Name: "email:", x509.IPAddress: "ip:"}[
        type(name)
    ]
    return general_names.line(kind, str(name.value))


def _hardware_serial(names: x509.SubjectAlternativeName) -> str | None:
    for name in names:
        if isinstance(name, x509.OtherName) and name.type_id.dotted_string == general_names.HARDWARE_MODULE:
            serial = general_names.hardware_serial(name.value)
            if serial is not None:
                return serial
    return None
