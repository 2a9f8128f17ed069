"""Shapes of all areas of a level in plain arrays, so that a worker can hold them and cut tiles from them.

Coordinates are whole numbers: hundred-thousandths of a degree as stored, or steps of the finest tile grid.
An area has polygons, a polygon has rings (the first is its outside), a ring has points, the last the first
again; `rings`, `polygons` and `areas` say where each begins, and where the last one ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from mapservice.layers.crs import Box

Numbers = NDArray[np.int64]
DEGREE = 100_000
"""Steps of a degree: shapes are stored with five decimals."""
_MULTIPOLYGON = shapely.GeometryType.MULTIPOLYGON


@dataclass(frozen=True)
class Outlines:
    """points: int32, one row a point. Offsets into points, rings and polygons."""

    points: NDArray[np.int32]
    rings: Numbers
    polygons: Numbers
    areas: Numbers

    def __len__(self) -> int:
        return len(self.areas) - 1

    @property
    def nbytes(self) -> int:
        arrays = (self.points, self.rings, self.polygons, self.areas, self.bounds)
        return sum(array.nbytes for array in arrays)

    @cached_property
    def bounds(self) -> NDArray[np.int32]:
        """Least x, least y, greatest x, greatest y of each area."""
        starts = self.rings[self.polygons[self.areas[:-1]]]
        least = np.minimum.reduceat(self.points, starts)
        most = np.maximum.reduceat(self.points, starts)
        return np.concatenate([least, most], axis=1)

    def touching(self, west: float, south: float, east: float, north: float) -> NDArray[np.bool_]:
        """Which areas' bounding boxes touch the rectangle."""
        b = self.bounds
        touches: NDArray[np.bool_] = (
            (b[:, 0] <= east) & (b[:, 2] >= west) & (b[:, 1] <= north) & (b[:, 3] >= south)
        )
        return touches

    def inside(self, west: float, south: float, east: float, north: float) -> NDArray[np.bool_]:
        """Which areas' bounding boxes lie in the rectangle."""
        b = self.bounds
        lies: NDArray[np.bool_] = (
            (b[:, 0] >= west) & (b[:, 2] <= east) & (b[:, 1] >= south) & (b[:, 3] <= north)
        )
        return lies

    def some(self, chosen: Numbers) -> Outlines:
        """These areas alone."""
        polygons, areas = _taken(self.areas, chosen)
        rings, polygon_offsets = _taken(self.polygons, polygons)
        points, ring_offsets = _taken(self.rings, rings)
        return Outlines(self.points[points], ring_offsets, polygon_offsets, areas)

    def geometries(self, scale: float = 1.0) -> NDArray[Any]:
        """As shapely's multipolygons, coordinates divided by scale."""
        offsets = (self.rings, self.polygons, self.areas)
        points = np.ascontiguousarray(self.points / scale)
        return shapely.from_ragged_array(_MULTIPOLYGON, points, offsets)  # type: ignore[no-any-return]

    def changed(self, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Outlines:
        """With other coordinates, rounded."""
        points = np.rint(change(self.points.astype(np.float64))).astype(np.int32)
        return Outlines(points, self.rings, self.polygons, self.areas)


def _taken(offsets: Numbers, chosen: Numbers) -> tuple[Numbers, Numbers]:
    """The members of the chosen groups, and the offsets of the groups among them."""
    starts, sizes = offsets[chosen], offsets[chosen + 1] - offsets[chosen]
    ends = np.cumsum(sizes)
    new = np.concatenate([[0], ends])
    members = np.arange(new[-1]) + np.repeat(starts - new[:-1], sizes)
    return members, new


def of_geometries(geometries: Any, *, clockwise: bool) -> Outlines:
    """Of shapely's polygons and multipolygons, coordinates in steps. clockwise: which way their outsides run
    where y goes up.
    """
    turned = shapely.orient_polygons(geometries, exterior_cw=clockwise)
    kind, points, offsets = shapely.to_ragged_array(turned)
    rings, polygons = (offset.astype(np.int64) for offset in offsets[:2])
    # Polygons alone come without a level of areas: each is one.
    areas = offsets[2].astype(np.int64) if kind == _MULTIPOLYGON else np.arange(len(polygons))
    return Outlines(np.rint(points).astype(np.int32), rings, polygons, areas)


def of_wkb(
    sheets: Iterable[Sequence[bytes]], change: Callable[[Outlines], Outlines] | None = None
) -> Outlines:
    """Of shapes in degrees, as the database has them; their outsides run clockwise. Sheet by sheet, as
    shapely needs ten times the room. change: made of each sheet.
    """
    found = (_of_sheet(shapes) for shapes in sheets)
    return joined(*(change(sheet) if change else sheet for sheet in found))


def _of_sheet(shapes: Sequence[bytes]) -> Outlines:
    geometries = shapely.transform(shapely.from_wkb(shapes), lambda points: points * DEGREE)
    return of_geometries(geometries, clockwise=True)


def joined(*parts: Outlines) -> Outlines:
    """All of them, one after another."""

    def offsets(name: str) -> Numbers:
        arrays = [getattr(part, name) for part in parts]
        shifts = np.cumsum([0, *(array[-1] for array in arrays)])
        moved = [array[:-1] + shift for array, shift in zip(arrays, shifts[:-1], strict=True)]
        return np.concatenate([*moved, shifts[-1:]])

    points = np.concatenate([part.points for part in parts])
    return Outlines(points, offsets("rings"), offsets("polygons"), offsets("areas"))


def in_boxes(outlines: Outlines, boxes: Sequence[Box]) -> NDArray[np.bool_]:
    """Which areas share a point with one of the boxes in degrees; exact."""
    found = np.zeros(len(outlines), dtype=bool)
    for box in boxes:
        # In steps of the stored coordinates; comparing these with the box's own numbers is exact enough to
        # choose, and the shapes that stick out are compared as they are stored.
        sides = tuple(side * DEGREE for side in (box.west, box.south, box.east, box.north))
        near = outlines.touching(sides[0] - 1, sides[1] - 1, sides[2] + 1, sides[3] + 1)
        within = outlines.inside(sides[0] + 1, sides[1] + 1, sides[2] - 1, sides[3] - 1)
        found |= within
        doubtful = np.flatnonzero(near & ~within)
        if len(doubtful):
            rectangle = shapely.box(box.west, box.south, box.east, box.north)
            if box.west == box.east or box.south == box.north:
                corners = [(box.west, box.south), (box.east, box.north)]
                same = corners[0] == corners[1]
                rectangle = shapely.Point(corners[0]) if same else shapely.LineString(corners)
            shapely.prepare(rectangle)
            found[doubtful] |= shapely.intersects(rectangle, outlines.some(doubtful).geometries(DEGREE))
    return found


def meeting(outlines: Outlines, geometry: Any) -> NDArray[np.bool_]:
    """Which areas share a point with a geometry of shapely in degrees; exact."""
    west, south, east, north = (side * DEGREE for side in geometry.bounds)
    found = outlines.touching(west - 1, south - 1, east + 1, north + 1)
    near = np.flatnonzero(found)
    if len(near):
        shapely.prepare(geometry)
        found[near] = shapely.intersects(geometry, outlines.some(near).geometries(DEGREE))
    return found
