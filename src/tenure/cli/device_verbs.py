"""``tenure devices VERB``: what can be done to a device. Each is one verb of the API (docs/devices.md, docs/lifecycle.md).

What cannot be undone is done with ``--yes`` alone; without it the command says what it would do, and to what.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from tenure.cli import transfers
from tenure.cli.connection import Api, on_registry, texts
from tenure.cli.parties import Reason, Version
from tenure.cli.showing import show_one
from tenure.errors import TenureError
from tenure.lifecycle.transitions import TABLE
from tenure.model.devices import RootKind, Verb
from tenure.model.vocabulary import DeviceState

Device = Annotated[UUID, typer.Argument(metavar="DEVICE", help="Id of the device.")]
Why = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why. Kept apart from the ledger, which holds a salted digest.")
]
Evidence = Annotated[
    list[Path] | None,
    typer.Option("--evidence", metavar="FILE", help="A record that shows why: its SHA-256 is noted."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this, only say what would be done.")]
Owner = Annotated[UUID, typer.Option("--owner", metavar="ID", help="Whose it is from now on.")]
Domain = Annotated[UUID, typer.Option("--trust-domain", metavar="ID", help="The trust domain it belongs to.")]
AnyOwner = Annotated[UUID | None, typer.Option("--owner", metavar="ID", help="Whose it is.")]
AnyDomain = Annotated[UUID | None, typer.Option("--trust-domain", metavar="ID", help="The trust domain it belongs to.")]
Site = Annotated[UUID | None, typer.Option("--site", metavar="ID", help="Where it stands.")]
Class = Annotated[UUID | None, typer.Option("--device-class", metavar="ID", help="What make it is.")]
Approval = Annotated[UUID | None, typer.Option(metavar="ID", help="What a second person approved (tenure approvals request).")]
ArrivesAs = Annotated[DeviceState, typer.Option(help="manufactured, claimed, active, retired or lost.")]
Roots = Annotated[
    list[str] | None,
    typer.Option("--root", metavar="KIND=SHA256", help=f"A hardware root; kinds: {', '.join(RootKind)}. May be repeated."),
]


def register(group: typer.Typer) -> None:
    group.command("register", help="Register a device.")(on_registry(register_device))
    group.command("claim", help=_help(Verb.CLAIM, "Give it an owner and a trust domain."))(on_registry(claim))
    for verb, text in (
        (Verb.ACTIVATE, "Take it into operation."),
        (Verb.QUARANTINE, "Hold it back for a while."),
        (Verb.RELEASE, "End its quarantine."),
        (Verb.REPORT_LOST, "It is lost or stolen: nothing it holds may be trusted any more."),
        (Verb.RETIRE, "End its life: nothing it holds may be trusted any more."),
    ):
        group.command(_word(verb), help=_help(verb, text))(on_registry(_plain(verb)))
    group.command("replace", help=_help(Verb.REPLACE, "Other hardware takes its role; it retires."))(on_registry(replace))
    group.command("return", help=_help(Verb.RETURN, "Gone hardware comes back, with new keys."))(on_registry(return_))
    group.command("forget", help=_help(Verb.FORGET, "Remove what describes it; tombstones stay."))(on_registry(forget))
    transfers.register(group)


def _word(verb: Verb) -> str:
    return "lost" if verb is Verb.REPORT_LOST else verb.value


def _help(verb: Verb, text: str) -> str:
    rule = TABLE[verb]
    states = f" From {', '.join(sorted(rule.sources))}." if rule.sources else ""
    second = " It takes a second person." if rule.four_eyes else ""
    return f"{text}{states}{second}{' It cannot be undone.' if rule.irreversible else ''}"


def register_device(
    api: Api,
    state: Annotated[
        DeviceState, typer.Option(help="manufactured, claimed, active, retired or lost.")
    ] = DeviceState.MANUFACTURED,
    root: Roots = None,
    owner: AnyOwner = None,
    trust_domain: AnyDomain = None,
    site: Site = None,
    device_class: Class = None,
    maker: Annotated[str | None, typer.Option(help="Who made it.")] = None,
    model: Annotated[str | None, typer.Option(help="Its model.")] = None,
    serial: Annotated[str | None, typer.Option(help="Its serial; a claim, no proof.")] = None,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    reason: Reason = None,
    evidence: Evidence = None,
) -> None:
    told = {"owner": owner, "trust_domain": trust_domain, "site": site, "device_class": device_class}
    roots = [_root(text) for text in root or ()]
    words: dict[str, Any] = {"maker": maker, "model": model, "serial": serial, "name": name, "reason": reason}
    show_one(api, api.post("/devices", state=state, roots=roots, evidence=_digests(evidence), **texts(told), **words))


def _root(text: str) -> dict[str, str]:
    kind, _, spki = text.partition("=")
    if kind not in list(RootKind):
        raise TenureError(f"{kind!r} is no kind of hardware root", f"write KIND=SHA256; kinds are: {', '.join(RootKind)}")
    return {"kind": kind, "spki": spki.lower()}


def claim(
    api: Api,
    device: Device,
    owner: Owner,
    trust_domain: Domain,
    site: Site = None,
    device_class: Class = None,
    reason: Reason = None,
    evidence: Evidence = None,
    version: Version = None,
) -> None:
    told = {"owner": owner, "trust_domain": trust_domain, "site": site, "device_class": device_class}
    _act(api, Verb.CLAIM, device, version, reason, evidence, **texts(told))


def _plain(verb: Verb) -> Callable[..., None]:
    """The command of a verb that takes nothing but a reason and evidence."""
    rule = TABLE[verb]
    if rule.irreversible:

        def ended(
            api: Api, device: Device, reason: Why, evidence: Evidence = None, version: Version = None, yes: Yes = False
        ) -> None:
            if _meant(api, verb, device, yes):
                _act(api, verb, device, version, reason, evidence)

        return ended
    if rule.reason:

        def reasoned(api: Api, device: Device, reason: Why, evidence: Evidence = None, version: Version = None) -> None:
            _act(api, verb, device, version, reason, evidence)

        return reasoned

    def done(api: Api, device: Device, reason: Reason = None, evidence: Evidence = None, version: Version = None) -> None:
        _act(api, verb, device, version, reason, evidence)

    return done


def replace(
    api: Api,
    device: Device,
    by: Annotated[UUID, typer.Option("--by", metavar="DEVICE", help="The hardware that takes its role.")],
    reason: Why,
    evidence: Evidence = None,
    version: Version = None,
    yes: Yes = False,
) -> None:
    if _meant(api, Verb.REPLACE, device, yes):
        _act(api, Verb.REPLACE, device, version, reason, evidence, successor=str(by))


def return_(
    api: Api,
    device: Device,
    reason: Why,
    approval: Approval = None,
    root_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Public key of the hardware root, DER.")] = None,
    signature: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its signature of the challenge of the approval.")
    ] = None,
    owner: AnyOwner = None,
    trust_domain: AnyDomain = None,
    evidence: Evidence = None,
    version: Version = None,
    yes: Yes = False,
) -> None:
    if (root_key is None) != (signature is None):
        raise TenureError("the answer of the hardware is a key and a signature", "give --root-key and --signature")
    answer = None if root_key is None or signature is None else {"spki": _base64(root_key), "signature": _base64(signature)}
    if _meant(api, Verb.RETURN, device, yes):
        told = texts({"owner": owner, "trust_domain": trust_domain, "approval": approval})
        _act(api, Verb.RETURN, device, version, reason, evidence, answer=answer, **told)


def forget(
    api: Api,
    device: Device,
    reason: Why,
    approval: Approval = None,
    evidence: Evidence = None,
    version: Version = None,
    yes: Yes = False,
) -> None:
    if _meant(api, Verb.FORGET, device, yes):
        _act(api, Verb.FORGET, device, version, reason, evidence, **texts({"approval": approval}))


def _meant(api: Api, verb: Verb, device: UUID, yes: bool) -> bool:
    """Whether it is to be done. If not, it is shown what would be done to what; the registry was not asked whether it may."""
    if yes:
        return True
    told, rule = api.get(f"/devices/{device}"), TABLE[verb]
    if told["state"] in rule.sources:
        said = f"would {_word(verb)} this device, which is {told['state']}; it cannot be undone: --yes does it"
    else:
        said = (
            f"a device that is {told['state']} cannot be asked this: {_word(verb)} starts from {', '.join(sorted(rule.sources))}"
        )
    show_one(api, told)
    typer.echo(said, err=True)
    return False


def _act(
    api: Api, verb: Verb, device: UUID, version: int | None, reason: str | None, evidence: list[Path] | None, **told: Any
) -> None:
    show_one(api, api.post(f"/devices/{device}/{verb.value}", version, reason=reason, evidence=_digests(evidence), **told))


def _digests(files: list[Path] | None) -> list[str]:
    from hashlib import file_digest

    found = []
    for path in files or ():
        with path.open("rb") as opened:
            found.append(file_digest(opened, "sha256").hexdigest())
    return found


def _base64(path: Path) -> str:
    from base64 import b64encode

    return b64encode(path.read_bytes()).decode()
