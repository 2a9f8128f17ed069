"""Areas that share vertices -> TopoJSON: every border once, quantised, delta-encoded.

Own arcs in numpy instead of the package `topojson`: our input is already a valid coverage on an integer
grid, so that shared borders are found by equal vertices alone, without any floating-point geometry.
Format: https://github.com/topojson/topojson-specification
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Integers = npt.NDArray[np.int64]
Member = tuple[str, dict[str, Any]]

OBJECT_NAME = "areas"
_SHIFT = 32
_POLYGON = 3


def topology(objects: Mapping[str, tuple[npt.NDArray[Any], Sequence[Member]]], grid: float) -> dict[str, Any]:
    """The TopoJSON document of areas in EPSG:4326 whose vertices lie on a grid of `grid` degrees.

    objects: by name, valid polygons or multi polygons that share their borders vertex by vertex, and id and
    properties of each. Every object becomes a GeometryCollection in that order; objects share their arcs.
    """
    areas = np.concatenate([shapes for shapes, _ in objects.values()])
    members = [member for _, listed in objects.values() for member in listed]
    polygons, area_of_polygon = shapely.get_parts(areas, return_index=True)
    rings, polygon_of_ring = shapely.get_rings(polygons, return_index=True)
    coordinates, ring_of_vertex = shapely.get_coordinates(rings, return_index=True)
    points = np.rint(coordinates / grid).astype(np.int64)
    origin = points.min(axis=0)
    points -= origin

    # the closing vertex of each ring repeats its first: leave it out
    last = np.append(ring_of_vertex[1:] != ring_of_vertex[:-1], True)
    points, ring_of_vertex = points[~last], ring_of_vertex[~last]
    codes, vertex = np.unique((points[:, 0] << _SHIFT) | points[:, 1], return_inverse=True)
    arcs, arcs_of_ring = _arcs(vertex.astype(np.int64), ring_of_vertex, len(rings))

    geometries = iter(
        _geometries(shapely.get_type_id(areas), area_of_polygon, polygon_of_ring, arcs_of_ring, members)
    )
    unique_points = np.column_stack([codes >> _SHIFT, codes & ((1 << _SHIFT) - 1)])
    x_first, y_first = unique_points.min(axis=0)
    x_last, y_last = unique_points.max(axis=0)
    return {
        "type": "Topology",
        "bbox": [
            round(float(value), 7)
            for value in (
                (x_first + origin[0]) * grid,
                (y_first + origin[1]) * grid,
                (x_last + origin[0]) * grid,
                (y_last + origin[1]) * grid,
            )
        ],
        "transform": {
            "scale": [grid, grid],
            "translate": [round(float(value) * grid, 7) for value in origin],
        },
        "objects": {
            name: {"type": "GeometryCollection", "geometries": list(islice(geometries, len(shapes)))}
            for name, (shapes, _) in objects.items()
        },
        "arcs": [_delta(unique_points[arc]) for arc in arcs],
    }


def encode(document: dict[str, Any]) -> bytes:
    """A topology as compact JSON; the same input gives the same bytes, so that a hash of them names it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _delta(points: Integers) -> list[list[int]]:
    steps = points.copy()
    steps[1:] -= points[:-1]
    return steps.tolist()


def _arcs(vertex: Integers, ring: Integers, ring_count: int) -> tuple[list[Integers], list[list[int]]]:
    """Cut closed rings (vertex ids, without the closing one) into arcs that are stored once.

    A border ends where the neighbouring vertices differ between two visits of a vertex. An arc is known
    by its first step: no two arcs leave a junction along the same edge. Returns the arcs and, per ring,
    their numbers (~n for the reverse direction), as the specification wants them.
    """
    starts = np.searchsorted(ring, np.arange(ring_count))
    ends = np.append(starts[1:], len(vertex))
    following, preceding = np.roll(vertex, -1), np.roll(vertex, 1)
    following[ends - 1], preceding[starts] = vertex[starts], vertex[ends - 1]

    low, high = np.minimum(preceding, following), np.maximum(preceding, following)
    first_visit = np.zeros(int(vertex.max()) + 1, dtype=np.int64)
    first_visit[vertex[::-1]] = np.arange(len(vertex))[::-1]
    visit = first_visit[vertex]
    differs = (low != low[visit]) | (high != high[visit])
    junction = np.zeros(len(first_visit), dtype=bool)
    junction[vertex[differs]] = True

    cut = junction[vertex]
    # a ring without a junction (an island, or an enclave's border) starts at its lowest vertex, on both sides
    without = np.flatnonzero(np.add.reduceat(cut, starts) == 0)
    order = np.lexsort((vertex, ring))
    cut[order[starts[without]]] = True

    arcs: list[Integers] = []
    numbers: dict[tuple[int, int], int] = {}
    arcs_of_ring: list[list[int]] = []
    cuts = np.flatnonzero(cut)
    cut_starts = np.searchsorted(cuts, starts)
    cut_ends = np.searchsorted(cuts, ends)
    for begin, end, first, behind in zip(starts, ends, cut_starts, cut_ends, strict=True):
        own_cuts = cuts[first:behind] - begin
        turned = np.roll(vertex[begin:end], -own_cuts[0])
        bounds = [*(own_cuts - own_cuts[0]).tolist(), int(end - begin)]
        closed = np.append(turned, turned[0])
        line: list[int] = []
        for left, right in pairwise(bounds):
            arc = closed[left : right + 1]
            forward, backward = (int(arc[0]), int(arc[1])), (int(arc[-1]), int(arc[-2]))
            reverse = backward < forward
            step = backward if reverse else forward
            number = numbers.get(step)
            if number is None:
                number = numbers[step] = len(arcs)
                arcs.append(arc[::-1] if reverse else arc)
            line.append(~number if reverse else number)
        arcs_of_ring.append(line)
    return arcs, arcs_of_ring


def _geometries(
    types: npt.NDArray[Any],
    area_of_polygon: Integers,
    polygon_of_ring: Integers,
    arcs_of_ring: list[list[int]],
    members: Sequence[Member],
) -> list[dict[str, Any]]:
    polygons: list[list[list[int]]] = [[] for _ in area_of_polygon]
    for polygon, line in zip(polygon_of_ring, arcs_of_ring, strict=True):
        polygons[polygon].append(line)
    parts: list[list[list[list[int]]]] = [[] for _ in types]
    for area, lines in zip(area_of_polygon, polygons, strict=True):
        parts[area].append(lines)
    geometries = []
    for kind, part, (key, properties) in zip(types, parts, members, strict=True):
        single = kind == _POLYGON or len(part) == 1
        geometries.append(
            {
                "type": "Polygon" if single else "MultiPolygon",
                "id": key,
                **({"properties": properties} if properties else {}),
                "arcs": part[0] if single else part,
            }
        )
    return geometries
