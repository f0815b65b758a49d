"""``audit.toml``: read with advice where it cannot be followed; drafted so that without its ``#`` it says what was assumed."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.errors import DeclarationError
from tenure.flows.audit import collect_and_link, look
from tenure.flows.declare import MOST, AnchorGuess, Guesses, draft_declarations, guess, own_files, read_declarations
from tenure.model.declarations import Declarations
from tenure.model.findings import CoverageSummary, FileVerdict
from tenure.wiring import TREES, sources
from tests.flows.plant import AS_OF, audited, found, plant, workplace


def in_force(draft: str) -> str:
    """The draft after somebody confirmed all of it: the ``#`` of every line that is no explanation is gone."""
    return re.sub(r"^#(?=[^ #\n])", "", draft, flags=re.MULTILINE)


def parsed(text: str) -> Declarations:
    return Declarations.model_validate(tomllib.loads(text))


def drafted(root: Path, store: Path) -> str:
    place = workplace(store, root)
    surveyed = look(root, sources(), Declarations(), trees=TREES)
    with collect_and_link(root, surveyed, sources(), Declarations(), place, AS_OF).roll.connect() as con:
        return draft_declarations(surveyed.files, guess(con))


def test_without_a_file_every_default_holds(tmp_path: Path) -> None:
    assert read_declarations(tmp_path) == Declarations()


def test_declarations_lie_in_the_folder_or_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "audit.toml").write_text('organisation = ["Example Ltd"]')
    (tmp_path / "cmdb.csv").write_text("x")
    assert read_declarations(tmp_path).organisation == ("Example Ltd",)
    assert read_declarations(tmp_path / "cmdb.csv").organisation == ("Example Ltd",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"organisation = ", "audit.toml is not TOML"),
        (b"organisation = ['\xff']", "audit.toml is not TOML"),
        (b"organisation = 'Example'", "organisation: "),
        (b"organization = ['Example']", "organization: "),
        (b"[[source]]\nkind = 'cmdb'", r"source\.0\.path: Field required"),
        (b"[[source]]\npath = 'a'\nrole = 'brith'", r"source\.0\.role: "),
        (b"[maker.Acme]\nleading_zeros = 'gone'", r"maker\.Acme\.leading_zeros: "),
        (b"[[source]]\npath = 'a/'\n[[source]]\npath = './a'", r"two \[\[source\]\] entries have the path a"),
        (b"[[anchors]]\npath = 'a'\n[[anchors]]\npath = '/a'", r"two \[\[anchors\]\] entries have the path a"),
    ],
)
def test_what_cannot_be_followed_is_named_with_advice(tmp_path: Path, text: bytes, said: str) -> None:
    (tmp_path / "audit.toml").write_bytes(text)
    with pytest.raises(DeclarationError, match=said) as error:
        read_declarations(tmp_path)
    assert error.value.fix


def test_a_draft_decides_nothing(tmp_path: Path) -> None:
    assert parsed(drafted(plant(tmp_path / "p"), tmp_path / "s")) == Declarations()


def test_a_draft_in_force_says_what_was_assumed_and_finds_the_same(tmp_path: Path) -> None:
    root = plant(tmp_path / "p")
    (root / "readme.txt").write_text("exports of the plant")
    said = parsed(in_force(drafted(root, tmp_path / "s")))
    assert {(s.path, s.kind, s.max_age_days) for s in said.source} == {
        ("broker.log", "mosquitto-log", 7.0),
        ("cmdb.csv", "cmdb", 30.0),
        ("keys/tokens.csv", "secrets", 30.0),
        ("readme.txt", "ignore", None),
    }
    assert next(s.relying_party for s in said.source if s.path == "broker.log") == "broker"
    (party,) = said.relying_party
    assert (party.name, party.sites, party.since) == ("broker", ("north", "south"), datetime(2026, 10, 1, 8, tzinfo=UTC))
    assert set(said.maker) == {"Acme"}
    before, after = audited(root, tmp_path / "s"), audited(root, tmp_path / "s", said)
    assert [f.id for f in before.findings] == [f.id for f in after.findings] != []
    assert not any(c.declared for c in before.coverage)
    assert all(c.declared for c in after.coverage)


def test_a_draft_of_the_sample_fleet_in_force_finds_the_same(tmp_path: Path, corpus: Path) -> None:
    root = corpus / "fleet-sample"
    said = parsed(in_force(drafted(root, tmp_path / "s")))
    assert said.organisation == ("Nordwerk Industries",)
    assert {a.path for a in said.anchors} == {f"anchors/{p.name}" for p in (root / "anchors").iterdir()}
    assert {a.relying_party for a in said.anchors} >= {"broker-trust", "gateway lyon", "firmware TH-20 1.8"}
    before, after = audited(root, tmp_path / "s"), audited(root, tmp_path / "s", said)
    assert found(after) == found(before) != {}


_TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


@given(_TEXT, _TEXT, _TEXT, st.one_of(st.none(), st.sampled_from(["cmdb", "mosquitto-log", "secrets", "certificates"])))
def test_any_text_survives_the_draft(path: str, why: str, name: str, kind: str | None) -> None:
    guesses = Guesses(
        coverage=(CoverageSummary(name, path, AS_OF, AS_OF, False),),
        makers=(name,),
        organisations=(name,),
        anchors=(AnchorGuess(path, name, "broker"),),
        max_age_days={path: 7.0},
        log_of={path: name},
    )
    draft = draft_declarations([FileVerdict(path, kind, why)], guesses)
    assert parsed(draft) == Declarations()
    said = parsed(in_force(draft))
    assert (said.source[0].path, said.source[0].kind) == (path, kind or "ignore")
    assert (said.organisation, set(said.maker), said.anchors[0].relying_party) == ((name,), {name}, name)
    assert (said.relying_party[0].name, said.relying_party[0].sites) == (name, (path,))


def test_a_long_list_is_cut_and_counted() -> None:
    files = [FileVerdict(f"f{n}", None, "no source recognises it") for n in range(MOST + 7)]
    draft = draft_declarations(files, Guesses())
    assert len(parsed(in_force(draft)).source) == MOST
    assert "# ... and 7 more files that nobody knows" in draft.splitlines()


def test_what_tenure_keeps_in_the_folder_is_known_by_its_place(tmp_path: Path) -> None:
    said = parsed('decisions = "held/decisions.toml"\n[[source]]\npath = "x.csv"\nmapping = "maps/ours.toml"')
    here = own_files(tmp_path, said, tmp_path / "sub" / "store")
    assert here == {"audit.toml", "held/decisions.toml", "maps/ours.toml", "sub/store"}
    assert own_files(tmp_path, Declarations(), tmp_path.parent / "store") == {"audit.toml", "decisions.toml"}
    (tmp_path / "link").symlink_to(tmp_path)
    assert own_files(tmp_path / "link", said, tmp_path / "sub" / "store") == here
