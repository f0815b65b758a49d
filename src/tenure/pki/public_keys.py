"""Public keys: what a SubjectPublicKeyInfo says of algorithm, size and curve, without asking whether the key is sound. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from tenure.pki import algorithms, der
from tenure.pki.der import DerError
from tenure.pki.remembering import remembering


class KeyFacts(NamedTuple):
    algorithm: str | None
    bits: int | None
    curve: str | None
    exponent: str | None


_RSA_2048_BYTES: Final = 294
_RSA_2048_HEAD: Final = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f003082010a0282010100")
_F4: Final = bytes.fromhex("0203010001")
_RSA_2048: Final = KeyFacts("rsa", 2048, None, "65537")
_P256_BYTES: Final = 91
_P256_HEAD: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200" + "04")
_PRIME: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_P256: Final = KeyFacts("ec", 256, "secp256r1", None)


def read(spki: bytes) -> KeyFacts:
    """What a SubjectPublicKeyInfo (a whole SEQUENCE) says. Raises DerError where it cannot be read."""
    if len(spki) == _RSA_2048_BYTES and spki[:33] == _RSA_2048_HEAD and spki[33] >= 0x80 and spki[289:] == _F4:
        return _RSA_2048
    if len(spki) == _P256_BYTES and spki[:27] == _P256_HEAD:
        return _P256
    tag, at, end = der.loose_header(spki, 0, len(spki))
    if tag != der.SEQUENCE:
        raise DerError(f"a public key has tag 0x{tag:02X}")
    tag, _, stop = der.loose_header(spki, at, end)
    if tag != der.SEQUENCE:
        raise DerError("a public key has no algorithm")
    algorithm, size, curve = _algorithm(spki[at:stop])
    tag, start, stop = der.loose_header(spki, stop, end)
    if tag != der.BIT_STRING or start == stop:
        raise DerError("a public key has no key")
    if algorithm != "rsa":
        return KeyFacts(algorithm, size, curve, None)
    tag, start, stop = der.loose_header(spki, start + 1, stop)
    tag, first, second = der.loose_header(spki, start, stop)
    modulus = int.from_bytes(spki[first:second], "big", signed=True)
    tag, first, second = der.loose_header(spki, second, stop)
    exponent = int.from_bytes(spki[first:second], "big", signed=True)
    if second - first > 1024:
        raise DerError("an RSA exponent is longer than any key")
    return KeyFacts(algorithm, modulus.bit_length(), None, str(exponent))


def on_p256(spki: bytes) -> bool:
    """Whether this is a P-256 key in the usual form whose point lies on the curve (SEC 1, 3.2.2.1); False for any other key.

    The one thing that can be wrong with such a key, and a fifth of what it costs to let the library make a key of it.
    """
    if len(spki) != _P256_BYTES or spki[:27] != _P256_HEAD:
        return False
    x, y = int.from_bytes(spki[27:59], "big"), int.from_bytes(spki[59:], "big")
    return x < _PRIME and y < _PRIME and (y * y - (x * x - 3) * x - _B) % _PRIME == 0


@remembering(1024)
def _algorithm(encoded: bytes) -> tuple[str, int | None, str | None]:
    """Word for the algorithm, and size and curve where the parameters tell them."""
    _, at, end = der.loose_header(encoded, 0, len(encoded))
    start, stop = der.expect(encoded, at, end, der.OID, "an algorithm")
    identifier = der.oid(encoded[start:stop])
    word = algorithms.KEY_ALGORITHM.get(identifier, identifier)
    if word in algorithms.FIXED_KEY_BITS or stop == end:
        return word, algorithms.FIXED_KEY_BITS.get(word), None
    tag, start, stop = der.loose_header(encoded, stop, end)
    if word == "ec" and tag == der.OID:
        curve = der.oid(encoded[start:stop])
        name, bits = algorithms.CURVE.get(curve, (curve, None))
        return word, bits, name
    if word in ("dsa", "dh") and tag == der.SEQUENCE:
        _, first, last = der.loose_header(encoded, start, stop)
        return word, int.from_bytes(encoded[first:last], "big").bit_length(), None
    return word, None, None
