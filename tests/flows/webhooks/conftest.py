"""Every test here runs on both databases, with a real receiver on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.registry.registry import Registry
from tests.databases import *  # noqa: F403 - fixtures
from tests.flows.webhooks.outside import KEY, Outside
from tests.flows.webhooks.receivers import receiving


@pytest.fixture
def outside(registry: Registry, tmp_path: Path) -> Iterator[Outside]:
    with receiving({KEY.id: KEY.private.public_key()}) as receiver:
        yield Outside(registry, receiver, tmp_path / "shelf")
