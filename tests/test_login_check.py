"""A public login that could read or do too much is refused, with the reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg import Connection as DriverConnection
from sqlalchemy import NullPool, create_engine, text

from mapservice import login_check, privileges
from mapservice.database import Database
from mapservice.domain import Audience
from mapservice.errors import ConfigurationError
from mapservice.postgres import Server
from tests.conftest import TEMPLATE

ROLES = privileges.Roles.of(TEMPLATE)


@pytest.fixture
def name_of(database: Database) -> str:
    with database.reader(Audience.PUBLIC) as connection:
        return str(connection.execute(text("SELECT current_database()")).scalar_one())


@pytest.fixture
def admin(server: Server, name_of: str) -> Iterator[DriverConnection]:
    with server.connect(name_of) as connection:
        yield connection


@pytest.fixture
def login(admin: DriverConnection) -> Iterator[str]:
    """A login of the operator's own, member of the public role."""
    admin.execute(f"CREATE ROLE webmap LOGIN; GRANT {ROLES.public} TO webmap".encode())
    yield "webmap"
    admin.execute(b"DROP OWNED BY webmap CASCADE; DROP ROLE webmap")


def problems_of(server: Server, login: str, database: str) -> list[str]:
    with create_engine(server.url(login, database), poolclass=NullPool).connect() as connection:
        return login_check.problems(connection)


def test_the_three_roles(server: Server, name_of: str) -> None:
    assert problems_of(server, ROLES.public, name_of) == []
    assert any("ist die Rolle" in reason for reason in problems_of(server, ROLES.internal, name_of))
    assert any("besitzt" in reason for reason in problems_of(server, ROLES.owner, name_of))
    assert problems_of(server, "postgres", name_of) == ["Der Zugang postgres ist Superuser."]


def test_member_of_the_public_role_may_serve(server: Server, login: str, name_of: str) -> None:
    assert problems_of(server, login, name_of) == []


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("ALTER ROLE webmap SUPERUSER", "ist Superuser"),
        ("ALTER ROLE webmap BYPASSRLS", "BYPASSRLS"),
        ("ALTER ROLE webmap CREATEROLE", "CREATEROLE"),
        ("ALTER ROLE webmap REPLICATION", "REPLICATION"),
        (f"ALTER ROLE webmap NOINHERIT; GRANT {ROLES.internal} TO webmap", f"Rolle {ROLES.internal}"),
        (f"GRANT {ROLES.owner} TO webmap", f"Rolle {ROLES.owner}"),
        ("GRANT pg_read_all_data TO webmap", "pg_read_all_data"),
        ("GRANT pg_read_server_files TO webmap", "pg_read_server_files"),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA public TO webmap", "import_run"),
        ("GRANT SELECT (contact) ON implementation TO webmap", "implementation lesen: contact"),
        ("GRANT SELECT (contact) ON authority TO PUBLIC", "authority lesen: contact"),
        ("GRANT SELECT ON public_implementation TO webmap", "public_implementation"),
        ("GRANT SELECT ON implementation_history TO webmap", "implementation_history"),
        ("GRANT UPDATE (url) ON implementation TO webmap", "implementation das Recht UPDATE"),
        ("GRANT INSERT ON import_run TO webmap", "import_run das Recht INSERT"),
        ("GRANT CREATE ON SCHEMA public TO webmap", "anlegen: schema public"),
        ("ALTER TABLE tally OWNER TO webmap", "besitzt die Tabelle tally"),
        ("ALTER TABLE tally DISABLE ROW LEVEL SECURITY", "Zeilensicherheit der Tabelle tally"),
        ("ALTER TABLE implementation NO FORCE ROW LEVEL SECURITY", "Zeilensicherheit der Tabelle impl"),
        ("CREATE POLICY more ON tally TO PUBLIC USING (true)", "Regel more"),
        (f"REVOKE {ROLES.public} FROM webmap", f"weder {ROLES.public} noch"),
    ],
)
def test_too_much_is_refused(
    server: Server, admin: DriverConnection, login: str, name_of: str, statement: str, reason: str
) -> None:
    admin.execute(statement.encode())
    with (
        create_engine(server.url(login, name_of), poolclass=NullPool).connect() as connection,
        pytest.raises(ConfigurationError) as refused,
    ):
        login_check.check_public_login(connection)
    assert reason in refused.value.message


def test_grant_to_the_public_role_itself_is_noticed(
    server: Server, admin: DriverConnection, name_of: str
) -> None:
    admin.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {ROLES.public}".encode())
    assert any("contact" in reason for reason in problems_of(server, ROLES.public, name_of))


def test_what_the_migrations_grant_is_what_the_check_allows(database: Database) -> None:
    """Neither more, which the test above would report, nor less, which would break the service."""
    with database.reader(Audience.PUBLIC) as connection:
        granted = connection.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.column_privileges"
                " WHERE privilege_type = 'SELECT' AND table_schema = 'public' AND grantee = current_user"
            )
        ).all()
        columns: dict[str, set[str]] = {}
        for table, column in granted:
            columns.setdefault(table, set()).add(column)
    for table, allowed in privileges.PUBLIC_COLUMNS.items():
        assert columns.pop(table) == allowed
    assert set(columns) == privileges.PUBLIC_TABLES


def test_protected_tables_are_those_with_row_level_security(database: Database) -> None:
    with database.owner() as connection:
        names = connection.scalars(
            text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
        ).all()
    assert set(names) == set(privileges.PROTECTED_TABLES)
