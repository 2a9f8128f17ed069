"""The areas of one level as a boundary release fixes them: names, shapes as text, and where they lie.

What is read here never changes while the release is there, so that a worker may keep it for as long
(mapservice/held.py). All lists are in the order of the release (`ordinal`).
"""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Select, func, select
from sqlalchemy.orm import aliased

from mapservice.domain import Level, pad_ars
from mapservice.layers.crs import Crs
from mapservice.layers.prepared import Prepared
from mapservice.models import Authority, Boundary, BoundaryRelease, BoundaryShape

SHEET = 1000
"""Areas whose texts are read and kept together."""
_AT_ONCE = 5000


@dataclass(frozen=True)
class Release:
    """The current release. Its mark is found again only with the same boundaries, also after a restore."""

    id: int
    mark: Hashable


def release(connection: Connection) -> Release | None:
    """The current release, if there is one."""
    for row in _current().rows(connection):
        return Release(row.id, tuple(row))
    return None


@functools.cache
def _current() -> Prepared:
    return Prepared(
        select(BoundaryRelease.id, BoundaryRelease.checksum, BoundaryRelease.imported_at).where(
            BoundaryRelease.is_current
        )
    )


@dataclass(frozen=True)
class Atlas:
    """ids: of the boundaries. keys: the areas' own, ascending; ars: padded to twelve digits, from them."""

    level: Level
    ids: NDArray[np.int32]
    keys: Sequence[str]
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.keys)

    def of_key(self, key: str) -> int | None:
        """The position of the area with this own key."""
        at = bisect_left(self.keys, key)
        return at if at < len(self.keys) and self.keys[at] == key else None

    def of_id(self, boundary_id: int) -> int:
        """The position of a boundary; IndexError if it is not of the level."""
        return int(np.flatnonzero(self.ids == boundary_id)[0])

    def ars(self, position: int) -> str:
        return pad_ars(self.keys[position])

    @property
    def nbytes(self) -> int:
        """Roughly, as names are short."""
        return 170 * len(self)

    @property
    def sheets(self) -> range:
        return range((len(self) + SHEET - 1) // SHEET)


def atlas(connection: Connection, release_id: int, level: Level) -> Atlas:
    rows = connection.execute(
        select(Boundary.id, Boundary.key, Boundary.name)
        .where(Boundary.release_id == release_id, Boundary.level == int(level))
        .order_by(Boundary.ordinal)
    )
    ids: list[int] = []
    keys: list[str] = []
    names: list[str] = []
    for part in rows.partitions(_AT_ONCE):
        for row in part:
            ids.append(row.id)
            keys.append(row.key)
            names.append(row.name)
    return Atlas(level, np.array(ids, dtype=np.int32), keys, names)


def drawn(
    connection: Connection, release_id: int, level: Level, *, detail: int, crs: Crs, sheet: int
) -> Sequence[Row[Any]]:
    """The areas of a sheet: key, ars, authority (ARS or null), ags, name, designation, district and state
    (names), and geojson, the shape as text in this reference system.
    """
    district, state = aliased(Boundary), aliased(Boundary)
    columns = select(
        Boundary.key,
        Boundary.ars,
        Authority.ars.label("authority"),
        Authority.ags,
        Boundary.name,
        Boundary.designation,
        district.name.label("district"),
        state.name.label("state"),
        crs.geojson(BoundaryShape).label("geojson"),
    )
    statement = (
        _sheet(columns.select_from(BoundaryShape), release_id, level, detail, sheet)
        .join(Authority, Authority.id == Boundary.authority_id, isouter=True)
        .join(district, district.id == Boundary.district_id, isouter=True)
        .join(state, state.id == Boundary.state_id, isouter=True)
    )
    return connection.execute(statement).all()


def shapes_as_wkb(
    connection: Connection, release_id: int, level: Level, *, detail: int, sheet: int
) -> Sequence[bytes]:
    """The shapes of the areas of a sheet as WKB, longitude first."""
    shapes = _sheet(select(func.ST_AsBinary(BoundaryShape.geom)), release_id, level, detail, sheet)
    return connection.scalars(shapes).all()


def _sheet(columns: Select[Any], release_id: int, level: Level, detail: int, sheet: int) -> Select[Any]:
    first = sheet * SHEET
    return (
        columns.join(Boundary, Boundary.id == BoundaryShape.boundary_id)
        .where(
            Boundary.release_id == release_id,
            Boundary.level == int(level),
            Boundary.ordinal.between(first, first + SHEET - 1),
            BoundaryShape.detail == detail,
        )
        .order_by(Boundary.ordinal)
    )
