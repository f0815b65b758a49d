"""The page on ``audit.toml``: its examples are valid, and no entry is left out."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from tenure.model import declarations
from tenure.model.declarations import Declarations

PAGE = (Path(__file__).parents[2] / "docs" / "audit-toml.md").read_text("utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
CLASSES = [
    c
    for c in vars(declarations).values()
    if isinstance(c, type) and issubclass(c, BaseModel) and c.__module__ == declarations.__name__
]
FIELDS = [(c.__name__, name) for c in CLASSES for name in c.model_fields]


def test_every_table_has_an_example() -> None:
    assert len(BLOCKS) == 8
    shown = {entry for block in BLOCKS for entry in tomllib.loads(block)}
    assert shown == set(Declarations.model_fields)


@pytest.mark.parametrize("block", BLOCKS)
def test_examples_are_valid(block: str) -> None:
    assert Declarations.model_validate(tomllib.loads(block)) != Declarations()


@pytest.mark.parametrize(("of", "name"), FIELDS)
def test_every_entry_is_on_the_page(of: str, name: str) -> None:
    assert f"`{name}`" in PAGE, f"{of}.{name} is not on the page"
