"""A reader of others (tlog-scales, from the package index) reads what we ship, and finds the same."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey, VkeySet
from tlog_scales.tlog import Checkpoint, ConsistencyProof, InclusionProof

from tenure.ledger.proof import check, prove
from tenure.ledger.tiles import subtrees
from tenure.ledger.tree import check_consistency, consistency_path, inclusion_path, leaf_hash, root_by_inclusion
from tests.ledger.world import IDENTITY, ORIGIN, SIGNER, STRANGER, leaf, world

SIZES = [1, 2, 3, 255, 256, 257, 511, 700, 65536, 65537]


def trusted(checkpoint: Checkpoint, key: str = str(SIGNER.verifier)) -> bool:
    return bool(VkeySet(Vkey.from_string(key)).verify(checkpoint.signatures, checkpoint))


@pytest.mark.parametrize("size", SIZES)
def test_it_reads_our_shelf(tmp_path: Path, size: int) -> None:
    """Paths, partial tiles, entry bundles, checkpoint, key, signature, root, and proofs in both directions."""
    w = world(tmp_path, shipped=max(1, size // 3))
    w.place(size - w.head.size)
    w.ship()
    reader = TilesReader(LocalBackend(tmp_path))
    checkpoint = reader.get_checkpoint()
    assert (checkpoint.origin, checkpoint.size, checkpoint.root_hash) == (ORIGIN, size, w.head.root)
    assert trusted(checkpoint)
    assert not trusted(checkpoint, str(STRANGER.verifier))
    assert reader.calculate_root_hash() == w.head.root
    subtree = subtrees(w.store.tile, size)
    for index in {0, size // 2, size - 1}:
        assert reader.get_entry(index) == leaf(index)
        ours, theirs = inclusion_path(index, size, subtree), reader.get_inclusion_proof(index, size)
        assert list(ours) == theirs.node_hashes
        InclusionProof(index, size, list(ours)).check(leaf_hash(leaf(index)), w.head.root)
        assert root_by_inclusion(index, size, leaf_hash(leaf(index)), theirs.node_hashes) == w.head.root
    for old in {1, size // 2 or 1, size - 1 or 1, size}:
        path, proof = consistency_path(old, size, subtree), reader.get_consistency_proof(old, size)
        assert list(path) == proof.node_hashes
        ConsistencyProof(old, size, list(path)).check(subtree(0, old), w.head.root)
        check_consistency(old, subtree(0, old), size, w.head.root, proof.node_hashes)


def test_it_reads_the_checkpoint_in_our_proof_file(tmp_path: Path) -> None:
    w = world(tmp_path, more=300)
    proof = prove(w.store, IDENTITY, 217)
    head, _, note = json.loads(proof)["proof"].partition("\n\n")
    checkpoint = Checkpoint.from_text(note)
    assert trusted(checkpoint)
    path = [base64.b64decode(line) for line in head.splitlines()[3:]]
    InclusionProof(217, checkpoint.size, path).check(leaf_hash(check(proof, IDENTITY).leaf), checkpoint.root_hash)
