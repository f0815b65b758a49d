"""Every test here runs on both databases."""

from tests.databases import *  # noqa: F403 - fixtures
