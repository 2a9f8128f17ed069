"""A small map as SVG, for pages that need no script: areas in the colours of their classes."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from mapservice.feature_pages import RowPage

_WIDTH = 480.0
_NO_VALUE = "#d9dade"
Ring = list[tuple[float, float]]


@dataclass(frozen=True)
class Shape:
    """One area: its path in the map's own units, colour, and name with value."""

    path: str
    colour: str
    title: str


@dataclass(frozen=True)
class Outline:
    """Width and height in units of the paths."""

    width: int
    height: int
    shapes: Sequence[Shape]


def outline(found: RowPage) -> Outline | None:
    """The areas of a page, whose shapes are in CRS84; None without any."""
    if not found.rows:
        return None
    rings = [_rings(row) for row in found.rows]
    xs = [x for shape in rings for ring in shape for x, _ in ring]
    ys = [y for shape in rings for ring in shape for _, y in ring]
    west, north = min(xs), max(ys)
    # Longitudes shrink towards the pole: true to shape at the middle of the page's areas.
    shrink = math.cos(math.radians((north + min(ys)) / 2))
    span = max((max(xs) - west) * shrink, north - min(ys), 1e-9)
    scale = _WIDTH / span
    colours = {item.code: item.colour for item in found.among}
    shapes = []
    for row, shape in zip(found.rows, rings, strict=True):
        path = "".join(
            "M"
            + "L".join(f"{(x - west) * shrink * scale:.1f} {(north - y) * scale:.1f}" for x, y in ring)
            + "Z"
            for ring in shape
        )
        said = found.properties(row)
        colour = colours.get(said["class"], _NO_VALUE)
        shapes.append(Shape(path, colour, f"{row.name}: {said['value_label']}"))
    width = math.ceil((max(xs) - west) * shrink * scale) + 1
    return Outline(width, math.ceil((north - min(ys)) * scale) + 1, shapes)


def _rings(row: Row[Any]) -> list[Ring]:
    return [ring for polygon in json.loads(row.geojson)["coordinates"] for ring in polygon]
