"""Rows within a batch event: a bulk import is one event that names the Merkle root over its rows; each is provable. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tenure.ledger.edge import RightEdge
from tenure.ledger.refusals import ProofError
from tenure.ledger.tree import inclusion_path, leaf_hash, root_by_inclusion, root_of


@dataclass(frozen=True, slots=True)
class RowProof:
    """Row ``index`` of ``count`` was part of the batch. The content is proved; that there were ``count`` rows is what the
    writer of the proof says, as the event names the root alone."""

    index: int
    count: int
    row: bytes
    path: tuple[bytes, ...]


def rows_root(rows: Iterable[bytes]) -> bytes:
    """What the batch event names (in lower-case hex, in its leaf). Streams."""
    edge = RightEdge()
    for row in rows:
        edge.append(leaf_hash(row))
    return edge.root()


def prove_row(rows: Iterable[bytes], index: int) -> RowProof:
    """Keeps a hash of each row in memory, 32 bytes. Raises ProofError when there is no such row."""
    hashes: list[bytes] = []
    wanted = b""
    for number, row in enumerate(rows):
        hashes.append(leaf_hash(row))
        if number == index:
            wanted = row
    path = inclusion_path(index, len(hashes), lambda start, stop: root_of(hashes[start:stop]))
    return RowProof(index, len(hashes), wanted, path)


def check_row(proof: RowProof, batch_leaf: bytes) -> None:
    """Raises ProofError unless the batch event with this leaf names the root that the row leads to."""
    root = root_by_inclusion(proof.index, proof.count, leaf_hash(proof.row), proof.path)
    if b'"%s"' % root.hex().encode() not in batch_leaf:
        raise ProofError("the batch event does not name the root that this row leads to", "the row was no part of that batch")
