"""Signed notes and checkpoints: the examples of C2SP, and what must not pass for one."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenure.ledger import checkpoint, note
from tenure.ledger.checkpoint import Identity
from tenure.ledger.note import KeySigner, Verifier
from tenure.ledger.refusals import NoteError
from tenure.ledger.tree import EMPTY_ROOT
from tests.ledger.world import IDENTITY, ORIGIN, SIGNER, STRANGER

ROOT = bytes(32)
# The note and key of the Go module golang.org/x/mod/sumdb/note, which the specification was written from.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_example_is_read() -> None:
    assert note.opened(GO_NOTE.encode(), [Verifier.parse(GO_KEY)]).startswith("If you think")
    assert str(Verifier.parse(GO_KEY)) == GO_KEY


def test_what_is_signed_is_opened() -> None:
    text = "first\n\nthird\n"
    assert note.opened(note.signed(text, [SIGNER]), [SIGNER.verifier]) == text


def test_two_keys_sign_while_one_is_changed_for_the_other() -> None:
    new = KeySigner(ORIGIN, Ed25519PrivateKey.generate())
    both = note.signed("text\n", [SIGNER, new])
    assert both.count(b"\xe2\x80\x94 ") == 2
    for trusted in ([SIGNER.verifier], [new.verifier], [SIGNER.verifier, new.verifier]):
        assert note.opened(both, trusted) == "text\n"
    with pytest.raises(NoteError, match="no key that is trusted"):
        note.opened(both, [STRANGER.verifier])


def test_one_wrong_signature_of_a_trusted_key_spoils_the_note() -> None:
    new = KeySigner(ORIGIN, Ed25519PrivateKey.generate())
    lines = note.signed("text\n", [SIGNER, new]).decode().splitlines(keepends=True)
    forged = note.signed("other\n", [new]).decode().splitlines(keepends=True)
    with pytest.raises(NoteError, match="wrong"):
        note.opened("".join([*lines[:3], forged[-1]]).encode(), [SIGNER.verifier, new.verifier])


@pytest.mark.parametrize(
    "change",
    [
        lambda n: n.replace(b"text", b"texd"),
        lambda n: n.replace(b"\n\n", b"\n"),
        lambda n: n.removesuffix(b"\n"),
        lambda n: n.replace("— ".encode(), b"- "),
        lambda n: n + b"\n",
        lambda n: b"\xff" + n,
        lambda n: n.replace(b"text", b"te\tt"),
        lambda n: n[: n.index(b"\n\n") + 2],
        lambda n: n + b"\xe2\x80\x94 name !!!\n",
        lambda n: n + n.splitlines(keepends=True)[-1] * 64,
        lambda _: b"",
    ],
)
def test_a_note_that_was_touched_is_refused(change) -> None:  # type: ignore[no-untyped-def]  # lambdas in a table
    with pytest.raises(NoteError):
        note.opened(change(note.signed("text\n", [SIGNER])), [SIGNER.verifier])


@pytest.mark.parametrize("text", ["", "no end", "a\tb\n"])
def test_what_cannot_be_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(NoteError):
        note.signed(text, [SIGNER])
    with pytest.raises(NoteError):
        note.signed("text\n", [])


@pytest.mark.parametrize(
    "line",
    [
        "",
        "name",
        GO_KEY.replace("c74f", "c74e"),
        GO_KEY.replace("PeterNeumann", "Peter"),
        GO_KEY[:-4],
        GO_KEY.replace("ARpc", "BBpc"),
    ],
)
def test_a_key_line_that_was_touched_is_refused(line: str) -> None:
    with pytest.raises(NoteError):
        Verifier.parse(line)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\x7f b"])
def test_names_that_no_key_may_have(name: str) -> None:
    with pytest.raises(NoteError):
        Verifier(name, bytes(32))


def test_a_checkpoint_comes_back() -> None:
    made = checkpoint.sign(ORIGIN, 70_000, ROOT, [SIGNER])
    assert IDENTITY.open(made.note) == made
    assert made.note.decode().splitlines()[:3] == [ORIGIN, "70000", base64.b64encode(ROOT).decode()]


def test_the_example_of_the_specification_has_the_form_of_ours() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    made = Identity("example.com/behind-the-sofa", (SIGNER.verifier,)).open(note.signed(text, [SIGNER]))
    assert (made.size, checkpoint.sign(made.origin, made.size, made.root, [SIGNER]).note) == (20852163, made.note)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n1\n",
        f"{ORIGIN}\n01\n{base64.b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n-1\n{base64.b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n+1\n{base64.b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n1\n{base64.b64encode(ROOT[1:]).decode()}\n",
        f"{ORIGIN}\n0\n{base64.b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n1\n{base64.b64encode(ROOT).decode()}\n\nextension\n",
        f"other.example\n1\n{base64.b64encode(ROOT).decode()}\n",
        f"\n1\n{base64.b64encode(ROOT).decode()}\n",
    ],
)
def test_texts_that_are_no_checkpoint_of_this_ledger(text: str) -> None:
    with pytest.raises(NoteError):
        IDENTITY.open(note.signed(text, [SIGNER]))


def test_extension_lines_are_read_over_and_an_empty_tree_has_one_root() -> None:
    text = f"{ORIGIN}\n1\n{base64.b64encode(ROOT).decode()}\nextension\n"
    assert IDENTITY.open(note.signed(text, [SIGNER])).size == 1
    assert IDENTITY.open(checkpoint.sign(ORIGIN, 0, EMPTY_ROOT, [SIGNER]).note).size == 0
    with pytest.raises(NoteError):
        checkpoint.sign("two\nlines", 1, ROOT, [SIGNER])
