"""The API at a server, by HTTPS; in clear only within this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tenure import __version__
from tenure.cli.connection import Caller, ServiceError
from tenure.errors import TenureError
from tenure.settings import LOOPBACK

PATIENCE = 60.0


@contextmanager
def at_server(server: str, token: str | None, ca_file: Path | None) -> Iterator[Caller]:
    """Raises TenureError for an address that is none, or over which a token would travel in clear."""
    url = _address(server)
    if token is None:
        raise TenureError("a server asks who you are", "give --token-file FILE, or set TENURE_TOKEN")
    headers = {"Authorization": f"Bearer {token}", "User-Agent": f"tenure/{__version__}"}
    with httpx.Client(base_url=url, headers=headers, timeout=PATIENCE, verify=_anchors(ca_file)) as client:

        def call(method: str, path: str, *, params: dict[str, Any], json: Any, headers: dict[str, str]) -> httpx.Response:
            try:
                return client.request(method, path, params=params, json=json, headers=headers)
            except httpx.HTTPError as error:
                problem = f"{server} gives no answer: {error or type(error).__name__}"
                raise ServiceError(problem, "check the address, and that `tenure serve` runs there") from error

        yield call


def _address(server: str) -> httpx.URL:
    try:
        url = httpx.URL(server)
    except httpx.InvalidURL as error:
        raise TenureError(f"{server!r} is no address", "write https://HOST[:PORT]") from error
    if url.scheme not in ("https", "http") or not url.host:
        raise TenureError(f"{server!r} is no address of a server", "write https://HOST[:PORT]")
    if url.scheme == "http" and url.host not in LOOPBACK:
        raise TenureError(f"the token would travel to {url.host} in clear", "write https://")
    return url


def _anchors(ca_file: Path | None) -> Any:
    import ssl

    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise TenureError(f"{ca_file} holds no anchors: {error}", "give a file of PEM certificates") from error
