"""How a command reaches the registry: on its database in this process, or at a server. The API is the same, and so is what comes.

``on_registry`` gives a command the options for it and hands it an ``Api``. Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol
from uuid import UUID

import typer

from tenure.errors import TenureError

if TYPE_CHECKING:
    import httpx

V1 = "/api/v1"
PAGE = 500
TRIES = 3

Server = Annotated[
    str | None, typer.Option(metavar="URL", envvar="TENURE_SERVER", help="Ask this server; without it, the database itself.")
]
TokenFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="File with the token to act by. [default: $TENURE_TOKEN holds it]")
]
CaFile = Annotated[Path | None, typer.Option(metavar="FILE", help="PEM anchors of the server, in place of the system's.")]
Database = Annotated[str | None, typer.Option(metavar="URL", help="The registry's database, in place of the setting.")]
SettingsFile = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="TOML file of settings (docs/settings.md).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, as the API gives it.")]
OPTIONS: dict[str, Any] = {
    "server": Server,
    "token_file": TokenFile,
    "ca_file": CaFile,
    "database": Database,
    "settings": SettingsFile,
    "as_json": AsJson,
}


class ServiceError(TenureError):
    """The registry gives no answer, or none that tells what became of the request."""


class RefusedError(TenureError):
    """The registry refuses. ``kind`` is the last part of the type of its problem document."""

    def __init__(self, problem: str, fix: str, kind: str) -> None:
        super().__init__(problem, fix)
        self.kind = kind


class Caller(Protocol):
    """Sends one request. Raises ServiceError when no answer came."""

    def __call__(
        self, method: str, path: str, *, params: dict[str, Any], json: Any, headers: dict[str, str]
    ) -> httpx.Response: ...


@dataclass(frozen=True, slots=True)
class Api:
    """The API as a command uses it."""

    call: Caller
    as_json: bool

    def get(self, path: str, **query: Any) -> Any:
        """Raises RefusedError, ServiceError."""
        return self._asked("GET", path, query=query).json()

    def text(self, path: str) -> bytes:
        """An answer that is a file of its own."""
        return self._asked("GET", path).content

    def every(self, path: str, limit: int | None, **query: Any) -> Iterator[dict[str, Any]]:
        """The items of a list, page by page, ``limit`` at most."""
        left, cursor = limit, None
        while left is None or left > 0:
            page = self.get(path, **query, limit=PAGE if left is None else min(PAGE, left), cursor=cursor)
            yield from page["items"]
            left = None if left is None else left - len(page["items"])
            if (cursor := page["next"]) is None:
                return

    def post(self, path: str, version: int | None = None, **body: Any) -> Any:
        """One change, made once: it carries a key under which it is sent again when no answer came.

        ``version``: on which the caller decided; None: on whatever it is now.
        """
        return self._changed("POST", path, version, body)

    def patch(self, path: str, version: int | None = None, **body: Any) -> Any:
        return self._changed("PATCH", path, version, body)

    def _changed(self, method: str, path: str, version: int | None, body: dict[str, Any]) -> Any:
        from uuid import uuid4

        headers = {"If-Match": "*" if version is None else f'"v{version}"'}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        told = {name: value for name, value in body.items() if value is not None}
        return self._asked(method, path, body=told, headers=headers, tries=TRIES if method == "POST" else 1).json()

    def _asked(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        tries: int = TRIES,
    ) -> httpx.Response:
        import time

        params = {name: value for name, value in (query or {}).items() if value is not None and value is not False}
        for attempt in range(1, tries + 1):
            try:
                answer = self.call(method, V1 + path, params=params, json=body, headers=headers or {})
            except ServiceError:
                if attempt == tries:
                    raise
            else:
                if answer.status_code not in (429, 503) or attempt == tries:
                    return _checked(answer)
            time.sleep(0.2 * attempt)
        raise AssertionError("the last try answers or raises")


def _checked(answer: httpx.Response) -> httpx.Response:
    """Raises RefusedError for what is the request's fault, ServiceError for what is the server's."""
    if answer.is_success:
        return answer
    try:
        told = answer.json()
        problem, fix, kind = told["detail"], told["fix"], told["type"].rsplit("/", 1)[-1]
        problem += "".join(f"; {flaw['where']}: {flaw['what']}" for flaw in told.get("errors", ()))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ServiceError(
            f"an answer that is none of Tenure's: {answer.status_code}", "check the address of the server"
        ) from None
    if answer.status_code >= 500 or answer.status_code == 429:
        raise ServiceError(problem, fix)
    raise RefusedError(problem, fix, kind)


@contextmanager
def connected(
    server: str | None, token_file: Path | None, ca_file: Path | None, database: str | None, settings: Path | None
) -> Iterator[Caller]:
    """Raises TenureError when settings, token, database or keys cannot be used. No connection to a server is made yet."""
    token = _token(token_file)
    if server is not None:
        if database is not None:
            raise TenureError("--server and --database name two registries", "give one of them")
        from tenure.cli.remote import at_server

        with at_server(server, token, ca_file) as call:
            yield call
        return
    from tenure.cli.embedded import on_database

    with on_database(database, settings, token) as call:
        yield call


def _token(file: Path | None) -> str | None:
    import os

    if file is None:
        return os.environ.get("TENURE_TOKEN") or None
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TenureError(f"the token in {file} cannot be read: {error}", "check the path and its permissions") from error
    if not text:
        raise TenureError(f"{file} is empty", "put the token into it")
    return text


def on_registry(command: Callable[..., None]) -> Callable[..., None]:
    """A command of ``(api, ...)`` as one of ``(..., --server, --token-file, --database ...)``."""

    def run(where: dict[str, Any], given: dict[str, Any]) -> None:
        as_json = where.pop("as_json")
        with connected(**where) as call:
            command(Api(call, as_json), **given)

    return with_options(command, OPTIONS, run)


def with_options(
    command: Callable[..., None], options: dict[str, Any], run: Callable[[dict[str, Any], dict[str, Any]], None]
) -> Callable[..., None]:
    """A command whose first parameter comes out of these options: ``run`` gets their values, then those of the command."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False if kind is AsJson else None, annotation=kind)
        for name, kind in options.items()
    ]
    parameters = [*(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own), *more]

    def whole(**given: Any) -> None:
        run({name: given.pop(name) for name in options}, given)

    whole.__name__, whole.__doc__ = command.__name__, command.__doc__
    whole.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what inspect reads
    whole.__annotations__ = {each.name: each.annotation for each in parameters}
    return whole


def texts(told: dict[str, UUID | None]) -> dict[str, Any]:
    """Ids as the API takes them."""
    return {name: None if value is None else str(value) for name, value in told.items()}
