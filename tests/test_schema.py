"""The schema can be built, taken down and built again, and says what it is."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect, text

from mapservice import schema
from mapservice.database import Database
from mapservice.errors import ConfigurationError
from mapservice.models import Base


def test_up_down_and_up_again(empty_database: Database) -> None:
    with empty_database.owner_engine().connect() as connection:
        schema.migrate(connection)
        tables = set(inspect(connection).get_table_names())
        assert set(Base.metadata.tables) <= tables
        connection.rollback()
        schema.migrate(connection, "base")
        left = set(inspect(connection).get_table_names()) - {"spatial_ref_sys", "alembic_version"}
        assert left == set()
        functions = connection.execute(
            text(
                "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
                " AND proowner = current_user::regrole"
            )
        ).all()
        assert functions == []
        connection.rollback()
        schema.migrate(connection)
        schema.require_current(connection)


def test_migrating_twice_changes_nothing(database: Database) -> None:
    said: list[str] = []
    with database.owner_engine().connect() as connection:
        schema.migrate(connection, say=said.append)
    assert said == []


def test_database_of_newer_software_is_refused(database: Database) -> None:
    with database.owner() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with (
        database.owner_engine().connect() as connection,
        pytest.raises(ConfigurationError, match=r"9999.*neuere Software"),
    ):
        schema.migrate(connection)


def test_models_match_the_migrations(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from geoalchemy2 import alembic_helpers

    with database.owner_engine().connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, parents: kind != "table" or name in Base.metadata.tables,
                "include_object": alembic_helpers.include_object,
                "compare_type": True,
            },
        )
        assert compare_metadata(context, Base.metadata) == []
