"""How the tests of what is hidden draw their worlds, the same ones in every run, and whom they ask."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, settings

from mapservice.database import Database
from mapservice.domain import Audience
from tests.asking import client_of

DRAWN = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""Without search for smaller examples, which would take minutes each."""


def examples(usual: int) -> int:
    """How many worlds: the usual number, or what MAPSERVICE_TEST_HIDDEN_EXAMPLES says."""
    return int(os.environ.get("MAPSERVICE_TEST_HIDDEN_EXAMPLES", usual))


@contextmanager
def two_workers(database: Database) -> Iterator[tuple[FlaskClient, FlaskClient]]:
    """What the first one keeps of an answer, the second has to find for itself."""
    chosen = {"cache_mb": 0, "public_url": "https://karten.example/"}
    with client_of(database, **chosen) as first, client_of(database, **chosen) as second:
        yield first, second


def catch_up(clients: tuple[FlaskClient, FlaskClient], database: Database) -> None:
    """Wait until both have heard of what the public may see: they may take a second for it."""
    for client in clients:
        versions = client.application.extensions["mapservice"].versions
        with database.reader(Audience.PUBLIC) as connection:
            wanted = versions.read(connection)
        deadline = time.monotonic() + 10
        while versions.current() != wanted:
            assert time.monotonic() < deadline
            time.sleep(0.005)
