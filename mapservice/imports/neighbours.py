"""Which areas share a border line, and how long it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from .vector import Geometries

Integers = npt.NDArray[np.int64]


def shared_edges(areas: Geometries) -> tuple[Integers, Integers, npt.NDArray[np.float64]]:
    """The edges that two areas have in common: index of one area, of the other, length.

    areas: a coverage in a metric CRS whose neighbours share every vertex of their border, so that an edge
    is the same pair of points on both sides. Points in common make no edge.
    """
    polygons, area_of_polygon = shapely.get_parts(areas, return_index=True)
    rings, polygon_of_ring = shapely.get_rings(polygons, return_index=True)
    area_of_ring = area_of_polygon[polygon_of_ring]
    points, ring = shapely.get_coordinates(rings, return_index=True)
    # each vertex as one number, so that an edge is found by one sort of integers instead of four columns
    marks = _mix(np.ascontiguousarray(points + 0.0).view(np.uint64))
    inner = ring[1:] == ring[:-1]
    first, second = marks[:-1][inner], marks[1:][inner]
    edge = _scramble(np.minimum(first, second)) + np.maximum(first, second)
    owner = area_of_ring[ring[:-1][inner]]
    length = np.hypot(*(points[1:] - points[:-1])[inner].T)

    order = np.argsort(edge, kind="stable")
    edge, owner, length = edge[order], owner[order], length[order]
    pairs = np.flatnonzero((edge[1:] == edge[:-1]) & (owner[1:] != owner[:-1]))
    return owner[pairs], owner[pairs + 1], length[pairs]


def neighbours(
    edges: tuple[Integers, Integers, npt.NDArray[np.float64]], group: Integers
) -> tuple[Integers, Integers, npt.NDArray[np.float64]]:
    """Pairs of groups that share a border, both directions, with its whole length, ordered by the first.

    group: the group of each area of the edges; its own number for the areas themselves.
    """
    one, other, length = edges
    left, right = group[one], group[other]
    across = left != right
    low = np.minimum(left, right)[across]
    high = np.maximum(left, right)[across]
    size = int(group.max()) + 1 if len(group) else 1
    pair, position = np.unique(low * size + high, return_inverse=True)
    total = np.bincount(position, weights=length[across], minlength=len(pair))
    low, high = pair // size, pair % size
    first, second = np.concatenate([low, high]), np.concatenate([high, low])
    order = np.lexsort((second, first))
    return first[order], second[order], np.concatenate([total, total])[order]


def _mix(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    return _scramble(_scramble(words[:, 0]) + words[:, 1])


def _scramble(words: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """A 64-bit mix (splitmix64): among two million edges a collision has a chance of one in ten million."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: npt.NDArray[np.uint64] = words ^ (words >> np.uint64(31))
    return mixed
