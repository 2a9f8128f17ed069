"""Our own OpenAPI document as a contract: schemathesis asks what it allows, and what it forbids.

CASES per operation of each kind, the same each time; thousands and more with a number in the environment:
MAPSERVICE_TEST_FUZZ_CASES=100 scripts/test tests/ogc/test_fuzz.py
"""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from mapservice.params import LIMIT_MOST

CASES = int(os.environ.get("MAPSERVICE_TEST_FUZZ_CASES", "8"))
FREE = frozenset(
    {
        *("filter", "datetime", "cursor", "offset", "service", "situation", "within", "value", "breaks"),
        *("bbox", "bbox-crs", "confirmed", "stand", "measure", "method", "classes", "subject", "lang"),
    }
)
"""Parameters of which no JSON Schema says what they may be: CQL2, an interval of time, a key that has to be
known, a day that must not lie ahead, corners in their order; and those that ask for or exclude another one.
"""


def asks_for_more(case: Any) -> bool:
    """Whether a page of more than the maximum is asked for: Part 1 wants that answered with as many as there
    may be (fc-limit-response-1), so that it breaks the schema and is no error.
    """
    limit = str((case.query or {}).get("limit", ""))
    return limit.isdecimal() and int(limit) > LIMIT_MOST


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value
)
def test_no_answer_that_the_document_does_not_promise(app: Flask, mode: GenerationMode) -> None:
    """No 5xx, no status, media type, header or body that is not described, for every operation; what the
    document forbids is refused, and what it allows is answered.
    """
    schema: Any = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    # A text beyond `maxLength` may make the whole address too long.
    schema.config.checks.negative_data_rejection.expected_statuses.append("414")
    tried: dict[str, int] = {}
    for result in schema.get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=CASES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Any) -> None:
            tried[case.operation.label] = tried.get(case.operation.label, 0) + 1
            excluded = [positive_data_acceptance] if FREE & set(case.query or ()) else []
            excluded += [negative_data_rejection] if asks_for_more(case) else []
            # The client inside schemathesis does not unpack.
            case.call_and_validate(headers={"Accept-Encoding": "identity"}, excluded_checks=excluded)

        ask()
    operations = [f"GET {path}" for path in schema.raw_schema["paths"]]
    assert sorted(tried) == sorted(operations)
    assert sum(tried.values()) >= min(CASES, 4) * len(operations)
