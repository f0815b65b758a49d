"""``tenure tokens`` and ``tenure people``: who may act, and who answers for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO
from uuid import UUID

import typer

from tenure.cli.connection import Api, on_registry
from tenure.cli.parties import Id, Limit, Name, Reason
from tenure.cli.showing import show_list, show_one
from tenure.errors import TenureError
from tenure.model.access import Role

ROLE_HELP = "A role, everywhere; or within ROLE@owner=ID, ROLE@trust_domain=ID, or both with a comma between. May be repeated."
Roles = Annotated[list[str], typer.Option("--role", metavar="ROLE[@AREA]", help=ROLE_HELP)]
Person = Annotated[UUID | None, typer.Option(metavar="ID", help="Who answers for it; needed for four eyes.")]
Days = Annotated[int | None, typer.Option(min=1, help="How long it is in force. [default: the setting token_days]")]
Certificate = Annotated[str | None, typer.Option(metavar="SHA256", help="Of the client certificate of a machine, in hex.")]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the token there (mode 0600), not to the screen.")]
COLUMNS = ("id", "name", "assignments", "expires_at", "last_used", "ended_at")


def register(app: typer.Typer) -> None:
    tokens = typer.Typer(help="What programs and people act by.", rich_markup_mode=None, no_args_is_help=True)
    tokens.command("list", help="List tokens, ended ones too.")(on_registry(listed))
    tokens.command("show", help="Show one, without its secret.")(on_registry(one))
    tokens.command("create", help="Make one. Its text is shown this once and kept nowhere.")(on_registry(create))
    tokens.command("revoke", help="End one at once, for good.")(on_registry(revoke))
    app.add_typer(tokens, name="tokens")
    people = typer.Typer(help="Accountable people, who stand behind tokens.", rich_markup_mode=None, no_args_is_help=True)
    people.command("add", help="Add one.")(on_registry(add_person))
    people.command("show", help="Show one.")(on_registry(show_person))
    people.command("end", help="They answer for nothing any more: their tokens stop working.")(on_registry(end_person))
    app.add_typer(people, name="people")


def listed(api: Api, limit: Limit = None) -> None:
    show_list(api, api.every("/tokens", limit), COLUMNS)


def one(api: Api, id: Id) -> None:
    show_one(api, api.get(f"/tokens/{id}"))


def create(
    api: Api,
    name: Name,
    role: Roles,
    person: Person = None,
    days: Days = None,
    certificate: Certificate = None,
    out: Out = None,
    reason: Reason = None,
) -> None:
    from datetime import UTC, datetime, timedelta

    from tenure.clock import rfc3339

    with _kept_in(out) as file:
        made = api.post(
            "/tokens",
            name=name,
            assignments=[assignment(text) for text in role],
            person=None if person is None else str(person),
            expires_at=None if days is None else rfc3339(datetime.now(UTC) + timedelta(days=days)),
            certificate=certificate,
            reason=reason,
        )
        if made["token"] is None:  # the first answer was lost on its way, and a repetition has no secret
            fix = f"tenure tokens revoke {made['id']}, and make another"
            raise TenureError(f"token {made['id']} was made, but its text was lost", fix)
        if file is not None:
            file.write(made.pop("token") + "\n")
    show_one(api, made)


@contextmanager
def _kept_in(path: Path | None) -> Iterator[TextIO | None]:
    """A new file for its user alone, there before there is a secret to lose; gone again when none came."""
    import os

    if path is None:
        yield None
        return
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii")
    except FileExistsError:
        raise TenureError(f"{path} is there already", "name a new file") from None
    written = False
    try:
        with file:
            yield file
        written = True
    finally:
        if not written:  # no file stays for a token that never came
            path.unlink()


def assignment(text: str) -> dict[str, Any]:
    """``operator@owner=ID`` as the API takes it. Raises TenureError."""
    role, _, area = text.partition("@")
    if role not in list(Role):
        raise TenureError(f"{role!r} is no role", f"roles are: {', '.join(Role)}")
    parts = dict(part.partition("=")[::2] for part in area.split(",")) if area else {}
    try:
        places = {name: str(UUID(value)) for name, value in parts.items()}
    except ValueError:
        places = {"": ""}
    if not places.keys() <= {"owner", "trust_domain"}:
        raise TenureError(f"{area!r} is no area", "write owner=ID, trust_domain=ID, or both with a comma between")
    return {"role": role, "area": places}


def revoke(api: Api, id: Id, reason: Reason = None) -> None:
    show_one(api, api.post(f"/tokens/{id}/revoke", reason=reason))


def add_person(
    api: Api,
    name: Name,
    contact: Annotated[str, typer.Option(help="How they are reached.")],
    subject: Annotated[str | None, typer.Option(help="As the identity provider names them.")] = None,
    reason: Reason = None,
) -> None:
    show_one(api, api.post("/people", name=name, contact=contact, subject=subject, reason=reason))


def show_person(api: Api, id: Id) -> None:
    show_one(api, api.get(f"/people/{id}"))


def end_person(api: Api, id: Id, reason: Reason = None) -> None:
    show_one(api, api.post(f"/people/{id}/end", reason=reason))
