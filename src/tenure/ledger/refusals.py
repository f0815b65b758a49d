"""What the ledger refuses, and what to do then."""

from __future__ import annotations

from tenure.errors import TenureError


class NoteError(TenureError):
    """A text that should be a signed note or a checkpoint is none, or no key we trust has signed it."""


class ProofError(TenureError):
    """A proof does not lead to the root it claims."""


class DamageError(TenureError):
    """What the database holds does not give the checkpoint that was signed: somebody changed rows or tiles."""


class RewindError(TenureError):
    """The database is older than what lies outside, or tells another past: a backup was restored, or history rewritten."""


class ShelfError(TenureError):
    """The place outside the database cannot be read or written, or holds what cannot be."""
