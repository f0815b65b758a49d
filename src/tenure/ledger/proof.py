"""The proof file: one event, its path to a signed root, and the checkpoint; checked offline, by Tenure or by others.

JSON with ``format``, ``proof`` (the text of C2SP tlog-proof@v1, whose ``extra`` is the entry itself) and, for a row of a
batch, ``row``. Who only wants the standard text takes ``proof`` out.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from tenure.ledger.checkpoint import Checkpoint, Identity
from tenure.ledger.refusals import DamageError, ProofError
from tenure.ledger.rows import RowProof, check_row
from tenure.ledger.store import LedgerRows
from tenure.ledger.tiles import subtrees
from tenure.ledger.tree import inclusion_path, leaf_hash, root_by_inclusion

FORMAT = "tenure-ledger-proof@1"
_TLOG = "c2sp.org/tlog-proof@v1"
_FIX = "take the file again from where it was made"


@dataclass(frozen=True, slots=True)
class Proved:
    """An entry that is in the ledger at this place, and the row of it that was asked for. Comes from ``check`` alone."""

    position: int
    leaf: bytes
    row: RowProof | None
    checkpoint: Checkpoint


def prove(rows: LedgerRows, identity: Identity, position: int, row: RowProof | None = None) -> bytes:
    """The proof file for the event at ``position``, under the database's checkpoint.

    Raises ProofError when that place is not covered by it, DamageError when row or tiles do not give what was signed.
    """
    signed = rows.checkpoint()
    head = identity.open(signed) if signed is not None else None
    found = list(rows.placed(position, position + 1))
    if head is None or not 0 <= position < head.size or len(found) != 1:
        raise ProofError(f"no event at place {position}", "wait until it has a place, or run `tenure ledger verify`")
    path = inclusion_path(position, head.size, subtrees(rows.tile, head.size))
    if root_by_inclusion(position, head.size, leaf_hash(found[0].leaf), path) != head.root:
        raise DamageError(f"the event at place {position} is not what got that place", "run `tenure ledger verify`")
    if row:
        check_row(row, found[0].leaf)
    hashes = "".join(f"{_coded(h)}\n" for h in path)
    text = f"{_TLOG}\nextra {_coded(found[0].leaf)}\nindex {position}\n{hashes}\n{head.note.decode()}"
    written: dict[str, Any] = {"format": FORMAT, "proof": text}
    if row:
        written["row"] = {"index": row.index, "count": row.count, "row": _coded(row.row), "path": [_coded(h) for h in row.path]}
    return json.dumps(written, indent=1, ensure_ascii=False).encode() + b"\n"


def check(content: bytes, identity: Identity) -> Proved:
    """Raises ProofError or NoteError unless the file proves what it says, under a key of ``identity``."""
    try:
        written = json.loads(content)
        if written["format"] != FORMAT:
            raise ProofError(f"a proof of the format {written['format']}", f"this reads {FORMAT}")
        head, _, note = written["proof"].partition("\n\n")
        kind, extra, index, *coded = head.split("\n")
        leaf, path = _raw(extra.removeprefix("extra ")), [_raw(line) for line in coded]
        position = int(index.removeprefix("index "))
        row = _row(written["row"]) if "row" in written else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProofError("not a proof file", _FIX) from error
    if kind != _TLOG or not extra.startswith("extra ") or index != f"index {position}":
        raise ProofError("not a tlog-proof with the entry in it", _FIX)
    head_then = identity.open(note.encode())
    if root_by_inclusion(position, head_then.size, leaf_hash(leaf), path) != head_then.root:
        raise ProofError("the entry does not lead to the root that was signed", "the entry or its proof was changed")
    if row:
        check_row(row, leaf)
    return Proved(position, leaf, row, head_then)


def _row(written: dict[str, Any]) -> RowProof:
    index, count = int(written["index"]), int(written["count"])
    return RowProof(index, count, _raw(written["row"]), tuple(_raw(h) for h in written["path"]))


def _coded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _raw(coded: str) -> bytes:
    return base64.b64decode(coded, validate=True)
