"""Entries as they were at the end of a past day in Germany, over today's areas, catalogue and publication.

A day is the present rows that were written until then, and the rows of the history that held then. Nothing is
stored for it beside the history; row-level security is the filter of the audience here too, by what is
published today: a withdrawal works backwards.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    DateTime,
    and_,
    cast,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import aliased

from mapservice.models import Implementation, ImplementationHistory
from mapservice.seen import Kept

ZONE = "Europe/Berlin"
READ = (
    *("id", "authority_id", "service_id", "identifier", "status", "url", "solution_kind", "solution_id"),
    *("maturity_model", "maturity", "reusable", "reuse_note", "public_contact", "online_since"),
    *("planned_until", "as_of", "source", "valid_for", "specialist_system", "trust_level", "demonstration"),
)
"""What every audience may read of both tables."""
_days: Kept[tuple[dt.date, ...]] = Kept(16)


def end_of(day: dt.date) -> ColumnElement[dt.datetime]:
    """The moment at which the day ends in Germany."""
    following = cast(literal(day + dt.timedelta(days=1), Date), DateTime(timezone=False))
    return func.timezone(ZONE, following, type_=DateTime(timezone=True))


def day_of(moment: Any) -> ColumnElement[dt.date]:
    """The day in Germany on which the moment lies."""
    return cast(func.timezone(ZONE, moment), Date)


def versions_on(day: dt.date | None) -> list[tuple[Any, ColumnElement[bool]]]:
    """Tables that together hold the entries of a day, each with the condition on its rows."""
    if day is None:
        return [(Implementation, true())]
    now, then, end = Implementation, ImplementationHistory, end_of(day)
    return [(now, now.valid_from < end), (then, and_(then.valid_to >= end, then.valid_from < end))]


def entries_on(day: dt.date | None) -> Any:
    """What stands for `Implementation` in a statement about a day; that itself without one.

    It has the columns that every audience may read.
    """
    if day is None:
        return Implementation
    versions = union_all(
        *(select(*(getattr(table, name) for name in READ)).where(held) for table, held in versions_on(day))
    )
    return aliased(Implementation, versions.subquery("version"), adapt_on_names=True)


def days_of_change(connection: Connection) -> tuple[dt.date, ...]:
    """The days at the end of which what this connection's role may see was not as on the day before, newest
    first. The last of them is the first day of which there are entries; empty without any.

    Kept in this process while the data version stays.
    """
    return _days.get(connection, _days_of_change)


def first_day(connection: Connection) -> dt.date | None:
    """The first day of which there are entries that this connection's role may see."""
    days = days_of_change(connection)
    return days[-1] if days else None


def _days_of_change(connection: Connection) -> tuple[dt.date, ...]:
    now, then = Implementation, ImplementationHistory
    found: set[dt.date] = set()
    for table, column in ((now, now.valid_from), (then, then.valid_from), (then, then.valid_to)):
        found |= _distinct_days(connection, column, table.valid_for.is_(None))
        # These few are in no index by time.
        limited = select(day_of(column)).where(table.valid_for.is_not(None)).distinct()
        found.update(connection.scalars(limited))
    return tuple(sorted(found, reverse=True))


def _distinct_days(connection: Connection, column: Any, among: ColumnElement[bool]) -> set[dt.date]:
    """The days of a column, each found by one step along its index: rows share the moment of their import."""
    newest = select(func.max(column).label("at")).where(among).cte("moment", recursive=True)
    begin_of_day = func.timezone(
        ZONE, cast(day_of(newest.c.at), DateTime(timezone=False)), type_=DateTime(timezone=True)
    )
    before = select(func.max(column)).where(among, column < begin_of_day).scalar_subquery()
    moments = newest.union_all(select(before).where(newest.c.at.is_not(None)))
    return set(connection.scalars(select(day_of(moments.c.at)).where(moments.c.at.is_not(None))))
