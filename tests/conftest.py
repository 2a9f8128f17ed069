"""A throw-away PostGIS server for the session, and a fresh migrated database for each test that asks.

The server has fsync off, which is for tests alone. No test connects as superuser: the fixtures do, to make
databases; `database` offers the three roles as the service has them.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import NullPool, create_engine

from mapservice import privileges, schema
from mapservice.config import DatabaseUrls, Settings
from mapservice.database import Database
from mapservice.postgres import DURABLE, Server
from tests.boundary_fixture import boundaries_loaded, boundaries_template, module_boundaries  # noqa: F401 - fixtures

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
TEMPLATE = "mapservice_test"

LONGEST = (
    "tests/test_hidden_data.py",
    "tests/test_recount.py",
    "tests/ogc/test_fuzz.py",
    "tests/test_hidden_coordination.py",
    "tests/test_hidden_past.py",
    "tests/test_neighbours_recount.py",
)
"""Files with few tests that take long: begun last, one of them would leave the other workers idle."""

FAST = {
    **DURABLE,
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "logging_collector": "off",
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: needs a real browser (chromium)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first.

    Workers take files in this order (--no-loadscope-reorder). The files of the browser stand together too,
    so that the site they share is not started anew between other tests.
    """
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(LONGEST)))


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Applications are made by the hundred here; each would compile the pages' templates for itself."""
    cache = FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(Flask.jinja_options, "bytecode_cache", cache)
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A running server of our own; as root too, since the folder is one that other users reach."""
    folder = Path(tempfile.mkdtemp(prefix="mapservice-tests-"))
    folder.chmod(0o755)
    server = Server(folder, lambda line: None, FAST)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.stop()
        home = server.home
        shutil.rmtree(folder)
        if home.exists():
            shutil.rmtree(home)


def urls_of(server: Server, database: str, roles: privileges.Roles) -> DatabaseUrls:
    owner, internal, public = (server.url(role, database) for role in roles)
    return DatabaseUrls(owner, internal, public)


def create_empty(server: Server, name: str) -> DatabaseUrls:
    """A database with extension and three roles of its own, without our tables."""
    roles = privileges.Roles.of(name)
    with server.connect() as connection:
        for role in roles:
            connection.execute(privileges.role_statement(role).encode())
        connection.execute(privileges.database_statement(name, roles).encode())
    with server.connect(name) as connection:
        for statement in privileges.inside_statements(name, roles):
            connection.execute(statement.encode())
    return urls_of(server, name, roles)


@pytest.fixture(scope="session")
def template(server: Server) -> str:
    """Name of a migrated database to copy from; its roles serve the copies too."""
    urls = create_empty(server, TEMPLATE)
    assert urls.owner is not None
    with create_engine(urls.owner, poolclass=NullPool).connect() as connection:
        schema.migrate(connection)
    return TEMPLATE


_numbers = itertools.count(1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Default settings with a state folder of the test's own."""
    return Settings(state_dir=tmp_path / "state")


@contextmanager
def databases(server: Server, template: str, settings: Settings) -> Iterator[Callable[..., Database]]:
    """Make as many fresh migrated databases as asked for; `source` names another template to copy."""
    made: list[Database] = []
    names: list[str] = []
    roles = privileges.Roles.of(template)
    # Copying files instead of logging every page: 0.03 s a database. Known since PostgreSQL 15.
    strategy = " STRATEGY file_copy" if server.installation().major >= 15 else ""

    def make(source: str = template) -> Database:
        name = f"test_{next(_numbers)}"
        with server.connect() as connection:
            connection.execute(
                f"CREATE DATABASE {name} OWNER {roles.owner} TEMPLATE {source}{strategy}".encode()
            )
        names.append(name)
        urls = urls_of(server, name, roles)
        database = Database(
            urls,
            replace(
                settings,
                database_url=urls.owner,
                internal_database_url=urls.internal,
                public_database_url=urls.public,
            ),
        )
        made.append(database)
        return database

    yield make
    for database in made:
        database.dispose()
    with server.connect() as connection:
        for name in names:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def make_database(server: Server, template: str, settings: Settings) -> Iterator[Callable[..., Database]]:
    """Fresh databases for one test."""
    with databases(server, template, settings) as make:
        yield make


@pytest.fixture
def database(make_database: Callable[..., Database]) -> Database:
    """A fresh migrated database. `database.settings` names it, for create_app and commands."""
    return make_database()


@pytest.fixture
def empty_database(server: Server, settings: Settings) -> Iterator[Database]:
    """A database with extension and roles of its own, but without our tables: for migrations."""
    name = f"empty_{next(_numbers)}"
    urls = create_empty(server, name)
    database = Database(urls, settings)
    yield database
    database.dispose()
    with server.connect() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        for role in privileges.Roles.of(name):
            connection.execute(f"DROP ROLE {role}".encode())


@pytest.fixture
def command_environment(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The database, with the environment naming it, so that commands run by CliRunner use it."""
    urls = database.urls
    assert urls.owner is not None
    assert urls.internal is not None
    monkeypatch.setenv("MAPSERVICE_DATABASE_URL", urls.owner)
    monkeypatch.setenv("MAPSERVICE_INTERNAL_DATABASE_URL", urls.internal)
    monkeypatch.setenv("MAPSERVICE_PUBLIC_DATABASE_URL", urls.public)
    return database


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Path of a file of the developers' shared folder; the test is skipped, visibly, where it is missing."""

    def path(name: str) -> Path:
        found = SHARED / name
        if not found.exists():
            pytest.skip(f"../shared/{name} is not there")
        return found

    return path
