"""``tenure serve``: the registry by HTTP, with its sequencer, shipping and pruning beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from types import FrameType

    import uvicorn

    from tenure.api.assembly import Service
    from tenure.settings import Settings

HELP = """\
Serve the registry by HTTP (docs/api.md).

The first start makes an administrator's token and prints it on standard output, this once. The log goes to standard error,
one JSON object a line. SIGTERM and SIGINT let requests under way end.
"""


def register(app: typer.Typer) -> None:
    app.command(help=HELP)(serve)


def serve(
    settings: Annotated[Path | None, typer.Option(metavar="FILE", help="TOML file of settings (docs/settings.md).")] = None,
    database: Annotated[str | None, typer.Option(metavar="URL", help="The registry, in place of the setting.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on, in place of the setting.")] = None,
    port: Annotated[int | None, typer.Option(help="Port, in place of the setting; 0 takes a free one.")] = None,
    socket: Annotated[Path | None, typer.Option(metavar="PATH", help="A unix socket in place of address and port.")] = None,
) -> None:
    import sys

    from tenure.api.assembly import assembled
    from tenure.settings import load

    named: dict[str, Any] = {"database": database} if database is not None else {}
    listen = {"host": host, "port": port, "socket": socket}
    loaded = load(settings, named | {"listen": {name: value for name, value in listen.items() if value is not None}})
    service = assembled(loaded, sys.stderr)
    try:
        run(service, loaded)
    finally:
        service.close()


def run(service: Service, settings: Settings) -> None:
    """Listens until it is told to stop. The duties begin before the first request and end after the last."""
    import logging
    import signal
    import sys

    import uvicorn

    from tenure.api.logging import library_handler

    logging.basicConfig(handlers=[library_handler(sys.stderr)], level=logging.WARNING, force=True)
    if service.first_token is not None:
        typer.echo(f"administrator's token, shown this once: {service.first_token}")
    signal.signal(signal.SIGTERM, _leave)  # uvicorn ends its requests first, then raises the signal again: this is what it meets
    server = uvicorn.Server(config(service, settings))
    service.duties.start()
    try:
        service.log.info("serving", database=settings.database, host=settings.listen.host, port=settings.listen.port)
        server.run()
    finally:
        service.duties.stop()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def config(service: Service, settings: Settings) -> uvicorn.Config:
    """How uvicorn listens: our protocol class shows client certificates, our trail is the access log."""
    import ssl

    import uvicorn

    from tenure.api.peer_certificate import PeerCertificateProtocol

    listen, tls = settings.listen, settings.tls
    return uvicorn.Config(
        service.app,
        host=listen.host,
        port=listen.port,
        uds=str(listen.socket) if listen.socket else None,
        http=PeerCertificateProtocol,
        ws="none",
        lifespan="off",
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(listen.proxies),
        forwarded_allow_ips=list(listen.proxies),
        ssl_certfile=tls.certificate,
        ssl_keyfile=tls.key,
        ssl_ca_certs=str(tls.clients) if tls.clients else None,
        ssl_cert_reqs=ssl.CERT_OPTIONAL if tls.clients else ssl.CERT_NONE,
        h11_max_incomplete_event_size=settings.limits.header_bytes + settings.limits.target_bytes + 4096,
        limit_concurrency=settings.listen.connections,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=30,
    )
