"""Tables from bytes: delimiters, encodings, broken quoting, JSON in every shape; each row is a row or a problem."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tenure.evidence.collection import CollectContext
from tenure.evidence.digests import SecretDigest
from tenure.evidence.snapshot import Snapshot, SnapshotDraft
from tenure.model.declarations import Declarations
from tenure.sources import _decoded_lines, _json_entries
from tenure.sources._csv_rows import CsvRows, sniffed
from tenure.sources._decoded_lines import ExportBytes, decoded_lines
from tenure.sources._tabular import Table, column_key, peek
from tests.sources.collected import COLLECTED_AT, place_of, rows

Rows = list[dict[str, str]]


def read(data: bytes, *, secret: bool = False, name: str = "export") -> tuple[Rows, list[int], Snapshot]:
    """The rows of an export with their places, and the snapshot with its problems."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        said = Declarations()
        context = CollectContext(said, said.for_path(name), SecretDigest(b"k" * 32), path.parent)
        with SnapshotDraft(Path(tempfile.mkdtemp(prefix="tenure-test-")), "cmdb", 1, name) as draft:
            table = Table(place_of(path), context, draft, secret=secret)
            found: Rows = []
            places: list[int] = []
            for chunk in table.chunks():
                places.extend(chunk.places)
                found.extend({k: c[at] for k, c in chunk.columns.items() if c[at]} for at in range(len(chunk)))
            return found, places, draft.finish(COLLECTED_AT)


def problems(snapshot: Snapshot) -> list[tuple[str, str]]:
    return [(row["code"], row["place"]) for row in rows(snapshot, "problem")]


# -- CSV ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    found, places, snapshot = read(f"id{delimiter}name\n1{delimiter}a\n2{delimiter}b\n".encode())
    assert found == [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}]
    assert places == [2, 3]
    assert problems(snapshot) == []


def test_what_spreadsheets_put_before_the_header_is_no_row() -> None:
    found, places, _ = read(b"\xef\xbb\xbf# exported by hand\n\nsep=;\nid;name\n1;a,b\n")
    assert (found, places) == ([{"id": "1", "name": "a,b"}], [5])


def test_column_names_are_compared_without_case_blanks_and_punctuation() -> None:
    assert column_key(" Serial Number ") == column_key("serial_number") == column_key("Serial-number")
    assert column_key("owned_by.name") == "owned_by.name"


def test_a_column_that_stands_twice_keeps_both() -> None:
    found, _, snapshot = read(b"id,Name,name,,\n1,a,b,c,d\n")
    assert found == [{"id": "1", "name": "a", "name_2": "b", "column_4": "c", "column_5": "d"}]
    assert problems(snapshot) == [("duplicate-column", "line 1")]


def test_quoted_line_ends_belong_to_the_cell_and_places_are_first_lines() -> None:
    found, places, snapshot = read(b'id,note\n1,"two\r\nlines"\n2,"with ""quotes"""\n3,x\n')
    assert found == [{"id": "1", "note": "two\r\nlines"}, {"id": "2", "note": 'with "quotes"'}, {"id": "3", "note": "x"}]
    assert places == [2, 4, 5]
    assert problems(snapshot) == []


def test_rows_with_too_many_or_too_few_cells_are_kept_and_told() -> None:
    found, places, snapshot = read(b"id,a,b\n1,x\n2,x,y,z\n3,x,y,,\n4,x,y\n")
    assert [row["id"] for row in found] == ["1", "2", "3", "4"]
    assert places == [2, 3, 4, 5]
    assert problems(snapshot) == [("too-few-cells", "line 2"), ("too-many-cells", "line 3")]


def test_a_secret_table_takes_no_misaligned_row_and_keeps_no_hash() -> None:
    found, _, snapshot = read(b"id,secret,device\n1,pa,ss,D1\n2,ok,D2\n", secret=True)
    assert [row["id"] for row in found] == ["2"]
    (problem,) = rows(snapshot, "problem")
    assert problem["code"] == "too-many-cells"
    assert problem["sha256"] is None
    assert "ss" not in problem["reason"]


def test_a_stray_quote_costs_its_own_line_only() -> None:
    found, places, snapshot = read(b'id,note\n1,"open\n2,x\n3,"y"\n4,z\n')
    assert [row["id"] for row in found] == ["1", "2", "3", "4"]
    assert places == [2, 3, 4, 5]
    assert problems(snapshot) == [("csv", "line 2")]


def test_a_stray_quote_at_the_end_of_the_file_costs_its_own_line_only() -> None:
    found, _, snapshot = read(b'id,note\n1,"open\n2,x\n3,y\n')
    assert [row["id"] for row in found] == ["1", "2", "3"]
    assert problems(snapshot) == [("csv", "line 2")]


def test_quotes_that_never_end_do_not_hang() -> None:
    found, _, snapshot = read(b"id,note\n" + b'a"b,"c\n' * 3_000)
    assert len(found) == 3_000
    assert {code for code, _ in problems(snapshot)} == {"csv"}


def test_a_lone_carriage_return_in_a_cell_is_told_and_read() -> None:
    found, _, snapshot = read(b"id,note\n1,a\rb\n2,c\n")
    assert found == [{"id": "1", "note": "a b"}, {"id": "2", "note": "c"}]
    assert problems(snapshot) == [("csv", "line 2")]


def test_lines_of_old_macs_are_lines() -> None:
    assert read(b"id,note\r1,a\r2,b\r")[0] == [{"id": "1", "note": "a"}, {"id": "2", "note": "b"}]


def test_rows_without_content_are_counted_and_a_repeated_header_is_told() -> None:
    found, _, snapshot = read(b"id,note\n1,a\n,\n\n,\nid,note\n2,b\n")
    assert [row["id"] for row in found] == ["1", "2"]
    assert problems(snapshot) == [("repeated-header", "line 6"), ("empty-rows", "line 3")]
    assert rows(snapshot, "problem")[1]["reason"].startswith("2 rows")


def test_a_huge_cell_is_a_problem_not_a_crash() -> None:
    found, _, snapshot = read(b'id,note\n1,"' + b"x" * 200_000 + b'"\n2,b\n')
    assert [row["id"] for row in found] == ["2"]
    assert problems(snapshot) == [("csv", "line 2")]


# -- encodings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_byte_order_marks_are_followed(encoding: str) -> None:
    marks = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
    found, _, snapshot = read(marks.get(encoding, b"") + "id,name\n1,café\n2,жук\n".encode(encoding))
    assert found == [{"id": "1", "name": "café"}, {"id": "2", "name": "жук"}]
    assert problems(snapshot) == []


def test_one_byte_of_another_encoding_condemns_its_own_line_only() -> None:
    found, _, snapshot = read("id,name\n1,é\n".encode() + b"2,m\xe9t\xe9o\n3,\x81\n" + "4,ж\n".encode())
    assert [row["name"] for row in found] == ["é", "météo", "\x81", "ж"]
    assert problems(snapshot) == [("encoding", "line 3"), ("encoding", "line 4")]


def test_many_lines_of_another_encoding_are_told_by_number() -> None:
    found, _, snapshot = read(b"id,name\n" + b"1,\xe9\n" * 250)
    assert len(found) == 250
    assert len(problems(snapshot)) == _decoded_lines.TOLD_LINES + 1
    assert rows(snapshot, "problem")[-1]["reason"].startswith("150 further lines")


def test_a_line_beyond_all_bounds_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_decoded_lines, "LINE_BYTES", 1_000)
    monkeypatch.setattr(_decoded_lines, "BLOCK_BYTES", 300)
    told: list[str] = []
    lines = list(decoded_lines(ExportBytes(io.BytesIO(b"a" * 5_000 + b"\nb\n")), lambda *a: told.append(a[2])))
    assert max(map(len, lines)) <= 1_301
    assert "".join(lines).replace("\n", "") == "a" * 5_000 + "b"
    assert set(told) == {"long-line"}


@given(text=st.text(alphabet="aé\n\r,ж\ufeff", max_size=60), size=st.integers(1, 9))
def test_blocks_do_not_show_in_lines(text: str, size: int) -> None:
    data = text.encode()
    before = _decoded_lines.BLOCK_BYTES
    try:
        _decoded_lines.BLOCK_BYTES = size
        small = list(decoded_lines(ExportBytes(io.BytesIO(data)), lambda *a: None))
    finally:
        _decoded_lines.BLOCK_BYTES = before
    if "\r" not in text and not text.startswith("\ufeff"):
        assert "".join(small) == text


# -- JSON ---------------------------------------------------------------------------------------------------------------

DEVICES: list[dict[str, Any]] = [{"id": 1, "site": {"name": "a"}, "tags": ["x", "y"], "on": True, "off": None}, {"id": "2"}]
FLAT = [{"id": "1", "site.name": "a", "tags": "x;y", "on": "true"}, {"id": "2"}]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(map(json.dumps, DEVICES)),
        json.dumps(DEVICES),
        json.dumps(DEVICES, indent=2),
        json.dumps({"count": 2, "results": DEVICES, "next": None}),
        json.dumps({"value": DEVICES}, indent=1),
        "\n".join(json.dumps(device, indent=1) for device in DEVICES),
    ],
    ids=["lines", "array", "printed-array", "envelope", "printed-envelope", "one-after-another"],
)
def test_json_of_every_shape_is_the_same_table(text: str) -> None:
    found, places, snapshot = read(text.encode())
    assert (found, places) == (FLAT, [1, 2])
    assert problems(snapshot) == []


def test_numbers_stay_as_written() -> None:
    found, _, _ = read(b'[{"serial": 123456789012345678901234567890, "x": 1.50, "y": 1e5}]')
    assert found == [{"serial": "123456789012345678901234567890", "x": "1.50", "y": "1e5"}]


def test_a_document_that_breaks_off_is_partial_and_keeps_what_came_before() -> None:
    text = json.dumps({"results": [{"id": n} for n in range(50)]})
    found, _, snapshot = read(text[:-40].encode())
    assert len(found) >= 40
    assert snapshot.manifest.partial
    assert [code for code, _ in problems(snapshot)] == ["json"]


def test_json_lines_lose_only_the_line_that_is_none() -> None:
    found, places, snapshot = read(b'{"id":1}\n{"id":\n[3]\n\n{"id":4}\n')
    assert ([row["id"] for row in found], places) == (["1", "4"], [1, 5])
    assert problems(snapshot) == [("json", "line 2"), ("json", "line 3")]
    assert not snapshot.manifest.partial


def test_further_pages_are_told() -> None:
    _, _, snapshot = read(b'{"results": [{"id": 1}], "next": "https://netbox/api/?offset=50"}')
    assert problems(snapshot) == [("more-pages", "entry 1")]


def test_entries_that_are_no_objects_are_told() -> None:
    found, _, snapshot = read(b'[{"id": 1}, 2, {"id": 3}]')
    assert [row["id"] for row in found] == ["1", "3"]
    assert problems(snapshot) == [("json", "entry 2")]


def test_half_a_surrogate_pair_is_no_crash() -> None:
    found, _, _ = read(b'[{"id": "a\\ud800b", "name": "\\ud83d\\ude00"}]')
    assert found[0]["name"] == "\U0001f600"
    assert found[0]["id"].encode()


def test_deep_nesting_ends_the_reading_and_is_told() -> None:
    _, _, snapshot = read(b'[{"id": 1}, {"a":' + b"[" * 100_000)
    assert snapshot.manifest.partial
    assert [code for code, _ in problems(snapshot)] == ["json"]


@settings(max_examples=60, deadline=None)
@given(
    entries=st.lists(st.dictionaries(st.text('ab\\"é[{', min_size=1, max_size=4), st.text(max_size=6), min_size=1, max_size=3)),
    size=st.integers(1, 40),
    around=st.booleans(),
)
def test_documents_do_not_depend_on_where_blocks_end(entries: list[dict[str, str]], size: int, around: bool) -> None:
    text = json.dumps({"meta": "x", "all": entries} if around and entries else entries, ensure_ascii=False)
    blocks = (text[at : at + size] for at in range(0, len(text), size))
    got = [entry for _, entry in _json_entries.document_entries(blocks, lambda *a: pytest.fail(str(a)))]
    assert got == entries


def test_long_arrays_are_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window stays near the size of a block, however long the document."""
    widest = 0

    class Watched(_json_entries._Document):
        def _more(self) -> bool:
            nonlocal widest
            more = super()._more()
            widest = max(widest, len(self._text))
            return more

    monkeypatch.setattr(_json_entries, "_Document", Watched)

    def blocks() -> Iterator[str]:
        yield "["
        for n in range(5_000):
            yield json.dumps({"id": n, "pad": "x" * 50}) + ","
        yield '{"id": "last"}]'

    count = sum(1 for _ in _json_entries.document_entries(blocks(), lambda *a: None))
    assert count == 5_001
    assert widest < 1_000


# -- compressed and cut -------------------------------------------------------------------------------------------------


def test_gzip_is_opened_and_a_cut_one_is_partial() -> None:
    chance = random.Random(1)
    text = "id,name\n" + "".join(f"{n},{chance.random()}\n" for n in range(50_000))
    packed = gzip.compress(text.encode(), mtime=0)
    assert len(read(packed)[0]) == 50_000
    found, _, snapshot = read(packed[: len(packed) // 2])
    assert 10_000 < len(found) < 50_000
    assert snapshot.manifest.partial
    assert ("truncated", "end") in problems(snapshot)


def test_folders_and_binaries_show_nothing(tmp_path: Path) -> None:
    assert peek(place_of(tmp_path)) is None
    (tmp_path / "x.bin").write_bytes(bytes(range(256)) * 10)
    assert peek(place_of(tmp_path / "x.bin")) is None
    (tmp_path / "empty").write_bytes(b"")
    assert peek(place_of(tmp_path / "empty")) is None


# -- anything -----------------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=400))
@example(data=b"\x1f\x8b")
@example(data=b"[{")
@example(data=b'{"a":[{"b"')
@example(data=b"sep=;")
def test_no_bytes_crash(data: bytes) -> None:
    read(data)
    read(b"id,name\n" + data)
    read(b'{"id": 1}\n' + data)
    read(b'[{"id": 1},' + data)
    read(gzip.compress(b"id,name\n1,a\n")[:-3] + data)


CELL = st.text(alphabet='ab,"\n\r;é ', max_size=6)


@settings(max_examples=200, deadline=None)
@given(table=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=12))
def test_well_formed_csv_is_read_as_it_was_written(table: list[tuple[str, str, str]]) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(("key", "b", "c"))
    writer.writerows(("k" + a, b, c) for a, b, c in table)
    found, _, snapshot = read(file.getvalue().encode())
    assert found == [{k: v for k, v in zip(("key", "b", "c"), ("k" + a, b, c), strict=True) if v} for a, b, c in table]
    assert problems(snapshot) == []


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(st.text(alphabet='ab,"é', min_size=1, max_size=12), max_size=15))
def test_every_line_is_in_a_row_or_a_problem(lines: list[str]) -> None:
    """Whatever the quoting does: no line is without a row that begins on or before it, or a problem at it."""
    found, places, snapshot = read(("h1,h2\n" + "\n".join(lines) + "\n").encode())
    told = {int(place.split()[1]) for _, place in problems(snapshot) if place.startswith("line ")}
    held = "".join(cell for row in found for cell in row.values())
    for number, line in enumerate(lines, 2):
        text = line.replace('"', "").replace(",", "")
        if text and number not in places and number not in told:
            assert text in held.replace('"', "").replace(",", "")


def test_sniffing_prefers_the_delimiter_that_parts_most() -> None:
    assert sniffed('"a,b";c;d') == ";"
    assert sniffed("only") == ","


def test_batches_are_bounded() -> None:
    lines = iter(["id,name\n", *(f"{n},x\n" for n in range(10_000))])
    reader = CsvRows(lines, lambda *a: None)
    reader.header()
    assert {len(batch) for _, batch in reader.batches(1_000)} == {1_000}
