"""``tenure webhooks``: who outside is told of events."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from tenure.cli.connection import Api, on_registry, texts
from tenure.cli.parties import Id, Limit, Reason
from tenure.cli.showing import show_list, show_one

Url = Annotated[str, typer.Argument(metavar="URL", help="Where it receives: https://host/path.")]
Owner = Annotated[UUID | None, typer.Option(metavar="ID", help="Hear of devices of this owner alone.")]
Domain = Annotated[UUID | None, typer.Option("--domain", metavar="ID", help="Hear of devices in this trust domain alone.")]
Verbs = Annotated[list[str] | None, typer.Option("--verb", metavar="VERB", help="Hear of this verb alone. May be repeated.")]
Since = Annotated[int | None, typer.Option(min=0, metavar="N", help="Hear from this ledger position on. [default: from now on]")]
COLUMNS = ("id", "url", "owner", "trust_domain", "verbs", "enabled")
LETTER = ("event", "position", "attempts", "since", "last_answer")


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Who outside is told of events (docs/webhooks.md).", rich_markup_mode=None, no_args_is_help=True)
    group.command("list", help="List them.")(on_registry(listed))
    group.command("show", help="Show one, and how much was not delivered to it.")(on_registry(one))
    group.command("add", help="Tell a receiver of events, signed.")(on_registry(add))
    group.command("dead", help="List its dead letters.")(on_registry(dead))
    group.command("resend", help="Make due at once what was not delivered, dead letters too.")(on_registry(resend))
    group.command("pause", help="Tell it nothing for now; it keeps its place.")(on_registry(pause))
    group.command("resume", help="Tell it what it missed, and go on.")(on_registry(resume))
    group.command("remove", help="Remove it, with its letters.")(on_registry(remove))
    app.add_typer(group, name="webhooks")


def listed(api: Api, limit: Limit = None) -> None:
    show_list(api, api.every("/webhooks", limit), COLUMNS)


def one(api: Api, id: Id) -> None:
    show_one(api, api.get(f"/webhooks/{id}"))


def add(
    api: Api, url: Url, owner: Owner = None, domain: Domain = None, verb: Verbs = None, since: Since = None, reason: Reason = None
) -> None:
    area = texts({"owner": owner, "trust_domain": domain})
    show_one(api, api.post("/webhooks", url=url, verbs=verb or [], since=since, reason=reason, **area))


def dead(api: Api, id: Id, limit: Limit = None) -> None:
    show_list(api, api.every(f"/webhooks/{id}/dead", limit), LETTER)


def resend(api: Api, id: Id, reason: Reason = None) -> None:
    show_one(api, api.post(f"/webhooks/{id}/resend", reason=reason))


def pause(api: Api, id: Id, reason: Reason = None) -> None:
    show_one(api, api.post(f"/webhooks/{id}/pause", reason=reason))


def resume(api: Api, id: Id, reason: Reason = None) -> None:
    show_one(api, api.post(f"/webhooks/{id}/resume", reason=reason))


def remove(api: Api, id: Id, reason: Reason = None) -> None:
    show_one(api, api.post(f"/webhooks/{id}/remove", reason=reason))
