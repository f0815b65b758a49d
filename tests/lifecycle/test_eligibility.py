"""Who may hold an identity: in service, with a key that is free; and which credential is in force."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tenure.lifecycle.eligibility import barred_from_issue, in_force
from tenure.lifecycle.verdict import Code, Refused
from tenure.model.credentials import KeyState
from tenure.model.devices import Device, Tombstone, TombstoneKind
from tenure.model.vocabulary import DeviceState
from tests.lifecycle.life import EK, NOW, OPERATIONAL, SUCCESSOR, device, key

_S = DeviceState
KEY = key("new")
BARRED = Tombstone(KEY, TombstoneKind.KEY, SUCCESSOR, 1, _S.RETIRED, NOW)
OF_ROOT = Tombstone(EK.spki, TombstoneKind.ROOT, SUCCESSOR, 1, _S.LOST, NOW)


def asks(given: Device | None = None, **facts: Any) -> Refused | None:
    told: dict[str, Any] = {"tombstones": (), "former_keys": (), "others": ()} | facts
    return barred_from_issue(given or device(), KEY, told["tombstones"], told["former_keys"], told["others"])


@pytest.mark.parametrize("state", DeviceState)
def test_only_what_is_in_service_gets_a_credential(state: DeviceState) -> None:
    found = asks(device(state))
    if state in (_S.CLAIMED, _S.ACTIVE, _S.TRANSFERRING):
        assert found is None
    else:
        assert found
        assert (found.code, bool(found.fix)) == (Code.WRONG_STATE, True)


@pytest.mark.parametrize(
    ("resumes", "may"), [(_S.ACTIVE, True), (_S.CLAIMED, True), (_S.MANUFACTURED, False), (_S.QUARANTINED, False), (None, False)]
)
def test_an_offered_device_is_what_it_was(resumes: DeviceState | None, may: bool) -> None:
    assert (asks(device(_S.TRANSFERRING, resumes=resumes)) is None) is may


@pytest.mark.parametrize(
    "facts",
    [
        {"tombstones": (BARRED,)},
        {"tombstones": (OF_ROOT,)},
        {"tombstones": (replace(BARRED, kind=TombstoneKind.ROOT),)},
        {"former_keys": (KEY,)},
        {"others": (KEY,)},
    ],
    ids=["a buried key", "a buried root", "another's buried root as key", "its old key", "another's key"],
)
def test_a_key_that_is_not_free_is_refused(facts: dict[str, Any]) -> None:
    found = asks(**facts)
    assert found
    assert (found.code, bool(found.fix)) == (Code.KEY_REFUSED, True)


@pytest.mark.parametrize(
    "facts",
    [
        {"tombstones": (replace(OF_ROOT, returned_at=NOW),)},
        {"tombstones": (replace(BARRED, spki=key("else")),)},
        {"former_keys": (key("else"),)},
        {"others": (key("else"),)},
    ],
)
def test_what_does_not_concern_it_does_not_bar_it(facts: dict[str, Any]) -> None:
    assert asks(**facts) is None


def test_a_key_is_refused_alike_whoever_has_it() -> None:
    """Buried or another's: who asks learns no more than that it is not free."""
    assert asks(tombstones=(BARRED,)) == asks(others=(KEY,))


@pytest.mark.parametrize("state", DeviceState)
def test_relying_parties_accept_active_devices_only(state: DeviceState) -> None:
    assert in_force(device(state), OPERATIONAL, ()) is (state in (_S.ACTIVE, _S.TRANSFERRING))


@pytest.mark.parametrize("resumes", [_S.MANUFACTURED, _S.CLAIMED, None])
def test_what_was_not_active_is_not_by_being_offered(resumes: DeviceState | None) -> None:
    assert not in_force(device(_S.TRANSFERRING, resumes=resumes), OPERATIONAL, ())


@pytest.mark.parametrize("state", KeyState)
def test_an_ended_credential_is_not_in_force(state: KeyState) -> None:
    assert in_force(device(), replace(OPERATIONAL, state=state), ()) is (state in (KeyState.PRE_ACTIVE, KeyState.ACTIVE))


@pytest.mark.parametrize("fields", [{"device": SUCCESSOR}, {"device": None}, {"term": 2}])
def test_a_credential_is_of_this_device_and_term(fields: dict[str, Any]) -> None:
    assert not in_force(device(), replace(OPERATIONAL, **fields), ())


def test_what_is_buried_is_not_in_force() -> None:
    assert OPERATIONAL.spki
    assert not in_force(device(), OPERATIONAL, (replace(BARRED, spki=OPERATIONAL.spki),))
    assert not in_force(device(), OPERATIONAL, (OF_ROOT,))
    assert in_force(device(), OPERATIONAL, (BARRED, replace(OF_ROOT, returned_at=NOW)))
