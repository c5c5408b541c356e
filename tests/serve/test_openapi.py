"""Whatever the description allows, and much that it does not, gets an answer that the description knows."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.serve.test_picture_search import service_of

from trifocal.serve import ServeConfig
from trifocal.serve.app import create_app

_EXAMPLES, _LATE = 8, list(HealthCheck)
_PHASES = [Phase.explicit, Phase.generate]
_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> BaseSchema:
    folder: Path = tmp_path_factory.mktemp("described")
    # Nothing is refused because a machine is slow, and nothing given up.
    config = ServeConfig(limit_ms=20_000, queue_ms=20_000, overloaded_queue_ms=20_000)
    app = create_app(service_of(folder, config=config))
    # Each question of the fuzzer would start and end the service.
    app.router.lifespan_context = _always_up
    return schemathesis.openapi.from_asgi("/openapi.json", app)


@contextlib.asynccontextmanager
async def _always_up(_app: object) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_one_that_was_described(
    described: BaseSchema, mode: GenerationMode, caplog: pytest.LogCaptureFixture
) -> None:
    # What a fuzzer sends fills the log otherwise.
    caplog.set_level(logging.CRITICAL)
    found = [operation.ok() for operation in described.get_all_operations() if isinstance(operation, Ok)]
    # Which never gets ready here, and says so with a 503.
    operations = [operation for operation in found if operation.path != "/readyz"]
    assert len(operations) >= 10
    faults = [fault for operation in operations for fault in _faults(operation, mode)]
    assert not faults, "\n".join(faults)


def _faults(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode) -> list[str]:
    """What is wrong with the answers of one operation; the smallest question that shows it."""

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=_LATE,
        phases=_PHASES,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Case[Any]) -> None:
        case.call_and_validate(checks=_CHECKS)

    try:
        check()
    except Unsatisfiable:
        # Nothing that is wrong can be sent to what takes nothing.
        return []
    except FailureGroup as group:
        return [f"{operation.label}: {fault}" for fault in group.exceptions]
    return []
