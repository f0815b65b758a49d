"""The canonical form of values and events: one form, plain JSON, and read back to the same value."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.model.access import Area, Role, RoleAssignment
from tenure.model.canonical import NotCanonicalError, event_in, value_in
from tenure.model.credentials import Credential, KeyState
from tenure.model.devices import Device, HardwareRoot, RootKind, Tombstone, TombstoneKind
from tenure.model.events import Event, canonical, value_digest
from tenure.model.vocabulary import CredentialKind, CredentialRole, DeviceState

THEN = datetime(2026, 11, 1, 12, 30, 1, 5, tzinfo=UTC)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
digests = st.binary(min_size=32, max_size=32)
ids = st.uuids()
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)

events = st.builds(
    Event,
    ids,
    ids,
    st.integers(1, 2**63 - 1),
    moments,
    texts,
    texts,
    texts,
    texts,
    st.none() | digests,
    st.none() | digests,
    st.lists(digests, max_size=3).map(tuple),
    st.none() | digests,
)
credentials = st.builds(
    Credential,
    ids,
    st.sampled_from(CredentialKind),
    st.sampled_from(CredentialRole),
    st.sampled_from(KeyState),
    moments,
    st.none() | ids,
    issuer=st.none() | ids,
    serial=st.none() | texts,
    spki=st.none() | digests,
    ended_at=st.none() | moments,
    end_reason=st.none() | texts,
)


def sorted_json(form: dict[str, Any]) -> bytes:
    return json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@given(events)
def test_a_leaf_is_plain_json_with_sorted_names_and_comes_back(event: Event) -> None:
    leaf = event.leaf()
    form = json.loads(leaf)
    assert sorted_json(form) == leaf
    assert form.keys() == {field.name for field in fields(Event)} | {"v"}
    assert event_in(leaf) == event


@given(credentials)
def test_a_value_is_plain_json_with_sorted_names_and_comes_back(credential: Credential) -> None:
    content = canonical(credential)
    form = json.loads(content)
    assert sorted_json(form) == content
    assert None not in form.values()
    assert value_in(Credential, content) == credential


def test_the_form_of_a_device_is_this_and_stays_this() -> None:
    """Digests in ledgers that exist rest on it."""
    id = UUID("01a206ad-dcbd-71e8-b051-0828bfcb4ce7")
    root = HardwareRoot(RootKind.EK_ECC, b"\1" * 32)
    device = Device(id, DeviceState.ACTIVE, THEN, THEN, name='pümp "7"', must_rekey=True, roots=(root,), last_seen=THEN)
    assert canonical(device).decode() == (
        '{"a":"Device","created_at":"2026-11-01T12:30:01.000005Z","id":"01a206ad-dcbd-71e8-b051-0828bfcb4ce7","must_rekey":1,'
        '"name":"pümp \\"7\\"","roots":[{"a":"HardwareRoot","kind":"ek-ecc","proof":"claimed","spki":"' + "01" * 32 + '"}],'
        '"state":"active","state_since":"2026-11-01T12:30:01.000005Z","term":1,"version":1}'
    )
    assert value_digest(b"", device) == value_digest(b"", replace(device, last_seen=None))


def test_one_moment_has_one_form_and_sets_are_sorted() -> None:
    stone = Tombstone(b"\1" * 32, TombstoneKind.KEY, UUID(int=1), 1, DeviceState.LOST, THEN)
    elsewhere = replace(stone, at=THEN.astimezone(timezone(timedelta(hours=5))))
    assert canonical(elsewhere) == canonical(stone)
    assert canonical(RoleAssignment(Role.ADMIN, Area())) == b'{"a":"RoleAssignment","area":{"a":"Area"},"role":"admin"}'


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a":"Device"}', b'{"a":"Tombstone"}', b'{"a":"Tombstone","spki":7}'])
def test_what_is_no_such_value_is_refused(content: bytes) -> None:
    with pytest.raises(NotCanonicalError):
        value_in(Tombstone, content)
    with pytest.raises(NotCanonicalError):
        event_in(content)


def test_another_form_of_the_same_value_is_refused() -> None:
    stone = Tombstone(b"\1" * 32, TombstoneKind.KEY, UUID(int=1), 1, DeviceState.LOST, THEN)
    event = Event(UUID(int=1), UUID(int=2), 1, THEN, "system:x", "retire", "device", "d")
    for read, content in ((lambda c: value_in(Tombstone, c), canonical(stone)), (event_in, event.leaf())):
        for other in (content.replace(b":", b": "), content.replace(b"}", b',"zz":1}')):
            with pytest.raises(NotCanonicalError):
                read(other)
