"""What a judgement knows: loaded in one transaction, with the device's row held, so that it is still true when it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from tenure.model.credentials import Credential, KeyState
from tenure.model.devices import Device, Tombstone, TransferOffer
from tenure.model.obligations import Obligation
from tenure.model.vocabulary import CredentialRole

Ids: TypeAlias = Callable[[], UUID]

_KEPT_BY_MAKER = frozenset({CredentialRole.BIRTH, CredentialRole.ATTESTATION})
_NOT_ENDED = frozenset({KeyState.PRE_ACTIVE, KeyState.ACTIVE, KeyState.SUSPENDED})


@dataclass(frozen=True, slots=True)
class Ties:
    """What a device holds elsewhere, and who would be hit with it."""

    credentials: tuple[Credential, ...] = ()  # of all terms
    shared: frozenset[bytes] = frozenset()
    """Of its keys (SPKI digests of credentials and roots) and fingerprints, those that another device that is not gone has in
    a credential that has not ended. Whatever bars or ends one of these by itself would cut off the innocent."""
    former: frozenset[bytes] = frozenset()
    """Keys (SPKI digests) that are never again this device's: operational ones of earlier terms, here and elsewhere."""
    grants: tuple[UUID, ...] = ()
    delegations: tuple[UUID, ...] = ()
    registrations: tuple[UUID, ...] = ()
    anchors: tuple[UUID, ...] = ()  # only this device needs them
    relying_parties: tuple[UUID, ...] = ()  # of its trust domain

    @property
    def live(self) -> tuple[Credential, ...]:
        """Not ended yet: a suspended one can be resumed."""
        return tuple(c for c in self.credentials if c.state in _NOT_ENDED)


@dataclass(frozen=True, slots=True)
class Facts:
    """All there is to know about a device that is in the registry."""

    device: Device
    ties: Ties = Ties()
    tombstones: tuple[Tombstone, ...] = ()  # of this device, of all terms
    obligations: tuple[Obligation, ...] = ()  # open ones of this device
    offer: TransferOffer | None = None  # the one ``device.offer`` names
    offer_digest: bytes | None = None  # of the signed offer, where it went elsewhere as a file
    successor: Device | None = None  # for a replacement: the other hardware, if the caller may see it


@dataclass(frozen=True, slots=True)
class Taken:
    """A key that somebody presents as a hardware root, and the device that has it or had it."""

    spki: bytes
    device: UUID
    visible: bool  # to the caller
    gone: bool  # that device is retired or lost: the way back is a return


@dataclass(frozen=True, slots=True)
class ArrivalFacts:
    """All there is to know about a device that is about to come."""

    taken: tuple[Taken, ...] = ()  # of its roots: by root, tombstone that bars, or live credential of another device
    namesakes: tuple[UUID, ...] = ()  # devices the caller may see with the same maker and serial


def kept_by_maker(credential: Credential) -> bool:
    """A birth or attestation credential: its issuer is not ours, so its end is refusal at enrolment."""
    return credential.role in _KEPT_BY_MAKER
