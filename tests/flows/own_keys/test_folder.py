"""Keys on disk: for their user alone, whole or not at all, sealed where a passphrase is set."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenure.flows.own_keys.folder import KeyFolder
from tenure.flows.own_keys.sealing import OwnKeyError, Passphrase
from tenure.model.credentials import KeyState
from tenure.model.own_keys import OwnKey, Purpose, current, published

SECRET = bytes(range(32))
KEY = OwnKey(Purpose.DIGEST, "a1b2", datetime(2026, 11, 1, 1, 2, 3, 4, tzinfo=UTC), state=KeyState.ACTIVE)
FILE = "digest-a1b2.key"


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    made = KeyFolder(tmp_path / "keys", os.urandom)
    with made.alone():
        made.add(KEY, SECRET)
    return made


def test_what_was_put_is_read_back_by_its_user_alone(folder: KeyFolder) -> None:
    assert folder.listed() == (KEY,)
    assert folder.secret(KEY) == SECRET
    assert {path.stat().st_mode & 0o777 for path in folder.path.iterdir()} == {0o600}
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert KeyFolder(tmp_path / "none", os.urandom).listed() == ()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660])
def test_a_file_that_is_open_to_others_is_refused(folder: KeyFolder, mode: int) -> None:
    (folder.path / FILE).chmod(mode)
    for refused in (folder.listed, lambda: folder.secret(KEY), lambda: folder.restate(KEY)):
        with pytest.raises(OwnKeyError, match=f"{FILE} can be used by others") as raised:
            refused()
        assert "chmod 600" in raised.value.fix


def test_a_folder_others_can_write_to_is_refused(folder: KeyFolder) -> None:
    folder.path.chmod(0o770)
    with pytest.raises(OwnKeyError, match="others can put keys"):
        folder.listed()
    with pytest.raises(OwnKeyError, match="others can put keys"), folder.alone():
        pass


def test_what_belongs_to_another_user_is_refused(folder: KeyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    for refused in (folder.listed, lambda: folder.secret(KEY)):
        with pytest.raises(OwnKeyError, match=f"belongs to user {owner}, we are user {owner + 1}") as raised:
            refused()
        assert f"as user {owner}" in raised.value.fix


def test_a_link_is_not_followed(folder: KeyFolder) -> None:
    (folder.path / FILE).rename(folder.path.parent / "elsewhere")
    (folder.path / FILE).symlink_to(folder.path.parent / "elsewhere")
    with pytest.raises(OwnKeyError, match="cannot be read"):
        folder.listed()


@pytest.mark.parametrize(
    ("word", "value"),
    [("purpose", "other"), ("id", "zz"), ("created", "never"), ("state", "new"), ("public", "AAAA"), ("public", "=")],
)
def test_a_file_that_says_what_cannot_be_is_refused(folder: KeyFolder, word: str, value: str) -> None:
    path = folder.path / FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {word: value}))
    with pytest.raises(OwnKeyError, match=FILE):
        folder.listed()


@pytest.mark.parametrize("content", ["", "[]", "{}", "{", '"key"'])
def test_what_is_no_key_is_refused(folder: KeyFolder, content: str) -> None:
    (folder.path / FILE).write_text(content)
    with pytest.raises(OwnKeyError, match="is no key"):
        folder.listed()


def test_a_sealed_secret_opens_by_its_passphrase_alone(folder: KeyFolder) -> None:
    sealed = replace(folder, passphrase=Passphrase(b"correct horse battery"))
    assert not folder.sealed(KEY)
    sealed.add(KEY, SECRET)
    assert sealed.sealed(KEY)
    assert sealed.secret(KEY) == SECRET
    text = (folder.path / FILE).read_text()
    assert base64.b64encode(SECRET).decode() not in text
    assert SECRET.hex() not in text
    with pytest.raises(OwnKeyError, match="no passphrase is given"):
        folder.secret(KEY)
    with pytest.raises(OwnKeyError, match="passphrase is not the one"):
        replace(folder, passphrase=Passphrase(b"another passphrase")).secret(KEY)


def test_a_sealed_secret_is_bound_to_its_key(folder: KeyFolder) -> None:
    """Whoever can write files cannot pass one key's secret for another's."""
    sealed = replace(folder, passphrase=Passphrase(b"correct horse battery"))
    other = replace(KEY, id="c3d4")
    sealed.add(KEY, SECRET)
    sealed.add(other, os.urandom(32))
    taken = json.loads((folder.path / FILE).read_text())["secret"]
    path = folder.path / "digest-c3d4.key"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"secret": taken}))
    with pytest.raises(OwnKeyError, match="or the file was changed"):
        sealed.secret(other)


def test_a_secret_goes_when_its_state_needs_it_no_more(folder: KeyFolder) -> None:
    folder.restate(replace(KEY, state=KeyState.DEACTIVATED))
    assert folder.secret(KEY) == SECRET
    folder.restate(replace(KEY, state=KeyState.DESTROYED))
    with pytest.raises(OwnKeyError, match="no secret any more"):
        folder.secret(KEY)
    assert base64.b64encode(SECRET).decode() not in (folder.path / FILE).read_text()


def test_a_draft_of_one_who_died_is_no_key(folder: KeyFolder) -> None:
    (folder.path / f".{FILE}.0f0f").write_text("half of a k")
    assert folder.listed() == (KEY,)


def test_reprs_show_no_secret(folder: KeyFolder) -> None:
    assert "horse" not in repr(replace(folder, passphrase=Passphrase(b"correct horse battery")))


def test_the_current_key_is_the_newest_active_one() -> None:
    later = replace(KEY, id="b", created_at=datetime(2026, 12, 1, tzinfo=UTC))
    assert current([KEY, later], Purpose.DIGEST) == later
    assert current([KEY, replace(later, state=KeyState.PRE_ACTIVE)], Purpose.DIGEST) == KEY
    assert current([KEY], Purpose.CURSOR) is None


@pytest.mark.parametrize("state", KeyState)
def test_only_what_counts_is_published(state: KeyState) -> None:
    key = OwnKey(Purpose.WEBHOOK, "w", KEY.created_at, bytes(32), state=state)
    assert published([KEY, key]) == ((key,) if state in (KeyState.ACTIVE, KeyState.DEACTIVATED) else ())
