"""Which levels the current boundary release has, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from mapservice.domain import Level
from mapservice.layers.counting import current_release
from mapservice.models import Boundary


@dataclass(frozen=True)
class Extent:
    """west, south, east, north in degrees around all areas of a level; their number."""

    box: tuple[float, float, float, float]
    areas: int


def extents(connection: Connection) -> dict[Level, Extent]:
    """By level, highest first; levels without areas are left out."""
    rows = connection.execute(
        select(
            Boundary.level,
            func.min(Boundary.west),
            func.min(Boundary.south),
            func.max(Boundary.east),
            func.max(Boundary.north),
            func.count(),
        )
        .where(Boundary.release_id == current_release())
        .group_by(Boundary.level)
        .order_by(Boundary.level)
    )
    return {Level(level): Extent((w, s, e, n), areas) for level, w, s, e, n, areas in rows}


def boundary_of(connection: Connection, level: Level, key: str) -> int | None:
    """The id of the boundary with this own key at this level of the current release."""
    return connection.scalar(
        select(Boundary.id).where(
            Boundary.release_id == current_release(), Boundary.level == int(level), Boundary.key == key
        )
    )
