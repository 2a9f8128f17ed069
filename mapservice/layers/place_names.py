"""Names to write on the map: states, districts and the most important towns, with where they stand."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, case, func, select

from mapservice.domain import Kind, Level
from mapservice.layers.counting import current_release
from mapservice.models import Authority, Boundary

CAPITALS = (
    "010020000000",
    "020000000000",
    "032410001001",
    "040110000000",
    "051110000000",
    "064140000000",
    "073150000000",
    "081110000000",
    "091620000000",
    "100410100100",
    "110000000000",
    "120540000000",
    "130040000000",
    "146120000000",
    "150030000000",
    "160510000000",
)
"""Capitals of the states and the city states, by ARS: on a map of Germany they come before larger towns."""

MOST_TOWNS = 800
"""Two for a district: closer than that, the borders of municipalities bring their names along."""


def regions(connection: Connection, level: Level) -> list[Row[Any]]:
    """Key, name, lon and lat of all states, or of the districts that are no city of their own, by key."""
    statement = _names().where(Boundary.level == int(level)).order_by(Boundary.key)
    if level is Level.DISTRICT:
        statement = statement.where(Boundary.kinds.op("&")(int(Kind.DISTRICT_FREE_CITY)) == 0)
    return list(connection.execute(statement).all())


def towns(connection: Connection, limit: int = MOST_TOWNS) -> list[Row[Any]]:
    """Key, name, lon and lat of the most important municipalities, the first first.

    Capitals, then by inhabitants. Where a release and the list of authorities know none: district-free
    cities, then towns, each by area.
    """
    population = func.coalesce(Authority.population, Boundary.population)
    rank = case(
        (Boundary.ars.in_(CAPITALS), 0),
        (population.is_not(None), 1),
        (Boundary.kinds.op("&")(int(Kind.DISTRICT_FREE_CITY)) != 0, 2),
        (func.lower(Boundary.designation).contains("stadt"), 3),
        else_=4,
    )
    statement = (
        _names()
        .join(Authority, Authority.id == Boundary.authority_id)
        .where(Boundary.level == int(Level.MUNICIPALITY))
        .order_by(rank, population.desc().nulls_last(), Boundary.area_m2.desc(), Boundary.key)
        .limit(limit)
    )
    return list(connection.execute(statement).all())


def _names() -> Select[Any]:
    return select(
        Boundary.key,
        Boundary.name,
        func.ST_X(Boundary.label_point).label("lon"),
        func.ST_Y(Boundary.label_point).label("lat"),
    ).where(Boundary.release_id == current_release())
