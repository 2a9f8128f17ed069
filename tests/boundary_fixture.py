"""A database with the small boundary release of tests/data imported and current, made once per session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mapservice import privileges
from mapservice.config import DatabaseUrls, Settings
from mapservice.database import Database
from mapservice.imports.boundaries import import_boundaries
from mapservice.postgres import Server

SMALL = Path(__file__).parent / "data" / "small_boundaries.zip"
"""9 districts of 5 states: Helmstedt (Samtgemeinden, 5 gemeindefreie Gebiete), Bremen, Bremerhaven, Münster,
Coesfeld, Warendorf, Hamm, Germersheim (Verbandsgemeinden), Berlin; 51 associations, 91 municipalities."""


@pytest.fixture(scope="session")
def boundaries_template(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database to copy from, with the small release."""
    name = f"{template}_boundaries"
    roles = privileges.Roles.of(template)
    with server.connect() as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER {roles.owner} TEMPLATE {template}".encode())
    owner, internal, public = (server.url(role, name) for role in roles)
    database = Database(
        DatabaseUrls(owner, internal, public), Settings(state_dir=tmp_path_factory.mktemp("state"))
    )
    import_boundaries(database, [SMALL])
    database.dispose()
    return name


@pytest.fixture
def boundaries_loaded(make_database: Callable[..., Database], boundaries_template: str) -> Database:
    """A fresh database whose current release is the small one."""
    return make_database(boundaries_template)


@pytest.fixture(scope="module")
def module_boundaries(
    server: Server, template: str, boundaries_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """The same for a whole module, whose tests fill it once and then only read."""
    from tests.conftest import databases

    with databases(server, template, Settings(state_dir=tmp_path_factory.mktemp("state"))) as make:
        yield make(boundaries_template)
