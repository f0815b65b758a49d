"""The API keeps what its description promises: schemathesis asks every operation many things, over a real registry."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uuid_utils.compat
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.openapi import from_asgi
from schemathesis.schemas import BaseSchema

from tenure.api.access_table import ACCESS, Open
from tenure.registry.opening import open_registry
from tenure.registry.work import World
from tests.api.service import started
from tests.api.stocked import stocked
from tests.databases import Clock

CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {
            # what fits the description may still contradict what is recorded (404, 409, 412), the moment (422)
            # or not be a cursor of this list (400)
            "positive_data_acceptance": {"expected-statuses": ["2xx", "304", "400", "404", "409", "412", "422"]},
            "negative_data_rejection": {"expected-statuses": ["400", "401", "404", "405", "409", "412", "422", "428"]},
        }
    }
)


@pytest.fixture(scope="module")
def described(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BaseSchema, str]]:
    """The description as the app itself gives it, and a token that may everything."""
    path = tmp_path_factory.mktemp("contract") / "tenure.db"
    shutil.copy(sqlite_template, path)
    registry = open_registry(f"sqlite:///{path}", World(Clock(), uuid_utils.compat.uuid7, os.urandom))
    service = started(registry)
    stocked(service)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Starlette's test client asks for another httpx
        yield from_asgi("/api/v1/openapi.json", service.app, config=CONFIG), service.admin
    registry.close()


ASKED = [
    (method, path, mode)
    for (method, path), entry in sorted(ACCESS.items())
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode is GenerationMode.POSITIVE or entry is not Open.PUBLIC  # what takes nothing cannot be asked wrongly
]


@pytest.mark.parametrize(("method", "path", "mode"), ASKED)
def test_every_answer_is_one_that_the_description_names(
    described: tuple[BaseSchema, str], method: str, path: str, mode: GenerationMode
) -> None:
    schema, token = described
    operation = schema[path][method]

    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Case[Any]) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"})

    holds()
