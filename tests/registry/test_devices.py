"""Devices: written with their events, found within a scope, changed by one at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from tenure.model.access import EVERYTHING, NOTHING, Area, Scope
from tenure.model.devices import HardwareRoot, RootKind, RootProof, Tombstone, TombstoneKind
from tenure.model.events import value_digest
from tenure.model.vocabulary import DeviceState
from tenure.registry import custody, devices, tombstones
from tenure.registry.device_changes import change_device, insert_device
from tenure.registry.device_lists import DeviceFilter, DeviceSort, Place, page
from tenure.registry.faults import ConflictError, NotFoundError, RootTakenError, TombstonedError, UnknownReferenceError
from tenure.registry.registry import Registry
from tenure.registry.tables.devices import device as device_table
from tenure.registry.tables.devices import hardware_root
from tenure.registry.tables.ledger import event, event_text
from tenure.registry.work import counted, event_of
from tests.registry.healthy import BECAUSE, OPERATOR, THEN, a_device, a_root, a_tenant, change, new_id, put


def test_what_was_put_in_comes_out(registry: Registry) -> None:
    tenant = a_tenant(registry, "ours")
    given = a_device(
        owner=tenant.owner,
        trust_domain=tenant.domain,
        maker="Klimatec GmbH",
        serial="00-17",
        name="pump",
        term=3,
        last_seen=THEN + timedelta(microseconds=1),
        expires=THEN,
        roots=(HardwareRoot(RootKind.EK_RSA, b"\2" * 32, RootProof.PROVED, THEN), HardwareRoot(RootKind.EK_ECC, b"\1" * 32)),
    )
    put(registry, given)
    with registry.read() as reading:
        found = devices.get(reading, EVERYTHING, given.id)
    assert found == replace(given, roots=given.roots[::-1])


def test_each_change_is_one_event_whose_digests_are_those_of_the_values(registry: Registry) -> None:
    given = a_device(name="before")
    put(registry, given)
    after = change(registry, given.id, name="after")
    assert after.version == 2
    with registry.read() as reading:
        salt = reading.rows(select(device_table.c.salt))[0].salt
        first, second = map(event_of, reading.rows(select(event).order_by(event.c.sequence)))
        assert (first.before, first.after) == (None, value_digest(salt, given))
        assert (second.before, second.after) == (first.after, value_digest(salt, after))
        assert (first.sequence, second.sequence, first.instance) == (1, 2, second.instance)
        assert second.subject == str(given.id)
        assert b"because" not in second.leaf()


def test_being_seen_is_no_change(registry: Registry) -> None:
    given = a_device()
    put(registry, given)
    with registry.change(OPERATOR) as work:
        devices.seen(work, [(given.id, THEN + timedelta(days=2)), (given.id, THEN)])
        assert work.events == []
    with registry.read() as reading:
        found = devices.get(reading, EVERYTHING, given.id)
        assert (found.last_seen, found.version) == (THEN + timedelta(days=2), 1)
        assert counted(reading, event) == 1


def test_a_change_based_on_an_old_version_is_refused(registry: Registry) -> None:
    given = a_device()
    put(registry, given)
    with registry.read() as reading:
        stale = devices.Held(devices.get(reading, EVERYTHING, given.id), b"")
    change(registry, given.id, name="first")
    with pytest.raises(ConflictError), registry.change(OPERATOR) as work:
        change_device(work, stale, replace(given, name="second"), BECAUSE)


def test_a_root_belongs_to_one_device_and_a_refused_device_leaves_nothing(registry: Registry) -> None:
    root = a_root()
    put(registry, a_device(roots=(root,)))
    with pytest.raises(RootTakenError):
        put(registry, a_device(roots=(a_root(), root)))
    with registry.read() as reading:
        assert (counted(reading, device_table), counted(reading, hardware_root), counted(reading, event)) == (1, 1, 1)


def test_roots_come_and_are_proved_and_go(registry: Registry) -> None:
    first, second = a_root(), a_root(RootKind.EK_ECC)
    given = a_device(roots=(first,))
    put(registry, given)
    proved = replace(first, proof=RootProof.PROVED, proved_at=THEN)
    change(registry, given.id, roots=(proved, second))
    with registry.read() as reading:
        assert set(devices.get(reading, EVERYTHING, given.id).roots) == {proved, second}
        found = devices.by_root(reading, EVERYTHING, second.spki)
        assert found
        assert found.id == given.id
    change(registry, given.id, roots=())
    with registry.read() as reading:
        assert devices.by_root(reading, EVERYTHING, second.spki) is None


@pytest.mark.parametrize("kind", TombstoneKind)
def test_what_a_tombstone_bars_does_not_come_in(registry: Registry, kind: TombstoneKind) -> None:
    root, gone = a_root(), new_id()
    stone = Tombstone(root.spki, kind, gone, 1, DeviceState.RETIRED, THEN)
    with registry.change(OPERATOR) as work:
        tombstones.bury(work, [stone], BECAUSE)
    with pytest.raises(TombstonedError):
        put(registry, a_device(roots=(root,)))
    with registry.change(OPERATOR) as work:
        tombstones.lift(work, [replace(stone, returned_at=THEN)], BECAUSE)
    if kind is TombstoneKind.KEY:  # a key never comes back
        with pytest.raises(TombstonedError):
            put(registry, a_device(roots=(root,)))
        return
    put(registry, a_device(roots=(root,)))
    with registry.read() as reading:
        assert tombstones.of_device(reading, gone) == (replace(stone, returned_at=THEN),)


def test_hardware_retired_again_after_a_return_is_barred_again(registry: Registry) -> None:
    stone = Tombstone(b"\7" * 32, TombstoneKind.ROOT, new_id(), 1, DeviceState.RETIRED, THEN)
    with registry.change(OPERATOR) as work:
        tombstones.bury(work, [stone], BECAUSE)
        tombstones.lift(work, [replace(stone, returned_at=THEN)], BECAUSE)
        tombstones.bury(work, [replace(stone, term=2)], BECAUSE)
    with registry.read() as reading:
        assert [s.term for s in tombstones.barring(reading, [stone.spki])] == [2]


def test_what_belongs_to_others_is_not_there(registry: Registry) -> None:
    ours, theirs = a_tenant(registry, "ours"), a_tenant(registry, "theirs")
    root = a_root()
    foreign = a_device(owner=theirs.owner, trust_domain=theirs.domain, serial="S-1", roots=(root,))
    put(registry, foreign)
    for scope in (ours.scope, NOTHING, Scope(frozenset({Area(theirs.owner, ours.domain)}))):
        with registry.change(OPERATOR) as work:
            with pytest.raises(NotFoundError) as hidden:
                devices.get(work, scope, foreign.id)
            with pytest.raises(NotFoundError) as none:
                devices.get(work, scope, none_such := new_id())
            assert str(hidden.value).replace(str(foreign.id), "") == str(none.value).replace(str(none_such), "")
            with pytest.raises(NotFoundError):
                devices.hold(work, scope, foreign.id)
            assert devices.by_root(work, scope, root.spki) is None
            assert devices.by_serial(work, scope, "s-1") == ()
            assert page(work, scope, DeviceFilter()).items == ()
    for scope in (
        theirs.scope,
        Scope(frozenset({Area(None, theirs.domain)})),
        Scope(frozenset({Area(theirs.owner, theirs.domain)})),
    ):
        with registry.read() as reading:
            assert devices.get(reading, scope, foreign.id).id == foreign.id


def test_a_serial_is_found_in_any_notation_of_it_and_is_no_root(registry: Registry) -> None:
    twins = [a_device(maker="Klimatec GmbH", serial="0048 15"), a_device(maker="KLIMATEC", serial="4815")]
    put(registry, *twins, a_device(maker="Other", serial="4815"))
    with registry.read() as reading:
        assert [d.id for d in devices.by_serial(reading, EVERYTHING, "004815", "klimatec")] == [d.id for d in twins]
        assert len(devices.by_serial(reading, EVERYTHING, "4815")) == 3


def test_an_owner_that_is_not_there_is_refused(registry: Registry) -> None:
    with pytest.raises(UnknownReferenceError):
        put(registry, a_device(owner=new_id()))


def test_custody_stays_with_the_device(registry: Registry) -> None:
    ours, theirs = a_tenant(registry, "ours"), a_tenant(registry, "theirs")
    given = a_device(owner=ours.owner)
    put(registry, given)
    change(registry, given.id, name="no change of custody")
    change(registry, given.id, owner=theirs.owner, term=2)
    with registry.read() as reading:
        (first, one), (second, two) = custody.spans(reading, given.id)
    assert (first.owner, first.until, second.owner, second.until) == (ours.owner, second.since, theirs.owner, None)
    assert one != two


def test_a_forgotten_device_keeps_no_salt_no_text_and_no_description(registry: Registry) -> None:
    given = a_device(name="Erika's pump", roots=(a_root(),))
    put(registry, given)
    change(registry, given.id, name=None, roots=(), forgotten_at=THEN, state=DeviceState.RETIRED)
    with registry.read() as reading:
        assert [row.salt for row in reading.rows(select(device_table.c.salt))] == [None]
        erased = {row.event for row in reading.rows(select(event_text.c.event))}
        events = [event_of(row) for row in reading.rows(select(event).order_by(event.c.sequence))]
    assert len(events) == 2
    assert events[0].id not in erased
    assert events[0].private_digest is not None
    assert change(registry, given.id, term=2).version == 3  # it can still be written


def everything(registry: Registry, sort: DeviceSort, *, descending: bool, limit: int) -> list[object]:
    found: list[object] = []
    after: Place | None = None
    while True:
        with registry.read() as reading:
            part = page(reading, EVERYTHING, DeviceFilter(), sort, descending=descending, after=after, limit=limit)
        found += [(getattr(d, sort.value), d.id) for d in part.items]
        if (after := part.next) is None:
            return found


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", DeviceSort)
def test_pages_give_each_device_once_in_order(registry: Registry, sort: DeviceSort, descending: bool) -> None:
    ours, theirs = a_tenant(registry, "ours"), a_tenant(registry, "theirs")
    owners = [(ours.owner, ours.domain), (None, None), (theirs.owner, theirs.domain)]
    states = [DeviceState.ACTIVE, DeviceState.CLAIMED]
    moments = [None, THEN, THEN, THEN + timedelta(microseconds=1)]
    put(
        registry,
        *(
            a_device(
                owner=owners[n % 3][0],
                trust_domain=owners[n % 3][1],
                state=states[n % 2],
                last_seen=moments[n % 4],
                expires=moments[n % 4],
            )
            for n in range(23)
        ),
    )
    whole = everything(registry, sort, descending=descending, limit=1000)
    assert len({str(entry) for entry in whole}) == 23
    assert everything(registry, sort, descending=descending, limit=4) == whole
    assert everything(registry, sort, descending=descending, limit=1) == whole
    values = [entry for entry in whole if entry[0] is not None]  # type: ignore[index] # pairs
    assert values == sorted(values, reverse=descending)  # type: ignore[type-var] # of one sortable type each


def test_filters_narrow(registry: Registry) -> None:
    ours = a_tenant(registry, "ours")
    put(
        registry,
        a_device(owner=ours.owner, name="owned", expires=THEN),
        a_device(name="seen", last_seen=THEN, state=DeviceState.ACTIVE),
        a_device(name="plain"),
    )

    def names(chosen: DeviceFilter) -> list[str | None]:
        with registry.read() as reading:
            return [d.name for d in page(reading, EVERYTHING, chosen).items]

    later = THEN + timedelta(days=1)
    assert names(DeviceFilter(owner=ours.owner)) == ["owned"]
    assert names(DeviceFilter(unowned=True)) == ["seen", "plain"]
    assert names(DeviceFilter(unowned=True, state=DeviceState.CLAIMED)) == ["plain"]
    assert names(DeviceFilter(expires_before=later)) == ["owned"]
    assert names(DeviceFilter(expires_from=later)) == []
    assert names(DeviceFilter(seen_from=THEN)) == ["seen"]
    assert names(DeviceFilter(seen_before=THEN)) == ["owned", "plain"]
    assert names(DeviceFilter(trust_domain=ours.domain)) == []


def test_a_place_of_another_list_is_refused(registry: Registry) -> None:
    with registry.read() as reading, pytest.raises(ValueError, match="another list"):
        page(reading, EVERYTHING, DeviceFilter(), DeviceSort.STATE, after=(str(new_id()),))


def test_inserting_answers_what_was_written(registry: Registry) -> None:
    with registry.change(OPERATOR) as work:
        given = insert_device(work, a_device(version=9), BECAUSE)
    assert given.version == 1
