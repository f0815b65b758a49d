"""What opens doors in the example fleet and is no certificate: API tokens, pre-shared keys, SSH host keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tenure.demo.fleet import Device, Token
from tenure.demo.inventory import table
from tenure.demo.keys import host_key
from tenure.demo.life import World, address_of

PSK_FILE = "secrets/psk-identities.csv"
PSK_EXPORTED = 75.0
_TOKENS = (
    "token_id", "sha256_of_token", "device_serial", "created_on", "expires_on", "last_used_on", "revoked_on", "scopes",
)  # fmt: skip
_PSKS = ("psk_identity", "psk_sha256", "device_serial", "created_on", "expires_on", "last_used_on")


def files(world: World) -> Iterator[tuple[str, bytes]]:
    tokens = [_token(world, device, token) for device in world.devices for token in device.tokens]
    yield "secrets/api-tokens.csv", table(_TOKENS, tokens)
    yield PSK_FILE, table(_PSKS, (_psk(world, device) for device in world.devices if device.psk))
    yield "secrets/known_hosts", _known_hosts(world)


def _token(world: World, device: Device, token: Token) -> tuple[str, ...]:
    label = token.shared or f"{device.serial} {device.case} {token.label}"
    return (
        world.token_id(device, token),
        _digest(world, "token", label),
        device.serial,
        _time(world.moment(token.created)),
        "2099-12-31" if token.never else "" if token.expires is None else _time(world.moment(token.expires)),
        "" if token.last_used is None else _time(world.moment(token.last_used)),
        "" if token.revoked is None else _time(world.moment(token.revoked)),
        token.scopes,
    )


def _psk(world: World, device: Device) -> tuple[str, ...]:
    """As the list was when it was exported; it ends long after."""
    last_used = PSK_EXPORTED + world.chance.between(0, 20, "psk used", device.serial)
    moments = (world.moment(ago) for ago in (device.installed, device.installed - 1825, last_used))
    return (device.name, _digest(world, "psk", device.serial), device.serial, *map(_time, moments))


def _digest(world: World, kind: str, label: str) -> str:
    return hashlib.sha256(world.chance.octets(24, kind, label)).hexdigest()


def _known_hosts(world: World) -> bytes:
    """As ``ssh-keyscan`` over names and addresses leaves it: some hosts twice, under their name and under both."""
    lines = ["# ssh-keyscan -t ed25519 -f hosts.txt"]
    for device in world.devices:
        if not device.ssh_key:
            continue
        label = device.ssh_key if device.ssh_key.startswith("shared") else f"{device.serial} {device.case}"
        key = host_key(world.chance, label).public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        lines.append(f"{device.name},{address_of(world.chance, device, 0)} {key}")
        if world.chance.below(4, "alias", device.serial) == 0:
            lines.append(f"{device.name} {key}")
    return ("\n".join(lines) + "\n").encode()


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
