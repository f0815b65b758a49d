"""What was permitted becomes rows: the only way in for what a verb does to a device."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete

from tenure.lifecycle.approval import used
from tenure.lifecycle.verdict import Permitted
from tenure.model.access import EVERYTHING
from tenure.model.devices import Device
from tenure.model.events import Cause
from tenure.registry import approvals, campaigns, credentials, obligations, offers, tombstones
from tenure.registry.device_changes import change_device, insert_device
from tenure.registry.devices import Held
from tenure.registry.faults import ConflictError
from tenure.registry.tables.custody import transfer_item
from tenure.registry.work import Work


def carry_out(work: Work, held: Collection[Held], permitted: Permitted, cause: Cause) -> tuple[Device, ...]:
    """Writes all of a permission, in this transaction; answers the devices as they now stand, the verb's own first.

    1. A return notes itself on the tombstones, so that its roots may be written.
    2. The devices, with roots and custody.  3. The tombstones and the campaigns for what siblings share.
    4. Obligations that arise and that are void.  5. The offer, and the approval, which is used up.
    Raises ConflictError when ``held`` lacks a device or it is not as it was judged, and what the parts raise; nothing stays.
    """
    by_id = {each.device.id: each for each in held}
    tombstones.lift(work, permitted.lifted, cause)
    written = []
    for change in permitted.changes:
        if change.before is None:
            written.append(insert_device(work, change.after, cause))
            continue
        found = by_id.get(change.before.id)
        if found is None or found.device != change.before:
            raise ConflictError("device", change.before.id, change.before.version)
        written.append(change_device(work, found, change.after, cause))
    tombstones.bury(work, permitted.tombstones, cause)
    credentials.refuse_former(work, permitted.device.id, permitted.former_keys)
    for key in permitted.shared_keys:
        campaigns.open_for(work, key, permitted.device.id, cause)
    obligations.open_all(work, permitted.opened, cause)
    obligations.void(work, permitted.voided, cause)
    _answer_offer(work, permitted, cause)
    if permitted.approval is not None:
        approvals.change(work, used(approvals.get(work, EVERYTHING, permitted.approval)), cause)
    return tuple(written)


def _answer_offer(work: Work, permitted: Permitted, cause: Cause) -> None:
    if permitted.offer is not None:
        offers.settle(work, permitted.offer, cause)
    if permitted.left_offer is not None:
        item = (transfer_item.c.offer == permitted.left_offer, transfer_item.c.device == permitted.device.id)
        work.write(delete(transfer_item).where(*item))
