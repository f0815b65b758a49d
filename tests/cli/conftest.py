"""The command line in a test: in this process for speed, or as users run it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tenure.cli import main
from tests.cli.registry_world import Registered, served
from tests.databases import *  # noqa: F403 - fixtures
from tests.flows.plant import plant

AT = ("--as-of", "2026-11-01T00:00:00Z")


@dataclass(frozen=True)
class Ran:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


Tenure = Callable[..., Ran]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of its own for each test, as the environment names it."""
    folder = tmp_path / "state" / "tenure"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("TENURE_STORE", raising=False)
    return folder


@pytest.fixture
def tenure(store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tenure:
    """Run a command in this process, through the entry point of the script."""

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["tenure", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main.run()
        captured = capsys.readouterr()
        code = ended.value.code
        return Ran(code if isinstance(code, int) else 0, captured.out, captured.err)

    return run


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    return plant(tmp_path / "exports")


class Watched:
    """A terminal that somebody watches: what a program writes to ``terminal`` is in ``seen`` when the block is left."""

    def __enter__(self) -> Watched:
        self._controller, self.terminal = os.openpty()
        self.seen = b""
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()
        return self

    def _watch(self) -> None:
        while True:
            try:
                self.seen += os.read(self._controller, 1 << 16)
            except OSError:  # the other end is closed, and everything was read
                return

    def __exit__(self, *_: object) -> None:
        os.close(self.terminal)
        self._watching.join(10)
        os.close(self._controller)


def script(*arguments: object, env: dict[str, str] | None = None, **more: object) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a process of its own, with nothing but what it is given."""
    own = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **(env or {})}
    command = [sys.executable, "-W", "error::DeprecationWarning", "-m", "tenure", *map(str, arguments)]
    return subprocess.run(command, env=own, check=False, timeout=120, **{"capture_output": True, **more})  # type: ignore[call-overload,no-any-return]  # as subprocess.run takes them


@pytest.fixture
def made(tenure: Tenure, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registered:
    """A registry that was just made, on each database, with a shelf; commands find it by the environment."""
    for name, value in (("DATABASE", database_url), ("KEYS", str(tmp_path / "keys")), ("LEDGER__SHELF", str(tmp_path / "shelf"))):
        monkeypatch.setenv(f"TENURE_{name}", value)
    for name in ("SERVER", "TOKEN", "SETTINGS"):
        monkeypatch.delenv(f"TENURE_{name}", raising=False)
    ran = tenure("registry", "init")
    assert ran.code == 0, ran
    return Registered(tenure, tmp_path, ran.out.split()[-1], database_url)


@pytest.fixture(params=["database", "server"])
def at(request: pytest.FixtureRequest, made: Registered) -> Iterator[Registered]:
    """The same registry, asked on its database and at a server."""
    if request.param == "database":
        yield made
        return
    token = made.secret("admin.token", made.token)
    with served() as url:
        yield replace(made, options=("--server", url, "--token-file", str(token)))


@pytest.fixture
def fleet(made: Registered) -> list[str]:
    """Hardware roots of three devices: one claimed, two that nobody owns."""
    owner = made.json("owners", "add", "Plant operations", "--contact", "ops@plant.example")["id"]
    made.json("domains", "add", "plant.example")
    roots = [os.urandom(32).hex() for _ in range(3)]
    file = made.folder / "fleet.csv"
    rows = [f"claimed,{owner},plant.example,0000{1001},pump-1,{roots[0]}", *(f",,,,pump-{n},{roots[n - 1]}" for n in (2, 3))]
    file.write_text("\n".join(["state,owner,trust_domain,serial,name,idevid", *rows]), "utf-8")
    assert made.run("devices", "import", file).code == 0
    return roots
