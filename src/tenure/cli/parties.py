"""``tenure owners``, ``sites``, ``domains``, ``classes``: what devices belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import typer

from tenure.cli.connection import Api, on_registry
from tenure.cli.showing import show_list, show_one
from tenure.model.vocabulary import HardwareSecurity, Rotation

Reason = Annotated[str | None, typer.Option(metavar="TEXT", help="Why. Kept apart from the ledger, which holds a salted digest.")]
Limit = Annotated[int | None, typer.Option(min=1, metavar="N", help="The most that are listed. [default: all]")]
Version = Annotated[int | None, typer.Option(metavar="N", help="Refuse unless it is still at this version.")]
Name = Annotated[str, typer.Argument(help="Its name.")]
NewName = Annotated[str | None, typer.Option("--name", help="Its new name.")]
Id = Annotated[UUID, typer.Argument(metavar="ID", help="Its id.")]
Level = Annotated[int | None, typer.Option(min=0, max=4, help="Assurance, 0 to 4.")]
Contact = Annotated[str, typer.Option(help="How they are reached: an address, a team's mailbox.")]
NewContact = Annotated[str | None, typer.Option("--contact", help="How they are reached.")]
Note = Annotated[str | None, typer.Option(help="A remark.")]
Hardware = Annotated[HardwareSecurity | None, typer.Option(help="What keeps the key of such a device.")]
Rotates = Annotated[Rotation | None, typer.Option("--rotation", help="How such a device changes its credential.")]
SiteOwner = Annotated[UUID | None, typer.Option("--owner", metavar="ID", help="Whose site it is.")]


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the four: its word on the command line and in the API, what it is, and what a list shows of it."""

    word: str
    path: str
    help: str
    columns: tuple[str, ...]


OWNERS = Kind("owners", "/owners", "Accountable people and teams; each is a tenant.", ("id", "name", "contact", "ended_at"))
SITES = Kind("sites", "/sites", "Where devices stand; no decision reads it.", ("id", "name", "owner", "note", "ended_at"))
DOMAINS = Kind(
    "domains", "/trust-domains", "Trust domains: who accepts whose identities.", ("id", "name", "assurance_floor", "ended_at")
)
CLASSES = Kind(
    "classes", "/device-classes", "Makes of devices that are treated alike.", ("id", "name", "assurance", "hardware", "rotation")
)


def register(app: typer.Typer) -> None:
    for kind, add, change in (
        (OWNERS, add_owner, change_owner),
        (SITES, add_site, change_site),
        (DOMAINS, add_domain, change_domain),
        (CLASSES, add_class, change_class),
    ):
        group = typer.Typer(help=kind.help, rich_markup_mode=None, no_args_is_help=True)
        _reading(group, kind)
        group.command("add", help="Add one.")(on_registry(add))
        group.command("change", help="Change what is named; the rest stays.")(on_registry(change))
        _ending(group, kind)
        app.add_typer(group, name=kind.word)


def _reading(group: typer.Typer, kind: Kind) -> None:
    def listed(api: Api, limit: Limit = None) -> None:
        show_list(api, api.every(kind.path, limit), kind.columns)

    def one(api: Api, id: Id) -> None:
        show_one(api, api.get(f"{kind.path}/{id}"))

    group.command("list", help="List them.")(on_registry(listed))
    group.command("show", help="Show one.")(on_registry(one))


def _ending(group: typer.Typer, kind: Kind) -> None:
    def end(api: Api, id: Id, reason: Reason = None, version: Version = None) -> None:
        show_one(api, api.post(f"{kind.path}/{id}/end", version, reason=reason))

    group.command("end", help="Take nothing new for it. What refers to it stays.")(on_registry(end))


def add_owner(api: Api, name: Name, contact: Contact, reason: Reason = None) -> None:
    show_one(api, api.post(OWNERS.path, name=name, contact=contact, reason=reason))


def change_owner(
    api: Api, id: Id, name: NewName = None, contact: NewContact = None, reason: Reason = None, version: Version = None
) -> None:
    show_one(api, api.patch(f"{OWNERS.path}/{id}", version, name=name, contact=contact, reason=reason))


def add_site(api: Api, name: Name, owner: SiteOwner = None, note: Note = None, reason: Reason = None) -> None:
    show_one(api, api.post(SITES.path, name=name, owner=_text(owner), note=note, reason=reason))


def change_site(
    api: Api, id: Id, name: NewName = None, note: Note = None, reason: Reason = None, version: Version = None
) -> None:
    show_one(api, api.patch(f"{SITES.path}/{id}", version, name=name, note=note, reason=reason))


def add_domain(api: Api, name: Name, assurance_floor: Level = None, reason: Reason = None) -> None:
    show_one(api, api.post(DOMAINS.path, name=name, assurance_floor=assurance_floor, reason=reason))


def change_domain(api: Api, id: Id, assurance_floor: Level = None, reason: Reason = None, version: Version = None) -> None:
    show_one(api, api.patch(f"{DOMAINS.path}/{id}", version, assurance_floor=assurance_floor, reason=reason))


def add_class(
    api: Api, name: Name, assurance: Level = None, hardware: Hardware = None, rotation: Rotates = None, reason: Reason = None
) -> None:
    show_one(api, api.post(CLASSES.path, name=name, assurance=assurance, hardware=hardware, rotation=rotation, reason=reason))


def change_class(
    api: Api,
    id: Id,
    name: NewName = None,
    assurance: Level = None,
    hardware: Hardware = None,
    rotation: Rotates = None,
    reason: Reason = None,
    version: Version = None,
) -> None:
    told = {"name": name, "assurance": assurance, "hardware": hardware, "rotation": rotation, "reason": reason}
    show_one(api, api.patch(f"{CLASSES.path}/{id}", version, **told))


def _text(id: UUID | None) -> str | None:
    return None if id is None else str(id)
