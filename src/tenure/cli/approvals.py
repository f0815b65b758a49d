"""``tenure approvals`` and ``tenure obligations``: what waits for a second person, and what is still owed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from tenure.cli.connection import Api, on_registry, texts
from tenure.cli.parties import Id, Limit, Reason, Version
from tenure.cli.showing import show_list, show_one
from tenure.model.approvals import ApprovalState

AnyOwner = Annotated[UUID | None, typer.Option("--owner", metavar="ID", help="Of a return: whose it is to be.")]
AnyDomain = Annotated[UUID | None, typer.Option("--trust-domain", metavar="ID", help="Of a return: its trust domain.")]


class FourEyes(StrEnum):
    """Verbs that take a second person."""

    FORGET = "forget"
    RETURN = "return"


COLUMNS = ("id", "verb", "state", "requested_by", "requested_at", "until", "decided_by")


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What waits for a second person.", rich_markup_mode=None, no_args_is_help=True)
    group.command("list", help="List requests.")(on_registry(listed))
    group.command("show", help="Show one, with what is asked.")(on_registry(one))
    group.command("request", help="Ask that a device may be forgotten, or that gone hardware may return.")(on_registry(request))
    group.command("approve", help="Consent, as another person.")(on_registry(approve))
    group.command("refuse", help="Refuse, as another person.")(on_registry(refuse))
    app.add_typer(group, name="approvals")
    owed = typer.Typer(help="What must become true elsewhere.", rich_markup_mode=None, no_args_is_help=True)
    owed.command("list", help="List open obligations.")(on_registry(obligations))
    owed.command("show", help="Show one with its evidence.")(on_registry(obligation))
    app.add_typer(owed, name="obligations")


def listed(
    api: Api, state: Annotated[ApprovalState | None, typer.Option(help="Those in this state.")] = None, limit: Limit = None
) -> None:
    show_list(api, api.every("/approvals", limit, state=None if state is None else state.value), COLUMNS)


def one(api: Api, id: Id) -> None:
    show_one(api, api.get(f"/approvals/{id}"))


def request(
    api: Api,
    verb: Annotated[FourEyes, typer.Argument(help="What is asked for.")],
    device: Annotated[UUID, typer.Argument(metavar="DEVICE", help="Id of the device.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; to the letter as the verb will be asked for.")],
    owner: AnyOwner = None,
    trust_domain: AnyDomain = None,
) -> None:
    told = {"owner": owner, "trust_domain": trust_domain} if verb is FourEyes.RETURN else {}
    show_one(api, api.post("/approvals", verb=verb.value, device=str(device), reason=reason, **texts(told)))


def approve(api: Api, id: Id, reason: Reason = None, version: Version = None) -> None:
    show_one(api, api.post(f"/approvals/{id}/approve", version, reason=reason))


def refuse(api: Api, id: Id, reason: Reason = None, version: Version = None) -> None:
    show_one(api, api.post(f"/approvals/{id}/refuse", version, reason=reason))


def obligations(api: Api, limit: Limit = None) -> None:
    show_list(api, api.every("/obligations", limit), ("id", "device", "kind", "opened_at", "due", "bounded_until"))


def obligation(api: Api, id: Id) -> None:
    show_one(api, api.get(f"/obligations/{id}"))
