"""The auditor's bundle: the whole ledger as files in the C2SP layout, its keys, and a checker that needs no Tenure."""

from __future__ import annotations

import zipfile
from importlib import resources
from pathlib import Path
from typing import Protocol

from tenure.ledger.checkpoint import Checkpoint, Identity
from tenure.ledger.edge import RightEdge
from tenure.ledger.reading import Progress
from tenure.ledger.refusals import DamageError, ProofError
from tenure.ledger.shelf import ShelfReader
from tenure.ledger.store import LedgerRows
from tenure.ledger.tiles import CHECKPOINT, WIDTH, bundle_path, encode_bundle, past_path, tile_path
from tenure.ledger.tree import HASH, leaf_hash
from tenure.model.ledger import TileId

README = """\
# Ledger of {origin}

{size} entries, as they were when `checkpoint` was signed. Every change of a device, credential, policy, obligation or
administrator right is one entry; names and reasons of people are not in here, only salted digests of them.

    python3 checker.py --key '{key}' .

checks everything with nothing but Python and the package `cryptography`. The key above came with this bundle: compare it
with the one the operator gave you by another way, or the check proves only that the bundle agrees with itself.

* `checkpoint`: size and root of the tree, signed (C2SP signed-note, tlog-checkpoint); `checkpoints/`: earlier ones
* `tile/entries/`: the entries, 256 a file, each after its length (two bytes, big-endian)
* `tile/0/`, `tile/1/`...: the hashes of the tree (C2SP tlog-tiles, RFC 6962)
* `keys`: the public keys of this ledger, one a line
* a proof file about one event: `python3 checker.py --key KEY --proof FILE`
"""


class Sink(Protocol):
    """Where a bundle is written."""

    def put(self, path: str, content: bytes) -> None: ...


class FolderSink:
    """A new or empty folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, path: str, content: bytes) -> None:
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


class ZipSink:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def put(self, path: str, content: bytes) -> None:
        self._archive.writestr(path, content, zipfile.ZIP_DEFLATED)


def export(rows: LedgerRows, identity: Identity, sink: Sink, shelf: ShelfReader | None, progress: Progress) -> Checkpoint:
    """Writes the bundle of the tree as it stands; ``shelf`` adds the past checkpoints it keeps.

    Raises ProofError when there is nothing yet, DamageError when the rows do not give what was signed: what was written
    then is no bundle, as it has no checkpoint.
    """
    signed = rows.checkpoint()
    if signed is None:
        raise ProofError("the ledger has no checkpoint yet", "let the sequencer run")
    head = identity.open(signed)
    edge, leaves = RightEdge(), list[bytes]()
    for row in rows.placed(None, head.size):
        edge.append(leaf_hash(row.leaf))
        leaves.append(row.leaf)
        if edge.size % WIDTH == 0:
            _put(sink, edge.size, leaves, edge.take_finished())
            leaves = []
            progress(edge.size)
    _put(sink, edge.size, leaves, edge.partial())
    if (edge.size, edge.root()) != (head.size, head.root):
        raise DamageError("the rows do not give the root that was signed", "run `tenure ledger verify`")
    for index in range(-(-head.size // WIDTH)):
        if shelf and (past := shelf.read(past_path(index * WIDTH + 1))) is not None and identity.open(past).size <= head.size:
            sink.put(past_path(index * WIDTH + 1), past)
    keys = [str(key) for key in identity.trusted]
    sink.put("keys", "".join(f"{key}\n" for key in keys).encode())
    sink.put("README.md", README.format(origin=head.origin, size=head.size, key=keys[-1]).encode())
    sink.put("checker.py", resources.files("tenure.ledger").joinpath("checker.py").read_bytes())
    sink.put(CHECKPOINT, head.note)
    return head


def _put(sink: Sink, size: int, leaves: list[bytes], tiles: dict[TileId, bytes]) -> None:
    if leaves:
        sink.put(bundle_path((size - 1) // WIDTH, len(leaves)), encode_bundle(leaves))
    for tile, content in tiles.items():
        sink.put(tile_path(tile, len(content) // HASH), content)
