"""An application over the small boundary release, with a few entries (tests/test_api.py)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mapservice import create_app
from mapservice.database import Database
from tests.test_api import fill


@pytest.fixture(scope="module")
def app(module_boundaries: Database) -> Iterator[Flask]:
    fill(module_boundaries)
    app = create_app(module_boundaries.settings, module_boundaries)
    yield app
    app.extensions["mapservice"].versions.close()


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()
