"""What the tests of rules share: a healthy fleet of their own to spoil."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.rules.world import World, healthy_world


@pytest.fixture
def world(as_of: datetime) -> World:
    return healthy_world(as_of)
