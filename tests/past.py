"""Changes that happened long ago: what was just written gets the moment that a test wants."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, text

JUST_NOW = "(now() - interval '30 days')"
_DATED = (
    f"UPDATE implementation SET valid_from = :moment WHERE valid_from > {JUST_NOW}",
    f"UPDATE implementation_history SET valid_from = :moment WHERE valid_from > {JUST_NOW}",
    f"UPDATE implementation_history SET valid_to = :moment WHERE valid_to > {JUST_NOW}",
)


def date_back(connection: Connection, moment: dt.datetime) -> None:
    """Whatever was written in the last days was written at this older moment. No trigger notices."""
    connection.execute(text("ALTER TABLE implementation DISABLE TRIGGER USER"))
    for statement in _DATED:
        connection.execute(text(statement), {"moment": moment})
    connection.execute(text("ALTER TABLE implementation ENABLE TRIGGER USER"))
    # The triggers of the change itself moved the version; what is kept since then must not stay.
    connection.execute(text("UPDATE data_version SET version = version + 1"))


def berlin(text_: str) -> dt.datetime:
    """A moment as clocks in Germany show it: 2026-03-31 23:30, with the offset behind it."""
    return dt.datetime.fromisoformat(text_)
