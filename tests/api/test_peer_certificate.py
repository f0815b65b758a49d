"""Mutual TLS through a real uvicorn: the application sees the certificate that was verified, and no other."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from fastapi import APIRouter, FastAPI

from tenure.api.access_table import Permission
from tenure.api.app import framed
from tenure.api.authentication import CertificateDoor, TokenDoor
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Ask
from tenure.api.peer_certificate import PeerCertificateProtocol
from tenure.model.access import Role
from tests.api.frames import DIGEST_KEYS, NOON, World, everywhere


@dataclass(frozen=True)
class Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    file: Path


def pair(folder: Path, name: str, issuer: Pair | None = None) -> Pair:
    """A certificate with its key in one PEM file, signed by the issuer or itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(hours=1))
        .not_valid_after(today + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
        )
    certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    file = folder / f"{name}.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(certificate.public_bytes(Encoding.PEM) + secret)
    return Pair(certificate, key, file)


def app_of(world: World) -> FastAPI:
    router = APIRouter(route_class=GuardedRoute)

    @router.get("/me")
    def me(ask: Ask) -> str:
        return ask.actor.text

    doors = (TokenDoor(world.callers, DIGEST_KEYS), CertificateDoor(world.callers))
    return framed(world.frame(doors=doors), [router], {("GET", "/me"): Permission.READ_DEVICES})


@contextmanager
def served(app: FastAPI, server: Pair, clients: Pair) -> Iterator[str]:
    """A uvicorn on a free port of the loopback, asking clients for certificates but not demanding them."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        http=PeerCertificateProtocol,
        ssl_certfile=server.file,
        ssl_ca_certs=str(clients.file),
        ssl_cert_reqs=ssl.CERT_OPTIONAL,
        log_config=None,
        lifespan="off",
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(running.serve()), daemon=True)
    thread.start()
    while not running.started:
        assert thread.is_alive()
        thread.join(0.01)
    try:
        yield f"https://localhost:{running.servers[0].sockets[0].getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def trusting(server: Pair, own: Pair | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(server.file))
    if own:
        context.load_cert_chain(own.file)
    return context


@pytest.fixture
def world() -> World:
    return World()


def test_each_caller_is_who_its_certificate_or_token_says(world: World, tmp_path: Path) -> None:
    authority = pair(tmp_path, "clients")
    server, known, unknown = pair(tmp_path, "localhost"), pair(tmp_path, "a", authority), pair(tmp_path, "b", authority)
    digest = hashlib.sha256(known.certificate.public_bytes(Encoding.DER)).digest()
    machine = f"token:{world.callers.machine(digest, everywhere(Role.VIEWER))}"
    token = {"Authorization": f"Bearer {world.callers.token(everywhere(Role.VIEWER))}"}
    with served(app_of(world), server, authority) as address:

        def me(own: Pair | None, **headers: str) -> httpx.Response:
            return httpx.get(f"{address}/me", verify=trusting(server, own), headers=headers)

        assert me(known).json() == machine
        assert me(unknown).status_code == 401  # its issuer is trusted in the handshake; that alone lets nobody in
        assert me(None).status_code == 401
        assert me(None, **token).json() != machine
        assert me(known, **token).json() != machine  # who sends a token means the token
        assert me(known, Authorization="Bearer wrong").status_code == 401
        world.callers.machine(digest, everywhere(Role.VIEWER), expires=NOON)
        assert me(known).status_code == 401


def test_a_certificate_of_another_authority_ends_the_handshake(world: World, tmp_path: Path) -> None:
    authority, server = pair(tmp_path, "clients"), pair(tmp_path, "localhost")
    foreign = pair(tmp_path, "foreign", pair(tmp_path, "elsewhere"))
    with served(app_of(world), server, authority) as address, pytest.raises(httpx.TransportError):
        httpx.get(f"{address}/me", verify=trusting(server, foreign))


def test_nobody_says_it_by_a_header(world: World, tmp_path: Path) -> None:
    authority, server = pair(tmp_path, "clients"), pair(tmp_path, "localhost")
    known = pair(tmp_path, "a", authority).certificate
    world.callers.machine(hashlib.sha256(known.public_bytes(Encoding.DER)).digest(), everywhere(Role.VIEWER))
    pem = known.public_bytes(Encoding.PEM).decode().replace("\n", "%0A")
    names = ("X-Client-Cert", "Client-Cert", "X-SSL-Client-Cert", "X-Forwarded-Client-Cert")
    with served(app_of(world), server, authority) as address:
        answer = httpx.get(f"{address}/me", verify=trusting(server), headers=dict.fromkeys(names, pem))
    assert answer.status_code == 401
