"""Verification: is every row of the ledger what it was when it was signed? If not, which is the first that is not?

1. Signatures: the checkpoints on the shelf, those that others kept, and the one in the database, each under a trusted key.
2. Read: all rows once, numbering and roots at each signed size; tiles and shipped files are compared on the way.
3. Beyond: no row may have a place that the tree has not.
4. If rows are wrong: hashes that give a signed root are looked for, outside first, and with them the first bad row.
   If no copy gives one, the past checkpoints on the shelf narrow the span in which it lies.

Somebody with full write access to the database can recompute tree and tiles, not sign. What no signature covers yet (events
without a place) is beyond this, and what only the database's own checkpoint covers can be cut off: ``vouched`` says from where.
May run while the sequencer works: places never change, and what got one meanwhile is left for the next time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tenure.ledger.checkpoint import Checkpoint, Identity
from tenure.ledger.copies import CopyCheck
from tenure.ledger.culprit import first_bad, in_database, kept_entries, on_shelf, truth_of
from tenure.ledger.reading import NoCopies, Progress, Reading, read_through
from tenure.ledger.refusals import NoteError
from tenure.ledger.shelf import ShelfReader
from tenure.ledger.store import LedgerRows
from tenure.ledger.tiles import CHECKPOINT, WIDTH, past_path
from tenure.ledger.verdict import BadRow, BadSpan, Deed, Finding, Intact, Verdict


@dataclass
class _Signed:
    """Step 1: roots by size, and who says so."""

    identity: Identity
    roots: dict[int, bytes] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def hear(self, note: bytes | None, whose: str) -> Checkpoint | None:
        if note is None:
            return None
        try:
            said = self.identity.open(note)
        except NoteError as error:
            self.problems.append(f"{whose} cannot be trusted: {error.problem}")
            return None
        if self.roots.setdefault(said.size, said.root) != said.root:
            self.problems.append(f"{whose} contradicts another signed one over {said.size} entries: the key signed two pasts")
        return said


def _nobody(_rows: int) -> None:
    pass


def verify(
    rows: LedgerRows,
    identity: Identity,
    shelf: ShelfReader | None = None,
    kept: Sequence[bytes] = (),
    progress: Progress = _nobody,
) -> Verdict:
    """``kept``: signed checkpoints from other places. Raises ShelfError when the shelf cannot be read."""
    signed = _Signed(identity)  # 1
    published = signed.hear(shelf.read(CHECKPOINT), "the checkpoint on the shelf") if shelf else None
    others = [signed.hear(note, f"checkpoint {number} that was kept") for number, note in enumerate(kept, 1)]
    shipped = published.size if published else 0
    vouched = max([shipped, *(other.size for other in others if other)])
    head = signed.hear(rows.checkpoint(), "the checkpoint in the database")
    size = head.size if head else 0
    if size < vouched:
        signed.problems.append(
            f"the database ends at {size} entries, outside are {vouched}: an old backup, or its end was cut off"
        )

    copies = CopyCheck(rows, size, shelf, shipped)
    reading = read_through(rows, signed.roots, copies, progress)  # 2
    if reading.failed is None:
        finding = _beyond(rows, identity, max(signed.roots, default=0))  # 3
        return Verdict(reading.count, vouched, finding, (*signed.problems, *copies.problems()))
    finding = _culprit(rows, signed, shelf, shipped, size, reading)  # 4
    return Verdict(reading.count, vouched, finding, tuple(signed.problems))


def _beyond(rows: LedgerRows, identity: Identity, size: int) -> Finding:
    """Rows are read before the checkpoint that has to cover them, so that one placed just now is never accused."""
    try:
        for row in rows.placed(_size(rows, identity, size)):
            if row.position >= _size(rows, identity, size):
                return BadRow(row.position, Deed.INSERTED, row.event, None)
    except NoteError:  # told in step 1: without a signature nobody knows where the tree ends
        pass
    return Intact()


def _size(rows: LedgerRows, identity: Identity, otherwise: int) -> int:
    note = rows.checkpoint()
    return identity.open(note).size if note is not None else otherwise


def _culprit(rows: LedgerRows, signed: _Signed, shelf: ShelfReader | None, shipped: int, size: int, reading: Reading) -> Finding:
    hashes = [*([on_shelf(shelf, shipped)] if shelf else []), in_database(rows, size)]
    if truth := truth_of(hashes, signed.roots):
        bad = first_bad(rows, truth, kept_entries(shelf, truth, shipped))
        if bad:
            return bad
    past = dict(_past(signed.identity, shelf, reading)) if shelf else {}
    if past:
        reading = read_through(rows, past | signed.roots, NoCopies(), _nobody)
    return BadSpan(reading.matched, reading.wrong_before())


def _past(identity: Identity, shelf: ShelfReader, reading: Reading) -> Iterator[tuple[int, bytes]]:
    """Past checkpoints between the last size that was right and the first that is not."""
    for index in range(reading.matched // WIDTH, -(-(reading.failed or 0) // WIDTH)):
        note = shelf.read(past_path(index * WIDTH + 1))
        try:
            said = identity.open(note) if note is not None else None
        except NoteError:
            continue
        if said:
            yield said.size, said.root
