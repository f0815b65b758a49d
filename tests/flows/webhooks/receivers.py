"""A real receiver on loopback, which is the one the page shows, and can be told to fail before or after it took effect."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PAGE = Path(__file__).resolve().parents[3] / "docs" / "webhooks.md"


@dataclass
class Receiver:
    """``fate`` says how the next requests end, first one first: "ok", "before" (it fails and did nothing), "after" (it acts, and
    the connection breaks before it answers), or a status to answer with. When it runs out, all is well."""

    url: str = ""
    fate: list[str] = field(default_factory=list)
    poison: str = ""  # an event that it refuses, always
    acted: list[dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, str]] = field(default_factory=list)  # headers of each request
    statuses: list[int] = field(default_factory=list)

    @property
    def told(self) -> list[str]:
        """The events it acted on, by id."""
        return [each["event"]["id"] for each in self.acted]


def documented() -> Any:
    """The class ``Receiver`` of the page."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    space: dict[str, Any] = {"__name__": "documented_receiver"}
    exec(compile(code, str(PAGE), "exec", dont_inherit=True), space)
    return space["Receiver"]


@contextmanager
def receiving(keys: dict[str, Ed25519PublicKey]) -> Iterator[Receiver]:
    receiver = Receiver()
    shown: Any = documented()

    class Handler(shown):  # type: ignore[misc]  # its type is in the page
        base = ""
        had: ClassVar[set[str]] = set()

        def do_POST(self) -> None:  # noqa: N802 - the library's name
            receiver.seen.append(dict(self.headers.items()))
            fate = receiver.fate.pop(0) if receiver.fate else "ok"
            if self.headers["Tenure-Event"] == receiver.poison:
                fate = "422"
            if fate.isdigit():
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(int(fate))
            elif fate == "before":
                self.broken()
            else:
                self.fate = fate
                super().do_POST()

        def act(self, body: bytes) -> None:
            receiver.acted.append(json.loads(body))

        def answer(self, status: int) -> None:
            receiver.statuses.append(status)
            if getattr(self, "fate", "") == "after":
                self.broken()
            else:
                super().answer(status)

        def broken(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: object) -> None:
            pass

    Handler.keys = keys
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.base = f"http://127.0.0.1:{server.server_port}"
    receiver.url = f"{Handler.base}/tenure?line=4"
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
