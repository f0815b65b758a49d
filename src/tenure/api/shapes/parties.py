"""Owners, sites, trust domains and device classes on the wire: as they are, as they are made, and what of them changes."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StrictInt

from tenure.api.shapes.wire import Form, Instant, Line, Order, Reason, example, readable
from tenure.model.vocabulary import HardwareSecurity, Rotation

Note = Annotated[str, Field(max_length=2000), AfterValidator(readable)]
Level = Annotated[StrictInt, Field(ge=0, le=4, description="Assurance, 0 to 4")]
DomainName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=255,
        pattern=r"^[a-z0-9._-]+$",
        description="A SPIFFE trust domain: lower-case letters, digits, dots, dashes, underscores",
        examples=["plant.example"],
    ),
]


class PartyForm(Form):
    """What all four have."""

    id: UUID
    name: str
    created_at: Instant
    ended_at: Instant | None = Field(description="From then on it is not to be used for anything new")
    version: int = Field(description="What If-Match compares")


class OwnerForm(PartyForm):
    """An accountable person or team, and a tenant."""

    model_config = example(
        id="019363ef-11aa-7c00-9d3e-0a1b2c3d4e5f",
        name="Plant operations",
        created_at="2026-11-01T12:00:00Z",
        ended_at=None,
        version=1,
        contact="operations@plant.example",
    )

    contact: str


class SiteForm(PartyForm):
    """Where devices stand; it sorts and reports, and no decision on an identity reads it."""

    owner: UUID | None
    note: str


class TrustDomainForm(PartyForm):
    """Devices and relying parties that accept each other's identities."""

    assurance_floor: int


class DeviceClassForm(PartyForm):
    """A make of devices that are treated alike."""

    assurance: int = Field(description="The level that its devices can sustain, 0 to 4")
    hardware: str
    rotation: str
    policy: UUID | None


class NewOwner(Order):
    name: Line
    contact: Line
    reason: Reason = ""


class NewSite(Order):
    name: Line
    owner: UUID | None = None
    note: Note = ""
    reason: Reason = ""


class NewTrustDomain(Order):
    name: DomainName
    assurance_floor: Level = 0
    reason: Reason = ""


class NewDeviceClass(Order):
    name: Line
    assurance: Level = 0
    hardware: HardwareSecurity = HardwareSecurity.UNKNOWN
    rotation: Rotation = Rotation.UNKNOWN
    reason: Reason = ""


class OwnerChange(Order):
    """What is named changes; what is not stays."""

    name: Line | None = None
    contact: Line | None = None
    reason: Reason = ""


class SiteChange(Order):
    """What is named changes; what is not stays."""

    name: Line | None = None
    note: Note | None = None
    reason: Reason = ""


class TrustDomainChange(Order):
    """What is named changes; what is not stays. Its name is part of every identity in it, and never changes."""

    assurance_floor: Level | None = None
    reason: Reason = ""


class DeviceClassChange(Order):
    """What is named changes; what is not stays."""

    name: Line | None = None
    assurance: Level | None = None
    hardware: HardwareSecurity | None = None
    rotation: Rotation | None = None
    reason: Reason = ""


class Ending(Order):
    reason: Reason = ""
