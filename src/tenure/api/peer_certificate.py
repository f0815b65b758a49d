"""The client certificate of a TLS connection, from uvicorn to the application.

uvicorn shows applications no peer certificate. Its protocol class does know the transport, so ours reads the
certificate once per connection and puts it into each request's scope in the form of the ASGI TLS extension
(``extensions["tls"]["client_cert_chain"]``, PEM). The handshake has verified it against the anchors of the context.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol


class PeerCertificateProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol, which also shows the peer certificate and never waits for small packets."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None:
            self.app = shown(self.app, tls.getpeercert(binary_form=True), tls.version())


def shown(app: Any, der: bytes | None, version: str | None) -> ASGIApp:
    """The app, with the connection's TLS facts in each scope. Without a certificate the chain is empty."""
    chain = [] if der is None else [ssl.DER_cert_to_PEM_cert(der)]
    facts = {"client_cert_chain": chain, "client_cert_error": None, "tls_version": version}

    async def with_peer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["extensions"] = {**scope.get("extensions", {}), "tls": facts}
        await app(scope, receive, send)

    return with_peer


def peer_certificate(scope: Scope) -> bytes | None:
    """DER of the verified client certificate of a request, where there is one."""
    chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain") or []
    return ssl.PEM_cert_to_DER_cert(chain[0]) if chain else None
