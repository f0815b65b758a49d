"""A credential as a roll knows it, as the registry governs it: under the issuer that signed, ended where a source says so."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tenure.flows.imports.understanding import Unclear
from tenure.model.credentials import Binding, Credential, KeyState
from tenure.model.devices import RootKind
from tenure.model.vocabulary import CredentialKind, CredentialRole, HardwareSecurity
from tenure.roll.adoptable import HeldCredential, KnownDevice

_BACKED = {word.value for word in HardwareSecurity if word.hardware_backed}


def identity(held: HeldCredential) -> tuple[CredentialKind, bytes] | Unclear:
    """What it is found again by: the certificate's hash, the secret's keyed digest, the key."""
    kind = CredentialKind(held.kind)
    told = held.sha256 if kind is CredentialKind.CERTIFICATE else held.digest
    if told is None and kind is CredentialKind.CERTIFICATE:
        return Unclear("it is known by its serial number only", "collect the certificate itself")
    if told is None:
        return Unclear("nothing tells it from another: the source has no digest of it", "export its SHA-256 too")
    return kind, bytes.fromhex(told)


def taken_over(
    device: KnownDevice, held: HeldCredential, id: UUID, to: UUID, issuer: UUID | None, digest_key: str, now: datetime
) -> Credential:
    """``to``: the device in the registry. ``identity`` said yes before."""
    kind = CredentialKind(held.kind)
    public = held.digest if held.digest_kind == "public-key" else None
    state, ended_at, why = _standing(held, now)
    prints = held.sha256 if kind is CredentialKind.CERTIFICATE else held.digest if kind.secret else None
    return Credential(
        id=id,
        kind=kind,
        role=CredentialRole(held.role),
        state=state,
        created_at=now,
        device=to,
        issuer=issuer,
        serial=held.serial_hex,
        spki=None if public is None else bytes.fromhex(public),
        fingerprint=None if prints is None else bytes.fromhex(prints),
        digest_key=digest_key if kind.secret else None,
        binding=_binding(device, kind),
        subject=held.subject if kind is CredentialKind.CERTIFICATE else held.name,
        not_before=held.not_before,
        not_after=held.not_after,
        ended_at=ended_at,
        end_reason=why,
        origin=f"adopted:{held.content_id}",
        last_seen=held.last_used_at,
    )


def root_kind(device: KnownDevice, spki: str) -> RootKind:
    """What keeps a key that linking calls a hardware key: a TPM's endorsement key has an attestation certificate, what a secure
    element keeps is that; any other is taken for the maker's IDevID key."""
    for held in device.credentials:
        if held.digest == spki and held.role == CredentialRole.ATTESTATION:
            return RootKind.EK_RSA if held.algorithm == "rsa" else RootKind.EK_ECC
    return RootKind.SECURE_ELEMENT if device.hardware_security == HardwareSecurity.SECURE_ELEMENT else RootKind.IDEVID


def _standing(held: HeldCredential, now: datetime) -> tuple[KeyState, datetime | None, str | None]:
    """By what its sources say. An end that nobody dates is noted now; what expired has ended then."""
    if held.ended:
        return KeyState.DEACTIVATED, held.ended_at or now, "revoked" if held.revoked_at else "ended by its source"
    if held.expired:
        return KeyState.DEACTIVATED, held.not_after or now, "expired"
    return (KeyState.PRE_ACTIVE if held.not_yet_valid else KeyState.ACTIVE), None, None


def _binding(device: KnownDevice, kind: CredentialKind) -> Binding:
    if kind.secret:
        return Binding.NONE
    return Binding.HARDWARE_CLAIMED if device.hardware_security in _BACKED else Binding.SOFTWARE
