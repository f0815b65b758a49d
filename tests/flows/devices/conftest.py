"""Every test here runs on both databases."""

from tests.databases import *  # noqa: F403 - fixtures
from tests.flows.devices.plant import plant  # noqa: F401 - a fixture
