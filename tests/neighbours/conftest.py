"""Telgte and those around it, with a few services and nothing reported yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from mapservice.database import Database
from mapservice.search import terms
from tests import around
from tests.around import (
    DISTRICT,
    DOG,
    EVERSWINKEL,
    MUENSTER,
    OSTBEVERN,
    SENDEN,
    SENDENHORST,
    TELGTE,
    WARENDORF,
)
from tests.asking import client_of
from tests.entries import add_entry

PUBLISHED = (TELGTE, OSTBEVERN, EVERSWINKEL, WARENDORF, SENDENHORST, DISTRICT, MUENSTER, SENDEN)


@pytest.fixture
def database(boundaries_loaded: Database) -> Database:
    with boundaries_loaded.owner() as connection:
        around.add_services(connection)
        terms.refresh_services(connection)
        around.publish(connection, PUBLISHED)
    return boundaries_loaded


@pytest.fixture
def client(database: Database) -> Iterator[FlaskClient]:
    with client_of(database) as client:
        yield client


Enter = Callable[..., str]


@pytest.fixture
def enter(database: Database) -> Enter:
    """Add an entry of an authority; returns its id."""

    def add(ars: str, service: str = DOG, status: int = 1, **more: Any) -> str:
        with database.owner() as connection:
            return add_entry(connection, ars, service, status, **more)

    return add
