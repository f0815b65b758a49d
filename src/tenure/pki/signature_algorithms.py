"""AlgorithmIdentifiers of signatures (RFC 5280 4.1.1.2, RFC 4055): which algorithm, which hash, which kind of key. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from tenure.pki import algorithms, der
from tenure.pki.der import DerError
from tenure.pki.remembering import remembering

_MGF1: Final = "1.2.840.113549.1.1.8"
_NIST: Final = "2.16.840.1.101.3.4.3."
_NIST_KEYS: Final[dict[int, str]] = (
    dict.fromkeys(range(1, 9), "dsa") | dict.fromkeys(range(9, 13), "ec") | dict.fromkeys(range(13, 17), "rsa")
)
_ML_DSA: Final[dict[int, str]] = {17: "ml-dsa-44", 18: "ml-dsa-65", 19: "ml-dsa-87"}


class SignatureAlgorithm(NamedTuple):
    oid: str
    hash_name: str | None
    pss: PssParameters | None


class PssParameters(NamedTuple):
    """RSASSA-PSS-params (RFC 4055 3.1) with its defaults filled in; None for a hash that is not known."""

    hash_name: str | None
    mask_hash_name: str | None
    salt_length: int


@remembering(1024)
def read(encoded: bytes) -> SignatureAlgorithm:
    """What a signature's AlgorithmIdentifier (a whole SEQUENCE) says. Raises DerError."""
    tag, at, end = der.loose_header(encoded, 0, len(encoded))
    if tag != der.SEQUENCE:
        raise DerError(f"an algorithm has tag 0x{tag:02X}")
    start, stop = der.expect(encoded, at, end, der.OID, "an algorithm")
    oid = der.oid(encoded[start:stop])
    if oid == algorithms.RSA_PSS:
        pss = _pss(encoded[stop:end])
        return SignatureAlgorithm(oid, pss.hash_name, pss)
    return SignatureAlgorithm(oid, algorithms.SIGNATURE_HASH.get(oid), None)


def key_kind(oid: str) -> str | None:
    """Which kind of key makes such signatures: rsa, ec, dsa, ed25519, ed448, ml-dsa-44 ...; None where it is not known."""
    if oid.startswith(_NIST):
        arc = oid.removeprefix(_NIST)
        number = int(arc) if arc.isdigit() else 0
        return _NIST_KEYS.get(number) or _ML_DSA.get(number)
    if oid.startswith(("1.2.840.113549.1.1.", "1.3.14.3.2.3", "1.3.14.3.2.29")):
        return "rsa"
    if oid.startswith("1.2.840.10045.4."):
        return "ec"
    if oid in ("1.2.840.10040.4.3", "1.3.14.3.2.27"):
        return "dsa"
    return {algorithms.ED25519: "ed25519", algorithms.ED448: "ed448"}.get(oid)


def _pss(encoded: bytes) -> PssParameters:
    inside = der.whole(encoded, der.SEQUENCE, "RSASSA-PSS-params")
    hash_name: str | None = "sha1"
    mask: str | None = "sha1"
    salt = 20
    for tag, _, start, stop in der.elements(inside, 0, len(inside)):
        content = inside[start:stop]
        if tag == 0xA0:
            hash_name = algorithms.DIGEST.get(_identifier(content)[0])
        elif tag == 0xA1:
            generator, parameters = _identifier(content)
            mask = algorithms.DIGEST.get(_identifier(parameters)[0]) if generator == _MGF1 else None
        elif tag == 0xA2:
            salt = der.integer(der.whole(content, der.INTEGER, "saltLength"))
    return PssParameters(hash_name, mask, salt)


def _identifier(encoded: bytes) -> tuple[str, bytes]:
    """Object identifier and parameters of an AlgorithmIdentifier."""
    inside = der.whole(encoded, der.SEQUENCE, "an algorithm")
    start, stop = der.expect(inside, 0, len(inside), der.OID, "an algorithm")
    return der.oid(inside[start:stop]), inside[stop:]
