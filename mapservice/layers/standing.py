"""Where an area stands among the others: value, rank and averages (docs/counting.md, rank and averages)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Double, case, cast, func, select
from sqlalchemy.orm import aliased

from mapservice.domain import Audience, Level, Measure
from mapservice.layers.areas import valued
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.models import Boundary


@dataclass(frozen=True)
class Average:
    """The mean value of the areas of the level in a region; of how many.

    level: of the region; None for Germany, which has no key. value: in value units, a share for `status`.
    """

    level: Level | None
    key: str | None
    name: str | None
    designation: str | None
    value: float
    areas: int


@dataclass(frozen=True)
class Standing:
    """n, of, status and reason as in layers.areas.rows(); value: in value units, None with a reason.

    rank: one more than the number of areas within the region of the query that have a higher value, and how
    many have one; None outside the region, without a value and for `status`.
    """

    n: int
    of: int
    status: int
    reason: int | None
    value: float | None
    rank: tuple[int, int] | None
    averages: tuple[Average, ...]
    """Of the district, the state and Germany, of those that hold other areas of the level with a value."""


def standing(
    connection: Connection, query: Query, selection: Selection, audience: Audience, boundary_id: int
) -> Standing:
    """Computed over all areas of the level in one statement."""
    counted = valued(connection, query, selection, audience)
    areas = (
        select(
            counted.c.boundary_id,
            counted.c.inside,
            counted.c.n,
            counted.c.of,
            counted.c.status,
            counted.c.reason,
            _value(query, counted.c).label("value"),
            Boundary.district_id,
            Boundary.state_id,
        )
        .join_from(counted, Boundary, Boundary.id == counted.c.boundary_id)
        .cte("all_areas")
        .prefix_with("MATERIALIZED")
    )
    me, other = aliased(areas, name="me"), areas.c
    known = other.value.is_not(None)
    in_district, in_state = other.district_id == me.c.district_id, other.state_id == me.c.state_id
    row = connection.execute(
        select(
            me.c.inside,
            me.c.n,
            me.c.of,
            me.c.status,
            me.c.reason,
            me.c.value,
            me.c.district_id,
            me.c.state_id,
            func.count().filter(known, other.inside).label("ranked"),
            func.count().filter(known, other.inside, other.value > me.c.value).label("above"),
            *_mean("district", other.value, in_district),
            *_mean("state", other.value, in_state),
            *_mean("germany", other.value, known),
        )
        .join_from(areas, me, me.c.boundary_id == boundary_id)
        .group_by(*(column for column in me.c if column.name != "boundary_id"))
    ).one()
    is_ranked = row.inside and row.value is not None and query.measure is not Measure.STATUS
    return Standing(
        n=row.n,
        of=row.of,
        status=row.status,
        reason=row.reason,
        value=None if query.measure is Measure.STATUS else row.value,
        rank=(row.above + 1, row.ranked) if is_ranked else None,
        averages=tuple(_averages(connection, query.level, row)),
    )


def _value(query: Query, c: Any) -> ColumnElement[Any]:
    """Machine numbers: the same fraction is the same number, whatever it was before it was reduced."""
    number: ColumnElement[Any]
    if query.measure is Measure.COUNT:
        number = cast(c.n, Double)
    elif query.measure is Measure.STATUS:
        # Of an area it is no number; of several it is the share of those with a wanted status.
        number = case((c.status.in_([int(status) for status in query.statuses]), 1.0), else_=0.0)
    else:
        number = cast(c.n, Double) / func.nullif(c.of, 0)
    return case((c.reason.is_(None), number))


def _mean(name: str, value: ColumnElement[Any], where: ColumnElement[bool]) -> tuple[ColumnElement[Any], ...]:
    # count() of a column leaves out null, as avg() does.
    return (
        func.avg(value).filter(where).label(f"{name}_mean"),
        func.count(value).filter(where).label(f"{name}_areas"),
    )


def _averages(connection: Connection, level: Level, row: Any) -> list[Average]:
    found = []
    ids = {Level.DISTRICT: row.district_id, Level.STATE: row.state_id}
    regions = {
        Level(region.level): region
        for region in connection.execute(
            select(Boundary.level, Boundary.key, Boundary.name, Boundary.designation).where(
                Boundary.id.in_([number for number in ids.values() if number is not None])
            )
        )
    }
    for above, name in ((Level.DISTRICT, "district"), (Level.STATE, "state")):
        areas = getattr(row, f"{name}_areas")
        if above < level and above in regions and areas > 1:
            region = regions[above]
            found.append(
                Average(
                    above, region.key, region.name, region.designation, getattr(row, f"{name}_mean"), areas
                )
            )
    if row.germany_areas > 1:
        found.append(Average(None, None, None, None, row.germany_mean, row.germany_areas))
    return found
