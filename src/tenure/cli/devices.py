"""``tenure devices``: found and listed, and what hangs on them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from tenure.cli import device_verbs, import_devices
from tenure.cli.connection import Api, on_registry
from tenure.cli.parties import Limit
from tenure.cli.showing import show_list, show_one
from tenure.errors import TenureError
from tenure.model.vocabulary import DeviceState

COLUMNS = ("id", "state", "name", "maker", "serial", "owner", "trust_domain", "expires", "last_seen")
SORTS = ("id", "state", "owner", "site", "trust_domain", "device_class", "last_seen", "expires")

Device = Annotated[UUID, typer.Argument(metavar="DEVICE", help="Id of the device.")]
State = Annotated[DeviceState | None, typer.Option(help="Those in this state.")]
OfOwner = Annotated[UUID | None, typer.Option("--owner", metavar="ID", help="Those of this owner.")]
Unowned = Annotated[bool, typer.Option("--unowned", help="Those that have no owner.")]
AtSite = Annotated[UUID | None, typer.Option("--site", metavar="ID", help="Those at this site.")]
InDomain = Annotated[UUID | None, typer.Option("--trust-domain", metavar="ID", help="Those in this trust domain.")]
OfClass = Annotated[UUID | None, typer.Option("--device-class", metavar="ID", help="Those of this class.")]
ExpiresBefore = Annotated[str | None, typer.Option(metavar="TIME", help="Those whose last credential ends before.")]
SeenBefore = Annotated[str | None, typer.Option(metavar="TIME", help="Those not seen since; never seen counts.")]
Sort = Annotated[str, typer.Option(metavar="FIELD", help=f"One of: {', '.join(SORTS)}.")]
Descending = Annotated[bool, typer.Option("--descending", help="The other way round.")]
Serial = Annotated[str | None, typer.Option(help="Those that claim this serial, in any notation.")]
Maker = Annotated[str | None, typer.Option(help="With --serial: of this maker.")]
Root = Annotated[str | None, typer.Option("--root", metavar="SHA256", help="The one with this hardware root.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Devices and their lifecycle (docs/devices.md).", rich_markup_mode=None, no_args_is_help=True)
    group.command("list", help="List devices, filtered and sorted.")(on_registry(listed))
    group.command("find", help="Find devices by serial or hardware root.")(on_registry(find))
    group.command("show", help="Show one device.")(on_registry(one))
    group.command("credentials", help="Show the credentials of a device in its present term.")(on_registry(credentials))
    group.command("obligations", help="Show what is owed for a device.")(on_registry(obligations))
    group.command("events", help="Show what was done to a device, newest first.")(on_registry(events))
    device_verbs.register(group)
    import_devices.register(group)
    app.add_typer(group, name="devices")


def listed(
    api: Api,
    state: State = None,
    owner: OfOwner = None,
    unowned: Unowned = False,
    site: AtSite = None,
    trust_domain: InDomain = None,
    device_class: OfClass = None,
    expires_before: ExpiresBefore = None,
    seen_before: SeenBefore = None,
    sort: Sort = "id",
    descending: Descending = False,
    limit: Limit = None,
) -> None:
    if sort not in SORTS:
        raise TenureError(f"devices cannot be sorted by {sort!r}", f"sort by one of: {', '.join(SORTS)}")
    chosen: dict[str, Any] = {
        "state": state,
        "owner": owner,
        "unowned": "true" if unowned else None,
        "site": site,
        "trust_domain": trust_domain,
        "device_class": device_class,
        "expires_before": _instant(expires_before),
        "seen_before": _instant(seen_before),
        "sort": sort,
        "descending": "true" if descending else None,
    }
    query = {name: None if value is None else str(value) for name, value in chosen.items()}
    show_list(api, api.every("/devices", limit, **query), COLUMNS)


def _instant(text: str | None) -> str | None:
    from tenure.clock import instant, rfc3339

    return None if text is None else rfc3339(instant(text))


def find(api: Api, serial: Serial = None, maker: Maker = None, root: Root = None) -> None:
    if (serial is None) == (root is None) or (maker is not None and serial is None):
        raise TenureError("nothing says what to look for", "give --serial (with --maker or without) or --root")
    if root is not None:
        found = [api.get(f"/devices/by-root/{root.lower()}")]
    else:
        found = api.get("/devices/by-serial", serial=serial, maker=maker)
    show_list(api, found, COLUMNS)


def one(api: Api, device: Device) -> None:
    show_one(api, api.get(f"/devices/{device}"))


def credentials(api: Api, device: Device) -> None:
    columns = ("id", "kind", "role", "state", "subject", "not_after", "end_reason", "last_seen")
    show_list(api, api.get(f"/devices/{device}/credentials"), columns)


def obligations(api: Api, device: Device) -> None:
    columns = ("id", "kind", "state", "opened_at", "due", "bounded_until", "settled_at")
    show_list(api, api.get(f"/devices/{device}/obligations"), columns)


def events(api: Api, device: Device, limit: Limit = 100) -> None:
    show_list(api, api.every(f"/devices/{device}/events", limit), ("at", "verb", "actor", "reason", "id"))
