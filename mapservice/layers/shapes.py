"""Shapes and names for drawings: the areas of a query, what lies around them, and where their names stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from mapservice.domain import Level
from mapservice.layers.counting import current_release, inside
from mapservice.layers.crs import Box
from mapservice.layers.selection import Selection
from mapservice.models import Authority, Boundary, BoundaryShape


def extent_of(connection: Connection, level: Level, selection: Selection) -> Box | None:
    """The rectangle around the areas of the level inside the region, in degrees; None without any."""
    row = connection.execute(
        select(
            func.min(Boundary.west),
            func.min(Boundary.south),
            func.max(Boundary.east),
            func.max(Boundary.north),
        ).where(Boundary.release_id == current_release(), Boundary.level == int(level), inside(selection))
    ).one()
    return None if row[0] is None else Box(*row)


def shapes_of(
    connection: Connection, level: Level, selection: Selection, detail: int
) -> Sequence[Row[tuple[str, bytes]]]:
    """Key and shape (WKB, EPSG:4326) of each area of the level inside the region, in the order of keys."""
    return connection.execute(
        select(Boundary.key, func.ST_AsBinary(BoundaryShape.geom))
        .join(BoundaryShape, (BoundaryShape.boundary_id == Boundary.id) & (BoundaryShape.detail == detail))
        .where(Boundary.release_id == current_release(), Boundary.level == int(level), inside(selection))
        .order_by(Boundary.ordinal)
    ).all()


def shapes_around(connection: Connection, level: Level, box: Box, detail: int) -> Sequence[bytes]:
    """Shapes (WKB, EPSG:4326) of all areas of the level whose rectangle touches the box (degrees)."""
    return connection.scalars(
        select(func.ST_AsBinary(BoundaryShape.geom))
        .join(Boundary, (BoundaryShape.boundary_id == Boundary.id) & (BoundaryShape.detail == detail))
        .where(
            Boundary.release_id == current_release(),
            Boundary.level == int(level),
            Boundary.west <= box.east,
            Boundary.east >= box.west,
            Boundary.south <= box.north,
            Boundary.north >= box.south,
        )
    ).all()


def names_of(connection: Connection, level: Level, selection: Selection) -> Sequence[Row[Any]]:
    """name, lon, lat, population (null if unknown) and area_m2 of areas of the level inside the region."""
    return connection.execute(
        select(
            Boundary.name,
            func.ST_X(Boundary.label_point).label("lon"),
            func.ST_Y(Boundary.label_point).label("lat"),
            func.coalesce(Boundary.population, Authority.population).label("population"),
            Boundary.area_m2,
        )
        .join(Authority, Authority.id == Boundary.authority_id, isouter=True)
        .where(Boundary.release_id == current_release(), Boundary.level == int(level), inside(selection))
        .order_by(Boundary.ordinal)
    ).all()
