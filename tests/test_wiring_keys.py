"""Tenure's own symmetric keys: made once, kept from others, rotated without losing what the old ones made."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenure.wiring.secret_keys import Purpose, SecretKeyError, rotate, secret_keys


def test_keys_are_made_once_for_their_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    made = secret_keys(folder, Purpose.DIGEST, os.urandom)
    assert secret_keys(folder, Purpose.DIGEST, os.urandom) == made
    assert (folder / "digest.keys").stat().st_mode & 0o777 == 0o600
    assert secret_keys(folder, Purpose.CURSOR, os.urandom).keys.values() != made.keys.values()
    assert made.keys[made.current].hex() not in repr(made)


def test_of_many_that_start_at_once_all_have_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: secret_keys(tmp_path, Purpose.DIGEST, os.urandom).current, range(64)))
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["digest.keys"]


def test_a_new_key_comes_first_and_old_ones_stay(tmp_path: Path) -> None:
    before = secret_keys(tmp_path, Purpose.DIGEST, os.urandom)
    after = rotate(tmp_path, Purpose.DIGEST, os.urandom)
    assert after.current != before.current
    assert before.keys.items() < after.keys.items()
    assert secret_keys(tmp_path, Purpose.DIGEST, os.urandom) == after
    assert (tmp_path / "digest.keys").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "only-a-name\n", "a 00ff\n", f"a {'0' * 64}\na {'1' * 64}\n", "a not-hex\n"])
def test_what_is_no_file_of_keys_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cursor.keys"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(SecretKeyError):
        secret_keys(tmp_path, Purpose.CURSOR, os.urandom)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secret_keys(tmp_path, Purpose.CURSOR, os.urandom)
    (tmp_path / "cursor.keys").chmod(0o640)
    with pytest.raises(SecretKeyError, match="read by others"):
        secret_keys(tmp_path, Purpose.CURSOR, os.urandom)
