"""Declarations: the entry that speaks for a path, and what is said of a maker."""

from __future__ import annotations

import pytest

from tenure.model.declarations import Declarations


def declared(**entries: object) -> Declarations:
    return Declarations.model_validate(entries)


@pytest.mark.parametrize(
    ("path", "zone"),
    [("a", "A"), ("a/b", "A"), ("a/b/c", "C"), ("a/b/c/d", "C"), ("ab", "ROOT"), ("x", "ROOT"), (".", "ROOT")],
)
def test_the_longest_path_that_is_it_or_above_it_speaks(path: str, zone: str) -> None:
    said = declared(
        source=[{"path": "./a/", "time_zone": "A"}, {"path": "/a/b/c", "time_zone": "C"}, {"path": ".", "time_zone": "ROOT"}]
    )
    assert said.for_path(path).time_zone == zone


def test_nobody_speaks_for_other_paths() -> None:
    said = declared(source=[{"path": "a", "time_zone": "A"}], anchors=[{"path": "a", "relying_party": "A"}])
    assert said.for_path("b/a").time_zone == "UTC"
    assert said.anchors_for("b/a") is None


def test_the_longest_path_speaks_for_a_bundle_too() -> None:
    said = declared(anchors=[{"path": "./anchors/", "relying_party": "all"}, {"path": "anchors/b.pem", "relying_party": "b"}])
    found = [said.anchors_for(path) for path in ("anchors/a.pem", "anchors/b.pem")]
    assert [a.relying_party for a in found if a is not None] == ["all", "b"]
    turned = declared(anchors=[{"path": ".//////", "relying_party": "all"}, {"path": "x", "relying_party": "x"}])
    at_x = turned.anchors_for("x")
    assert at_x is not None
    assert at_x.relying_party == "x"


@pytest.mark.parametrize("written", ["Acme", "ACME GmbH", "acme", "Acme Inc."])
@pytest.mark.parametrize("asked", ["acme", "old acme"])
def test_zeros_are_significant_for_a_maker_however_it_is_written_and_for_its_aliases(written: str, asked: str) -> None:
    said = declared(maker={written: {"leading_zeros": "significant", "aliases": ["Old Acme Ltd"]}, "Other": {}})
    assert said.zeros_significant(asked)
    assert not said.zeros_significant("other")
    assert not said.zeros_significant(None)


def test_a_maker_without_a_name_is_nobody() -> None:
    assert not declared(maker={" ": {"leading_zeros": "significant"}}).zeros_significant(None)
