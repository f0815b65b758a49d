"""What all tests share: where the corpus of real data lies, and a fixed moment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real exports nobody here wrote; tests that need it are skipped where it does not exist."""
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not on this machine")
    return CORPUS


@pytest.fixture(scope="session")
def as_of() -> datetime:
    return datetime(2026, 11, 1, tzinfo=UTC)
