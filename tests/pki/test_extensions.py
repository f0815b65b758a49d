"""Extensions that come again are read once, alone and in runs; what is remembered stays within bounds."""

from __future__ import annotations

import pytest

from tenure.pki import extensions
from tenure.pki.certificates import read, read_by_property
from tenure.pki.remembering import remembering
from tenure.pki.walker import walk
from tests.pki.made import Odd, element, extension, oid, sequence

USAGE = extension("2.5.29.15", bytes.fromhex("03020780"), critical=True)
PURPOSE = extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.2")))
OTHER_PURPOSE = extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.1")))
PLAIN = extension("2.5.29.19", sequence())


def key_id(number: int) -> bytes:
    return extension("2.5.29.14", element(0x04, number.to_bytes(20)))


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    extensions.remembered.clear()


def test_a_run_is_read_at_once_and_says_the_same() -> None:
    first = Odd(extensions=(PLAIN, USAGE, PURPOSE, key_id(1))).der()
    read(first)
    walked = walk(Odd(extensions=(PLAIN, USAGE, PURPOSE, key_id(2))).der())
    assert [len(found.members) for found in walked.extensions] == [3, 0]
    assert walked.facts.key_usage == "digitalSignature"
    assert walked.facts.extended_key_usage == "1.3.6.1.5.5.7.3.2"
    assert walked.facts.subject_key_id == (2).to_bytes(20)


def test_runs_that_begin_alike_are_told_apart() -> None:
    together = [(PLAIN, USAGE, PURPOSE), (PLAIN, USAGE, OTHER_PURPOSE), (PLAIN, USAGE), (PLAIN, PURPOSE, USAGE), (PLAIN,)]
    for _ in range(2):
        for number, members in enumerate(together):
            der = Odd(extensions=(*members, key_id(number))).der()
            assert read(der) == read_by_property(der)
    assert len(extensions.read(PLAIN).runs) == 4


def test_a_type_that_stands_in_a_run_and_again_behind_it_is_odd() -> None:
    read(Odd(extensions=(PLAIN, USAGE, PURPOSE)).der())
    facts = read(Odd(extensions=(PLAIN, USAGE, PURPOSE, OTHER_PURPOSE)).der())
    assert [(p.field, p.code) for p in facts.problems] == [("extended_key_usage", "field-raised")]
    assert facts.extended_key_usage == "1.3.6.1.5.5.7.3.2"


def test_what_the_library_refuses_once_is_not_trusted_later() -> None:
    """Empty name constraints: the walker does not look into them, the library objects."""
    bad = extension("2.5.29.30", sequence())
    for _ in range(3):
        facts = read(Odd(extensions=(PURPOSE, bad)).der())
        assert (facts.reader, [p.field for p in facts.problems]) == ("partial", ["extensions"])


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "_MOST_REMEMBERED", 10)
    for number in range(50):
        extensions.read(extension("2.5.29.37", sequence(oid(f"1.3.6.1.4.1.32473.{number}"))))
        assert len(extensions.remembered) <= 10
    extensions.read(extension("2.5.29.31", bytes(5_000)))
    assert all(len(encoded) < 5_000 for encoded in extensions.remembered)
    for number in range(600):
        extensions.read(extension(f"1.3.6.1.4.1.32473.{number}", b""))
    assert extensions.read(extension("1.3.6.1.4.1.32473.599", b"")).kinds.bit_length() <= 512


def test_long_input_is_answered_and_not_remembered() -> None:
    asked: list[int] = []

    @remembering(most=2, longest=4)
    def size(data: bytes) -> int:
        asked.append(len(data))
        return len(data)

    assert [size(b"abc"), size(b"abc"), size(bytes(9)), size(bytes(9))] == [3, 3, 9, 9]
    assert asked == [3, 9, 9]
