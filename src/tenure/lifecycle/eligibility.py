"""Who may hold an identity: the gate of every issuing path, and the same question about a credential that exists already."""

from __future__ import annotations

from collections.abc import Collection

from tenure.lifecycle.verdict import Code, Refused
from tenure.model.credentials import Credential
from tenure.model.devices import Device, Tombstone
from tenure.model.vocabulary import DeviceState


def barred_from_issue(
    device: Device, key: bytes, tombstones: Collection[Tombstone], former_keys: Collection[bytes], others: Collection[bytes]
) -> Refused | None:
    """Why this device gets no credential for this key; None: it may have one.

    ``tombstones`` by the key and by each hardware root, whichever device they are of; ``former_keys`` of its earlier terms;
    ``others``: keys that other devices have a live credential or a hardware root with.
    """
    if _standing(device) not in (DeviceState.CLAIMED, DeviceState.ACTIVE):
        return Refused(Code.WRONG_STATE, f"a device that is {device.state} gets no credential", "bring it into service first")
    barring = {stone.spki for stone in tombstones if stone.bars}
    if any(root.spki in barring for root in device.roots):
        problem = "a hardware root of this device is not free here"
        return Refused(Code.KEY_REFUSED, problem, "gone hardware comes back by return only")
    if key in former_keys:
        return Refused(Code.KEY_REFUSED, "the key is of an earlier term of this device", "make a new key on the device")
    if key in barring or key in others:  # which of the two is nobody's to learn
        return Refused(Code.KEY_REFUSED, "this key is not free here", "make a key of its own on the device")
    return None


def in_force(device: Device, credential: Credential, tombstones: Collection[Tombstone]) -> bool:
    """Whether a relying party that asks us is told to accept this credential."""
    barring = {stone.spki for stone in tombstones if stone.bars}
    return (
        _standing(device) is DeviceState.ACTIVE
        and credential.device == device.id
        and credential.term == device.term
        and credential.state.usable
        and credential.spki not in barring
        and not any(root.spki in barring for root in device.roots)
    )


def _standing(device: Device) -> DeviceState | None:
    """Where it stands: while it is offered, as before."""
    return device.resumes if device.state is DeviceState.TRANSFERRING else device.state
