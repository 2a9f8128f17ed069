"""Shapes of tiles, cut from the outlines that a worker holds; nothing of it changes with the data.

All tiles of a zoom lie on one grid, and a point is rounded to the same step of it in each tile that shows it:
so neighbouring tiles meet, and so do neighbouring areas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from mapservice.layers import mvt
from mapservice.layers.outlines import DEGREE, Numbers, Outlines, joined, of_geometries

ZOOM_MOST = 14
EXTENT, BUFFER = 4096, 64
"""Steps of a tile's grid, and how many of them it goes beyond its edges."""
_WORLD = EXTENT << ZOOM_MOST
"""Steps of the finest grid around the world; a step is 0.6 m at the equator."""


@dataclass(frozen=True)
class Tile:
    """One tile: zoom 0 to ZOOM_MOST; x from the west and y from the north, 0 to 2^z - 1."""

    z: int
    x: int
    y: int

    @property
    def side(self) -> int:
        """Steps of the finest grid."""
        return _WORLD >> self.z


@dataclass(frozen=True)
class Cut:
    """Which areas a tile shows, and their shapes as layers.mvt has them."""

    positions: Sequence[int]
    shapes: Sequence[bytes]

    @property
    def nbytes(self) -> int:
        return sum(map(len, self.shapes)) + 75 * len(self.shapes)


def grid(outlines: Outlines) -> Outlines:
    """Outlines in degrees on the finest grid: x from the west, y from the north."""
    return outlines.changed(lambda points: grid_of(points / DEGREE))


def grid_of(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longitudes and latitudes on the finest grid."""
    longitude, latitude = degrees.T
    x = longitude / 360 + 0.5
    y = 0.5 - np.arcsinh(np.tan(np.radians(latitude))) / (2 * np.pi)
    return np.column_stack([x, y]) * _WORLD


def tile_at(zoom: int, longitude: float, latitude: float) -> Tile:
    """The tile that shows a place."""
    (place,) = grid_of(np.array([[longitude, latitude]]))
    x, y = (place // (_WORLD >> zoom)).astype(int).tolist()
    return Tile(zoom, x, y)


def covering(zoom: int, box: tuple[float, float, float, float]) -> list[Tile]:
    """The tiles that show a box in degrees (west, south, east, north)."""
    west, south, east, north = box
    first, last = tile_at(zoom, west, north), tile_at(zoom, east, south)
    return [Tile(zoom, x, y) for x in range(first.x, last.x + 1) for y in range(first.y, last.y + 1)]


def cut(on_grid: Outlines, tile: Tile, extent: int) -> Cut:
    """The shapes of a tile and its buffer, in steps of which the tile has `extent`."""
    at, shown = drawn(on_grid, tile, extent)
    return Cut(at.tolist(), mvt.shapes(shown) if len(at) else ())


def drawn(on_grid: Outlines, tile: Tile, extent: int) -> tuple[Numbers, Outlines]:
    """Positions of the areas that a tile shows, and their outlines in its steps."""
    side = tile.side
    buffer = side * BUFFER // EXTENT
    west, north = tile.x * side - buffer, tile.y * side - buffer
    box = (west, north, west + side + 2 * buffer, north + side + 2 * buffer)
    near = np.flatnonzero(on_grid.touching(*box))
    if not len(near):
        return near, on_grid.some(near)
    within = on_grid.inside(*box)[near]
    shown = [on_grid.some(near[within])]
    positions = [near[within]]
    if not within.all():
        crossing = near[~within]
        left, clipped = _clipped(on_grid.some(crossing), box)
        positions.append(crossing[left])
        shown.append(clipped)
    return _valid(np.concatenate(positions), _rounded(joined(*shown), tile, extent))


def _clipped(outlines: Outlines, box: tuple[int, int, int, int]) -> tuple[Numbers, Outlines]:
    """What of the areas lies in the box, and which of them have something there."""
    return _polygons(shapely.clip_by_rect(outlines.geometries(), *box))


def _polygons(geometries: Any) -> tuple[Numbers, Outlines]:
    """The polygons among the parts of each geometry, and which geometries have any."""
    parts, owners = shapely.get_parts(geometries, return_index=True)
    # A collection may hold multipolygons in turn.
    parts, nested = shapely.get_parts(parts, return_index=True)
    flat = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)
    parts, owners = parts[flat], owners[nested][flat]
    if not len(parts):
        nothing = np.zeros(1, dtype=np.int64)
        return nothing[:0], Outlines(np.zeros((0, 2), dtype=np.int32), nothing, nothing, nothing)
    left, owners = np.unique(owners, return_inverse=True)
    # Anticlockwise were y to go up, so clockwise as it goes down.
    return left, of_geometries(shapely.multipolygons(parts, indices=owners), clockwise=False)


def _rounded(outlines: Outlines, tile: Tile, extent: int) -> Outlines:
    step = tile.side // extent
    corner = np.array([tile.x * extent, tile.y * extent], dtype=np.int32)
    points = (outlines.points + step // 2) // step - corner
    return Outlines(points.astype(np.int32), outlines.rings, outlines.polygons, outlines.areas)


def _valid(positions: Numbers, outlines: Outlines) -> tuple[Numbers, Outlines]:
    """Without what rounding made too small to show; shapes that cross themselves since are mended."""
    left, tidy = _tidied(outlines)
    positions = positions[left]
    if not len(positions):
        return positions, tidy
    geometries = tidy.geometries()
    broken = ~shapely.is_valid(geometries)
    if not broken.any():
        return positions, tidy
    good = np.flatnonzero(~broken)
    bad = np.flatnonzero(broken)
    mended, outline = _polygons(shapely.make_valid(geometries[bad]))
    whole, again = _tidied(outline)
    return (
        np.concatenate([positions[good], positions[bad[mended[whole]]]]),
        joined(tidy.some(good), again),
    )


def _tidied(outlines: Outlines) -> tuple[Numbers, Outlines]:
    """Without repeated points, rings without an inside and what has lost its outside; and which areas are
    left.
    """
    points, rings = outlines.points, outlines.rings
    if not len(points):
        return np.zeros(0, dtype=np.int64), outlines
    first = np.zeros(len(points), dtype=bool)
    first[rings[:-1]] = True
    kept = first | (np.diff(points, axis=0, prepend=points[:1]) != 0).any(axis=1)
    points = points[kept]
    sizes = np.add.reduceat(kept, rings[:-1], dtype=np.int64)
    ends = np.cumsum(sizes)
    starts = ends - sizes
    # The area by the surveyor's formula, about a corner of the ring so that numbers stay small.
    about = (points - np.repeat(points[starts], sizes, axis=0)).astype(np.int64)
    following = np.roll(about, -1, axis=0)
    cross = about[:, 0] * following[:, 1] - following[:, 0] * about[:, 1]
    cross[ends - 1] = 0
    area = np.add.reduceat(cross, starts)
    outside = np.zeros(len(sizes), dtype=bool)
    outside[outlines.polygons[:-1]] = True
    good = (sizes >= 4) & np.where(outside, area > 0, area < 0)
    polygon_of = np.repeat(np.arange(len(outlines.polygons) - 1), np.diff(outlines.polygons))
    good &= good[outlines.polygons[:-1]][polygon_of]
    points = points[np.repeat(good, sizes)]
    area_of = np.repeat(np.arange(len(outlines)), np.diff(outlines.areas))
    polygons = good[outlines.polygons[:-1]]
    left, members = np.unique(area_of[polygons], return_counts=True)
    of_polygon = np.bincount(polygon_of[good], minlength=len(polygons))[polygons]
    tidy = Outlines(points, _ends(sizes[good]), _ends(of_polygon), _ends(members))
    return left, tidy


def _ends(sizes: NDArray[Any]) -> Numbers:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
