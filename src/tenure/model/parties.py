"""Who and what devices belong to: owners, sites, trust domains, device classes. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Owner:
    """An accountable person or team with a contact, and a tenant: owners learn nothing of one another."""

    id: UUID
    name: str
    contact: str
    created_at: datetime
    ended_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Site:
    """Where devices stand. It sorts and reports; no decision on an identity reads it (invariant 10)."""

    id: UUID
    name: str
    owner: UUID | None
    created_at: datetime
    note: str = ""
    ended_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class TrustDomain:
    """Devices and relying parties that accept each other's identities; its name is the SPIFFE trust domain."""

    id: UUID
    name: str
    created_at: datetime
    assurance_floor: int = 0  # 0 to 4; below it compensating controls are obligatory
    ended_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class DeviceClass:
    """A make of devices that are treated alike: what they can sustain and how they change keys."""

    id: UUID
    name: str
    created_at: datetime
    assurance: int = 0  # 0 to 4, the level that its devices can sustain
    hardware: str = "unknown"  # HardwareSecurity
    rotation: str = "unknown"  # Rotation
    policy: UUID | None = None
    ended_at: datetime | None = None
    version: int = 1


Party = Owner | Site | TrustDomain | DeviceClass
