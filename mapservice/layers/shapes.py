"""Shapes and names for drawings: the areas of a query, what lies around them, and where their names stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select, true

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


def _touching(box: Box | None) -> ColumnElement[bool]:
    """Whether the rectangle around a boundary touches the box (degrees); without one all do."""
    if box is None:
        return true()
    return and_(
        Boundary.west <= box.east,
        Boundary.east >= box.west,
        Boundary.south <= box.north,
        Boundary.north >= box.south,
    )


def shapes_of(
    connection: Connection, level: Level, selection: Selection, detail: int, box: Box | None = None
) -> Sequence[Row[tuple[str, bytes]]]:
    """Key and shape (WKB, EPSG:4326) of each area of the level inside the region, in the order of keys.

    box: those alone whose rectangle touches it.
    """
    return connection.execute(
        select(Boundary.key, func.ST_AsBinary(BoundaryShape.geom))
        .join(BoundaryShape, (BoundaryShape.boundary_id == Boundary.id) & (BoundaryShape.detail == detail))
        .where(
            Boundary.release_id == current_release(),
            Boundary.level == int(level),
            inside(selection),
            _touching(box),
        )
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
            _touching(box),
        )
    ).all()


def outlines_around(
    connection: Connection, level: Level, box: Box, detail: int
) -> Sequence[Row[tuple[int, int | None, str]]]:
    """Boundary id, authority id and GeoJSON text (degrees) of all areas of the level that touch the box."""
    return connection.execute(
        select(Boundary.id, Boundary.authority_id, BoundaryShape.geojson)
        .join(BoundaryShape, (BoundaryShape.boundary_id == Boundary.id) & (BoundaryShape.detail == detail))
        .where(
            Boundary.release_id == current_release(),
            Boundary.level == int(level),
            # By the index of the shapes: a small part of the country is asked for.
            BoundaryShape.geom.op("&&")(func.ST_MakeEnvelope(box.west, box.south, box.east, box.north, 4326)),
        )
        .order_by(Boundary.ordinal)
    ).all()


def names_of(
    connection: Connection, level: Level, selection: Selection, box: Box | None = None
) -> Sequence[Row[Any]]:
    """key, name, lon, lat, population (null if unknown) and area_m2 of areas of the level inside the region.

    box: as shapes_of().
    """
    return connection.execute(
        select(
            Boundary.key,
            Boundary.name,
            func.ST_X(Boundary.label_point).label("lon"),
            func.ST_Y(Boundary.label_point).label("lat"),
            func.coalesce(Boundary.population, Authority.population).label("population"),
            Boundary.area_m2,
        )
        .join(Authority, Authority.id == Boundary.authority_id, isouter=True)
        .where(
            Boundary.release_id == current_release(),
            Boundary.level == int(level),
            inside(selection),
            _touching(box),
        )
        .order_by(Boundary.ordinal)
    ).all()
