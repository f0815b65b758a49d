"""``tenure devices transfer``: one owner offers devices, the other accepts; each is one transaction for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from tenure.cli import handover
from tenure.cli.connection import Api, on_registry, texts
from tenure.cli.parties import Limit, Reason
from tenure.cli.showing import show_list, show_one
from tenure.model.devices import OfferState

Devices = Annotated[list[UUID], typer.Argument(metavar="DEVICE...", help="Ids of devices of one owner.")]
Offer = Annotated[UUID, typer.Argument(metavar="OFFER", help="Id of the offer.")]
NewOwner = Annotated[UUID, typer.Option("--to", metavar="OWNER", help="Id of the new owner.")]
Until = Annotated[str, typer.Option(metavar="TIME", help="Until when it may be accepted.")]
Domain = Annotated[UUID, typer.Option("--trust-domain", metavar="ID", help="The trust domain they come into.")]
AnyDomain = Annotated[UUID | None, typer.Option("--trust-domain", metavar="ID", help="The only one they may come into.")]
Site = Annotated[UUID | None, typer.Option("--site", metavar="ID", help="Where they stand from now on.")]
State = Annotated[OfferState | None, typer.Option(help="Those in this state.")]
Out = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Save each as a file of its own.", exists=True, file_okay=False)]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this, only say what would be done.")]


def register(group: typer.Typer) -> None:
    transfer = typer.Typer(help="Devices changing hands, in two steps.", rich_markup_mode=None, no_args_is_help=True)
    transfer.command("offer", help="Offer devices to another owner.")(on_registry(offer))
    transfer.command("accept", help="Accept an offer, as the receiver.")(on_registry(accept))
    transfer.command("cancel", help="Take an offer back, or decline it.")(on_registry(cancel))
    transfer.command("list", help="List offers of either party.")(on_registry(offers))
    transfer.command("show", help="Show one offer.")(on_registry(one_offer))
    transfer.command("statements", help="Show the signed statements of your side, and save them.")(on_registry(statements))
    handover.register(transfer)
    group.add_typer(transfer, name="transfer")


def offer(
    api: Api,
    device: Devices,
    to: NewOwner,
    until: Until,
    trust_domain: AnyDomain = None,
    reason: Reason = None,
) -> None:
    from tenure.clock import instant, rfc3339

    told = texts({"to_owner": to, "to_trust_domain": trust_domain})
    until = rfc3339(instant(until))
    show_one(api, api.post("/transfers", devices=list(map(str, device)), until=until, reason=reason, **told))


def accept(api: Api, offer: Offer, trust_domain: Domain, site: Site = None, reason: Reason = None, yes: Yes = False) -> None:
    if not yes:
        told = api.get(f"/transfers/{offer}")
        show_one(api, told)
        typer.echo(f"would accept {len(told['devices'])} devices; it cannot be undone: --yes does it", err=True)
        return
    told = texts({"trust_domain": trust_domain, "site": site})
    show_list(api, api.post(f"/transfers/{offer}/accept", reason=reason, **told), ("id", "state", "owner", "must_rekey"))


def cancel(api: Api, offer: Offer, reason: Reason = None) -> None:
    show_one(api, api.post(f"/transfers/{offer}/cancel", reason=reason))


def offers(api: Api, state: State = None, limit: Limit = None) -> None:
    found = api.every("/transfers", limit, state=None if state is None else state.value)
    show_list(api, found, ("id", "state", "from_owner", "to_owner", "until", "settled_at"))


def one_offer(api: Api, offer: Offer) -> None:
    show_one(api, api.get(f"/transfers/{offer}"))


def statements(api: Api, offer: Offer, out: Out = None) -> None:
    import json
    from base64 import b64decode

    found = api.get(f"/transfers/{offer}/statements")
    told = [json.loads(b64decode(each["payload"])) for each in found]
    if out is not None:
        for each, said in zip(found, told, strict=True):
            (out / f"{UUID(said['device'])}.{said['side']}.json").write_text(json.dumps(each, indent=1) + "\n", "utf-8")
    show_list(api, found if api.as_json else told, ("device", "side", "term", "accepted_at"))
