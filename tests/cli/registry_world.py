"""A registry as commands meet it: made by `tenure registry init`, asked on its database or at a server on the loopback."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from tenure.api.assembly import assembled
from tenure.cli.serve import config
from tenure.settings import load

if TYPE_CHECKING:
    from tests.cli.conftest import Ran, Tenure


@dataclass
class Registered:
    """A registry, who runs commands, and by which options they find it."""

    tenure: Tenure
    folder: Path
    token: str  # the first administrator's
    url: str  # of the database
    options: tuple[str, ...] = ()

    def run(self, *arguments: object) -> Ran:
        return self.tenure(*arguments, *self.options)

    def json(self, *arguments: object) -> Any:
        """What a command that must succeed says."""
        ran = self.run(*arguments, "--json")
        assert ran.code == 0, ran
        return json.loads(ran.out)

    def json_of(self, *arguments: object) -> Any:
        """What a command says, however it ends."""
        return json.loads(self.run(*arguments, "--json").out)

    def secret(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text + "\n", "utf-8")
        return path


@contextmanager
def served() -> Iterator[str]:
    """The address of a server over the registry that the environment names, in threads of this process."""
    settings = load(None, {"listen": {"port": 0}})
    service = assembled(settings, io.StringIO())
    server = uvicorn.Server(config(service, settings))
    thread = threading.Thread(target=server.run)
    thread.start()
    service.duties.start()
    try:
        while not server.started:
            assert thread.is_alive()
            thread.join(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        service.duties.stop()
        service.close()
