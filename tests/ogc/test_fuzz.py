"""Our own OpenAPI document as a contract: schemathesis asks what it allows, and what it forbids.

CASES per operation; many more with MAPSERVICE_TEST_FUZZ_CASES in the environment.
"""

from __future__ import annotations

import os
from typing import Any

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

CASES = int(os.environ.get("MAPSERVICE_TEST_FUZZ_CASES", "6"))


def test_no_answer_that_the_document_does_not_promise(app: Flask) -> None:
    """No 5xx, no status, media type or body that is not described, for every operation.

    Left out is the check that what the document allows is answered: no JSON Schema says what CQL2, an
    interval of time or a cursor is.
    """
    schema: Any = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy())
        @settings(
            max_examples=CASES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Any) -> None:
            nonlocal tried
            tried += 1
            # The client inside schemathesis does not unpack.
            case.call_and_validate(
                headers={"Accept-Encoding": "identity"}, excluded_checks=[positive_data_acceptance]
            )

        ask()
    assert tried >= 8 * min(CASES, 6)
