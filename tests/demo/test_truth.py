"""What was planted is found, and nothing else: for several seeds, sizes and moments."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tenure.demo.exports import CASES
from tenure.demo.near_misses import NEAR_MISSES
from tenure.demo.roster import fewest
from tenure.demo.truth import cast_of, differences, expected
from tenure.model.vocabulary import RuleStatus
from tests.demo.audited import Audited, audited

FLEETS = {
    "seed 7": (7, 300, datetime(2026, 11, 1, tzinfo=UTC)),
    "smallest": (1, fewest(CASES), datetime(2026, 11, 1, tzinfo=UTC)),
    "leap day": (2, 120, datetime(2028, 2, 29, tzinfo=UTC)),
    "in the middle of a day": (11, 300, datetime(2031, 6, 30, 13, 37, 5, tzinfo=UTC)),
}


@pytest.fixture(scope="module", params=list(FLEETS))
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    seed, size, as_of = FLEETS[request.param]
    return audited(tmp_path_factory.mktemp("fleet"), seed, size, as_of)


def test_the_findings_are_those_of_the_table_and_no_others(fleet: Audited) -> None:
    assert differences(fleet.fleet, fleet.result.findings) == []
    assert len(fleet.result.findings) == len(expected(fleet.fleet))


def test_every_rule_was_assessed_on_whole_sources(fleet: Audited) -> None:
    assert {r.id: r.reason for r in fleet.result.rules if r.status is not RuleStatus.ASSESSED} == {}
    assert not fleet.result.incomplete


def test_near_misses_are_in_no_finding_of_the_rules_that_must_stay_silent(fleet: Audited) -> None:
    for case in NEAR_MISSES:
        names = {device.name for device in cast_of(fleet.fleet, case)}
        for rule in case.silent:
            assert not names & fleet.devices_found(rule), (case.id, rule)


def test_what_cannot_be_read_is_told_and_nothing_else_is(fleet: Audited) -> None:
    told = sorted((p.source, p.reason.split(":")[0].split(" stands")[0].split(" ")[0]) for p in fleet.result.problems)
    assert told == [("cmdb.csv", "record"), ("cmdb.csv", "state"), ("collected", "an"), ("logs/mqtt.example.com.log", "no")]


def test_every_file_was_taken_for_something(fleet: Audited) -> None:
    assert {f.path for f in fleet.result.files if f.kind is None} <= {"audit.toml"}


def test_the_roll_has_the_devices_of_the_fleet_each_once(fleet: Audited) -> None:
    assert fleet.result.figures.devices == sum(device.registered for device in fleet.fleet.devices)


def test_places_are_covered_but_for_the_one_whose_log_is_not_exported(fleet: Audited) -> None:
    assert {c.site for c in fleet.result.coverage} == {"north", "south", "east", "west", "harbour"}
    assert {c.relying_party for c in fleet.result.coverage} == {"mqtt.example.com", "aws-iot:111122223333"}
