"""Devices on the wire."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from tenure.api.shapes.wire import Form, Instant, Sha256, example
from tenure.model.devices import RootKind, RootProof
from tenure.model.vocabulary import DeviceState

TAGGED = {"ETag": {"description": "The version, for If-Match", "schema": {"type": "string"}}}


class RootForm(Form):
    """One key that the hardware keeps."""

    kind: RootKind
    spki: Sha256
    proof: RootProof = Field(description="Whether somebody said so, its maker certified it, or the device proved to hold it")
    proved_at: Instant | None


class DeviceForm(Form):
    """A device. Its id is opaque; maker and serial are a claim, hardware roots are what it is found again by."""

    model_config = example(
        id="019363f0-7c1e-7bb2-8b1a-3c4d5e6f7a8b",
        state="active",
        created_at="2026-11-01T12:00:00Z",
        state_since="2026-11-02T08:30:00Z",
        owner="019363ef-11aa-7c00-9d3e-0a1b2c3d4e5f",
        site=None,
        trust_domain="019363ef-22bb-7c00-9d3e-0a1b2c3d4e5f",
        device_class=None,
        maker="Example Controls",
        model="PLC-4",
        serial="A-1001",
        name="pump-4",
        term=1,
        replaces=None,
        must_rekey=False,
        offer=None,
        forgotten_at=None,
        roots=[{"kind": "ek-ecc", "spki": "3b" * 32, "proof": "proved", "proved_at": "2026-11-01T12:00:00Z"}],
        last_seen="2026-11-20T17:00:00Z",
        expires="2027-02-01T00:00:00Z",
        version=3,
    )

    id: UUID
    state: DeviceState
    created_at: Instant
    state_since: Instant
    owner: UUID | None
    site: UUID | None
    trust_domain: UUID | None
    device_class: UUID | None
    maker: str | None
    model: str | None
    serial: str | None
    name: str | None
    term: int = Field(description="Counts spans of trust: a change of owner and a return start the next, with new keys")
    replaces: UUID | None = Field(description="Whose role it took; never its identity")
    must_rekey: bool = Field(description="It needs new keys before it is active again")
    offer: UUID | None = Field(description="The open transfer it is part of")
    forgotten_at: Instant | None
    roots: tuple[RootForm, ...]
    last_seen: Instant | None
    expires: Instant | None = Field(description="End of the last operational credential to end")
    version: int = Field(description="What If-Match compares")
