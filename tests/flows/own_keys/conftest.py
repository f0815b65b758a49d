"""A registry on both databases, and a folder of keys beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.flows.own_keys.folder import KeyFolder
from tenure.flows.own_keys.turn import Custody
from tenure.registry.registry import Registry
from tests.databases import *  # noqa: F403 - fixtures


@pytest.fixture
def custody(registry: Registry, tmp_path: Path) -> Custody:
    return Custody(registry, KeyFolder(tmp_path / "keys", registry.world.entropy))
