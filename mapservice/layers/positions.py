"""Where the areas of authorities lie, and which share a border: what a boundary release fixes of it.

What is read here never changes while the release is there, so that a worker may keep it for as long
(mapservice/held.py); who is around an authority is then found without the database.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import aliased

from mapservice.domain import Level
from mapservice.models import Authority, Boundary, BoundaryNeighbour

EARTH_KM = 6371.0088
"""Mean radius of the Earth (IUGG); distances are great circles on that sphere."""
_KM_OF_A_DEGREE = EARTH_KM * math.pi / 180
_NOTHING = -1
"""Stands for null among whole numbers."""
_AT_ONCE = 5000


class Area(NamedTuple):
    """One area of an authority. lon, lat: of its label point, and west to north its box, in degrees."""

    boundary_id: int
    level: Level
    key: str
    authority_id: int
    lon: float
    lat: float
    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True)
class Positions:
    """The areas that have an authority, in columns, ordered by level.

    ars, kinds: of the authority; above: ids of its association and of its district. points: lon, lat of label
    points; boxes: west, south, east, north, all in degrees. The neighbours of area n are
    others[first[n]:first[n + 1]], with the length of the shared border in metres.
    """

    ids: NDArray[np.int32]
    levels: NDArray[np.int8]
    authorities: NDArray[np.int32]
    ars: NDArray[np.bytes_]
    kinds: NDArray[np.int16]
    above: NDArray[np.int32]
    districts: NDArray[np.int32]
    keys: NDArray[np.bytes_]
    points: NDArray[np.float64]
    boxes: NDArray[np.float64]
    first: NDArray[np.int32]
    others: NDArray[np.int32]
    metres: NDArray[np.float64]

    @property
    def nbytes(self) -> int:
        return sum(column.nbytes for column in vars(self).values())

    def areas(self, places: Sequence[int]) -> tuple[Area, ...]:
        """The areas in these places of the columns."""
        at = np.array(places, np.intp)
        columns = (
            self.ids[at].tolist(),
            map(Level, self.levels[at].tolist()),
            (key.decode() for key in self.keys[at].tolist()),
            self.authorities[at].tolist(),
            *self.points[at].T.tolist(),
            *self.boxes[at].T.tolist(),
        )
        return tuple(Area(*said) for said in zip(*columns, strict=True))

    def of_authority(self, authority_id: int) -> list[int]:
        """Places of its areas, the highest level first."""
        return np.flatnonzero(self.authorities == authority_id).tolist()

    def authorities_above(self, place: int) -> set[int]:
        """Ids of the association and of the district of its authority."""
        return set(self.above[place].tolist()) - {_NOTHING, int(self.authorities[place])}

    def neighbours(self, place: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Places of those with a shared border, ascending, and its length in metres."""
        span = slice(self.first[place], self.first[place + 1])
        return self.others[span], self.metres[span]

    def in_district(self, place: int, others: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which of these areas lie in the same district; none where there is no district."""
        district = self.districts[place]
        return (self.districts[others] == district) & (district != _NOTHING)

    def of_district(self, place: int) -> NDArray[np.intp]:
        """Places of the areas of the same level in the same district."""
        level = self.of_level(place)
        return level[self.in_district(place, level)]

    def within(self, place: int, km: float) -> NDArray[np.intp]:
        """Places of the areas of the same level at most so far away, and of some a little farther."""
        level = self.of_level(place)
        lon, lat = self.points[place]
        north = km / _KM_OF_A_DEGREE
        east = north / math.cos(math.radians(min(89.0, abs(lat) + north)))
        away = np.abs(self.points[level[0] : level[-1] + 1] - (lon, lat))
        return level[(away[:, 0] <= east) & (away[:, 1] <= north)]

    def of_level(self, place: int) -> NDArray[np.intp]:
        """Places of all areas of the same level."""
        level = self.levels[place]
        first, end = (np.searchsorted(self.levels, level, side) for side in ("left", "right"))
        return np.arange(first, end)

    def km(self, place: int, others: NDArray[np.intp]) -> NDArray[np.float64]:
        """Great circles between the label points, in kilometres (haversine)."""
        lon, lat = np.radians(self.points[place])
        other_lon, other_lat = np.radians(self.points[others]).T
        a = (
            np.sin((other_lat - lat) / 2) ** 2
            + np.cos(lat) * np.cos(other_lat) * np.sin((other_lon - lon) / 2) ** 2
        )
        km: NDArray[np.float64] = 2 * EARTH_KM * np.arcsin(np.sqrt(a))
        return km


def positions(connection: Connection, release_id: int | None) -> Positions:
    """Those of a release; without one there are none."""
    rows: list[Any] = []
    found = connection.execute(
        select(
            Boundary.id,
            Boundary.level,
            Boundary.authority_id,
            Authority.ars,
            Authority.kinds,
            func.coalesce(Boundary.district_id, _NOTHING),
            Boundary.key,
            func.coalesce(Authority.association_id, _NOTHING),
            func.coalesce(Authority.district_id, _NOTHING),
            func.ST_X(Boundary.label_point),
            func.ST_Y(Boundary.label_point),
            Boundary.west,
            Boundary.south,
            Boundary.east,
            Boundary.north,
        )
        .join_from(Boundary, Authority, Authority.id == Boundary.authority_id)
        .where(Boundary.release_id == release_id)
        .order_by(Boundary.level, Boundary.ordinal)
    )
    for part in found.partitions(_AT_ONCE):
        rows += part
    ids, levels, authorities, ars, kinds, districts, keys, *numbers = (
        zip(*rows, strict=True) if rows else [()] * 15
    )
    places = {boundary_id: place for place, boundary_id in enumerate(ids)}
    first, others, metres = _borders(connection, release_id, places)
    return Positions(
        np.array(ids, dtype=np.int32),
        np.array(levels, dtype=np.int8),
        np.array(authorities, dtype=np.int32),
        np.array(ars, dtype="S12"),
        np.array(kinds, dtype=np.int16),
        np.array(numbers[:2], dtype=np.int32).T.copy(),
        np.array(districts, dtype=np.int32),
        np.array(keys, dtype="S12"),
        np.array(numbers[2:4], dtype=np.float64).T.copy(),
        np.array(numbers[4:], dtype=np.float64).T.copy(),
        first,
        others,
        metres,
    )


def _borders(
    connection: Connection, release_id: int | None, places: dict[int, int]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """first, others and metres of Positions."""
    neighbour = aliased(BoundaryNeighbour)
    found = connection.execute(
        select(neighbour.boundary_id, neighbour.neighbour_id, neighbour.shared_m)
        .join(Boundary, Boundary.id == neighbour.boundary_id)
        .where(Boundary.release_id == release_id)
    )
    pairs: list[tuple[int, int, float]] = []
    for part in found.partitions(_AT_ONCE):
        # One without an authority (gemeindefrei) has a border too, but nobody to ask.
        pairs += [
            (places[own], places[other], metres)
            for own, other, metres in part
            if own in places and other in places
        ]
    pairs.sort()
    ends = np.bincount(np.array([own for own, _, _ in pairs], dtype=np.int64), minlength=len(places)).cumsum()
    return (
        np.concatenate([[0], ends]).astype(np.int32),
        np.array([other for _, other, _ in pairs], dtype=np.int32),
        np.array([metres for _, _, metres in pairs], dtype=np.float64),
    )
