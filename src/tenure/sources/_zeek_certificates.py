"""Certificates as Zeek's x509.log tells them: the columns of the evidence that the log knows, in the evidence's words.

Where the log carries the certificate itself (policy ``log-certs-base64``) it is read as any other. Else the row is written
with reader ``log``: no key digest, no extensions but basicConstraints and the names, no bytes to check a signature with.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any, Final

from tenure.evidence.certificates import CertificateRecorder
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.identifiers import serial_hex_text
from tenure.pki import algorithms
from tenure.sources import _openssl_names
from tenure.sources._zeek_rows import Row, flag, instant, number, text, texts

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_SIGNATURES: Final = {
    "md2WithRSAEncryption": "1.2.840.113549.1.1.2", "md4WithRSAEncryption": "1.2.840.113549.1.1.3",
    "md5WithRSAEncryption": "1.2.840.113549.1.1.4", "sha1WithRSAEncryption": "1.2.840.113549.1.1.5",
    "sha1WithRSA": "1.3.14.3.2.29", "md5WithRSA": "1.3.14.3.2.3", "rsassaPss": "1.2.840.113549.1.1.10",
    "sha224WithRSAEncryption": "1.2.840.113549.1.1.14", "sha256WithRSAEncryption": "1.2.840.113549.1.1.11",
    "sha384WithRSAEncryption": "1.2.840.113549.1.1.12", "sha512WithRSAEncryption": "1.2.840.113549.1.1.13",
    "ecdsa-with-SHA1": "1.2.840.10045.4.1", "ecdsa-with-SHA224": "1.2.840.10045.4.3.1",
    "ecdsa-with-SHA256": "1.2.840.10045.4.3.2", "ecdsa-with-SHA384": "1.2.840.10045.4.3.3",
    "ecdsa-with-SHA512": "1.2.840.10045.4.3.4", "dsaWithSHA1": "1.2.840.10040.4.3", "dsaWithSHA": "1.3.14.3.2.13",
    "dsaWithSHA1-old": "1.3.14.3.2.27", "dsa_with_SHA224": "2.16.840.1.101.3.4.3.1", "dsa_with_SHA256": "2.16.840.1.101.3.4.3.2",
    "dsa_with_SHA384": "2.16.840.1.101.3.4.3.3", "dsa_with_SHA512": "2.16.840.1.101.3.4.3.4", "ED25519": "1.3.101.112",
    "ED448": "1.3.101.113", "ML-DSA-44": "2.16.840.1.101.3.4.3.17", "ML-DSA-65": "2.16.840.1.101.3.4.3.18",
    "ML-DSA-87": "2.16.840.1.101.3.4.3.19", "RSA-SHA3-224": "2.16.840.1.101.3.4.3.13",
    "RSA-SHA3-256": "2.16.840.1.101.3.4.3.14", "RSA-SHA3-384": "2.16.840.1.101.3.4.3.15",
    "RSA-SHA3-512": "2.16.840.1.101.3.4.3.16", "ecdsa_with_SHA3-224": "2.16.840.1.101.3.4.3.9",
    "ecdsa_with_SHA3-256": "2.16.840.1.101.3.4.3.10", "ecdsa_with_SHA3-384": "2.16.840.1.101.3.4.3.11",
    "ecdsa_with_SHA3-512": "2.16.840.1.101.3.4.3.12",
}  # fmt: skip
"""Signature algorithms by the names OpenSSL gives them."""
_KEYS: Final = {
    "rsaEncryption": "rsa", "rsassaPss": "rsa", "id-ecPublicKey": "ec", "dsaEncryption": "dsa", "dsaEncryption-old": "dsa",
    "dhKeyAgreement": "dh", "X9.42 DH": "dh", "ED25519": "ed25519", "ED448": "ed448", "X25519": "x25519", "X448": "x448",
    "ML-DSA-44": "2.16.840.1.101.3.4.3.17", "ML-DSA-65": "2.16.840.1.101.3.4.3.18", "ML-DSA-87": "2.16.840.1.101.3.4.3.19",
}  # fmt: skip
_TYPES: Final = {"rsa": "rsa", "dsa": "dsa", "ecdsa": "ec"}
_CURVES: Final = {"prime256v1": "secp256r1", "prime192v1": "secp192r1"} | {n: n for n, _ in algorithms.CURVE.values()}

Tell = Callable[[int, str, str, str], None]


class ZeekCertificates:
    """Takes rows of x509.log, writes each certificate once, and remembers which digest or name a file id stood for."""

    def __init__(self, draft: SnapshotDraft) -> None:
        self._draft = draft
        self._recorder = CertificateRecorder(draft)
        self._known: set[bytes] = set()
        self._recorded = False
        self.by_file_id: dict[str, bytes | str] = {}  # digest, or the subject where no digest is known
        self.named: set[tuple[str, str]] = set()  # issuer and serial
        self.unidentified = 0

    def take(self, row: Row, file: str, line: int, digests: dict[str, bytes], tell: Tell) -> None:
        """One row. ``digests`` are SHA-256s by file id from files.log; ``tell`` takes problems (line, code, reason, text)."""
        file_id = text(row, "id")
        fingerprint = text(row, "fingerprint") or ""
        subject, issuer = self._name(row, "subject", line, tell), self._name(row, "issuer", line, tell)
        if issuer and (serial := serial_hex_text(text(row, "certificate.serial") or "")):
            self.named.add((issuer.text, serial))
        digest = self._digest(row, f"{file}#{line}", fingerprint, digests.get(file_id or ""), line, tell)
        if file_id:
            self.by_file_id[file_id] = digest or (subject.common_name or subject.text if subject else "")
        if digest is None:
            self.unidentified += 1
        elif digest not in self._known:
            self._known.add(digest)
            columns = _columns(row, subject, issuer, line, tell)
            self._draft.add("certificate", sha256=digest, reader="log", origin=f"{file}#{line}", **columns)

    def close(self) -> None:
        if self._recorded:
            self._recorder.verify_edges()

    def _digest(self, row: Row, origin: str, fingerprint: str, from_files: bytes | None, line: int, tell: Tell) -> bytes | None:
        """The certificate's SHA-256. Writes the certificate itself, where the row carries it."""
        if encoded := text(row, "cert"):
            try:
                der = base64.b64decode(encoded, validate=True)
            except ValueError:  # binascii.Error is one
                tell(line, "bad-base64", "the certificate in field cert is not base64", encoded)
            else:
                digest = hashlib.sha256(der).digest()
                if digest not in self._known:
                    self._known.add(digest)
                    self._recorded = True
                    self._recorder.add(der, origin)
                return digest
        if _SHA256.fullmatch(fingerprint):
            return bytes.fromhex(fingerprint)
        return from_files

    def _name(self, row: Row, which: str, line: int, tell: Tell) -> _openssl_names.Name | None:
        written = text(row, f"certificate.{which}")
        if written is None:
            return None
        name = _openssl_names.read(written)
        if name is None:
            tell(line, "bad-name", f"the {which} is no name that can be read, or has an attribute of unknown name", written)
        return name


def _columns(
    row: Row, subject: _openssl_names.Name | None, issuer: _openssl_names.Name | None, line: int, tell: Tell
) -> dict[str, Any]:
    version = number(row, "certificate.version")
    authority = flag(row, "basic_constraints.ca")
    self_issued = subject is not None and issuer is not None and subject.text == issuer.text
    if authority is None and not (self_issued and version == 1):
        authority = False
    serial = text(row, "certificate.serial")
    columns: dict[str, Any] = {
        "version": version,
        "serial_hex": serial_hex_text(serial) if serial else None,
        "is_ca": authority,
        "path_length": number(row, "basic_constraints.path_len"),
        "self_issued": self_issued if subject and issuer else None,
        "key_exponent": text(row, "certificate.exponent"),
        "subject_alt_names": _alternative_names(row),
    }
    if subject:
        columns |= {
            "subject": subject.text, "subject_cn": subject.common_name, "subject_serial": subject.serial,
            "subject_o": subject.organisation,
        }  # fmt: skip
    if issuer:
        columns["issuer"] = issuer.text
    for column, field in (("not_before", "certificate.not_valid_before"), ("not_after", "certificate.not_valid_after")):
        columns[column] = instant(row, field)
        if columns[column] is None and row.get(field) is not None:
            tell(line, "bad-time", f"{field} is no time", str(row[field]))
    return columns | _key(row, line, tell) | _signature(row, line, tell)


def _key(row: Row, line: int, tell: Tell) -> dict[str, Any]:
    named, kind = text(row, "certificate.key_alg") or "", text(row, "certificate.key_type") or ""
    algorithm = _TYPES.get(kind) or _KEYS.get(named) or _KEYS.get(kind)
    if algorithm is None and (named or kind):
        tell(line, "unknown-algorithm", "the key's algorithm has no name that is known here", named or kind)
    curve = text(row, "certificate.curve")
    if curve and curve not in _CURVES:
        tell(line, "unknown-algorithm", "the key's curve has no name that is known here", curve)
    bits = algorithms.FIXED_KEY_BITS.get(algorithm or "")
    if bits is None and algorithm in ("rsa", "ec", "dsa", "dh"):
        bits = number(row, "certificate.key_length")
    return {"key_algorithm": algorithm, "key_bits": bits, "key_curve": _CURVES.get(curve or "")}


def _signature(row: Row, line: int, tell: Tell) -> dict[str, Any]:
    named = text(row, "certificate.sig_alg")
    if not named:
        return {}
    oid = _SIGNATURES.get(named) or (named if re.fullmatch(r"\d+(?:\.\d+)+", named) else None)
    if oid is None:
        tell(line, "unknown-algorithm", "the signature's algorithm has no name that is known here", named)
    return {"signature_algorithm": oid, "signature_hash": algorithms.SIGNATURE_HASH.get(oid or "")}


def _alternative_names(row: Row) -> str | None:
    found = [
        f"{kind}:{value}"
        for kind, field in (("dns", "san.dns"), ("uri", "san.uri"), ("email", "san.email"), ("ip", "san.ip"))
        for value in texts(row, field)
    ]
    return "\n".join(found) or None
