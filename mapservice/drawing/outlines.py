"""Shapes of areas as matplotlib draws them, in ETRS89 / UTM zone 32N (EPSG:25832), metres."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import geopandas
import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.path import Path as Outline

CRS = "EPSG:25832"
Shapes = npt.NDArray[Any]


def projected(shapes: Sequence[bytes]) -> Shapes:
    """WKB in EPSG:4326 as geometries in EPSG:25832."""
    series = geopandas.GeoSeries.from_wkb(list(shapes), crs="EPSG:4326")
    return np.asarray(series.to_crs(CRS).array)


def rings_of(shapes: Shapes) -> Iterator[npt.NDArray[np.float64]]:
    rings = shapely.get_rings(shapely.get_parts(shapes))
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    yield from np.split(coordinates, np.flatnonzero(np.diff(ring)) + 1) if len(rings) else ()


def outlines_of(shapes: Shapes) -> Iterator[Outline]:
    """Each shape as one path of all its rings; rings of holes run the other way round."""
    parts, shape_of_part = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    coordinates, ring_of_vertex = shapely.get_coordinates(rings, return_index=True)
    codes = np.full(len(coordinates), Outline.LINETO, dtype=Outline.code_type)
    new_ring = np.diff(ring_of_vertex, prepend=-1) != 0
    codes[new_ring] = Outline.MOVETO
    codes[np.append(new_ring[1:], True)] = Outline.CLOSEPOLY
    shape_of_vertex = shape_of_part[part_of_ring][ring_of_vertex]
    bounds = np.searchsorted(shape_of_vertex, np.arange(len(shapes) + 1))
    for begin, end in pairwise(bounds):
        yield Outline(coordinates[begin:end], codes[begin:end])
