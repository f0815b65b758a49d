"""Files of devices as records: what is one, what is not, and what comes back as a file of rejects."""

from __future__ import annotations

import io

import pytest

from tenure.flows.imports.table import FileKind, ImportFileError, Record, Reject, Unreadable, records, reject_writer


def read(text: str | bytes, kind: FileKind = FileKind.CSV) -> list[Record | Unreadable]:
    raw = text if isinstance(text, bytes) else text.encode()
    return list(records(io.BytesIO(raw), kind))


def test_a_record_has_its_line_and_what_stands_in_it() -> None:
    found = read('\ufeffname,serial\r\n"a, with ""quotes""\nin two lines",1\r\n\r\n b , \r\n')
    assert found == [Record(2, {"name": 'a, with "quotes"\nin two lines', "serial": "1"}), Record(5, {"name": "b"})]


def test_json_lines_are_records_too() -> None:
    found = read('{"name":"a","idevid":["00","11"],"site":null}\n\n{"serial":7}', FileKind.JSONL)
    assert found == [Record(1, {"name": "a", "idevid": ["00", "11"]}), Record(3, {"serial": 7})]


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("name,serial\na\n", FileKind.CSV, "1 cells"),
        ("{", FileKind.JSONL, "no JSON"),
        ("[" * 100_000, FileKind.JSONL, "no JSON"),
        ("[1]", FileKind.JSONL, "no JSON object"),
        ('{"nmae":"a"}', FileKind.JSONL, "'nmae'"),
    ],
)
def test_what_cannot_be_read_is_a_record_of_its_own(text: str, kind: FileKind, said: str) -> None:
    [found] = read(text, kind)
    assert isinstance(found, Unreadable)
    assert said in found.problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nmae,serial\n", "'nmae' is no column"),
        ("name,name\n", "twice"),
        ("", "no column"),
        ("line,problem\n", "no column"),
        ('name\n"never closed', "line 2"),
        (b"name\n\xff\n", "not UTF-8"),
    ],
)
def test_a_file_that_is_none_of_devices_is_refused(text: str | bytes, said: str) -> None:
    with pytest.raises(ImportFileError, match=said):
        read(text)


def test_a_line_without_end_is_not_read_into_memory() -> None:
    with pytest.raises(ImportFileError, match="longer than"):
        read("x" * (1 << 20), FileKind.JSONL)


@pytest.mark.parametrize("kind", FileKind)
def test_rejects_that_were_mended_can_be_imported_as_they_are(kind: FileKind) -> None:
    out = io.StringIO()
    writer = reject_writer(out, kind)
    writer(Reject(Record(7, {"name": "a", "serial": "ü"}), "no", "do"))
    assert read(out.getvalue(), kind) == [Record(2 if kind is FileKind.CSV else 1, {"name": "a", "serial": "ü"})]


def test_a_line_that_was_no_record_stands_in_the_rejects_as_it_was() -> None:
    for kind in FileKind:
        out = io.StringIO()
        reject_writer(out, kind)(Reject(Unreadable(3, "{broken", "it is no JSON"), "it is no JSON", "mend the line"))
        assert "{broken" in out.getvalue()


def test_the_file_stays_open_for_who_opened_it() -> None:
    file = io.BytesIO(b"name\na\n")
    assert len(list(records(file, FileKind.CSV))) == 1
    assert not file.closed
