"""Surveying a folder: what each file is taken for, what is passed by, and that nothing is passed by in silence.

Long because the survey is tested with sources made for it, which all tests share.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from tenure.errors import DeclarationError, SourceError, TenureError
from tenure.evidence.collection import HEAD_BYTES, CollectContext, Place, Recognition, Source
from tenure.evidence.snapshot import Snapshot, SnapshotDraft
from tenure.flows import observe
from tenure.flows.observe import DEEPEST, MANY, Known, Taken, collect_one, place_at, size_of, survey
from tenure.model.declarations import Declarations, SourceDeclaration
from tenure.wiring import TREES, sources
from tests.closed import closed
from tests.flows.plant import bench, plant


@dataclass
class Words:
    """A source that knows files by their first word, and folders that hold ``index`` (surely) or any of its files."""

    kind: ClassVar[str] = "words"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "files that begin with a word"
    seen: list[str] = field(default_factory=list)

    def recognise(self, place: Place) -> Recognition | None:
        self.seen.append(place.relative)
        if place.is_folder:
            names = {p.name for p in place.path.iterdir()}
            if "index" in names:
                return Recognition(90, "an index")
            return Recognition(10, "loose words") if any(n.endswith(".w") for n in names) else None
        return Recognition(60, "begins with word") if place.head.startswith(b"word") else None

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        draft.add("description", ref=1, kind="site", text=place.relative)


def known(*entries: SourceDeclaration, trees: frozenset[str] = frozenset(), own: frozenset[str] = frozenset()) -> Known:
    return Known({"words": Words()}, Declarations(source=entries), trees, own)


def asked(root: Path, known_: Known) -> tuple[dict[str, str], dict[str, str]]:
    """Paths taken, and paths left out with the reason."""
    taken, verdicts = survey(root, known_)
    assert [v.path for v in verdicts] == sorted(v.path for v in verdicts)
    assert {t.place.relative for t in taken} == {v.path for v in verdicts if v.kind is not None}
    return {t.place.relative: t.why for t in taken}, {v.path: v.why for v in verdicts if v.kind is None}


def fill(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_plant_is_taken_file_by_file(tmp_path: Path) -> None:
    taken, verdicts = survey(plant(tmp_path / "plant"), Known(sources(), Declarations(), TREES))
    assert {t.place.relative: t.kind for t in taken} == {
        "broker.log": "mosquitto-log",
        "cmdb.csv": "cmdb",
        "keys/tokens.csv": "secrets",
    }
    assert [(v.path, v.kind) for v in verdicts] == sorted((t.place.relative, t.kind) for t in taken)


def test_what_nobody_recognises_is_told(tmp_path: Path) -> None:
    fill(tmp_path, a_w="word", note_txt="hello")
    assert asked(tmp_path, known()) == ({"a.w": "begins with word"}, {"note.txt": "no source recognises it"})


def test_one_file_is_an_audit_too(tmp_path: Path) -> None:
    fill(tmp_path, a_w="word", b_w="word")
    assert asked(tmp_path / "a.w", known()) == ({"a.w": "begins with word"}, {})


def test_a_folder_that_is_surely_one_thing_is_taken_whole_and_not_looked_into(tmp_path: Path) -> None:
    fill(tmp_path, ca__index="", ca__sub__a_w="word", ca__other="x")
    going_by = known()
    assert asked(tmp_path, going_by) == ({"ca": "an index"}, {})
    source = going_by.sources["words"]
    assert isinstance(source, Words)
    assert source.seen == [".", "ca"]


def test_the_audited_folder_itself_may_be_the_export(tmp_path: Path) -> None:
    fill(tmp_path, index="", a_w="word")
    assert asked(tmp_path, known()) == ({".": "an index"}, {})


def test_loose_files_of_one_kind_are_taken_together(tmp_path: Path) -> None:
    fill(tmp_path, loose__a_w="word", loose__b_w="word", c_txt="no")
    assert asked(tmp_path, known()) == ({"loose": "loose words"}, {"c.txt": "no source recognises it"})


def test_a_few_among_strangers_are_taken_one_by_one_so_that_no_source_reads_the_strangers(tmp_path: Path) -> None:
    fill(tmp_path, loose__a_w="word", loose__b_w="word", loose__film="no")
    taken, left = asked(tmp_path, known())
    assert set(taken) == {"loose/a.w", "loose/b.w"}
    assert set(left) == {"loose/film"}


def test_many_are_taken_together_although_strangers_lie_among_them(tmp_path: Path) -> None:
    fill(tmp_path, **{f"f{n}_w": "word" for n in range(MANY + 1)}, readme="no")
    assert asked(tmp_path, known()) == ({".": "loose words"}, {})


def test_folders_of_a_kind_that_reads_trees_are_one_place(tmp_path: Path) -> None:
    fill(tmp_path, **{f"d{n}__a_w": "word" for n in range(3)})
    assert set(asked(tmp_path, known())[0]) == {"d0", "d1", "d2"}
    assert asked(tmp_path, known(trees=frozenset({"words"}))) == ({".": "3 places with words"}, {})


def test_a_tree_of_thousands_of_device_folders_is_one_snapshot(tmp_path: Path, corpus: Path) -> None:
    certificate = next((corpus / "zlint-certificates").rglob("*.pem")).read_bytes()
    for number in range(30):
        (tmp_path / f"device-{number}" / "tls").mkdir(parents=True)
        (tmp_path / f"device-{number}" / "tls" / "client.pem").write_bytes(certificate)
    taken, _ = survey(tmp_path, Known(sources(), Declarations(), TREES))
    assert [(t.place.relative, t.kind) for t in taken] == [(".", "certificates")]


def test_hidden_places_are_not_looked_at_unless_they_are_declared(tmp_path: Path) -> None:
    fill(tmp_path, a_w="word")
    for name in (".git", ".secret"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "b.w").write_text("word")
    taken, left = asked(tmp_path, known(SourceDeclaration(path=".secret/b.w", kind="words")))
    assert set(taken) == {"a.w", ".secret/b.w"}
    assert left == {".git": "hidden, not looked at: declare it as [[source]] in audit.toml to have it read"}


def test_what_audit_toml_says_decides(tmp_path: Path) -> None:
    fill(tmp_path, ca__index="", ca__x_txt="no", junk__a_w="word", odd_txt="no")
    taken, left = asked(
        tmp_path,
        known(
            SourceDeclaration(path="/odd.txt", kind="words"),
            SourceDeclaration(path="./junk/", kind="ignore"),
            SourceDeclaration(path="ca/x.txt", kind="words"),
        ),
    )
    assert taken["odd.txt"] == "audit.toml says so"
    assert left == {"junk": "audit.toml says ignore", "ca/index": "no source recognises it"}
    assert set(taken) == {"odd.txt", "ca/x.txt"}, "a folder with a declared kind below is not taken whole"


def test_a_declaration_for_one_loose_file_keeps_it_apart(tmp_path: Path) -> None:
    fill(tmp_path, a_w="word", b_w="word")
    taken, _ = asked(tmp_path, known(SourceDeclaration(path="a.w", max_age_days=3)))
    assert set(taken) == {"a.w", "b.w"}


def test_the_whole_folder_can_be_declared(tmp_path: Path) -> None:
    fill(tmp_path, a_txt="no")
    assert asked(tmp_path, known(SourceDeclaration(path=".", kind="words"))) == ({".": "audit.toml says so"}, {})


def test_a_kind_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, a_w="word")
    with pytest.raises(DeclarationError, match="'wrods'") as error:
        survey(tmp_path, known(SourceDeclaration(path="a.w", kind="wrods")))
    assert "words" in error.value.fix


def test_what_tenure_keeps_among_exports_is_no_export(tmp_path: Path) -> None:
    fill(tmp_path, a_w="word", audit_toml="word", store__b_w="word", sub__audit_toml="word")
    taken, left = asked(tmp_path, known(own=frozenset({"audit.toml", "store"})))
    assert (set(taken), left) == ({"a.w", "sub/audit.toml"}, {}), "the folder is not taken whole, the store would be read with it"


@pytest.mark.parametrize("declared", [(), (SourceDeclaration(path=".", kind="words"),)])
def test_a_store_within_an_export_that_is_read_whole_is_refused(tmp_path: Path, declared: tuple[SourceDeclaration, ...]) -> None:
    fill(tmp_path, index="", store__b_w="word")
    with pytest.raises(TenureError, match="the store lies in") as error:
        survey(tmp_path, known(*declared, own=frozenset({"store"})))
    assert "--store" in error.value.fix


def test_links_pipes_and_loops_are_told_and_do_not_hold_anybody_up(tmp_path: Path) -> None:
    fill(tmp_path, real__a_w="word")
    outside = fill(tmp_path / "outside", b_w="word")
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").symlink_to(outside / "b.w")
    (root / "folder").symlink_to(outside)
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nowhere")
    os.mkfifo(root / "pipe")
    assert asked(root, known()) == (
        {"file": "begins with word"},
        {
            "dangling": "a link to nothing",
            "folder": "a link to a folder is not followed",
            "loop": "a link to nothing",
            "pipe": "neither a file nor a folder",
        },
    )


def test_a_linked_folder_can_be_audited_itself(tmp_path: Path) -> None:
    fill(tmp_path, real__a_w="word", real__b_txt="x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert set(asked(tmp_path / "link", known())[0]) == {"a.w"}


def test_unreadable_places_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recognise = Words.recognise

    def listing(self: Words, place: Place) -> Recognition | None:
        """As a source does that looks at the names in a folder."""
        if place.is_folder:
            list(place.path.iterdir())
        return recognise(self, place)

    monkeypatch.setattr(Words, "recognise", listing)
    fill(tmp_path, a_w="word", closed__b_w="word", c_w="word")
    with closed(tmp_path / "closed", tmp_path / "c.w"):
        taken, left = asked(tmp_path, known())
    assert set(taken) == {"a.w"}
    assert left == {"closed": "cannot be read: Permission denied", "c.w": "cannot be read: Permission denied"}


def test_the_depth_is_bounded(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * (DEEPEST + 3))
    deep.mkdir(parents=True)
    (deep / "a.w").write_text("word")
    taken, left = asked(tmp_path, known())
    assert taken == {}
    assert left == {"/".join(["d"] * DEEPEST): f"not looked into: more than {DEEPEST} folders deep"}


@pytest.mark.parametrize("name", ["sp ace.w", "ümlaut.w", "new\nline.w", "quote'\".w", "-f.w"])
def test_any_name_is_a_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("word")
    (tmp_path / "z.txt").write_text("no")
    assert set(asked(tmp_path, known())[0]) == {name}


def test_a_name_that_is_no_utf8_is_stored_as_text(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"bad\xff.w")).write_text("word")
    (tmp_path / "z.txt").write_text("no")
    (taken,), _ = survey(tmp_path, known())
    assert taken.place.relative == "bad\\xff.w"
    assert taken.place.path.read_text() == "word"


def test_no_more_than_the_head_of_a_file_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.txt").open("wb") as file:
        file.write(b"text\n" * 100_000)
        file.truncate(1 << 36)  # 64 GiB, sparse: reading it would not end
    place = place_at(tmp_path / "huge.txt", "huge.txt")
    assert len(place.head) == HEAD_BYTES
    assert survey(tmp_path, Known(sources(), Declarations(), TREES))[0] == []


def test_each_place_is_asked_once_and_told_of_once(tmp_path: Path) -> None:
    fill(tmp_path, a__b__c_w="word", a__d_txt="x", e_w="word")
    looked: list[int] = []
    going_by = known()
    survey(tmp_path, going_by, looked.append)
    source = going_by.sources["words"]
    assert isinstance(source, Words)
    assert max(Counter(source.seen).values()) == 1
    assert sum(looked) == len(source.seen) == 6


@pytest.mark.parametrize("missing", ["nowhere", "a.w/inside"])
def test_a_place_that_is_not_there_cannot_be_taken(tmp_path: Path, missing: str) -> None:
    fill(tmp_path, a_w="word")
    with pytest.raises(SourceError, match="cannot read"):
        place_at(tmp_path / missing, missing)


def test_a_pipe_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refused: list[str] = []

    def look() -> None:
        try:
            place_at(tmp_path / "pipe", "pipe")
        except SourceError as error:
            refused.append(error.problem)

    looking = threading.Thread(target=look, daemon=True)  # opening a pipe that nobody writes to would never return
    looking.start()
    looking.join(10)
    assert refused == [f"{tmp_path / 'pipe'} is neither a file nor a folder"]


def one(source: Source, place: Place, tmp_path: Path, declarations: Declarations | None = None) -> Snapshot:
    return collect_one(Taken(place, source.kind, ""), source, declarations or Declarations(), bench(tmp_path / "store", tmp_path))


def test_a_snapshot_is_of_its_place(tmp_path: Path) -> None:
    fill(tmp_path, a_w="word")
    snapshot = one(Words(), place_at(tmp_path / "a.w", "a.w"), tmp_path)
    assert (snapshot.manifest.kind, snapshot.manifest.name, snapshot.manifest.partial) == ("words", "a.w", False)
    assert [row["text"] for row in snapshot.rows("description")] == ["a.w"]


class Refusing(Words):
    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        super().collect(place, context, draft)
        raise SourceError("no words in it", "write some")


class Broken(Words):
    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        super().collect(place, context, draft)
        raise IndexError("list index out of range")


class Garbled(Words):
    """Its rows cannot be stored, which shows only when they are written."""

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        draft.add("description", ref="one", kind=1, text=object())


class Undeclared(Words):
    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        raise DeclarationError("the mapping is none", "mend it")


def test_a_place_that_cannot_be_collected_is_a_partial_snapshot_that_says_why(tmp_path: Path) -> None:
    fill(tmp_path, a_w="word")
    snapshot = one(Refusing(), place_at(tmp_path / "a.w", "a.w"), tmp_path)
    assert (snapshot.manifest.partial, snapshot.manifest.partial_reason) == (True, "no words in it")
    assert [(row["code"], row["reason"]) for row in snapshot.rows("problem")] == [
        ("not-collected", "no words in it\n  fix: write some")
    ]
    assert snapshot.manifest.rows["description"] == 1, "what was read before stays"


@pytest.mark.parametrize(("source", "error"), [(Broken(), "IndexError: list index"), (Garbled(), "Arrow")])
def test_a_defect_of_a_collector_takes_no_other_export_with_it(tmp_path: Path, source: Source, error: str) -> None:
    fill(tmp_path, a_w="word")
    snapshot = one(source, place_at(tmp_path / "a.w", "a.w"), tmp_path)
    assert snapshot.manifest.partial
    assert snapshot.manifest.rows == {"problem": 1}
    ((code, reason),) = [(row["code"], row["reason"]) for row in snapshot.rows("problem")]
    assert code == "reading-failed"
    assert error in reason
    assert list((tmp_path / "store" / "evidence").glob(".draft-*")) == []


def test_what_people_can_mend_in_their_declarations_ends_the_audit(tmp_path: Path) -> None:
    fill(tmp_path, a_w="word")
    with pytest.raises(DeclarationError, match="the mapping is none"):
        one(Undeclared(), place_at(tmp_path / "a.w", "a.w"), tmp_path)


def test_a_store_that_cannot_be_written_ends_the_audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, a_w="word")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SnapshotDraft, "_write", full)
    with pytest.raises(OSError, match="No space left"):
        one(Words(), place_at(tmp_path / "a.w", "a.w"), tmp_path)
    assert list((tmp_path / "store" / "evidence").iterdir()) == []


def test_only_what_changes_the_rows_changes_the_content_id(tmp_path: Path) -> None:
    fill(tmp_path, a_w="word")
    place = place_at(tmp_path / "a.w", "a.w")

    def content_id(**declared: object) -> str:
        said = Declarations(source=(SourceDeclaration.model_validate({"path": "a.w", **declared}),))
        return one(Words(), place, tmp_path, said).manifest.content_id

    assert content_id() == content_id(kind="words") == content_id(max_age_days=3) == content_id(strong_identifiers=["name"])
    assert content_id() == content_id(role="birth") == content_id(as_of="2026-01-01T00:00:00Z")
    assert len({content_id(), content_id(time_zone="Europe/Berlin"), content_id(mapping="m.toml")}) == 3


def test_passwords_come_from_the_environment_and_a_missing_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, a_w="word")
    monkeypatch.setenv("TENURE_TEST_PASSWORD", "geheim")
    given: list[tuple[bytes, ...]] = []

    class Locked(Words):
        def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
            given.append(context.passwords)

    said = Declarations(source=(SourceDeclaration(path="a.w", passwords=("TENURE_TEST_PASSWORD", "TENURE_TEST_NONE")),))
    snapshot = one(Locked(), place_at(tmp_path / "a.w", "a.w"), tmp_path, said)
    assert given == [(b"geheim",)]
    assert snapshot.manifest.notes == (
        "audit.toml names TENURE_TEST_NONE for passwords, and the environment has no such variable",
    )
    assert "geheim" not in (snapshot.folder / "manifest.json").read_text()


def test_the_size_of_places_is_that_of_their_files(tmp_path: Path) -> None:
    fill(tmp_path, a_w="12345", d__b_w="123", d__e__c_w="1")
    (tmp_path / "d" / "gone").symlink_to("nowhere")
    folder = sum(p.stat().st_size for p in (tmp_path / "d").rglob("*") if p.is_file())
    at = [Taken(place_at(tmp_path / n, n), "words", "") for n in ("a.w", "d")]
    assert size_of(at) >= 5 + folder
    assert size_of([at[0]]) == 5


def test_declared_paths_are_named_as_places_are() -> None:
    assert [observe.normal(p) for p in ("a/b", "/a/b/", "./a/b", ".", "", "./")] == ["a/b", "a/b", "a/b", ".", ".", "."]
    assert issubclass(SourceError, TenureError)
