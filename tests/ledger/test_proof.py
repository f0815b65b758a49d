"""Proof files: checked offline, by us and by the checker that needs no Tenure."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.ledger.checkpoint import Identity
from tenure.ledger.proof import check, prove
from tenure.ledger.refusals import DamageError, NoteError, ProofError
from tenure.ledger.rows import check_row, prove_row, rows_root
from tenure.ledger.tree import leaf_hash, root_of
from tests.ledger.test_bundle import KEY, run
from tests.ledger.world import IDENTITY, ORIGIN, STRANGER, Row, leaf, world

ROWS = [b'{"serial":"%d"}' % n for n in range(300)]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600])
def test_each_event_is_proved(tmp_path: Path, size: int) -> None:
    w = world(tmp_path, more=size)
    for position in {0, size // 2, size - 1}:
        proved = check(prove(w.store, IDENTITY, position), IDENTITY)
        assert (proved.position, proved.leaf, proved.checkpoint) == (position, leaf(position), w.head)


def test_the_standard_text_is_in_it(tmp_path: Path) -> None:
    w = world(tmp_path, more=3)
    text = json.loads(prove(w.store, IDENTITY, 1))["proof"]
    lines = text.splitlines()
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", f"extra {base64.b64encode(leaf(1)).decode()}", "index 1"]
    assert [base64.b64decode(line) for line in lines[3:5]] == [leaf_hash(leaf(0)), leaf_hash(leaf(2))]
    assert text.split("\n\n", 1)[1].encode() == w.store.signed


@pytest.mark.parametrize("position", [-1, 3, 99])
def test_no_proof_of_what_has_no_place(tmp_path: Path, position: int) -> None:
    w = world(tmp_path, more=3)
    with pytest.raises(ProofError):
        prove(w.store, IDENTITY, position)
    with pytest.raises(ProofError):
        prove(world(tmp_path).store, IDENTITY, 0)


def test_no_proof_of_a_changed_row(tmp_path: Path) -> None:
    w = world(tmp_path, more=3)
    w.store.at(1).leaf = b"changed"
    with pytest.raises(DamageError):
        prove(w.store, IDENTITY, 1)
    w.store.recompute()
    with pytest.raises(DamageError):
        prove(w.store, IDENTITY, 1)


def test_a_key_that_is_not_trusted(tmp_path: Path) -> None:
    proof = prove(world(tmp_path, more=3).store, IDENTITY, 1)
    with pytest.raises(NoteError):
        check(proof, Identity(ORIGIN, (STRANGER.verifier,)))


@given(st.data())
def test_a_proof_file_that_was_touched_proves_nothing_else(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A byte changed anywhere: refused, or it still says the same of the same place."""
    w = world(tmp_path_factory.mktemp("shelf"), more=5)
    proof = bytearray(prove(w.store, IDENTITY, 3))
    at = data.draw(st.integers(0, len(proof) - 1))
    proof[at] = data.draw(st.integers(0, 255))
    try:
        proved = check(bytes(proof), IDENTITY)
    except (ProofError, NoteError):
        return
    assert (proved.position, proved.leaf) == (3, leaf(3))


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b'{"format":"other"}', b'{"format":"tenure-ledger-proof@1","proof":1}']
)
def test_what_is_no_proof_file(content: bytes) -> None:
    with pytest.raises(ProofError):
        check(content, IDENTITY)


@pytest.mark.parametrize("count", [1, 2, 3, 255, 256, 257, 300])
def test_each_row_of_a_batch_is_proved(count: int) -> None:
    root = rows_root(ROWS[:count])
    assert root == root_of([leaf_hash(row) for row in ROWS[:count]])
    batch = b'{"after":"%s"}' % root.hex().encode()
    for index in range(0, count, 7):
        check_row(prove_row(ROWS[:count], index), batch)
    with pytest.raises(ProofError, match="does not name"):
        check_row(prove_row(ROWS[:count], 0), b'{"after":"%s"}' % bytes(32).hex().encode())
    with pytest.raises(ProofError):
        prove_row(ROWS[:count], count)


def test_a_row_of_a_batch_in_one_file(tmp_path: Path) -> None:
    w = world(tmp_path / "shelf", more=3)
    w.store.rows.append(Row(UUID(int=77), b'{"after":"%s"}' % rows_root(ROWS).hex().encode()))
    w.place()
    proof = prove(w.store, IDENTITY, 3, prove_row(ROWS, 41))
    row = check(proof, IDENTITY).row
    assert row is not None
    assert (row.index, row.count, row.row) == (41, 300, ROWS[41])
    with pytest.raises(ProofError):
        prove(w.store, IDENTITY, 2, prove_row(ROWS, 41))
    written = json.loads(proof)
    written["row"]["row"] = base64.b64encode(ROWS[42]).decode()
    with pytest.raises(ProofError):
        check(json.dumps(written).encode(), IDENTITY)
    (tmp_path / "good").write_bytes(proof)
    (tmp_path / "bad").write_bytes(json.dumps(written).encode())
    assert run(tmp_path, "--key", KEY, "--proof", str(tmp_path / "good")) == (
        0,
        f"OK: entry 3 of {ORIGIN}: {w.store.rows[3].leaf.decode()}\nrow: {ROWS[41].decode()}",
    )
    assert run(tmp_path, "--key", KEY, "--proof", str(tmp_path / "bad"))[0] == 1


@pytest.mark.parametrize("size", [1, 2, 3, 256, 257])
def test_the_checker_checks_proof_files(tmp_path: Path, size: int) -> None:
    w = world(tmp_path / "shelf", more=size)
    proof = prove(w.store, IDENTITY, size - 1)
    (tmp_path / "good").write_bytes(proof)
    assert run(tmp_path, "--key", KEY, "--proof", str(tmp_path / "good"))[0] == 0
    assert run(tmp_path, "--key", str(STRANGER.verifier), "--proof", str(tmp_path / "good"))[0] == 1
    written = json.loads(proof)
    head, gap, note = written["proof"].partition("\n\n")
    for touched in (
        head + "\n" + "A" * 43 + "=",
        head.replace(f"index {size - 1}", f"index {size}"),
        head.replace("extra ey", "extra eX"),
    ):
        (tmp_path / "bad").write_text(json.dumps(written | {"proof": touched + gap + note}))
        assert run(tmp_path, "--key", KEY, "--proof", str(tmp_path / "bad"))[0] == 1
