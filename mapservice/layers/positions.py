"""Where the areas of authorities lie, and which share a border: what a boundary release fixes of it.

What is read here never changes while the release is there, so that a worker may keep it for as long
(mapservice/held.py); who is around an authority is then found without the database.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import aliased

from mapservice.domain import Level
from mapservice.models import Boundary, BoundaryNeighbour

EARTH_KM = 6371.0088
"""Mean radius of the Earth (IUGG); distances are great circles on that sphere."""
_KM_OF_A_DEGREE = EARTH_KM * math.pi / 180
_NOTHING = -1
"""Stands for null among whole numbers."""
_AT_ONCE = 5000


class Area(NamedTuple):
    """One area of an authority. population: the boundary's own, None if unknown; lon, lat: of its label
    point, and west to north its box, in degrees.
    """

    boundary_id: int
    level: Level
    key: str
    authority_id: int
    district_id: int | None
    population: int | None
    lon: float
    lat: float
    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True)
class Positions:
    """The areas that have an authority, in columns, ordered by level.

    points: lon, lat of label points; boxes: west, south, east, north, all in degrees. The neighbours of area
    n are others[first[n]:first[n + 1]], with the length of the shared border in metres.
    """

    ids: NDArray[np.int32]
    levels: NDArray[np.int8]
    authorities: NDArray[np.int32]
    districts: NDArray[np.int32]
    populations: NDArray[np.int32]
    keys: NDArray[np.bytes_]
    points: NDArray[np.float64]
    boxes: NDArray[np.float64]
    first: NDArray[np.int32]
    others: NDArray[np.int32]
    metres: NDArray[np.float64]

    @property
    def nbytes(self) -> int:
        return sum(column.nbytes for column in vars(self).values())

    def area(self, place: int) -> Area:
        """The area in this place of the columns."""
        return self.areas([place])[0]

    def areas(self, places: Iterable[int]) -> list[Area]:
        """The areas in these places."""
        at = np.fromiter(places, np.intp)
        columns = (
            self.ids[at].tolist(),
            map(Level, self.levels[at].tolist()),
            (key.decode() for key in self.keys[at].tolist()),
            self.authorities[at].tolist(),
            (_known(value) for value in self.districts[at].tolist()),
            (_known(value) for value in self.populations[at].tolist()),
            *self.points[at].T.tolist(),
            *self.boxes[at].T.tolist(),
        )
        return [Area(*said) for said in zip(*columns, strict=True)]

    def of_authority(self, authority_id: int) -> list[int]:
        """Places of its areas, the highest level first."""
        return np.flatnonzero(self.authorities == authority_id).tolist()

    def neighbours(self, place: int) -> dict[int, float]:
        """Metres of shared border by place."""
        span = slice(self.first[place], self.first[place + 1])
        return dict(zip(self.others[span].tolist(), self.metres[span].tolist(), strict=True))

    def of_district(self, place: int) -> list[int]:
        """Places of the areas of the same level in the same district; none where there is no district."""
        district = self.districts[place]
        if district == _NOTHING:
            return []
        span = self._level(place)
        return (span.start + np.flatnonzero(self.districts[span] == district)).tolist()

    def within(self, place: int, km: float) -> list[int]:
        """Places of the areas of the same level at most so far away, and of some a little farther."""
        span = self._level(place)
        lon, lat = self.points[place]
        north = km / _KM_OF_A_DEGREE
        east = north / math.cos(math.radians(min(89.0, abs(lat) + north)))
        away = np.abs(self.points[span] - (lon, lat))
        return (span.start + np.flatnonzero((away[:, 0] <= east) & (away[:, 1] <= north))).tolist()

    def of_level(self, place: int) -> Iterator[int]:
        """Places of all areas of the same level."""
        span = self._level(place)
        return iter(range(span.start, span.stop))

    def _level(self, place: int) -> slice:
        level = self.levels[place]
        return slice(
            int(np.searchsorted(self.levels, level, "left")),
            int(np.searchsorted(self.levels, level, "right")),
        )


def _known(value: int) -> int | None:
    return None if value == _NOTHING else value


def distance_km(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Great circle between two points in degrees (haversine)."""
    north, other_north = math.radians(lat), math.radians(other_lat)
    a = (
        math.sin((other_north - north) / 2) ** 2
        + math.cos(north) * math.cos(other_north) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(math.sqrt(a))


def positions(connection: Connection, release_id: int | None) -> Positions:
    """Those of a release; without one there are none."""
    rows: list[Any] = []
    found = connection.execute(
        select(
            Boundary.id,
            Boundary.level,
            Boundary.authority_id,
            func.coalesce(Boundary.district_id, _NOTHING),
            func.coalesce(Boundary.population, _NOTHING),
            Boundary.key,
            func.ST_X(Boundary.label_point),
            func.ST_Y(Boundary.label_point),
            Boundary.west,
            Boundary.south,
            Boundary.east,
            Boundary.north,
        )
        .where(Boundary.release_id == release_id, Boundary.authority_id.is_not(None))
        .order_by(Boundary.level, Boundary.ordinal)
    )
    for part in found.partitions(_AT_ONCE):
        rows += part
    ids, levels, authorities, districts, populations, keys, *degrees = (
        zip(*rows, strict=True) if rows else [()] * 12
    )
    places = {boundary_id: place for place, boundary_id in enumerate(ids)}
    first, others, metres = _borders(connection, release_id, places)
    return Positions(
        np.array(ids, dtype=np.int32),
        np.array(levels, dtype=np.int8),
        np.array(authorities, dtype=np.int32),
        np.array(districts, dtype=np.int32),
        np.array(populations, dtype=np.int32),
        np.array(keys, dtype="S12"),
        np.array(degrees[:2], dtype=np.float64).T.copy(),
        np.array(degrees[2:], dtype=np.float64).T.copy(),
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
