"""Tenure's own keys by the command line: listed, rotated under a ledger that others verify, ended, sealed, lost."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tenure.model.own_keys import Purpose
from tests.cli.registry_world import Registered


def _keys(made: Registered, purpose: str) -> list[dict[str, object]]:
    """Newest first."""
    return [key for key in made.json("keys", "list")["keys"] if key["purpose"] == purpose]


def _ok(made: Registered, *arguments: object) -> str:
    ran = made.run(*arguments)
    assert ran.code == 0, ran
    return ran.out.strip()


def test_the_list_says_what_rests_on_each(made: Registered) -> None:
    (digest,) = _keys(made, "digest")
    assert (digest["state"], digest["in_use"], digest["sealed"], digest["tokens"]) == ("active", True, False, 1)
    assert _keys(made, "ledger")[0]["tokens"] is None
    table = made.run("keys", "list").out
    assert str(digest["id"]) in table


def test_what_is_shown_is_public(made: Registered) -> None:
    shown = json.loads(_ok(made, "keys", "show"))["keys"]
    assert [key["purpose"] for key in shown] == ["ledger"]
    name, _, coded = _ok(made, "ledger", "keys").split("+", 2)
    assert base64.urlsafe_b64decode(shown[0]["x"] + "=") == base64.b64decode(coded)[1:]
    assert name.startswith("tenure/")


def test_the_ledger_goes_on_under_a_new_key_and_no_verifier_is_left_behind(made: Registered) -> None:
    _ok(made, "ledger", "sequence")
    before = _ok(made, "ledger", "keys")
    (old,) = _keys(made, "ledger")
    _ok(made, "keys", "rotate", "ledger", "--reason", "due")
    refused = made.run("keys", "end", old["id"])
    assert refused.code == 2
    assert f"signed by {old['id']} alone" in refused.err
    _ok(made, "ledger", "sequence")
    note = _ok(made, "ledger", "checkpoint")
    assert note.count("\u2014 ") == 2, "both sign"
    new, again = _ok(made, "ledger", "keys").splitlines()
    assert again == before != new
    assert _ok(made, "keys", "end", old["id"], "--reason", "every verifier has the new one").endswith("deactivated")
    made.json("owners", "add", "Plant", "--contact", "ops@plant.example")
    _ok(made, "ledger", "sequence")
    assert _ok(made, "ledger", "checkpoint").count("\u2014 ") == 1
    verdict = made.json("ledger", "verify")
    assert verdict["sound"]
    assert not verdict["problems"]


def test_a_stolen_key_of_the_ledger_is_trusted_no_more_and_the_past_holds(made: Registered) -> None:
    _ok(made, "ledger", "sequence")
    kept = made.folder / "kept"
    kept.write_text(_ok(made, "ledger", "checkpoint") + "\n", "utf-8")
    (old,) = _keys(made, "ledger")
    _ok(made, "keys", "rotate", "ledger", "--reason", "stolen")
    assert made.run("keys", "end", old["id"], "--compromised").code == 2
    _ok(made, "ledger", "sequence")
    assert made.json("ledger", "verify", "--checkpoint", kept)["sound"]
    _ok(made, "keys", "end", old["id"], "--compromised", "--reason", "stolen")
    assert len(_ok(made, "ledger", "keys").splitlines()) == 1
    _ok(made, "ledger", "sequence")
    assert made.json("ledger", "verify")["sound"]
    again = made.run("ledger", "verify", "--checkpoint", kept)
    assert again.code == 1
    assert "cannot be trusted" in again.out


def test_tokens_open_doors_across_a_rotation_and_none_is_cut_off_by_mistake(made: Registered) -> None:
    (old,) = _keys(made, "digest")
    _ok(made, "keys", "rotate", "digest")
    token = made.secret("token", made.token)
    assert made.run("tokens", "list", "--token-file", token).code == 0
    refused = made.run("keys", "end", old["id"])
    assert refused.code == 2
    assert "1 tokens in force" in refused.err
    _ok(made, "keys", "end", old["id"], "--compromised", "--reason", "the folder was copied")
    assert made.run("tokens", "list", "--token-file", token).code == 2
    told = made.run("keys", "list")
    assert f"digest key {old['id']} does not lie here: 1 tokens open no door" in told.err


def test_keys_are_sealed_under_a_passphrase_and_used_with_it_alone(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    file = made.secret("passphrase", "correct horse battery staple")
    assert made.run("keys", "seal", file).code == 2, "others can read it"
    file.chmod(0o600)
    sealed = _ok(made, "keys", "seal", file)
    assert sealed == f"{len(made.json('keys', 'list')['keys'])} keys sealed"
    refused = made.run("ledger", "keys")
    assert refused.code == 2
    assert "keys_passphrase_file" in refused.err
    monkeypatch.setenv("TENURE_KEYS_PASSPHRASE_FILE", str(file))
    assert _ok(made, "keys", "seal", file) == "0 keys sealed"
    _ok(made, "ledger", "keys")
    _ok(made, "keys", "rotate", "digest")
    assert all(key["sealed"] for key in made.json("keys", "list")["keys"])


def test_a_folder_that_is_lost_is_told_and_the_ledger_goes_on_from_its_public_key(made: Registered, tmp_path: Path) -> None:
    _ok(made, "ledger", "sequence")
    known = _ok(made, "ledger", "keys")
    (tmp_path / "keys").rename(tmp_path / "gone")
    for arguments in (("ledger", "verify"), ("tokens", "list"), ("keys", "rotate", "ledger")):
        refused = made.run(*arguments)
        assert refused.code == 2
        assert "does not lie in this folder" in refused.err
    assert "nobody could check" in made.run("keys", "rotate", "ledger", "--lost").err
    assert made.run("keys", "rotate", "digest", "--lost", "--known", known).code == 2
    _ok(made, "keys", "rotate", "ledger", "--lost", "--known", known)
    for purpose in ("digest", "cursor"):
        made.run("keys", "rotate", purpose, "--lost")
    made.json("owners", "add", "Plant", "--contact", "ops@plant.example")
    _ok(made, "ledger", "sequence")
    verdict = made.json("ledger", "verify")
    assert verdict["sound"]
    assert not verdict["problems"]


@pytest.mark.parametrize("purpose", Purpose)
def test_every_purpose_can_be_rotated(made: Registered, purpose: Purpose) -> None:
    new = _ok(made, "keys", "rotate", purpose.value)
    assert _keys(made, purpose.value)[0]["id"] == new
