"""What a network sensor in front of the example fleet's broker saw of TLS: Zeek's ssl.log and x509.log as TSV."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tenure.demo.broker_log import LAST
from tenure.demo.cloud import fingerprint
from tenure.demo.fleet import FAR_SITE
from tenure.demo.life import BROKER, BROKER_ADDRESS, TLS_PORT, Session, World

_SSL = {
    "ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr", "id.resp_p": "port",
    "version": "string", "cipher": "string", "server_name": "string", "resumed": "bool", "last_alert": "string",
    "established": "bool", "cert_chain_fps": "vector[string]", "client_cert_chain_fps": "vector[string]",
}  # fmt: skip
_X509 = {
    "ts": "time", "fingerprint": "string", "certificate.version": "count", "certificate.serial": "string",
    "certificate.subject": "string", "certificate.issuer": "string", "certificate.not_valid_before": "time",
    "certificate.not_valid_after": "time", "certificate.key_alg": "string", "certificate.sig_alg": "string",
    "certificate.key_type": "string", "certificate.key_length": "count", "certificate.exponent": "string",
    "certificate.curve": "string", "basic_constraints.ca": "bool", "host_cert": "bool", "client_cert": "bool",
}  # fmt: skip
_SIGNATURES = {"1.2.840.10045.4.3.2": "ecdsa-with-SHA256", "1.2.840.10045.4.1": "ecdsa-with-SHA1"}
_ALPHABET = string.ascii_letters + string.digits


def files(world: World) -> Iterator[tuple[str, bytes]]:
    """The sensor sees the port with TLS only, and in TLS 1.3 no certificate of a client."""
    last = world.moment(LAST)
    seen = [s for s in world.broker if s.certificate and s.device.site != FAR_SITE and s.started < last]
    shown: dict[str, tuple[datetime, x509.Certificate]] = {}
    rows = []
    for session in seen:
        at = session.started - timedelta(milliseconds=40 + world.chance.below(800, "handshake", session.port, session.started))
        chains = _chains(world, session)
        for certificate in (c for chain in chains for c in chain):
            shown.setdefault(fingerprint(certificate), (at, certificate))
        rows.append(_connection(world, session, at, chains))
    yield "zeek/ssl.log", _log("ssl", _SSL, sorted(rows))
    server = {fingerprint(c) for c in _server_chain(world)}
    found = sorted(shown.items(), key=lambda item: (item[1][0], item[0]))
    yield "zeek/x509.log", _log("x509", _X509, [_certificate(at, c, name in server) for name, (at, c) in found])


def _server_chain(world: World) -> list[x509.Certificate]:
    return [world.server.certificate, world.authorities["operations"].certificate]


def _chains(world: World, session: Session) -> tuple[list[x509.Certificate], list[x509.Certificate]]:
    """What server and client showed."""
    held = session.certificate
    if held is None or session.device.tls13:
        return _server_chain(world), []
    above = [world.authorities["operations"].certificate] if held.authority == "operations" else []
    return _server_chain(world), [held.certificate, *above]


def _connection(
    world: World, session: Session, at: datetime, chains: tuple[list[x509.Certificate], list[x509.Certificate]]
) -> list[str]:
    hidden = session.device.tls13
    uid = "".join(_ALPHABET[octet % len(_ALPHABET)] for octet in world.chance.octets(17, "uid", session.port, session.started))
    server, client = (",".join(fingerprint(c) for c in chain) or "-" for chain in chains)
    return [
        _time(at), f"C{uid}", session.address, str(session.port), BROKER_ADDRESS, str(TLS_PORT),
        "TLSv13" if hidden else "TLSv12",
        "TLS_AES_128_GCM_SHA256" if hidden else "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        BROKER, "F", "-", "T", "-" if hidden else server, client,
    ]  # fmt: skip


def _certificate(at: datetime, certificate: x509.Certificate, by_server: bool) -> list[str]:
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    rsa_key = isinstance(key, rsa.RSAPublicKey)
    exponent = str(key.public_numbers().e) if isinstance(key, rsa.RSAPublicKey) else "-"
    authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    return [
        _time(at), fingerprint(certificate), "3", f"{certificate.serial_number:X}", _name(certificate.subject),
        _name(certificate.issuer), _time(certificate.not_valid_before_utc), _time(certificate.not_valid_after_utc),
        "rsaEncryption" if rsa_key else "id-ecPublicKey", _SIGNATURES[certificate.signature_algorithm_oid.dotted_string],
        "rsa" if rsa_key else "ecdsa", str(key.key_size), exponent, "-" if rsa_key else "prime256v1",
        "T" if authority else "F", "F" if authority else "T", "F" if by_server else "T",
    ]  # fmt: skip


def _name(name: x509.Name) -> str:
    """As OpenSSL prints names, which is how Zeek logs them."""
    return name.rfc4514_string().replace("2.5.4.5=", "serialNumber=")


def _time(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}"


def _log(path: str, fields: dict[str, str], rows: Iterable[list[str]]) -> bytes:
    header = ("#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", f"#path\t{path}")
    named = ("\t".join(("#fields", *fields)), "\t".join(("#types", *fields.values())))
    return "\n".join((*header, *named, *("\t".join(row) for row in rows), "")).encode()
