"""Where Tenure keeps its own files: snapshots, rolls, checked signatures, the digest key. Asks the environment, makes nothing."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

STORE_HELP = "Folder for snapshots, rolls and the digest key [default: $TENURE_STORE, else $XDG_STATE_HOME/tenure]."


@dataclass(frozen=True, slots=True)
class Places:
    """Paths below one store. Nothing is made here."""

    root: Path

    @property
    def evidence(self) -> Path:
        return self.root / "evidence"

    @property
    def edges(self) -> Path:
        return self.root / "edges"

    @property
    def digest_key(self) -> Path:
        return self.root / "digest.key"

    def roll(self, folder: Path) -> Path:
        """The roll last linked from a folder: one file per audited folder, replaced by each run."""
        name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        return self.root / "rolls" / f"{name}.duckdb"


def places(store: Path | None) -> Places:
    """The store that was asked for, else the environment's, else the user's state folder."""
    if store is not None:
        return Places(store)
    if told := os.environ.get("TENURE_STORE"):
        return Places(Path(told))
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Places(Path(state) / "tenure")
