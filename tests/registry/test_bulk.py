"""Bulk load: all rows or none, one event for each batch, each row provable, nothing past a tombstone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select

from tenure.ledger.tree import leaf_hash, root_of
from tenure.lifecycle.facts import Taken
from tenure.model import identifiers
from tenure.model.access import EVERYTHING, NOTHING
from tenure.model.devices import Tombstone, TombstoneKind
from tenure.model.events import Cause, value_digest
from tenure.model.vocabulary import DeviceState
from tenure.registry import custody, devices, tombstones
from tenure.registry.bulk import batch_row, claimed, load_rows, loading
from tenure.registry.facts import taken
from tenure.registry.faults import NotFoundError, RegistryError, TombstonedError
from tenure.registry.registry import Registry
from tenure.registry.tables.devices import device as device_table
from tenure.registry.tables.devices import hardware_root
from tenure.registry.tables.ledger import event
from tenure.registry.work import counted
from tests.registry.healthy import BECAUSE, OPERATOR, THEN, a_device, a_root, a_tenant, change, new_id, put

IMPORT = Cause("import", "fleet.csv")


def tree(leaves: Sequence[bytes]) -> bytes:
    return root_of([leaf_hash(leaf) for leaf in leaves])


def test_what_was_loaded_is_like_what_was_put_in(registry: Registry) -> None:
    ours = a_tenant(registry, "ours")
    given = [
        a_device(
            owner=ours.owner,
            trust_domain=ours.domain,
            name='tab\there, "quotes", back\\slash and \nnewline',
            serial=f"S-{n}",
            last_seen=THEN if n % 2 else None,
            roots=(a_root(),) if n % 3 else (),
        )
        for n in range(50)
    ]
    with registry.change(OPERATOR) as work, loading(work, tree) as load:
        load.add(given[:30], "fleet.csv 1-30", IMPORT)
        load.add(given[30:], "fleet.csv 31-50", IMPORT)
    with registry.read() as reading:
        assert devices.get_many(reading, EVERYTHING, [d.id for d in given]) == tuple(sorted(given, key=lambda d: d.id))
        assert custody.spans(reading, given[0].id)[0][0].owner == ours.owner
        imports = reading.rows(select(event).where(event.c.verb == "import").order_by(event.c.sequence))
        assert [row.subject_kind for row in imports] == ["batch", "batch"]


def test_each_row_is_proved_by_its_batch_also_after_it_changed(registry: Registry) -> None:
    given = [a_device(name=f"n{n}") for n in range(7)]
    with registry.change(OPERATOR) as work, loading(work, tree) as load:
        load.add(given, "part 1", IMPORT)
    with registry.read() as reading:
        salt = reading.rows(select(device_table.c.salt).where(device_table.c.id == given[4].id))[0].salt
    change(registry, given[4].id, name="changed")
    with registry.read() as reading:
        found = batch_row(reading, EVERYTHING, given[4].id)
        assert found
        assert found.number == 4
        assert found.digests[4] == value_digest(salt, given[4])
        event_row = reading.rows(select(event).where(event.c.subject == str(found.batch)))[0]
        assert event_row.after == found.root == tree(found.digests)
        changed = reading.rows(select(event).where(event.c.subject == str(given[4].id)))[0]
        assert changed.before == found.digests[4]


def test_a_device_that_came_alone_is_in_no_batch_and_a_foreign_one_is_not_there(registry: Registry) -> None:
    alone = a_device()
    put(registry, alone)
    with registry.read() as reading:
        assert batch_row(reading, EVERYTHING, alone.id) is None
        with pytest.raises(NotFoundError):
            batch_row(reading, a_tenant(registry, "ours").scope, alone.id)


@pytest.mark.parametrize("wrong", ["taken", "twice", "owner"])
def test_one_bad_row_and_nothing_stays(registry: Registry, wrong: str) -> None:
    taken = a_root()
    put(registry, a_device(roots=(taken,)))
    given = [a_device(roots=(a_root(),)) for _ in range(5)]
    bad = {"taken": {"roots": (taken,)}, "twice": {"roots": given[0].roots}, "owner": {"owner": new_id()}}[wrong]
    given[3] = replace(given[3], **bad)  # type: ignore[arg-type] # one field of each kind
    with pytest.raises(RegistryError, match="part 1"), registry.change(OPERATOR) as work, loading(work, tree) as load:
        load.add(given, "part 1", IMPORT)
    with registry.read() as reading:
        assert (counted(reading, device_table), counted(reading, hardware_root), counted(reading, event)) == (1, 1, 1)


def test_roots_that_are_not_free_are_told_beforehand_whichever_they_are(registry: Registry) -> None:
    held, barred, free = a_root(), a_root(), a_root()
    ours = a_tenant(registry, "ours")
    device = a_device(owner=ours.owner, trust_domain=ours.domain, roots=(held,))
    put(registry, device)
    gone = new_id()
    with registry.change(OPERATOR) as work:
        tombstones.bury(work, [Tombstone(barred.spki, TombstoneKind.ROOT, gone, 1, DeviceState.LOST, THEN)], BECAUSE)
    with registry.read() as reading:
        found = taken(reading, ours.scope, [held.spki, free.spki, barred.spki])
        assert set(found) == {Taken(held.spki, device.id, True, False), Taken(barred.spki, gone, False, True)}
        assert {each.visible for each in taken(reading, NOTHING, [held.spki])} == {False}


def test_serials_that_are_claimed_are_told_within_the_scope(registry: Registry) -> None:
    ours, theirs = a_tenant(registry, "ours"), a_tenant(registry, "theirs")
    device = a_device(owner=ours.owner, trust_domain=ours.domain, maker="Example Controls GmbH", serial="0042")
    put(registry, device)
    key = (identifiers.maker(device.maker) or "", identifiers.serial(device.serial) or "")
    with registry.read() as reading:
        assert claimed(reading, ours.scope, {key, ("other maker", key[1])}) == {key: device.id}
        assert claimed(reading, theirs.scope, {key}) == {}


def test_what_is_buried_while_the_load_runs_does_not_get_in(registry: Registry) -> None:
    root = a_root()
    stone = Tombstone(root.spki, TombstoneKind.KEY, new_id(), 1, DeviceState.RETIRED, THEN)

    def bury() -> None:
        with registry.change(OPERATOR) as work:
            tombstones.bury(work, [stone], BECAUSE)

    if registry.engine.dialect.name == "sqlite":  # one writer at a time: before it or after it
        bury()

    def load_while_it_is_buried() -> None:
        with registry.change(OPERATOR) as work, loading(work, tree) as load:
            load.add([a_device(roots=(root,))], "part 1", IMPORT)
            if work.postgres:
                other = threading.Thread(target=bury)
                other.start()
                other.join()

    with pytest.raises(TombstonedError):
        load_while_it_is_buried()
    with registry.read() as reading:
        assert counted(reading, device_table) == 0


def test_nothing_is_loaded_from_nothing(registry: Registry) -> None:
    with registry.change(OPERATOR) as work:
        load_rows(work, device_table, [])
