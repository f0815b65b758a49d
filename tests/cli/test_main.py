"""The command line as a whole: version, help, start, and the errors at its edge."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tenure import __version__
from tenure.cli import main
from tenure.errors import LinkError, RuleError, SnapshotError, TenureError
from tests.cli.conftest import Tenure, script

HEAVY = (
    "alembic", "cryptography", "duckdb", "fastapi", "httpx", "jinja2", "numpy", "pyarrow", "rich", "scipy",
    "sqlalchemy", "sqlglot", "structlog",
)  # fmt: skip
COMMANDS = (
    "audit", "adopt", "collect", "diff", "rules", "serve", "explain", "snapshots", "registry", "devices", "owners",
    "sites", "domains",
    "classes", "approvals", "obligations", "tokens", "people", "findings", "ledger", "keys", "webhooks",
)  # fmt: skip


def test_the_version(tenure: Tenure) -> None:
    ran = tenure("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"tenure {__version__}\n", "")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_every_command(tenure: Tenure, flag: str) -> None:
    ran = tenure(flag)
    assert ran.code == 0
    assert ran.out.startswith("Usage: tenure [OPTIONS] COMMAND")
    assert tuple(line.split()[0] for line in ran.out.partition("Commands:\n")[2].splitlines()) == COMMANDS
    for command in COMMANDS:
        told = tenure(command, flag)
        assert told.code == 0
        assert f"Usage: tenure {command}" in told.out


def test_without_a_command_it_says_what_there_is(tenure: Tenure) -> None:
    ran = tenure()
    assert (ran.code, ran.out) == (2, "")
    assert "Commands:" in ran.err


def test_a_slip_of_the_pen_is_answered_with_what_was_meant(tenure: Tenure) -> None:
    ran = tenure("aduit")
    assert (ran.code, ran.out) == (2, "")
    assert "Did you mean 'audit'" in ran.err


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], ("pydantic", *HEAVY)),
        (["--version"], ("pydantic", *HEAVY)),
        (["audit", "--help"], HEAVY),  # typer itself reads the options of a command with pydantic
    ],
)
def test_help_loads_none_of_the_heavy_libraries(arguments: list[str], heavy: tuple[str, ...]) -> None:
    probe = (
        "import sys\n"
        f"sys.argv = ['tenure', *{arguments!r}]\n"
        "from tenure.cli.main import run\n"
        "try:\n"
        "    run()\n"
        "except SystemExit:\n"
        f"    print(','.join(m for m in {heavy!r} if m in sys.modules), file=sys.stderr)\n"
    )
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stderr == "\n"


def test_as_a_module_it_is_called_tenure() -> None:
    ran = script("--help")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.startswith(b"Usage: tenure ")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TenureError("no", "do"), 2),
        (RuleError("no", "do"), 2),
        (LinkError("no", "do"), 3),
        (SnapshotError("no", "do"), 3),
    ],
)
def test_errors_carry_advice_and_their_code(
    tenure: Tenure, monkeypatch: pytest.MonkeyPatch, error: TenureError, code: int
) -> None:
    def fails(**_: object) -> None:
        raise error

    monkeypatch.setattr(main, "app", fails)
    ran = tenure("rules")
    assert (ran.code, ran.out, ran.err) == (code, "", "tenure: no\n  fix: do\n")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device", "/a/b"), "tenure: /a/b: No space left on device\n"),
        (OSError("odd"), "tenure: odd\n"),
    ],
)
def test_what_the_system_refuses_is_told_without_a_traceback(
    tenure: Tenure, monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
) -> None:
    def fails(**_: object) -> None:
        raise error

    monkeypatch.setattr(main, "app", fails)
    ran = tenure("rules")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(said)
    assert "Traceback" not in ran.err
