"""Public keys: the curve equation says of P-256 keys what the library says, and nothing of others."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from tenure.pki.public_keys import on_p256
from tests.pki import made

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
HEAD = made.spki(made.ec_key())[:27]


def loads(spki: bytes) -> bool:
    try:
        load_der_public_key(spki)
    except ValueError:
        return False
    return True


@given(st.integers(1, 2**255))
def test_points_on_the_curve(secret: int) -> None:
    spki = made.spki(ec.derive_private_key(secret, ec.SECP256R1()))
    assert on_p256(spki)
    assert loads(spki)


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1), st.integers(0, 511))
def test_any_other_point_is_what_the_library_says(x: int, y: int, bit: int) -> None:
    good = made.spki(made.ec_key())
    flipped = int.from_bytes(good[27:]) ^ 1 << bit
    for point in (x.to_bytes(32) + y.to_bytes(32), flipped.to_bytes(64), (x % 5).to_bytes(32) + (y % 5).to_bytes(32)):
        assert on_p256(HEAD + point) == loads(HEAD + point)


@pytest.mark.parametrize("over", [P, P + 1, 2**256 - 1])
def test_coordinates_that_are_no_field_elements(over: int) -> None:
    """A coordinate may not be written as its value plus the prime."""
    numbers = made.ec_key().public_key().public_numbers()
    for x, y in ((over, numbers.y), (numbers.x, over), (0, over)):
        spki = HEAD + x.to_bytes(32) + y.to_bytes(32)
        assert not on_p256(spki)
        assert not loads(spki)


def test_other_keys_are_not_its_matter() -> None:
    assert not on_p256(made.spki(made.rsa_key()))
    assert not on_p256(made.spki(ec.generate_private_key(ec.SECP256K1())))
    assert not on_p256(made.spki(made.ec_key())[:-1])
    assert not on_p256(b"")
