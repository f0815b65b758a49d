"""Devices: found and listed."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field

from tenure.api.access_table import V1
from tenure.api.conditional import etag, unchanged
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Ask, Paged, Records
from tenure.api.problem import BAD_CURSOR, NOT_FOUND, documented
from tenure.api.shapes.credentials import CredentialForm
from tenure.api.shapes.devices import TAGGED, DeviceForm
from tenure.api.shapes.wire import HexSha256, Instant, Line, Order, Page, Paging
from tenure.model.vocabulary import DeviceState
from tenure.registry import credentials, device_lists, devices
from tenure.registry.device_lists import DeviceFilter, DeviceSort
from tenure.registry.faults import NotFoundError

router = APIRouter(prefix=f"{V1}/devices", route_class=GuardedRoute, tags=["devices"])


class DeviceQuery(Paging):
    """Which devices, in which order."""

    state: DeviceState | None = None
    owner: UUID | None = None
    unowned: bool = Field(default=False, description="Those that have no owner")
    site: UUID | None = None
    trust_domain: UUID | None = None
    device_class: UUID | None = None
    expires_before: Instant | None = None
    expires_from: Instant | None = None
    seen_before: Instant | None = Field(default=None, description="Never seen counts")
    seen_from: Instant | None = None
    sort: DeviceSort = DeviceSort.ID
    descending: bool = False

    def filter(self) -> DeviceFilter:
        return DeviceFilter(**{field.name: getattr(self, field.name) for field in fields(DeviceFilter)})


@router.get("", summary="Devices, filtered and sorted, page by page", responses=documented(BAD_CURSOR))
def listed(ask: Ask, pager: Paged, registry: Records, query: Annotated[DeviceQuery, Query()]) -> Page[DeviceForm]:
    after = pager.after(query.cursor)
    with registry.read() as reading:
        page = device_lists.page(
            reading, ask.scope, query.filter(), query.sort, descending=query.descending, after=after, limit=query.limit
        )
    return Page(items=[DeviceForm.model_validate(device) for device in page.items], next=pager.next(page.next))


@router.get("/by-root/{spki}", summary="The device that a hardware root belongs to", responses=documented(NOT_FOUND))
def of_root(ask: Ask, registry: Records, spki: HexSha256) -> DeviceForm:
    with registry.read() as reading:
        found = devices.by_root(reading, ask.scope, bytes.fromhex(spki))
    if found is None:
        raise NotFoundError("device with hardware root", spki)
    return DeviceForm.model_validate(found)


class SerialQuery(Order):
    serial: Line
    maker: Line | None = None


@router.get("/by-serial", summary="Devices that claim a serial, in any notation: at most 100 of them")
def of_serial(ask: Ask, registry: Records, query: Annotated[SerialQuery, Query()]) -> list[DeviceForm]:
    with registry.read() as reading:
        found = devices.by_serial(reading, ask.scope, query.serial, query.maker)
    return [DeviceForm.model_validate(device) for device in found]


@router.get(
    "/{device}",
    summary="One device",
    responses={200: {"headers": TAGGED}, 304: {"description": "It is still the version you have"}, **documented(NOT_FOUND)},
)
def one(
    ask: Ask, registry: Records, device: UUID, response: Response, if_none_match: Annotated[str | None, Header()] = None
) -> DeviceForm:
    with registry.read() as reading:
        found = devices.get(reading, ask.scope, device)
    response.headers["ETag"] = etag(found.version)
    if unchanged(if_none_match, found.version):
        return Response(status_code=304, headers={"ETag": etag(found.version)})  # type: ignore[return-value]  # no body
    return DeviceForm.model_validate(found)


@router.get(
    "/{device}/credentials",
    summary="Credentials of a device in its present term, oldest first",
    description="What it held in former terms was another's: it shows only to who may see everything.",
    responses=documented(NOT_FOUND),
)
def credentials_of(ask: Ask, registry: Records, device: UUID) -> list[CredentialForm]:
    with registry.read() as reading:
        term = devices.get(reading, ask.scope, device).term
        found = credentials.of_device(reading, device)
    return [CredentialForm.model_validate(each) for each in found if each.term == term or ask.scope.whole]
