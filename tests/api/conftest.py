"""The whole API over a real registry in SQLite."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import uuid_utils.compat

from tenure.registry.opening import open_registry
from tenure.registry.work import World
from tests.api.service import Service, started
from tests.databases import Clock, sqlite_template

__all__ = ["service", "sqlite_template"]


@pytest.fixture
def service(sqlite_template: Path, tmp_path: Path) -> Iterator[Service]:
    """A healthy service with two owners, who know nothing of one another."""
    path = tmp_path / "tenure.db"
    shutil.copy(sqlite_template, path)
    registry = open_registry(f"sqlite:///{path}", World(Clock(), uuid_utils.compat.uuid7, os.urandom))
    yield started(registry)
    registry.close()
