"""The schema's version: bring a database up to date, and say whether it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mapservice.errors import ConfigurationError
from mapservice.paths import MIGRATIONS

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LOCK = 0x6D617073
"""Key of the advisory lock that keeps two migrations from running at once."""


def _config(connection: Connection | None = None) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    # Folders may hold spaces and commas; only the path separator of the system may part them.
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The newest version that this software knows."""
    from alembic.script import ScriptDirectory

    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if newest is None:
        raise ConfigurationError(f"Die Migrationen fehlen in {MIGRATIONS}.")
    return newest


def version(connection: Connection) -> str | None:
    """The version of the database, None if it is empty. Asks as owner; no other role may read it."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def migrate(connection: Connection, revision: str = "head", say: Callable[[str], None] | None = None) -> None:
    """Bring the schema to the revision, in one transaction, as owner. Commits.

    Raises ConfigurationError if a newer software wrote the database.
    """
    from alembic import command
    from alembic.script import ScriptDirectory
    from sqlalchemy import func, select

    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    script = ScriptDirectory.from_config(_config())
    present = version(connection)
    if present is not None and present not in {item.revision for item in script.walk_revisions()}:
        raise ConfigurationError(
            f"Die Datenbank hat den Stand {present}, den diese Version der Software nicht kennt "
            f"(ihr neuester: {script.get_current_head()}). Bitte die neuere Software verwenden."
        )
    if revision == "head" and present == script.get_current_head():
        connection.rollback()
        return
    if say is not None:
        say("Die Tabellen werden eingerichtet …" if present is None else "Die Tabellen werden aktualisiert …")
    known = {item.revision: item for item in script.walk_revisions()}
    order = [item.revision for item in reversed(list(script.walk_revisions()))]
    downwards = revision == "base" or (
        present is not None and revision in known and order.index(revision) < order.index(present)
    )
    (command.downgrade if downwards else command.upgrade)(_config(connection), revision)
    if revision == "head":
        # Rows that only our code can make; a database that was filled before has none of them yet.
        from mapservice.register import refresh as register
        from mapservice.search import terms

        terms.refresh(connection)
        register.refresh(connection)
    connection.commit()


def require_current(connection: Connection) -> None:
    """Raise ConfigurationError, with the remedy, unless the database is at the newest version."""
    present, newest = version(connection), head()
    if present != newest:
        raise ConfigurationError(
            f"Die Datenbank hat den Stand {present or 'leer'}, die Software braucht {newest}. "
            "Bitte einmal aufrufen: mapservice database migrate"
        )
