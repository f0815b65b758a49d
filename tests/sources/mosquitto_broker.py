"""A real Mosquitto on the loopback interface, for tests of its log: started by the test, ended by its process id."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PROGRAMS = ("mosquitto", "mosquitto_pub", "mosquitto_sub", "mosquitto_passwd")


def install() -> None:
    """Get the broker and its clients from the distribution, where they are missing."""
    if all(_program(p) for p in PROGRAMS):
        return
    subprocess.run(["apt-get", "install", "-y", "mosquitto", "mosquitto-clients"], check=True, capture_output=True)
    missing = [p for p in PROGRAMS if not _program(p)]
    assert not missing, f"install the packages mosquitto and mosquitto-clients: {', '.join(missing)} not found"


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker: ports for anonymous clients, for passwords and for client certificates."""

    folder: Path
    process: subprocess.Popen[bytes]
    anonymous: int
    password: int
    tls: int

    @property
    def log(self) -> Path:
        return self.folder / "mosquitto.log"

    def tls_options(self, certificate: str | None) -> list[str]:
        options = ["--cafile", str(self.folder / "ca.pem")]
        if certificate:
            options += ["--cert", str(self.folder / f"{certificate}.pem"), "--key", str(self.folder / f"{certificate}.key")]
        return options

    def publish(self, port: int, *options: str) -> int:
        """One message to the broker; the client's exit status."""
        command = [_program("mosquitto_pub") or "", "-h", "127.0.0.1", "-p", str(port), "-t", "t", "-m", "m", *options]
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode

    @contextmanager
    def subscriber(self, port: int, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        """A client that stays; killed on leaving."""
        before = self.log.read_text().count("New client connected")
        command = [_program("mosquitto_sub") or "", "-h", "127.0.0.1", "-p", str(port), "-t", "t", *options]
        client = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.wait_for("New client connected", before + 1)
            yield client
        finally:
            client.kill()
            client.wait()

    def wait_for(self, text: str, times: int = 1, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not self.log.exists() or self.log.read_text().count(text) < times:
            assert time.monotonic() < deadline, f"the broker never wrote {text!r} {times} times"
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


def start(folder: Path, *settings: str) -> Broker:
    """A broker with its files in the folder; ``settings`` are further lines of its configuration."""
    install()
    anonymous, password, tls = (_free_port() for _ in range(3))
    authority = _certificate(folder, "ca", "Test Root", None)
    _certificate(folder, "server", "localhost", authority)
    _certificate(folder, "device", "gw-00007", authority)
    _certificate(folder, "rogue", "rogue", None)
    subprocess.run(
        [_program("mosquitto_passwd") or "", "-c", "-b", str(folder / "passwords"), "alice", "secret"],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "mosquitto.conf").write_text(
        "\n".join(
            [
                "per_listener_settings true", f"log_dest file {folder / 'mosquitto.log'}", *settings,
                f"user {pwd.getpwuid(os.getuid()).pw_name}",
                f"listener {anonymous} 127.0.0.1", "allow_anonymous true",
                f"listener {password} 127.0.0.1", f"password_file {folder / 'passwords'}",
                f"listener {tls} 127.0.0.1", f"cafile {folder / 'ca.pem'}", f"certfile {folder / 'server.pem'}",
                f"keyfile {folder / 'server.key'}", "require_certificate true", "use_identity_as_username true", "",
            ]
        )
    )  # fmt: skip
    process = subprocess.Popen(
        [_program("mosquitto") or "", "-c", str(folder / "mosquitto.conf")],
        env={**os.environ, "TZ": "UTC"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    broker = Broker(folder, process, anonymous, password, tls)
    broker.wait_for("running")
    return broker


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class _Authority:
    name: x509.Name
    key: ec.EllipticCurvePrivateKey


def _certificate(folder: Path, file: str, common_name: str, issuer: _Authority | None) -> _Authority:
    """A key and certificate in files; self-signed without an issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    signer = issuer or _Authority(name, key)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(signer.name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(issuer is None, None), True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]), False)
        .sign(signer.key, hashes.SHA256())
    )
    (folder / f"{file}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / f"{file}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return _Authority(name, key)
