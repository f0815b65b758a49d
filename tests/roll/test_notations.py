"""The notations that linking makes in SQL, where millions of subjects pass, are those of ``model.identifiers``."""

from __future__ import annotations

import string

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.model import identifiers
from tenure.roll import notations
from tenure.roll.intake import lend

LATIN = "äöüåéèçñøæÄÖÜÅÉÈÇÑØÆ"
WORD = st.text(string.ascii_letters + string.digits + "-/_.:#" + LATIN, min_size=1, max_size=18)
AROUND = st.text(" ", max_size=2)


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def in_sql(con: duckdb.DuckDBPyConnection, notation: str, texts: list[str]) -> list[str | None]:
    """What a notation makes of texts; nothing at all is None, as in Python."""
    rows = con.execute(f"SELECT {notation} FROM (SELECT unnest(?) AS text)", [texts]).fetchall()
    return [value or None for (value,) in rows]


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.tuples(AROUND, WORD, AROUND), min_size=1, max_size=60))
def test_serials(con: duckdb.DuckDBPyConnection, parts: list[tuple[str, str, str]]) -> None:
    texts = ["".join(p) for p in parts]
    assert in_sql(con, notations.serial("text"), texts) == [identifiers.serial(t) for t in texts]


@settings(max_examples=60, deadline=None)
@given(numbers=st.lists(st.tuples(AROUND, st.from_regex(r"[0-9]{1,18}", fullmatch=True), AROUND), min_size=1, max_size=60))
def test_serials_of_digits(con: duckdb.DuckDBPyConnection, numbers: list[tuple[str, str, str]]) -> None:
    texts = ["".join(n) for n in numbers]
    assert in_sql(con, notations.serial("text"), texts) == [identifiers.serial(t) for t in texts]


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.tuples(AROUND, WORD, AROUND), min_size=1, max_size=60))
def test_serials_whose_zeros_are_significant(con: duckdb.DuckDBPyConnection, parts: list[tuple[str, str, str]]) -> None:
    texts = ["".join(p) for p in parts]
    assert in_sql(con, notations.serial_exact("text"), texts) == [identifiers.serial(t, strip_zeros=False) for t in texts]


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(st.lists(WORD, min_size=1, max_size=3), min_size=1, max_size=60), join=st.text(" -_.", min_size=1, max_size=3)
)
def test_names(con: duckdb.DuckDBPyConnection, words: list[list[str]], join: str) -> None:
    texts = [join.join(w) for w in words]
    assert in_sql(con, notations.name("text"), texts) == [identifiers.name(t) for t in texts]


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.text("0123456789abcdef", min_size=12, max_size=12), min_size=1, max_size=40), upper=st.booleans())
def test_macs_at_the_end_of_a_subject(con: duckdb.DuckDBPyConnection, values: list[str], upper: bool) -> None:
    for value in values:
        pairs = [value[i : i + 2] for i in range(0, 12, 2)]
        written = [value, ":".join(pairs), "-".join(pairs), ".".join(value[i : i + 4] for i in (0, 4, 8))]
        texts = [f"{before}{w.upper() if upper else w}" for w in written for before in ("", "cam-", "device ", "SN:")]
        assert set(in_sql(con, notations.mac("text"), texts)) == {value}
        assert {identifiers.mac(w) for w in written} <= {value, None}


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(max_size=30), min_size=1, max_size=60))
def test_no_text_fails(con: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    storable = [t.encode("utf-8", "replace").decode() for t in texts]
    for notation in (notations.serial("text"), notations.mac("text"), notations.name("text")):
        assert len(in_sql(con, notation, storable)) == len(texts)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.one_of(WORD, st.sampled_from(["0000-0000", "XX", "-", "UNKNOWN", "12121"])), min_size=1, max_size=60))
def test_fillers(con: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    lend(con, "t_filler", value=(pa.string(), sorted(identifiers.PLACEHOLDER_SERIALS)))
    values = [value for text in texts if (value := identifiers.serial(text)) is not None]
    rows = con.execute(f"SELECT {notations.filler('text')} FROM (SELECT unnest(?::VARCHAR[]) AS text)", [values]).fetchall()
    assert [told for (told,) in rows] == [identifiers.placeholder_serial(value) for value in values]
