"""PostgreSQL's extension pg_trgm, without which no misspelt name is found."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from mapservice.errors import ConfigurationError

_DOCS = "Siehe docs/operations.md, Abschnitt »Suche«."


def require_trigrams(connection: Connection) -> None:
    """Make sure that the extension is there; raises ConfigurationError with the remedy.

    It is a trusted extension: whoever may create in the database, as its owner does, may add it.
    """
    if connection.scalar(text("SELECT true FROM pg_extension WHERE extname = 'pg_trgm'")):
        return
    if not connection.scalar(text("SELECT true FROM pg_available_extensions WHERE name = 'pg_trgm'")):
        raise ConfigurationError(
            "Der PostgreSQL-Server hat die Erweiterung pg_trgm nicht, die die Suche braucht. Bitte auf dem "
            f"Server das Paket mit den Erweiterungen (contrib) einrichten und noch einmal aufrufen. {_DOCS}"
        )
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE EXTENSION pg_trgm SCHEMA public"))
    except DBAPIError:
        raise ConfigurationError(
            "Die Erweiterung pg_trgm, die die Suche braucht, darf dieser Zugang nicht anlegen. Bitte einmal "
            f"als Administrator in dieser Datenbank: CREATE EXTENSION pg_trgm SCHEMA public; {_DOCS}"
        ) from None
