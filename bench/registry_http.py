"""As ``registry_scale``, through HTTP: what one request costs among 10 devices and among 10,000,000.

python -m bench.registry_http [sqlite|postgresql|both] [DEVICES]

`tenure serve`, a process for each registry, on a unix socket, asked with a token by one client, one request at a time.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench._many_devices import device_id, serial
from bench.registry_scale import asked, compare

LIMITS = {
    f"TENURE_LIMITS__{name}": "1000000" for name in ("ADDRESS_PER_SECOND", "ADDRESS_BURST", "CALLER_PER_SECOND", "CALLER_BURST")
}


@contextmanager
def served(url: str) -> Iterator[httpx.Client]:
    """A client of a server of its own, as its first administrator."""
    with tempfile.TemporaryDirectory(prefix="tenure-http-", dir="/tmp") as made:
        folder = Path(made)
        socket, said = folder / "socket", folder / "out"
        environment = os.environ | LIMITS | {"TENURE_DATABASE": url, "TENURE_KEYS": str(folder / "keys")}
        with said.open("wb") as out, (folder / "log").open("wb") as log:
            command = [sys.executable, "-m", "tenure", "serve", "--socket", str(socket)]
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=log, cwd=folder)
        try:
            while not socket.exists() or "token" not in said.read_text():
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.05)
            token = re.findall(r"tenure_[0-9a-f]{32}_[A-Za-z0-9_-]{43}", said.read_text())[0]
            transport = httpx.HTTPTransport(uds=str(socket))
            with httpx.Client(transport=transport, base_url="http://tenure/api/v1", timeout=60) as client:
                client.headers["Authorization"] = f"Bearer {token}"
                yield client
        finally:
            process.terminate()
            process.wait(60)


def by_id(client: httpx.Client, number: int) -> None:
    client.get(f"/devices/{device_id(number)}").raise_for_status()


def by_serial(client: httpx.Client, number: int) -> None:
    found = client.get("/devices/by-serial", params={"serial": serial(number)}).raise_for_status()
    assert len(found.json()) == 1


def a_page(client: httpx.Client, _number: int) -> None:
    client.get("/devices", params={"limit": 5}).raise_for_status()


def two_verbs(client: httpx.Client, number: int) -> None:
    for verb in ("quarantine", "release"):
        client.post(f"/devices/{device_id(number)}/{verb}", json={"reason": "how dear is it"}).raise_for_status()


OPERATIONS: dict[str, Callable[[httpx.Client, int], object]] = {
    "HTTP, device by id": by_id,
    "HTTP, device by serial": by_serial,
    "HTTP, page of 5": a_page,
    "HTTP, two verbs with their events": two_verbs,
}

if __name__ == "__main__":
    kinds, count = asked()
    for kind in kinds:
        compare(kind, count, served, OPERATIONS)
