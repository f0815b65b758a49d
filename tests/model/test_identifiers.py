"""Identifiers: one notation for equal things, never a guess, never an error."""

from __future__ import annotations

import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.model import identifiers

ODD = st.sampled_from(" \t\n\u00a0\ufeff\x1c\x85\u2003.,-_:0aAiIßﬁİǅ١\u0301e\u0345SAGmbHco")
ANY = st.one_of(st.text(max_size=40), st.text(ODD, max_size=12))
HEX = st.text("0123456789abcdef", min_size=12, max_size=12)
SERIAL = st.text(string.ascii_letters + string.digits + "-/._", min_size=1, max_size=20)
SPACE = st.text(" \t\u00a0", max_size=3)
SEPARATOR = st.text("-_. ", min_size=1, max_size=3)


def unicast(value: str) -> bool:
    return value != "0" * 12 and not int(value[:2], 16) & 1


@pytest.mark.parametrize(
    "normalise", [identifiers.serial, identifiers.mac, identifiers.name, identifiers.maker, identifiers.trimmed]
)
@given(text=ANY)
def test_a_notation_is_its_own_notation_and_nothing_raises(normalise: Callable[[str | None], str | None], text: str) -> None:
    once = normalise(text)
    assert once is None or (once != "" and normalise(once) == once)
    assert normalise(None) is None


@given(value=HEX, case=st.sampled_from([str.lower, str.upper]))
def test_the_notations_of_a_mac_are_one(value: str, case: Callable[[str], str]) -> None:
    pairs = [value[i : i + 2] for i in range(0, 12, 2)]
    fours = [value[i : i + 4] for i in range(0, 12, 4)]
    written = [value, ":".join(pairs), "-".join(pairs), " ".join(pairs), ".".join(fours), f" {value}\n"]
    assert {identifiers.mac(case(text)) for text in written} == {value if unicast(value) else None}


@pytest.mark.parametrize(
    "text",
    ["", " ", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "02:00:00:00:00", "02:00:00:00:00:0g", "pump-1"],
)
def test_what_is_nobodys_mac_is_none(text: str) -> None:
    assert identifiers.mac(text) is None


@given(text=SERIAL, before=SPACE, after=SPACE, zeros=st.integers(0, 9), keep=st.booleans())
def test_the_notations_of_a_serial_are_one(text: str, before: str, after: str, zeros: int, keep: bool) -> None:
    plain = identifiers.serial(text, strip_zeros=not keep)
    assert identifiers.serial(f"{before}{text.lower()}{after}", strip_zeros=not keep) == plain
    padded = identifiers.serial("0" * zeros + text, strip_zeros=not keep)
    assert (padded == plain) is (zeros == 0 or (text.isdigit() and not keep))


@given(first=SERIAL, second=SERIAL)
def test_different_serials_stay_different(first: str, second: str) -> None:
    same = first.upper() == second.upper() or (first.isdigit() and second.isdigit() and int(first) == int(second))
    assert (identifiers.serial(first) == identifiers.serial(second)) is same


@given(number=st.integers(0, 10**12))
def test_a_serial_of_digits_survives_a_spreadsheet(number: int) -> None:
    assert identifiers.serial(f"{number:015}") == identifiers.serial(str(number)) == str(number)


@pytest.mark.parametrize(
    "text", ["0", "000", "To be filled by O.E.M.", "N/A", "-----", "XXXXXXX", "00000000", "none", "Default string"]
)
def test_fillers_name_no_device(text: str) -> None:
    value = identifiers.serial(text)
    assert value is not None
    assert identifiers.placeholder_serial(value)


@pytest.mark.parametrize("text", ["SN1", "NW5428881", "000946498565", "F42D79D7", "10"])
def test_serials_are_no_fillers(text: str) -> None:
    value = identifiers.serial(text)
    assert value is not None
    assert not identifiers.placeholder_serial(value)


@given(
    parts=st.lists(st.text(string.ascii_letters + "äöü0123456789", min_size=1, max_size=6), min_size=1, max_size=4),
    join=SEPARATOR,
)
def test_the_notations_of_a_name_are_one(parts: list[str], join: str) -> None:
    assert identifiers.name(f" {join.join(parts).upper()}.") == identifiers.name("-".join(parts))


@pytest.mark.parametrize("text", ["Klimatec", "KLIMATEC GmbH", "klimatec, Inc.", "Klimatec  Co. Ltd", " klimatec S.A. "])
def test_a_maker_is_one_whatever_its_legal_form(text: str) -> None:
    assert identifiers.maker(text) == "klimatec"


@pytest.mark.parametrize(("text", "value"), [("AG", "ag"), ("Co", "co"), (".,", None), ("Inco", "inco"), ("SAP AG", "sap")])
def test_a_maker_is_never_only_its_legal_form(text: str, value: str | None) -> None:
    assert identifiers.maker(text) == value


@given(number=st.integers(-(2**170), 2**170))
def test_a_certificate_serial_is_one_in_every_notation(number: int) -> None:
    text = identifiers.serial_hex(number)
    assert int(text, 16) == number
    assert identifiers.serial_hex_text(text) == text
    if number >= 0:
        padded = text.rjust(len(text) + len(text) % 2, "0").lower()
        colons = ":".join(padded[i : i + 2] for i in range(0, len(padded), 2))
        assert {identifiers.serial_hex_text(t) for t in (colons, f"0x{text}", f" {padded}\n")} == {text}


@given(text=ANY)
def test_what_is_no_hex_is_no_certificate_serial(text: str) -> None:
    found = identifiers.serial_hex_text(text)
    assert found is None or identifiers.serial_hex_text(found) == found
