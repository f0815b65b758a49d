"""``tenure diff``: two audits as files, and what their difference means to a pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import AT, Tenure


@pytest.fixture
def audits(tenure: Tenure, exports: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Before: no retired device had a token. After: one has."""
    tokens = exports / "keys" / "tokens.csv"
    text = tokens.read_text()
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    tokens.write_text("".join(x for x in text.splitlines(True) if not x.startswith("tok-3")))
    assert tenure("audit", exports, *AT, "-f", f"json={old}").code == 0
    tokens.write_text(text)
    assert tenure("audit", exports, *AT, "-f", f"json={new}").code == 0
    return old, new


def test_what_appeared_and_what_went(tenure: Tenure, audits: tuple[Path, Path]) -> None:
    old, new = audits
    ran = tenure("diff", old, new)
    assert (ran.code, ran.err) == (0, "")
    assert "1 appeared, 0 gone" in ran.out
    assert "Retired device is still trusted" in ran.out
    assert "pump-3" in ran.out
    assert "0 appeared, 1 gone" in tenure("diff", new, old).out
    assert "0 appeared, 0 gone" in tenure("diff", new, new).out


@pytest.mark.parametrize(("fail_on", "code"), [("critical", 1), ("Critical", 1), ("info", 1)])
def test_it_fails_on_what_appeared(tenure: Tenure, audits: tuple[Path, Path], fail_on: str, code: int) -> None:
    old, new = audits
    assert tenure("diff", old, new, "--fail-on", fail_on).code == code
    assert tenure("diff", new, old, "--fail-on", fail_on).code == 0


def test_for_programs(tenure: Tenure, audits: tuple[Path, Path]) -> None:
    ran = tenure("diff", *audits, "--json")
    assert [f["rule"] for f in json.loads(ran.out)["appeared"]] == ["retired-device-still-trusted"]


def test_an_audit_that_looks_no_longer_is_incomplete(
    tenure: Tenure, exports: Path, tmp_path: Path, audits: tuple[Path, Path]
) -> None:
    (exports / "keys" / "tokens.csv").unlink()
    less = tmp_path / "less.json"
    assert tenure("audit", exports, *AT, "-f", f"json={less}").code == 0
    assert tenure("diff", audits[1], less).code == 3


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"{", b"[]", b'{"findings": []}', b"<html>"])
def test_what_is_no_audit_is_told(tenure: Tenure, audits: tuple[Path, Path], tmp_path: Path, content: bytes | None) -> None:
    other = tmp_path / "other"
    if content is not None:
        other.write_bytes(content)
    ran = tenure("diff", audits[0], other)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"tenure: {other}: ")
    assert "--format json" in ran.err
    assert "Traceback" not in ran.err
