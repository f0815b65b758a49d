"""``tenure approvals`` and ``tenure obligations``: what waits for a second person, and what is still owed."""

from __future__ import annotations

from typing import Annotated

import typer

from tenure.cli.connection import Api, on_registry
from tenure.cli.parties import Id, Limit
from tenure.cli.showing import show_list, show_one
from tenure.model.approvals import ApprovalState

COLUMNS = ("id", "verb", "state", "requested_by", "requested_at", "until", "decided_by")


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What waits for a second person.", rich_markup_mode=None, no_args_is_help=True)
    group.command("list", help="List requests.")(on_registry(listed))
    group.command("show", help="Show one, with what is asked.")(on_registry(one))
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


def obligations(api: Api, limit: Limit = None) -> None:
    show_list(api, api.every("/obligations", limit), ("id", "device", "kind", "opened_at", "due", "bounded_until"))


def obligation(api: Api, id: Id) -> None:
    show_one(api, api.get(f"/obligations/{id}"))
