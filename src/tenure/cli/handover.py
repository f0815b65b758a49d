"""``tenure devices transfer offer-file`` and its two siblings: a device goes to another Tenure by signed files. The key that
signs lies on this machine, so these commands work on the database, never at a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tenure.cli.database import Here, local_actor, on_database
from tenure.errors import TenureError

if TYPE_CHECKING:
    from tenure.lifecycle.envelope import Signer
    from tenure.lifecycle.handover import Party
    from tenure.model.devices import Device
    from tenure.registry.registry import Registry

Devices = Annotated[
    list[UUID], typer.Argument(metavar="DEVICE...", help="Ids of devices of one owner, each with a hardware root.")
]
Instance = Annotated[UUID, typer.Option("--instance", metavar="ID", help="Id of the other Tenure, as it told you.")]
Key = Annotated[str, typer.Option("--key", metavar="HEX", help="Its handover key, compared with itself out of band.")]
Until = Annotated[str, typer.Option(metavar="TIME", help="Until when it may be accepted; it cannot be called back before.")]
Out = Annotated[Path, typer.Option(metavar="FILE", help="Where the signed file goes; a new one.")]
OfferFile = Annotated[Path, typer.Argument(metavar="OFFER", help="The signed offer.", exists=True, dir_okay=False)]
Acceptance = Annotated[Path, typer.Argument(metavar="ACCEPTANCE", help="The signed acceptance.", exists=True, dir_okay=False)]
Owner = Annotated[UUID, typer.Option(metavar="ID", help="Id of their owner here.")]
Domain = Annotated[UUID, typer.Option("--trust-domain", metavar="ID", help="The trust domain they come into.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept with the event.")]


def register(transfer: typer.Typer) -> None:
    transfer.command("party", help="Say who this Tenure is to others: its id, and the key it signs with.")(on_database(party))
    transfer.command("offer-file", help="Offer devices to an owner in another Tenure, by a signed file.")(on_database(offer_file))
    transfer.command("accept-file", help="Accept a signed offer of another Tenure; answer by a signed file.")(
        on_database(accept_file)
    )
    transfer.command("complete", help="Take the signed acceptance: the devices leave this Tenure.")(on_database(complete))


def party(here: Here) -> None:
    from tenure.cli.screen import show
    from tenure.flows.devices.handover import ourselves

    with _signing(here) as (registry, signer), registry.read() as reading:
        us = ourselves(reading, signer)
    show(f"instance  {us.instance}\nkey       {us.key.hex()}\n")


def offer_file(here: Here, device: Devices, instance: Instance, key: Key, until: Until, out: Out, reason: Reason = "") -> None:
    from tenure.clock import instant
    from tenure.flows.devices.handover import offer_away

    with _signing(here) as (registry, signer):
        to, end = _party(instance, key), instant(until)
        made = offer_away(registry, local_actor(), signer, device, to, end, reason, _writer(out))
    typer.echo(f"offer {made.id} of {len(made.devices)} devices: send {out} to the receiver", err=True)


def accept_file(
    here: Here, offer: OfferFile, instance: Instance, key: Key, owner: Owner, trust_domain: Domain, out: Out, reason: Reason = ""
) -> None:
    from tenure.flows.devices import handover

    with _signing(here) as (registry, signer):
        giver, into = _party(instance, key), (owner, trust_domain)
        taken = handover.accept_file(registry, local_actor(), signer, offer.read_bytes(), giver, into, reason, _writer(out))
    _told(taken)
    typer.echo(f"send {out} to the giver; each device needs a new key before it is active", err=True)


def complete(here: Here, offer: OfferFile, acceptance: Acceptance, reason: Reason = "") -> None:
    from tenure.flows.devices import handover

    with _signing(here) as (registry, signer):
        left = handover.complete(registry, local_actor(), signer, offer.read_bytes(), acceptance.read_bytes(), reason)
    _told(left)


@contextmanager
def _signing(here: Here) -> Iterator[tuple[Registry, Signer]]:
    from tenure.wiring.own_keys import custody_of, handover_signer

    with here.registry() as registry:
        yield registry, handover_signer(custody_of(registry, here.settings))


def _party(instance: UUID, key: str) -> Party:
    from tenure.lifecycle.handover import Party

    try:
        raw = bytes.fromhex(key)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise TenureError("the key of the other party is not 64 hex digits", "`tenure devices transfer party` there shows it")
    return Party(instance, raw)


def _writer(out: Path) -> Callable[[bytes], None]:
    def write(file: bytes) -> None:
        try:
            with out.open("xb") as target:
                target.write(file)
        except OSError as error:
            raise TenureError(
                f"{out} cannot be written: {error.strerror}", "name a new file in a folder that is yours"
            ) from error

    return write


def _told(devices: Sequence[Device]) -> None:
    from tenure.cli.screen import show

    show("".join(f"{device.id}  {device.state}\n" for device in devices))
