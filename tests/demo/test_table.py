"""The table of cases: complete, and about rules that exist."""

from __future__ import annotations

from dataclasses import fields

import pytest

from tenure.demo.chance import Chance
from tenure.demo.defects import DEFECTS
from tenure.demo.exports import CASES
from tenure.demo.fleet import FAMILIES, Device
from tenure.demo.near_misses import NEAR_MISSES
from tenure.demo.roster import fewest, roster
from tenure.errors import TenureError
from tenure.roll.rules import builtin_folder, load_rules

RULES = {rule.id for rule in load_rules(builtin_folder())}


def test_every_built_in_rule_has_a_defect_to_find() -> None:
    assert {find.rule for case in DEFECTS for find in case.finds} == RULES


def test_every_defect_is_found_by_a_rule_and_no_near_miss_is() -> None:
    assert all(case.finds for case in DEFECTS)
    assert all(case.silent and not case.finds for case in NEAR_MISSES)
    assert {rule for case in NEAR_MISSES for rule in case.silent} <= RULES


def test_cases_are_told_apart_and_say_how_they_were_made() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    assert all(case.what for case in CASES)


def test_casts_change_what_a_device_has() -> None:
    known = {field.name for field in fields(Device)}
    for case in CASES:
        for role in case.cast:
            assert role.family in FAMILIES
            assert set(role.changes) | set(role.same) <= known, case.id


@pytest.mark.parametrize("size", [fewest(CASES), 100, 300, 1000])
def test_a_fleet_has_the_size_it_was_asked_for(size: int) -> None:
    devices = roster(Chance(3), size, CASES)
    assert sum(device.registered for device in devices) == size
    assert len({(d.name, d.serial) for d in devices if not d.serial.startswith("To Be")}) >= len(devices) - 3
    assert len({device.mac for device in devices}) == len(devices)


def test_too_small_a_fleet_is_refused_with_advice() -> None:
    with pytest.raises(TenureError, match=str(fewest(CASES))):
        roster(Chance(3), fewest(CASES) - 1, CASES)


def test_numbers_follow_from_seed_and_label_alone() -> None:
    assert Chance(7).below(1000, "serial", 1) == Chance(7).below(1000, "serial", 1)
    assert len({Chance(7).below(1 << 40, "serial", number) for number in range(1000)}) == 1000
    assert Chance(7).octets(8, "a", "b") != Chance(7).octets(8, "ab") != Chance(8).octets(8, "ab")
