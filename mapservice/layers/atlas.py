"""The areas of one level as a boundary release fixes them: names, shapes as text, and where they lie.

What is read here never changes while the release is there, so that a worker may keep it for as long
(mapservice/held.py). All lists are in the order of the release (`ordinal`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select
from sqlalchemy.orm import aliased

from mapservice.domain import Level
from mapservice.layers.crs import Crs
from mapservice.models import Authority, Boundary, BoundaryRelease, BoundaryShape

SHEET = 1000
"""Areas whose texts are read and kept together."""


@dataclass(frozen=True)
class Release:
    """The current release. Its mark is found again only with the same boundaries, also after a restore."""

    id: int
    mark: Hashable


def release(connection: Connection) -> Release | None:
    """The current release, if there is one."""
    row = connection.execute(
        select(BoundaryRelease.id, BoundaryRelease.checksum, BoundaryRelease.imported_at).where(
            BoundaryRelease.is_current
        )
    ).one_or_none()
    return None if row is None else Release(row.id, tuple(row))


@dataclass(frozen=True)
class Atlas:
    """rows: boundary_id, ordinal, key, ars, authority (ARS or null), ags, name, designation, district and
    state (names).
    """

    level: Level
    rows: Sequence[Row[Any]]

    @cached_property
    def position(self) -> dict[str, int]:
        """By the areas' own keys."""
        return {row.key: number for number, row in enumerate(self.rows)}

    @cached_property
    def by_id(self) -> dict[int, int]:
        """By boundary ids."""
        return {row.boundary_id: number for number, row in enumerate(self.rows)}

    @property
    def nbytes(self) -> int:
        """Roughly, as names are short."""
        return 900 * len(self.rows)

    @property
    def sheets(self) -> range:
        return range((len(self.rows) + SHEET - 1) // SHEET)


def atlas(connection: Connection, release_id: int, level: Level) -> Atlas:
    district, state = aliased(Boundary), aliased(Boundary)
    statement = (
        select(
            Boundary.id.label("boundary_id"),
            Boundary.ordinal,
            Boundary.key,
            Boundary.ars,
            Authority.ars.label("authority"),
            Authority.ags,
            Boundary.name,
            Boundary.designation,
            district.name.label("district"),
            state.name.label("state"),
        )
        .join(Authority, Authority.id == Boundary.authority_id, isouter=True)
        .join(district, district.id == Boundary.district_id, isouter=True)
        .join(state, state.id == Boundary.state_id, isouter=True)
        .where(Boundary.release_id == release_id, Boundary.level == int(level))
        .order_by(Boundary.ordinal)
    )
    return Atlas(level, connection.execute(statement).all())


def shapes_as_text(
    connection: Connection, release_id: int, level: Level, *, detail: int, crs: Crs, sheet: int
) -> Sequence[str]:
    """The shapes of the areas of a sheet as GeoJSON in this reference system."""
    shapes = _sheet(select(crs.geojson(BoundaryShape)), release_id, level, detail, sheet)
    return connection.scalars(shapes).all()


def shapes_as_wkb(
    connection: Connection, release_id: int, level: Level, *, detail: int, sheet: int
) -> Sequence[bytes]:
    """The shapes of the areas of a sheet as WKB, longitude first."""
    shapes = _sheet(select(func.ST_AsBinary(BoundaryShape.geom)), release_id, level, detail, sheet)
    return connection.scalars(shapes).all()


def _sheet(shapes: Select[Any], release_id: int, level: Level, detail: int, sheet: int) -> Select[Any]:
    first = sheet * SHEET
    return (
        shapes.join(Boundary, Boundary.id == BoundaryShape.boundary_id)
        .where(
            Boundary.release_id == release_id,
            Boundary.level == int(level),
            Boundary.ordinal.between(first, first + SHEET - 1),
            BoundaryShape.detail == detail,
        )
        .order_by(Boundary.ordinal)
    )
