"""Settings: which source wins, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tenure.settings import Settings, SettingsError, load, page

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TENURE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tenure.toml"
    path.write_text('database = "sqlite:////from/file.db"\n[limits]\nbody_bytes = 10\nheader_count = 11\n[listen]\nport = 12\n')
    return path


def test_defaults_stand_alone() -> None:
    assert load() == Settings()
    assert load().listen.host == "127.0.0.1"


def test_the_stronger_source_wins_setting_by_setting(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENURE_LIMITS__BODY_BYTES", "20")
    monkeypatch.setenv("TENURE_LISTEN__PORT", "22")
    found = load(file, {"listen": {"port": 32}})
    assert (found.database, found.limits.header_count) == ("sqlite:////from/file.db", 11)
    assert (found.limits.body_bytes, found.listen.port) == (20, 32)
    assert found.limits.header_bytes == Settings().limits.header_bytes


def test_the_environment_may_name_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENURE_SETTINGS", str(file))
    assert load().listen.port == 12


def test_lists_come_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENURE_LISTEN__PROXIES", '["192.0.2.1"]')
    assert load().listen.proxies == ("192.0.2.1",)
    monkeypatch.setenv("TENURE_LISTEN__PROXIES", "192.0.2.1")
    with pytest.raises(SettingsError, match="listen"):
        load()


@pytest.mark.parametrize("name", ["TENURE_DATABSE", "TENURE_LIMITS_BODY_BYTES", "TENURE_LIMITS__BODY"])
def test_a_variable_that_is_none_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(SettingsError, match=name):
        load()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("databse = 1", "databse"),
        ("[limits]\nbody = 1", "limits.body"),
        ("[limits]\nbody_bytes = 0", "limits.body_bytes"),
        ("[listen]\nport = 70000", "listen.port"),
        ('[tls]\ncertificate = "a.pem"', "tls"),
        ('[tls]\nclients = "a.pem"', "tls"),
        ('log_level = "loud"', "log_level"),
        ("database = ", "no TOML"),
    ],
)
def test_what_cannot_be_is_refused_by_name(text: str, named: str, tmp_path: Path) -> None:
    path = tmp_path / "tenure.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as raised:
        load(path)
    assert named in raised.value.problem
    assert raised.value.fix


def test_a_file_that_is_not_there_is_no_empty_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_tokens_do_not_leave_this_machine_in_clear() -> None:
    with pytest.raises(SettingsError, match="needs tls"):
        load(named={"listen": {"host": "0.0.0.0"}})
    load(named={"listen": {"host": "0.0.0.0"}, "tls": {"certificate": "a.pem", "key": "a.key"}})
    load(named={"listen": {"host": "0.0.0.0", "socket": "/run/tenure.sock"}})


def test_the_page_is_current() -> None:
    assert (DOCS / "settings.md").read_text("utf-8") == page(), "run script/catalogue"
